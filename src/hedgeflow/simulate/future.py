"""The future's tapes: trades with their prices, quotes, and minute bars of all trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.venue import venue_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario
    from hedgeflow.simulate.trades import Trades

_BASIS_POINT: Final = 1e-4
_PRICE_DECIMALS: Final = 6
_SIZE_DECIMALS: Final = 3


@dataclass(frozen=True, slots=True)
class Market:
    """What the future is worth in a session, by second.

    Attributes
    ----------
    session : Session
    bid, ask : ndarray of shape (seconds,)
        On the venue's tick, at least one apart.
    """

    session: Session
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]


def quoted(
    scenario: Scenario,
    path: IndexPath,
    premium: NDArray[np.float64],
    pace: NDArray[np.float64],
) -> Market:
    """Return the future's market around its middle, the index times its premium.

    Half of the spread is `future.half_spread_bps` where all is ordinary; it goes with the index's
    volatility, and with the square root of the slowly varying activity.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    premium : ndarray of shape (seconds,)
        Log premium to the index.
    pace : ndarray of shape (seconds,)
        Slowly varying activity, mean 1.
    """
    middle = path.price * np.exp(premium)
    wide = path.level / scenario.index.volatility * np.sqrt(pace)
    half = middle * wide * (scenario.future.half_spread_bps * _BASIS_POINT)
    tick = venue_of(scenario).hedge_tick
    bid = np.floor((middle - half) / tick)
    ask = np.maximum(np.ceil((middle + half) / tick), bid + 1.0)
    return Market(path.session, _on_tick(bid, tick), _on_tick(ask, tick))


def hedge_trade_tape(market: Market, trades: Trades) -> pl.DataFrame:
    """Return the trade tape of a session: takers pay the second's ask or get its bid.

    Parameters
    ----------
    market : Market
    trades : Trades
        In order of time, in which they are numbered.
    """
    at = market.session.second(trades.stamp)
    number = pl.int_range(pl.len(), dtype=pl.Int64).cast(pl.String)
    frame = pl.DataFrame(
        {
            "ts": trades.stamp,
            "known_at": trades.stamp + RESOLUTION_NS,
            "price": np.where(trades.sign > 0, market.ask[at], market.bid[at]),
            "size": np.round(trades.size, _SIZE_DECIMALS),
            "aggressor": trades.sign.astype(np.int8),
        }
    ).with_columns(trade_id=pl.format("{}-{}", pl.lit(market.session.day), number))
    return conformed(frame, tape_schema(TapeKind.HEDGE_TRADES))


def hedge_quote_tape(scenario: Scenario, market: Market, rng: np.random.Generator) -> pl.DataFrame:
    """Return the quote tape of a session: one quote in each interval, at a random millisecond."""
    session = market.session
    interval = max(1, round(scenario.future.quote_interval_seconds * SECOND_NS / RESOLUTION_NS))
    length = session.seconds * SECOND_NS // RESOLUTION_NS
    start = np.arange(0, length, interval, dtype=np.int64)
    offset = start + rng.integers(0, interval, start.size)
    stamp = session.start_ns + offset[offset < length] * RESOLUTION_NS
    at = session.second(stamp)
    frame = pl.DataFrame(
        {
            "ts": stamp,
            "known_at": stamp + RESOLUTION_NS,
            "bid": market.bid[at],
            "ask": market.ask[at],
        }
    )
    return conformed(frame, tape_schema(TapeKind.HEDGE_QUOTES))


def minute_bars(trades: pl.DataFrame) -> pl.DataFrame:
    """Return the 1-minute bars of a trade tape; a minute without trades has none."""
    bars = trades.group_by(pl.col("ts").dt.truncate("1m"), maintain_order=True).agg(
        open=pl.col("price").first(),
        high=pl.col("price").max(),
        low=pl.col("price").min(),
        close=pl.col("price").last(),
        volume=pl.col("size").sum().round(_SIZE_DECIMALS),
    )
    bars = bars.with_columns(known_at=pl.col("ts") + pl.duration(nanoseconds=MINUTE_NS))
    return conformed(bars, tape_schema(TapeKind.BARS))


def _on_tick(count: NDArray[np.float64], tick: float) -> NDArray[np.float64]:
    return np.round(count * tick, _PRICE_DECIMALS)
