"""Slow, obvious reference of the volume-shock detection, for comparison alert by alert.

Written from the specification alone: ``P<n>`` in a docstring is item n of ``precise.md``,
``VS<n>`` section n of ``volume-shock.md``. Plain Python; quantities are integers in lots and
baselines are exact fractions, so no comparison with a threshold depends on rounding.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .slow_tape import (
    DAY_NS,
    MINUTE_NS,
    SLOT_NS,
    ComplexMode,
    Print,
    TapePrint,
    complex_tape,
    covered_slots,
    recorded_intervals,
    signed_tape,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SLOTS_PER_BUCKET = 6
EVENT_GAP_NS = 5 * MINUTE_NS
EVENT_SPAN_NS = 30 * MINUTE_NS
MONEYNESS_EDGES = (0.80, 0.90, 0.97, 1.03, 1.10, 1.20)
DAYS_EDGES = (0, 1, 2, 8, 31, 91)
REFERENCE_UNITS = 100_000


@dataclass(frozen=True, slots=True)
class Rules:
    """The parameters of the detection; the defaults are the preset `source`."""

    windows_ns: tuple[int, ...] = (SLOT_NS,)
    resolution_ns: int = MINUTE_NS
    lots_per_contract: int = 10
    multiplier: float = 1.0
    ratio_threshold: Fraction = Fraction(4)
    volume_floor_contracts: int = 100
    volume_floor: Literal["contracts", "quantile"] = "contracts"
    quantile: Fraction = Fraction(99, 100)
    baseline: Literal["source", "normalized"] = "source"
    confidence: Literal["source", "log2"] = "source"
    complex_orders: ComplexMode = "net"
    premium_adjusted: bool = False
    reference_units: bool = False
    sessions: int = 10
    history_sessions: int = 3
    tiers: tuple[tuple[float, float], ...] = ((5000.0, 2.0), (2000.0, 5.0))
    routine_minutes: float = 10.0
    pressure_threshold: float = 20.0
    unit: Literal["event", "contract"] = "contract"


SOURCE = Rules()
NORMALIZED = Rules(
    volume_floor="quantile",
    baseline="normalized",
    confidence="log2",
    reference_units=True,
    pressure_threshold=10.0,
    unit="event",
)


def preset(name: Literal["source", "normalized"], **changes: Any) -> Rules:
    """A preset with some of its parameters changed."""
    return replace(SOURCE if name == "source" else NORMALIZED, **changes)


class Baseline(NamedTuple):
    """Expected lots per 5-minute slot and the history they came from (P13)."""

    lots: Fraction
    origin: Literal["contract", "days", "bucket", "floor"]


class DayRow(NamedTuple):
    """What a venue published of one contract's session, and when."""

    session: int  # days since 1970
    known_ns: int
    contract: str
    lots: int


class Anomaly(NamedTuple):
    """A contract whose recent volume is out of proportion (VS2), with its own D."""

    ts_ns: int
    contract: str
    window_ns: int
    recent_lots: int
    baseline: Baseline  # per 5 minutes
    ratio: float
    demand: float
    complex_lots: int  # recent lots that carry a combo or block id
    row: TapePrint  # the contract's last row of the batch


class State(NamedTuple):
    """What is known of an event, or of one contract's anomaly, at one instant (P17-P19)."""

    ts_ns: int  # known at this stamp + r (P2)
    members: tuple[str, ...]
    strikes: int
    total_lots: int
    concentration: float
    largest_ratio: float
    demand: float
    scaled_demand: float | None  # D or D'; None without a scale (P21, NO_SCALE)
    response_minutes: float | None
    pressure: float | None
    flow_class: str | None
    confidence: float
    direction: str | None  # None when D = 0 (P22)


@dataclass(slots=True)
class Event:
    """Anomalies whose windows overlap (P18) and the one decision taken on them (P19)."""

    first_ns: int
    latest_ns: int
    anomalies: list[Anomaly] = field(default_factory=list)
    starts_ns: dict[str, int] = field(default_factory=dict)  # member -> exclusive window start
    decision: State | None = None
    last: State | None = None  # the state at the last batch while open: the class at the close

    def is_open(self, ts_ns: int) -> bool:
        """P18: overlapping the latest anomaly's window, at most 30 min after the first."""
        overlaps = ts_ns - EVENT_GAP_NS < self.latest_ns
        return overlaps and ts_ns - self.first_ns <= EVENT_SPAN_NS


@dataclass(slots=True)
class Result:
    """Everything the detection found, in time order."""

    tape: list[TapePrint]
    anomalies: list[Anomaly] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    contract_alerts: list[tuple[Anomaly, State]] = field(default_factory=list)
    refused_by_ratio: int = 0  # armed and above the volume floor, but not above the ratio
    refused_without_baseline: int = 0  # above the volume floor, NO_BASELINE (P13)

    def alerts(self, unit: Literal["event", "contract"]) -> list[State]:
        """Alerts by detection, then pressure descending, then contract id (P17, P22)."""
        decisions = [e.decision for e in self.events if e.decision is not None]
        states = decisions if unit == "event" else [state for _, state in self.contract_alerts]
        return sorted(states, key=lambda s: (s.ts_ns, -(s.pressure or 0.0), s.members))


def detect(
    prints: Sequence[Print],
    rules: Rules,
    v5_by_session: Mapping[int, float] | None = None,
    intervals: Sequence[tuple[int, int]] | None = None,
    days: Sequence[DayRow] = (),
) -> Result:
    """Run the detection over prints sorted by time.

    `v5_by_session` maps a session (days since 1970) to V5 in underlying units (P21). `intervals`
    are the declared recorded intervals, else derived by the 20-minute rule (P3). `days` are the
    daily volumes that stand in for a contract's missing intraday history.
    Look-ahead: a batch is judged by its own stamp and before, its baselines by earlier sessions.
    """
    windows = [w for w in rules.windows_ns if w >= 2 * rules.resolution_ns]  # P2
    if not windows:
        raise ValueError(f"no window of {rules.windows_ns} ns is at least twice the resolution")
    if intervals is None:
        intervals = recorded_intervals([p.ts_ns for p in prints], rules.resolution_ns)
    signed = signed_tape(
        prints, rules.lots_per_contract, rules.multiplier, premium_adjusted=rules.premium_adjusted
    )
    result = Result(complex_tape(signed, prints, rules.complex_orders))
    history = History(result.tape, covered_slots(intervals), rules, days)
    rows_of: dict[str, list[TapePrint]] = defaultdict(list)
    disarmed: set[tuple[str, int]] = set()

    for ts_ns, group in groupby(result.tape, key=lambda row: row.ts_ns):  # P1: one batch
        last_row_of: dict[str, TapePrint] = {}
        for row in group:
            rows_of[row.contract].append(row)
            last_row_of[row.contract] = row
        found = [
            anomaly
            for _, row in sorted(last_row_of.items())
            for anomaly in _anomalies(
                row, rows_of[row.contract], windows, history, disarmed, result
            )
        ]
        v5 = None if v5_by_session is None else v5_by_session.get(ts_ns // DAY_NS)
        result.anomalies.extend(found)
        result.contract_alerts.extend(_contract_alerts(found, rules, v5))
        _advance_events(result.events, found, ts_ns, rows_of, rules, v5)
    return result


def _anomalies(
    row: TapePrint,
    rows: list[TapePrint],
    windows: list[int],
    history: History,
    disarmed: set[tuple[str, int]],
    result: Result,
) -> Iterator[Anomaly]:
    """The anomalies of one contract after a batch, whose last row of it is `row` (VS2)."""
    rules, floor, base = history.rules, history.volume_floor(row), history.baseline(row)
    for window_ns in windows:
        recent_rows = _since(rows, row.ts_ns - window_ns)
        recent = sum(r.lots for r in recent_rows)
        if base is None:  # P13: nothing to compare with; the state of arming stays
            result.refused_without_baseline += recent > floor
            continue
        expected = max(base.lots * window_ns / SLOT_NS, Fraction(rules.lots_per_contract))  # P16
        earlier = sum(r.lots for r in recent_rows if r.ts_ns < row.ts_ns)
        if earlier <= rules.ratio_threshold * expected:  # P15: just before the print
            disarmed.discard((row.contract, window_ns))
        if (row.contract, window_ns) in disarmed or recent <= floor:
            continue
        if recent <= rules.ratio_threshold * expected:
            result.refused_by_ratio += 1
            continue
        disarmed.add((row.contract, window_ns))
        yield Anomaly(
            row.ts_ns,
            row.contract,
            window_ns,
            recent,
            base,
            float(recent / expected),
            sum(r.demand for r in recent_rows),
            sum(r.lots for r in recent_rows if r.is_complex),
            row,
        )


def _since(rows: list[TapePrint], start_ns: int) -> list[TapePrint]:
    """The rows after `start_ns` (exclusive: windows are half-open, VS2)."""
    return rows[bisect_right(rows, start_ns, key=lambda row: row.ts_ns) :]


# --- events and alerts --------------------------------------------------------------------------


def _advance_events(
    events: list[Event],
    found: list[Anomaly],
    ts_ns: int,
    rows_of: Mapping[str, list[TapePrint]],
    rules: Rules,
    v5: float | None,
) -> None:
    """Join the batch's anomalies to the open event or open one, then re-evaluate it (P18, P19)."""
    event = events[-1] if events and events[-1].is_open(ts_ns) else None
    if event is None and found:
        event = Event(first_ns=ts_ns, latest_ns=ts_ns)
        events.append(event)
    if event is None:
        return
    for anomaly in found:
        event.latest_ns = ts_ns
        event.anomalies.append(anomaly)
        start_ns = ts_ns - anomaly.window_ns
        event.starts_ns[anomaly.contract] = min(
            start_ns, event.starts_ns.get(anomaly.contract, start_ns)
        )
    rows = [r for c, start_ns in event.starts_ns.items() for r in _since(rows_of[c], start_ns)]
    event.last = evaluate(ts_ns, rows, max(a.ratio for a in event.anomalies), rules, v5)
    if event.decision is None and exceeds(event.last, rules):
        event.decision = event.last


def _contract_alerts(
    found: list[Anomaly], rules: Rules, v5: float | None
) -> Iterator[tuple[Anomaly, State]]:
    """The alerts of unit = contract: each anomaly on its own D, at its own instant (P17)."""
    for anomaly in found:
        row = anomaly.row._replace(lots=anomaly.recent_lots, demand=anomaly.demand)
        state = evaluate(anomaly.ts_ns, [row], anomaly.ratio, rules, v5)
        if exceeds(state, rules):
            yield anomaly, state


def exceeds(state: State, rules: Rules) -> bool:
    """VS3, P22: a pressure above the threshold, and a direction to trade in."""
    if state.pressure is None or state.direction is None:
        return False
    return state.pressure > rules.pressure_threshold


def evaluate(
    ts_ns: int, rows: list[TapePrint], largest_ratio: float, rules: Rules, v5: float | None
) -> State:
    """State of an event from its members' rows: D, response, pressure, class (VS3-VS5, P10)."""
    by_strike: dict[tuple[int, float], int] = defaultdict(int)
    for row in rows:
        by_strike[row.expiry_ns, row.strike] += row.lots  # P10: calls and puts together
    total = sum(by_strike.values())
    demand = sum(row.demand for row in rows)
    strikes, concentration = len(by_strike), max(by_strike.values()) / total
    scaled: float | None = demand
    if rules.reference_units:  # P21
        scaled = None if v5 is None else REFERENCE_UNITS * demand / v5
    minutes = pressure = flow = None
    if scaled is not None:
        minutes = response_minutes(scaled, rules)
        pressure = abs(scaled) / max(1.0, minutes**2)
        flow = flow_class(strikes, concentration, minutes, scaled)
    return State(
        ts_ns=ts_ns,
        members=tuple(sorted({row.contract for row in rows})),
        strikes=strikes,
        total_lots=total,
        concentration=concentration,
        largest_ratio=largest_ratio,
        demand=demand,
        scaled_demand=scaled,
        response_minutes=minutes,
        pressure=pressure,
        flow_class=flow,
        confidence=confidence(largest_ratio, rules),
        direction=None if demand == 0 else "BUY_FUTURES" if demand > 0 else "SELL_FUTURES",
    )


def response_minutes(scaled_demand: float, rules: Rules) -> float:
    """VS3: the tier model, from D (source) or D' (normalized)."""
    for above, minutes in rules.tiers:
        if abs(scaled_demand) > above:
            return minutes
    return rules.routine_minutes


def flow_class(strikes: int, concentration: float, minutes: float, scaled_demand: float) -> str:
    """VS5: the classifier of the later source document."""
    if strikes >= 3 and concentration < 0.6 and minutes > 5:
        return "INSTITUTIONAL_SWEEP"
    if concentration > 0.8 and minutes < 5 and abs(scaled_demand) > 3000:
        return "GAMMA_EMERGENCY"
    return "AMBIGUOUS_SIGNAL"


def confidence(ratio: float, rules: Rules) -> float:
    """VS4 under source, P14 under normalized."""
    return min(0.95, (ratio if rules.confidence == "source" else math.log2(ratio)) / 10)


# --- baselines ----------------------------------------------------------------------------------

Bucket = tuple[str, int, int, int]


class BucketHistory(NamedTuple):
    """What the prior sessions say of a bucket, in lots per (contract, covered slot) pair."""

    mean: Fraction
    quantile: int


class History:
    """Baselines and volume floors from the sessions before a row's own (P11-P14)."""

    def __init__(
        self,
        tape: Iterable[TapePrint],
        covered: Mapping[int, set[int]],
        rules: Rules,
        days: Sequence[DayRow] = (),
    ) -> None:
        self.covered, self.rules, self.days = covered, rules, days
        self.first_session: dict[str, int] = {}
        self.contract_lots: dict[tuple[str, int, int], int] = defaultdict(int)
        self.bucket_lots: dict[tuple[Bucket, int], dict[tuple[str, int], int]] = {}
        self._baselines: dict[tuple[str, Bucket, int], Baseline | None] = {}
        self._bucket_histories: dict[tuple[Bucket, int], BucketHistory | None] = {}
        for row in tape:
            session, slot = row.ts_ns // DAY_NS, row.ts_ns % DAY_NS // SLOT_NS
            self.first_session.setdefault(row.contract, session)
            if slot in covered.get(session, ()):
                bucket = bucket_of(row)
                self.contract_lots[row.contract, session, bucket[-1]] += row.lots
                lots = self.bucket_lots.setdefault((bucket, session), defaultdict(int))
                lots[row.contract, slot] += row.lots

    def slots(self, session: int, time_of_day: int) -> int:
        """Number of covered slots of a session's 30-minute bucket."""
        return sum(s // SLOTS_PER_BUCKET == time_of_day for s in self.covered.get(session, ()))

    def prior_sessions(self, session: int, time_of_day: int) -> list[int]:
        """The last 10 sessions before this one with a covered slot in the bucket (P11)."""
        prior = [s for s in sorted(self.covered) if s < session and self.slots(s, time_of_day)]
        return prior[-self.rules.sessions :]

    def baseline(self, row: TapePrint) -> Baseline | None:
        """P11-P14: the contract's own, its days', its bucket's, else 1 (source) or nothing."""
        key = row.contract, bucket_of(row), row.ts_ns // DAY_NS
        if key not in self._baselines:
            self._baselines[key] = self._baseline(row)
        return self._baselines[key]

    def _baseline(self, row: TapePrint) -> Baseline | None:
        one = Fraction(self.rules.lots_per_contract)
        own, bucket = self.contract_mean(row), self.bucket_history(row)
        of_days = self.day_mean(row) if own is None else None
        floor = one
        if self.rules.baseline == "normalized" and bucket is not None:  # P14
            floor = max(one, bucket.mean)
        if own is not None:
            return Baseline(max(own, floor), "contract")
        if of_days is not None:
            return Baseline(max(of_days, floor), "days")
        if bucket is not None:
            return Baseline(max(bucket.mean, one), "bucket")
        return Baseline(one, "floor") if self.rules.baseline == "source" else None

    def volume_floor(self, row: TapePrint) -> int:
        """P14: 100 contracts, or the quantile of the bucket where it has pairs; in lots."""
        bucket = self.bucket_history(row)
        if self.rules.volume_floor == "contracts" or bucket is None:
            return self.rules.volume_floor_contracts * self.rules.lots_per_contract
        return bucket.quantile

    def contract_mean(self, row: TapePrint) -> Fraction | None:
        """P11: zeros included, over the sessions from the one of the first row on; 3 needed."""
        time_of_day = bucket_of(row)[-1]
        prior = self.prior_sessions(row.ts_ns // DAY_NS, time_of_day)
        sessions = [s for s in prior if s >= self.first_session[row.contract]]
        if len(sessions) < self.rules.history_sessions:
            return None
        lots = sum(self.contract_lots.get((row.contract, s, time_of_day), 0) for s in sessions)
        return Fraction(lots, sum(self.slots(s, time_of_day) for s in sessions))

    def day_mean(self, row: TapePrint) -> Fraction | None:
        """Mean of lots / slots over the last 10 published sessions; 3 needed.

        Only what was known when the row's session began. A contract counts from the first list
        that names it; a later list without it says that it did not trade.
        """
        begins_ns = row.ts_ns // DAY_NS * DAY_NS
        published: dict[int, dict[str, int]] = defaultdict(dict)
        for day in self.days:
            if day.known_ns <= begins_ns:
                published[day.session][day.contract] = day.lots
        named = [session for session, lots in published.items() if row.contract in lots]
        sessions = [
            s for s in sorted(published)[-self.rules.sessions :] if s >= min(named, default=s)
        ]
        if not named or len(sessions) < self.rules.history_sessions:
            return None
        slots = DAY_NS // SLOT_NS
        rates = [Fraction(published[s].get(row.contract, 0), slots) for s in sessions]
        return sum(rates, Fraction(0)) / len(rates)

    def bucket_history(self, row: TapePrint) -> BucketHistory | None:
        """P12, P14: over (contract, covered slot) pairs; None where no contract traded."""
        key = bucket_of(row), row.ts_ns // DAY_NS
        if key not in self._bucket_histories:
            self._bucket_histories[key] = self._bucket_history(*key)
        return self._bucket_histories[key]

    def _bucket_history(self, bucket: Bucket, session: int) -> BucketHistory | None:
        values: list[int] = []
        for prior in self.prior_sessions(session, bucket[-1]):
            lots = self.bucket_lots.get((bucket, prior), {})
            contracts = {contract for contract, _ in lots}
            silent = len(contracts) * self.slots(prior, bucket[-1]) - len(lots)
            values += [*lots.values(), *([0] * silent)]
        if not values:
            return None
        nearest_rank = math.ceil(self.rules.quantile * len(values))
        return BucketHistory(Fraction(sum(values), len(values)), sorted(values)[nearest_rank - 1])


def bucket_of(row: TapePrint) -> Bucket:
    """Right, moneyness K/S at the print, calendar days to expiry, time of day (P12)."""
    return (
        row.right,
        bisect_right(MONEYNESS_EDGES, row.strike / row.underlying_price),
        bisect_right(DAYS_EDGES, row.expiry_ns // DAY_NS - row.ts_ns // DAY_NS),
        row.ts_ns % DAY_NS // SLOT_NS // SLOTS_PER_BUCKET,
    )
