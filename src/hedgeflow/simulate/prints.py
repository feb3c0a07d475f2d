"""Option prints: what an order to trade a contract looks like on the tape, whoever sent it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow import pricing
from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.market.time import YEAR_NS
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.option_quotes import RESOLUTION_NS, quotes_at, set_at
from hedgeflow.simulate.truth import ORDINARY, prints_truth
from hedgeflow.simulate.venue import venue_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.listing import Book
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario

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
        return cls(*_columns_concatenated(parts))


@dataclass(frozen=True, slots=True)
class Marks:
    """What the market says about orders at the moment they print.

    Attributes
    ----------
    price : ndarray of shape (n,)
        Quote currency per unit, on the venue's tick.
    bid, ask : ndarray of shape (n,)
        The quote that was known at the print; a worthless bid is NaN.
    set_ns : ndarray of shape (n,), int64
        When that quote had been set.
    iv : ndarray of shape (n,)
        Volatility of the trade price before rounding, fraction per year.
    index_price : ndarray of shape (n,)
    """

    price: NDArray[np.float64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    set_ns: NDArray[np.int64]
    iv: NDArray[np.float64]
    index_price: NDArray[np.float64]

    @classmethod
    def concatenated(cls, parts: list[Marks]) -> Marks:
        """Return the marks of several parts, in their order."""
        return cls(*_columns_concatenated(parts))


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


def printed(
    scenario: Scenario,
    path: IndexPath,
    book: Book,
    orders: Orders,
    rng: np.random.Generator,
    origin: int = ORDINARY,
) -> Printed:
    """Return orders as they print: at which price, beside which quote, with which knowledge.

    A customer crosses the spread of the moment, or in a share of prints a part of its half only.
    Of a complex order the whole has a price, so its legs print anywhere within their quotes. The
    quote beside a print was set before it, so it may lag behind.
    """
    count = orders.stamp.size
    flow = scenario.option_flow
    unsigned = rng.random(count) < flow.unsigned_share
    part, inside = rng.random(count), rng.random(count) < flow.inside_share
    paid = np.where(inside, part, 1.0)
    paid = np.where(orders.combo == _NO_COMBO, paid, 2.0 * part - 1.0)
    return Printed(orders, mark(scenario, path, book, orders, paid), unsigned, origin)


def mark(
    scenario: Scenario, path: IndexPath, book: Book, orders: Orders, paid: NDArray[np.float64]
) -> Marks:
    """Return the marks of orders.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    book : Book
    orders : Orders
    paid : ndarray of shape (n,)
        Share of half the spread that each pays: 1 buys at the ask and sells at the bid, -1 the
        other way round. What lies between trades on a tick between the middle and that quote.
    """
    set_ns = set_at(scenario, path.session, book, orders.contract, orders.stamp)
    known = quotes_at(scenario, path, book, orders.contract, set_ns, set_ns)
    now = quotes_at(scenario, path, book, orders.contract, set_ns, orders.stamp)
    iv = now.middle + orders.side * now.half * paid
    index_price = path.price[path.second(orders.stamp)]
    above = orders.side * paid > 0.0
    price = np.where(above, now.ask, now.bid)
    at = np.flatnonzero(paid < 1.0)
    worth = _worth(scenario, book, orders.take(at), iv[at], index_price[at])
    bid, ask = now.bid[at], now.ask[at]
    middle = 0.5 * (bid + ask)
    price[at] = np.where(
        above[at],
        np.minimum(np.maximum(np.floor(worth), np.ceil(middle)), ask),
        np.maximum(np.minimum(np.ceil(worth), np.floor(middle)), bid),
    )
    ticks = venue_of(scenario).option_ticks
    return Marks(
        np.maximum(price, 1.0) / ticks,
        np.where(known.bid > 0.0, known.bid, np.nan) / ticks,
        known.ask / ticks,
        set_ns,
        iv,
        index_price,
    )


def _worth(
    scenario: Scenario,
    book: Book,
    orders: Orders,
    iv: NDArray[np.float64],
    index_price: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return Black values in ticks."""
    contract = orders.contract
    years = (book.expiry_ns[contract] - orders.stamp) / YEAR_NS
    value = pricing.value(book.right[contract], index_price, book.strike[contract], years, iv)
    return value * venue_of(scenario).option_ticks


def deltas(
    path: IndexPath, book: Book, orders: Orders, iv: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the signed Black-76 delta of each order's contract at a volatility."""
    years = (book.expiry_ns[orders.contract] - orders.stamp) / YEAR_NS
    strike, right = book.strike[orders.contract], book.right[orders.contract]
    return pricing.delta(right, path.price[path.second(orders.stamp)], strike, years, iv)


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
    marks = Marks.concatenated([part.marks for part in parts])
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


def _columns_concatenated(parts: list[Orders] | list[Marks]) -> Iterator[NDArray[Any]]:
    for field in fields(parts[0]):
        yield np.concatenate([getattr(part, field.name) for part in parts])
