"""Shock events: anomalies that overlap become one, whose net demand is decided once."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.market.pressure import pressure
from hedgeflow.signals.demand import DemandTerms, settle
from hedgeflow.signals.flow_class import classify
from hedgeflow.signals.fold_arrays import Entries
from hedgeflow.signals.response import response_minutes
from hedgeflow.signals.rules import SIGNING_RULES


@nb.njit(cache=True)
def end_of_event(event: Any, rules: Any) -> int:
    """Return the instant from which the open event is over (precise.md 18)."""
    last = event.last_ns + rules.event_gap_ns
    return min(last, event.first_ns + rules.event_length_ns + 1)


@nb.njit(cache=True)
def join_event(
    cursor: Any,
    now: int,
    since: int,
    c: int,
    w: int,
    ratio: float,
    origin: int,
    entries: Entries,
    last: int,
    members: Any,
    member_of: NDArray[np.int32],
    event: Any,
    terms: DemandTerms,
) -> None:
    """Add an anomaly to the open event, or open one (precise.md 18)."""
    if not event.open:
        event.open = 1
        event.decided = 0
        event.no_scale = 0
        event.id += 1
        event.first_ns = now
        event.members = 0
        event.anomalies = 0
        event.largest_pressure = 0.0
        event.institutional_lots = 0
        for rule in range(SIGNING_RULES):
            event.rule_lots[rule] = 0
    event.last_ns = now
    event.anomalies += 1
    m = member_of[c]
    if m >= 0:
        members[m].ratio = max(members[m].ratio, ratio)
        return
    m = event.members
    event.members += 1
    member_of[c] = m
    members[m].contract = c
    members[m].window = w
    members[m].origin = origin
    members[m].start_ns = since
    members[m].lots = 0
    members[m].demand = 0.0
    members[m].demand_expected = 0.0
    members[m].demand_variance = 0.0
    members[m].ratio = ratio
    entry = last
    while entry >= cursor.base and entries.ts[entry - cursor.base] > since:
        add_to_member(members, m, entries, entry - cursor.base, event, terms)
        entry = entries.previous[entry - cursor.base]


@nb.njit(cache=True)
def add_to_member(
    members: Any, m: int, entries: Entries, i: int, event: Any, terms: DemandTerms
) -> None:
    """Count one entry towards a member, and towards how its event was signed."""
    settle(entries, i, terms)
    members[m].lots += entries.lots[i]
    members[m].demand += entries.demand[i]
    members[m].demand_expected += entries.expected[i]
    members[m].demand_variance += entries.variance[i]
    event.rule_lots[entries.rule[i]] += entries.lots[i]
    if entries.institutional[i]:
        event.institutional_lots += entries.lots[i]


@nb.njit(cache=True)
def decide(
    cursor: Any,
    now: int,
    spot: float,
    event: Any,
    members: Any,
    strike_id: NDArray[np.int32],
    rules: Any,
    session: Any,
    anomalies_out: Any,
    first_anomaly: int,
    decisions_out: Any,
    members_out: Any,
) -> None:
    """Re-evaluate the open event after a batch and write what passes the pressure threshold."""
    event.session_ns = session.open_ns
    if np.isnan(session.demand_scale):
        event.no_scale = 1
        event.scaled = np.nan
        event.response_minutes = np.nan
        return
    demand = 0.0
    for m in range(event.members):
        demand += members[m].demand
    scaled = demand * session.demand_scale
    response = response_minutes(scaled, rules, session)
    now_pressure = pressure(scaled, response)
    event.scaled = scaled
    event.response_minutes = response
    event.largest_pressure = max(event.largest_pressure, now_pressure)
    is_event_due = (
        rules.unit_is_event
        and not event.decided
        and demand != 0.0
        and now_pressure > session.threshold
    )
    is_contract_due = not rules.unit_is_event and cursor.anomalies > first_anomaly
    if not is_event_due and not is_contract_due:
        return
    demand, expected, variance, lots, ratio, top, strikes, concentration = event_totals(
        event, members, strike_id
    )
    flow_class = classify(strikes, concentration, ratio, response, scaled, rules)
    if is_event_due:
        event.decided = 1
        lead = 0
        for m in range(event.members):
            if abs(members[m].demand) > abs(members[lead].demand):
                lead = m
        row = _write_decision(
            cursor, now, spot, event, strikes, concentration, flow_class, decisions_out
        )
        decisions_out[row].contract = members[lead].contract
        decisions_out[row].window = members[lead].window
        decisions_out[row].origin = members[top].origin
        decisions_out[row].ratio = ratio
        decisions_out[row].lots = lots
        _write_exposure(
            decisions_out, row, demand, expected, variance, scaled, response, now_pressure
        )
        for m in range(event.members):
            members_out[cursor.members] = members[m]
            cursor.members += 1
        decisions_out[row].member_to = cursor.members
        return
    for a in range(first_anomaly, cursor.anomalies):
        own = anomalies_out[a].demand * session.demand_scale
        own_response = response_minutes(own, rules, session)
        own_pressure = pressure(own, own_response)
        if own == 0.0 or own_pressure <= session.threshold:
            continue
        event.decided = 1
        row = _write_decision(
            cursor, now, spot, event, strikes, concentration, flow_class, decisions_out
        )
        decisions_out[row].first_ns = now
        decisions_out[row].contract = anomalies_out[a].contract
        decisions_out[row].window = anomalies_out[a].window
        decisions_out[row].origin = anomalies_out[a].origin
        decisions_out[row].ratio = anomalies_out[a].ratio
        decisions_out[row].lots = anomalies_out[a].lots
        _write_exposure(
            decisions_out,
            row,
            anomalies_out[a].demand,
            anomalies_out[a].demand_expected,
            anomalies_out[a].demand_variance,
            own,
            own_response,
            own_pressure,
        )
        members_out[cursor.members].contract = anomalies_out[a].contract
        members_out[cursor.members].window = anomalies_out[a].window
        members_out[cursor.members].origin = anomalies_out[a].origin
        members_out[cursor.members].start_ns = 0
        members_out[cursor.members].lots = anomalies_out[a].lots
        members_out[cursor.members].demand = anomalies_out[a].demand
        members_out[cursor.members].demand_expected = anomalies_out[a].demand_expected
        members_out[cursor.members].demand_variance = anomalies_out[a].demand_variance
        members_out[cursor.members].ratio = anomalies_out[a].ratio
        cursor.members += 1
        decisions_out[row].member_to = cursor.members


@nb.njit(cache=True)
def event_totals(
    event: Any, members: Any, strike_id: NDArray[np.int32]
) -> tuple[float, float, float, int, float, int, int, float]:
    """Return demand, expected, variance, lots, largest ratio, its member, strikes, concentration.

    A strike is a pair (expiry, strike), calls and puts together; only strikes with an anomalous
    contract count (precise.md 10).
    """
    demand, expected, variance, lots = 0.0, 0.0, 0.0, 0
    ratio, top = -1.0, 0
    for m in range(event.members):
        demand += members[m].demand
        expected += members[m].demand_expected
        variance += members[m].demand_variance
        lots += members[m].lots
        if members[m].ratio > ratio:
            ratio, top = members[m].ratio, m
    strikes, largest = _strikes(members[: event.members], strike_id)
    concentration = largest / lots if lots > 0 else 0.0
    return demand, expected, variance, lots, ratio, top, strikes, concentration


@nb.njit(cache=True)
def _strikes(members: Any, strike_id: NDArray[np.int32]) -> tuple[int, int]:
    """Return how many strikes the members have, and the lots of the largest."""
    ids = np.empty(members.size, np.int32)
    for m in range(members.size):
        ids[m] = strike_id[members[m].contract]
    strikes, largest, at_strike = 0, 0, 0
    strike = np.int32(-1)
    for m in np.argsort(ids):
        if ids[m] != strike:
            strike = ids[m]
            strikes += 1
            at_strike = 0
        at_strike += members[m].lots
        largest = max(largest, at_strike)
    return strikes, largest


@nb.njit(cache=True)
def _write_decision(
    cursor: Any,
    now: int,
    spot: float,
    event: Any,
    strikes: int,
    concentration: float,
    flow_class: int,
    decisions_out: Any,
) -> int:
    row = cursor.decisions
    decisions_out[row].ts = now
    decisions_out[row].first_ns = event.first_ns
    decisions_out[row].event = event.id
    decisions_out[row].strikes = strikes
    decisions_out[row].concentration = concentration
    decisions_out[row].flow_class = flow_class
    decisions_out[row].spot = spot
    decisions_out[row].member_from = cursor.members
    decisions_out[row].institutional_lots = event.institutional_lots
    for rule in range(SIGNING_RULES):
        decisions_out[row].rule_lots[rule] = event.rule_lots[rule]
    cursor.decisions += 1
    return row


@nb.njit(cache=True)
def _write_exposure(
    decisions_out: Any,
    row: int,
    demand: float,
    expected: float,
    variance: float,
    scaled: float,
    response: float,
    now_pressure: float,
) -> None:
    decisions_out[row].demand = demand
    decisions_out[row].demand_expected = expected
    decisions_out[row].demand_variance = variance
    decisions_out[row].scaled = scaled
    decisions_out[row].response_minutes = response
    decisions_out[row].pressure = now_pressure


@nb.njit(cache=True)
def close_event(
    cursor: Any,
    now: int,
    event: Any,
    members: Any,
    member_of: NDArray[np.int32],
    strike_id: NDArray[np.int32],
    rules: Any,
    closes_out: Any,
) -> None:
    """Write the open event as it was last evaluated and forget it."""
    demand, _, _, lots, ratio, _, strikes, concentration = event_totals(event, members, strike_id)
    scaled, response = event.scaled, event.response_minutes
    row = cursor.closes
    closes_out[row].event = event.id
    closes_out[row].first_ns = event.first_ns
    closes_out[row].last_ns = event.last_ns
    closes_out[row].closed_ns = now
    closes_out[row].members = event.members
    closes_out[row].anomalies = event.anomalies
    closes_out[row].strikes = strikes
    closes_out[row].concentration = concentration
    closes_out[row].ratio = ratio
    closes_out[row].lots = lots
    closes_out[row].demand = demand
    closes_out[row].scaled = scaled
    closes_out[row].response_minutes = response
    closes_out[row].pressure = pressure(scaled, response)
    closes_out[row].largest_pressure = event.largest_pressure
    closes_out[row].flow_class = classify(strikes, concentration, ratio, response, scaled, rules)
    closes_out[row].decided = event.decided
    closes_out[row].no_scale = event.no_scale
    cursor.closes += 1
    for m in range(event.members):
        member_of[members[m].contract] = -1
    event.open = 0
