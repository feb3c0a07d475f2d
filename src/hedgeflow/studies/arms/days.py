"""Volatility and volume of the hedge instrument's bars, session by session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hedgeflow.market.sessions import session_date

if TYPE_CHECKING:
    from hedgeflow.studies.markets import Market


def session_bars(market: Market) -> pl.DataFrame:
    """Return each session's bars in two figures.

    Returns
    -------
    polars.DataFrame
        Columns session (ISO date), bars, variance (mean squared log return of a bar, from the
        close before, gaps left out) and volume (mean of a bar, underlying units). Figures a bar,
        so that a session that is covered in part compares with whole ones.

    References
    ----------
    T. G. Andersen and T. Bollerslev, *International Economic Review* 39 (1998) 885–905: realised
    variance as a sum of squared returns.
    """
    start = market.bars["ts"].dt.epoch("ns").to_numpy().astype(np.int64)
    close = market.bars["close"].to_numpy().astype(np.float64)
    index = market.sessions.index_of(start)
    step = np.concatenate(([0], np.diff(start)))
    same = np.concatenate(([False], np.diff(index) == 0))
    returns = np.concatenate(([0.0], np.diff(np.log(close))))
    dates = {
        one: session_date(market.sessions, int(market.sessions.open_ns[one]))
        for one in np.unique(index[index >= 0]).tolist()
    }
    frame = pl.DataFrame(
        {
            "index": index,
            "squared": np.where(same & (step == market.bars_key.resolution_ns), returns**2, np.nan),
            "volume": market.bars["volume"].to_numpy().astype(np.float64),
        }
    ).filter(pl.col("index") >= 0)
    return (
        frame.with_columns(
            session=pl.col("index").replace_strict(dates, return_dtype=pl.String),
            squared=pl.col("squared").fill_nan(None),
        )
        .group_by("session")
        .agg(
            bars=pl.len(),
            variance=pl.col("squared").mean(),
            volume=pl.col("volume").mean(),
        )
        .sort("session")
    )
