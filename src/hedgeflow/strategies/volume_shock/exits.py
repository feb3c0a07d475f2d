"""When a position ends: the source's order on a price, on ticks, and on bars (precise.md 24)."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgeflow.market.errors import DataError
from hedgeflow.strategies.exits import GAP_BARS, Bars, Exits, per_trade


@nb.njit(cache=True, nogil=True)
def step(
    now_ns: int, price: float, direction: int, target: float, stop: float, deadline_ns: int
) -> int:
    """Return what to do with a position at one price, in the source's order.

    Time limit, then target, then stop, else hold (volume-shock.md 6). The time limit has come
    when now >= deadline, as on bars; the source waits for the first instant beyond it.

    Parameters
    ----------
    now_ns, deadline_ns : int
        UTC nanoseconds; the deadline is entry + limit.
    price, target, stop : float
    direction : int
        +1 long, -1 short.

    Returns
    -------
    int
        A code of `Exit`.
    """
    if now_ns >= deadline_ns:
        return 1
    if direction * price >= direction * target:
        return 2
    if direction * price <= direction * stop:
        return 3
    return 0


def exit_on_bars_many(
    bars: Bars,
    entry: ArrayLike,
    direction: ArrayLike,
    target_distance: ArrayLike,
    stop_distance: ArrayLike,
    limit_ns: ArrayLike,
    *,
    gap_bars: float = GAP_BARS,
) -> Exits:
    """Return how positions entered at bars' opens end, by the bar rules of precise.md 24.

    Parameters
    ----------
    bars : Bars
    entry : array_like of int, shape (..., n_trades)
        Index of each position's entry bar; it enters at that bar's open.
    direction, target_distance, stop_distance, limit_ns : array_like, shape (n_trades,) or scalar
        +1 or -1; price units; price units; nanoseconds. They repeat over the leading axes of
        `entry`, so that an array of draws x trades needs them once per trade.
    gap_bars : float
        A gap of more than so many bar lengths between starts ends a position at the next open.

    Returns
    -------
    Exits
        Arrays of the shape of `entry`.

    Raises
    ------
    DataError
        An entry is not the index of a bar, or a number that is not finite was passed.

    Notes
    -----
    Per bar, the entry bar first: a gap or start >= entry + limit exits at its open; an open
    through stop or target exits there at the open; else the stop if touched, else the target.
    Releases the interpreter lock, so draws can be split over threads.
    """
    index = np.ascontiguousarray(entry, dtype=np.int64)
    flat = index.reshape(-1)
    size = bars.start_ns.size
    if flat.size and (int(flat.min()) < 0 or int(flat.max()) >= size):
        raise DataError(f"an entry bar lies outside the {size} bars of the tape")
    trades = index.shape[-1] if index.ndim else 1
    parameters = (
        per_trade(direction, trades, np.dtype(np.float64)),
        per_trade(target_distance, trades, np.dtype(np.float64)),
        per_trade(stop_distance, trades, np.dtype(np.float64)),
        per_trade(limit_ns, trades, np.dtype(np.int64)),
    )
    price, ns, reason, flags = _walk_many(
        bars.start_ns,
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        bars.interval_ns,
        int(gap_bars * bars.interval_ns),
        flat,
        *parameters,
    )
    shape = index.shape
    return Exits(
        price.reshape(shape), ns.reshape(shape), reason.reshape(shape), flags.reshape(shape)
    )


@nb.njit(cache=True, nogil=True)
def _walk_many(
    start: NDArray[np.int64],
    open_: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
    interval_ns: int,
    gap_ns: int,
    entry: NDArray[np.int64],
    direction: NDArray[np.generic],
    target_distance: NDArray[np.generic],
    stop_distance: NDArray[np.generic],
    limit_ns: NDArray[np.generic],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int8], NDArray[np.int8]]:
    count, trades = entry.size, direction.size
    price, ns = np.empty(count, np.float64), np.empty(count, np.int64)
    reason, flags = np.empty(count, np.int8), np.empty(count, np.int8)
    trade = 0
    for k in range(count):
        price[k], ns[k], reason[k], flags[k] = _walk_bars(
            start,
            open_,
            high,
            low,
            close,
            interval_ns,
            gap_ns,
            entry[k],
            direction[trade],
            target_distance[trade],
            stop_distance[trade],
            limit_ns[trade],
        )
        trade += 1
        if trade == trades:
            trade = 0
    return price, ns, reason, flags


@nb.njit(cache=True, nogil=True)
def _walk_bars(
    start: NDArray[np.int64],
    open_: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
    interval_ns: int,
    gap_ns: int,
    entry: int,
    direction: float,
    target_distance: float,
    stop_distance: float,
    limit_ns: int,
) -> tuple[float, int, int, int]:
    """Walk one position to its end; prices are compared as direction x price."""
    entered = open_[entry]
    target = entered + direction * target_distance
    stop = entered - direction * stop_distance
    signed_target, signed_stop = direction * target, direction * stop
    deadline = start[entry] + limit_ns
    previous = start[entry]
    for i in range(entry, start.size):
        begin = start[i]
        if begin - previous > gap_ns:
            return open_[i], begin, 4, 1
        if begin >= deadline:
            return open_[i], begin, 1, 0
        previous = begin
        signed_open = direction * open_[i]
        if signed_open <= signed_stop:
            return open_[i], begin, 3, 0
        if signed_open >= signed_target:
            return open_[i], begin, 2, 0
        worst, best = (low[i], high[i]) if direction > 0 else (-high[i], -low[i])
        if worst <= signed_stop:
            return stop, begin + interval_ns, 3, 4 if best >= signed_target else 0
        if best >= signed_target:
            return target, begin + interval_ns, 2, 0
    last = start.size - 1
    return close[last], start[last] + interval_ns, 5, 2


@nb.njit(cache=True, nogil=True)
def exit_on_ticks(
    at_ns: NDArray[np.int64],
    price: NDArray[np.float64],
    entry: int,
    entry_price: float,
    direction: int,
    target_distance: float,
    stop_distance: float,
    limit_ns: int,
    latency_ns: int,
) -> tuple[float, int, int, int]:
    """Return how one position ends on ticks: price, instant, `Exit` code, flags.

    Parameters
    ----------
    at_ns : ndarray of shape (n_ticks,), int64
        UTC nanoseconds, ascending.
    price : ndarray of shape (n_ticks,), float64
        What an exit would get: last trades, or with quotes the bid for a long, the ask for a short.
    entry : int
        Index of the entry tick; it is checked too.
    entry_price : float
        With quotes the ask for a long, the bid for a short.
    direction : int
        +1 long, -1 short.
    target_distance, stop_distance : float
        Price units from `entry_price`.
    limit_ns, latency_ns : int
        Longest holding time; and how long after its reason an exit order reaches the venue.

    Returns
    -------
    tuple
        The exit fills at the first tick at or after its reason + latency; without one, at the last
        tick, flagged END_OF_DATA. The deadline is known beforehand: its order leaves at it.
    """
    target = entry_price + direction * target_distance
    stop = entry_price - direction * stop_distance
    deadline = at_ns[entry] + limit_ns
    last = at_ns.size - 1
    for i in range(entry, at_ns.size):
        reason = step(at_ns[i], price[i], direction, target, stop, deadline)
        if reason == 0:
            continue
        order_ns = (deadline if reason == 1 else at_ns[i]) + latency_ns
        for j in range(i, at_ns.size):
            if at_ns[j] >= order_ns:
                return price[j], at_ns[j], reason, 0
        return price[last], at_ns[last], reason, 2
    return price[last], at_ns[last], 5, 2
