"""How many positions end on ticks: one variant for each entry, or a grid of variants."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgeflow.market.errors import DataError
from hedgeflow.strategies.exits import FLOAT, INT, Exits, at_or_after, per_trade, tick_places
from hedgeflow.strategies.volume_shock.exits import exit_on_ticks


def exit_on_ticks_many(
    at_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    entry: ArrayLike,
    entry_price: ArrayLike,
    direction: ArrayLike,
    target_distance: ArrayLike,
    stop_distance: ArrayLike,
    limit_ns: ArrayLike,
    latency_ns: int,
) -> Exits:
    """Return how positions with target, stop and limit of their own end, as `exit_on_ticks` does.

    Parameters
    ----------
    at_ns : ndarray of shape (n_ticks,), int64
        UTC nanoseconds, ascending.
    bid, ask : ndarray of shape (n_ticks,), float64
        What a long and what a short gets at its exit; last trades twice where there are no quotes.
    entry : array_like of int, shape (n_entries,)
        Index of each position's entry tick; it is checked too.
    entry_price : array_like, shape (n_entries,) or scalar
        With quotes the ask for a long, the bid for a short.
    direction, target_distance, stop_distance, limit_ns : array_like, shape (n_entries,) or scalar
        +1 or -1; price units; price units; nanoseconds.
    latency_ns : int
        How long after its reason an exit order reaches the venue.

    Returns
    -------
    Exits
        Arrays of shape (n_entries,).

    Raises
    ------
    DataError
        An entry is not the index of a tick, or a direction, distance or limit is not finite.
    """
    places = tick_places(at_ns, entry)
    found = _each(
        np.ascontiguousarray(at_ns),
        np.ascontiguousarray(bid),
        np.ascontiguousarray(ask),
        places,
        np.ascontiguousarray(np.broadcast_to(np.asarray(entry_price, FLOAT), places.shape)),
        per_trade(direction, places.size, INT),
        per_trade(target_distance, places.size, FLOAT),
        per_trade(stop_distance, places.size, FLOAT),
        per_trade(limit_ns, places.size, INT),
        latency_ns,
    )
    return Exits(*found)


def exit_on_ticks_grid(
    at_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    entry: ArrayLike,
    entry_price: ArrayLike,
    direction: ArrayLike,
    target_distance: ArrayLike,
    stop_distance: ArrayLike,
    limit_ns: ArrayLike,
    latency_ns: int,
) -> Exits:
    """Return how every entry ends under every variant, each as `exit_on_ticks` finds it.

    Parameters
    ----------
    at_ns : ndarray of shape (n_ticks,), int64
        UTC nanoseconds, ascending.
    bid, ask : ndarray of shape (n_ticks,), float64
        What a long and what a short gets at its exit; last trades twice where there are no quotes.
    entry : array_like of int, shape (n_entries,)
        Index of each position's entry tick; it is checked too.
    entry_price : array_like, shape (n_entries,) or scalar
        With quotes the ask for a long, the bid for a short.
    direction : array_like, shape (n_entries,) or scalar
        +1 or -1.
    target_distance, stop_distance, limit_ns : array_like, shape (n_variants,) or scalar
        Price units; price units; nanoseconds.
    latency_ns : int
        How long after its reason an exit order reaches the venue.

    Returns
    -------
    Exits
        Arrays of shape (n_entries, n_variants).

    Raises
    ------
    DataError
        An entry is not the index of a tick; a direction, distance or limit is not finite; or the
        longest limit ends after the last instant that nanoseconds can tell.

    Notes
    -----
    Per entry the ticks are walked once for all targets and once for all stops, in ascending order
    of distance, up to the last deadline at most; so the work is the ticks walked plus the number
    of exits, instead of their product. Releases the interpreter lock.
    """
    places = tick_places(at_ns, entry)
    variants = np.broadcast(target_distance, stop_distance, limit_ns).size
    targets, target_of = np.unique(per_trade(target_distance, variants, FLOAT), return_inverse=True)
    stops, stop_of = np.unique(per_trade(stop_distance, variants, FLOAT), return_inverse=True)
    limits, limit_of = np.unique(per_trade(limit_ns, variants, INT), return_inverse=True)
    if places.size and limits.size:
        latest = int(at_ns[places.max()]) + int(limits[-1]) + latency_ns
        if latest > np.iinfo(np.int64).max:
            raise DataError("the longest time limit ends after the last instant there is")
    found = _grid(
        np.ascontiguousarray(at_ns),
        np.ascontiguousarray(bid),
        np.ascontiguousarray(ask),
        places,
        np.ascontiguousarray(np.broadcast_to(np.asarray(entry_price, FLOAT), places.shape)),
        per_trade(direction, places.size, FLOAT),
        targets,
        stops,
        limits,
        target_of,
        stop_of,
        limit_of,
        latency_ns,
    )
    return Exits(*found)


@nb.njit(cache=True, nogil=True)
def _each(
    at_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    entry: NDArray[np.int64],
    entry_price: NDArray[np.float64],
    direction: NDArray[np.generic],
    target_distance: NDArray[np.generic],
    stop_distance: NDArray[np.generic],
    limit_ns: NDArray[np.generic],
    latency_ns: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int8], NDArray[np.int8]]:
    count = entry.size
    price, ns = np.empty(count, np.float64), np.empty(count, np.int64)
    reason, flags = np.empty(count, np.int8), np.empty(count, np.int8)
    for k in range(count):
        price[k], ns[k], reason[k], flags[k] = exit_on_ticks(
            at_ns,
            bid if direction[k] > 0 else ask,
            entry[k],
            entry_price[k],
            direction[k],
            target_distance[k],
            stop_distance[k],
            limit_ns[k],
            latency_ns,
        )
    return price, ns, reason, flags


@nb.njit(cache=True, nogil=True)
def _grid(
    at_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    entry: NDArray[np.int64],
    entry_price: NDArray[np.float64],
    direction: NDArray[np.generic],
    targets: NDArray[np.generic],
    stops: NDArray[np.generic],
    limits: NDArray[np.generic],
    target_of: NDArray[np.intp],
    stop_of: NDArray[np.intp],
    limit_of: NDArray[np.intp],
    latency_ns: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int8], NDArray[np.int8]]:
    """Find each distinct level and deadline once per entry; a variant takes the first of three."""
    shape = (entry.size, target_of.size)
    price, ns = np.empty(shape, np.float64), np.empty(shape, np.int64)
    reason, flags = np.empty(shape, np.int8), np.zeros(shape, np.int8)
    deadline, due = np.empty(limits.size, np.int64), np.empty(limits.size, np.int64)
    reached, stopped = np.empty(targets.size, np.int64), np.empty(stops.size, np.int64)
    size = at_ns.size
    if target_of.size == 0:
        return price, ns, reason, flags
    for e in range(entry.size):
        begin, side = entry[e], direction[e]
        exits = bid if side > 0 else ask
        end = begin
        for k in range(limits.size):
            deadline[k] = at_ns[begin] + limits[k]
            end = at_or_after(at_ns, deadline[k], end)
            due[k] = end
        _first_beyond(exits, begin, end, side, entry_price[e], targets, reached)
        _first_beyond(exits, begin, end, -side, entry_price[e], stops, stopped)
        for v in range(target_of.size):
            t, s, k = int(target_of[v]), int(stop_of[v]), int(limit_of[v])
            i = int(min(due[k], reached[t], stopped[s]))
            code = 1 if i == due[k] else 2 if i == reached[t] else 3
            order_ns = (deadline[k] if code == 1 else at_ns[i]) + latency_ns
            fill = at_or_after(at_ns, order_ns, i)
            reason[e, v] = code if i < size else 5
            if fill == size:
                fill = size - 1
                flags[e, v] = 2
            price[e, v], ns[e, v] = exits[fill], at_ns[fill]
    return price, ns, reason, flags


@nb.njit(cache=True, nogil=True)
def _first_beyond(
    price: NDArray[np.float64],
    begin: int,
    end: int,
    side: float,
    entered: float,
    distances: NDArray[np.generic],
    found: NDArray[np.int64],
) -> None:
    """Fill the first tick of [begin, end) at or beyond each ascending distance; else n_ticks.

    A target lies on the position's own side, a stop on the other.
    """
    found[:] = price.size
    k = 0
    level = side * (entered + side * distances[k])
    for i in range(begin, end):
        while side * price[i] >= level:
            found[k] = i
            k += 1
            if k == distances.size:
                return
            level = side * (entered + side * distances[k])
