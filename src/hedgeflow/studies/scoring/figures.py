"""What scores are made of: a rate with its interval, the F-score of two, and quartiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.evidence.rates import wilson_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of how many, with the 95 % Wilson interval.

    Attributes
    ----------
    count, of : int
    share, low, high : float or None
        None where there is nothing to count in.
    """

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None

    @classmethod
    def out_of(cls, count: int, of: int) -> Rate:
        """Return the rate of `count` in `of`."""
        if of == 0:
            return cls(0, 0, None, None, None)
        low, high = wilson_bounds(count, of)
        return cls(count, of, count / of, low, high)

    @classmethod
    def among(cls, hits: NDArray[np.bool_]) -> Rate:
        """Return the rate of what is true."""
        return cls.out_of(int(hits.sum()), int(hits.size))


def f_score(precision: Rate, recall: Rate) -> float | None:
    """Return F1, the harmonic mean of precision and recall; None where either is not known."""
    if precision.share is None or recall.share is None:
        return None
    both = precision.share + recall.share
    return 2.0 * precision.share * recall.share / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Ratios:
    """Estimates over the true values that they estimate.

    Attributes
    ----------
    count : int
    lower_quartile, median, upper_quartile : float or None
        Of estimate / truth.
    bias : float or None
        Geometric mean of estimate / truth, less 1: +0.1 is 10 % too much.
    correlation : float or None
        Pearson's, of the values themselves, or of their logarithms where said so; None under 3 or
        where one side does not vary.
    """

    count: int
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None
    bias: float | None
    correlation: float | None


def ratios(
    estimate: NDArray[np.float64], truth: NDArray[np.float64], *, log_correlation: bool = False
) -> Ratios:
    """Compare estimates with truths; a pair without a positive ratio counts towards neither mean.

    Quartiles are of all finite ratios, negative ones too: those of demand have the wrong sign.
    """
    known = np.isfinite(estimate) & np.isfinite(truth) & (truth != 0.0)
    estimate, truth = estimate[known], truth[known]
    if estimate.size == 0:
        return Ratios(0, None, None, None, None, None)
    ratio = estimate / truth
    positive = ratio > 0.0
    lower, median, upper = np.quantile(ratio, [0.25, 0.5, 0.75]).tolist()
    bias = float(np.expm1(np.log(ratio[positive]).mean())) if positive.any() else None
    pair = (estimate, truth)
    if log_correlation:
        pair = (np.log(np.abs(estimate[positive])), np.log(np.abs(truth[positive])))
    return Ratios(int(ratio.size), lower, median, upper, bias, _correlation(*pair))


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    fewest = 3
    if x.size < fewest or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return None
    return float(np.corrcoef(x, y)[0, 1])
