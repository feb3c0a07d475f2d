"""A day of Deribit's history as imports: option trades, the perpetual's trades and their bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.manifests import Import
from hedgeflow.market.tapes import TapeKey, TapeKind, tape_schema
from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.market.validation import ROW, validate
from hedgeflow.market.writing import content_sha256
from hedgeflow.sources.deribit.pages import MS_NS
from hedgeflow.sources.deribit.rows import FINEST_RESOLUTION_NS, VENUE, option_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgeflow.wire import Trade

OPTION_FIELDS: Final[dict[str, type[pl.DataType]]] = {
    "timestamp": pl.Int64,
    "trade_id": pl.String,
    "instrument_name": pl.String,
    "direction": pl.String,
    "price": pl.Float64,
    "amount": pl.Float64,
    "index_price": pl.Float64,
    "iv": pl.Float64,
    "block_trade_id": pl.String,
    "combo_id": pl.String,
}
"""What of a trade makes a row of the option tape; named as Deribit does."""


def tape_keys(currency: str) -> dict[TapeKind, TapeKey]:
    """Return the tapes that a coin's history is written to."""
    perpetual = f"{currency}-PERP"
    return {
        kind: TapeKey(kind, VENUE, currency, instrument, resolution_ns)
        for kind, instrument, resolution_ns in (
            (TapeKind.OPTION_TRADES, currency, FINEST_RESOLUTION_NS),
            (TapeKind.HEDGE_TRADES, perpetual, FINEST_RESOLUTION_NS),
            (TapeKind.BARS, perpetual, MINUTE_NS),
        )
    }


def option_import(
    trades: Sequence[Trade], key: TapeKey, day_ns: int, *, source: str, accept_rejects: bool
) -> Import:
    """Return the option trades of a day as an import that covers the whole of it.

    Parameters
    ----------
    trades : sequence of Trade
        Of inverse options, by time.
    day_ns : int
        The day's start, UTC nanoseconds.
    source : str
    accept_rejects : bool
    """
    raw = pl.DataFrame(
        {name: [getattr(trade, name) for trade in trades] for name in OPTION_FIELDS},
        schema=OPTION_FIELDS,
    )
    raw = _numbered(raw)
    found = option_rows(raw, resolution_ns=key.resolution_ns, where=source)
    coverage = _day(day_ns)
    return Import(
        key=key,
        rows=found.rows,
        rejects=found.rejects,
        read=raw.height,
        null_ids=found.null_ids,
        identical_without_id=found.identical_without_id,
        source=source,
        source_sha256=content_sha256(raw, coverage),
        coverage=coverage,
        contracts=found.traded,
        accept_rejects=accept_rejects,
    )


def perpetual_imports(
    trades: Sequence[Trade],
    keys: tuple[TapeKey, TapeKey],
    day_ns: int,
    *,
    source: str,
    accept_rejects: bool,
) -> tuple[Import, Import]:
    """Return the perpetual's trades of a day, and the minute bars that they make.

    A trade's size in coins is its amount in US dollars over its price: the contract is inverse.

    Parameters
    ----------
    trades : sequence of Trade
        By time.
    keys : (TapeKey, TapeKey)
        Of trades and bars.
    day_ns : int
        The day's start, UTC nanoseconds.
    source : str
    accept_rejects : bool
    """
    trades_key, bars_key = keys
    coverage = _day(day_ns)
    stamps = [trade.timestamp * MS_NS for trade in trades]
    tape = pl.DataFrame(
        {
            "ts": stamps,
            "known_at": [stamp + trades_key.resolution_ns for stamp in stamps],
            "price": [trade.price for trade in trades],
            "size": [trade.amount / trade.price if trade.price else np.nan for trade in trades],
            "aggressor": [1 if trade.direction == "buy" else -1 for trade in trades],
            "trade_id": [trade.trade_id for trade in trades],
        },
        schema=tape_schema(TapeKind.HEDGE_TRADES),
    )
    tape = _numbered(tape)
    checked = validate(tape, TapeKind.HEDGE_TRADES, where=source)
    bars = validate(minute_bars(checked.rows, day_ns), TapeKind.BARS, where=source)
    return (
        Import(
            key=trades_key,
            rows=checked.rows,
            rejects=checked.rejects,
            read=tape.height,
            null_ids=0,
            identical_without_id=0,
            source=source,
            source_sha256=content_sha256(tape, coverage),
            coverage=coverage,
            accept_rejects=accept_rejects,
        ),
        Import(
            key=bars_key,
            rows=bars.rows,
            rejects=bars.rejects,
            read=bars.rows.height,
            null_ids=0,
            identical_without_id=0,
            source=source,
            source_sha256=content_sha256(bars.rows, coverage),
            coverage=coverage,
        ),
    )


def minute_bars(trades: pl.DataFrame, day_ns: int) -> pl.DataFrame:
    """Return the minute bars of a day's trades, from the minute of the first to midnight.

    A minute without a trade repeats the close before it, with no volume.

    Parameters
    ----------
    trades : polars.DataFrame
        `ts`, `price`, `size`, sorted by time.
    day_ns : int
        The day's start, UTC nanoseconds.
    """
    schema = tape_schema(TapeKind.BARS)
    if trades.is_empty():
        return pl.DataFrame(schema=schema)
    price, size = trades["price"].to_numpy(), trades["size"].to_numpy()
    minute = (trades["ts"].to_physical().to_numpy() - day_ns) // MINUTE_NS
    first = np.flatnonzero(np.diff(minute, prepend=-1))
    last = np.append(first[1:], minute.size) - 1
    every = np.arange(int(minute[0]), DAY_NS // MINUTE_NS)
    latest = np.searchsorted(minute[first], every, side="right") - 1
    traded = minute[first][latest] == every
    close = price[last][latest]
    start = day_ns + every * MINUTE_NS
    return pl.DataFrame(
        {
            "ts": start,
            "known_at": start + MINUTE_NS,
            "open": np.where(traded, price[first][latest], close),
            "high": np.where(traded, np.maximum.reduceat(price, first)[latest], close),
            "low": np.where(traded, np.minimum.reduceat(price, first)[latest], close),
            "close": close,
            "volume": np.where(traded, np.add.reduceat(size, first)[latest], 0.0),
        },
        schema_overrides={"ts": pl.Int64, "known_at": pl.Int64},
    ).cast({"ts": schema["ts"], "known_at": schema["known_at"]})


def _day(day_ns: int) -> Coverage:
    return Coverage.of([(day_ns, day_ns + DAY_NS)])


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
