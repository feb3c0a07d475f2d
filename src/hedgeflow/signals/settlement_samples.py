"""What each probability model said at fixed minutes before expiry, and how it came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hedgeflow.signals.empirical_probability import UNFITTED, EmpiricalModel, EmpiricalTable
from hedgeflow.signals.settlement_rules import SAMPLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNKNOWN: int = -1
"""`inside` where no price was young enough at expiry, or a strike has no neighbour."""


class Samples:
    """Samples of the live expiry, resolved when it is over, and the model that learns from them.

    Notes
    -----
    Look-ahead: the empirical model learns an expiry's outcome after that expiry, and not before.
    """

    def __init__(self) -> None:
        self._model = EmpiricalModel()
        self._rows: list[NDArray[Any]] = []
        self._bands: list[NDArray[np.float64]] = []

    def table(self) -> EmpiricalTable:
        """Return what the empirical model has learnt, `UNFITTED` before it has learnt enough."""
        return self._model.fitted() or UNFITTED

    def keep(self, rows: NDArray[Any], bands: NDArray[np.float64]) -> None:
        """Keep samples until their expiry.

        Parameters
        ----------
        rows : ndarray of shape (n,), `SAMPLE`
            Without `finish` and `inside`.
        bands : ndarray of shape (n, 2), float64
            Half-way marks below and above each strike when the sample was taken.
        """
        self._rows.append(rows)
        self._bands.append(bands)

    def resolve(self, finish: float) -> NDArray[Any]:
        """Return the samples with their outcome and learn from them.

        Parameters
        ----------
        finish : float
            The price at expiry; NaN where it is not known. A price half-way between two strikes
            counts to the upper one.
        """
        rows = np.concatenate([np.zeros(0, SAMPLE), *self._rows])
        bands = np.concatenate([np.zeros((0, 2)), *self._bands])
        self._rows, self._bands = [], []
        rows["finish"] = finish
        inside = (bands[:, 0] <= finish) & (finish < bands[:, 1])
        known = ~np.isnan(bands[:, 0]) & ~np.isnan(finish)
        rows["inside"] = np.where(known, inside, UNKNOWN)
        learnt = known & np.isfinite(rows["distance_sigmas"])
        self._model.add(
            rows["distance_sigmas"][learnt], rows["minutes_left"][learnt], inside[learnt]
        )
        return rows
