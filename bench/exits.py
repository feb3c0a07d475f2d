"""Exits: many variants of target, stop and time over ticks, and matched draws over bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from table import Row
from timing import best_of

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.strategies.exits import Bars, Exits
from hedgeflow.strategies.volume_shock.exits import exit_on_bars_many, exit_on_ticks
from hedgeflow.strategies.volume_shock.tick_exits import exit_on_ticks_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20_250_411
CHECKED = 200
TICKS_PER_SECOND = 12
TICK_STEP = 0.02
BAR_STEP = 0.6
LATENCY_NS = SECOND_NS


@dataclass(frozen=True, slots=True)
class ExitSizes:
    """How many exits are found."""

    ticks: int
    variants: int
    entries: int
    bars: int
    draws: int
    trades: int


def run(sizes: ExitSizes, runs: int) -> list[Row]:
    """Return the rows of both comparisons; a sample is first compared with plain loops."""
    return [_on_ticks(sizes, runs), _on_bars(sizes, runs)]


def _on_ticks(sizes: ExitSizes, runs: int) -> Row:
    random = np.random.default_rng(SEED)
    gaps = random.exponential(SECOND_NS / TICKS_PER_SECOND, sizes.ticks).astype(np.int64)
    at_ns = np.cumsum(gaps)
    price = 5_600.0 + np.cumsum(random.choice([-TICK_STEP, 0.0, TICK_STEP], sizes.ticks))
    entry = np.sort(random.integers(0, sizes.ticks * 9 // 10, sizes.entries))
    direction = random.choice([-1, 1], sizes.entries)
    target = random.uniform(0.5, 2.5, sizes.variants)
    stop = random.uniform(0.5, 1.5, sizes.variants)
    limit_ns = random.integers(5, 15, sizes.variants) * MINUTE_NS
    entered = price[entry]

    def work() -> Exits:
        return exit_on_ticks_grid(
            at_ns, price, price, entry, entered, direction, target, stop, limit_ns, LATENCY_NS
        )

    found = work()
    for place in random.integers(0, found.price.size, CHECKED):
        e, v = divmod(int(place), sizes.variants)
        levels = (entered[e], direction[e], target[v], stop[v], limit_ns[v])
        alone = exit_on_ticks(at_ns, price, entry[e], *levels, LATENCY_NS)
        assert alone == tuple(column[e, v] for column in found)
    timing, _ = best_of(runs, work)
    name = f"{sizes.variants:,} variants x {sizes.entries:,} entries, {sizes.ticks:,} ticks"
    return Row(name, timing.cpu_seconds, "s", 1.0, f"{CHECKED} exits agree with plain loops")


def _on_bars(sizes: ExitSizes, runs: int) -> Row:
    random = np.random.default_rng(SEED)
    start_ns = np.arange(sizes.bars, dtype=np.int64) * MINUTE_NS
    close = 5_600.0 + np.cumsum(random.normal(0.0, BAR_STEP, sizes.bars))
    open_ = np.concatenate(([5_600.0], close[:-1]))
    high = np.maximum(open_, close) + random.exponential(BAR_STEP / 2, sizes.bars)
    low = np.minimum(open_, close) - random.exponential(BAR_STEP / 2, sizes.bars)
    bars = Bars(start_ns, open_, high, low, close, MINUTE_NS)
    entry = random.integers(0, sizes.bars, (sizes.draws, sizes.trades))
    direction = random.choice([-1.0, 1.0], sizes.trades)
    target = random.uniform(1.0, 4.0, sizes.trades)
    stop = random.uniform(1.0, 3.0, sizes.trades)
    limit_ns = random.choice([8, 15], sizes.trades) * MINUTE_NS

    def work() -> NDArray[np.float64]:
        return exit_on_bars_many(bars, entry, direction, target, stop, limit_ns).price

    found = work()
    for place in random.integers(0, entry.size, CHECKED):
        draw, t = divmod(int(place), sizes.trades)
        levels = (direction[t], target[t], stop[t], limit_ns[t])
        assert found[draw, t] == _bar_exit(bars, int(entry[draw, t]), *levels)
    timing, _ = best_of(runs, work)
    name = f"{sizes.draws:,} draws x {sizes.trades:,} trades, {sizes.bars:,} bars of a minute"
    return Row(name, timing.cpu_seconds, "s", 1.0, f"{CHECKED} exits agree with plain loops")


def _bar_exit(
    bars: Bars, entry: int, direction: float, target: float, stop: float, limit_ns: int
) -> float:
    """Return an exit price by the bar rules, for bars without a gap."""
    goal, loss = bars.open[entry] + direction * target, bars.open[entry] - direction * stop
    for i in range(entry, bars.open.size):
        opened = bars.open[i]
        is_late = bars.start_ns[i] >= bars.start_ns[entry] + limit_ns
        if is_late or direction * (opened - loss) <= 0 or direction * (opened - goal) >= 0:
            return float(opened)
        worst, best = (bars.low[i], bars.high[i])[:: int(direction)]
        if direction * (worst - loss) <= 0:
            return float(loss)
        if direction * (best - goal) >= 0:
            return float(goal)
    return float(bars.close[-1])
