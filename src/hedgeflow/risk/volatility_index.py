"""A volatility index such as VIX or DVOL: the last value known at an instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class VolatilityIndex:
    """A published index of implied volatility.

    Attributes
    ----------
    name : str
    known_ns : ndarray of shape (n,), int64
        When each value became known, ascending UTC nanoseconds.
    value : ndarray of shape (n,), float64
        Percent per year.
    """

    name: str
    known_ns: NDArray[np.int64]
    value: NDArray[np.float64]

    def at(self, at_ns: int) -> float | None:
        """Return the last value known at or before an instant; None before the first."""
        index = int(np.searchsorted(self.known_ns, at_ns, side="right")) - 1
        return float(self.value[index]) if index >= 0 else None
