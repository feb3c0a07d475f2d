"""Recorded markets as the plain records of the slow references."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from .slow_tape import MINUTE_NS, Print

if TYPE_CHECKING:
    from pathlib import Path

SETTLEMENT_NS = 8 * 60 * MINUTE_NS  # 08:00 UTC on the expiry date
LOTS_PER_COIN = 10


def deribit_prints(market_data: Path) -> list[Print]:
    """The recorded Deribit BTC option trades in tape order, without the one corrupt row."""
    rows = pl.read_parquet(market_data / "deribit-trades" / "btc_option_trades.parquet")
    rows = rows.filter(pl.col("block_trade_id").fill_null("") != "BUY").select(
        ts=pl.col("ts").dt.timestamp("ns"),
        contract="instrument",
        right=pl.col("option_type").str.slice(0, 1).str.to_uppercase(),
        strike="strike",
        expiry=pl.col("expiry").cast(pl.Datetime("ns")).dt.timestamp("ns") + SETTLEMENT_NS,
        price=pl.col("price_btc") * pl.col("underlying_price"),
        lots=(pl.col("amount") * LOTS_PER_COIN).round().cast(pl.Int64),
        sign=pl.when(pl.col("direction") == "buy").then(1).otherwise(-1),
        iv=pl.col("iv_pct") / 100,
        underlying_price="underlying_price",
        combo_id="combo_id",
        block_id="block_trade_id",
        premium="price_btc",
    )
    return [Print(*row) for row in rows.iter_rows()]


def perpetual_bars(path: Path) -> list[tuple[int, float]]:
    """The (start ns, volume in coins) of each bar of a file."""
    bars = pl.read_parquet(path).select(pl.col("date").dt.timestamp("ns"), "volume")
    return list(bars.iter_rows())
