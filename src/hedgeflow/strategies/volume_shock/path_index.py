"""How many positions end on ticks, by descent through running extremes."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgeflow.strategies.exits import FLOAT, INT, Exits, at_or_after, per_trade, tick_places
from hedgeflow.strategies.path_index import PathIndex, first_outside


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
            i = first_outside(bid, bid_high, bid_low, level_at, entry[k], due, target, stop)
        else:
            exits = ask
            i = first_outside(ask, ask_high, ask_low, level_at, entry[k], due, stop, target)
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
