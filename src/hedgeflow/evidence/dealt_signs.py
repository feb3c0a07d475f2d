"""Does a sign tell how far a day moves: signs dealt out again among days of the same kind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hedgeflow.evidence.day_labels import DAYS_NEEDED, EVERY_LABELLING, LABELLINGS
from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL, BoolArray, Estimate, FloatArray, IntArray
from hedgeflow.evidence.wording import counted

_TIE = 1e-9
_CHUNK = 1_000_000


@dataclass(frozen=True, slots=True)
class SignSlope:
    """How much farther days move for one sign than for the other, kinds of days told apart.

    Attributes
    ----------
    estimate : Estimate
        Slope of the move on the sign.
    deviation : float
        Of one day about it.
    worth : float
        To how many days, split evenly between the signs, these amount.
    """

    estimate: Estimate
    deviation: float
    worth: float


def tell_apart(signs: FloatArray, kinds: IntArray) -> BoolArray:
    """Return which days are of a kind with more than one sign: the others tell nothing of it.

    Parameters
    ----------
    signs : ndarray, shape (days, underlyings)
    kinds : ndarray of int, shape (days,)
    """
    found = np.zeros(kinds.size, dtype=np.bool_)
    for rows in _of_kinds(kinds):
        found[rows] = bool((signs[rows] != signs[rows[0]]).any())
    return found


def sign_slope(signs: FloatArray, moves: FloatArray, kinds: IntArray) -> SignSlope:
    """Return the slope of moves on signs by least squares, with a level of its own for each kind.

    Parameters
    ----------
    signs, moves : ndarray, shape (days, underlyings)
        Zero where an underlying is not part of a day.
    kinds : ndarray of int, shape (days,)
        Which days are alike but for the signs; in each of them the signs differ.

    Notes
    -----
    Of one underlying and one kind it is half the difference in means with the errors of least
    squares. The underlyings of a day move together, so the error is that of signs dealt out by
    whole days to the residuals: W. Hoeffding, *Annals of Mathematical Statistics* 22 (1951)
    558–566, theorem 2.
    """
    method = "least squares on the sign with a level for each side of the strike, Student’s t"
    sides, gains = _centred(signs, kinds), _centred(moves, kinds)
    worth = float((sides**2).sum())
    value = float((sides * gains).sum()) / worth
    rest = gains - value * sides
    groups = _of_kinds(kinds)
    days = int(kinds.size)
    freedom = days - len(groups) - 1
    if freedom < 1 or days < DAYS_NEEDED:
        reason = f"{counted(days, 'day')} of {counted(len(groups), 'kind')}"
        return SignSlope(Estimate(value, n=days, method=method, reason=reason), 0.0, worth)
    spread = sum(
        float(((sides[rows] @ rest[rows].T) ** 2).sum()) / (rows.size - 1) for rows in groups
    )
    error = math.sqrt(spread * (freedom + 1) / freedom) / worth
    if error <= 0.0:
        reason = "every day is alike"
        return SignSlope(Estimate(value, n=days, method=method, reason=reason), 0.0, worth)
    from scipy.stats import t

    half = error * float(t.ppf(0.5 + CONFIDENCE_LEVEL / 2.0, freedom))
    bounded = Estimate(value, value - half, value + half, days, method)
    return SignSlope(bounded, error * math.sqrt(worth), worth)


def dealt_p_value(
    signs: FloatArray, moves: FloatArray, kinds: IntArray, *, seed: int, draws: int = LABELLINGS
) -> tuple[Estimate, float]:
    """Return the one-sided p-value of moves that do not follow the signs, and the smallest.

    The statistic is the sum of moves times signs. The signs are dealt out again by whole days,
    among days of one kind only: whatever moves all days of a kind alike moves no p-value. The level
    is exact, however few the days are, where days of a kind are exchangeable.

    Parameters
    ----------
    signs, moves : ndarray, shape (days, underlyings)
        Zero where an underlying is not part of a day.
    kinds : ndarray of int, shape (days,)
    seed : int
        Of the random dealings, which are made where there are more than 10,000.
    draws : int
        How many.

    References
    ----------
    E. J. G. Pitman, *Supplement to the Journal of the Royal Statistical Society* 4 (1937) 225–232;
    the observed dealing counts among the random ones: B. Phipson and G. K. Smyth, *Statistical
    Applications in Genetics and Molecular Biology* 9 (2010) 39.
    """
    gains = _centred(moves, kinds)
    scale = float(np.abs(gains).max())
    gains = gains / (scale or 1.0)
    observed = float((signs * gains).sum())
    method = "signs dealt out again among days on one side of the strike, one-sided, above zero"
    patterns = [
        (rows, *np.unique(signs[rows], axis=0, return_inverse=True)) for rows in _of_kinds(kinds)
    ]
    ways = math.prod(_ways(np.bincount(code.ravel())) for _, _, code in patterns)
    if ways <= EVERY_LABELLING:
        sums = np.zeros(1)
        for rows, kind, code in patterns:
            dealt = np.array(list(_dealings(np.bincount(code.ravel()).tolist())), dtype=np.int64)
            own = np.einsum("wdu,du->w", kind[dealt], gains[rows])
            sums = np.add.outer(sums, own).ravel()
        far = int((sums >= observed - _TIE).sum())
        return Estimate(far / ways, n=ways, method=f"{method}, every dealing"), 1.0 / ways
    rng = np.random.default_rng(seed)
    step, far = max(1, _CHUNK // signs.size), 0
    for start in range(0, draws, step):
        count = min(step, draws - start)
        sums = np.zeros(count)
        for rows, kind, code in patterns:
            dealt = rng.permuted(np.tile(code.ravel(), (count, 1)), axis=1)
            sums += np.einsum("wdu,du->w", kind[dealt], gains[rows])
        far += int((sums >= observed - _TIE).sum())
    return Estimate((1 + far) / (1 + draws), n=draws, method=method), 1.0 / (1 + draws)


def _of_kinds(kinds: IntArray) -> list[IntArray]:
    return [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]


def _centred(values: FloatArray, kinds: IntArray) -> FloatArray:
    centred = values.astype(np.float64)
    for rows in _of_kinds(kinds):
        centred[rows] -= centred[rows].mean(axis=0)
    return centred


def _ways(counts: IntArray) -> int:
    """Return in how many ways so many of each can stand in a row."""
    left, ways = int(counts.sum()), 1
    for count in counts.tolist():
        ways *= math.comb(left, count)
        left -= count
    return ways


def _dealings(left: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield every row that has so many of each."""
    if not any(left):
        yield ()
        return
    for code, count in enumerate(left):
        if count:
            rest = [each - (place == code) for place, each in enumerate(left)]
            for row in _dealings(rest):
                yield (code, *row)
