"""Probabilities of settling at each of some strikes, by the model that the rules name."""

from __future__ import annotations

from typing import Final

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.signals.empirical_probability import EmpiricalTable, empirical_probability
from hedgeflow.signals.settlement_probability import (
    band_probabilities,
    distance_in_sigmas,
    source_probability,
)

SOURCE: Final = 0
LOGNORMAL: Final = 1
EMPIRICAL: Final = 2
MODELS: Final = {"source": SOURCE, "lognormal": LOGNORMAL, "empirical": EMPIRICAL}


@nb.njit(cache=True, error_model="numpy")
def probabilities(
    model: int,
    price: float,
    strikes: NDArray[np.float64],
    marks: NDArray[np.float64],
    sigma: float,
    minutes: float,
    minutes_per_year: float,
    point: float,
    table: EmpiricalTable,
    out: NDArray[np.float64],
) -> None:
    """Fill `out` with the probability of settling at each strike.

    Parameters
    ----------
    model : int
        `SOURCE`, `LOGNORMAL` or `EMPIRICAL`.
    price : float
    strikes : ndarray of shape (n,), float64
        Neighbouring listed strikes, ascending.
    marks : ndarray of shape (n + 1,), float64
        Half-way marks around them.
    sigma : float
        Annual volatility; not read by `SOURCE`.
    minutes, minutes_per_year : float
        Real minutes to expiry.
    point : float
        Size of a source point in price units; read by `SOURCE` alone.
    table : EmpiricalTable
        Read by `EMPIRICAL` alone.
    out : ndarray of shape (n,), float64
    """
    if model == LOGNORMAL:
        band_probabilities(price, marks, sigma, minutes, minutes_per_year, out)
        return
    for j in range(strikes.size):
        if model == SOURCE:
            out[j] = source_probability(abs(price - strikes[j]) / point, minutes)
        else:
            away = distance_in_sigmas(price, strikes[j], sigma, minutes, minutes_per_year)
            out[j] = empirical_probability(away, minutes, table)
