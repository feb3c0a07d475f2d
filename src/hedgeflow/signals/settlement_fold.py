"""The inner loop of an expiration-pressure scan: events in, alert conditions and notices out."""

from __future__ import annotations

from typing import Any, Final

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.market.pressure import pressure
from hedgeflow.market.time import DAY_NS
from hedgeflow.signals.expiry_clock import minutes_left
from hedgeflow.signals.open_interest_state import (
    ChainArrays,
    ContractInterest,
    StrikeInterest,
    sum_strike,
    take_in,
)
from hedgeflow.signals.settlement_events import EventKind
from hedgeflow.signals.settlement_models import probabilities
from hedgeflow.signals.settlement_rows import Instant, is_less, warn, write_condition
from hedgeflow.signals.settlement_rules import WHOLE_MINUTES, NoAlert, Urgency
from hedgeflow.signals.settlement_state import HOLDS, Alerts, LiveExpiry, Outputs

_PRICE: Final = int(EventKind.PRICE)
_SIGMA: Final = int(EventKind.SIGMA)
_SCALE: Final = int(EventKind.SCALE)
_SOMETHING: Final = int(NoAlert.NONE)
_NO_SCALE: Final = int(NoAlert.NO_SCALE)
_NO_SIGMA: Final = int(NoAlert.NO_SIGMA)
_NO_MODEL: Final = int(NoAlert.NO_MODEL)
_NO_HISTORY: Final = int(NoAlert.NO_HISTORY)
_TOO_EARLY: Final = int(NoAlert.TOO_EARLY)
_LOW, _HIGH, _CRISIS = int(Urgency.LOW), int(Urgency.HIGH), int(Urgency.CRISIS)


@nb.njit(cache=True, error_model="numpy")
def fold(
    events: NDArray[Any],
    start: int,
    chain: ChainArrays,
    known: ContractInterest,
    strikes: StrikeInterest,
    market: Any,
    live: LiveExpiry,
    alerts: Alerts,
    rules: Any,
    out: Outputs,
) -> int:
    """Fold events from `start` on, one batch at a time, and evaluate after each that matters.

    Returns the place from which to go on: behind the last event, or before a batch that the
    outputs may have no room for.
    """
    i = start
    cursor: Any = out.cursor[0]
    counts: Any = out.counts[0]
    while i < events.size:
        room = out.conditions.size - cursor.conditions
        if min(room, out.notices.size - cursor.notices) < live.places.size:
            return i
        now = events[i].known_ns
        matters = False
        while i < events.size and events[i].known_ns == now:
            event: Any = events[i]
            i += 1
            if event.kind == _PRICE:
                if event.observed_ns >= market.price_ns:
                    market.price = event.value
                    market.price_ns = event.observed_ns
                    matters = True
            elif event.kind == _SIGMA:
                market.sigma = event.value if event.value > 0.0 else np.nan
            elif event.kind == _SCALE:
                market.scale = event.value if event.value > 0.0 else np.nan
            else:
                c = int(event.contract)
                k: int = chain.strike_of[c]
                take_in(now, event.kind, c, event.value, known)
                sum_strike(k, chain, known, strikes, rules.use_estimated, rules.convention)
                matters = matters or live.first <= k < live.stop
        is_today = 0 < live.expiry_ns - now <= DAY_NS
        if matters and is_today and market.price > 0.0:
            if now - market.price_ns > rules.oldest_price_ns:
                counts.stale_price += 1
                continue
            counts.evaluations += 1
            counts.last_ns = now
            if counts.first_ns == 0:
                counts.first_ns = now
            minutes = minutes_left(live.expiry_ns, now)
            _evaluate(now, minutes, strikes, market, live, alerts, rules, out)
    return i


@nb.njit(cache=True, error_model="numpy")
def _evaluate(
    now: int,
    minutes: float,
    strikes: StrikeInterest,
    market: Any,
    live: LiveExpiry,
    alerts: Alerts,
    rules: Any,
    out: Outputs,
) -> None:
    """Judge every strike of the live expiry at one instant."""
    in_force, why = threshold(minutes, market, live, rules)
    _count(why, out.counts[0])
    at = Instant(
        now,
        minutes,
        minutes * live.time_factor,
        point_size(market, rules),
        risk_unit(market, rules),
        in_force,
        _urgency(minutes, rules),
    )
    is_near = minutes < rules.monitor_minutes
    first, last = _candidates(at, strikes, live, rules, why, out.counts[0])
    if first <= last:
        probabilities(
            rules.model,
            market.price,
            live.strikes[first : last + 1],
            live.marks[first : last + 2],
            market.sigma,
            minutes,
            rules.minutes_per_year,
            at.point,
            live.table,
            out.scratch[first : last + 1],
        )
    for j in range(live.places.size):
        k: int = live.places[j]
        holds = False
        if first <= j <= last:
            oi = strikes.used[k]
            risk = oi * at.unit * out.scratch[j]
            pressed = pressure(risk, at.scaled_minutes)
            if oi > rules.oi_above and pressed > at.threshold:
                distance = abs(market.price - live.strikes[j])
                holds = _passes(at, distance, oi, pressed, market.price, rules, out.counts[0])
                if holds:
                    is_new = _is_new_alert(now, k, at.urgency, alerts, rules, out.cursor[0])
                    write_condition(
                        j, k, at, risk, pressed, is_new, strikes, market, live, alerts, rules, out
                    )
        if not holds and alerts.ceased_ns[k] == HOLDS:
            alerts.ceased_ns[k] = now
        if is_near and not alerts.is_warned[k]:
            warn(j, k, at, strikes, market, live, alerts, rules, out)


@nb.njit(cache=True, error_model="numpy")
def point_size(market: Any, rules: Any) -> float:
    """Return a source point in price units (precise.md 23)."""
    if rules.is_sigma_point:
        return rules.point_coefficient * market.price * market.sigma
    if rules.is_bps_point:
        return rules.point_coefficient * market.price
    return rules.point_coefficient


@nb.njit(cache=True, error_model="numpy")
def risk_unit(market: Any, rules: Any) -> float:
    """Return what one contract of 100 underlying units counts as in risk (precise.md 28)."""
    if not rules.is_relative:
        return 1.0
    return rules.reference_units / market.scale


@nb.njit(cache=True, error_model="numpy")
def threshold(minutes: float, market: Any, live: LiveExpiry, rules: Any) -> tuple[float, int]:
    """Return the pressure in force, infinite where nothing can be an alert, and the `NoAlert`.

    Parameters
    ----------
    minutes : float
        Left to the live expiry.
    market, rules : void
        Records of `MARKET` and of the rules.
    live : LiveExpiry
    """
    if rules.is_relative and np.isnan(market.scale):
        return np.inf, _NO_SCALE
    if rules.needs_sigma and np.isnan(market.sigma):
        return np.inf, _NO_SIGMA
    span = live.table.span
    if rules.needs_table and not span[0] <= minutes <= span[1]:
        return np.inf, _NO_MODEL
    if not rules.needs_history:
        return rules.threshold, _SOMETHING
    whole = int(minutes)
    if whole >= WHOLE_MINUTES:
        return np.inf, _TOO_EARLY
    if live.past_first[whole] == live.past_first[whole + 1]:
        return np.inf, _NO_HISTORY
    return live.thresholds[whole] if rules.is_quantile else rules.threshold, _SOMETHING


@nb.njit(cache=True)
def _count(why: int, counts: Any) -> None:
    counts.no_scale += why == _NO_SCALE
    counts.no_sigma += why == _NO_SIGMA
    counts.no_model += why == _NO_MODEL
    counts.no_history += why == _NO_HISTORY


@nb.njit(cache=True, error_model="numpy")
def _candidates(
    at: Instant, strikes: StrikeInterest, live: LiveExpiry, rules: Any, why: int, counts: Any
) -> tuple[int, int]:
    """Return the first and last strike that would be an alert if settling there were certain.

    A probability is at most 1, so no other strike can meet the condition; theirs is not reckoned.
    Counts the instant if nothing but open interest is wanting.
    """
    first, last, largest = live.places.size, -1, 0.0
    for j in range(live.places.size):
        k: int = live.places[j]
        oi = strikes.used[k]
        largest = max(largest, oi)
        if oi > rules.oi_above and pressure(oi * at.unit, at.scaled_minutes) > at.threshold:
            first = min(first, j)
            last = j
    counts.largest_oi = max(counts.largest_oi, largest)
    counts.below_open_interest += why == _SOMETHING and not largest > rules.oi_above
    return first, last


@nb.njit(cache=True)
def _passes(
    at: Instant, distance: float, oi: float, pressed: float, price: float, rules: Any, counts: Any
) -> bool:
    """Say whether the false-signal filter lets a strike pass; count its first reason if not."""
    if oi < rules.filter_oi:
        counts.oi_too_small += 1
    elif is_less(rules.filter_distance * at.point, distance, price):
        counts.too_far += 1
    elif at.minutes > rules.filter_minutes:
        counts.too_early += 1
    elif pressed < rules.filter_pressure:
        counts.too_weak += 1
    else:
        return True
    return False


@nb.njit(cache=True)
def _is_new_alert(now: int, k: int, urgency: int, alerts: Alerts, rules: Any, cursor: Any) -> bool:
    """Say whether a condition begins an alert, and remember that it holds (precise.md 29)."""
    ceased = alerts.ceased_ns[k]
    is_new = alerts.urgency[k] != urgency or (ceased != HOLDS and now - ceased >= rules.rearm_ns)
    alerts.ceased_ns[k] = HOLDS
    if is_new:
        alerts.urgency[k] = urgency
        alerts.number[k] = cursor.alerts
        cursor.alerts += 1
    return is_new


@nb.njit(cache=True)
def _urgency(minutes: float, rules: Any) -> int:
    if minutes < rules.crisis_minutes:
        return _CRISIS
    return _HIGH if minutes < rules.high_minutes else _LOW
