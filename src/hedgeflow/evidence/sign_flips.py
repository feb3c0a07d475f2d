"""Is a mean zero, when observations of one session move together: signs flipped by session."""

from __future__ import annotations

from itertools import product
from typing import Literal

import numpy as np

from hedgeflow.evidence.estimates import Estimate, FloatArray, IntArray, missing

EXACT_SESSIONS = 12
"""Up to so many sessions every pattern of signs is tried."""
RANDOM_FLIPS = 9_999
_TIE = 1e-9

Sides = Literal["two-sided", "greater"]
WORDS = {"two-sided": "two-sided", "greater": "one-sided, above zero"}


def sign_flip_p_value(
    values: FloatArray, session: IntArray, *, seed: int, sides: Sides, none: str
) -> Estimate:
    """Return the p-value of the mean being zero, sessions taken as the independent units.

    The statistic is the mean over observations; all observations of a session change sign
    together. Where the sums of sessions are symmetric about zero the level is exact, however few
    they are and however much more volatile some are than others. (Dividing by the day-clustered
    standard error would order the patterns the same way: Σ sums² is that of every pattern.)

    Parameters
    ----------
    values : ndarray, shape (observations,)
    session : ndarray, shape (observations,)
        Index of each one's session.
    seed : int
        Of the random patterns, which are drawn where there are more than 12 sessions.
    sides : str
        ``two-sided``, or ``greater`` for a mean that is claimed to be positive.
    none : str
        Reason to give without observations.

    References
    ----------
    I. A. Canay, J. P. Romano and A. M. Shaikh, "Randomization tests under an approximate symmetry
    assumption", *Econometrica* 85 (2017) 1013–1030.
    """
    method = f"signs flipped by session, {WORDS[sides]}"
    if values.size == 0:
        return missing(none, method=method)
    sums = np.bincount(np.unique(session, return_inverse=True)[1], weights=values)
    scale = float(np.abs(sums).max())
    if scale == 0.0:
        return Estimate(1.0, n=int(values.size), method=f"{method}; every sum is zero")
    sums = sums / scale
    signs = _patterns(int(sums.size), seed)
    drawn, observed = signs @ sums, float(sums.sum())
    if sides == "two-sided":
        drawn, observed = np.abs(drawn), abs(observed)
    as_far = int((drawn >= observed - _TIE).sum())
    if sums.size <= EXACT_SESSIONS:
        return Estimate(as_far / drawn.size, n=int(drawn.size), method=f"{method}, every pattern")
    return Estimate((1 + as_far) / (1 + drawn.size), n=int(drawn.size), method=method)


def smallest_p_value(sessions: int, sides: Sides) -> float:
    """Return the smallest p-value that so many sessions can give, however large the effect."""
    if sessions > EXACT_SESSIONS:
        return 1.0 / (1 + RANDOM_FLIPS)
    return min(1.0, (2.0 if sides == "two-sided" else 1.0) * 0.5**sessions)


def _patterns(sessions: int, seed: int) -> FloatArray:
    if sessions <= EXACT_SESSIONS:
        return np.array(list(product((1.0, -1.0), repeat=sessions)))
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([-1.0, 1.0]), size=(RANDOM_FLIPS, sessions))
