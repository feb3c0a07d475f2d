"""Pressures of expiries that are over, by whole minute left: what is much, and how much more."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.signals.settlement_rules import WHOLE_MINUTES

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PressureHistory:
    """Pressures of the last expiries at 180, 179, ... 0 whole minutes left.

    A minute's pressures are those of all strikes with open interest when exactly so many minutes
    were left; within the last minute, where pressure is flat, when one second was left.

    Parameters
    ----------
    expiries : int
        So many are remembered at each minute, and are needed there; memory is bounded by
        strikes x 181 x expiries.
    quantile : float or None
        Nearest-rank quantile over them; None: no threshold is asked for.

    Notes
    -----
    Look-ahead: an expiry is taken in when it is over; the live one's pressures wait until then.
    """

    def __init__(self, expiries: int, quantile: float | None) -> None:
        self._expiries = expiries
        self._quantile = quantile
        self._past: list[deque[NDArray[np.float64]]] = [
            deque(maxlen=expiries) for _ in range(WHOLE_MINUTES)
        ]
        self._live: dict[int, NDArray[np.float64]] = {}

    def keep(self, whole_minutes: int, pressures: NDArray[np.float64]) -> None:
        """Keep pressures of the live expiry; a minute without any does not count as one."""
        if pressures.size:
            self._live[whole_minutes] = pressures

    def close(self) -> None:
        """Make the live expiry one that is over."""
        for whole_minutes, pressures in self._live.items():
            self._past[whole_minutes].append(pressures)
        self._live = {}

    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Return thresholds, past pressures and where each minute's begin, as in `LiveExpiry`.

        A minute with fewer earlier expiries than needed has no threshold (NaN) and no past.
        """
        thresholds = np.full(WHOLE_MINUTES, np.nan)
        first = np.zeros(WHOLE_MINUTES + 1, np.int64)
        parts = [np.zeros(0)]
        for whole_minutes, past in enumerate(self._past):
            first[whole_minutes + 1] = first[whole_minutes]
            if len(past) == self._expiries:
                pressures = np.sort(np.concatenate(past))
                first[whole_minutes + 1] += pressures.size
                parts.append(pressures)
                if self._quantile is not None:
                    thresholds[whole_minutes] = nearest_rank(pressures, self._quantile)
        return thresholds, np.concatenate(parts), first


def nearest_rank(ascending: NDArray[np.float64], quantile: float) -> float:
    """Return the smallest value that at least a share `quantile` of values do not exceed."""
    # 0.95 of 20 is 19, but 0.95 * 20 in floating point need not be: rounding comes first.
    rank = math.ceil(round(quantile * ascending.size, 9))
    return float(ascending[max(1, rank) - 1])
