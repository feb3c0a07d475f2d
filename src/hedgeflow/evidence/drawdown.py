"""How deep the account fell: on the ledger's equity, and on resampled sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import (
    CONFIDENCE_LEVEL,
    Estimate,
    FloatArray,
    IntArray,
    missing,
)
from hedgeflow.evidence.resampling import (
    RESAMPLED,
    Resampling,
    percentile_bounds,
    resampled_rows,
    too_few_sessions,
)

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
_METHOD = f"largest fall from a peak, share of that peak; bounds: {RESAMPLED}"


@dataclass(frozen=True, slots=True)
class DrawdownQuantile:
    """One quantile of the drawdowns of resampled histories."""

    quantile: float
    drawdown: float


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The largest fall of the account.

    Attributes
    ----------
    observed : Estimate
        Share of the peak; the upper bound is the 97.5 % quantile of resampled histories.
    observed_usd : float or None
        The largest fall in USD.
    capital_usd : float or None
        Deposits.
    bootstrap : tuple of DrawdownQuantile
        Distribution over resampled histories; empty where sessions are too few.
    """

    observed: Estimate
    observed_usd: float | None
    capital_usd: float | None
    bootstrap: tuple[DrawdownQuantile, ...]


def largest_fall(equity: FloatArray) -> tuple[float, float]:
    """Return the largest fall from a running peak, as a share of that peak and in money.

    Parameters
    ----------
    equity : ndarray, shape (points,)
        Account value, starting with the capital, which must be positive.
    """
    peak = np.maximum.accumulate(equity)
    fall = peak - equity
    return float((fall / peak).max()), float(fall.max())


def drawdown(
    ledger: pl.DataFrame, net_usd: FloatArray, session: IntArray, resampling: Resampling
) -> Drawdown:
    """Return the drawdown of the ledger's equity and its distribution over resampled sessions.

    Parameters
    ----------
    ledger : polars.DataFrame
        Ledger entries with ``at_ns``, ``kind`` and ``amount_usd``. Entries of one instant count
        together; a later deposit raises the peak by its amount and so is no recovery.
    net_usd : ndarray, shape (trades,)
        Net profit of each trade, ordered by exit.
    session : ndarray, shape (trades,)
        Index of each trade's session.
    resampling : Resampling
        Session draws.
    """
    deposit = pl.col("kind") == "DEPOSIT"
    steps = (
        ledger.group_by("at_ns")
        .agg(
            pl.col("amount_usd").filter(deposit).sum().alias("deposit"),
            pl.col("amount_usd").filter(~deposit).sum().alias("profit"),
        )
        .sort("at_ns")
    )
    capital = float(steps["deposit"].sum())
    if net_usd.size == 0:
        return Drawdown(missing("no trades", method=_METHOD), None, capital or None, ())
    if capital <= 0.0 or float(steps["deposit"][0]) <= 0.0:
        reason = "the ledger does not begin with a deposit"
        return Drawdown(missing(reason, n=int(net_usd.size), method=_METHOD), None, None, ())
    share, money = _ledger_fall(
        steps["deposit"].to_numpy().astype(np.float64),
        steps["profit"].to_numpy().astype(np.float64),
    )
    estimate, quantiles = _resampled(share, capital, net_usd, session, resampling)
    return Drawdown(estimate, money, capital, quantiles)


def _ledger_fall(deposits: FloatArray, profits: FloatArray) -> tuple[float, float]:
    peak = equity = share = money = 0.0
    for deposit, profit in zip(deposits.tolist(), profits.tolist(), strict=True):
        peak += deposit
        equity += deposit + profit
        peak = max(peak, equity)
        if peak > 0.0:
            share = max(share, (peak - equity) / peak)
            money = max(money, peak - equity)
    return share, money


def _resampled(
    share: float, capital: float, net_usd: FloatArray, session: IntArray, resampling: Resampling
) -> tuple[Estimate, tuple[DrawdownQuantile, ...]]:
    trades = int(net_usd.size)
    reason = too_few_sessions(session)
    if reason:
        return Estimate(share, n=trades, method=_METHOD, reason=reason), ()
    falls = np.array(
        [
            largest_fall(capital + np.concatenate(([0.0], np.cumsum(net_usd[rows]))))[0]
            for rows in resampled_rows(session, resampling)
        ]
    )
    bounds = percentile_bounds(falls, CONFIDENCE_LEVEL)
    lower, upper = bounds if bounds is not None else (None, None)
    values = np.quantile(falls, QUANTILES)
    quantiles = tuple(
        DrawdownQuantile(quantile, float(value))
        for quantile, value in zip(QUANTILES, values, strict=True)
    )
    return Estimate(share, lower, upper, trades, _METHOD), quantiles
