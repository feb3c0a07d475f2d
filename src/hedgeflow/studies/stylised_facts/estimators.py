"""Estimators that are functions of sums, so that sessions can be added up and drawn again.

Each works on the last axes of its argument and keeps the leading ones: a whole sample is one
vector of sums, a thousand resamples are a matrix of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Statistic = Callable[[Floats], Floats]

RESAMPLES: Final = 500
SESSIONS_FOR_ERROR: Final = 5
"""Sessions below which drawing them again says nothing of their spread."""

_DEFINED_SHARE: Final = 0.95
_BIPOWER: Final = np.pi / 2.0


def standard_error(
    sums: Floats, statistic: Statistic, *, resamples: int = RESAMPLES, seed: int = 0
) -> float | None:
    """Return the bootstrap standard error of a statistic, sessions drawn whole.

    Observations of one session depend on each other, sessions much less: a session is the block
    (Kunsch, Annals of Statistics 17, 1989).

    Parameters
    ----------
    sums : ndarray of shape (sessions, ...)
        Additive sums of each session.
    statistic : callable
        From sums, leading axes kept.

    Returns
    -------
    float or None
        None with fewer than `SESSIONS_FOR_ERROR` sessions, or where the statistic does not exist
        in 5 % of the draws.
    """
    sessions = sums.shape[0]
    if sessions < SESSIONS_FOR_ERROR:
        return None
    rng = np.random.default_rng(seed)
    times = rng.multinomial(sessions, np.full(sessions, 1.0 / sessions), size=resamples)
    drawn = (times.astype(np.float64) @ sums.reshape(sessions, -1)).reshape(
        resamples, *sums.shape[1:]
    )
    values = quietly(statistic, drawn)
    defined = values[np.isfinite(values)]
    if defined.size < _DEFINED_SHARE * resamples:
        return None
    return float(defined.std(ddof=1))


def quietly(statistic: Statistic, sums: Floats) -> Floats:
    """Return a statistic; where its sums say nothing it is NaN, without a warning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(statistic(sums), dtype=np.float64)


def ratio(sums: Floats) -> Floats:
    """Return the first sum over the second."""
    return sums[..., 0] / sums[..., 1]


# --- moments ------------------------------------------------------------------------------------


def autocorrelation_sums(pieces: Sequence[Floats], lag: int) -> Floats:
    """Return the sums of `autocorrelation` over pieces that no pair of observations straddles.

    Returns
    -------
    ndarray of shape (7,)
        Observations, their sum and sum of squares; pairs, their sum of products, and the sums of
        their earlier and their later members.
    """
    found = np.zeros(7)
    for x in pieces:
        found[:3] += x.size, x.sum(), (x * x).sum()
        if x.size > lag:
            early, late = x[:-lag], x[lag:]
            found[3:] += early.size, (early * late).sum(), early.sum(), late.sum()
    return found


def autocorrelation(sums: Floats) -> Floats:
    """Return the autocorrelation, the mean and the variance those of all observations."""
    count, total, squares, pairs, products, early, late = np.moveaxis(sums, -1, 0)
    mean = total / count
    covariance = (products - mean * (early + late)) / pairs + mean * mean
    return covariance / (squares / count - mean * mean)


def correlation_sums(x: Floats, y: Floats) -> Floats:
    """Return the sums of `correlation`, shape (6,)."""
    return np.array([x.size, x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()])


def correlation(sums: Floats) -> Floats:
    """Return Pearson's correlation."""
    count, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    covariance = xy - x * y / count
    return covariance / np.sqrt((xx - x * x / count) * (yy - y * y / count))


def moment_sums(x: Floats) -> Floats:
    """Return the number and the sums of the first four powers, shape (5,)."""
    return np.array([x.size, x.sum(), (x**2).sum(), (x**3).sum(), (x**4).sum()])


def kurtosis(sums: Floats) -> Floats:
    """Return the fourth central moment over the squared variance; 3 for a normal distribution."""
    count = sums[..., 0]
    mean, second, third, fourth = (sums[..., power] / count for power in range(1, 5))
    variance = second - mean**2
    central = fourth - 4.0 * mean * third + 6.0 * mean**2 * second - 3.0 * mean**4
    return central / variance**2


def variation_sums(pieces: Sequence[Floats]) -> Floats:
    """Return realised and bipower variation of the returns of unbroken pieces, shape (2,).

    Bipower variation is pi/2 times the sum of products of absolute returns that follow each
    other, scaled up for the one product that a piece lacks (Barndorff-Nielsen and Shephard 2004).
    """
    found = np.zeros(2)
    for returns in pieces:
        if returns.size > 1:
            size = np.abs(returns)
            lacking = returns.size / (returns.size - 1)
            found += (size**2).sum(), _BIPOWER * lacking * (size[1:] * size[:-1]).sum()
    return found


def jump_share(sums: Floats) -> Floats:
    """Return the share of realised variation that bipower variation leaves unexplained."""
    return 1.0 - sums[..., 1] / sums[..., 0]


# --- point processes ----------------------------------------------------------------------------


def summed(place: NDArray[np.int64], amounts: Floats, length: int) -> Floats:
    """Return the sum of the amounts at each of at least `length` places."""
    return np.bincount(place, weights=amounts, minlength=length).astype(np.float64)


def bucket_sums(bucket: NDArray[np.int64], values: Floats, buckets: int) -> Floats:
    """Return number, sum and sum of squares of values by time-of-day bucket, (buckets, 3)."""
    return np.stack(
        [
            summed(bucket, np.ones(values.size), buckets),
            summed(bucket, values, buckets),
            summed(bucket, values * values, buckets),
        ],
        axis=-1,
    )


def dispersion(sums: Floats) -> Floats:
    """Return the Fano factor of counts around the mean of their time of day; 1 for Poisson.

    Variance over mean (Fano 1947), the squares around each bucket's own mean scaled by n/(n-1) for
    the mean that was estimated, then added over buckets.

    Parameters
    ----------
    sums : ndarray of shape (..., buckets, 3)
        From `bucket_sums` of the counts of equal intervals.
    """
    return ratio(dispersion_sums(sums))


def dispersion_sums(sums: Floats) -> Floats:
    """Return squares around the buckets' means, and the counts: `ratio` of them is `dispersion`.

    Of one session's buckets they are additive over sessions, and then measure each count against
    its own session's half hour.
    """
    count, total, squares = np.moveaxis(sums, -1, 0)
    known = count > 1.0
    size = np.where(known, count, 2.0)
    around = (squares - total * total / size) * size / (size - 1.0)
    return np.stack(
        [np.where(known, around, 0.0).sum(axis=-1), np.where(known, total, 0.0).sum(axis=-1)],
        axis=-1,
    )


def gap_variation(sums: Floats) -> Floats:
    """Return the coefficient of variation of gaps, each over the mean of its time of day.

    It is 1 for a Poisson process.

    Parameters
    ----------
    sums : ndarray of shape (..., buckets, 3)
        From `bucket_sums` of the gaps between neighbours.
    """
    count, total, squares = np.moveaxis(sums, -1, 0)
    known = (count > 1.0) & (total > 0.0)
    mean = np.where(known, total / np.where(known, count, 1.0), 1.0)
    scaled = np.where(known, squares / mean**2, 0.0).sum(axis=-1)
    return np.sqrt(scaled / np.where(known, count, 0.0).sum(axis=-1) - 1.0)


# --- distributions, as counts of values ---------------------------------------------------------


def quantile(counts: Floats, values: Floats, level: float) -> Floats:
    """Return the smallest value that at least this share of observations does not exceed.

    Parameters
    ----------
    counts : ndarray of shape (..., values)
    values : ndarray of shape (values,)
        Ascending.
    level : float
    """
    reached = counts.cumsum(axis=-1)
    total = reached[..., -1:]
    place = (reached < level * total * (1.0 - 1e-12)).sum(axis=-1)
    found: Floats = values[np.minimum(place, values.size - 1)]
    return np.where(total[..., 0] > 0.0, found, np.nan)


def top_share(counts: Floats, values: Floats, top: float) -> Floats:
    """Return the share of the sum of all values that the largest `top` of observations hold."""
    held = (counts * values)[..., ::-1]
    wanted = top * counts.sum(axis=-1, keepdims=True)
    behind = counts[..., ::-1].cumsum(axis=-1)
    taken = np.clip(wanted - (behind - counts[..., ::-1]), 0.0, counts[..., ::-1])
    return (taken * values[::-1]).sum(axis=-1) / held.sum(axis=-1)


def hill(counts: Floats, values: Floats, threshold: float) -> Floats:
    """Return Hill's tail exponent over a threshold: observations beyond it over their mean log.

    Hill, "A simple general approach to inference about the tail of a distribution", Annals of
    Statistics 3, 1975: the maximum-likelihood exponent of a Pareto tail.

    Parameters
    ----------
    counts : ndarray of shape (..., values)
    values : ndarray of shape (values,)
    threshold : float
        Positive; values at or below it do not count.
    """
    beyond = values > threshold
    excess = np.log(values[beyond] / threshold)
    tail = counts[..., beyond]
    return tail.sum(axis=-1) / (tail * excess).sum(axis=-1)


def hill_threshold(counts: Floats, values: Floats, top: float, step: float) -> float:
    """Return the threshold over which about the largest `top` of observations lie.

    It is the value of the last observation below them plus half a step: sizes are whole steps, so
    the next one up stands for everything from there on (Clauset, Shalizi and Newman, "Power-law
    distributions in empirical data", SIAM Review 51, 2009, eq. 3.7). Ties make the tail smaller
    than `top`, never larger.
    """
    return float(quantile(counts, values, 1.0 - top)) + step / 2.0
