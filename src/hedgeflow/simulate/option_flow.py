"""Ordinary option flow: bursts in one contract, customers on both sides, heavy-tailed sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.time import SECOND_NS, YEAR_NS
from hedgeflow.simulate.hours import SECONDS_PER_DAY, Session, activity
from hedgeflow.simulate.prints import RESOLUTION_NS, SMALLEST_HORIZON_NS, Orders, tail_lots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.listing import Book
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario

_EXPIRY_WEIGHT_EXPONENT: Final = 0.7
_MONEYNESS_DEVIATION: Final = 0.9
_OUT_OF_THE_MONEY_SHARE: Final = 0.75


def ordinary_orders(
    scenario: Scenario, path: IndexPath, book: Book, rng: np.random.Generator, span: tuple[int, int]
) -> Orders:
    """Return the ordinary orders of a span of one day in which the listed contracts stay the same.

    Bursts arrive as a Poisson process with the time-of-day profile; the prints of a burst follow
    its first at exponential delays (a Neyman-Scott cluster process), all in one contract, each on
    a side of its own. What would print after the day, or at or after expiry, does not.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    book : Book
    rng : Generator
    span : (int, int)
        Half-open, UTC nanoseconds.
    """
    starts = burst_starts(scenario, path.session, rng, span)
    contract = chosen_contracts(book, path, starts, rng)
    followers = rng.geometric(1.0 / scenario.option_flow.burst_trades, starts.size) - 1
    behind = rng.exponential(scenario.option_flow.burst_seconds * SECOND_NS, int(followers.sum()))
    stamp = np.concatenate((starts, np.repeat(starts, followers) + behind.astype(np.int64)))
    stamp -= stamp % RESOLUTION_NS
    contract = np.concatenate((contract, np.repeat(contract, followers)))
    count = stamp.size
    body = scenario.option_flow.lots_median * np.exp(
        scenario.option_flow.lots_sigma * rng.standard_normal(count)
    )
    lots = np.clip(np.round(body), 1, scenario.option_flow.largest_lots).astype(np.int64)
    in_tail = rng.random(count) < scenario.option_flow.tail_share
    lots = np.where(in_tail, tail_lots(scenario, rng, count), lots)
    side = 2 * rng.integers(0, 2, count) - 1
    orders = Orders.simple(stamp, contract, lots, side)
    prints = (stamp < path.session.end_ns) & (stamp < book.expiry_ns[contract])
    complex_draw = rng.random(count)
    return with_second_legs(
        orders.take(prints),
        book,
        complex_draw[prints] < scenario.option_flow.complex_share,
        span[0],
    )


def burst_starts(
    scenario: Scenario, session: Session, rng: np.random.Generator, span: tuple[int, int]
) -> NDArray[np.int64]:
    """Return the ascending stamps of bursts in a span, by the second with the day's profile."""
    bursts = scenario.option_flow.trades_per_day / scenario.option_flow.burst_trades
    counts = rng.poisson(bursts / session.seconds * activity(scenario, session))
    second = np.repeat(np.arange(session.seconds, dtype=np.int64), counts)
    stamp = session.start_ns + second * SECOND_NS
    stamp += rng.integers(0, 1000, stamp.size) * RESOLUTION_NS
    stamp.sort()
    return stamp[(stamp >= span[0]) & (stamp < span[1])]


def chosen_contracts(
    book: Book, path: IndexPath, stamps: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the contract of each burst: near expiries and out-of-the-money strikes most."""
    weights = (1.0 + np.arange(len(book.live))) ** -_EXPIRY_WEIGHT_EXPONENT
    which = rng.choice(len(book.live), size=stamps.size, p=weights / weights.sum())
    z = _MONEYNESS_DEVIATION * rng.standard_normal(stamps.size)
    out_of_the_money = rng.random(stamps.size) < _OUT_OF_THE_MONEY_SHARE
    put = np.where(out_of_the_money, z < 0.0, z >= 0.0)
    seconds = path.second(stamps)
    contract = np.empty(stamps.size, dtype=np.int64)
    for rank, expiry in enumerate(book.live):
        mine = which == rank
        left_ns = np.maximum(expiry.expiry_ns - stamps[mine], SMALLEST_HORIZON_NS)
        deviation = path.level[seconds[mine]] * np.sqrt(left_ns / YEAR_NS)
        targets = path.price[seconds[mine]] * np.exp(z[mine] * deviation)
        contract[mine] = expiry.first_contract[expiry.nearest(targets)] + put[mine]
    return contract


def with_second_legs(
    orders: Orders, book: Book, is_complex: NDArray[np.bool_], first_number: int
) -> Orders:
    """Return orders with the second legs of complex ones: verticals, the other side one strike on.

    A complex order in the highest strike takes the next lower one. Both legs carry one stamp, one
    size and one combo number; numbers count up within a span from one that differs by span.
    """
    leads = orders.take(is_complex)
    if leads.stamp.size == 0:
        return orders
    other = np.empty(leads.stamp.size, dtype=np.int64)
    for expiry in book.live:
        mine = book.expiry_ns[leads.contract] == expiry.expiry_ns
        position = np.searchsorted(expiry.strikes, book.strike[leads.contract[mine]])
        beside = np.where(position + 1 < expiry.strikes.size, position + 1, position - 1)
        put = book.right[leads.contract[mine]] < 0
        other[mine] = expiry.first_contract[beside] + put
    number = first_number // SECOND_NS % SECONDS_PER_DAY * 1000 + np.arange(
        leads.stamp.size, dtype=np.int64
    )
    combo = orders.combo.copy()
    combo[is_complex] = number
    simple = Orders(orders.stamp, orders.contract, orders.lots, orders.side, combo)
    legs = Orders(leads.stamp, other, leads.lots, -leads.side, number)
    return Orders.concatenated([simple, legs])
