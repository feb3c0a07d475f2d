"""Open positions by contract, carried over sessions: customers' net, and open interest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.smiles import deviation
from hedgeflow.simulate.streams import Component, stream
from hedgeflow.simulate.truth import TRUTH_SCHEMAS, TruthTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.listing import Book
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.prints import Orders
    from hedgeflow.simulate.scenario import Scenario

_START_SIGMA: Final = 0.5
_DECIMALS: Final = 9


@dataclass(frozen=True, slots=True)
class Positions:
    """What is open in each contract of a book, at one instant.

    Attributes
    ----------
    book : Book
    net : ndarray of shape (n_contracts,), int64
        Customers' net position, lots; dealers hold the opposite.
    interest : ndarray of shape (n_contracts,), int64
        Open interest, lots: never less than abs(net).
    """

    book: Book
    net: NDArray[np.int64]
    interest: NDArray[np.int64]

    def within(self, book: Book) -> Positions:
        """Return the same positions by row of a later book."""
        return Positions(
            book, book.carried(self.book, self.net), book.carried(self.book, self.interest)
        )


@dataclass(frozen=True, slots=True)
class SessionInterest:
    """How a session changed what is open; all in lots, by row of the session's book.

    Attributes
    ----------
    before, after : Positions
        At its start, and at its end; contracts that have expired by then are settled.
    opened, closed, settled : ndarray of shape (n_contracts,), int64
        ``after.interest = before.interest + opened - closed - settled``.
    net : ndarray of shape (n_contracts,), int64
        Customers' net position at its end, before what expires then is settled.
    """

    before: Positions
    after: Positions
    opened: NDArray[np.int64]
    closed: NDArray[np.int64]
    settled: NDArray[np.int64]
    net: NDArray[np.int64]


def first_positions(scenario: Scenario, path: IndexPath, book: Book) -> Positions:
    """Return what is open at the first instant: a peak at the money, customers' net zero."""
    session = path.session
    count = book.number.size
    stamps = np.full(count, session.start_ns, dtype=np.int64)
    z = np.log(book.strike / path.price[0]) / deviation(scenario, path, book.expiry_ns, stamps)
    rng = stream(scenario.seed, Component.OPEN_INTEREST, session.number)
    normals = rng.standard_normal(count)
    spread = np.exp(_START_SIGMA * normals - 0.5 * _START_SIGMA**2)
    mean_lots = scenario.open_interest.start_contracts / scenario.chain.lot
    lots = np.asarray(np.round(mean_lots * spread * np.exp(-0.5 * z * z)), dtype=np.int64)
    return Positions(book, np.zeros(count, dtype=np.int64), lots)


def session_interest(
    scenario: Scenario, session: Session, before: Positions, orders: Orders
) -> SessionInterest:
    """Return what a session's prints did to what is open.

    Of a contract's volume about `open_interest.opening_share` opens and the rest closes, but for
    what cannot close: open interest never falls below customers' net position.

    Parameters
    ----------
    scenario : Scenario
    session : Session
    before : Positions
        At the session's start, by row of its book.
    orders : Orders
        All that print in the session.
    """
    book = before.book
    rows = book.number.size
    volume = _summed(orders.contract, orders.lots, rows)
    net = before.net + _summed(orders.contract, orders.side * orders.lots, rows)
    share = scenario.open_interest.opening_share
    rng = stream(scenario.seed, Component.OPEN_INTEREST, session.number + 1)
    drawn = share * volume + np.sqrt(share * (1.0 - share) * volume) * rng.standard_normal(rows)
    opened = np.clip(np.round(drawn), 0, volume).astype(np.int64)
    missing = np.abs(net) - (before.interest + 2 * opened - volume)
    opened += np.maximum(0, -(-missing // 2))
    closed = volume - opened
    interest = before.interest + opened - closed
    expired = book.expiry_ns <= session.end_ns
    settled = np.where(expired, interest, 0)
    after = Positions(book, np.where(expired, 0, net), interest - settled)
    return SessionInterest(before, after, opened, closed, settled, net)


def open_interest_tape(scenario: Scenario, session: Session, positions: Positions) -> pl.DataFrame:
    """Return what is published at a session's start: the open interest that the last one left.

    Look-ahead: nothing of the session itself; a clearing house publishes after the close.

    Parameters
    ----------
    scenario : Scenario
    session : Session
    positions : Positions
        At the session's start.
    """
    book = positions.book
    published = (book.listed_ns < session.start_ns) | (session.number == 0)
    frame = pl.DataFrame(
        {
            "contract": book.symbol,
            "open_interest": _contracts(scenario, positions.interest),
            "published": published,
        }
    ).filter("published")
    frame = frame.with_columns(
        ts=pl.lit(session.start_ns), known_at=pl.lit(session.start_ns + RESOLUTION_NS)
    )
    return conformed(frame, tape_schema(TapeKind.OPEN_INTEREST))


def positions_truth(scenario: Scenario, session: Session, changed: SessionInterest) -> pl.DataFrame:
    """Return what is open at a session's end and how it came to be, contracts."""
    counts = {
        "customer_net": changed.after.net,
        "open_interest": changed.after.interest,
        "opened": changed.opened,
        "closed": changed.closed,
        "settled": changed.settled,
    }
    columns = {name: _contracts(scenario, lots) for name, lots in counts.items()}
    frame = pl.DataFrame({"contract": changed.after.book.symbol, **columns})
    frame = frame.with_columns(ts=pl.lit(session.end_ns))
    return conformed(frame, TRUTH_SCHEMAS[TruthTable.POSITIONS])


def _summed(rows: NDArray[np.int64], lots: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.bincount(rows, weights=lots, minlength=count).astype(np.int64)


def _contracts(scenario: Scenario, lots: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.round(lots.astype(np.float64) * scenario.chain.lot, _DECIMALS)
