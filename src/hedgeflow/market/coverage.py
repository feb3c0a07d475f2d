"""Coverage: the intervals in which a tape was recorded; absence elsewhere is not zero volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.market.time import MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.market.sessions import Sessions

SPLIT_AT_GAP_NS = 20 * MINUTE_NS
"""A tape without declared intervals splits at gaps longer than this (precise.md 3)."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Disjoint, ascending, half-open intervals of UTC nanoseconds.

    Attributes
    ----------
    start_ns, end_ns : ndarray of shape (n_intervals,), int64
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]

    @classmethod
    def of(cls, intervals: list[tuple[int, int]]) -> Coverage:
        """Return the union of intervals, merging those that touch or overlap."""
        merged: list[list[int]] = []
        for start, end in sorted(intervals):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        table = np.array(merged, dtype=np.int64).reshape(-1, 2)
        return cls(table[:, 0].copy(), table[:, 1].copy())

    @classmethod
    def from_stamps(
        cls, stamps: NDArray[np.int64], resolution_ns: int, split_ns: int = SPLIT_AT_GAP_NS
    ) -> Coverage:
        """Return the intervals of sorted stamps: split at gaps over 20 min, each to last + r.

        Bars split at gaps longer than one bar: `split_ns` is then the bar length.
        """
        if stamps.size == 0:
            return cls.of([])
        breaks = np.flatnonzero(np.diff(stamps) > split_ns)
        starts = stamps[np.concatenate(([0], breaks + 1))]
        ends = stamps[np.concatenate((breaks, [stamps.size - 1]))] + resolution_ns
        return cls.of(list(zip(starts.tolist(), ends.tolist(), strict=True)))

    @property
    def intervals(self) -> list[tuple[int, int]]:
        """The intervals as pairs of plain integers."""
        return list(zip(self.start_ns.tolist(), self.end_ns.tolist(), strict=True))

    def union(self, other: Coverage) -> Coverage:
        """Return what either covers."""
        return Coverage.of(self.intervals + other.intervals)

    def until(self, end: int) -> Coverage:
        """Return what is covered before an instant."""
        kept = self.start_ns < end
        return Coverage(self.start_ns[kept], np.minimum(self.end_ns[kept], end))

    def contains(self, start: int, end: int) -> bool:
        """Say whether one interval contains [start, end) whole."""
        index = int(np.searchsorted(self.start_ns, start, side="right")) - 1
        return index >= 0 and int(self.end_ns[index]) >= end

    def includes(self, instants: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which instants are covered."""
        if self.start_ns.size == 0:
            return np.zeros(instants.shape, dtype=np.bool_)
        index = np.searchsorted(self.start_ns, instants, side="right") - 1
        return (index >= 0) & (instants < self.end_ns[np.maximum(index, 0)])

    def slots(self, sessions: Sessions) -> NDArray[np.bool_]:
        """Return which slots of which session are covered whole.

        Returns
        -------
        ndarray of shape (n_sessions, slots), bool
            False beyond an early close. A last slot that the close cuts short needs only the
            part before the close.
        """
        begin, end = sessions.slot_bounds()
        exists = begin < end
        if self.start_ns.size == 0:
            return np.zeros_like(exists)
        index = np.searchsorted(self.start_ns, begin.ravel(), side="right") - 1
        found = index >= 0
        holds = found & (self.end_ns[np.where(found, index, 0)] >= end.ravel())
        return exists & holds.reshape(exists.shape)
