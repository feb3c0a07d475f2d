"""First passages on ticks by descent through running extremes, instead of walking every tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgeflow.strategies.volume_shock.exits import Exits, per_trade
from hedgeflow.strategies.volume_shock.tick_exits import FLOAT, INT, at_or_after, tick_places

FAN: Final = 8
"""So many nodes of a level lie under one of the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Extremes:
    """The highest and lowest price of every 8, 64, 512, … ticks.

    Attributes
    ----------
    price : ndarray of shape (n_ticks,), float64
    high, low : ndarray, float64
        Of all nodes, level after level; the last node of a level may be short, and prices that are
        no numbers do not count.
    """

    price: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]

    @classmethod
    def of(cls, price: NDArray[np.float64]) -> Extremes:
        """Return the extremes of at least one price."""
        highs: list[NDArray[np.float64]] = [np.ascontiguousarray(price)]
        lows = highs[:]
        while highs[-1].size > 1:
            starts = np.arange(0, highs[-1].size, FAN)
            highs.append(np.fmax.reduceat(highs[-1], starts))
            lows.append(np.fmin.reduceat(lows[-1], starts))
        if len(highs) == 1:
            return cls(highs[0], highs[0], lows[0])
        return cls(highs[0], np.concatenate(highs[1:]), np.concatenate(lows[1:]))


@dataclass(frozen=True, slots=True, eq=False)
class PathIndex:
    """Ticks with what first passages need of them.

    Attributes
    ----------
    at_ns : ndarray of shape (n_ticks,), int64
        UTC nanoseconds, ascending.
    bid, ask : Extremes
        What a long and what a short gets at its exit.
    level_at : ndarray of shape (n_levels + 1,), int64
        Where the nodes of each level begin in the extremes.
    """

    at_ns: NDArray[np.int64]
    bid: Extremes
    ask: Extremes
    level_at: NDArray[np.int64]

    @classmethod
    def of(
        cls, at_ns: NDArray[np.int64], bid: NDArray[np.float64], ask: NDArray[np.float64]
    ) -> PathIndex:
        """Return the index of at least one tick; last trades stand twice where none are quoted."""
        nodes = [at_ns.size]
        while nodes[-1] > 1:
            nodes.append(-(-nodes[-1] // FAN))
        level_at = np.concatenate(([0], np.cumsum(nodes[1:], dtype=np.int64)))
        bids = Extremes.of(bid)
        asks = bids if ask is bid else Extremes.of(ask)
        return cls(np.ascontiguousarray(at_ns), bids, asks, level_at.astype(np.int64))


def exit_on_path_many(
    path: PathIndex,
    entry: ArrayLike,
    entry_price: ArrayLike,
    direction: ArrayLike,
    target_distance: ArrayLike,
    stop_distance: ArrayLike,
    limit_ns: ArrayLike,
    latency_ns: int,
) -> Exits:
    """Return what `exit_on_ticks_many` returns, in the logarithm of the ticks walked.

    Parameters
    ----------
    path : PathIndex
    entry : array_like of int, shape (n_entries,)
        Index of each position's entry tick; it is checked too.
    entry_price, direction, target_distance, stop_distance, limit_ns : array_like
        As for `exit_on_ticks_many`.
    latency_ns : int
        How long after its reason an exit order reaches the venue.

    Raises
    ------
    DataError
        An entry is not the index of a tick, or a direction, distance or limit is not finite.
    """
    places = tick_places(path.at_ns, entry)
    found = _each(
        path.at_ns,
        path.level_at,
        path.bid.price,
        path.bid.high,
        path.bid.low,
        path.ask.price,
        path.ask.high,
        path.ask.low,
        places,
        per_trade(entry_price, places.size, FLOAT),
        per_trade(direction, places.size, INT),
        per_trade(target_distance, places.size, FLOAT),
        per_trade(stop_distance, places.size, FLOAT),
        per_trade(limit_ns, places.size, INT),
        latency_ns,
    )
    return Exits(*found)


@nb.njit(cache=True, nogil=True)
def _each(
    at_ns: NDArray[np.int64],
    level_at: NDArray[np.int64],
    bid: NDArray[np.float64],
    bid_high: NDArray[np.float64],
    bid_low: NDArray[np.float64],
    ask: NDArray[np.float64],
    ask_high: NDArray[np.float64],
    ask_low: NDArray[np.float64],
    entry: NDArray[np.int64],
    entry_price: NDArray[np.generic],
    direction: NDArray[np.generic],
    target_distance: NDArray[np.generic],
    stop_distance: NDArray[np.generic],
    limit_ns: NDArray[np.generic],
    latency_ns: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int8], NDArray[np.int8]]:
    count, size = entry.size, at_ns.size
    price, ns = np.empty(count, np.float64), np.empty(count, np.int64)
    reason, flags = np.empty(count, np.int8), np.zeros(count, np.int8)
    for k in range(count):
        side = direction[k]
        target = entry_price[k] + side * target_distance[k]
        stop = entry_price[k] - side * stop_distance[k]
        deadline = at_ns[entry[k]] + limit_ns[k]
        due = at_or_after(at_ns, deadline, entry[k])
        if side > 0:
            exits = bid
            i = _first_outside(bid, bid_high, bid_low, level_at, entry[k], due, target, stop)
        else:
            exits = ask
            i = _first_outside(ask, ask_high, ask_low, level_at, entry[k], due, stop, target)
        if i == size:
            reason[k], flags[k] = 5, 2
            price[k], ns[k] = exits[size - 1], at_ns[size - 1]
            continue
        order_ns = deadline
        if i == due:
            reason[k] = 1
        else:
            reason[k] = 2 if side * exits[i] >= side * target else 3
            order_ns = at_ns[i]
        fill = at_or_after(at_ns, order_ns + latency_ns, i)
        if fill == size:
            fill = size - 1
            flags[k] = 2
        price[k], ns[k] = exits[fill], at_ns[fill]
    return price, ns, reason, flags


@nb.njit(cache=True, nogil=True)
def _first_outside(
    price: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    level_at: NDArray[np.int64],
    begin: int,
    end: int,
    upper: float,
    lower: float,
) -> int:
    """Return the first tick of [begin, end) at or above one price or at or below another.

    `end` where there is none. A node without such a tick is passed over whole, and the walk climbs
    where a larger node begins; one that has such a tick is entered.
    """
    i, level, width = begin, 0, 1
    top = level_at.size - 1
    while i < end:
        if level == 0:
            is_there = price[i] >= upper or price[i] <= lower
        else:
            node = level_at[level - 1] + i // width
            is_there = high[node] >= upper or low[node] <= lower
        if not is_there:
            i += width
            while level < top and i % (width * FAN) == 0:
                level += 1
                width *= FAN
        elif level == 0:
            return i
        else:
            level -= 1
            width //= FAN
    return end
