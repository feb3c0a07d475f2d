"""The perpetual's tapes: ordinary trades, quotes, and minute bars of all trades."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numba import njit

from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.hours import SECONDS_PER_MINUTE, Session, activity
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.paths import reverting_path
from hedgeflow.simulate.truth import ORDINARY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.scenario import Scenario

PRICE_TICK: Final = 0.1
SIZE_STEP: Final = 0.001

_SECONDS_PER_SLOT: Final = 300
_ACTIVITY_HALF_LIFE_MINUTES: Final = 20.0
_PROFILE_MEDIAN: Final = 0.957
"""Median over mean of 5-minute volume that the time-of-day profile leaves (measured)."""


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades of the perpetual, before they have a price.

    Attributes
    ----------
    stamp : ndarray of shape (n,), int64
        UTC nanoseconds, whole milliseconds.
    size : ndarray of shape (n,), float64
        Underlying units.
    sign : ndarray of shape (n,), int64
        +1 the taker buys, -1 sells.
    origin : ndarray of shape (n,), int64
        The truth of who trades: id of the shock that the trade hedges, `ORDINARY` or `BOOK`.
    """

    stamp: NDArray[np.int64]
    size: NDArray[np.float64]
    sign: NDArray[np.int64]
    origin: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        stamp: NDArray[np.int64],
        size: NDArray[np.float64],
        sign: NDArray[np.int64],
        origin: int,
    ) -> Trades:
        """Return trades that all have one origin."""
        return cls(stamp, size, sign, np.full(stamp.size, origin, dtype=np.int64))

    @classmethod
    def none(cls) -> Trades:
        """Return no trades."""
        integers = np.empty(0, dtype=np.int64)
        return cls(integers, np.empty(0), integers, integers)

    @classmethod
    def in_order(cls, parts: list[Trades]) -> Trades:
        """Return the trades of several parts in order of time."""
        order = np.argsort(np.concatenate([part.stamp for part in parts]), kind="stable")
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])[order]
                for field in fields(cls)
            )
        )

    def split(self, instant: int) -> tuple[Trades, Trades]:
        """Return the trades before an instant and those from it on, of trades in order."""
        at = int(np.searchsorted(self.stamp, instant))
        columns = [getattr(self, field.name) for field in fields(self)]
        return Trades(*(each[:at] for each in columns)), Trades(*(each[at:] for each in columns))


def trade_sizes(
    scenario: Scenario, session: Session, rng: np.random.Generator, count: int
) -> NDArray[np.float64]:
    """Return lognormal trade sizes in underlying units, multiples of `SIZE_STEP`."""
    mean = _mean_size(scenario, session)
    sigma = scenario.future.size_sigma
    size = mean * np.exp(sigma * rng.standard_normal(count) - 0.5 * sigma * sigma)
    return np.maximum(np.round(size / SIZE_STEP), 1.0) * SIZE_STEP


def ordinary_trades(
    scenario: Scenario,
    session: Session,
    rng: np.random.Generator,
    state: tuple[float, float],
) -> tuple[Trades, tuple[float, float]]:
    """Return a day of ordinary flow, and the state of the next day.

    Arrivals are Poisson by the second around the time-of-day profile times a slowly varying log
    activity. Signs lean against the cumulative signed volume, which so stays within a few
    `imbalance_units`: takers who come and go, not one who accumulates.

    Parameters
    ----------
    scenario : Scenario
    session : Session
    rng : Generator
    state : (float, float)
        Log activity and cumulative signed volume at the start.
    """
    sigma = scenario.future.activity_sigma
    levels, log_activity = reverting_path(
        rng.standard_normal(session.minutes),
        sigma,
        0.5 ** (1.0 / _ACTIVITY_HALF_LIFE_MINUTES),
        state[0],
    )
    rate = np.repeat(np.exp(levels - 0.5 * sigma * sigma), SECONDS_PER_MINUTE)
    rate = rate[: session.seconds] * activity(scenario, session)
    counts = rng.poisson(scenario.future.trades_per_day / session.seconds * rate)
    second = np.repeat(np.arange(session.seconds, dtype=np.int64), counts)
    stamp = session.start_ns + second * SECOND_NS
    stamp += rng.integers(0, 1000, stamp.size) * RESOLUTION_NS
    stamp.sort()
    size = trade_sizes(scenario, session, rng, stamp.size)
    sign, imbalance = _leaning_signs(
        rng.random(stamp.size), size, _lean_scale(scenario, session), state[1]
    )
    return Trades.of(stamp, size, sign, ORDINARY), (log_activity, imbalance)


def hedge_trade_tape(
    scenario: Scenario,
    session: Session,
    middle: NDArray[np.float64],
    trades: Trades,
) -> pl.DataFrame:
    """Return the trade tape of a day: takers pay half the spread around the second's middle.

    Parameters
    ----------
    scenario : Scenario
    session : Session
    middle : ndarray of shape (seconds,)
        Middle price by second.
    trades : Trades
        In order of time, in which they are numbered.
    """
    at = middle[session.second(trades.stamp)]
    bid, ask = _quoted(scenario, at)
    number = pl.int_range(pl.len(), dtype=pl.Int64).cast(pl.String)
    frame = pl.DataFrame(
        {
            "ts": trades.stamp,
            "known_at": trades.stamp + RESOLUTION_NS,
            "price": np.where(trades.sign > 0, ask, bid),
            "size": np.round(trades.size, 3),
            "aggressor": trades.sign.astype(np.int8),
        }
    ).with_columns(trade_id=pl.format("{}-{}", pl.lit(session.day), number))
    return conformed(frame, tape_schema(TapeKind.HEDGE_TRADES))


def hedge_quote_tape(
    scenario: Scenario, session: Session, middle: NDArray[np.float64], rng: np.random.Generator
) -> pl.DataFrame:
    """Return the quote tape of a day: one quote in each interval, at a random millisecond of it."""
    interval = max(1, round(scenario.future.quote_interval_seconds * SECOND_NS / RESOLUTION_NS))
    length = session.seconds * SECOND_NS // RESOLUTION_NS
    start = np.arange(0, length, interval, dtype=np.int64)
    offset = start + rng.integers(0, interval, start.size)
    stamp = session.start_ns + offset[offset < length] * RESOLUTION_NS
    bid, ask = _quoted(scenario, middle[session.second(stamp)])
    frame = pl.DataFrame({"ts": stamp, "known_at": stamp + RESOLUTION_NS, "bid": bid, "ask": ask})
    return conformed(frame, tape_schema(TapeKind.HEDGE_QUOTES))


def minute_bars(trades: pl.DataFrame) -> pl.DataFrame:
    """Return the 1-minute bars of a trade tape; a minute without trades has none."""
    bars = trades.group_by(pl.col("ts").dt.truncate("1m"), maintain_order=True).agg(
        open=pl.col("price").first(),
        high=pl.col("price").max(),
        low=pl.col("price").min(),
        close=pl.col("price").last(),
        volume=pl.col("size").sum().round(3),
    )
    bars = bars.with_columns(known_at=pl.col("ts") + pl.duration(nanoseconds=MINUTE_NS))
    return conformed(bars, tape_schema(TapeKind.BARS))


def _mean_size(scenario: Scenario, session: Session) -> float:
    slots = session.seconds / _SECONDS_PER_SLOT
    median_trades = scenario.future.trades_per_day / slots * _PROFILE_MEDIAN
    lift = np.exp(-0.5 * scenario.future.activity_sigma**2)
    return float(scenario.future.volume_units / (median_trades * lift))


def _lean_scale(scenario: Scenario, session: Session) -> float:
    """Return c of P(buy) = (1 - imbalance / c) / 2 that gives the wanted standard deviation.

    Drift per trade is -E[s]/c times the imbalance, variance E[s^2]: c = 2 var E[s] / E[s^2].
    """
    mean = _mean_size(scenario, session)
    square = mean * mean * float(np.exp(scenario.future.size_sigma**2))
    return 2.0 * scenario.future.imbalance_units**2 * mean / square


def _quoted(
    scenario: Scenario, middle: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    half = middle * scenario.future.half_spread_bps * 1e-4
    bid = np.round(np.floor((middle - half) / PRICE_TICK) * PRICE_TICK, 1)
    ask = np.round(np.ceil((middle + half) / PRICE_TICK) * PRICE_TICK, 1)
    return bid, np.maximum(ask, np.round(bid + PRICE_TICK, 1))


@njit(cache=True)
def _leaning_signs(
    draws: NDArray[np.float64], size: NDArray[np.float64], scale: float, start: float
) -> tuple[NDArray[np.int64], float]:  # pragma: no cover - compiled
    sign = np.empty(draws.size, dtype=np.int64)
    imbalance = start
    for i in range(draws.size):
        lean = min(1.0, max(-1.0, imbalance / scale))
        sign[i] = 1 if draws[i] < 0.5 * (1.0 - lean) else -1
        imbalance += sign[i] * size[i]
    return sign, imbalance
