"""The volume-shock fold: trailing windows per contract, anomalies, shock events, decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numba as nb
import numpy as np

from hedgeflow.market.pressure import pressure
from hedgeflow.market.time import SLOT_NS, SLOTS_PER_BUCKET
from hedgeflow.signals.flow_class import classify
from hedgeflow.signals.response import response_minutes
from hedgeflow.signals.rules import SIGNING_RULES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CONTRACT: Final = 1
_BUCKET: Final = 2
_FLOOR: Final = 3

CONSUMED: Final = 0
OUTPUT_FULL: Final = 1

ENTRY: Final = np.dtype(
    [
        ("ts", "i8"),
        ("lots", "i8"),
        ("demand", "f8"),
        ("expected", "f8"),
        ("variance", "f8"),
        ("spot", "f8"),
        ("previous", "i8"),
        ("contract", "i4"),
        ("cell", "i4"),
        ("rule", "u1"),
        ("institutional", "u1"),
    ]
)
"""One entry of the order tape in the window buffer; `previous` is the contract's last entry."""

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
    entries: Any,
    tails: NDArray[np.int64],
    windows_ns: NDArray[np.int64],
    sums: NDArray[np.int64],
    armed: NDArray[np.uint8],
    last_entry: NDArray[np.int64],
    member_of: NDArray[np.int32],
    touched: NDArray[np.int64],
    members: Any,
    events: Any,
    contract_mean: NDArray[np.float64],
    bucket_mean: NDArray[np.float64],
    volume_floor: NDArray[np.float64],
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
        tails,
        windows_ns,
        sums,
        armed,
        last_entry,
        member_of,
        touched,
        members,
        events[0],
        contract_mean,
        bucket_mean,
        volume_floor,
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
    entries: Any,
    tails: NDArray[np.int64],
    windows_ns: NDArray[np.int64],
    sums: NDArray[np.int64],
    armed: NDArray[np.uint8],
    last_entry: NDArray[np.int64],
    member_of: NDArray[np.int32],
    touched: NDArray[np.int64],
    members: Any,
    event: Any,
    contract_mean: NDArray[np.float64],
    bucket_mean: NDArray[np.float64],
    volume_floor: NDArray[np.float64],
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
    gap_ns = rules.event_gap_ns
    while cursor.head < cursor.end:
        start = cursor.head - cursor.base
        limit = cursor.end - cursor.base
        now = entries[start].ts
        stop = start + 1
        while stop < limit and entries[stop].ts == now:
            stop += 1
        wanted = (stop - start) * count
        if (
            cursor.anomalies + wanted > anomalies_out.size
            or cursor.decisions + wanted + 1 > decisions_out.size
            or cursor.members + event.members + 2 * wanted > members_out.size
            or cursor.closes + 1 > closes_out.size
        ):
            return OUTPUT_FULL
        if event.open and (
            now - gap_ns >= event.last_ns or now > event.first_ns + rules.event_length_ns
        ):
            close_event(cursor, now, event, members, member_of, strike_id, rules, closes_out)
        for w in range(count):
            horizon = now - windows_ns[w]
            tail = tails[w] - cursor.base
            while tail < start and entries[tail].ts <= horizon:
                sums[entries[tail].contract, w] -= entries[tail].lots
                tail += 1
            tails[w] = tail + cursor.base
        bucket = (now - session.open_ns) // SLOT_NS // SLOTS_PER_BUCKET

        # Distinct contracts of the batch, each with its last entry (whose moneyness counts).
        distinct = 0
        batch_base = cursor.base + start
        for i in range(start, stop):
            c = entries[i].contract
            entries[i].previous = last_entry[c]
            if last_entry[c] < batch_base:
                touched[distinct] = c
                distinct += 1
            last_entry[c] = cursor.base + i
        for k in range(distinct):
            c = touched[k]
            cell = entries[last_entry[c] - cursor.base].cell
            own, base, _ = _baseline(c, cell, bucket, contract_mean, bucket_mean, rules)
            if not np.isnan(own):
                for w in range(count):
                    if not armed[c, w]:
                        normal = _window_baseline(own, base, windows_ns[w], rules)
                        armed[c, w] = sums[c, w] <= rules.ratio * normal

        is_member_moved = False
        for i in range(start, stop):
            c = entries[i].contract
            for w in range(count):
                sums[c, w] += entries[i].lots
            m = member_of[c]
            if m >= 0:
                _add_to_member(members, m, entries[i], event)
                is_member_moved = True

        first_anomaly = cursor.anomalies
        for k in range(distinct):
            c = touched[k]
            cell = entries[last_entry[c] - cursor.base].cell
            floor = _volume_floor(cell, bucket, volume_floor, rules)
            if sums[c, count - 1] <= floor:
                continue
            own, base, origin = _baseline(c, cell, bucket, contract_mean, bucket_mean, rules)
            if np.isnan(own):
                cursor.without_baseline += _crossed(
                    c, sums[c, count - 1], floor, entries, last_entry[c], cursor.base, batch_base
                )
                continue
            for w in range(count):
                if not armed[c, w] or sums[c, w] <= floor:
                    continue
                normal = _window_baseline(own, base, windows_ns[w], rules)
                ratio = sums[c, w] / normal
                if ratio <= rules.ratio:
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
                    last_entry[c],
                    members,
                    member_of,
                    event,
                )
                _write_anomaly(
                    cursor,
                    now,
                    c,
                    w,
                    sums[c, w],
                    normal,
                    floor,
                    ratio,
                    origin,
                    entries,
                    last_entry[c],
                    windows_ns[w],
                    event.id,
                    anomalies_out,
                )
                is_member_moved = True
        if event.open and (is_member_moved or event.session_ns != session.open_ns):
            spot = entries[stop - 1].spot
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
        cursor.head = cursor.base + stop
    return CONSUMED


@nb.njit(cache=True)
def _baseline(
    c: int,
    cell: int,
    bucket: int,
    contract_mean: NDArray[np.float64],
    bucket_mean: NDArray[np.float64],
    rules: Any,
) -> tuple[float, float, int]:
    """Return (baseline, floor under it, origin) in lots per 5 minutes; NaN for NO_BASELINE."""
    of_bucket = bucket_mean[bucket, cell]
    floor = rules.baseline_floor_lots
    if rules.floor_is_bucket and not np.isnan(of_bucket):
        floor = max(floor, of_bucket)
    own = contract_mean[bucket, c]
    if not np.isnan(own):
        return own, floor, _CONTRACT
    if not np.isnan(of_bucket):
        return of_bucket, floor, _BUCKET
    if rules.skip_without_history:
        return np.nan, floor, 0
    return 0.0, floor, _FLOOR


@nb.njit(cache=True)
def _window_baseline(own: float, floor: float, window_ns: int, rules: Any) -> float:
    """Return the baseline of one window: scaled from 5 minutes, floored at one contract.

    Multiplied before it is divided, so that a ratio of exactly 4 in a short window stays exact.
    """
    return max(rules.baseline_floor_lots, max(own, floor) * window_ns / SLOT_NS)


@nb.njit(cache=True)
def _volume_floor(cell: int, bucket: int, volume_floor: NDArray[np.float64], rules: Any) -> float:
    if rules.floor_is_quantile and not np.isnan(volume_floor[bucket, cell]):
        return volume_floor[bucket, cell]
    return rules.fixed_floor_lots


@nb.njit(cache=True)
def _crossed(
    c: int, lots: int, floor: float, entries: Any, entry: int, base: int, batch_base: int
) -> int:
    """Return 1 where this batch lifted a contract's volume over the floor, else 0."""
    before = lots
    while entry >= batch_base:
        before -= entries[entry - base].lots
        entry = entries[entry - base].previous
    return 1 if before <= floor else 0


@nb.njit(cache=True)
def _add_to_member(members: Any, m: int, entry: Any, event: Any) -> None:
    members[m].lots += entry.lots
    members[m].demand += entry.demand
    members[m].demand_expected += entry.expected
    members[m].demand_variance += entry.variance
    event.rule_lots[entry.rule] += entry.lots
    if entry.institutional:
        event.institutional_lots += entry.lots


@nb.njit(cache=True)
def _join_event(
    cursor: Any,
    now: int,
    since: int,
    c: int,
    w: int,
    ratio: float,
    origin: int,
    entries: Any,
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
    while entry >= cursor.base and entries[entry - cursor.base].ts > since:
        _add_to_member(members, m, entries[entry - cursor.base], event)
        entry = entries[entry - cursor.base].previous


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
    entries: Any,
    last: int,
    window_ns: int,
    event_id: int,
    anomalies_out: Any,
) -> None:
    demand, expected, variance = 0.0, 0.0, 0.0
    entry = last
    while entry >= cursor.base and entries[entry - cursor.base].ts > now - window_ns:
        demand += entries[entry - cursor.base].demand
        expected += entries[entry - cursor.base].expected
        variance += entries[entry - cursor.base].variance
        entry = entries[entry - cursor.base].previous
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
def event_totals(
    event: Any, members: Any, strike_id: NDArray[np.int32]
) -> tuple[float, float, float, int, float, int, int, float]:
    """Return demand, expected, variance, lots, largest ratio, its member, strikes, concentration.

    A strike is a pair (expiry, strike), calls and puts together; only strikes with an anomalous
    contract count (precise.md 10).
    """
    demand, expected, variance, lots = 0.0, 0.0, 0.0, np.int64(0)
    ratio, top = -1.0, 0
    for m in range(event.members):
        demand += members[m].demand
        expected += members[m].demand_expected
        variance += members[m].demand_variance
        lots += members[m].lots
        if members[m].ratio > ratio:
            ratio, top = members[m].ratio, m
    strikes, largest = 0, np.int64(0)
    for m in range(event.members):
        strike = strike_id[members[m].contract]
        is_first = True
        for earlier in range(m):
            if strike_id[members[earlier].contract] == strike:
                is_first = False
                break
        if is_first:
            strikes += 1
            at_strike = np.int64(0)
            for other in range(m, event.members):
                if strike_id[members[other].contract] == strike:
                    at_strike += members[other].lots
            largest = max(largest, at_strike)
    concentration = largest / lots if lots > 0 else 0.0
    return demand, expected, variance, lots, ratio, top, strikes, concentration


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
