"""How often past expiries settled at a strike, by distance in sigmas and by minutes left.

Within each band of minutes left the frequency is the non-increasing function of the distance that
is nearest to what was seen (isotonic regression: Barlow and others, Statistical Inference under
Order Restrictions, 1972), made continuous by joining the centres of its steps (centred isotonic
regression: Oron and Flournoy, Statistics in Biopharmaceutical Research 9, 2017). Between two bands
it is interpolated in ln(minutes). A mean of two non-increasing functions is non-increasing, so the
whole is monotone in distance and continuous in both.

What it leaves out. The chance depends on the width of a strike's band too, and by distance and
time alone past widths are averaged: see docs/explanation/settlement-pressure.md.
"""

from __future__ import annotations

from math import isnan, log, nan
from typing import TYPE_CHECKING, Final, NamedTuple

import numba as nb
import numpy as np

from hedgeflow.market.errors import DataError
from hedgeflow.signals.settlement_probability import SHORTEST_MINUTES

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BAND_EDGES_MINUTES: Final = (0.0, 7.5, 22.5, 52.5, 105.0, 240.0)
"""Bands of minutes left, each with its upper edge; two of the sampled minutes fall in each."""

FEWEST_FINISHES: Final = 30
"""A band needs so many strikes at which the price finished: each past expiry has one a minute."""

STEP_SIGMAS: Final = 0.02
FARTHEST_SIGMAS: Final = 10.0


class EmpiricalTable(NamedTuple):
    """A fitted model as plain arrays, for `empirical_probability`.

    Attributes
    ----------
    log_minutes : ndarray of shape (bands,)
        Ascending: where each band's curve stands, the mean ln(minutes) of its samples.
    starts : ndarray of shape (bands + 1,), int64
        Band b's curve is the points from starts[b] to starts[b + 1].
    distance, probability : ndarray of shape (points,)
        Sigmas, ascending within a band, and the chance there, not increasing.
    span : ndarray of shape (2,)
        Minutes left between which anything is known, both included.
    """

    log_minutes: NDArray[np.float64]
    starts: NDArray[np.int64]
    distance: NDArray[np.float64]
    probability: NDArray[np.float64]
    span: NDArray[np.float64]


UNFITTED: Final = EmpiricalTable(
    np.zeros(0), np.zeros(1, np.int64), np.zeros(0), np.zeros(0), np.array([0.0, 0.0])
)
"""Of the same type, for kernels while there is no model: every probability is NaN."""


@nb.njit(cache=True)
def empirical_probability(distance_sigmas: float, minutes: float, table: EmpiricalTable) -> float:
    """Return the frequency with which strikes so far, so long before, were settled at.

    Parameters
    ----------
    distance_sigmas : float
        `distance_in_sigmas` of the strike, >= 0.
    minutes : float
        Minutes to expiry; a second at least counts.
    table : EmpiricalTable
        `UNFITTED` where there is none.

    Returns
    -------
    float
        In [0, 1]; 0 means never seen. NaN where the distance is NaN or the minutes are outside
        the span of the bands that had samples enough.
    """
    band, share = _place(minutes, table.log_minutes, table.span)
    return _blend(distance_sigmas, table.starts, table.distance, table.probability, band, share)


@nb.njit(cache=True)
def empirical_probabilities(
    distances_sigmas: NDArray[np.float64],
    minutes: float,
    table: EmpiricalTable,
    out: NDArray[np.float64],
) -> None:
    """Write `empirical_probability` of every strike of an expiry at one moment."""
    starts, distance, probability = table.starts, table.distance, table.probability
    band, share = _place(minutes, table.log_minutes, table.span)
    for strike in range(out.size):
        at = distances_sigmas[strike]
        out[strike] = _blend(at, starts, distance, probability, band, share)


class EmpiricalModel:
    """Samples of past expiries, counted, and the table fitted to them.

    Parameters
    ----------
    edges_minutes : tuple of float
        Ascending edges of the bands of minutes left; a band holds its upper edge.
    fewest_finishes : int
        A band with fewer samples inside is not used.

    Raises
    ------
    DataError
        If the edges do not ascend, or fewer than one finish is asked for.

    Notes
    -----
    Look-ahead: a sample is added when its expiry is over, never before; the caller sees to it.

    Distances are counted in steps of 0.02 sigmas, each standing at the mean of its samples, and
    all beyond 10 sigmas as one; memory does not grow with the number of expiries.
    """

    def __init__(
        self,
        edges_minutes: tuple[float, ...] = BAND_EDGES_MINUTES,
        fewest_finishes: int = FEWEST_FINISHES,
    ) -> None:
        if len(edges_minutes) < 2 or not bool((np.diff(edges_minutes) > 0.0).all()):
            raise DataError(
                f"edges of minutes left are {edges_minutes}",
                where="empirical probability",
                hint="Give at least two, ascending",
            )
        if fewest_finishes < 1:
            raise DataError(
                f"a band needs {fewest_finishes} finishes",
                where="empirical probability",
                hint="Ask for one at the least; nothing can be said of a band without any",
            )
        self._edges = np.array(edges_minutes)
        self._fewest = fewest_finishes
        shape = (len(edges_minutes) - 1, round(FARTHEST_SIGMAS / STEP_SIGMAS) + 1)
        self._samples = np.zeros(shape)
        self._inside = np.zeros(shape)
        self._distance_sum = np.zeros(shape)
        self._log_minutes_sum = np.zeros(shape[0])
        self._table: EmpiricalTable | None = None
        self._is_fitted = True

    def add(self, distance_sigmas: ArrayLike, minutes: ArrayLike, inside: ArrayLike) -> None:
        """Count samples of an expiry that is over.

        Parameters
        ----------
        distance_sigmas : array_like of float
            `distance_in_sigmas` when the sample was taken.
        minutes : array_like of float
            Minutes left then. Samples outside the bands are not counted.
        inside : array_like of bool
            Whether the price then finished nearer to this strike than to its neighbours.

        Raises
        ------
        DataError
            If a distance is negative or not finite, or minutes are not finite.
        """
        far, left, hit = np.broadcast_arrays(
            np.asarray(distance_sigmas, np.float64).reshape(-1),
            np.asarray(minutes, np.float64).reshape(-1),
            np.asarray(inside, np.float64).reshape(-1),
        )
        if not bool((np.isfinite(far) & (far >= 0.0) & np.isfinite(left)).all()):
            raise DataError(
                "a sample has a distance that is negative or not known, or no minutes left",
                where="empirical probability",
                hint="Leave out samples taken while volatility was not known",
            )
        band = np.searchsorted(self._edges, left) - 1
        known = (band >= 0) & (band < self._edges.size - 1)
        band, far, left, hit = band[known], far[known], left[known], hit[known]
        step = np.minimum(far / STEP_SIGMAS, self._samples.shape[1] - 1).astype(np.int64)
        np.add.at(self._samples, (band, step), 1.0)
        np.add.at(self._inside, (band, step), hit)
        np.add.at(self._distance_sum, (band, step), far)
        np.add.at(self._log_minutes_sum, band, np.log(np.maximum(left, SHORTEST_MINUTES)))
        self._is_fitted = False

    def fitted(self) -> EmpiricalTable | None:
        """Return the table of all samples so far, None while no band has enough of them."""
        if not self._is_fitted:
            self._table = self._fit()
            self._is_fitted = True
        return self._table

    def _fit(self) -> EmpiricalTable | None:
        usable = np.flatnonzero(self._inside.sum(axis=1) >= self._fewest)
        if usable.size == 0:
            return None
        curves = [self._curve(int(band)) for band in usable]
        sizes = [distance.size for distance, _ in curves]
        return EmpiricalTable(
            log_minutes=self._log_minutes_sum[usable] / self._samples[usable].sum(axis=1),
            starts=np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))),
            distance=np.concatenate([distance for distance, _ in curves]),
            probability=np.concatenate([probability for _, probability in curves]),
            span=np.array([self._edges[usable[0]], self._edges[usable[-1] + 1]]),
        )

    def _curve(self, band: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the centres of the isotonic steps of one band; a step of 0 stands at its start.

        Likewise a step of 1 at its end: there is nothing to interpolate towards.
        """
        from scipy.optimize import isotonic_regression

        seen = np.flatnonzero(self._samples[band])
        weight = self._samples[band][seen]
        distance = self._distance_sum[band][seen] / weight
        frequency = self._inside[band][seen] / weight
        fit = isotonic_regression(frequency, weights=weight, increasing=False)
        first, end = fit.blocks[:-1], fit.blocks[1:]
        level = np.asarray(fit.x)[first]
        centre = np.add.reduceat(weight * distance, first) / np.add.reduceat(weight, first)
        centre = np.where(level <= 0.0, distance[first], centre)
        centre = np.where(level >= 1.0, distance[end - 1], centre)
        return centre, level


@nb.njit(cache=True)
def _place(
    minutes: float, log_minutes: NDArray[np.float64], span: NDArray[np.float64]
) -> tuple[int, float]:
    """Return a band and the way to the next, 0 to 1; band -1 where nothing is known."""
    bands = log_minutes.size
    if bands == 0 or not span[0] <= minutes <= span[1]:
        return -1, 0.0
    at = log(max(minutes, SHORTEST_MINUTES))
    if at <= log_minutes[0]:
        return 0, 0.0
    if at >= log_minutes[bands - 1]:
        return bands - 1, 0.0
    band = int(np.searchsorted(log_minutes, at)) - 1
    return band, (at - log_minutes[band]) / (log_minutes[band + 1] - log_minutes[band])


@nb.njit(cache=True)
def _blend(
    at: float,
    starts: NDArray[np.int64],
    distance: NDArray[np.float64],
    probability: NDArray[np.float64],
    band: int,
    share: float,
) -> float:
    if band < 0 or isnan(at):
        return nan
    before = _on_curve(at, distance, probability, starts[band], starts[band + 1])
    if share == 0.0:
        return before
    after = _on_curve(at, distance, probability, starts[band + 1], starts[band + 2])
    return before + share * (after - before)


@nb.njit(cache=True)
def _on_curve(
    at: float,
    distance: NDArray[np.float64],
    probability: NDArray[np.float64],
    first: int,
    end: int,
) -> float:
    """Return a band's curve at a distance, straight between its points and flat beyond them."""
    if at <= distance[first]:
        return probability[first]
    if at >= distance[end - 1]:
        return probability[end - 1]
    left, right = first, end - 1
    while right - left > 1:
        middle = (left + right) // 2
        if distance[middle] < at:
            left = middle
        else:
            right = middle
    share = (at - distance[left]) / (distance[right] - distance[left])
    return probability[left] + share * (probability[right] - probability[left])
