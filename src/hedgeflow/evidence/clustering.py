"""How many trades there really are, when those of one session move together."""

from __future__ import annotations

import numpy as np

from hedgeflow.evidence.estimates import Estimate, FloatArray, IntArray, missing


def clustering(values: FloatArray, session: IntArray) -> tuple[Estimate, Estimate, Estimate]:
    """Return the intra-day correlation, the design effect and the effective sample size.

    Parameters
    ----------
    values : ndarray, shape (trades,)
        Net result per trade.
    session : ndarray, shape (trades,)
        Index of each trade's session.

    Notes
    -----
    Correlation by one-way analysis of variance with unequal groups (A. Donner, *International
    Statistical Review* 54 (1986) 67–82); design effect 1 + (m − 1)ρ with m = Σm²/Σm (L. Kish,
    *Survey Sampling* (1965), 8.2), a negative correlation counted as none.
    """
    methods = (
        "one-way analysis of variance by session",
        "1 + (m − 1)ρ, m = Σm²/Σm, ρ at least 0",
        "trades / design effect",
    )
    trades = int(values.size)
    sizes = np.bincount(session).astype(np.float64) if trades else np.zeros(0)
    sizes = sizes[sizes > 0]
    groups = int(sizes.size)
    reason = ""
    if trades == 0:
        reason = "no trades"
    elif groups < 2:
        reason = "trades on one session only"
    elif trades == groups:
        one, size = 1.0, float(trades)
        none = missing("one trade a session, so none within", n=trades, method=methods[0])
        return (
            none,
            Estimate(one, n=trades, method=methods[1]),
            Estimate(size, n=trades, method=methods[2]),
        )
    elif float(np.ptp(values)) == 0.0:
        reason = "every trade had the same result"
    if reason:
        first, second, third = (missing(reason, n=trades, method=name) for name in methods)
        return first, second, third
    rho = _intraclass(values, session, sizes)
    size = float((sizes**2).sum() / sizes.sum())
    effect = 1.0 + (size - 1.0) * max(0.0, rho)
    return (
        Estimate(rho, n=trades, method=methods[0]),
        Estimate(effect, n=trades, method=methods[1]),
        Estimate(trades / effect, n=trades, method=methods[2]),
    )


def _intraclass(values: FloatArray, session: IntArray, sizes: FloatArray) -> float:
    trades, groups = float(values.size), float(sizes.size)
    sums = np.bincount(session, weights=values)
    counts = np.bincount(session).astype(np.float64)
    means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    between = float((counts * (means - values.mean()) ** 2).sum()) / (groups - 1.0)
    within = float(((values - means[session]) ** 2).sum()) / (trades - groups)
    size = (trades - float((sizes**2).sum()) / trades) / (groups - 1.0)
    return (between - within) / (between + (size - 1.0) * within)
