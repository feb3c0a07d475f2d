"""Random entries and directions: thousands of draws of either strategy's trades, bars and ticks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from table import Row
from timing import best_of

from hedgeflow.market.contracts import HedgeInstrument, HedgeKind
from hedgeflow.market.time import MINUTE_NS, instant_ns
from hedgeflow.replay import HedgeTape
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.strategies.path_index import PathIndex
from hedgeflow.strategies.settings import Null
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.exits import exit_on_ticks
from hedgeflow.strategies.volume_shock.path_index import exit_on_path_many
from hedgeflow.studies.matched_entries import direction_null, matched_null

if TYPE_CHECKING:
    from hedgeflow.evidence import NullDraws
    from hedgeflow.strategies.settings import StrategyConfig

SEED = 20_250_411
CHECKED = 200
START_NS = instant_ns(datetime(2025, 1, 1, tzinfo=UTC))
PERPETUAL = HedgeInstrument("BTC-PERP", "binance", "BTC", HedgeKind.PERPETUAL)
MINUTE_MOVE = 4e-4


@dataclass(frozen=True, slots=True)
class NullSizes:
    """How many draws of how many trades, on how much of a market."""

    draws: int
    trades: int
    days: int
    ticks: int


def run(sizes: NullSizes, runs: int) -> list[Row]:
    """Return rows of both strategies; exits on ticks are first compared with plain walks."""
    bars, ticks = _bars(sizes), _ticks(sizes)
    _check(ticks)
    null = Null(draws_on_bars=sizes.draws, draws_on_ticks=sizes.draws)
    shocks, expiring = VolumeShockConfig(null=null), ExpirationPressureConfig(null=null)
    quotes = f"{sizes.ticks:,} quotes, entered at whole minutes"
    agreed = f"; {CHECKED} exits agree with plain walks"
    return [
        _timed("bars of a minute", bars, _trades(sizes), shocks, sizes, runs, ""),
        _timed(quotes, ticks, _trades(sizes), shocks, sizes, runs, agreed),
        _timed("bars, towards expiry", bars, _expiring(sizes), expiring, sizes, runs, ""),
        _timed("quotes, towards expiry", ticks, _expiring(sizes), expiring, sizes, runs, ""),
    ]


def _timed(
    name: str,
    tape: HedgeTape,
    trades: pl.DataFrame,
    config: StrategyConfig,
    sizes: NullSizes,
    runs: int,
    note: str,
) -> Row:
    def work() -> list[NullDraws | None]:
        return [null(trades, tape, config) for null in (matched_null, direction_null)]

    work()  # compiles
    timing, nulls = best_of(runs, work)
    assert all(null is not None and null.mean_net_bps.size == sizes.draws for null in nulls)
    title = f"{sizes.draws:,} draws x {sizes.trades:,} trades of both nulls, {sizes.days} days of"
    return Row(f"{title} {name}", timing.cpu_seconds, "s", 1.0, f"one thread{note}")


def _path(count: int, move: float) -> np.ndarray:
    return 80_000.0 * np.exp(np.cumsum(np.random.default_rng(SEED).normal(0.0, move, count)))


def _bars(sizes: NullSizes) -> HedgeTape:
    count = sizes.days * 1_440
    close = _path(count, MINUTE_MOVE)
    opened = np.concatenate((close[:1], close[:-1]))
    frame = pl.DataFrame(
        {
            "ts": START_NS + np.arange(count) * MINUTE_NS,
            "open": opened,
            "high": np.maximum(opened, close) * (1.0 + MINUTE_MOVE / 4),
            "low": np.minimum(opened, close) * (1.0 - MINUTE_MOVE / 4),
            "close": close,
            "volume": np.ones(count),
        }
    )
    return HedgeTape.from_bars(frame, PERPETUAL, MINUTE_NS)


def _ticks(sizes: NullSizes) -> HedgeTape:
    span_ns = sizes.days * 1_440 * MINUTE_NS
    stamps = np.sort(np.random.default_rng(SEED).integers(0, span_ns, sizes.ticks))
    middle = _path(sizes.ticks, MINUTE_MOVE * np.sqrt(sizes.days * 1_440 / sizes.ticks))
    quotes = pl.DataFrame({"ts": START_NS + stamps, "bid": middle - 0.5, "ask": middle + 0.5})
    return HedgeTape.from_ticks(None, quotes, PERPETUAL)


def _trades(sizes: NullSizes) -> pl.DataFrame:
    random = np.random.default_rng(SEED)
    count = sizes.trades
    minutes = np.sort(random.integers(60, sizes.days * 1_440 - 60, count))
    entry = START_NS + minutes * MINUTE_NS
    return pl.DataFrame(
        {
            "underlying": ["SIM"] * count,
            "entry_ns": entry,
            "exit_ns": entry + random.integers(1, 15, count) * MINUTE_NS,
            "direction": random.choice([-1, 1], count),
            "target_distance": random.uniform(50.0, 300.0, count),
            "stop_distance": random.uniform(50.0, 150.0, count),
            "limit_minutes": random.choice([8.0, 15.0], count),
            "units": np.ones(count),
            "entry_price": np.full(count, 80_000.0),
            "fees_usd": np.full(count, 80.0),
            "spread_usd": np.full(count, 8.0),
            "slippage_usd": np.zeros(count),
            "net_bps": random.normal(0.0, 10.0, count),
            "exit_reason": ["EXIT_TIME_LIMIT"] * count,
        }
    )


def _expiring(sizes: NullSizes) -> pl.DataFrame:
    """Return trades entered 16 to 120 minutes before the ends of days, LOW ones tripled."""
    random = np.random.default_rng(SEED)
    count = sizes.trades
    left = random.integers(16, 121, count)
    expiry = START_NS + random.integers(1, sizes.days + 1, count) * 1_440 * MINUTE_NS - 1
    entry = expiry + 1 - left * MINUTE_NS
    low = left >= 45
    return (
        _trades(sizes)
        .with_columns(
            entry_ns=pl.Series(entry),
            exit_ns=pl.Series(entry + random.integers(1, left) * MINUTE_NS),
            detected_ns=pl.Series(entry - 1),
            limit_minutes=pl.Series(left - np.where(low, 10.0, 8.0)),
            urgency=pl.Series(np.where(low, "LOW", "HIGH")),
            flags=pl.Series(np.where(low, "EVOLVE_TO_CRISIS_MODE,ADDED:2", "")),
            size_contracts=pl.Series(np.where(low, 3.0, 1.0)),
            point=pl.lit(10.0),
        )
        .sort("entry_ns")
    )


def _check(tape: HedgeTape) -> None:
    """Compare exits by descent through extremes with walks over every tick."""
    ticks = tape.ticks
    assert ticks is not None
    random = np.random.default_rng(SEED)
    entry = random.integers(0, ticks.at_ns.size, CHECKED)
    target, stop = random.uniform(20.0, 400.0, (2, CHECKED))
    limit_ns = random.integers(1, 60, CHECKED) * MINUTE_NS
    path = PathIndex.of(*ticks[:3])
    found = exit_on_path_many(path, entry, ticks.ask[entry], 1, target, stop, limit_ns, 10**9)
    for k in range(CHECKED):
        levels = (ticks.ask[entry[k]], 1, target[k], stop[k], limit_ns[k], 10**9)
        walked = exit_on_ticks(ticks.at_ns, ticks.bid, int(entry[k]), *levels)
        assert walked == tuple(column[k] for column in found)
