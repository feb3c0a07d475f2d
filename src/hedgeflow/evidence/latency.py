"""From detection to entry: how long it took, and whether the slower trades won less."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hedgeflow.evidence.estimates import Estimate, missing
from hedgeflow.evidence.rates import win_rate
from hedgeflow.evidence.trades import Trades

LATENCY_BUCKETS = (("under 2 min", 0.0, 120.0), ("2 to 5 min", 120.0, 300.0))
LAST_BUCKET = "5 min and over"


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Median, 99th percentile and maximum.

    Attributes
    ----------
    p50, p99, max : float or None
        Seconds; None without trades.
    n : int
        Trades.
    reason : str
        Why there are none.
    """

    p50: float | None
    p99: float | None
    max: float | None
    n: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LatencyBucket:
    """Trades by the time from detection to entry.

    Attributes
    ----------
    bucket : str
        Its bounds in words.
    trades, wins : int
        In it.
    win_rate : Estimate
        Share won, Wilson interval.
    """

    bucket: str
    trades: int
    wins: int
    win_rate: Estimate


@dataclass(frozen=True, slots=True)
class Latency:
    """From detection to entry.

    Attributes
    ----------
    detection_to_entry_seconds : Quantiles
        Over all trades.
    share_under_limit : Estimate
        Share of trades entered within `limit_seconds`.
    limit_seconds : float
        The claimed limit.
    buckets : tuple of LatencyBucket
        Win rate by latency.
    trend_p_value : Estimate
        One-sided Cochran–Armitage test that wins fall with latency.
    """

    detection_to_entry_seconds: Quantiles
    share_under_limit: Estimate
    limit_seconds: float
    buckets: tuple[LatencyBucket, ...]
    trend_p_value: Estimate


def latency(trades: Trades, limit_seconds: float) -> Latency:
    """Return the time from detection to entry, and wins by it.

    Parameters
    ----------
    trades : Trades
        All trades.
    limit_seconds : float
        The claimed limit.
    """
    ages = trades.age_seconds
    won = trades.net_usd > 0
    edges = (*LATENCY_BUCKETS, (LAST_BUCKET, LATENCY_BUCKETS[-1][2], np.inf))
    groups = [(name, (ages >= lower) & (ages < upper)) for name, lower, upper in edges]
    buckets = tuple(
        LatencyBucket(
            name,
            int(rows.sum()),
            int(won[rows].sum()),
            win_rate(int(won[rows].sum()), int(rows.sum())),
        )
        for name, rows in groups
    )
    if trades.count == 0:
        spread = Quantiles(None, None, None, 0, "no trades")
    else:
        median, tail, most = np.quantile(ages, [0.5, 0.99, 1.0])
        spread = Quantiles(float(median), float(tail), float(most), trades.count)
    return Latency(
        spread,
        win_rate(int((ages < limit_seconds).sum()), trades.count),
        limit_seconds,
        buckets,
        trend_p_value(buckets),
    )


def trend_p_value(buckets: tuple[LatencyBucket, ...]) -> Estimate:
    """Return the one-sided Cochran–Armitage p-value that the win rate falls from bucket to bucket.

    Parameters
    ----------
    buckets : tuple of LatencyBucket
        In order of latency, scored 0, 1, 2.

    References
    ----------
    P. Armitage, *Biometrics* 11 (1955) 375–386; as a score test of trend, normal approximation.
    """
    from scipy.stats import norm

    method = "Cochran–Armitage trend of wins over latency buckets, one-sided"
    sizes = np.array([bucket.trades for bucket in buckets], dtype=np.float64)
    wins = np.array([bucket.wins for bucket in buckets], dtype=np.float64)
    trades = int(sizes.sum())
    if trades == 0:
        return missing("no trades", method=method)
    if int((sizes > 0).sum()) < 2:
        return missing("all trades fall into one latency bucket", n=trades, method=method)
    rate = float(wins.sum()) / trades
    if rate in {0.0, 1.0}:
        return missing("every trade had the same outcome", n=trades, method=method)
    scores = np.arange(sizes.size, dtype=np.float64)
    centre = float((sizes * scores).sum()) / trades
    trend = float((wins * (scores - centre)).sum())
    variance = rate * (1.0 - rate) * float((sizes * (scores - centre) ** 2).sum())
    return Estimate(float(norm.cdf(trend / math.sqrt(variance))), n=trades, method=method)
