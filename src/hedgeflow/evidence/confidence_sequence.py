"""Intervals that hold at every session at once, so that looking every day costs nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hedgeflow.evidence.estimates import (
    CONFIDENCE_LEVEL,
    Estimate,
    FloatArray,
    IntArray,
    missing,
)
from hedgeflow.evidence.resampling import by_session
from hedgeflow.evidence.trades import Trades

JEFFREYS = (0.5, 0.5)
"""Parameters of the beta law that wins are mixed over."""
NARROWEST_AT = 100
"""Sessions at which the interval of a mean is set to be narrowest, before any is seen."""
_HALVINGS = 60
_WHOLE = 1e-9

_SHARES = "mean of the sessions' shares of wins, beta-binomial confidence sequence over sessions"
_TRADES = "beta-binomial confidence sequence over trades, if those of one session are independent"
_MEAN = "mean of net bps a trade, t confidence sequence over sessions"


@dataclass(frozen=True, slots=True)
class SequencePoint:
    """The interval after one more session with trades.

    Attributes
    ----------
    trades : int
        Closed so far.
    session : str
        ISO date.
    value : float
        Mean so far of the sessions' shares of wins.
    lower, upper : float
        Bounds that hold at every session at once.
    """

    trades: int
    session: str
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Confidence sequences of one record: valid whenever one looks, and however often.

    Trades of a session move together: the second of two that were open at once says little that
    the first did not. So a session counts as one observation, whatever its trades have to do with
    each other, and only a sequence over sessions decides.

    Attributes
    ----------
    win_rate : Estimate
        As it stands after the last session: mean over sessions with trades of the share won.
    win_rate_by_trade : Estimate
        The narrower sequence over trades, which holds if those of one session are independent.
    net_bps : Estimate
        Mean net result of a trade, with an interval over sessions.
    points : tuple of SequencePoint
        The win rate's interval after every session with trades.
    claimed_win_rate : float
        The rate that the interval is watched against.
    decided_after : int or None
        Trades after which the claimed rate first lay wholly below the interval, or above it.
    decision : str
        ``above``, ``below`` or ``open``: where the win rate was then shown to be.
    """

    win_rate: Estimate
    win_rate_by_trade: Estimate
    net_bps: Estimate
    points: tuple[SequencePoint, ...]
    claimed_win_rate: float
    decided_after: int | None
    decision: str


def log_mixture(
    wins: FloatArray,
    trials: FloatArray,
    rate: FloatArray | float,
    prior: tuple[float, float] = JEFFREYS,
) -> FloatArray:
    """Return the logarithm of the beta-binomial mixture martingale of a rate.

    Parameters
    ----------
    wins, trials : ndarray
        So far; wins may be sums of shares.
    rate : float or ndarray
        The rate under which it is a martingale from 1.
    prior : tuple of float
        Of the beta law that rates are mixed over.

    Notes
    -----
    B(a + s, b + n − s) / (B(a, b) p^s (1 − p)^(n − s)): H. Robbins, *Annals of Mathematical
    Statistics* 41 (1970) 1397–1409; S. R. Howard, A. Ramdas, J. McAuliffe and J. Sekhon, *Annals
    of Statistics* 49 (2021) 1055–1080, proposition 7.
    """
    from scipy.special import betaln, xlog1py, xlogy

    first, second = prior
    losses = trials - wins
    mixture: FloatArray = betaln(first + wins, second + losses) - betaln(first, second)
    return mixture - xlogy(wins, rate) - xlog1py(losses, -rate)


def rate_bounds(
    wins: FloatArray, trials: FloatArray, level: float = CONFIDENCE_LEVEL
) -> tuple[FloatArray, FloatArray]:
    """Return the confidence sequence of a rate: bounds after each number of trials.

    Parameters
    ----------
    wins, trials : ndarray, shape (looks,)
        Wins, or sums of shares won, and trials so far; trials at least 1.
    level : float

    Notes
    -----
    All rates whose mixture martingale (`log_mixture`) is below 1 / α. By Ville's inequality it ever
    reaches that with chance α at most, so the intervals hold at all looks at once. Each trial must
    win with the same chance given those before it. A share x of several trades counts as one trial:
    q^x (1 − q)^(1 − x) / (p^x (1 − p)^(1 − x)) is convex in x, so its mean is no larger than for
    wins and losses of the same mean, whatever the trades of one share have to do with each other.

    Found by bisection, all looks together.
    """
    limit = math.log(1.0 / (1.0 - level))
    share = np.clip(wins / trials, 0.0, 1.0)

    def edge(out: float) -> FloatArray:
        beyond, within = np.full_like(share, out), share.copy()
        for _ in range(_HALVINGS):
            middle = 0.5 * (beyond + within)
            outside = log_mixture(wins, trials, middle) >= limit
            beyond, within = np.where(outside, middle, beyond), np.where(outside, within, middle)
        return within

    lower = np.where(wins <= _WHOLE, 0.0, edge(0.0))
    return lower, np.where(trials - wins <= _WHOLE, 1.0, edge(1.0))


def mean_bounds(
    sums: FloatArray,
    counts: FloatArray,
    level: float = CONFIDENCE_LEVEL,
    narrowest_at: int = NARROWEST_AT,
) -> tuple[float, float] | None:
    """Return the confidence sequence of a mean over all values of all sessions.

    Parameters
    ----------
    sums, counts : ndarray, shape (sessions,)
        Sum and number of the values of each session so far.
    level : float
    narrowest_at : int
        Sessions at which the interval is narrowest; set before any is seen.

    Returns
    -------
    tuple of float or None
        None where no mean can be left out yet, and where the values do not vary.

    Notes
    -----
    With D = sum − m · count of each of T sessions, S = Σ D and V = Σ D², all m with
    √(c / (T + c)) · ((T + c) V / ((T + c) V − S²))^(T / 2) < 1 / α. The left side is a martingale
    from 1 if the D are independent normal with mean 0 and any one variance, so the intervals hold
    at all sessions at once from the first on: H. Wang and A. Ramdas, *Sequential Analysis* 44
    (2025) 56–110, the Gaussian mixture in the scale-invariant filtration, after T. L. Lai, *Annals
    of Statistics* 4 (1976) 265–280. Otherwise it is approximate: where every session wins 15 with
    chance 80 % or else loses 8, 6 to 7 % of records miss the mean at some time, not 5 %. As T grows
    it becomes Robbins' normal mixture, whose best c is that of Howard et al. (2021), 3.5. As a
    condition on m it is S² < κ V, a quadratic.
    """
    sessions = int(sums.size)
    if sessions < 2:
        return None
    alpha = 1.0 - level
    doubled = -2.0 * math.log(alpha)
    prior = narrowest_at / (doubled + math.log(1.0 + doubled))
    total = sessions + prior
    kappa = -math.expm1(-(math.log(total / prior) - 2.0 * math.log(alpha)) / sessions) * total
    whole, number = float(sums.sum()), float(counts.sum())
    square = number**2 - kappa * float((counts**2).sum())
    spread = float(((sums - whole / number * counts) ** 2).sum())
    if square <= 0.0 or spread <= _WHOLE**2 * float((sums**2).sum()):
        return None
    # With m = mean + x: S = −number x, V = spread − 2 cross x + Σ count² x².
    cross = float(((sums - whole / number * counts) * counts).sum())
    middle = kappa * cross
    root = math.sqrt(middle**2 + square * kappa * spread)
    mean = whole / number
    return mean + (-middle - root) / square, mean + (-middle + root) / square


def monitoring(trades: Trades, sessions: tuple[str, ...], claimed_rate: float) -> Monitoring:
    """Return the confidence sequences of the trades, session by session.

    Parameters
    ----------
    trades : Trades
        In the order of their exits.
    sessions : tuple of str
        What `Trades.session` counts.
    claimed_rate : float
        The win rate that is claimed.
    """
    traded, place = np.unique(trades.session, return_inverse=True)
    days = int(traded.size)
    counts = by_session(np.ones(trades.count), place, days)
    won = by_session((trades.net_usd > 0).astype(np.float64), place, days)
    points = _points(traded, counts, won, sessions)
    after, decision = _decided(points, claimed_rate)
    if not points:
        first, second, third = (
            missing("no trades", method=name) for name in (_SHARES, _TRADES, _MEAN)
        )
        return Monitoring(first, second, third, points, claimed_rate, after, decision)
    last = points[-1]
    low, high = rate_bounds(np.array([float(trades.wins)]), np.array([float(trades.count)]))
    bounds = mean_bounds(by_session(trades.net_bps, place, days), counts)
    mean = float(trades.net_bps.mean())
    return Monitoring(
        Estimate(last.value, last.lower, last.upper, len(points), _SHARES),
        Estimate(trades.wins / trades.count, float(low[0]), float(high[0]), trades.count, _TRADES),
        Estimate(mean, n=len(points), method=_MEAN, reason="too few sessions, or none that differ")
        if bounds is None
        else Estimate(mean, bounds[0], bounds[1], len(points), _MEAN),
        points,
        claimed_rate,
        after,
        decision,
    )


def _points(
    traded: IntArray, counts: FloatArray, won: FloatArray, sessions: tuple[str, ...]
) -> tuple[SequencePoint, ...]:
    shares, looks = np.cumsum(won / counts), np.arange(1.0, counts.size + 1.0)
    lower, upper = rate_bounds(shares, looks)
    closed = np.cumsum(counts)
    return tuple(
        SequencePoint(int(count), sessions[int(day)], float(value), float(low), float(high))
        for count, day, value, low, high in zip(
            closed, traded, shares / looks, lower, upper, strict=True
        )
    )


def _decided(points: tuple[SequencePoint, ...], claimed: float) -> tuple[int | None, str]:
    for point in points:
        if point.lower >= claimed:
            return point.trades, "above"
        if point.upper < claimed:
            return point.trades, "below"
    return None, "open"
