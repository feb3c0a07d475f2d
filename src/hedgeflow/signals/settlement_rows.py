"""The rows of an expiration-pressure scan: an alert condition, a notice of the monitor."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numba as nb
import numpy as np

from hedgeflow.signals.dealer_gamma import option_gamma
from hedgeflow.signals.open_interest_state import StrikeInterest
from hedgeflow.signals.settlement_rules import NoticeKind, SignalClass, Urgency
from hedgeflow.signals.settlement_state import Alerts, LiveExpiry, Outputs

_PREPARE: Final = int(NoticeKind.PREPARE_FOR_PANIC_MODE)
_OTHER: Final = int(SignalClass.OTHER)
_PIN: Final = int(SignalClass.PIN_RISK_MANAGEMENT)
_STEERING: Final = int(SignalClass.STEERING)
_PANIC: Final = int(SignalClass.ASSIGNMENT_RISK_PANIC)
_HIGH: Final = int(Urgency.HIGH)
_CRISIS: Final = int(Urgency.CRISIS)

ROUNDING: Final = 1e-12
"""Of the price: what its distances may be off, as decimals that have no exact binary form are."""


class Instant(NamedTuple):
    """What an evaluation knows that is the same for every strike."""

    now: int
    minutes: float
    scaled_minutes: float
    point: float
    unit: float
    threshold: float
    urgency: int


@nb.njit(cache=True)
def is_less(distance: float, limit: float, price: float) -> bool:
    """Say whether a distance of prices is below another, and not only by how they are rounded."""
    return limit - distance > ROUNDING * price


@nb.njit(cache=True, error_model="numpy")
def write_condition(
    j: int,
    k: int,
    at: Instant,
    risk: float,
    pressed: float,
    is_new: bool,
    strikes: StrikeInterest,
    market: Any,
    live: LiveExpiry,
    alerts: Alerts,
    rules: Any,
    out: Outputs,
) -> None:
    """Write a condition."""
    cursor: Any = out.cursor[0]
    counts: Any = out.counts[0]
    row: Any = out.conditions[cursor.conditions]
    cursor.conditions += 1
    counts.conditions += 1
    counts.alerts += is_new
    distance = abs(market.price - live.strikes[j])
    gamma = option_gamma(
        market.price, live.strikes[j], market.sigma, at.minutes, rules.minutes_per_year
    )
    row.at_ns = at.now
    row.expiry_ns = live.expiry_ns
    row.strike = live.strikes[j]
    row.alert_number = alerts.number[k]
    row.is_new = is_new
    row.urgency = at.urgency
    row.signal_class = _signal_class(at, strikes.used[k], distance, market.price, rules)
    row.pressure = pressed
    row.threshold = at.threshold
    row.risk = risk
    row.oi = strikes.used[k]
    row.settled_oi = strikes.settled[k]
    row.settled_ns = strikes.settled_ns[k]
    row.estimated_oi = strikes.estimated[k]
    row.oi_low = strikes.low[k]
    row.oi_high = strikes.high[k]
    row.probability = out.scratch[j]
    row.distance = distance
    row.minutes_left = at.minutes
    row.confidence = _confidence(at.minutes, pressed, live, rules)
    row.target_distance = max(rules.target_floor * at.point, rules.target_multiple * distance)
    row.dealer_gamma = gamma * strikes.dealers[k]
    row.gamma_basis = strikes.basis[k]
    row.dealer_units = strikes.dealers[k]
    row.price = market.price
    row.price_ns = market.price_ns
    row.sigma = market.sigma
    row.point = at.point
    row.scale = market.scale


@nb.njit(cache=True)
def _signal_class(at: Instant, oi: float, distance: float, price: float, rules: Any) -> int:
    """Return the named strategy whose signature a condition has (expiration-pressure.md 2)."""
    if at.urgency == _HIGH:
        return _STEERING
    if at.urgency == _CRISIS:
        near, large = rules.panic_distance_below * at.point, rules.panic_oi_above
        return _PANIC if oi > large and is_less(distance, near, price) else _OTHER
    near, large = rules.pin_distance_below * at.point, rules.pin_oi_above
    is_near = is_less(distance, near, price)
    is_pin = at.minutes <= rules.pin_minutes and oi > large and is_near
    return _PIN if is_pin else _OTHER


@nb.njit(cache=True)
def _confidence(minutes: float, pressed: float, live: LiveExpiry, rules: Any) -> float:
    """Return pressure / 1,000, or the pressure's rank among earlier expiries; capped."""
    if not rules.is_rank:
        return min(rules.confidence_cap, pressed / rules.confidence_divisor)
    whole = int(minutes)
    past = live.past[live.past_first[whole] : live.past_first[whole + 1]]
    rank = np.searchsorted(past, pressed, side="right") / past.size
    return min(rules.confidence_cap, rank)


@nb.njit(cache=True)
def warn(
    j: int,
    k: int,
    at: Instant,
    strikes: StrikeInterest,
    market: Any,
    live: LiveExpiry,
    alerts: Alerts,
    rules: Any,
    out: Outputs,
) -> None:
    """Give PREPARE_FOR_PANIC_MODE, once per strike and expiry (expiration-pressure.md 4)."""
    distance = abs(market.price - live.strikes[j])
    near = rules.monitor_distance * at.point
    if strikes.used[k] < rules.monitor_oi or not is_less(distance, near, market.price):
        return
    alerts.is_warned[k] = True
    cursor: Any = out.cursor[0]
    row: Any = out.notices[cursor.notices]
    cursor.notices += 1
    row.at_ns = at.now
    row.expiry_ns = live.expiry_ns
    row.kind = _PREPARE
    row.minutes_left = at.minutes
    row.strike = live.strikes[j]
    row.distance = distance
    row.oi = strikes.used[k]
