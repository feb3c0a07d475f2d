"""A strike's condition as it stands when it is acted on: the price of now, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hedgeflow.signals.settlement_rows import is_less
from hedgeflow.signals.settlement_rules import SignalClass, Urgency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.strategies.expiration_pressure.config import (
        Classes,
        Clock,
        ExpirationPressureConfig,
        Plan,
    )


def at_present(
    condition: Mapping[str, Any], config: ExpirationPressureConfig, moved: float
) -> Mapping[str, Any]:
    """Return a condition with price, distances, urgency and class as they are now.

    Open interest, pressure, confidence, gamma and the size of a point stay as they were seen.

    Parameters
    ----------
    condition : mapping
        A row of `CONDITION` by its names, `minutes_left` those of now.
    config : ExpirationPressureConfig
    moved : float
        How far the hedge instrument has gone since the condition's price was known: the underlying
        is taken to have gone as far.

    Notes
    -----
    Look-ahead: sees the condition and the move, both known now.
    """
    minutes = float(condition["minutes_left"])
    urgency = urgency_at(minutes, config.clock)
    now = dict(condition) if moved == 0.0 else _moved(condition, config.plan, moved)
    named = signal_class(
        urgency, minutes, float(now["oi"]), float(now["distance"]), float(now["point"]),
        float(now["price"]), config.classes,
    )  # fmt: skip
    return {**now, "urgency": int(urgency), "signal_class": int(named)}


def _moved(condition: Mapping[str, Any], plan: Plan, moved: float) -> dict[str, Any]:
    price, point = float(condition["price"]) + moved, float(condition["point"])
    distance = abs(price - float(condition["strike"]))
    target = max(plan.target_floor_points * point, plan.target_multiple * distance)
    return {**condition, "price": price, "distance": distance, "target_distance": target}


def urgency_at(minutes_left: float, clock: Clock) -> Urgency:
    """Return the urgency with so much time left: CRISIS < 15 <= HIGH < 45 <= LOW."""
    if minutes_left < clock.crisis_minutes:
        return Urgency.CRISIS
    return Urgency.HIGH if minutes_left < clock.high_minutes else Urgency.LOW


def signal_class(
    urgency: Urgency,
    minutes_left: float,
    oi: float,
    distance: float,
    point: float,
    price: float,
    classes: Classes,
) -> SignalClass:
    """Return the named strategy whose signature a strike has (expiration-pressure.md 2).

    As the scan names it, for a price that has moved since.
    """
    if urgency is Urgency.HIGH:
        return SignalClass.STEERING
    if urgency is Urgency.CRISIS:
        near = classes.panic_distance_below_points * point
        if oi > classes.panic_oi_above and is_less(distance, near, price):
            return SignalClass.ASSIGNMENT_RISK_PANIC
        return SignalClass.OTHER
    near = classes.pin_distance_below_points * point
    is_early = minutes_left > classes.pin_minutes
    if not is_early and oi > classes.pin_oi_above and is_less(distance, near, price):
        return SignalClass.PIN_RISK_MANAGEMENT
    return SignalClass.OTHER
