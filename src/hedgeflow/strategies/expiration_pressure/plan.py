"""The entry plan: from a strike's condition to side, size, target, stop and time limit, or a no."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.settlement_rows import is_less
from hedgeflow.signals.settlement_rules import SignalClass, Urgency
from hedgeflow.strategies.entry_plan import EntryPlan
from hedgeflow.strategies.expiration_pressure.present import at_present

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.market.contracts import HedgeInstrument
    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig, Plan

STEER_AWAY: Final = "steer-away"
PIN: Final = "pin"
SCALE_MINUTES: Final = 5.0
"""V5 is a 5-minute volume."""


class Refusal(StrEnum):
    """Why a condition leads to no plan, in the order of the tests, named as in `decisions`."""

    INSIDE_FIXING = "INSIDE_FIXING"
    NO_SIDE = "NO_SIDE"
    NO_DEALER_GAMMA = "NO_DEALER_GAMMA"
    REWARD_BELOW_RISK = "REWARD_BELOW_RISK"
    NO_TIME_LEFT = "NO_TIME_LEFT"


@dataclass(frozen=True, slots=True)
class NoPlan:
    """A condition that is not traded.

    Attributes
    ----------
    reason : Refusal
    sentence : str
    """

    reason: Refusal
    sentence: str


@dataclass(frozen=True, slots=True)
class ExpirationPlan(EntryPlan):
    """The plan of an expiration pressure (expiration-pressure.md 4).

    Attributes
    ----------
    target_price : float
        Where it leaves with a profit, in the hedge instrument's price: it stays where it is
        whatever the fill; `target_distance` is measured from `reference_price`.
    expiry_ns : int
        UTC nanoseconds.
    strike : float
    basis : float
        The hedge instrument's price above the underlying's, both of the instant at which the latter
        was known: the strike lies so much higher in its prices. 0 where the underlying itself is
        traded.
    minutes_left : float
        To expiry, when planned.
    model : str
        ``steer-away`` or ``pin``: what was done at this strike, whoever chose it.
    tightened_distance : float
        Price units of the stop after the evolution, from the price at the crossing.
    volume_cap_contracts : float or None
        Most contracts that we may hold over `limit_minutes` without being too much of the market;
        None without V5.
    opens_until_ns : int
        No order to open or to add fills from here on: the start of the settlement price's average,
        or the expiry where there is none or where it may be traded in.
    """

    target_price: float
    expiry_ns: int
    strike: float
    basis: float
    minutes_left: float
    model: str
    tightened_distance: float
    volume_cap_contracts: float | None
    opens_until_ns: int

    @property
    def target(self) -> float:
        """The target itself, which does not move with the fill."""
        return self.target_price


def plan_entry(
    condition: Mapping[str, Any],
    config: ExpirationPressureConfig,
    instrument: HedgeInstrument,
    reference_price: float,
    *,
    price_then: float,
    alert_id: str,
    underlying: str,
) -> ExpirationPlan | NoPlan:
    """Return the plan that a strike's condition leads to, or why there is none.

    The underlying has gone as far since its price was known as what is traded has: side, distances
    and class are those of the price that it has now.

    Parameters
    ----------
    condition : mapping
        A row of `CONDITION` by its names, with `fixing_minutes`: how long before expiry the average
        begins that is its settlement price, 0 without one.
    config : ExpirationPressureConfig
    instrument : HedgeInstrument
        What is traded.
    reference_price : float
        Its last price known at the decision.
    price_then : float
        Its last price known when the condition's own price was, at `price_ns`.
    alert_id, underlying : str
        Of the alert that the condition belongs to.

    Notes
    -----
    Look-ahead: sees the condition and the two prices, all known at the decision.
    """
    rules, point = config.plan, float(condition["point"])
    minutes_left, fixing = float(condition["minutes_left"]), float(condition["fixing_minutes"])
    if rules.trade_in_fixing:
        fixing = 0.0
    if 0.0 < minutes_left <= fixing:
        return NoPlan(
            Refusal.INSIDE_FIXING,
            f"{minutes_left:.1f} minutes before expiry the settlement price is being averaged, over"
            f" the last {fixing:g}: nothing is opened in them.",
        )
    basis = price_then - float(condition["price"])
    condition = at_present(condition, config, reference_price - price_then)
    urgency = Urgency(int(condition["urgency"]))
    side = side_of(condition, config)
    if isinstance(side, NoPlan):
        return side
    model, direction = side
    strike, price = float(condition["strike"]), float(condition["price"])
    beyond = 0.0 if model == PIN else direction * float(condition["target_distance"])
    target = strike + basis + beyond
    reward = direction * (strike - price + beyond)
    stop = stop_points(urgency, rules) * point
    risk = rules.min_reward_risk * stop
    if not is_less(0.0, reward, reference_price) or is_less(reward, risk, reference_price):
        return NoPlan(
            Refusal.REWARD_BELOW_RISK,
            f"The target at {target:g} is {reward:g} from {reference_price:g}, less than "
            f"{rules.min_reward_risk:g} times the stop's {stop:g}.",
        )
    limit = hold_minutes(minutes_left, urgency, rules)
    if limit <= 0.0:
        return NoPlan(
            Refusal.NO_TIME_LEFT,
            f"{minutes_left:.1f} minutes before expiry nothing can be held: positions of urgency "
            f"{urgency.name} end {buffer_minutes(urgency, rules):g} minutes before it, all of them"
            f" {rules.danger_minutes:g}.",
        )
    cap = _volume_cap(float(condition["scale"]), limit, instrument, config)
    size = planned_contracts(float(condition["confidence"]), urgency, rules)
    expiry_ns = int(condition["expiry_ns"])
    return ExpirationPlan(
        alert_id=alert_id,
        event_id=int(condition["alert_number"]),
        underlying=underlying,
        instrument=instrument.symbol,
        flow_class=SignalClass(int(condition["signal_class"])).name,
        urgency=urgency.name,
        direction=direction,
        size_contracts=size if cap is None else min(size, cap),
        reference_price=reference_price,
        target_distance=reward,
        stop_distance=stop,
        limit_minutes=limit,
        point=point,
        target_price=target,
        expiry_ns=expiry_ns,
        strike=strike,
        basis=basis,
        minutes_left=minutes_left,
        model=model,
        tightened_distance=rules.tightened_stop_points * point,
        volume_cap_contracts=cap,
        opens_until_ns=expiry_ns - round(fixing * MINUTE_NS),
    )


def planned_contracts(confidence: float, urgency: Urgency, rules: Plan) -> float:
    """Return 1.5 x {LOW 1, HIGH 2, CRISIS 3} x confidence, standard contracts.

    With ``sizing = fixed`` every urgency that is traded at all is traded in the base size.
    """
    multiplier = (rules.low_multiplier, rules.high_multiplier, rules.crisis_multiplier)[urgency]
    if rules.sizing == "fixed":
        return rules.base_contracts if multiplier > 0 else 0.0
    return rules.base_contracts * multiplier * confidence


def stop_points(urgency: Urgency, rules: Plan) -> float:
    """Return the stop distance, points: 15, 10 or 6."""
    return (rules.stop_low_points, rules.stop_high_points, rules.stop_crisis_points)[urgency]


def buffer_minutes(urgency: Urgency, rules: Plan) -> float:
    """Return how long before expiry positions of an urgency end, minutes: 10, 8 or 3."""
    return (rules.buffer_low_minutes, rules.buffer_high_minutes, rules.buffer_crisis_minutes)[
        urgency
    ]


def hold_minutes(minutes_left: float, urgency: Urgency, rules: Plan) -> float:
    """Return the longest holding time, minutes; 0 or less where nothing can be held."""
    if minutes_left <= rules.danger_minutes:
        return 0.0
    return minutes_left - buffer_minutes(urgency, rules)


def added_contracts(plan: ExpirationPlan, held: float, minutes_left: float, rules: Plan) -> float:
    """Return what the evolution to CRISIS adds to a position, before the limits of risk.

    Twice what is held where it was entered as LOW; nothing where as HIGH, without ``add_on_high``;
    never more than the volume cap of the time that is left then leaves (expiration-pressure.md 4,
    precise.md 34).

    Parameters
    ----------
    plan : ExpirationPlan
        With the urgency at entry.
    held : float
        Standard contracts held at the crossing.
    minutes_left : float
        At the crossing.
    rules : Plan
    """
    adds = plan.urgency == Urgency.LOW.name or (
        plan.urgency == Urgency.HIGH.name and rules.add_on_high
    )
    more = rules.add_multiple * held if adds else 0.0
    if plan.volume_cap_contracts is None:
        return more
    left = hold_minutes(minutes_left, Urgency.CRISIS, rules)
    cap = plan.volume_cap_contracts * left / plan.limit_minutes
    return max(0.0, min(more, cap - held))


def side_of(
    condition: Mapping[str, Any], config: ExpirationPressureConfig
) -> tuple[str, int] | NoPlan:
    """Return what is done at a strike, and +1 to buy or -1 to sell (expiration-pressure.md 3).

    Parameters
    ----------
    condition : mapping
        A row of `CONDITION` by its names.
    config : ExpirationPressureConfig
    """
    strike = float(condition["strike"])
    price = float(condition["price"])
    above = price - strike
    if not is_less(0.0, abs(above), price):
        return NoPlan(
            Refusal.NO_SIDE, f"The price is exactly at the strike {strike:g}: there is no side."
        )
    model = config.direction.model
    if model == "dealer-gamma":
        gamma = float(condition["dealer_gamma"])
        # Without a volatility, and where it rounds to nothing, the contracts still tell the sign.
        if math.isnan(gamma) or gamma == 0.0:
            gamma = float(condition["dealer_units"])
        if math.isnan(gamma) or gamma == 0.0:
            return NoPlan(
                Refusal.NO_DEALER_GAMMA,
                f"Dealers' gamma at {strike:g} is "
                f"{'not known' if math.isnan(gamma) else 'zero'}: neither side is theirs.",
            )
        model = PIN if gamma > 0.0 else STEER_AWAY
    away = 1 if above > 0.0 else -1
    return model, -away if model == PIN else away


def _volume_cap(
    scale: float, minutes: float, instrument: HedgeInstrument, config: ExpirationPressureConfig
) -> float | None:
    """Return the contracts that a share of the usual volume over a holding time comes to.

    `scale` is V5 times ``hedge_volume_scale``, which counts other venues in: ours is the share of
    what is traded alone.
    """
    if not math.isfinite(scale):
        return None
    v5 = scale / config.scale.hedge_volume_scale
    share = config.risk.own_volume_share
    return share * v5 * minutes / SCALE_MINUTES / instrument.units_per_contract
