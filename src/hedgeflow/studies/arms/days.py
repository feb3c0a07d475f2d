"""Volatility and volume of the hedge instrument's bars, session by session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import BoolArray, FloatArray
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
    sessions = np.unique(index[index >= 0])
    place = np.searchsorted(sessions, index)
    inside = index >= 0
    counted = inside & same & (step == market.bars_key.resolution_ns)

    # Added up in order: sums in parallel differ in their last digit from run to run.
    def total(values: FloatArray, rows: BoolArray) -> FloatArray:
        sums = np.bincount(place[rows], weights=values[rows], minlength=sessions.size)
        return sums.astype(np.float64)

    bars, moves = total(np.ones(index.size), inside), total(np.ones(index.size), counted)
    squared = total(returns**2, counted)
    opens = market.sessions.open_ns[sessions].tolist()
    return pl.DataFrame(
        {
            "session": [session_date(market.sessions, int(at)) for at in opens],
            "bars": bars.astype(np.int64),
            "variance": np.divide(squared, moves, out=np.full_like(moves, np.nan), where=moves > 0),
            "volume": total(market.bars["volume"].to_numpy().astype(np.float64), inside) / bars,
        },
        schema={
            "session": pl.String,
            "bars": pl.Int64,
            "variance": pl.Float64,
            "volume": pl.Float64,
        },
        nan_to_null=True,
    )
