"""A session's shocks in order of time: each sees what the hedges of earlier ones have moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.simulate.hedging import Hedge, hedge_of
from hedgeflow.simulate.prints import deltas
from hedgeflow.simulate.shocks import Shock, shock_at, shock_times
from hedgeflow.simulate.smiles import implied_volatility
from hedgeflow.simulate.streams import Component, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.impact import Moves
    from hedgeflow.simulate.listing import Book
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario


@dataclass(frozen=True, slots=True)
class HedgedShock:
    """A shock and its hedge.

    Attributes
    ----------
    shock : Shock
    parts : ndarray of shape (n_prints,), float64
        What each print adds to customers' delta as dealers reckon it, signed underlying units: at
        the middle of the market, on the index as it is without this shock's own hedge.
    hedge : Hedge
    """

    shock: Shock
    parts: NDArray[np.float64]
    hedge: Hedge

    @property
    def taken(self) -> NDArray[np.float64]:
        """What the hedge takes on for each print, signed underlying units."""
        return self.parts * (self.hedge.wanted / self.parts.sum())


def hedged_shocks(
    scenario: Scenario,
    path: IndexPath,
    books: tuple[Book, Book],
    first_id: int,
    moves: Moves,
) -> list[HedgedShock]:
    """Return a session's shocks with their hedges, and add what those move to `moves`.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
        The index as it would be without the session's hedges.
    books : (Book, Book)
        Contracts before and after the session's listing, the former first among the latter.
    first_id : int
        Of the session's first shock.
    moves : Moves
        What earlier hedges do to the session.
    """
    session = path.session
    rng = stream(scenario.seed, Component.SHOCKS, session.number)
    hedge_rng = stream(scenario.seed, Component.HEDGES, session.number)
    sign_rng = stream(scenario.seed, Component.UNHEDGED_SIGNS, session.number)
    done: list[HedgedShock] = []
    for number, moment in enumerate(shock_times(scenario, session, rng), first_id):
        seen = moves.moved(path)
        shock = shock_at(scenario, seen, books[moment[0] >= session.listing_ns], rng, moment)
        parts = _parts(scenario, seen, books[1], shock)
        demand = float(parts.sum())
        hedge = hedge_of(scenario, (number, shock.start_ns), demand, hedge_rng, sign_rng)
        moves.add(hedge)
        done.append(HedgedShock(shock, parts, hedge))
    return done


def _parts(scenario: Scenario, path: IndexPath, book: Book, shock: Shock) -> NDArray[np.float64]:
    orders = shock.orders
    strike, expiry_ns = book.strike[orders.contract], book.expiry_ns[orders.contract]
    middle = implied_volatility(scenario, path, strike, expiry_ns, orders.stamp)
    lots = (orders.side * orders.lots).astype(np.float64)
    return lots * deltas(path, book, orders, middle) * scenario.chain.lot_units
