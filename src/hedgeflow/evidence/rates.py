"""Win rates: intervals, exact tests, the wins a claim needs and the rate the barriers imply."""

from __future__ import annotations

import math

from hedgeflow.evidence.estimates import (
    CONFIDENCE_LEVEL,
    Estimate,
    FloatArray,
    missing,
)
from hedgeflow.market.errors import EvidenceError

WILSON = "Wilson score"
CLOPPER_PEARSON = "Clopper–Pearson exact"


def _counts(wins: int, trades: int) -> None:
    if not 0 <= wins <= trades:
        raise EvidenceError(
            f"{wins} wins of {trades} trades", hint="Wins lie between 0 and the number of trades."
        )


def wilson_bounds(wins: int, trades: int, level: float = CONFIDENCE_LEVEL) -> tuple[float, float]:
    """Return the two-sided Wilson score bounds of a rate.

    Parameters
    ----------
    wins, trades : int
        Counts, ``0 <= wins <= trades`` and ``trades >= 1``.
    level : float
        Confidence level.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927) 209–212; method 3 of R. G. Newcombe, Statistics in Medicine 17 (1998) 857–872.
    """
    from scipy.stats import binomtest

    _counts(wins, trades)
    interval = binomtest(wins, trades).proportion_ci(confidence_level=level, method="wilson")
    return float(interval.low), float(interval.high)


def exact_bounds(wins: int, trades: int, level: float = CONFIDENCE_LEVEL) -> tuple[float, float]:
    """Return the Clopper–Pearson bounds of a rate.

    Parameters
    ----------
    wins, trades : int
        Counts, ``0 <= wins <= trades`` and ``trades >= 1``.
    level : float
        Confidence level.

    References
    ----------
    C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404–413.
    """
    from scipy.stats import binomtest

    _counts(wins, trades)
    interval = binomtest(wins, trades).proportion_ci(confidence_level=level, method="exact")
    return float(interval.low), float(interval.high)


def win_rate(wins: int, trades: int) -> Estimate:
    """Return wins / trades with its Wilson interval; missing without trades."""
    return _rate(wins, trades, WILSON)


def win_rate_exact(wins: int, trades: int) -> Estimate:
    """Return wins / trades with its Clopper–Pearson interval; missing without trades."""
    return _rate(wins, trades, CLOPPER_PEARSON)


def _rate(wins: int, trades: int, method: str) -> Estimate:
    if trades == 0:
        return missing("no trades", method=method)
    bounds = wilson_bounds if method == WILSON else exact_bounds
    lower, upper = bounds(wins, trades)
    return Estimate(wins / trades, lower, upper, trades, method)


def binomial_p_value(wins: int, trades: int, rate: float) -> float:
    """Return the exact one-sided probability of at least `wins` when the true rate is `rate`.

    Parameters
    ----------
    wins, trades : int
        Counts, ``trades >= 1``.
    rate : float
        The null rate.
    """
    from scipy.stats import binomtest

    _counts(wins, trades)
    return float(binomtest(wins, trades, rate, alternative="greater").pvalue)


def wins_needed(trades: int, threshold: float, level: float = CONFIDENCE_LEVEL) -> int | None:
    """Return the fewest wins whose Wilson lower bound reaches `threshold`, None if none does.

    Parameters
    ----------
    trades : int
        Number of trades.
    threshold : float
        The rate that the lower bound must reach.
    level : float
        Confidence level of the two-sided interval.

    Notes
    -----
    For 80 %: 46 of 50, 88 of 100, 133 of 154 (evidence.md 2). The bound rises with the wins, so
    the count is found by bisection.
    """
    if trades < 1 or wilson_bounds(trades, trades, level)[0] < threshold:
        return None
    low, high = -1, trades
    while high - low > 1:
        middle = (low + high) // 2
        if wilson_bounds(middle, trades, level)[0] >= threshold:
            high = middle
        else:
            low = middle
    return high


def barrier_rates(stop: FloatArray, target: FloatArray) -> FloatArray:
    """Return the win rate that each trade's barriers imply without any edge.

    Parameters
    ----------
    stop, target : ndarray, shape (trades,)
        Distances of stop and target from entry, both positive, in one unit.

    Returns
    -------
    ndarray, shape (trades,)
        stop / (stop + target): the chance that a driftless continuous price meets the target
        first (gambler's ruin; W. Feller, *An Introduction to Probability Theory* I, XIV). Time
        limits and costs move the real rate away from it, so matched entries stand beside it.
    """
    if bool(((stop <= 0) | (target <= 0)).any()):
        raise EvidenceError(
            "a stop or target distance is not positive",
            where="trades.stop_distance, trades.target_distance",
        )
    return stop / (stop + target)


def barrier_implied(stop: FloatArray, target: FloatArray) -> Estimate:
    """Return the mean over trades of the win rate implied by their barriers."""
    method = "mean of stop / (stop + target)"
    if stop.size == 0:
        return missing("no trades", method=method)
    return Estimate(float(barrier_rates(stop, target).mean()), n=int(stop.size), method=method)


def cohen_h(rate: float, null_rate: float) -> float:
    """Return Cohen's h, 2 asin √rate − 2 asin √null.

    References
    ----------
    J. Cohen, *Statistical Power Analysis for the Behavioral Sciences*, 2nd ed. (1988), 6.2.
    """
    return 2.0 * math.asin(math.sqrt(rate)) - 2.0 * math.asin(math.sqrt(null_rate))
