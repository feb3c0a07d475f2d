"""Sharpe ratios, measured and implied: what win rate, payoff and frequency say about each other."""

from __future__ import annotations

import math

import numpy as np

from hedgeflow.evidence.estimates import Estimate, FloatArray, IntArray, missing
from hedgeflow.evidence.resampling import (
    METHOD,
    Resampling,
    by_session,
    too_few_sessions,
    with_bounds,
)

_NO_SPREAD = 1e-12
"""A standard deviation below this share of the largest value is rounding, not variation."""


def sharpe_per_trade(net_bps: FloatArray, session: IntArray, resampling: Resampling) -> Estimate:
    """Return mean / standard deviation of the net result per trade, in bps of entry notional.

    Parameters
    ----------
    net_bps : ndarray, shape (trades,)
        Net result of each trade.
    session : ndarray, shape (trades,)
        Index of each trade's session.
    resampling : Resampling
        Session draws for the bounds.
    """
    method = f"mean / standard deviation of net bps a trade, {METHOD}"
    trades = int(net_bps.size)
    if trades < 2:
        return missing("fewer than two trades", n=trades, method=method)
    deviation = float(net_bps.std(ddof=1))
    if deviation <= _NO_SPREAD * float(np.abs(net_bps).max()):
        return missing("every trade had the same result", n=trades, method=method)
    value = float(net_bps.mean()) / deviation
    reason = too_few_sessions(session)
    if reason:
        return Estimate(value, n=trades, method=method, reason=reason)
    sessions = resampling.sessions
    counts = by_session(np.ones_like(net_bps), session, sessions)[resampling.draws].sum(axis=1)
    sums = by_session(net_bps, session, sessions)[resampling.draws].sum(axis=1)
    squares = by_session(net_bps**2, session, sessions)[resampling.draws].sum(axis=1)
    drawn = _ratio(counts, sums, squares)
    return with_bounds(value, drawn, n=trades, method=method, blocks=resampling.blocks(session))


def sharpe_annualised(
    daily: FloatArray,
    trades_session: IntArray,
    resampling: Resampling,
    *,
    sessions_per_year: float,
) -> Estimate:
    """Return the annualised Sharpe ratio of the daily net profit.

    Parameters
    ----------
    daily : ndarray, shape (sessions,)
        Net profit of every session in which the strategy could trade, zeros included.
    trades_session : ndarray, shape (trades,)
        Index of each trade's session.
    resampling : Resampling
        Session draws for the bounds.
    sessions_per_year : float
        365 for venues that never close, 252 for exchanges.

    Notes
    -----
    mean / standard deviation × √(sessions a year); W. F. Sharpe, *Journal of Portfolio
    Management* 21 (1994) 49–58. No interest is deducted, since margin earns it, and the capital
    cancels out. Scaling by a root assumes uncorrelated days (A. W. Lo, *Financial Analysts
    Journal* 58 (2002) 36–52); the bounds, drawn in blocks, do not.
    """
    method = f"daily net profit × √{sessions_per_year:g}, {METHOD}"
    sessions = int(daily.size)
    if trades_session.size == 0:
        return missing("no trades", n=sessions, method=method)
    if sessions < 2:
        return missing("fewer than two sessions", n=sessions, method=method)
    deviation = float(daily.std(ddof=1))
    if deviation <= _NO_SPREAD * float(np.abs(daily).max()):
        return missing("every session had the same result", n=sessions, method=method)
    scale = math.sqrt(sessions_per_year)
    value = float(daily.mean()) / deviation * scale
    reason = too_few_sessions(trades_session)
    if reason:
        return Estimate(value, n=sessions, method=method, reason=reason)
    drawn = daily[resampling.draws]
    counts = np.full(drawn.shape[0], float(sessions))
    statistics = _ratio(counts, drawn.sum(axis=1), (drawn**2).sum(axis=1)) * scale
    blocks = resampling.blocks(trades_session)
    return with_bounds(value, statistics, n=sessions, method=method, blocks=blocks)


def _ratio(counts: FloatArray, sums: FloatArray, squares: FloatArray) -> FloatArray:
    enough = counts >= 2
    mean = np.divide(sums, counts, out=np.zeros_like(sums), where=enough)
    centred = squares - counts * mean**2
    spread = enough & (centred > _NO_SPREAD * np.maximum(squares, np.finfo(np.float64).tiny))
    variance = np.divide(centred, counts - 1.0, out=np.ones_like(sums), where=spread)
    ratio = mean / np.sqrt(variance)
    return np.where(spread, ratio, np.nan)


def implied_sharpe(
    win_rate: float,
    average_win: float,
    average_loss: float,
    trades_per_session: float,
    sessions_per_year: float,
) -> float | None:
    """Return the annualised Sharpe ratio that two-outcome trades of this kind would have.

    Parameters
    ----------
    win_rate : float
        Share of wins, between 0 and 1.
    average_win, average_loss : float
        Both positive, in one unit.
    trades_per_session, sessions_per_year : float
        Frequency.

    Returns
    -------
    float or None
        None when the win rate is 0 or 1 (no variation, no ratio).

    Notes
    -----
    (p·W − (1 − p)·L) / ((W + L)·√(p(1 − p))) × √(trades a year), trades taken as independent.
    """
    if not 0.0 < win_rate < 1.0:
        return None
    mean = win_rate * average_win - (1.0 - win_rate) * average_loss
    deviation = (average_win + average_loss) * math.sqrt(win_rate * (1.0 - win_rate))
    return mean / deviation * math.sqrt(trades_per_session * sessions_per_year)


def implied_win_rate(
    sharpe: float,
    average_win: float,
    average_loss: float,
    trades_per_session: float,
    sessions_per_year: float,
) -> float:
    """Return the win rate that an annualised Sharpe ratio implies at this payoff and frequency.

    Parameters
    ----------
    sharpe : float
        Annualised Sharpe ratio.
    average_win, average_loss : float
        Both positive, in one unit.
    trades_per_session, sessions_per_year : float
        Frequency.

    Notes
    -----
    The inverse of `implied_sharpe`. With s the ratio per trade and b = L / (W + L), the break-even
    rate, p − b = s·√(p(1 − p)) is a quadratic in p whose root on the side of s's sign is returned.
    """
    per_trade = sharpe / math.sqrt(trades_per_session * sessions_per_year)
    break_even = average_loss / (average_win + average_loss)
    square = per_trade**2
    middle = 2.0 * break_even + square
    root = math.sqrt(max(0.0, middle**2 - 4.0 * (1.0 + square) * break_even**2))
    return (middle + math.copysign(root, per_trade)) / (2.0 * (1.0 + square))


def implied_frequency(
    sharpe: float,
    win_rate: float,
    average_win: float,
    average_loss: float,
    sessions_per_year: float,
) -> float | None:
    """Return the trades per session at which win rate and payoff give this Sharpe ratio.

    Returns
    -------
    float or None
        None when no frequency does: the edge is zero or of the other sign.
    """
    at_one = implied_sharpe(win_rate, average_win, average_loss, 1.0, sessions_per_year)
    if at_one is None or at_one == 0.0 or sharpe / at_one <= 0.0:
        return None
    return (sharpe / at_one) ** 2


def implied_payoff(
    sharpe: float, win_rate: float, trades_per_session: float, sessions_per_year: float
) -> float | None:
    """Return the ratio average win / average loss at which win rate and frequency give this Sharpe.

    Returns
    -------
    float or None
        None when no positive payoff does.
    """
    if not 0.0 < win_rate < 1.0:
        return None
    spread = math.sqrt(win_rate * (1.0 - win_rate))
    per_trade = sharpe / math.sqrt(trades_per_session * sessions_per_year)
    above = win_rate - per_trade * spread
    below = 1.0 - win_rate + per_trade * spread
    return below / above if above > 0.0 and below > 0.0 else None
