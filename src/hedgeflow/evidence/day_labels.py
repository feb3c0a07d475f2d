"""Are expiry days unlike other days: labels of days dealt out again, and evenly spread closes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hedgeflow.evidence.estimates import (
    CONFIDENCE_LEVEL,
    BoolArray,
    Estimate,
    FloatArray,
    missing,
)
from hedgeflow.evidence.power import observations_needed, power_of
from hedgeflow.evidence.sign_flips import WORDS, Sides
from hedgeflow.evidence.wording import counted

PULL_BPS = 16.5
"""By how much expiries move the returns of optionable stocks, on average and at least: S. X. Ni,
N. D. Pearson and A. M. Poteshman, *Journal of Financial Economics* 78 (2005) 49–87."""
DAYS_NEEDED = 5
"""Expiry days, and days to hold them against, below which nothing is tested."""
LABELLINGS = 9_999
EVERY_LABELLING = 10_000
"""Where there are no more ways to deal out the labels, every one is tried."""
UNIFORM_DRAWS = 9_999
_CHUNK = 1_000_000
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class PublishedEffect:
    """What the published pull would do to a statistic, and whether so many days could show it.

    Attributes
    ----------
    pull_bps : float
        The published pull: basis points of the price, towards the strike and at most to it.
    effect : float or None
        By how much it would change the statistic, in its own unit.
    days : int
        Expiry days there are.
    power : float or None
        Chance that as many days would show it, two-sided at 5 %.
    days_needed : int or None
        Expiry days for which that chance is 80 %, with as many control days to each as here.
    reason : str
        Why there are no figures.
    """

    pull_bps: float
    effect: float | None
    days: int
    power: float | None
    days_needed: int | None
    reason: str


def published_effect(
    effect: float, values: FloatArray, controls: FloatArray | None = None
) -> PublishedEffect:
    """Return whether so many days could show an effect of this size.

    Parameters
    ----------
    effect : float
        Change of the mean of `values`, positive.
    values : ndarray, shape (expiry days,)
    controls : ndarray, shape (control days,), optional
        What they are held against, where that is measured too.

    Notes
    -----
    The normal approximation, with the deviation observed: J. Cohen, *Statistical Power Analysis for
    the Behavioral Sciences*, 2nd ed. (1988), 2.3 and 2.4.
    """
    days = int(values.size)
    both = [each for each in (values, controls) if each is not None]
    if any(each.size < DAYS_NEEDED for each in both):
        return untold_effect(days, f"fewer than {DAYS_NEEDED} days")
    deviation = math.sqrt(
        sum(float(((each - each.mean()) ** 2).sum()) for each in both)
        / sum(each.size - 1 for each in both)
    )
    ratio = 0.0 if controls is None else days / controls.size
    return effect_on_days(effect, deviation, days, days / (1.0 + ratio))


def effect_on_days(effect: float, deviation: float, days: int, worth: float) -> PublishedEffect:
    """Return whether so many days could show an effect, given how much one day deviates.

    Parameters
    ----------
    effect, deviation : float
        Of the same unit, the effect positive.
    days : int
        Expiry days there are.
    worth : float
        To how many they amount, once what they are held against has its own error.
    """
    if deviation <= 0.0:
        return PublishedEffect(PULL_BPS, effect, days, None, None, "every day is alike")
    needed = observations_needed((effect / deviation,))
    return PublishedEffect(
        PULL_BPS,
        effect,
        days,
        power_of(effect / deviation, worth),
        None if needed is None else math.ceil(needed * days / worth),
        "",
    )


def label_p_values(
    values: FloatArray,
    chosen: BoolArray,
    *,
    seed: int,
    draws: int = LABELLINGS,
    sides: Sides = "two-sided",
) -> tuple[tuple[Estimate, ...], float]:
    """Return the p-values of some days being like the others, one a column.

    The statistic is the difference in means; the labels are dealt out again. The level is exact,
    however few the days are, where the days are exchangeable.

    Parameters
    ----------
    values : ndarray, shape (days, statistics)
    chosen : ndarray of bool, shape (days,)
        Expiry days, for example; some are, some are not.
    seed : int
        Of the random labellings, which are drawn where there are more than 10,000.
    draws : int
        How many.
    sides : str
        ``two-sided``, or ``greater`` where the chosen are claimed to have the larger values.

    Returns
    -------
    tuple
        One p-value a column, and the smallest that so many days can give.

    References
    ----------
    E. J. G. Pitman, *Supplement to the Journal of the Royal Statistical Society* 4 (1937) 119–130;
    the observed labelling counts among the random ones: B. Phipson and G. K. Smyth, *Statistical
    Applications in Genetics and Molecular Biology* 9 (2010) 39.
    """
    days, count = int(chosen.size), int(chosen.sum())
    centred = values - values.mean(axis=0)
    scale = np.abs(centred).max(axis=0)
    centred = centred / np.where(scale > 0.0, scale, 1.0)
    observed = _far(centred[chosen].sum(axis=0), sides)
    ways = math.comb(days, count)
    method = f"labels of days dealt out again, difference in means, {WORDS[sides]}"
    if ways <= EVERY_LABELLING:
        rows = np.array(list(combinations(range(days), count)), dtype=np.int64)
        far = (_far(centred[rows].sum(axis=1), sides) >= observed - _TIE).sum(axis=0)
        # The complement of a labelling is as far from the middle where both groups are of one size.
        twins = 2 if sides == "two-sided" and 2 * count == days else 1
        method, smallest = f"{method}, every labelling", twins / ways
        return tuple(Estimate(float(p), n=ways, method=method) for p in far / ways), smallest
    far = np.zeros(centred.shape[1])
    rng, step = np.random.default_rng(seed), max(1, _CHUNK // days)
    for start in range(0, draws, step):
        ranks = rng.random((min(step, draws - start), days))
        rows = np.argpartition(ranks, count - 1, axis=1)[:, :count]
        far += (_far(centred[rows].sum(axis=1), sides) >= observed - _TIE).sum(axis=0)
    found = (1 + far) / (1 + draws)
    return tuple(Estimate(float(p), n=draws, method=method) for p in found), 1.0 / (1 + draws)


def _far(sums: FloatArray, sides: Sides) -> FloatArray:
    return np.abs(sums) if sides == "two-sided" else sums


def untold_effect(days: int, reason: str) -> PublishedEffect:
    """Return that nothing can be said of the published effect, and why."""
    return PublishedEffect(PULL_BPS, None, days, None, None, reason)


def uniform_p_values(
    distances: FloatArray,
    shares: FloatArray,
    within: float,
    *,
    seed: int,
    draws: int = UNIFORM_DRAWS,
) -> tuple[tuple[Estimate, Estimate], float]:
    """Return the two-sided p-values of closes that lie evenly between strikes.

    Parameters
    ----------
    distances : ndarray, shape (days,)
        From the nearest strike, 0 to 0.5 of the spacing; the law is that they are uniform. A mean
        over several underlyings of a day varies less than that, so the test is then too careful.
    shares : ndarray, shape (days,)
        Whether each was within `within` of a strike, 0 or 1, or the mean over underlyings.
    within : float
        In spacings.
    seed : int
        Of the draws.
    draws : int
        How many.

    Returns
    -------
    tuple
        P-values of the mean distance and of that share, and the smallest that there can be.
    """
    days = int(distances.size)
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // days)
    mean_off = abs(float(distances.mean()) - 0.25)
    share_off = abs(float(shares.mean()) - 2.0 * within)
    as_far = [0, 0]
    for start in range(0, draws, step):
        drawn = rng.uniform(0.0, 0.5, (min(step, draws - start), days))
        as_far[0] += int((np.abs(drawn.mean(axis=1) - 0.25) >= mean_off - _TIE).sum())
        near = (drawn <= within).mean(axis=1)
        as_far[1] += int((np.abs(near - 2.0 * within) >= share_off - _TIE).sum())
    method = "closes drawn evenly between strikes, two-sided"
    first, second = (Estimate((1 + far) / (1 + draws), n=draws, method=method) for far in as_far)
    return (first, second), 1.0 / (1 + draws)


def mean_of_days(values: FloatArray, none: str) -> Estimate:
    """Return a mean over days with Student's bounds."""
    return _bounded(values, None, none)


def difference_of_days(values: FloatArray, controls: FloatArray, none: str) -> Estimate:
    """Return the difference in means of two groups of days with Welch's bounds.

    References
    ----------
    B. L. Welch, *Biometrika* 34 (1947) 28–35.
    """
    return _bounded(values, controls, none)


def _bounded(values: FloatArray, controls: FloatArray | None, none: str) -> Estimate:
    from scipy.stats import t

    method = "mean over days, Student’s t" if controls is None else "difference in means, Welch"
    days = int(values.size)
    groups = [values] if controls is None else [values, controls]
    if any(each.size == 0 for each in groups):
        return missing(none, n=days, method=method)
    value = float(values.mean()) - (0.0 if controls is None else float(controls.mean()))
    if any(each.size < DAYS_NEEDED for each in groups):
        fewest = min(int(each.size) for each in groups)
        reason = f"{counted(fewest, 'day')}; an interval needs {DAYS_NEEDED}"
        return Estimate(value, n=days, method=method, reason=reason)
    parts = [float(each.var(ddof=1)) / each.size for each in groups]
    squared = sum(parts)
    if squared <= 0.0:
        return Estimate(value, n=days, method=method, reason="every day is alike")
    freedom = squared**2 / sum(
        part**2 / (each.size - 1) for part, each in zip(parts, groups, strict=True)
    )
    half = float(t.ppf(0.5 + CONFIDENCE_LEVEL / 2.0, freedom)) * math.sqrt(squared)
    return Estimate(value, value - half, value + half, days, method)
