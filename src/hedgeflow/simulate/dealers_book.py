"""What dealers trade for the options they hold: the customers' delta, rehedged as it drifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow import pricing
from hedgeflow.market.time import MINUTE_NS, SECOND_NS, YEAR_NS
from hedgeflow.simulate.hedging import sides
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.order_flow import pieces
from hedgeflow.simulate.prints import Orders
from hedgeflow.simulate.smiles import implied_volatility
from hedgeflow.simulate.streams import Component, stream
from hedgeflow.simulate.trades import Trades
from hedgeflow.simulate.truth import BOOK
from hedgeflow.simulate.venue import venue_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hedged_shocks import HedgedShock
    from hedgeflow.simulate.listing import Book
    from hedgeflow.simulate.open_interest import Positions
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario

_PAIRS_AT_ONCE: Final = 250_000
"""Deltas computed in one go, which bounds memory."""


@dataclass(frozen=True, slots=True)
class BookState:
    """What dealers hold at a session's end.

    Attributes
    ----------
    book : Book or None
        Contracts that `first_delta` counts; None before the first session.
    first_delta : ndarray of shape (n_contracts,), float64
        Customers' delta in each, underlying units, as shocks' hedges saw it.
    hedged_shocks : float
        What shocks' hedges have taken on since the start, signed units.
    held : float
        What the book's own orders have, signed units.
    """

    book: Book | None
    first_delta: NDArray[np.float64]
    hedged_shocks: float
    held: float

    @classmethod
    def empty(cls) -> BookState:
        """Return no holdings."""
        return cls(None, np.empty(0), 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class BookOrders:
    """What dealers ordered in a session for what they hold.

    Attributes
    ----------
    looks : ndarray of shape (n,), int64
        When they looked at their book, UTC nanoseconds.
    target : ndarray of shape (n,), float64
        What they should then have held beside shocks' hedges, signed units.
    held : ndarray of shape (n,), float64
        What they held with the order that they then placed done.
    trades : Trades
        In order of time.
    after : BookState
    """

    looks: NDArray[np.int64]
    target: NDArray[np.float64]
    held: NDArray[np.float64]
    trades: Trades
    after: BookState


def rebalanced(
    scenario: Scenario,
    path: IndexPath,
    before: Positions,
    ordinary: Orders,
    shocks: list[HedgedShock],
    state: BookState,
) -> BookOrders:
    """Return what dealers trade in a session for the options that they hold.

    Every `rebalance_minutes` from the session's start they look. For each unit of customers' delta
    they want one of the future: of what shocks' hedges have taken on already, `share`; of all
    else, ordinary flow and what delta has since become in every contract, `ordinary_share`. What
    lies further than `band_units` from that, they order at once and trade until the next look, in
    pieces like ordinary trades. An expired contract has no delta: what hedged it is traded back.

    Where dealers do not hedge (`hedging` is ``coin`` or ``none``) these are the same orders on
    sides that coins decide. They would otherwise give away what options were bought: a market that
    carries nothing can have no hedge on the side of demand, not of ordinary demand either.

    Look-ahead: a look knows prints that were known by then, the index of that second and no trade
    after it.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
        As it was, impact of shocks' hedges included.
    before : Positions
        At the session's start.
    ordinary : Orders
        Ordinary flow that prints in the session, by row of the same book.
    shocks : list of HedgedShock
        The session's.
    state : BookState
    """
    session = path.session
    interval = max(1, round(scenario.dealers.rebalance_minutes * MINUTE_NS))
    looks = np.arange(session.start_ns, session.end_ns - SECOND_NS, interval, dtype=np.int64)
    if not scenario.dealers.ordinary:
        looks = looks[:0]
    positions = _positions(before, ordinary, shocks, state)
    target = _targets(scenario, path, positions, looks, interval)
    step = venue_of(scenario).hedge_step
    held = np.empty(looks.size)
    order = np.zeros(looks.size)
    now = state.held
    for i, wanted in enumerate(target.tolist()):
        if abs(wanted - now) > scenario.dealers.band_units:
            order[i] = round((wanted - now) / step) * step
        now += order[i]
        held[i] = now
    after = BookState(
        before.book,
        positions.first_delta + positions.by_contract(positions.first),
        positions.taken_before + float(positions.taken.sum()),
        float(now),
    )
    trades = _worked(scenario, path, looks, order, interval)
    return BookOrders(looks, target, held, trades, after)


@dataclass(frozen=True, slots=True)
class _Positions:
    """Customers' positions at a session's start by contract, and what each print adds to them.

    `lots` are signed; `first` is the delta that shocks' hedges saw in them, units; `taken` is what
    those hedges take on, signed units. Both are zero for ordinary prints.
    """

    book: Book
    net: NDArray[np.int64]
    first_delta: NDArray[np.float64]
    taken_before: float
    contract: NDArray[np.int64]
    stamp: NDArray[np.int64]
    lots: NDArray[np.int64]
    first: NDArray[np.float64]
    taken: NDArray[np.float64]

    def by_contract(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values of prints summed by contract."""
        return np.bincount(self.contract, weights=values, minlength=self.net.size)

    def touched(self) -> NDArray[np.int64]:
        """Return the contracts in which there is a position at some time."""
        touched = (self.net != 0) | (self.first_delta != 0.0)
        touched[self.contract] = True
        return np.flatnonzero(touched)


def _positions(
    before: Positions, ordinary: Orders, shocks: list[HedgedShock], state: BookState
) -> _Positions:
    book = before.book
    known = state.book is not None
    first_delta = book.carried(state.book, state.first_delta) if known else 0.0 * before.net
    orders = Orders.concatenated([ordinary, *(each.shock.orders for each in shocks)])
    none = np.zeros(ordinary.stamp.size)
    return _Positions(
        book=book,
        net=before.net,
        first_delta=first_delta,
        taken_before=state.hedged_shocks,
        contract=orders.contract,
        stamp=orders.stamp,
        lots=orders.side * orders.lots,
        first=np.concatenate([none, *(each.parts for each in shocks)]),
        taken=np.concatenate([none, *(each.taken for each in shocks)]),
    )


def _targets(
    scenario: Scenario,
    path: IndexPath,
    positions: _Positions,
    looks: NDArray[np.int64],
    interval: int,
) -> NDArray[np.float64]:
    """Return what dealers want to hold at each look beside shocks' hedges, signed units."""
    dealers, start = scenario.dealers, path.session.start_ns
    lot_units = scenario.chain.lot_units
    seen_from = (positions.stamp - start) // interval + 1
    seen = seen_from < looks.size
    rows = positions.touched()
    column = np.zeros(positions.net.size, dtype=np.int64)
    column[rows] = np.arange(rows.size)
    place = seen_from[seen] * rows.size + column[positions.contract[seen]]

    def over_time(at_start: NDArray[np.float64], added: NDArray[np.float64]) -> NDArray[np.float64]:
        changes = np.bincount(place, weights=added[seen], minlength=looks.size * rows.size)
        changes = changes.reshape(looks.size, rows.size)
        changes[:1] += at_start[rows]
        return np.cumsum(changes, axis=0, out=changes)

    units = over_time(positions.net * lot_units, positions.lots * lot_units)
    first = over_time(positions.first_delta, positions.first)
    expiry_ns = positions.book.expiry_ns[rows]
    first[looks[:, None] >= expiry_ns[None, :]] = 0.0
    first_delta = first.sum(axis=1)
    taken = np.bincount(seen_from[seen], weights=positions.taken[seen], minlength=looks.size)
    taken = positions.taken_before + np.cumsum(taken)
    delta = _deltas(scenario, path, positions.book, rows, looks, units)
    of_shocks = dealers.share * first_delta - taken
    return dealers.ordinary_share * (delta - first_delta) + of_shocks


def _deltas(
    scenario: Scenario,
    path: IndexPath,
    book: Book,
    rows: NDArray[np.int64],
    looks: NDArray[np.int64],
    units: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return customers' delta at each look, underlying units: the sum over live contracts.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    book : Book
    rows : ndarray of shape (m,), int64
    looks : ndarray of shape (n,), int64
    units : ndarray of shape (n, m)
        Customers' net position in each row at each look, underlying units.
    """
    total = np.zeros(looks.size)
    at_once = max(1, _PAIRS_AT_ONCE // max(1, rows.size))
    for begin in range(0, looks.size, at_once):
        block = slice(begin, begin + at_once)
        live = book.expiry_ns[rows][None, :] > looks[block, None]
        look, which = np.nonzero(live & (units[block] != 0.0))
        contract, stamp = rows[which], looks[block][look]
        strike, expiry_ns = book.strike[contract], book.expiry_ns[contract]
        vol = implied_volatility(scenario, path, strike, expiry_ns, stamp)
        price = path.price[path.second(stamp)]
        years = (expiry_ns - stamp) / YEAR_NS
        delta = pricing.delta(book.right[contract], price, strike, years, vol)
        total[block] = np.bincount(
            look, weights=delta * units[block][look, which], minlength=live.shape[0]
        )
    return total


def _worked(
    scenario: Scenario,
    path: IndexPath,
    looks: NDArray[np.int64],
    order: NDArray[np.float64],
    interval: int,
) -> Trades:
    """Return orders as they are traded: in pieces, at random times until the next look."""
    session = path.session
    rng = stream(scenario.seed, Component.BOOK, session.number)
    side_rng = stream(scenario.seed, Component.BOOK_SIDES, session.number)
    size, which = pieces(scenario, np.abs(order), rng)
    span = np.minimum(interval, session.end_ns - looks) // RESOLUTION_NS - 1
    stamp = looks[which] + (1 + rng.integers(0, span[which])) * RESOLUTION_NS
    direction = np.where(order > 0.0, 1, -1)
    sign = sides(scenario, direction, which, side_rng)
    return Trades.in_order([Trades.of(stamp, size, sign, BOOK)])
