"""Intervals that hold at every trade at once, so that looking every day costs nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL, Estimate, FloatArray, missing
from hedgeflow.evidence.tables import Trades

MIXTURE = 0.5
"""Both parameters of the beta mixture: Jeffreys' prior."""


@dataclass(frozen=True, slots=True)
class SequencePoint:
    """The interval after one more trade."""

    trades: int
    session: str
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Confidence sequences of one record: valid whenever one looks, and however often.

    Attributes
    ----------
    win_rate, net_bps : Estimate
        As they stand after the last trade.
    points : tuple of SequencePoint
        The win rate's interval after every trade.
    claimed_win_rate : float
    decided_after : int or None
        Trades after which the claimed rate first lay outside the interval, or wholly below it.
    decision : str
        ``above``, ``below`` or ``open``: where the win rate was then shown to be.
    """

    win_rate: Estimate
    net_bps: Estimate
    points: tuple[SequencePoint, ...]
    claimed_win_rate: float
    decided_after: int | None
    decision: str


def bernoulli_bounds(
    wins: int, trades: int, level: float = CONFIDENCE_LEVEL
) -> tuple[float, float]:
    """Return the beta-binomial confidence sequence of a rate after so many trades.

    Notes
    -----
    All p with B(a + s, b + n − s) / (B(a, b) p^s (1 − p)^(n − s)) < 1 / α. The left side is a
    martingale under p, so Ville's inequality makes the intervals hold at all n at once:
    H. Robbins, *Annals of Mathematical Statistics* 41 (1970) 1397–1409; S. R. Howard, A. Ramdas,
    J. McAuliffe and J. Sekhon, *Annals of Statistics* 49 (2021) 1055–1080. Trades need not be
    independent: where the chance of a win depends on the past, the interval is of its mean.
    """
    from scipy.optimize import brentq
    from scipy.special import betaln

    if trades == 0:
        return 0.0, 1.0
    mixture = float(betaln(MIXTURE + wins, MIXTURE + trades - wins) - betaln(MIXTURE, MIXTURE))
    limit = math.log(1.0 / (1.0 - level))
    edge = 1e-12

    def excess(rate: float) -> float:
        return mixture - wins * math.log(rate) - (trades - wins) * math.log1p(-rate) - limit

    share = wins / trades
    lower = 0.0 if wins == 0 else float(brentq(excess, edge, min(share, 1.0 - edge)))
    upper = 1.0 if wins == trades else float(brentq(excess, max(share, edge), 1.0 - edge))
    return lower, upper


def mean_bounds(values: FloatArray, level: float = CONFIDENCE_LEVEL) -> tuple[float, float] | None:
    """Return the asymptotic confidence sequence of a mean after these values.

    None with fewer than two values, or where they do not vary.

    Notes
    -----
    σ √(2 (n ρ² + 1) / (n² ρ²) · ln(√(n ρ² + 1) / α)) either side, ρ set for the narrowest interval
    at 100 values: I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, *Annals of
    Statistics* 52 (2024) 2613–2640, theorem 2.2.
    """
    count = int(values.size)
    if count < 2:
        return None
    deviation = float(values.std(ddof=1))
    if deviation == 0.0:
        return None
    alpha = 1.0 - level
    best = -2.0 * math.log(alpha) + math.log(-2.0 * math.log(alpha)) + 1.0
    square = best / 100.0
    scaled = count * square + 1.0
    width = deviation * math.sqrt(
        2.0 * scaled / (count**2 * square) * math.log(math.sqrt(scaled) / alpha)
    )
    mean = float(values.mean())
    return mean - width, mean + width


def monitoring(trades: Trades, sessions: tuple[str, ...], claimed_rate: float) -> Monitoring:
    """Return the confidence sequences of the trades in the order of their exits.

    Parameters
    ----------
    trades : Trades
    sessions : tuple of str
        What `Trades.session` counts.
    claimed_rate : float
        The win rate that is claimed.
    """
    won = np.cumsum(trades.net_usd > 0)
    points = tuple(
        _point(int(wins), count, sessions[int(trades.session[count - 1])])
        for count, wins in enumerate(won.tolist(), start=1)
    )
    after, decision = _decided(points, claimed_rate)
    method = "beta-binomial confidence sequence, valid at every trade at once"
    last = points[-1] if points else None
    bounds = mean_bounds(trades.net_bps)
    name = "asymptotic confidence sequence of the mean"
    mean = float(trades.net_bps.mean()) if trades.count else None
    return Monitoring(
        missing("no trades", method=method)
        if last is None
        else Estimate(last.value, last.lower, last.upper, trades.count, method),
        missing("fewer than two trades that differ", n=trades.count, method=name)
        if bounds is None or mean is None
        else Estimate(mean, bounds[0], bounds[1], trades.count, name),
        points,
        claimed_rate,
        after,
        decision,
    )


def _point(wins: int, trades: int, session: str) -> SequencePoint:
    lower, upper = bernoulli_bounds(wins, trades)
    return SequencePoint(trades, session, wins / trades, lower, upper)


def _decided(points: tuple[SequencePoint, ...], claimed: float) -> tuple[int | None, str]:
    for point in points:
        if point.lower >= claimed:
            return point.trades, "above"
        if point.upper < claimed:
            return point.trades, "below"
    return None, "open"
