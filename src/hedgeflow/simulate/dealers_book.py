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

    from hedgeflow.simulate.expiry_hedging import ExpiryHedge
    from hedgeflow.simulate.hedged_shocks import HedgedShock
    from hedgeflow.simulate.hours import Session
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
    expiry: ExpiryHedge | None = None,
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
    expiry : ExpiryHedge, optional
        What is traded for the options that expire as the session ends, from a look on from which
        their delta stays as it is in the book. With the next session the book takes over what that
        has bought, and trades it back with the rest of what hedged them.
    """
    session = path.session
    interval = rebalance_ns(scenario)
    looks = np.arange(session.start_ns, session.end_ns - SECOND_NS, interval, dtype=np.int64)
    if not scenario.dealers.ordinary:
        looks = looks[:0]
    positions = _positions(before, ordinary, shocks)
    target = _targets(scenario, path, positions, state, looks, interval, expiry)
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
        float(now) + (0.0 if expiry is None else float(expiry.held[-1])),
    )
    trades = _worked(scenario, session, looks, order, interval)
    return BookOrders(looks, target, held, trades, after)


def rebalance_ns(scenario: Scenario) -> int:
    """Return the time between two looks at the book."""
    return max(1, round(scenario.dealers.rebalance_minutes * MINUTE_NS))


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
    expiry: ExpiryHedge | None,
) -> NDArray[np.float64]:
    """Return what the book's own orders should have bought by each look, signed units."""
    dealers = scenario.dealers
    seen_from = (positions.stamp - path.session.start_ns) // interval + 1
    seen = seen_from < looks.size
    look = seen_from[seen]

    def by_look(parts: NDArray[np.float64]) -> NDArray[np.float64]:
        added = np.bincount(look, weights=parts[seen], minlength=looks.size)
        return np.cumsum(added, dtype=np.float64)

    def deltas_of(rows: NDArray[np.int64], over_implied: float) -> NDArray[np.float64]:
        column = np.full(positions.net.size, -1, dtype=np.int64)
        column[rows] = np.arange(rows.size)
        row = column[positions.contract[seen]]
        mine = row >= 0
        place = look[mine] * rows.size + row[mine]
        added = np.bincount(place, positions.lots[seen][mine], minlength=looks.size * rows.size)
        lots = positions.net[rows] + np.cumsum(
            added.reshape(looks.size, rows.size), axis=0, dtype=np.float64
        )
        units = np.multiply(lots, scenario.chain.lot_units, dtype=np.float64)
        return _deltas(scenario, path, positions.book, (rows, over_implied), looks, units)

    rows = positions.touched()
    if expiry is None:
        delta = deltas_of(rows, 1.0)
    else:
        expiring = positions.book.expiry_ns[rows] == path.session.end_ns
        delta = deltas_of(rows[expiring], scenario.expiry.hedging_volatility)
        last = int(np.searchsorted(looks, int(expiry.looks[0])))
        delta[last:] = delta[last]
        delta += deltas_of(rows[~expiring], 1.0)
    first = state.first_delta + by_look(positions.first)
    not_taken = dealers.share * first - state.taken - by_look(positions.taken)
    return dealers.ordinary_share * (delta - first) + not_taken


def _deltas(
    scenario: Scenario,
    path: IndexPath,
    book: Book,
    reckoned: tuple[NDArray[np.int64], float],
    looks: NDArray[np.int64],
    units: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return customers' delta at each look, underlying units: the sum over live contracts.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    book : Book
    reckoned : (ndarray of shape (m,), float)
        Rows of the book, and at which volatility over the market's.
    looks : ndarray of shape (n,), int64
    units : ndarray of shape (n, m)
        Customers' net position in each row at each look, underlying units.
    """
    rows, over_implied = reckoned
    total = np.zeros(looks.size)
    at_once = max(1, _PAIRS_AT_ONCE // max(1, rows.size))
    for begin in range(0, looks.size, at_once):
        block = slice(begin, begin + at_once)
        live = book.expiry_ns[rows][None, :] > looks[block, None]
        look, which = np.nonzero(live & (units[block] != 0.0))
        contract, stamp = rows[which], looks[block][look]
        strike, expiry_ns = book.strike[contract], book.expiry_ns[contract]
        vol = over_implied * implied_volatility(scenario, path, strike, expiry_ns, stamp)
        price = path.price[path.second(stamp)]
        years = (expiry_ns - stamp) / YEAR_NS
        delta = pricing.delta(book.right[contract], price, strike, years, vol)
        total[block] = np.bincount(
            look, weights=delta * units[block][look, which], minlength=live.shape[0]
        )
    return total


def _worked(
    scenario: Scenario,
    session: Session,
    looks: NDArray[np.int64],
    order: NDArray[np.float64],
    interval: int,
) -> Trades:
    """Return orders as they are traded."""
    rng = stream(scenario.seed, Component.BOOK, session.number)
    side_rng = stream(scenario.seed, Component.BOOK_SIDES, session.number)
    stamp, size, which = worked_until_the_next_look(scenario, session, looks, order, interval, rng)
    direction = np.where(order > 0.0, 1, -1)
    sign = sides(scenario, direction, which, side_rng)
    return Trades.in_order([Trades.of(stamp, size, sign, BOOK)])


def worked_until_the_next_look(
    scenario: Scenario,
    session: Session,
    looks: NDArray[np.int64],
    order: NDArray[np.float64],
    interval: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return stamps and sizes of pieces at random times after each look, and whose order each is.

    Parameters
    ----------
    scenario : Scenario
    session : Session
    looks : ndarray of shape (n,), int64
        Ascending, `interval` nanoseconds apart, each at least a second before the session's end.
    order : ndarray of shape (n,), float64
        Underlying units, signed; 0 where there is none.
    interval : int
    rng : Generator
    """
    size, which = pieces(scenario, np.abs(order), rng)
    span = np.minimum(interval, session.end_ns - looks) // RESOLUTION_NS - 1
    stamp = looks[which] + (1 + rng.integers(0, span[which])) * RESOLUTION_NS
    return stamp, size, which
