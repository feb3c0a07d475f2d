"""The volume-shock fold: trailing windows per contract, anomalies, shock events, decisions."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.market.pressure import pressure
from hedgeflow.signals.flow_class import classify
from hedgeflow.signals.response import response_minutes
from hedgeflow.signals.rules import SIGNING_RULES
from hedgeflow.signals.unusual import (
    baseline,
    skip_quiet,
    time_bucket,
    volume_floor,
    window_baseline,
)

CONSUMED: Final = 0
OUTPUT_FULL: Final = 1


class Entries(NamedTuple):
    """Entries of the order tape in the window buffer, one array per column.

    Attributes
    ----------
    ts, lots : ndarray of shape (capacity,), int64
    contract, cell : ndarray of shape (capacity,), int32
    demand, expected, variance, spot : ndarray of shape (capacity,), float64
    rule : ndarray of shape (capacity,), uint8
    institutional : ndarray of shape (capacity,), bool
    previous : ndarray of shape (capacity,), int64
        The contract's last entry before, as an absolute entry number.
    window_lots : ndarray of shape (n_windows, capacity), int64
        What the contract traded in each window that ends with the entry.
    """

    ts: NDArray[np.int64]
    lots: NDArray[np.int64]
    contract: NDArray[np.int32]
    cell: NDArray[np.int32]
    demand: NDArray[np.float64]
    expected: NDArray[np.float64]
    variance: NDArray[np.float64]
    spot: NDArray[np.float64]
    rule: NDArray[np.uint8]
    institutional: NDArray[np.bool_]
    previous: NDArray[np.int64]
    window_lots: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How many entries there is room for."""
        return self.ts.size


EVENT: Final = np.dtype(
    [
        ("open", "u1"),
        ("decided", "u1"),
        ("no_scale", "u1"),
        ("id", "i8"),
        ("first_ns", "i8"),
        ("last_ns", "i8"),
        ("members", "i8"),
        ("anomalies", "i8"),
        ("largest_pressure", "f8"),
        ("session_ns", "i8"),
        ("scaled", "f8"),
        ("response_minutes", "f8"),
        ("institutional_lots", "i8"),
        ("rule_lots", "i8", (SIGNING_RULES,)),
    ]
)
"""The open event; `scaled` and `response_minutes` as last evaluated, in session `session_ns`."""

CURSOR: Final = np.dtype(
    [
        ("head", "i8"),
        ("end", "i8"),
        ("base", "i8"),
        ("without_baseline", "i8"),
        ("anomalies", "i8"),
        ("decisions", "i8"),
        ("members", "i8"),
        ("closes", "i8"),
    ]
)
"""Where the fold stands: absolute entry numbers, and how many outputs were written."""


@nb.njit(cache=True, nogil=True)
def fold(
    cursors: Any,
    entries: Entries,
    windows_ns: NDArray[np.int64],
    armed: NDArray[np.uint8],
    last_entry: NDArray[np.int64],
    member_of: NDArray[np.int32],
    touched: NDArray[np.int64],
    members: Any,
    events: Any,
    contract_mean: NDArray[np.float64],
    bucket_mean: NDArray[np.float64],
    floors: NDArray[np.float64],
    strike_id: NDArray[np.int32],
    rules: Any,
    sessions: Any,
    anomalies_out: Any,
    decisions_out: Any,
    members_out: Any,
    closes_out: Any,
) -> int:
    """Run `advance` on one-element arrays of cursor, event, rules and session."""
    return advance(
        cursors[0],
        entries,
        windows_ns,
        armed,
        last_entry,
        member_of,
        touched,
        members,
        events[0],
        contract_mean,
        bucket_mean,
        floors,
        strike_id,
        rules[0],
        sessions[0],
        anomalies_out,
        decisions_out,
        members_out,
        closes_out,
    )


@nb.njit(cache=True)
def finish(
    cursors: Any,
    now: int,
    events: Any,
    members: Any,
    member_of: NDArray[np.int32],
    strike_id: NDArray[np.int32],
    rules: Any,
    closes_out: Any,
) -> None:
    """Close the event that is open when a tape ends."""
    if events[0].open:
        close_event(
            cursors[0],
            now,
            events[0],
            members,
            member_of,
            strike_id,
            rules[0],
            closes_out,
        )


@nb.njit(cache=True)
def advance(
    cursor: Any,
    entries: Entries,
    windows_ns: NDArray[np.int64],
    armed: NDArray[np.uint8],
    last_entry: NDArray[np.int64],
    member_of: NDArray[np.int32],
    touched: NDArray[np.int64],
    members: Any,
    event: Any,
    contract_mean: NDArray[np.float64],
    bucket_mean: NDArray[np.float64],
    floors: NDArray[np.float64],
    strike_id: NDArray[np.int32],
    rules: Any,
    session: Any,
    anomalies_out: Any,
    decisions_out: Any,
    members_out: Any,
    closes_out: Any,
) -> int:
    """Fold the entries from `cursor.head` to `cursor.end` into the state, batch by batch.

    A batch is every entry of one stamp, evaluated after the last of them (precise.md 1). A
    contract re-arms when its ratio just before a batch is at or below the threshold, silence
    included (15). All state is in the arguments, so that any slicing of a tape between stamps
    gives the same outputs.

    Returns
    -------
    int
        `CONSUMED`, or `OUTPUT_FULL` when an output must grow; call again then.
    """
    count = windows_ns.size
    # Bound once: taking a column out of the tuple counts a reference, every time.
    ts, contract, previous = entries.ts, entries.contract, entries.previous
    window_lots = entries.window_lots
    base, limit = cursor.base, cursor.end - cursor.base
    while cursor.head < cursor.end:
        quiet_until = np.iinfo(np.int64).max
        if event.open:
            is_decided = event.session_ns == session.open_ns
            quiet_until = _end_of_event(event, rules) if is_decided else session.open_ns
        start = skip_quiet(
            ts,
            contract,
            entries.cell,
            window_lots,
            previous,
            cursor.head - base,
            limit,
            quiet_until,
            base,
            last_entry,
            member_of,
            armed,
            windows_ns,
            contract_mean,
            bucket_mean,
            floors,
            rules,
            session.open_ns,
        )
        cursor.head = base + start
        if start == limit:
            break
        now = ts[start]
        stop = start + 1
        while stop < limit and ts[stop] == now:
            stop += 1
        wanted = (stop - start) * count
        if (
            cursor.anomalies + wanted > anomalies_out.size
            or cursor.decisions + wanted + 1 > decisions_out.size
            or cursor.members + event.members + 2 * wanted > members_out.size
            or cursor.closes + 1 > closes_out.size
        ):
            return OUTPUT_FULL
        if event.open and now >= _end_of_event(event, rules):
            close_event(cursor, now, event, members, member_of, strike_id, rules, closes_out)

        _fold_batch(
            cursor,
            start,
            stop,
            entries,
            windows_ns,
            armed,
            last_entry,
            member_of,
            touched,
            members,
            event,
            contract_mean,
            bucket_mean,
            floors,
            strike_id,
            rules,
            session,
            anomalies_out,
            decisions_out,
            members_out,
        )
        cursor.head = base + stop
    return CONSUMED


@nb.njit(cache=True)
def _fold_batch(
    cursor: Any,
    start: int,
    stop: int,
    entries: Entries,
    windows_ns: NDArray[np.int64],
    armed: NDArray[np.uint8],
    last_entry: NDArray[np.int64],
    member_of: NDArray[np.int32],
    touched: NDArray[np.int64],
    members: Any,
    event: Any,
    contract_mean: NDArray[np.float64],
    bucket_mean: NDArray[np.float64],
    floors: NDArray[np.float64],
    strike_id: NDArray[np.int32],
    rules: Any,
    session: Any,
    anomalies_out: Any,
    decisions_out: Any,
    members_out: Any,
) -> None:
    """Evaluate one batch: members grow, contracts re-arm, anomalies join the event, it decides."""
    count, base, now = windows_ns.size, cursor.base, entries.ts[start]
    contract, previous, window_lots = entries.contract, entries.previous, entries.window_lots
    bucket = time_bucket(now, session.open_ns)

    # Distinct contracts of the batch, each with its last entry (whose moneyness counts).
    distinct = 0
    batch_base = base + start
    is_member_moved = False
    for i in range(start, stop):
        c = int(contract[i])
        previous[i] = last_entry[c]
        if last_entry[c] < batch_base:
            touched[distinct] = c
            distinct += 1
        last_entry[c] = base + i
        m: int = member_of[c]
        if m >= 0:
            _add_to_member(members, m, entries, i, event)
            is_member_moved = True

    first_anomaly = cursor.anomalies
    for k in range(distinct):
        c = int(touched[k])
        last: int = last_entry[c]
        cell = int(entries.cell[last - base])
        own, least, origin = baseline(c, cell, bucket, contract_mean, bucket_mean, rules)
        floor = volume_floor(cell, bucket, floors, rules)
        batch_lots = _batch_lots(entries.lots, previous, last, base, batch_base)
        if np.isnan(own):
            longest = window_lots[count - 1, last - base]
            cursor.without_baseline += longest > floor >= longest - batch_lots
            continue
        for w in range(count):
            lots = window_lots[w, last - base]
            normal = window_baseline(own, least, windows_ns[w], rules)
            if not armed[c, w]:
                armed[c, w] = lots - batch_lots <= rules.ratio * normal
            ratio = lots / normal
            if not armed[c, w] or lots <= floor or ratio <= rules.ratio:
                continue
            armed[c, w] = 0
            _join_event(
                cursor,
                now,
                now - windows_ns[w],
                c,
                w,
                ratio,
                origin,
                entries,
                last,
                members,
                member_of,
                event,
            )
            _write_anomaly(
                cursor,
                now,
                c,
                w,
                lots,
                normal,
                floor,
                ratio,
                origin,
                entries,
                last,
                windows_ns[w],
                event.id,
                anomalies_out,
            )
            is_member_moved = True
    if event.open and (is_member_moved or event.session_ns != session.open_ns):
        spot = entries.spot[stop - 1]
        _decide(
            cursor,
            now,
            spot,
            event,
            members,
            strike_id,
            rules,
            session,
            anomalies_out,
            first_anomaly,
            decisions_out,
            members_out,
        )


@nb.njit(cache=True)
def _end_of_event(event: Any, rules: Any) -> int:
    """Return the instant from which the open event is over (precise.md 18)."""
    last = event.last_ns + rules.event_gap_ns
    return min(last, event.first_ns + rules.event_length_ns + 1)


@nb.njit(cache=True)
def _batch_lots(
    lots: NDArray[np.int64], previous: NDArray[np.int64], entry: int, base: int, batch_base: int
) -> int:
    """Return the lots of one contract in this batch, from its last entry back."""
    total = 0
    while entry >= batch_base:
        total += lots[entry - base]
        entry = previous[entry - base]
    return total


@nb.njit(cache=True)
def _add_to_member(members: Any, m: int, entries: Entries, i: int, event: Any) -> None:
    members[m].lots += entries.lots[i]
    members[m].demand += entries.demand[i]
    members[m].demand_expected += entries.expected[i]
    members[m].demand_variance += entries.variance[i]
    event.rule_lots[entries.rule[i]] += entries.lots[i]
    if entries.institutional[i]:
        event.institutional_lots += entries.lots[i]


@nb.njit(cache=True)
def _join_event(
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
        _add_to_member(members, m, entries, entry - cursor.base, event)
        entry = entries.previous[entry - cursor.base]


@nb.njit(cache=True)
def _write_anomaly(
    cursor: Any,
    now: int,
    c: int,
    w: int,
    lots: int,
    normal: float,
    floor: float,
    ratio: float,
    origin: int,
    entries: Entries,
    last: int,
    window_ns: int,
    event_id: int,
    anomalies_out: Any,
) -> None:
    demand, expected, variance = _window_demand(
        entries.ts,
        entries.previous,
        entries.demand,
        entries.expected,
        entries.variance,
        last - cursor.base,
        cursor.base,
        now - window_ns,
    )
    row = cursor.anomalies
    anomalies_out[row].ts = now
    anomalies_out[row].contract = c
    anomalies_out[row].window = w
    anomalies_out[row].lots = lots
    anomalies_out[row].baseline_lots = normal
    anomalies_out[row].floor_lots = floor
    anomalies_out[row].ratio = ratio
    anomalies_out[row].origin = origin
    anomalies_out[row].demand = demand
    anomalies_out[row].demand_expected = expected
    anomalies_out[row].demand_variance = variance
    anomalies_out[row].event = event_id
    cursor.anomalies += 1


@nb.njit(cache=True)
def _window_demand(
    ts: NDArray[np.int64],
    previous: NDArray[np.int64],
    demand: NDArray[np.float64],
    expected: NDArray[np.float64],
    variance: NDArray[np.float64],
    entry: int,
    base: int,
    since: int,
) -> tuple[float, float, float]:
    """Return one contract's demand, expected demand and sign variance after `since`."""
    total, total_expected, total_variance = 0.0, 0.0, 0.0
    while entry >= 0 and ts[entry] > since:
        total += demand[entry]
        total_expected += expected[entry]
        total_variance += variance[entry]
        entry = previous[entry] - base
    return total, total_expected, total_variance


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
def _decide(
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
