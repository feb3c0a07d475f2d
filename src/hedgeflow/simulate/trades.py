"""Trades of the hedge instrument before they have a price: when, how much, which side, whose."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades of the hedge instrument, before they have a price.

    Attributes
    ----------
    stamp : ndarray of shape (n,), int64
        UTC nanoseconds, whole milliseconds.
    size : ndarray of shape (n,), float64
        Underlying units.
    sign : ndarray of shape (n,), int64
        +1 the taker buys, -1 sells.
    origin : ndarray of shape (n,), int64
        The truth of who trades: id of the shock that the trade hedges, `ORDINARY` or `BOOK`.
    """

    stamp: NDArray[np.int64]
    size: NDArray[np.float64]
    sign: NDArray[np.int64]
    origin: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        stamp: NDArray[np.int64],
        size: NDArray[np.float64],
        sign: NDArray[np.int64],
        origin: int,
    ) -> Trades:
        """Return trades that all have one origin."""
        return cls(stamp, size, sign, np.full(stamp.size, origin, dtype=np.int64))

    @classmethod
    def none(cls) -> Trades:
        """Return no trades."""
        integers = np.empty(0, dtype=np.int64)
        return cls(integers, np.empty(0), integers, integers)

    @classmethod
    def in_order(cls, parts: list[Trades]) -> Trades:
        """Return the trades of several parts in order of time."""
        order = np.argsort(np.concatenate([part.stamp for part in parts]), kind="stable")
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])[order]
                for field in fields(cls)
            )
        )

    def split(self, instant: int) -> tuple[Trades, Trades]:
        """Return the trades before an instant and those from it on, of trades in order."""
        at = int(np.searchsorted(self.stamp, instant))
        columns = [getattr(self, field.name) for field in fields(self)]
        return Trades(*(each[:at] for each in columns)), Trades(*(each[at:] for each in columns))

    def later(self, nanoseconds: int) -> Trades:
        """Return the same trades so much later."""
        return replace(self, stamp=self.stamp + nanoseconds)


def filled(sizes: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Return the first sizes that add up to a total, the last one cut to fit."""
    cumulative = np.cumsum(sizes)
    last = int(np.searchsorted(cumulative, total))
    out = sizes[: last + 1].copy()
    out[last] -= cumulative[last] - total
    return out
