"""How deep the account fell: on the ledger's equity, and on resampled sessions."""

from __future__ import annotations

from collections.abc import Mapping
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
    FEWEST_BLOCKS,
    RESAMPLED,
    Resampling,
    percentile_bounds,
    resampled_rows,
    too_few_sessions,
)

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
_METHOD = f"largest fall from a peak, share of that peak, entry by entry; bounds: {RESAMPLED}"


@dataclass(frozen=True, slots=True)
class DrawdownQuantile:
    """One quantile of the drawdowns of resampled histories.

    Attributes
    ----------
    quantile : float
        Share of the histories that fell less.
    drawdown : float
        As a share of the peak.
    """

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


def drawdown(ledger: pl.DataFrame, sessions: Mapping[str, int], resampling: Resampling) -> Drawdown:
    """Return the drawdown of the ledger's equity and its distribution over resampled sessions.

    Both are of the account entry by entry: the resampled histories are made of the same steps, in
    the order that they have within their session, so that drawing every session once, in its own
    place, gives the observed fall. What trades had lost before they were closed is in neither.

    Parameters
    ----------
    ledger : polars.DataFrame
        Ledger entries with ``trade_id``, ``at_ns``, ``kind`` and ``amount_usd``. Entries of one
        instant count together; a later deposit raises the peak by its amount and so is no
        recovery. Resampled histories begin with all deposits.
    sessions : mapping of str to int
        Index of each trade's session. An entry of no trade belongs to the session before it.
    resampling : Resampling
        Session draws.
    """
    deposit = pl.col("kind") == "DEPOSIT"
    known = pl.DataFrame(
        {"trade_id": list(sessions), "session": list(sessions.values())},
        schema={"trade_id": pl.String, "session": pl.Int64},
    )
    steps = (
        ledger.with_columns(pl.col("trade_id").cast(pl.String))
        .join(known, on="trade_id", how="left")
        .group_by("at_ns")
        .agg(
            pl.col("amount_usd").filter(deposit).sum().alias("deposit"),
            pl.col("amount_usd").filter(~deposit).sum().alias("profit"),
            pl.col("session").min(),
        )
        .sort("at_ns")
        .with_columns(pl.col("session").forward_fill())
    )
    capital, trades = float(steps["deposit"].sum()), len(sessions)
    if trades == 0:
        return Drawdown(missing("no trades", method=_METHOD), None, capital or None, ())
    if capital <= 0.0 or float(steps["deposit"][0]) <= 0.0:
        reason = "the ledger does not begin with a deposit"
        return Drawdown(missing(reason, n=trades, method=_METHOD), None, None, ())
    share, money = _ledger_fall(
        steps["deposit"].to_numpy().astype(np.float64),
        steps["profit"].to_numpy().astype(np.float64),
    )
    moved = steps.drop_nulls("session")
    profits = moved["profit"].to_numpy().astype(np.float64)
    session = moved["session"].to_numpy().astype(np.int64)
    estimate, quantiles = _resampled(share, capital, trades, profits, session, resampling)
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
    share: float,
    capital: float,
    trades: int,
    profits: FloatArray,
    session: IntArray,
    resampling: Resampling,
) -> tuple[Estimate, tuple[DrawdownQuantile, ...]]:
    blocks = resampling.blocks(session)
    reason = too_few_sessions(session)
    if reason or blocks < FEWEST_BLOCKS:
        reason = reason or f"{blocks:.1f} independent blocks of sessions"
        return Estimate(share, n=trades, method=_METHOD, reason=reason), ()
    falls = np.array(
        [
            largest_fall(capital + np.concatenate(([0.0], np.cumsum(profits[rows]))))[0]
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
    method = f"{_METHOD} ({blocks:.1f} independent blocks)"
    return Estimate(share, lower, upper, trades, method), quantiles
