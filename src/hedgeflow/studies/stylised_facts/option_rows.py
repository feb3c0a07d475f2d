"""Option prints and quotes with their contracts' terms, volatilities and deltas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow import pricing
from hedgeflow.market.time import SLOT_NS, YEAR_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.market.tapes import TapeKey

_STALE_BARS: Final = 2
"""Bars after whose end the last close no longer prices an option quote."""


def terms(contracts: pl.DataFrame) -> pl.DataFrame:
    """Return what prices contracts, `right` as +1 or -1 and `expiry_ns`."""
    return contracts.select(
        "contract",
        "strike",
        "multiplier",
        "lot",
        "inverse",
        right=pl.when(pl.col("right") == "C").then(1).otherwise(-1).cast(pl.Int8),
        expiry_ns=pl.col("expiry").dt.epoch("ns"),
    )


def priced_prints(rows: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Return prints with terms, `contracts`, `leg`, and `delta` at the printed volatility.

    A volatility that was not printed is solved from the price.
    """
    joined = rows.join(listed, on="contract", how="left", maintain_order="left").with_columns(
        contracts=pl.col("lots") * pl.col("lot"), leg=pl.col("combo_id").is_not_null()
    )
    if joined.is_empty():
        return joined.with_columns(delta=pl.lit(None, dtype=pl.Float64))
    printed = joined["iv"].fill_null(np.nan).to_numpy()
    solved = np.isnan(printed)
    volatility = np.where(solved, np.nan, printed)
    if solved.any():
        unknown = joined.filter(solved)
        volatility[solved] = implied_volatilities(unknown, unknown["price"].to_numpy())
    return joined.with_columns(delta=_deltas(joined, volatility))


def priced_quotes(
    rows: pl.DataFrame, listed: pl.DataFrame, bars: pl.DataFrame, bars_key: TapeKey | None
) -> pl.DataFrame:
    """Return quotes with terms, `underlying_price`, and `delta` at the middle.

    Look-ahead: the underlying's price is the last close that was known at the quote.
    """
    joined = rows.join(listed, on="contract", maintain_order="left")
    bar_ns = bars_key.resolution_ns if bars_key else 0
    closes = bars.select(
        pl.col("known_at").dt.epoch("ns").alias("known_ns"), underlying_price="close"
    )
    priced = joined.sort("ts").join_asof(
        closes.sort("known_ns"),
        left_on="ts",
        right_on="known_ns",
        strategy="backward",
        tolerance=max(_STALE_BARS * bar_ns, SLOT_NS),
    )
    if priced.is_empty() or priced["underlying_price"].null_count() == priced.height:
        return priced.with_columns(
            underlying_price=pl.lit(None, dtype=pl.Float64),
            delta=pl.lit(None, dtype=pl.Float64),
        )
    middle = ((priced["bid"] + priced["ask"]) / 2.0).fill_null(np.nan).to_numpy()
    return priced.with_columns(delta=_deltas(priced, implied_volatilities(priced, middle)))


def implied_volatilities(rows: pl.DataFrame, prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the volatilities of option prices in their contracts' own premium; NaN where none.

    American options are taken for European ones, forwards for the underlying's price.
    """
    forward = rows["underlying_price"].fill_null(np.nan).to_numpy()
    years = (rows["expiry_ns"] - rows["ts"]).to_numpy() / YEAR_NS
    inverse = rows["inverse"].to_numpy()
    found = np.full(prices.shape, np.nan)
    usable = np.isfinite(prices) & (prices > 0.0) & np.isfinite(forward) & (years > 0.0)
    right, strike = rows["right"].to_numpy(), rows["strike"].to_numpy()
    for kind, solve in (
        (usable & ~inverse, pricing.implied_volatility),
        (usable & inverse, pricing.inverse_implied_volatility),
    ):
        if kind.any():
            found[kind] = solve(right[kind], prices[kind], forward[kind], strike[kind], years[kind])
    return found


def _deltas(rows: pl.DataFrame, volatility: NDArray[np.float64]) -> NDArray[np.float64]:
    forward = rows["underlying_price"].fill_null(np.nan).to_numpy()
    years = (rows["expiry_ns"] - rows["ts"]).to_numpy() / YEAR_NS
    usable = np.isfinite(volatility) & np.isfinite(forward) & (years > 0.0)
    found = np.full(volatility.shape, np.nan)
    found[usable] = pricing.delta(
        rows["right"].to_numpy()[usable],
        forward[usable],
        rows["strike"].to_numpy()[usable],
        years[usable],
        volatility[usable],
    )
    return found
