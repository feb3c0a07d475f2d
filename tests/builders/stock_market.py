"""A small market of stock options: minute prints without quotes or sides, days, bars, quotes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from hedgeflow.market.catalog import Catalog
from hedgeflow.market.contracts import parse_osi_option
from hedgeflow.market.tapes import TapeKey, TapeKind, tape_schema
from hedgeflow.market.time import DAY_NS, MINUTE_NS, instant_ns
from hedgeflow.sources.contract_terms import contracts_table

if TYPE_CHECKING:
    from pathlib import Path

CALL, PUT = "AAPL  140620C00645000", "AAPL  140620P00645000"
SESSION_MINUTES = 390
FRIDAY = datetime(2014, 6, 6, 13, 30, tzinfo=UTC)
"""The opening bell of the last of five sessions, Monday to Friday."""


def session_open(day: int = 0) -> int:
    """Return the open of a session, 0 for Friday the 6th, -1 for the day before, UTC ns."""
    return instant_ns(FRIDAY + timedelta(days=day))


def tape_key(
    kind: TapeKind,
    underlying: str = "AAPL",
    instrument: str | None = None,
    *,
    venue: str = "usa",
    resolution_ns: int = MINUTE_NS,
) -> TapeKey:
    """Return the name of a tape."""
    return TapeKey(kind, venue, underlying, instrument or underlying, resolution_ns)


def rows_of(kind: TapeKind, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows as a tape, sorted by time; columns left out are null."""
    columns = tape_schema(kind)
    ordered = sorted(rows, key=lambda row: row["ts"])
    return pl.DataFrame(
        [dict.fromkeys(columns) | row for row in ordered], schema=columns, orient="row"
    )


def option_print(
    minute: int, contract: str = CALL, *, lots: int = 1, price: float = 12.0, **changes: Any
) -> dict[str, Any]:
    """Return a print of Friday without a side, a quote or a volatility; the stock is at 645."""
    ts = session_open() + minute * MINUTE_NS
    return {
        "ts": ts,
        "known_at": ts + MINUTE_NS,
        "contract": contract,
        "price": price,
        "lots": lots,
        "aggressor": 0,
        "underlying_price": 645.0,
    } | changes


def shock(contract: str = CALL) -> list[dict[str, Any]]:
    """Return three quiet prints in the morning, then 120 contracts bought at a rising price."""
    quiet = [option_print(minute, contract) for minute in (0, 10, 20)]
    bought = [
        option_print(60 + step, contract, lots=40, price=12.1 + step / 10) for step in range(3)
    ]
    return [*quiet, *bought]


def store_options(
    catalog: Catalog,
    rows: list[dict[str, Any]],
    *,
    underlying: str = "AAPL",
    resolution_ns: int = MINUTE_NS,
) -> None:
    """Store option prints, their contracts' terms read from the symbols."""
    key = tape_key(TapeKind.OPTION_TRADES, underlying, resolution_ns=resolution_ns)
    frame = rows_of(TapeKind.OPTION_TRADES, rows)
    catalog.store(key, frame, source="prints", contracts=terms_of(frame))


def store_days(
    catalog: Catalog, volumes: dict[int, dict[str, int]], *, underlying: str = "AAPL"
) -> None:
    """Store volumes of sessions, by days before Friday and contract."""
    rows = [
        {
            "ts": session_open(day),
            "known_at": session_open(day) + SESSION_MINUTES * MINUTE_NS,
            "contract": contract,
            "lots": lots,
        }
        for day, lists in volumes.items()
        for contract, lots in lists.items()
    ]
    frame = rows_of(TapeKind.OPTION_DAYS, rows)
    key = tape_key(TapeKind.OPTION_DAYS, underlying, resolution_ns=DAY_NS)
    catalog.store(key, frame, source="days", contracts=terms_of(frame))


def store_bars(
    catalog: Catalog,
    instrument: str = "AAPL",
    *,
    underlying: str | None = None,
    venue: str = "usa",
    price: float = 645.0,
    volume: float = 1_000.0,
    days: tuple[int, ...] = (-1, 0),
) -> None:
    """Store minute bars of whole sessions at one price."""
    rows = [
        {
            "ts": session_open(day) + minute * MINUTE_NS,
            "known_at": session_open(day) + (minute + 1) * MINUTE_NS,
            "open": price,
            "high": price,
            "low": price,
            "close": price,
            "volume": volume,
        }
        for day in days
        for minute in range(SESSION_MINUTES)
    ]
    key = tape_key(TapeKind.BARS, underlying or instrument, instrument, venue=venue)
    catalog.store(key, rows_of(TapeKind.BARS, rows), source="bars")


def store_hedge_quotes(catalog: Catalog, minutes: dict[int, tuple[float, float]]) -> None:
    """Store bid and ask of AAPL by minute of Friday, known a minute later."""
    rows = [
        {
            "ts": session_open() + minute * MINUTE_NS,
            "known_at": session_open() + (minute + 1) * MINUTE_NS,
            "bid": bid,
            "ask": ask,
        }
        for minute, (bid, ask) in minutes.items()
    ]
    frame = rows_of(TapeKind.HEDGE_QUOTES, rows)
    catalog.store(tape_key(TapeKind.HEDGE_QUOTES), frame, source="quotes")


def terms_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the contracts table of a tape."""
    symbols = sorted(frame["contract"].unique().to_list())
    return contracts_table([parse_osi_option(symbol, "usa") for symbol in symbols])


def stock_catalog(folder: Path) -> Catalog:
    """Return a catalog with Friday's shock and the stock's bars of two days."""
    catalog = Catalog.create_or_open(folder / "catalog")
    store_options(catalog, shock())
    store_bars(catalog)
    return catalog
