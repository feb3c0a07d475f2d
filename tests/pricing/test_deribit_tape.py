"""The volatilities that Deribit printed, against ours solved from its prices."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hedgeflow.pricing import inverse_implied_volatility

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HEDGEFLOW_DATA", ROOT.parent / "shared" / "data"))
TAPE = DATA / "deribit-trades" / "btc_option_trades.parquet"


@pytest.fixture(scope="module")
def liquid_near_the_money():
    if not TAPE.is_file():
        pytest.skip(f"no recorded option trades: {TAPE} is absent (set HEDGEFLOW_DATA)")
    expires = pl.col("expiry").cast(pl.Datetime("us", "UTC")).dt.offset_by("8h")
    moneyness = (pl.col("strike") / pl.col("underlying_price") - 1.0).abs()
    return (
        pl.read_parquet(TAPE)
        .with_columns(years=(expires - pl.col("ts")).dt.total_seconds() / (365 * 86_400))
        .filter(pl.col("iv_pct") > 0, moneyness < 0.02, pl.col("years") > 0.1 / 365)
    )


@pytest.mark.parametrize(
    ("days", "median_points", "most_points"),
    # The tape carries the index, not the forward: the difference grows with the basis.
    [((0.1, 1), 0.5, 1.0), ((1, 3), 0.75, 1.5), ((3, 10), 1.25, 2.0), ((10, 30), 2.0, 2.5)],
)
def test_volatilities_of_liquid_prints_are_within_points_of_the_printed_ones(
    liquid_near_the_money, days, median_points, most_points
):
    prints = liquid_near_the_money.filter(
        pl.col("years").is_between(days[0] / 365, days[1] / 365, closed="right")
    )
    found = inverse_implied_volatility(
        np.where(prints["option_type"].to_numpy() == "call", 1, -1),
        prints["price_btc"].to_numpy(),
        prints["underlying_price"].to_numpy(),
        prints["strike"].to_numpy(),
        prints["years"].to_numpy(),
    )
    points = np.abs(100.0 * found - prints["iv_pct"].to_numpy())
    assert len(points) > 5_000
    assert np.isnan(points).sum() <= 2
    assert np.nanmedian(points) < median_points
    assert np.nanquantile(points, 0.9) < most_points
