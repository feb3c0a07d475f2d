"""How sure a Sharpe ratio is, and what is left of it after all the configurations tried."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hedgeflow.evidence.estimates import Estimate, FloatArray, missing

_EULER_GAMMA = 0.57721566490153286
CONFIDENCE = 0.95
"""Confidence for which the track record needed is stated."""
SESSIONS_FOR_MOMENTS = 4
TRIALS_FOR_SPREAD = 10
"""Configurations below which their own spread may not be smaller than that of chance."""
CURVE_TRIALS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""Numbers of configurations for which the luck to expect is stated."""


@dataclass(frozen=True, slots=True)
class Luck:
    """What the best of so many configurations without any edge would show.

    Attributes
    ----------
    configurations : int
        Tried.
    expected_maximum : float
        Annualised Sharpe ratio to expect of the best.
    """

    configurations: int
    expected_maximum: float


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """The Sharpe ratio against zero, against the claim and against the luck of many trials.

    Attributes
    ----------
    configurations : int
        Tried on this data set, this one included: the trial ledger's count.
    sharpes_known : int
        Of how many the journal holds a run whose daily results give a ratio.
    skewness, kurtosis : Estimate
        Of daily net profit; a normal law has 0 and 3.
    probabilistic : Estimate
        Probability that the true ratio exceeds zero.
    probabilistic_claimed : Estimate
        Probability that it exceeds the claimed one.
    expected_maximum : Estimate
        Annualised ratio that the best of so many configurations without any edge would show.
    deflated : Estimate
        Probability that the true ratio exceeds that.
    sessions_needed : Estimate
        Sessions for which `probabilistic` would reach 95 % at this ratio.
    luck_by_trials : tuple of Luck
        The same expectation for fewer and for more configurations, to see how it grows.
    """

    configurations: int
    sharpes_known: int
    skewness: Estimate
    kurtosis: Estimate
    probabilistic: Estimate
    probabilistic_claimed: Estimate
    expected_maximum: Estimate
    deflated: Estimate
    sessions_needed: Estimate
    luck_by_trials: tuple[Luck, ...]


def probabilistic_sharpe(
    sharpe: float, reference: float, periods: int, skewness: float, kurtosis: float
) -> float:
    """Return the probability that a true Sharpe ratio exceeds a reference.

    Parameters
    ----------
    sharpe, reference : float
        Per period, not annualised.
    periods : int
        Observations, at least 2.
    skewness, kurtosis : float
        Of the returns; kurtosis is 3 for a normal law.

    Notes
    -----
    Φ((SR − SR*) √(T − 1) / √(1 − γ₃ SR + (γ₄ − 1) SR² / 4)): D. H. Bailey and M. López de Prado,
    *Journal of Risk* 15 (2) (2012) 3–44, equation 11.
    """
    from scipy.stats import norm

    spread = math.sqrt(_variance(sharpe, skewness, kurtosis))
    return float(norm.cdf((sharpe - reference) * math.sqrt(periods - 1) / spread))


def minimum_track_record(
    sharpe: float, reference: float, skewness: float, kurtosis: float, confidence: float
) -> float | None:
    """Return the periods after which a ratio is above its reference at a confidence.

    None when the ratio does not exceed its reference.

    Notes
    -----
    1 + (1 − γ₃ SR + (γ₄ − 1) SR² / 4) (Z / (SR − SR*))²: Bailey and López de Prado (2012),
    equation 13.
    """
    from scipy.stats import norm

    if sharpe <= reference:
        return None
    ratio = float(norm.ppf(confidence)) / (sharpe - reference)
    return 1.0 + _variance(sharpe, skewness, kurtosis) * ratio**2


def expected_maximum_sharpe(deviation: float, trials: int) -> float:
    """Return the Sharpe ratio to expect of the best of independent trials without an edge.

    Parameters
    ----------
    deviation : float
        Standard deviation of the trials' ratios.
    trials : int
        At least 1; of one the expected ratio is 0.

    Notes
    -----
    √V ((1 − γ) Z(1 − 1/N) + γ Z(1 − 1/(N e))): D. H. Bailey and M. López de Prado, *Journal of
    Portfolio Management* 40 (5) (2014) 94–107, equation 1.
    """
    from scipy.stats import norm

    if trials < 2:
        return 0.0
    first = float(norm.isf(1.0 / trials))
    second = float(norm.isf(1.0 / (trials * math.e)))
    return deviation * ((1.0 - _EULER_GAMMA) * first + _EULER_GAMMA * second)


def effective_trials(average_correlation: float, trials: int) -> float:
    """Return how many independent trials so many correlated ones amount to.

    Between 1, where all are one, and `trials`; a negative mean correlation counts as none. It is
    shown beside the count and never used for it: who tries a hundred variants has tried a hundred.

    Parameters
    ----------
    average_correlation : float
        Of the trials' results, over all pairs.
    trials : int

    Notes
    -----
    ρ + (1 − ρ) M: D. H. Bailey and M. López de Prado, *Journal of Portfolio Management* 40 (5)
    (2014) 94–107, appendix 3.
    """
    correlation = min(1.0, max(0.0, average_correlation))
    return correlation + (1.0 - correlation) * trials


def deflated_sharpe(
    daily: FloatArray,
    *,
    configurations: int,
    sharpes: tuple[float, ...],
    sessions_per_year: float,
    claimed: float,
) -> DeflatedSharpe:
    """Return the probabilistic and the deflated Sharpe ratio of daily net profit.

    Parameters
    ----------
    daily : ndarray, shape (sessions,)
        Zeros included.
    configurations : int
        Tried on this data set, this one included.
    sharpes : tuple of float
        Ratios per session of the configurations whose runs are known, this one among them; their
        spread is that of the trials.
    sessions_per_year : float
    claimed : float
        Annualised ratio that is claimed.

    Notes
    -----
    Where not every configuration's ratio is known, or fewer than ten are, the spread is no smaller
    than that of the estimate of a ratio of zero, 1 / √(T − 1), by which configurations without an
    edge differ: a few that happen to be alike say nothing of the others. Days are taken as
    independent.
    """
    sessions, year = int(daily.size), math.sqrt(sessions_per_year)
    known = len(sharpes)
    method = "Bailey & López de Prado"
    deviation = float(daily.std(ddof=1)) if sessions >= SESSIONS_FOR_MOMENTS else 0.0
    if deviation <= 1e-12 * float(np.abs(daily).max(initial=0.0)):
        reason = "fewer than four sessions" if sessions < SESSIONS_FOR_MOMENTS else "no variation"
        gone = missing(reason, n=sessions, method=method)
        return DeflatedSharpe(configurations, known, gone, gone, gone, gone, gone, gone, gone, ())
    sharpe = float(daily.mean()) / deviation
    centred = daily - daily.mean()
    population = float(daily.std())
    skewness = float((centred**3).mean()) / population**3
    kurtosis = float((centred**4).mean()) / population**4

    def exceeds(reference: float, what: str) -> Estimate:
        value = probabilistic_sharpe(sharpe, reference, sessions, skewness, kurtosis)
        return Estimate(value, n=sessions, method=f"probability of a true ratio above {what}")

    spread, source = _spread(sharpes, configurations, sessions)
    luck = expected_maximum_sharpe(spread, configurations)
    needed = minimum_track_record(sharpe, 0.0, skewness, kurtosis, CONFIDENCE)
    return DeflatedSharpe(
        configurations,
        known,
        Estimate(skewness, n=sessions, method="third standardised moment of daily net profit"),
        Estimate(kurtosis, n=sessions, method="fourth standardised moment of daily net profit"),
        exceeds(0.0, "zero"),
        exceeds(claimed / year, f"{claimed:g} a year"),
        Estimate(luck * year, n=configurations, method=f"best of the trials, {source}"),
        exceeds(luck, "the best that so many trials would show by luck"),
        missing("the ratio does not exceed zero", n=sessions, method=method)
        if needed is None
        else Estimate(needed, n=sessions, method="sessions for 95 % above zero at this ratio"),
        tuple(
            Luck(trials, expected_maximum_sharpe(spread, trials) * year)
            for trials in sorted({*CURVE_TRIALS, configurations})
        ),
    )


def _spread(sharpes: tuple[float, ...], configurations: int, sessions: int) -> tuple[float, str]:
    known = len(sharpes)
    of_zero = 1.0 / math.sqrt(sessions - 1)
    if known >= 2:
        of_runs = float(np.std(sharpes, ddof=1))
        if (known >= configurations and known >= TRIALS_FOR_SPREAD) or of_runs > of_zero:
            return of_runs, f"spread of {known} runs"
    return of_zero, "spread of the estimate of zero"


def _variance(sharpe: float, skewness: float, kurtosis: float) -> float:
    # Positive for the moments of any sample, for kurtosis >= 1 + skewness².
    return max(1e-12, 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2)
