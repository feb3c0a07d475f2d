"""What the exits of all strategies share: why positions end, bars, and looking up instants."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import YEAR_NS

GAP_BARS: Final = 3.0
OUT_OF_REACH: Final = 1e15
"""A distance, price units, that no price covers."""
NEVER_DUE_NS: Final = 20 * YEAR_NS
"""A time limit longer than any tape."""
FLOAT: Final = np.dtype(np.float64)
INT: Final = np.dtype(np.int64)


class Exit(IntEnum):
    """Why a position ended; the names are those of the `trades` table."""

    CONTINUE_HOLDING = 0
    EXIT_TIME_LIMIT = 1
    EXIT_TARGET_HIT = 2
    EXIT_STOP_HIT = 3
    EXIT_GAP = 4
    EXIT_END_OF_DATA = 5
    EXIT_FLAT_BEFORE_CLOSE = 6
    EXIT_KILLED = 7
    EXIT_HEDGE_COMPLETE = 8
    EXIT_IMMEDIATE_TIME_DANGER = 9


FLAG_GAP: Final = 1
FLAG_END_OF_DATA: Final = 2
FLAG_STOP_BEFORE_TARGET: Final = 4
"""One bar touched both; the stop was taken."""

FLAG_NAMES: Final = (
    (FLAG_GAP, "GAP"),
    (FLAG_END_OF_DATA, "END_OF_DATA"),
    (FLAG_STOP_BEFORE_TARGET, "STOP_BEFORE_TARGET"),
)


class Bars(NamedTuple):
    """Bars of the hedge instrument, ascending.

    Attributes
    ----------
    start_ns : ndarray of shape (n_bars,), int64
        Starts, UTC nanoseconds, strictly ascending; the bar ends `interval_ns` later.
    open, high, low, close : ndarray of shape (n_bars,), float64
    interval_ns : int
        Bar length.
    """

    start_ns: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    interval_ns: int


class Exits(NamedTuple):
    """How each of many positions ended.

    Attributes
    ----------
    price : ndarray, float64
    ns : ndarray, int64
        UTC nanoseconds: a bar's start for an exit at its open, its end for a touch.
    reason : ndarray, int8
        Codes of `Exit`.
    flags : ndarray, int8
        Sum of FLAG_GAP, FLAG_END_OF_DATA and FLAG_STOP_BEFORE_TARGET.
    """

    price: NDArray[np.float64]
    ns: NDArray[np.int64]
    reason: NDArray[np.int8]
    flags: NDArray[np.int8]


def flag_names(flags: int) -> str:
    """Return flags as the comma-separated names of the `trades` table."""
    return ",".join(name for bit, name in FLAG_NAMES if flags & bit)


def first_bar(bars: Bars, at_ns: int) -> int:
    """Return the index of the first bar starting at or after an instant; n_bars if none."""
    return int(np.searchsorted(bars.start_ns, at_ns, side="left"))


def tick_places(at_ns: NDArray[np.int64], entry: ArrayLike) -> NDArray[np.int64]:
    """Return entries as indices of ticks; DataError where one is none."""
    places = np.ascontiguousarray(entry, dtype=np.int64)
    if places.size and (int(places.min()) < 0 or int(places.max()) >= at_ns.size):
        raise DataError(f"an entry lies outside the {at_ns.size} ticks of the tape")
    return places


def per_trade(values: ArrayLike, trades: int, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Return one value per trade, contiguous; anything not finite is refused."""
    array = np.asarray(values)
    if not np.isfinite(array).all():
        raise DataError("directions, distances and limits must be finite")
    return np.ascontiguousarray(np.broadcast_to(array.astype(dtype), (trades,)))


@nb.njit(cache=True, nogil=True)
def at_or_after(at_ns: NDArray[np.int64], instant_ns: int, begin: int) -> int:
    """Return the first tick from `begin` on at or after an instant, near first; else n_ticks."""
    low, high, stride = begin, begin, 1
    while high < at_ns.size and at_ns[high] < instant_ns:
        low = high + 1
        high += stride
        stride *= 2
    high = min(high, at_ns.size)
    while low < high:
        middle = (low + high) // 2
        if at_ns[middle] < instant_ns:
            low = middle + 1
        else:
            high = middle
    return low
