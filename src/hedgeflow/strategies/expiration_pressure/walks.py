"""How many positions end on bars or on ticks, each managed towards its own expiry."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgeflow.market.errors import DataError
from hedgeflow.strategies.exits import (
    FLAG_END_OF_DATA,
    FLAG_GAP,
    FLAG_STOP_BEFORE_TARGET,
    FLOAT,
    GAP_BARS,
    INT,
    Bars,
    at_or_after,
)
from hedgeflow.strategies.expiration_pressure.exits import (
    CRISIS,
    DANGER,
    END_OF_DATA,
    EVOLVE,
    FLAT,
    GAP,
    HIGH,
    HOLD,
    NEVER_NS,
    STOP,
    TARGET,
    TIME_LIMIT,
    ManagedExits,
    Management,
    Positions,
    evolved,
    manage,
)
from hedgeflow.strategies.path_index import PathIndex, first_outside


def exit_on_bars(
    bars: Bars, positions: Positions, rules: Management, *, gap_bars: float = GAP_BARS
) -> ManagedExits:
    """Return how positions entered at bars' opens end, by the bar rules of precise.md 24.

    Parameters
    ----------
    bars : Bars
    positions : Positions
    rules : Management
    gap_bars : float
        A gap of more than so many bar lengths between starts ends a position at the next open.

    Raises
    ------
    DataError
        An entry is not the index of a bar, or a number is not finite.

    Notes
    -----
    Per bar, the entry bar first: a gap, or the flat instant, exits at its open; so does the danger,
    at the last open whose bar ends in time, so that nothing is held with less left; then `manage`
    looks at the open; else the stop if touched, else the target. Releases the interpreter lock.
    """
    held, shape = _held(positions, bars.start_ns.size, "bars")
    return _reshaped(_walk_bars(bars, int(gap_bars * bars.interval_ns), held, rules), shape)


def exit_on_path(
    path: PathIndex,
    positions: Positions,
    entry_price: ArrayLike,
    rules: Management,
    latency_ns: int,
) -> ManagedExits:
    """Return how positions end on ticks, in the logarithm of the ticks walked.

    Parameters
    ----------
    path : PathIndex
    positions : Positions
    entry_price : array_like
        With quotes the ask for a long, the bid for a short.
    rules : Management
    latency_ns : int
        How long after its reason an exit order reaches the venue.

    Raises
    ------
    DataError
        An entry is not the index of a tick, or a number is not finite.

    Notes
    -----
    A time limit and the danger are known beforehand: the order of a time limit leaves at it, that
    of the danger a latency before, so that it is there in time. All exits fill at the first tick at
    or after the order's arrival; without one, at the last, flagged END_OF_DATA.
    """
    held, shape = _held(positions, path.at_ns.size, "ticks")
    found = _walk_path(
        path.at_ns,
        path.level_at,
        _Side(path.bid.price, path.bid.high, path.bid.low),
        _Side(path.ask.price, path.ask.high, path.ask.low),
        latency_ns,
        _column(entry_price, shape, FLOAT),
        held,
        rules,
    )
    return _reshaped(found, shape)


class _Held(NamedTuple):
    """Positions as kernels read them: flat columns of one length."""

    entry: NDArray[np.int64]
    direction: NDArray[np.float64]
    target: NDArray[np.float64]
    stop_distance: NDArray[np.float64]
    tightened: NDArray[np.float64]
    limit_ns: NDArray[np.int64]
    expiry_ns: NDArray[np.int64]
    urgency: NDArray[np.int64]
    flat_ns: NDArray[np.int64]


class _Side(NamedTuple):
    """One side's prices with their extremes."""

    price: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]


def _held(positions: Positions, size: int, what: str) -> tuple[_Held, tuple[int, ...]]:
    """Return positions as flat columns, and the shape that they had."""
    entry = np.array(positions.entry, dtype=np.int64, order="C")
    if entry.size and (int(entry.min()) < 0 or int(entry.max()) >= size):
        raise DataError(f"an entry lies outside the {size} {what} of the tape")
    types = (FLOAT, FLOAT, FLOAT, FLOAT, INT, INT, INT, INT)
    columns = [
        _column(values, entry.shape, dtype)
        for values, dtype in zip(positions[1:], types, strict=True)
    ]
    return _Held(entry.reshape(-1), *columns), entry.shape


def _reshaped(found: ManagedExits, shape: tuple[int, ...]) -> ManagedExits:
    return ManagedExits._make(column.reshape(shape) for column in found)


def _column(values: ArrayLike, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return one value for each position, a copy: kernels are compiled for one kind of array."""
    array = np.asarray(values)
    if not np.isfinite(array).all():
        raise DataError("prices, directions, distances and limits must be finite")
    return np.array(np.broadcast_to(array, shape), dtype=dtype, order="C").reshape(-1)


@nb.njit(cache=True, nogil=True)
def _empty(count: int) -> ManagedExits:
    """Return room for the ends of positions that never evolved."""
    return ManagedExits(
        np.empty(count, np.float64),
        np.empty(count, np.int64),
        np.empty(count, np.int8),
        np.zeros(count, np.int8),
        np.full(count, -1, np.int64),
        np.zeros(count, np.int64),
        np.full(count, np.nan),
        np.empty(count, np.float64),
    )


@nb.njit(cache=True, nogil=True)
def _walk_bars(bars: Bars, gap_ns: int, held: _Held, rules: Management) -> ManagedExits:
    found = _empty(held.entry.size)
    start, interval_ns = bars.start_ns, bars.interval_ns
    last = start.size - 1
    for k in range(held.entry.size):
        first, side, state = held.entry[k], held.direction[k], held.urgency[k]
        target, expiry, tightened = held.target[k], held.expiry_ns[k], held.tightened[k]
        stop = bars.open[first] - side * held.stop_distance[k]
        deadline = start[first] + held.limit_ns[k]
        price, ns, code = bars.close[last], start[last] + interval_ns, END_OF_DATA
        flags = FLAG_END_OF_DATA
        previous = start[first]
        for i in range(first, start.size):
            begin, opened = start[i], bars.open[i]
            todo, crossed = HOLD, False
            if begin - previous > gap_ns:
                todo = GAP
            elif begin >= held.flat_ns[k]:
                todo = FLAT
            elif begin + interval_ns > expiry - rules.danger_ns:
                todo = DANGER
            else:
                todo, state, stop, deadline, crossed = _look(
                    begin, opened, side, target, stop, deadline, expiry, state, tightened, rules
                )
            if crossed:
                found.evolved[k], found.evolved_ns[k] = i, begin
                found.evolved_price[k] = opened
            if todo != HOLD:
                price, ns, code, flags = opened, begin, todo, FLAG_GAP if todo == GAP else 0
                break
            previous = begin
            # The source does one thing a look: what is beyond its stop already ends at the next.
            if crossed and (side * opened <= side * stop or side * opened >= side * target):
                continue
            worst, best = bars.low[i], bars.high[i]
            if side < 0:
                worst, best = best, worst
            reached = side * best >= side * target
            if side * worst <= side * stop:
                price, ns, code = stop, begin + interval_ns, STOP
                flags = FLAG_STOP_BEFORE_TARGET if reached else 0
                break
            if reached:
                price, ns, code, flags = target, begin + interval_ns, TARGET, 0
                break
        found.price[k], found.ns[k], found.reason[k], found.flags[k] = price, ns, code, flags
        found.stop[k] = stop
    return found


@nb.njit(cache=True, nogil=True)
def _look(
    now_ns: int,
    price: float,
    side: float,
    target: float,
    stop: float,
    deadline: int,
    expiry: int,
    state: int,
    tightened: float,
    rules: Management,
) -> tuple[int, int, float, int, bool]:
    """Return what comes of one look: code, urgency, stop, deadline, whether it is now a crisis."""
    crossed = False
    todo = manage(now_ns, price, side, target, stop, deadline, expiry, state, rules)
    while todo == EVOLVE:
        state, stop, deadline = evolved(
            now_ns, price, side, stop, deadline, expiry, tightened, rules
        )
        crossed = state == CRISIS
        if crossed and rules.evolves_first:
            return HOLD, state, stop, deadline, crossed
        todo = manage(now_ns, price, side, target, stop, deadline, expiry, state, rules)
    return todo, state, stop, deadline, crossed


@nb.njit(cache=True, nogil=True)
def _walk_path(
    at_ns: NDArray[np.int64],
    level_at: NDArray[np.int64],
    bid: _Side,
    ask: _Side,
    latency_ns: int,
    entry_price: NDArray[np.float64],
    held: _Held,
    rules: Management,
) -> ManagedExits:
    """Walk from one instant known beforehand to the next, and between them by first passages."""
    found = _empty(held.entry.size)
    size = at_ns.size
    for k in range(held.entry.size):
        side, state, expiry = held.direction[k], held.urgency[k], held.expiry_ns[k]
        target, tightened, flat_ns = held.target[k], held.tightened[k], held.flat_ns[k]
        exits = bid if side > 0 else ask
        begin_ns = int(at_ns[held.entry[k]])
        stop = entry_price[k] - side * held.stop_distance[k]
        deadline = begin_ns + held.limit_ns[k]
        danger = expiry - rules.danger_ns
        i, j, code, order_ns = held.entry[k], 0, HOLD, begin_ns
        while True:
            rise = _next_rise_ns(state, expiry, rules)
            end = at_or_after(at_ns, min(danger, flat_ns, deadline, rise), i)
            upper, lower = (target, stop) if side > 0 else (stop, target)
            j = first_outside(exits.price, exits.high, exits.low, level_at, i, end, upper, lower)
            if j == size:
                code = END_OF_DATA
                break
            order_ns = at_ns[j]
            # Clocks run between ticks: what was due before this tick comes before its price does.
            fixed = min(danger, flat_ns)
            due = min(fixed, deadline) if deadline <= rise else fixed
            if due < order_ns or fixed == order_ns:
                code = DANGER if due == danger else FLAT if due == flat_ns else TIME_LIMIT
                order_ns = max(due - latency_ns if code == DANGER else due, begin_ns)
                break
            price = exits.price[j]
            code, state, stop, deadline, crossed = _look(
                order_ns, price, side, target, stop, deadline, expiry, state, tightened, rules
            )
            if crossed:
                found.evolved[k], found.evolved_ns[k] = j, order_ns
                found.evolved_price[k] = price
            if code != HOLD:
                break
            i = j + 1
        fill = size if code == END_OF_DATA else at_or_after(at_ns, order_ns + latency_ns, j)
        if fill == size:
            fill = size - 1
            found.flags[k] = FLAG_END_OF_DATA
        found.price[k], found.ns[k], found.reason[k] = exits.price[fill], at_ns[fill], code
        found.stop[k] = stop
    return found


@nb.njit(cache=True, nogil=True)
def _next_rise_ns(state: int, expiry_ns: int, rules: Management) -> int:
    """Return the first instant at which urgency is above a state's; `NEVER_NS` if it stays."""
    if not rules.evolves or state >= CRISIS:
        return NEVER_NS
    ahead = rules.high_ns if state < HIGH else rules.crisis_ns
    return expiry_ns - ahead + 1
