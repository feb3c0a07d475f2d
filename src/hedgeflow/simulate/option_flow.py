"""Ordinary option flow: bursts in one contract, customers on both sides, heavy-tailed sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.time import SECOND_NS
from hedgeflow.simulate.hours import FULL_SESSION_SECONDS, Session, activity
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.prints import Orders, tail_lots
from hedgeflow.simulate.smiles import deviation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.listing import Book
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario

_EXPIRY_WEIGHT_EXPONENT: Final = 0.7
_MONEYNESS_DEVIATION: Final = 0.9
_OUT_OF_THE_MONEY_SHARE: Final = 0.75


def ordinary_orders(
    scenario: Scenario, path: IndexPath, books: tuple[Book, Book], rng: np.random.Generator
) -> Orders:
    """Return the ordinary orders of a session.

    Bursts arrive as a Poisson process with the time-of-day profile; the prints of a burst follow
    its first at exponential delays (a Neyman-Scott cluster process), all in one contract, each on
    a side of its own. What would print after the session, or at or after expiry, does not.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    books : (Book, Book)
        Before and after the session's listing; rows of the second.
    rng : Generator
    """
    session = path.session
    starts = burst_starts(scenario, session, rng)
    early = int(np.searchsorted(starts, session.listing_ns))
    contract = np.concatenate(
        [
            chosen_contracts(scenario, book, path, part, rng)
            for book, part in zip(books, np.split(starts, [early]), strict=True)
        ]
    )
    flow = scenario.option_flow
    followers = rng.geometric(1.0 / flow.burst_trades, starts.size) - 1
    behind = rng.exponential(flow.burst_seconds * SECOND_NS, int(followers.sum()))
    behind = behind.astype(np.int64) // RESOLUTION_NS * RESOLUTION_NS
    stamp = np.concatenate((starts, np.repeat(starts, followers) + behind))
    contract = np.concatenate((contract, np.repeat(contract, followers)))
    orders = Orders.simple(
        stamp, contract, _lots(scenario, rng, stamp.size), 2 * rng.integers(0, 2, stamp.size) - 1
    )
    is_complex = rng.random(stamp.size) < flow.complex_share
    prints = np.flatnonzero((stamp < session.end_ns) & (stamp < books[1].expiry_ns[contract]))
    orders, is_complex = orders.take(prints), is_complex[prints]
    before = orders.stamp < session.listing_ns
    for book, when in zip(books, (before, ~before), strict=True):
        orders = with_second_legs(orders, book, np.flatnonzero(is_complex & when))
    return orders


def burst_starts(
    scenario: Scenario, session: Session, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the ascending stamps of a session's bursts, by the second with the day's profile.

    None is in the first millisecond of a session or of a listing, before a quote can be known.
    """
    flow = scenario.option_flow
    bursts = flow.trades_per_day / flow.burst_trades / (1.0 + flow.complex_share)
    rate = bursts / FULL_SESSION_SECONDS[scenario.hours]
    counts = rng.poisson(rate * activity(scenario, session))
    second = np.repeat(np.arange(session.seconds, dtype=np.int64), counts)
    stamp = session.start_ns + second * SECOND_NS
    stamp += rng.integers(1, 1000, stamp.size) * RESOLUTION_NS
    stamp.sort()
    return stamp


def _lots(scenario: Scenario, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Return sizes of prints: a lognormal body, and a share of them from the Pareto tail."""
    flow = scenario.option_flow
    body = flow.lots_median * np.exp(flow.lots_sigma * rng.standard_normal(count))
    lots = np.clip(np.round(body), 1, flow.largest_lots).astype(np.int64)
    in_tail = rng.random(count) < flow.tail_share
    return np.where(in_tail, tail_lots(scenario, rng, count), lots)


def chosen_contracts(
    scenario: Scenario,
    book: Book,
    path: IndexPath,
    stamps: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the contract of each burst: near expiries and out-of-the-money strikes most."""
    if stamps.size == 0:
        return np.empty(0, dtype=np.int64)
    weights = (1.0 + np.arange(len(book.live))) ** -_EXPIRY_WEIGHT_EXPONENT
    which = rng.choice(len(book.live), size=stamps.size, p=weights / weights.sum())
    z = _MONEYNESS_DEVIATION * rng.standard_normal(stamps.size)
    out_of_the_money = rng.random(stamps.size) < _OUT_OF_THE_MONEY_SHARE
    put = np.where(out_of_the_money, z < 0.0, z >= 0.0)
    seconds = path.second(stamps)
    contract = np.empty(stamps.size, dtype=np.int64)
    for rank, expiry in enumerate(book.live):
        mine = which == rank
        expiry_ns = np.full(z[mine].size, expiry.expiry_ns)
        spread = deviation(scenario, path, expiry_ns, stamps[mine])
        targets = path.price[seconds[mine]] * np.exp(z[mine] * spread)
        contract[mine] = expiry.first_contract[expiry.nearest(targets)] + put[mine]
    return contract


def with_second_legs(orders: Orders, book: Book, complex_at: NDArray[np.int64]) -> Orders:
    """Return orders with the second legs of complex ones: verticals, the other side one strike on.

    A complex order in the highest strike takes the next lower one. Both legs carry one stamp, one
    size and one combo number; numbers count up behind those that are there.
    """
    if complex_at.size == 0:
        return orders
    leads = orders.take(complex_at)
    other = np.empty(leads.stamp.size, dtype=np.int64)
    expiry_ns = book.expiry_ns[leads.contract]
    for expiry in book.live:
        mine = np.flatnonzero(expiry_ns == expiry.expiry_ns)
        position = np.searchsorted(expiry.strikes, book.strike[leads.contract[mine]])
        beside = np.where(position + 1 < expiry.strikes.size, position + 1, position - 1)
        put = book.right[leads.contract[mine]] < 0
        other[mine] = expiry.first_contract[beside] + put
    number = int(orders.combo.max()) + 1 + np.arange(leads.stamp.size, dtype=np.int64)
    combo = orders.combo.copy()
    combo[complex_at] = number
    simple = Orders(orders.stamp, orders.contract, orders.lots, orders.side, combo)
    legs = Orders(leads.stamp, other, leads.lots, -leads.side, number)
    return Orders.concatenated([simple, legs])
