"""A measured figure with its interval, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

CONFIDENCE_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its confidence bounds and how they were found.

    Attributes
    ----------
    value, lower, upper : float or None
        Point estimate and two-sided bounds; None where they cannot be computed.
    n : int
        Observations behind the figure.
    method : str
        How value and bounds were computed.
    reason : str
        Why a figure or its bounds are missing; empty otherwise.
    level : float
        Confidence level of the bounds.
    """

    value: float | None
    lower: float | None = None
    upper: float | None = None
    n: int = 0
    method: str = ""
    reason: str = ""
    level: float = CONFIDENCE_LEVEL


def missing(reason: str, *, n: int = 0, method: str = "") -> Estimate:
    """Return an estimate without figures, which says why.

    Parameters
    ----------
    reason : str
        One clause, as in "no trades".
    n : int, optional
        Observations there were.
    method : str, optional
        What would have been computed.
    """
    return Estimate(None, n=n, method=method, reason=reason)


class EffectKind(StrEnum):
    """What kind of figure an estimate is, and so what its effect size is called."""

    MEAN = "mean"
    RATE = "rate"
    CORRELATION = "correlation"
    R_SQUARED = "r-squared"


@dataclass(frozen=True, slots=True)
class Measure:
    """An estimate as a claim sees it.

    Attributes
    ----------
    estimate : Estimate
        The figure.
    sample_size : int
        Trades or events that count towards a claim's minimum sample.
    exact : bool
        The value alone decides (a count, a p-value); otherwise the bounds do.
    smallest : float or None
        Smallest value that the method could have returned (a p-value from N draws: 1 / (1 + N)).
    probability : bool
        The value is the probability that something claimed holds: not being near 1 shows nothing
        against it, only being as near 0 does.
    kind : EffectKind or None
        A mean or ratio of means, a rate, a correlation, or one squared with its sign; None where
        more observations do not narrow the interval, as of a drawdown.
    """

    estimate: Estimate
    sample_size: int
    exact: bool = False
    smallest: float | None = None
    probability: bool = False
    kind: EffectKind | None = EffectKind.MEAN
