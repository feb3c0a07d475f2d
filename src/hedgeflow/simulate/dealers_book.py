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
    """What dealers have hedged by a session's end, signed underlying units since the start.

    Attributes
    ----------
    first_delta : float
        Customers' delta that came with shocks, as their hedges reckoned it.
    taken : float
        What shocks' hedges took on of it.
    held : float
        What the book's own orders have bought.
    """

    first_delta: float = 0.0
    taken: float = 0.0
    held: float = 0.0


@dataclass(frozen=True, slots=True)
class BookOrders:
    """What dealers ordered in a session for what they hold.

    Attributes
    ----------
    looks : ndarray of shape (n,), int64
        When they looked at their book, UTC nanoseconds.
    target : ndarray of shape (n,), float64
        What the book's own orders should by then have bought, signed units.
    held : ndarray of shape (n,), float64
        What they have bought once the order placed then is done.
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

    Every `rebalance_minutes` from the session's start they look at what their own orders should
    have bought by then: of customers' delta, less what came with shocks and is hedged at once, the
    share `ordinary_share`. That is ordinary flow, and what delta has since become in every
    contract; an expired one has none, so what hedged it is traded back. What is further than
    `band_units` from that they order at once and trade until the next look, in pieces like
    ordinary trades.

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
    positions = _positions(before, ordinary, shocks)
    target = _targets(scenario, path, positions, state, looks, interval)
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
        state.first_delta + float(positions.first.sum()),
        state.taken + float(positions.taken.sum()),
        float(now),
    )
    trades = _worked(scenario, path, looks, order, interval)
    return BookOrders(looks, target, held, trades, after)


@dataclass(frozen=True, slots=True)
class _Positions:
    """Customers' positions at a session's start by contract, and what each print adds.

    `lots` are signed; `first` is the delta that shocks' hedges reckon with, `taken` what they take
    on of it, signed units. Both are zero for ordinary prints.
    """

    book: Book
    net: NDArray[np.int64]
    contract: NDArray[np.int64]
    stamp: NDArray[np.int64]
    lots: NDArray[np.int64]
    first: NDArray[np.float64]
    taken: NDArray[np.float64]

    def touched(self) -> NDArray[np.int64]:
        """Return the contracts in which there is a position at some time."""
        touched = self.net != 0
        touched[self.contract] = True
        return np.flatnonzero(touched)


def _positions(before: Positions, ordinary: Orders, shocks: list[HedgedShock]) -> _Positions:
    orders = Orders.concatenated([ordinary, *(each.shock.orders for each in shocks)])
    none = np.zeros(ordinary.stamp.size)
    return _Positions(
        book=before.book,
        net=before.net,
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
    state: BookState,
    looks: NDArray[np.int64],
    interval: int,
) -> NDArray[np.float64]:
    """Return what the book's own orders should have bought by each look, signed units."""
    dealers = scenario.dealers
    seen_from = (positions.stamp - path.session.start_ns) // interval + 1
    seen = seen_from < looks.size
    look = seen_from[seen]

    def by_look(parts: NDArray[np.float64]) -> NDArray[np.float64]:
        added = np.bincount(look, weights=parts[seen], minlength=looks.size)
        return np.cumsum(added, dtype=np.float64)

    rows = positions.touched()
    column = np.zeros(positions.net.size, dtype=np.int64)
    column[rows] = np.arange(rows.size)
    place = look * rows.size + column[positions.contract[seen]]
    added = np.bincount(place, positions.lots[seen], minlength=looks.size * rows.size)
    lots = positions.net[rows] + np.cumsum(added.reshape(looks.size, rows.size), axis=0)
    units = np.multiply(lots, scenario.chain.lot_units, dtype=np.float64)
    delta = _deltas(scenario, path, positions.book, rows, looks, units)
    first = state.first_delta + by_look(positions.first)
    not_taken = dealers.share * first - state.taken - by_look(positions.taken)
    return dealers.ordinary_share * (delta - first) + not_taken


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
