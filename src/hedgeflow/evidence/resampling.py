"""Resampling by session: trades of a day move together, so days are drawn, not trades."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hedgeflow.evidence.estimates import (
    CONFIDENCE_LEVEL,
    Estimate,
    FloatArray,
    IntArray,
    missing,
)
from hedgeflow.evidence.wording import counted

RESAMPLES = 2_000
SESSIONS_FOR_INTERVAL = 8
"""Sessions with observations below which no bounds are given: of five independent normal sessions
4 to 5 % of lower bounds exceed the truth, of eight about 3 %, and 2.5 % may."""
DEFINED_SHARE = 0.95
"""Share of resamples in which a statistic must exist for its percentiles to be given."""

RESAMPLED = "stationary bootstrap of sessions"
METHOD = f"{RESAMPLED}, widened for few blocks"
FEWEST_BLOCKS = 2.0
"""Blocks of sessions below which nothing can be resampled, and no bounds are given. From few blocks
on the bounds are the extremes of all resamples. They hold nevertheless, for a mean length that few
sessions are given is rather too long than too short: see the test of 11 sessions in 16."""


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """One set of resampled session orders, shared by every statistic of a package.

    Attributes
    ----------
    draws : ndarray, shape (resamples, sessions)
        Indices into the sessions.
    block_length : int
        Mean block length in sessions.
    seed : int
        Seed of the generator.
    """

    draws: IntArray
    block_length: int
    seed: int

    @property
    def sessions(self) -> int:
        """Number of sessions."""
        return int(self.draws.shape[1])

    def blocks(self, session: IntArray) -> float:
        """Return how many independent blocks observations on these sessions make."""
        return np.unique(session).size / self.block_length


def resample_sessions(daily: FloatArray, *, seed: int, resamples: int = RESAMPLES) -> Resampling:
    """Draw session orders by the stationary bootstrap.

    Parameters
    ----------
    daily : ndarray, shape (sessions,)
        Net profit per session in time order, zeros included; its dependence sets the block length.
    seed : int
        Seed of a generator of its own.
    resamples : int
        Number of draws.

    References
    ----------
    D. N. Politis and J. P. Romano, JASA 89 (1994) 1303–1313; block length by D. N. Politis and
    H. White, Econometric Reviews 23 (2004) 53–70, with the correction of A. Patton, D. N. Politis
    and H. White, Econometric Reviews 28 (2009) 372–375, rounded up to whole sessions.
    """
    from arch.bootstrap import StationaryBootstrap

    sessions = int(daily.size)
    if sessions == 0:
        return Resampling(np.zeros((0, 0), dtype=np.int64), 1, seed)
    block = mean_block_length(daily)
    positions = np.arange(sessions, dtype=np.int64)
    bootstrap = StationaryBootstrap(block, positions, seed=np.random.default_rng(seed))
    draws = np.empty((resamples, sessions), dtype=np.int64)
    for row, (args, _) in enumerate(bootstrap.bootstrap(resamples)):
        draws[row] = args[0]
    return Resampling(draws, block, seed)


def mean_block_length(daily: FloatArray) -> int:
    """Return the mean length of blocks that a series' own dependence asks for, in sessions.

    At most a third of the sessions, and 1 for fewer than ten.

    Parameters
    ----------
    daily : ndarray, shape (sessions,)
        In time order.
    """
    from arch.bootstrap import optimal_block_length

    varied = float(np.ptp(daily)) > 0 if daily.size else False
    if daily.size < 10 or not varied:
        return 1
    with np.errstate(all="ignore"):
        length = float(optimal_block_length(daily)["stationary"].iloc[0])
    if not math.isfinite(length):
        return 1
    return min(max(1, math.ceil(length)), max(1, daily.size // 3))


def percentile_bounds(
    statistics: FloatArray, level: float = CONFIDENCE_LEVEL, blocks: float | None = None
) -> tuple[float, float] | None:
    """Return the percentile bounds of resampled statistics, None where too many are undefined.

    Parameters
    ----------
    statistics : ndarray, shape (resamples,)
        NaN where the statistic does not exist in a resample.
    level : float
        Confidence level.
    blocks : float, optional
        Independent blocks that were resampled, at least 2; their fewness widens the bounds.
    """
    defined = statistics[np.isfinite(statistics)]
    if statistics.size == 0 or defined.size < DEFINED_SHARE * statistics.size:
        return None
    tail = (1.0 - level) / 2.0
    if blocks is not None:
        tail = expanded_tail(tail, blocks)
    lower, upper = np.quantile(defined, [tail, 1.0 - tail])
    return float(lower), float(upper)


def expanded_tail(tail: float, blocks: float) -> float:
    """Return the share of resamples to leave out on each side, where few blocks were resampled.

    Parameters
    ----------
    tail : float
        Nominal share, as in 0.025.
    blocks : float
        Independent blocks, above 1; sessions over the mean length of a block.

    Notes
    -----
    Φ(−√(m / (m − 1)) t), t the quantile of Student's t with m − 1 degrees of freedom: resampling m
    values gives a spread that is √((m − 1) / m) of the unbiased one, and knows nothing of the
    spread's own error. T. C. Hesterberg, *The American Statistician* 69 (2015) 371–386, with blocks
    in the place of values.
    """
    from scipy.stats import norm, t

    return float(norm.cdf(math.sqrt(blocks / (blocks - 1.0)) * t.ppf(tail, blocks - 1.0)))


def too_few_sessions(session: IntArray) -> str:
    """Return why observations on these sessions carry no interval, or an empty string."""
    distinct = int(np.unique(session).size)
    if distinct >= SESSIONS_FOR_INTERVAL:
        return ""
    have = counted(distinct, "session")
    return f"{have} with observations; an interval needs {SESSIONS_FOR_INTERVAL}"


def by_session(values: FloatArray, session: IntArray, sessions: int) -> FloatArray:
    """Return the sum of `values` per session, zero where there are none."""
    return np.bincount(session, weights=values, minlength=sessions).astype(np.float64)


def clustered_mean(
    values: FloatArray,
    session: IntArray,
    resampling: Resampling,
    *,
    none: str = "no trades",
    what: str = "mean",
) -> Estimate:
    """Return the mean over observations with bounds from resampled sessions.

    Parameters
    ----------
    values : ndarray, shape (observations,)
        One figure per trade or event.
    session : ndarray, shape (observations,)
        Index of each observation's session.
    resampling : Resampling
        The session draws.
    none : str
        Reason to give when there are no observations.
    what : str
        Name of the mean in the method text.

    Notes
    -----
    The bootstrap statistic is the ratio Σ values / Σ observations over the drawn sessions, so
    that days with many trades weigh as they do in the mean itself.
    """
    method = f"{what}, {METHOD}"
    if values.size == 0:
        return missing(none, method=method)
    value = float(values.mean())
    reason = too_few_sessions(session)
    if reason:
        return Estimate(value, n=int(values.size), method=method, reason=reason)
    sums = by_session(values, session, resampling.sessions)[resampling.draws].sum(axis=1)
    counts = by_session(np.ones_like(values), session, resampling.sessions)
    drawn = counts[resampling.draws].sum(axis=1)
    statistics = np.divide(sums, drawn, out=np.full_like(sums, np.nan), where=drawn > 0)
    return with_bounds(
        value,
        statistics,
        n=int(values.size),
        method=method,
        blocks=resampling.blocks(session),
    )


def with_bounds(
    value: float, statistics: FloatArray, *, n: int, method: str, blocks: float
) -> Estimate:
    """Return `value` with the widened percentile bounds of its resampled statistics.

    Parameters
    ----------
    value : float
    statistics : ndarray, shape (resamples,)
        NaN where it does not exist.
    n : int
        Observations.
    method : str
    blocks : float
        Independent blocks that were resampled; below `FEWEST_BLOCKS` there are no bounds.
    """
    if blocks < FEWEST_BLOCKS:
        reason = (
            f"sessions depend on each other so far that those with observations make {blocks:.1f}"
            f" independent blocks; an interval needs {FEWEST_BLOCKS:g}"
        )
        return Estimate(value, n=n, method=method, reason=reason)
    bounds = percentile_bounds(statistics, blocks=blocks)
    if bounds is None:
        reason = "undefined in more than 5 % of the resamples"
        return Estimate(value, n=n, method=method, reason=reason)
    return Estimate(value, bounds[0], bounds[1], n, method)


def resampled_rows(session: IntArray, resampling: Resampling) -> Iterator[IntArray]:
    """Yield, per resample, the row numbers of the observations on the drawn sessions, in order.

    Parameters
    ----------
    session : ndarray, shape (observations,)
        Index of each observation's session.
    resampling : Resampling
        The session draws.
    """
    order = np.argsort(session, kind="stable")
    starts = np.searchsorted(session[order], np.arange(resampling.sessions + 1))
    lengths = np.diff(starts)
    for draw in resampling.draws:
        counts = lengths[draw]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if ends.size else 0
        offsets = np.repeat(starts[draw] - (ends - counts), counts)
        yield order[offsets + np.arange(total)]
