"""The volume-shock fold: batch by batch, contracts re-arm, anomalies join events, events decide."""

from __future__ import annotations

from typing import Any, Final

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.signals.demand import DemandTerms, settle
from hedgeflow.signals.events import add_to_member, close_event, decide, end_of_event, join_event
from hedgeflow.signals.fold_arrays import Entries
from hedgeflow.signals.unusual import (
    baseline,
    exact_origin,
    skip_quiet,
    time_bucket,
    volume_floor,
    window_baseline,
)

CONSUMED: Final = 0
OUTPUT_FULL: Final = 1


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
    is_daily: NDArray[np.bool_],
    bucket_mean: NDArray[np.float64],
    floors: NDArray[np.float64],
    strike_id: NDArray[np.int32],
    rules_records: Any,
    sessions: Any,
    terms: DemandTerms,
    anomalies_out: Any,
    decisions_out: Any,
    members_out: Any,
    closes_out: Any,
) -> int:
    """Fold the entries from `cursor.head` to `cursor.end` into the state, batch by batch.

    A batch is every entry of one stamp, evaluated after the last of them (precise.md 1). A
    contract re-arms when its ratio just before a batch is at or below the threshold, silence
    included (15). All state is in the arguments, so that any slicing of a tape between stamps
    gives the same outputs. `cursors`, `events`, `rules_records` and `sessions` have one element,
    which is how a record crosses into compiled code.

    Returns
    -------
    int
        `CONSUMED`, or `OUTPUT_FULL` when an output must grow; call again then.
    """
    cursor, event, rules, session = cursors[0], events[0], rules_records[0], sessions[0]
    count = windows_ns.size
    # Bound once: taking a column out of the tuple counts a reference, every time.
    ts, contract, previous = entries.ts, entries.contract, entries.previous
    window_lots = entries.window_lots
    base, limit = cursor.base, cursor.end - cursor.base
    while cursor.head < cursor.end:
        quiet_until = np.iinfo(np.int64).max
        if event.open:
            is_decided = event.session_ns == session.open_ns
            quiet_until = end_of_event(event, rules) if is_decided else session.open_ns
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
        if event.open and now >= end_of_event(event, rules):
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
            is_daily,
            bucket_mean,
            floors,
            strike_id,
            rules,
            session,
            terms,
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
    is_daily: NDArray[np.bool_],
    bucket_mean: NDArray[np.float64],
    floors: NDArray[np.float64],
    strike_id: NDArray[np.int32],
    rules: Any,
    session: Any,
    terms: DemandTerms,
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
            add_to_member(members, m, entries, i, event, terms)
            is_member_moved = True

    first_anomaly = cursor.anomalies
    for k in range(distinct):
        c = int(touched[k])
        last: int = last_entry[c]
        cell = int(entries.cell[last - base])
        own, least, history = baseline(c, cell, bucket, contract_mean, bucket_mean, rules)
        origin = exact_origin(history, is_daily[bucket, c])
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
            join_event(
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
                terms,
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
                terms,
                anomalies_out,
            )
            is_member_moved = True
    if event.open and (is_member_moved or event.session_ns != session.open_ns):
        spot = entries.spot[stop - 1]
        decide(
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
    terms: DemandTerms,
    anomalies_out: Any,
) -> None:
    demand, expected, variance = _window_demand(
        entries, last - cursor.base, cursor.base, now - window_ns, terms
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
    entries: Entries, entry: int, base: int, since: int, terms: DemandTerms
) -> tuple[float, float, float]:
    """Return one contract's demand, expected demand and sign variance after `since`."""
    demand, expected, variance = 0.0, 0.0, 0.0
    while entry >= 0 and entries.ts[entry] > since:
        settle(entries, entry, terms)
        demand += entries.demand[entry]
        expected += entries.expected[entry]
        variance += entries.variance[entry]
        entry = entries.previous[entry] - base
    return demand, expected, variance
