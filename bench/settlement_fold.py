"""Expiration pressure: every strike of an expiry at every snapshot, through the whole fold.

The peer is NumPy, which does only the sums: it carries open interest forward, reckons probability
and pressure of all strikes snapshot by snapshot, and counts those that would be conditions. It has
no alerts, no re-arming, no band, no gamma, no rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr
from table import Row
from timing import best_of

from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.signals import (
    Chain,
    EventKind,
    PressureRules,
    SettlementScan,
    build_chain,
    half_way_marks,
)
from hedgeflow.signals.settlement_events import events, merged

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20_140_606
EXPIRY_NS = 20_000 * DAY_NS + 20 * 60 * MINUTE_NS
MINUTES = 180.0
SIGMA = 0.2
SPACING = 0.5
TRADED = 10
"""Contracts that trade between two snapshots."""


@dataclass(frozen=True, slots=True)
class FoldSizes:
    """How large an expiry, and how often it is looked at in its last three hours."""

    strikes: int
    snapshots: int


@dataclass(frozen=True, slots=True)
class Day:
    """What is told: a price a snapshot, official figures before, signed volume at each."""

    chain: Chain
    at_ns: NDArray[np.int64]
    price: NDArray[np.float64]
    settled: NDArray[np.float64]
    contract: NDArray[np.int64]
    signed: NDArray[np.float64]

    def events(self) -> NDArray[Any]:
        """Return it as the fold is told it."""
        before = int(self.at_ns[0]) - 1
        every = np.arange(self.settled.size)
        flow_ns = np.repeat(self.at_ns, TRADED)
        contract, signed = self.contract.ravel(), self.signed.ravel()
        return merged(
            events(np.full(every.size, before), EventKind.SETTLED, self.settled, every),
            events([before], EventKind.SIGMA, [SIGMA]),
            events(self.at_ns, EventKind.PRICE, self.price),
            events(flow_ns, EventKind.VOLUME, np.abs(signed), contract),
            events(flow_ns, EventKind.SIGNED, signed, contract),
        )


def run(sizes: FoldSizes, runs: int) -> list[Row]:
    """Return the rows of both models, the fold's and the peer's; conditions are compared first."""
    day = _day(sizes)
    told = day.events()
    rows: list[Row] = []
    for rules in (PressureRules(), PressureRules(probability="lognormal")):
        SettlementScan(rules, day.chain).advance(told[:1])  # compiles

        def fold(rules: PressureRules = rules) -> NDArray[Any]:
            return SettlementScan(rules, day.chain).advance(told).conditions

        def sums(rules: PressureRules = rules) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
            return _sums(day, rules)

        ours, conditions = best_of(runs, fold)
        theirs, (count, pressure) = best_of(runs, sums)
        _check(day, conditions, count, pressure)
        evaluations = sizes.strikes * sizes.snapshots / 1e6
        rate = evaluations / ours.cpu_seconds
        note = (
            f"{ours.cpu_seconds:.2f} s; {told.size:,} events, {conditions.size:,} conditions,"
            f" {int(conditions['is_new'].sum()):,} alerts"
        )
        unit, peer = "M strikes/s", evaluations / theirs.cpu_seconds
        name = f"model {rules.probability}"
        rows.append(Row(f"hedgeflow, {name}", rate, unit, 1.0, note))
        note = f"{theirs.cpu_seconds:.2f} s; only the sums, the same conditions"
        rows.append(Row(f"NumPy and SciPy, {name}", peer, unit, rate / peer, note))
    return rows


def _day(sizes: FoldSizes) -> Day:
    random = np.random.default_rng(SEED)
    strikes = 1_000.0 + SPACING * np.arange(sizes.strikes)
    count = 2 * sizes.strikes
    chain = build_chain(
        [str(c) for c in range(count)],
        np.full(count, EXPIRY_NS),
        np.repeat(strikes, 2),
        np.tile([1, -1], sizes.strikes),
        np.full(count, 100.0),
    )
    left = np.linspace(MINUTES, 0.0, sizes.snapshots, endpoint=False) * MINUTE_NS
    shape = (sizes.snapshots, TRADED)
    contract = np.argsort(random.random((sizes.snapshots, min(count, 200))), axis=1)[:, :TRADED]
    return Day(
        chain,
        EXPIRY_NS - np.round(left).astype(np.int64),
        float(np.median(strikes)) + np.cumsum(random.normal(0.0, 0.1, sizes.snapshots)),
        np.floor(random.lognormal(7.0, 1.0, count)),
        (contract + random.integers(0, count, (sizes.snapshots, 1))) % count,
        random.integers(1, 200, shape) * random.choice([-1.0, 1.0], shape),
    )


def _sums(day: Day, rules: PressureRules) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many strikes are conditions at each snapshot, and their pressures' sum."""
    strikes, signed = day.chain.strike, np.zeros(day.settled.size)
    marks = half_way_marks(strikes)
    oi = day.settled.reshape(-1, 2).sum(axis=1)
    count, total = np.zeros(day.at_ns.size, np.int64), np.zeros(day.at_ns.size)
    for i, now in enumerate(day.at_ns):
        signed[day.contract[i]] += day.signed[i]
        touched = np.unique(day.contract[i] // 2)
        pairs = day.settled.reshape(-1, 2)[touched] + signed.reshape(-1, 2)[touched]
        oi[touched] = np.maximum(0.0, pairs).sum(axis=1)
        minutes, price = (EXPIRY_NS - now) / MINUTE_NS, day.price[i]
        distance = np.abs(price - strikes)
        if rules.probability == "source":
            floor, reach = (0.8, 10) if minutes < 15 else (0.5, 20) if minutes < 45 else (0.2, 30)
            probability = np.maximum(floor, 1.0 - distance / reach)
        else:
            deviation = SIGMA * np.sqrt(max(minutes, 1 / 60) / rules.minutes_per_year)
            below = ndtr(np.log(marks / price) / deviation + deviation / 2)
            probability = np.diff(below)
        pressure = oi * probability / max(1.0, minutes**2)
        chosen = (pressure > rules.threshold) & (oi > rules.oi_above)
        chosen &= distance <= rules.filter_distance
        count[i], total[i] = chosen.sum(), pressure[chosen].sum()
    return count, total


def _check(
    day: Day, conditions: NDArray[Any], count: NDArray[np.int64], total: NDArray[np.float64]
) -> None:
    """Compare conditions and pressures snapshot by snapshot."""
    place = np.searchsorted(day.at_ns, conditions["at_ns"])
    ours = np.bincount(place, minlength=day.at_ns.size)
    assert np.array_equal(ours, count), "the peer finds other conditions"
    pressed = np.bincount(place, conditions["pressure"], minlength=day.at_ns.size)
    assert np.allclose(pressed, total, rtol=1e-9), "the peer finds other pressures"
    assert conditions.size > 0
