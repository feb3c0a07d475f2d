"""Is the best of many configurations better than luck: reality check, SPA and stepwise test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hedgeflow.evidence.deflated_sharpe import effective_trials
from hedgeflow.evidence.estimates import BoolArray, Estimate, FloatArray, missing
from hedgeflow.evidence.resampling import mean_block_length
from hedgeflow.market.errors import EvidenceError

RESAMPLES = 2_000
FEWEST_SESSIONS = 20
"""Sessions below which a bootstrap of the largest of several means says nothing."""
SIZE = 0.05
"""Chance that the stepwise test names any configuration that is not better."""
SESSIONS_FOR_BOOTSTRAP = 250
"""Sessions below which Hansen's and the stepwise test reject too often even on normal results."""
_ASKED = 10
"""Configurations whose dependence sets the block length."""
_NO_SPREAD = 1e-12

_CHECK = "White's reality check, largest mean of all configurations"
_SPA = "Hansen's test for superior predictive ability, largest studentised mean"
_FLIPS = "largest studentised mean under random signs of whole sessions"
_AVERAGE = "mean correlation of daily results over all pairs of configurations"


@dataclass(frozen=True, slots=True)
class Snooping:
    """Daily results of many configurations against one benchmark, all tested together.

    Attributes
    ----------
    benchmark : str
        What they are compared with.
    configurations, sessions : int
        Shape of the matrix.
    unvaried : int
        Configurations whose difference from the benchmark never varies, which no test can judge;
        those that trade exactly as the benchmark are among them.
    block_length : int
        Mean length of the blocks of sessions that are drawn, in sessions.
    resamples, seed : int
    best : str
        The configuration with the largest mean difference.
    best_mean : Estimate
        That difference a session; no bounds, since it was chosen for being large.
    reality_check_p_value : Estimate
        That no configuration is better; all are assumed to be as good as the benchmark.
    spa_p_value_lower, spa_p_value, spa_p_value_upper : Estimate
        The same, studentised; poor configurations count for nothing, by the consistent rule, and
        fully. The consistent one is the test.
    sign_flip_p_value : Estimate
        The same statistic under random signs of whole sessions, exact for symmetric results however
        few sessions there are.
    superior : tuple of str
        Configurations that the stepwise test finds better, with chance `SIZE` of naming any
        wrongly.
    average_correlation : Estimate
        Of the configurations' daily results.
    effective_configurations : Estimate
        How many independent ones they amount to; shown only, no count rests on it.
    reason : str
        Why there is no p-value.
    """

    benchmark: str
    configurations: int
    sessions: int
    unvaried: int
    block_length: int
    resamples: int
    seed: int
    best: str
    best_mean: Estimate
    reality_check_p_value: Estimate
    spa_p_value_lower: Estimate
    spa_p_value: Estimate
    spa_p_value_upper: Estimate
    sign_flip_p_value: Estimate
    superior: tuple[str, ...]
    average_correlation: Estimate
    effective_configurations: Estimate
    reason: str


def snooping(
    daily: FloatArray,
    names: tuple[str, ...],
    *,
    seed: int,
    benchmark: FloatArray | None = None,
    benchmark_name: str = "no trade at all",
    resamples: int = RESAMPLES,
) -> Snooping:
    """Test whether the best of many configurations is better than a benchmark.

    Parameters
    ----------
    daily : ndarray, shape (sessions, configurations)
        Net result per session and configuration, zeros included, in any one unit.
    names : tuple of str
        Of the configurations, in the order of the columns.
    seed : int
        Of the bootstrap.
    benchmark : ndarray, shape (sessions,), optional
        Net result per session of what must be beaten; nothing earned if left out.
    benchmark_name : str
        What that is, in words.
    resamples : int

    Raises
    ------
    EvidenceError
        When shapes do not fit, or a value is not finite.

    Notes
    -----
    H. White, *Econometrica* 68 (2000) 1097–1126; P. R. Hansen, *Journal of Business & Economic
    Statistics* 23 (2005) 365–380; J. P. Romano and M. Wolf, *Econometrica* 73 (2005) 1237–1282;
    all by ``arch.bootstrap`` with the stationary bootstrap. arch compares means that are not
    divided by their errors whatever its option says, so for Hansen's and the stepwise test every
    column is first divided by its long-run deviation, which is Hansen's studentised statistic. A
    p-value is (1 + resamples reached) / (1 + resamples), and so never 0.

    The block length is the longest that the dependence of the `_ASKED` configurations with the
    largest means, or that of the average of all, asks for.

    The bootstrap takes the errors of the means as known, so with few sessions it rejects too often:
    in 100 simulations of 40 configurations correlated by 0.5 and worth nothing, at 5 %, 26 % over
    23 sessions, 19 % over 60, 11 % over 120 and 5 % over 250, normal results each. The signs of
    sessions flipped at random (J. P. Romano and M. Wolf, *JASA* 100 (2005) 94–108) reject 4 to 6 %.
    Of results with rare large losses both reject too often: 70 and 46 % over 23 sessions, 33 and
    14 % over 250, at a lognormal σ of 0.8. The larger p-value is the one to read.
    """
    _checked(daily, names, benchmark)
    sessions, count = daily.shape
    difference = daily if benchmark is None else daily - benchmark[:, None]
    varied = _varied(difference)
    mean = difference.sum(axis=0) / max(1, sessions)
    best = int(np.argmax(mean)) if count else -1
    correlation, effective = _correlated(daily)
    reason = _why_not(sessions, count, int(varied.sum()))
    block = 1 if reason else _block_length(difference[:, varied])
    head = (benchmark_name, count, sessions, count - int(varied.sum()), block, resamples, seed)
    best_name = names[best] if count else ""
    best_mean = (
        Estimate(float(mean[best]), n=sessions, method="largest mean difference a session")
        if count and sessions
        else missing(reason, method="largest mean difference a session")
    )
    if reason:
        gone = missing(reason, n=sessions)
        return Snooping(
            *head,
            best_name,
            best_mean,
            gone,
            gone,
            gone,
            gone,
            gone,
            (),
            correlation,
            effective,
            reason,
        )
    kept = difference[:, varied]
    check = _stepwise(kept, block, resamples, seed)[1]
    studentised = kept / _long_run_deviation(kept, block)
    better, hansen = _stepwise(studentised, block, resamples, seed)
    if float(kept.mean(axis=0).max()) <= 0.0:
        hansen = dict.fromkeys(hansen, 1.0)  # the statistic is never below 0
    columns = np.flatnonzero(varied)
    superior = tuple(names[int(columns[place])] for place in better)

    def found(value: float, method: str) -> Estimate:
        return Estimate(value, n=resamples, method=method)

    return Snooping(
        *head,
        best_name,
        best_mean,
        found(check["upper"], _CHECK),
        found(hansen["lower"], f"{_SPA}, poor configurations left out"),
        found(hansen["consistent"], f"{_SPA}, consistent"),
        found(hansen["upper"], f"{_SPA}, poor configurations counted in full"),
        found(_flipped(kept, resamples, seed), _FLIPS),
        superior,
        correlation,
        effective,
        "",
    )


def _checked(daily: FloatArray, names: tuple[str, ...], benchmark: FloatArray | None) -> None:
    if daily.ndim != 2 or daily.shape[1] != len(names):
        raise EvidenceError(
            f"results of shape {daily.shape} for {len(names)} names",
            where="snooping",
            hint="Pass one row a session and one column a configuration.",
        )
    if benchmark is not None and benchmark.shape != daily.shape[:1]:
        raise EvidenceError(
            f"a benchmark of shape {benchmark.shape} beside {daily.shape[0]} sessions",
            where="snooping",
            hint="It has one value a session, the same sessions.",
        )
    if not np.isfinite(daily).all() or not (benchmark is None or np.isfinite(benchmark).all()):
        raise EvidenceError(
            "a daily result is not finite",
            where="snooping",
            hint="A session without a trade earned 0.",
        )


def _varied(values: FloatArray) -> BoolArray:
    if values.shape[0] == 0:
        return np.zeros(int(values.shape[1]), dtype=np.bool_)
    largest = np.abs(values).max(axis=0)
    return values.std(axis=0) > _NO_SPREAD * np.maximum(largest, np.finfo(np.float64).tiny)


def _why_not(sessions: int, count: int, varied: int) -> str:
    if count == 0:
        return "no configurations"
    if sessions < FEWEST_SESSIONS:
        return f"{sessions} sessions, and the test needs {FEWEST_SESSIONS}"
    if varied == 0:
        return "no configuration's results differ from the benchmark's from day to day"
    return ""


def _block_length(difference: FloatArray) -> int:
    best = np.argsort(difference.mean(axis=0))[-_ASKED:]
    columns = [difference.mean(axis=1), *difference[:, best].T]
    return max(mean_block_length(column) for column in columns)


def _long_run_deviation(difference: FloatArray, block: int) -> FloatArray:
    """Return the root of the long-run variance that the stationary bootstrap implies.

    Hansen (2005), 2.4, after Politis and Romano (1994), lemma 1: autocovariances weighted by
    ((n − i) / n)(1 − q)^i + (i / n)(1 − q)^(n − i), q = 1 / block length.
    """
    sessions = int(difference.shape[0])
    centred = difference - difference.mean(axis=0)
    variance: FloatArray = (centred**2).mean(axis=0)
    stay = 1.0 - 1.0 / block
    for lag in range(1, sessions) if block > 1 else ():
        share = lag / sessions
        weight = (1.0 - share) * stay**lag + share * stay ** (sessions - lag)
        variance += 2.0 * weight * (centred[lag:] * centred[:-lag]).sum(axis=0) / sessions
    # Positive by construction but for rounding: it is a variance of resampled means.
    return np.sqrt(np.maximum(variance, _NO_SPREAD * (centred**2).mean(axis=0)))


def _stepwise(
    difference: FloatArray, block: int, resamples: int, seed: int
) -> tuple[list[int], dict[str, float]]:
    """Return the columns above zero by the stepwise test, and the p-values over all columns.

    The steps are those of arch's StepM, which breaks off where every column is above zero.
    """
    from arch.bootstrap import SPA

    sessions, count = difference.shape
    nothing: FloatArray = np.zeros(int(sessions))
    generator = np.random.default_rng(seed)
    test: Any = SPA(nothing, -difference, block_size=block, reps=resamples, seed=generator)
    test.compute()
    p_values = {
        str(name): (1.0 + round(float(value) * resamples)) / (1.0 + resamples)
        for name, value in test.pvalues.items()
    }
    left = np.ones(count, dtype=np.bool_)
    above = [int(place) for place in test.better_models(SIZE)]
    while above:
        left[above] = False
        if not left.any():
            break
        test.subset(left)
        test.compute()
        above = [int(place) for place in test.better_models(SIZE)]
    return np.flatnonzero(~left).tolist(), p_values


def _flipped(difference: FloatArray, flips: int, seed: int) -> float:
    """Return the p-value of the largest t statistic under random signs of whole sessions."""
    sessions = int(difference.shape[0])
    squares = (difference**2).sum(axis=0)

    def largest(sums: FloatArray) -> FloatArray:
        spread = np.maximum(squares - sums**2 / sessions, _NO_SPREAD * squares)
        return (sums / np.sqrt(spread)).max(axis=-1)

    rng = np.random.default_rng([seed, 1])
    signs = rng.choice(np.array([-1.0, 1.0]), size=(flips, sessions))
    observed = float(largest(difference.sum(axis=0)))
    reached = int((largest(signs @ difference) >= observed - _NO_SPREAD).sum())
    return (1 + reached) / (1 + flips)


def _correlated(daily: FloatArray) -> tuple[Estimate, Estimate]:
    sessions, count = daily.shape
    method = "ρ + (1 − ρ) M, Bailey & López de Prado (2014), appendix 3"
    spread = _varied(daily)
    rows = int(spread.sum())
    if rows < 2 or sessions < 3:
        gone = missing("fewer than two configurations that vary", n=count, method=_AVERAGE)
        return gone, missing(gone.reason, n=count, method=method)
    scores = daily[:, spread] - daily[:, spread].mean(axis=0)
    scores = scores / np.sqrt((scores**2).sum(axis=0))
    # The sum over all pairs is |Σ scores|², of which the diagonal is one a column.
    average = float((scores.sum(axis=1) ** 2).sum() - rows) / (rows * (rows - 1))
    return (
        Estimate(average, n=rows, method=_AVERAGE),
        Estimate(effective_trials(average, count), n=count, method=method),
    )
