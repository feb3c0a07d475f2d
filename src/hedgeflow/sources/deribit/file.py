"""Deribit option trades from a Parquet or CSV file, one row a print, with the taker's side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import DataError
from hedgeflow.market.layout import file_sha256
from hedgeflow.market.manifests import Import
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.sources.deribit.rows import VENUE, option_rows
from hedgeflow.sources.files import read_table
from hedgeflow.sources.report import ImportReport, check_usable, import_into

if TYPE_CHECKING:
    import polars as pl

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.writing import Progress


def import_deribit_trades(
    path: Path | str,
    catalog: Catalog,
    *,
    accept_rejects: bool = False,
    resolution_ns: int | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a file of Deribit option trades.

    Needed are ts, trade_id, instrument, direction, price_btc (or price), amount and
    underlying_price (or index_price); used where present are iv_pct, block_trade_id, combo_id,
    and strike, expiry, option_type, which must agree with the symbol.

    Parameters
    ----------
    path : path
    catalog : Catalog
    accept_rejects : bool
        Use the tape although more than 0.01 % of it is rejected.
    resolution_ns : int, optional
        The stamps' resolution; without it one minute or one second where all stamps are whole
        ones, else one millisecond. A trade is known at its stamp plus the resolution.
    progress : callable, optional
        Called with the rows done and the rows to do.

    Returns
    -------
    ImportReport

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, is not sorted by time or holds several
        underlyings.
    """
    path = Path(path)
    where = path.name
    source_sha256 = file_sha256(path) if path.is_file() else ""
    raw = read_table(path)
    if progress is not None:
        progress(0, raw.height)
    trades = option_rows(raw, resolution_ns=resolution_ns, where=where)
    underlying = _underlying(trades.contracts, where)
    new = Import(
        key=TapeKey(TapeKind.OPTION_TRADES, VENUE, underlying, underlying, trades.resolution_ns),
        rows=trades.rows,
        rejects=trades.rejects,
        read=raw.height,
        null_ids=trades.null_ids,
        identical_without_id=trades.identical_without_id,
        source=where,
        source_sha256=source_sha256,
        coverage=Coverage.from_stamps(trades.stamps.to_numpy(), trades.resolution_ns),
        contracts=trades.traded,
        accept_rejects=accept_rejects,
    )
    check_usable(new)
    return import_into(catalog, new, list(trades.notes), progress)


def _underlying(contracts: pl.DataFrame, where: str) -> str:
    names = contracts["underlying"].unique().sort().to_list()
    if len(names) == 1:
        return names[0]
    if not names:
        raise DataError(
            "no row names an inverse Deribit option",
            where=where,
            hint="Expected are symbols such as BTC-18APR25-76000-P",
        )
    raise DataError(
        f"the file holds options on {', '.join(names)}",
        where=where,
        hint="Split it into one file for each underlying",
    )
