"""First passages on ticks by descent through running extremes, instead of walking every tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numba as nb
import numpy as np
from numpy.typing import NDArray

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


@nb.njit(cache=True, nogil=True)
def first_outside(
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
