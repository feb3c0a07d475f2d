"""Option prints: what an order to trade a contract looks like on the tape, whoever sent it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow import pricing
from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.market.time import DAY_NS, YEAR_NS
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.truth import ORDINARY, prints_truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.listing import Book
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario

RESOLUTION_NS: Final = 1_000_000
"""Stamps of the trade and quote tapes are milliseconds."""

PRICE_TICK: Final = 0.01
SMALLEST_HORIZON_NS: Final = 600 * 1_000_000_000
"""Moneyness is standardised over at least 10 minutes: traders ignore strikes out of reach."""

_SHORT_END_DAYS: Final = 5.0
_WIDEST_SMILE: Final = 3.0
_IV_NOISE: Final = 0.003
_NO_COMBO: Final = -1


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders that will print, in no particular order.

    Attributes
    ----------
    stamp : ndarray of shape (n,), int64
        UTC nanoseconds, whole milliseconds.
    contract : ndarray of shape (n,), int64
        Row of the book.
    lots : ndarray of shape (n,), int64
    side : ndarray of shape (n,), int64
        +1 the customer buys, -1 sells: the truth, whatever the tape will know.
    combo : ndarray of shape (n,), int64
        Number of the complex order, or -1.
    """

    stamp: NDArray[np.int64]
    contract: NDArray[np.int64]
    lots: NDArray[np.int64]
    side: NDArray[np.int64]
    combo: NDArray[np.int64]

    @classmethod
    def simple(
        cls,
        stamp: NDArray[np.int64],
        contract: NDArray[np.int64],
        lots: NDArray[np.int64],
        side: NDArray[np.int64],
    ) -> Orders:
        """Return orders of one leg each."""
        return cls(stamp, contract, lots, side, np.full(stamp.size, _NO_COMBO, dtype=np.int64))

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Orders:
        """Return the orders at an index or mask."""
        return Orders(*(getattr(self, field.name)[index] for field in fields(self)))

    @classmethod
    def concatenated(cls, parts: list[Orders]) -> Orders:
        """Return the orders of several parts, in their order."""
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            )
        )


@dataclass(frozen=True, slots=True)
class Marks:
    """What the market says about orders at the moment they print.

    Attributes
    ----------
    price, bid, ask : ndarray of shape (n,)
        Quote currency per unit, rounded to `PRICE_TICK`; a worthless bid is NaN.
    iv : ndarray of shape (n,)
        Volatility of the trade price before rounding, fraction per year.
    index_price : ndarray of shape (n,)
    delta : ndarray of shape (n,)
        Signed Black-76 delta at that volatility.
    """

    price: NDArray[np.float64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    iv: NDArray[np.float64]
    index_price: NDArray[np.float64]
    delta: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Printed:
    """Orders of one origin as they printed.

    Attributes
    ----------
    orders : Orders
    marks : Marks
    unsigned : ndarray of shape (n,), bool
        The tape does not know the aggressor.
    origin : int
        Id of the shock that they are, or `ORDINARY`.
    """

    orders: Orders
    marks: Marks
    unsigned: NDArray[np.bool_]
    origin: int = ORDINARY


def mark(
    scenario: Scenario, path: IndexPath, book: Book, orders: Orders, rng: np.random.Generator
) -> Marks:
    """Return the marks of orders: smile, spread and a little noise around the level of the day.

    Customers cross the spread: they buy at the ask and sell at the bid.
    """
    seconds = path.second(orders.stamp)
    index_price = path.price[seconds]
    strike = book.strike[orders.contract]
    left_ns = book.expiry_ns[orders.contract] - orders.stamp
    middle = smile(scenario, path.level[seconds], index_price, strike, left_ns)
    middle += _IV_NOISE * rng.standard_normal(orders.stamp.size)
    half = np.minimum(scenario.option_quotes.half_spread_vol, 0.5 * middle)
    iv = middle + orders.side * half
    right = book.right[orders.contract]
    years = left_ns / YEAR_NS
    bid = _rounded(pricing.value(right, index_price, strike, years, middle - half))
    ask = np.maximum(
        _rounded(pricing.value(right, index_price, strike, years, middle + half)), PRICE_TICK
    )
    price = np.maximum(np.where(orders.side > 0, ask, bid), PRICE_TICK)
    delta = pricing.delta(right, index_price, strike, years, iv)
    return Marks(price, np.where(bid > 0.0, bid, np.nan), ask, iv, index_price, delta)


def smile(
    scenario: Scenario,
    level: NDArray[np.float64],
    index_price: NDArray[np.float64],
    strike: NDArray[np.float64],
    left_ns: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return implied volatility by strike and time left: level x term structure x smile."""
    term = 1.0 + scenario.smile.short_end_premium * np.exp(-left_ns / (_SHORT_END_DAYS * DAY_NS))
    at_the_money = level * term
    years = np.maximum(left_ns, SMALLEST_HORIZON_NS) / YEAR_NS
    z = np.log(strike / index_price) / (at_the_money * np.sqrt(years))
    z = np.clip(z, -_WIDEST_SMILE, _WIDEST_SMILE)
    return at_the_money * np.maximum(
        0.2, 1.0 + scenario.smile.skew * z + scenario.smile.curvature * z * z
    )


def option_tape(
    session: Session,
    symbols: pl.Series,
    parts: list[Printed],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the option tape of one day, in order of time and numbered so, and its truth.

    Parameters
    ----------
    session : Session
        Trade and combo ids begin with the number of its day.
    symbols : Series
        Symbol by row of the book.
    parts : list of Printed
    """
    orders = Orders.concatenated([part.orders for part in parts])
    marks = Marks(
        *(
            np.concatenate([getattr(part.marks, field.name) for part in parts])
            for field in fields(Marks)
        )
    )
    unsigned = np.concatenate([part.unsigned for part in parts])
    origin = np.repeat([part.origin for part in parts], [part.unsigned.size for part in parts])
    order = np.argsort(orders.stamp, kind="stable")
    day = session.day
    stamp = orders.stamp[order]
    combo = orders.combo[order]
    number = pl.int_range(pl.len(), dtype=pl.Int64).cast(pl.String)
    frame = pl.DataFrame(
        {
            "ts": stamp,
            "known_at": stamp + RESOLUTION_NS,
            "contract": symbols.gather(orders.contract[order]),
            "price": marks.price[order],
            "lots": orders.lots[order],
            "aggressor": np.where(unsigned, 0, orders.side)[order].astype(np.int8),
            "iv": marks.iv[order],
            "underlying_price": marks.index_price[order],
            "bid": pl.Series(marks.bid[order]).fill_nan(None),
            "ask": marks.ask[order],
            "combo": combo,
        }
    ).with_columns(
        combo_id=pl.when(pl.col("combo") >= 0).then(
            pl.format("{}-{}", pl.lit(day), pl.col("combo"))
        ),
        block_id=pl.lit(None, dtype=pl.String),
        condition=pl.lit(None, dtype=pl.String),
        trade_id=pl.format("{}-{}", pl.lit(day), number),
    )
    tape = conformed(frame, tape_schema(TapeKind.OPTION_TRADES))
    return tape, prints_truth(tape, orders.side[order], origin[order])


def tail_lots(scenario: Scenario, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Return print sizes from the Pareto tail, lots."""
    draws = rng.random(count)
    sizes = scenario.option_flow.tail_lots * (1.0 - draws) ** (
        -1.0 / scenario.option_flow.tail_exponent
    )
    return np.minimum(sizes, scenario.option_flow.largest_lots).astype(np.int64)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(values / PRICE_TICK) * PRICE_TICK
