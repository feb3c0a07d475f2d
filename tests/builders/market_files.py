"""Small files and tables of market data, right unless a test spoils them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.market import TapeKey, TapeKind, tape_schema
from hedgeflow.market.time import MINUTE_NS, instant_ns

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2025, 4, 11, 13, 18, tzinfo=UTC)
CALL, PUT = "BTC-18APR25-80000-C", "BTC-18APR25-76000-P"
BARS_KEY = TapeKey(TapeKind.BARS, "binance", "BTC", "BTC-PERP", MINUTE_NS)
TRADES_KEY = TapeKey(TapeKind.HEDGE_TRADES, "sim", "SIM", "SIM-PERP", 1_000_000)


def deribit_trades(count: int = 6, *, start: datetime = START, first_id: int = 100) -> pl.DataFrame:
    """Return trades a minute apart, calls and puts in turn, with the columns of the real file."""
    at = [start + timedelta(minutes=minute) for minute in range(count)]
    is_call = [number % 2 == 0 for number in range(count)]
    return pl.DataFrame(
        {
            "ts": pl.Series(at, dtype=pl.Datetime("us", "UTC")),
            "trade_id": list(range(first_id, first_id + count)),
            "instrument": [CALL if call else PUT for call in is_call],
            "direction": ["buy" if number % 3 else "sell" for number in range(count)],
            "price_btc": [0.02] * count,
            "iv_pct": [50.0] * count,
            "amount": [0.3 + number for number in range(count)],
            "underlying_price": [80_000.0] * count,
            "expiry": [date(2025, 4, 18)] * count,
            "strike": [80_000.0 if call else 76_000.0 for call in is_call],
            "option_type": ["call" if call else "put" for call in is_call],
            "block_trade_id": pl.Series([None] * count, dtype=pl.String),
            "combo_id": pl.Series([None] * count, dtype=pl.String),
        }
    )


def with_value(frame: pl.DataFrame, row: int, column: str, value: object) -> pl.DataFrame:
    """Return a table with one value replaced."""
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, dtype=frame.schema[column]))


def written(frame: pl.DataFrame, folder: Path, name: str = "trades.parquet") -> Path:
    """Write a table to Parquet or CSV by its name's ending and return the path."""
    path = folder / name
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


def file_bars(count: int = 30, *, start: datetime = START, minutes: int = 1) -> pl.DataFrame:
    """Return bars as the real files hold them."""
    at = [start + timedelta(minutes=minutes * number) for number in range(count)]
    opens = [100.0 + number for number in range(count)]
    return pl.DataFrame(
        {
            "date": pl.Series(at, dtype=pl.Datetime("ns", "UTC")),
            "open": opens,
            "high": [value + 2.0 for value in opens],
            "low": [value - 2.0 for value in opens],
            "close": [value + 1.0 for value in opens],
            "volume": [float(number) for number in range(count)],
        }
    )


def hedge_trades(
    stamps_ns: list[int], ids: list[str | None] | None = None, price: float = 50.0
) -> pl.DataFrame:
    """Return a tape of hedge trades, known a millisecond after their stamps."""
    count = len(stamps_ns)
    return pl.DataFrame(
        {
            "ts": stamps_ns,
            "known_at": [stamp + 1_000_000 for stamp in stamps_ns],
            "price": [price + number for number in range(count)],
            "size": [1.0] * count,
            "aggressor": [1] * count,
            "trade_id": [None] * count if ids is None else ids,
        },
        schema=tape_schema(TapeKind.HEDGE_TRADES),
    )


def at_ns(*, days: int = 0, minutes: float = 0.0) -> int:
    """Return an instant after midnight of 2025-01-06, UTC nanoseconds."""
    midnight = instant_ns(datetime(2025, 1, 6, tzinfo=UTC))
    return midnight + days * 86_400_000_000_000 + int(minutes * MINUTE_NS)
