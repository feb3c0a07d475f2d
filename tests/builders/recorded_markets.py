"""Catalogs of the optional folder's recordings, made with the project's own imports."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from hedgeflow.market.catalog import Catalog
from hedgeflow.sources import (
    import_bars,
    import_deribit_trades,
    import_lean,
    import_table,
    parse_column_map,
    table_map,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Recorded(NamedTuple):
    """A recorded market: how the page of stylised facts calls it, and what makes its catalog."""

    title: str
    make: Callable[[Path, Path], Catalog]
    underlying: str
    calendar: str | None = None


EVENTS = {"trade": {"T": pl.Int64, "p": pl.String, "q": pl.String, "m": pl.Boolean, "t": pl.Int64},
          "bookTicker": {"T": pl.Int64, "b": pl.String, "a": pl.String}}  # fmt: skip


def deribit(data: Path, root: Path) -> Catalog:
    """Return Deribit's BTC option trades of 2025, and Binance's minutes beside them."""
    catalog = Catalog.create_or_open(root / "deribit")
    import_deribit_trades(data / "deribit-trades" / "btc_option_trades.parquet", catalog)
    minutes = data / "perp-bars" / "binance_BTCUSDT_1m.parquet"
    import_bars(minutes, catalog, instrument="BTC-PERP", venue="binance")
    return catalog


def deribit_chains(data: Path, root: Path) -> Catalog:
    """Return Deribit's BTC chains of January and February 2026, and OKX's hours."""
    catalog = Catalog.create_or_open(root / "deribit-chains")
    files = [data / "deribit-chain" / f"chain_{month}.parquet" for month in ("202601", "202602")]
    rows = pl.concat([pl.read_parquet(path) for path in files]).filter(currency="BTC")
    table = root / "chains.parquet"
    rows.sort("ts").write_parquet(table)
    hours = table_map(
        kind="bars", venue="okx", instrument="BTC-PERP", resolution_seconds=3600.0,
        where="symbol=BTC,ts>=2026-01-01,ts<2026-03-01",
        columns="ts=ts,open=open,high=high,low=low,close=close,volume=volume*0.01",
    )  # fmt: skip
    import_table(data / "perp-bars" / "okx_1h.parquet", catalog, hours)
    quotes = "ts=ts,contract=instrument,bid=bid_price,ask=ask_price"
    interest = "ts=ts,contract=instrument,open_interest=open_interest"
    for kind, columns in (("option_quotes", quotes), ("open_interest", interest)):
        chosen = table_map(kind=kind, venue="deribit", underlying="BTC", columns=columns)
        import_table(table, catalog, chosen, accept_rejects=True)
    return catalog


def binance_perpetual(data: Path, root: Path) -> Catalog:
    """Return the trades and best quotes of Binance's BTC perpetual, minutes of 2024-08-08.

    By the exchange's clock: the recorder's ran 1.27 s behind it.
    """
    catalog = Catalog.create_or_open(root / "binance")
    rows: dict[str, list[dict]] = {kind: [] for kind in EVENTS}
    with gzip.open(data / "l2" / "usdm_btcusdt_20240808.gz", "rt") as lines:
        for line in lines:
            event = json.loads(line.partition(" ")[2]).get("data", {})
            kind = event.get("e")
            if kind in EVENTS:
                rows[kind].append({name: event[name] for name in EVENTS[kind]})
    trades = pl.DataFrame(rows["trade"], schema=EVENTS["trade"]).filter(
        pl.col("p").cast(pl.Float64) > 0, pl.col("q").cast(pl.Float64) > 0
    )
    tapes = {
        "hedge_trades": (trades, "ts=T,price=p,size=q,buyer_is_maker=m,trade_id=t"),
        "hedge_quotes": (
            pl.DataFrame(rows["bookTicker"], schema=EVENTS["bookTicker"]), "ts=T,bid=b,ask=a",
        ),
    }  # fmt: skip
    for kind, (frame, columns) in tapes.items():
        table = root / f"{kind}.parquet"
        numbers = pl.col(pl.String).cast(pl.Float64)
        frame.with_columns(numbers).sort("T", maintain_order=True).write_parquet(table)
        chosen = table_map(kind=kind, venue="binance", instrument="BTC-PERP", columns=columns)
        import_table(table, catalog, chosen)
    return catalog


def apple(data: Path, root: Path) -> Catalog:
    """Return Lean's AAPL options of 2014-06-06, trades by the minute, with the stock."""
    return _lean(data, root, "apple", ["option/usa/minute/aapl", "equity/usa/minute/aapl"])


def spx(data: Path, root: Path) -> Catalog:
    """Return Lean's SPX and SPXW options with their quotes, and the index."""
    parts = [f"indexoption/usa/minute/{root_name}" for root_name in ("spx", "spxw")]
    return _lean(data, root, "spx", [*parts, "index/usa/minute/spx"])


def es(data: Path, root: Path) -> Catalog:
    """Return Lean's ES of October 2013: five sessions of bars and quotes by the minute."""
    return _lean(data, root, "es", ["future/cme/minute/es"], "2013*")


def spx_minutes(data: Path, root: Path) -> Catalog:
    """Return the SPX index by the minute, summer of 2026."""
    catalog = Catalog.create_or_open(root / "spx-minutes")
    path = data / "spx-0dte" / "spx_1m.parquet"
    columns = parse_column_map("time=ts_et")
    import_bars(path, catalog, instrument="SPX", venue="cboe", columns=columns)
    return catalog


def _lean(data: Path, root: Path, name: str, parts: list[str], files: str = "*") -> Catalog:
    folder = root / f"lean-{name}"
    for part in parts:
        target = folder / part
        target.mkdir(parents=True)
        for path in (data / "lean" / part).glob(files):
            shutil.copy(path, target)
    catalog = Catalog.create_or_open(root / name)
    import_lean(folder, catalog, accept_rejects=True)
    return catalog


CRYPTO = (
    Recorded("Deribit BTC options 2025", deribit, "BTC"),
    Recorded("Deribit BTC chains 2026", deribit_chains, "BTC"),
    Recorded("Binance BTC perpetual, 6 min of 2024", binance_perpetual, "BTC"),
)
EXCHANGE = (
    Recorded("AAPL options, one day of 2014", apple, "AAPL"),
    Recorded("SPX options 2021–23, a few contracts", spx, "SPX"),
    Recorded("ES 2013, New York hours", es, "ES", "XNYS"),
    Recorded("SPX 2026, minutes", spx_minutes, "SPX"),
)
"""Markets that never close, and those that do, as the page of stylised facts shows them."""
