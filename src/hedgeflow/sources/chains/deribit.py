"""Deribit's chains: every listed option of a coin, asked for one after the other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.market.validation import Fault, Reason
from hedgeflow.sources.chains.snapshots import (
    Chain,
    ChainFile,
    Prepared,
    import_files,
    need_columns,
    number,
    prepare,
    stamped,
)
from hedgeflow.sources.deribit.rows import VENUE, named_contracts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.writing import Progress
    from hedgeflow.sources.report import ImportReport

SWEEP_NS: Final = 10 * MINUTE_NS
"""A sweep is stamped when it begins, and up to 2,000 requests follow one after the other."""

NEEDED: Final = (
    "ts",
    "currency",
    "instrument",
    "expiry",
    "strike",
    "option_type",
    "mark_price",
    "mark_iv",
    "open_interest",
    "index_price",
)
RIGHTS: Final = {"call": "C", "put": "P", "c": "C", "p": "P"}


def import_deribit_chains(
    paths: Sequence[Path | str],
    catalog: Catalog,
    *,
    accept_rejects: bool = False,
    progress: Progress | None = None,
) -> tuple[ImportReport, ...]:
    """Import files of Deribit chains, one row an option and sweep; BTC and ETH may share a file.

    The rows of a sweep share its stamp, which is its beginning, while index prices came in during
    the sweep. A snapshot has one underlying price, the median of its coin's, and is known
    `SWEEP_NS` after its stamp. The 24-hour volume is rolling, no session's: the volume is null.

    Look-ahead: nothing of a sweep may be read before it can have ended.

    Parameters
    ----------
    paths : sequence of path
        Parquet or CSV with the columns `NEEDED`, sorted by `ts`.
    catalog : Catalog
    accept_rejects : bool
        Use a tape although more than 0.01 % of it is rejected.
    progress : callable, optional
        Called with the rows done and the rows to do.

    Returns
    -------
    tuple of ImportReport
        One a file and coin.

    Raises
    ------
    DataError
        A file cannot be read, lacks a column, is not sorted or has no usable row; nothing of any
        file was written.
    """
    return import_files(paths, catalog, partial(_prepared, accept_rejects=accept_rejects), progress)


def _prepared(file: ChainFile, *, accept_rejects: bool) -> list[Prepared]:
    need_columns(file, NEEDED, "Deribit chains")
    rows = _rows(file)
    return [
        Prepared(
            prepare(
                Chain(coin, of_coin, named_contracts(of_coin["contract"]), _faults()),
                file,
                venue=VENUE,
                resolution_ns=SWEEP_NS,
                accept_rejects=accept_rejects,
            ),
            _notes(coin, of_coin),
        )
        for (coin,), of_coin in rows.partition_by(
            "_coin", as_dict=True, maintain_order=True
        ).items()
    ]


def _rows(file: ChainFile) -> pl.DataFrame:
    raw = stamped(file, "ts", "UTC")
    missing = raw["currency"].is_null()
    if missing.any():
        raise DataError(
            f"row {missing.arg_max()} names no currency",
            where=file.name,
            hint="Every row needs one, such as BTC; rows count from 0",
        )
    coin = raw["currency"].cast(pl.String)
    rows = raw.select(
        "row",
        "ts",
        raw["instrument"].cast(pl.String).alias("contract"),
        number(file, "open_interest").alias("open_interest"),
        pl.lit(None, dtype=pl.Float64).alias("volume"),
        number(file, "mark_iv").alias("iv"),
        number(file, "mark_price").alias("price"),
        number(file, "index_price").alias("_index_price"),
        coin.alias("_coin"),
        number(file, "strike").alias("_strike"),
        raw["expiry"].cast(pl.String).str.slice(0, 10).alias("_expiry"),
        raw["option_type"].cast(pl.String).str.to_lowercase().alias("_option_type"),
    )
    terms = named_contracts(rows["contract"]).select(
        "contract",
        pl.col("underlying").alias("_named_coin"),
        pl.col("right").alias("_named_right"),
        pl.col("strike").alias("_named_strike"),
        pl.col("expiry").dt.date().cast(pl.String).alias("_named_expiry"),
    )
    index = pl.col("_index_price")
    level = pl.when(index.is_finite() & (index > 0)).then(index).median().over("ts", "_coin")
    return rows.with_columns(
        level.alias("underlying_price"),
        pl.when(pl.col("iv") > 0).then(pl.col("iv")).alias("iv"),
    ).join(terms, on="contract", how="left", maintain_order="left")


def _faults() -> tuple[Fault, ...]:
    """Return what makes a row impossible: its columns contradict its symbol."""
    right = pl.col("_option_type").replace_strict(RIGHTS, default=None)
    far = (pl.col("_strike") - pl.col("_named_strike")).abs() > 1e-9 * pl.col("_named_strike")
    return (
        Fault(Reason.SYMBOL_MISMATCH, "_coin", pl.col("_coin") != pl.col("_named_coin")),
        Fault(Reason.SYMBOL_MISMATCH, "_strike", far),
        Fault(Reason.SYMBOL_MISMATCH, "_expiry", pl.col("_expiry") != pl.col("_named_expiry")),
        Fault(Reason.SYMBOL_MISMATCH, "_option_type", right.ne_missing(pl.col("_named_right"))),
    )


def _notes(coin: str, rows: pl.DataFrame) -> list[str]:
    index = pl.col("_index_price")
    sweeps = rows.group_by("ts").agg((index.max() / index.min() - 1).alias("span"))
    typical, widest = (
        sweeps.select(measure).item() for measure in (pl.col("span").median(), pl.col("span").max())
    )
    moved = f"{typical or 0:.2%} within a typical sweep, {widest or 0:.2%} within the widest"
    return [
        (
            f"{sweeps.height:,} snapshots of {coin}: a sweep is stamped at its beginning and taken"
            f" as known {SWEEP_NS // MINUTE_NS} minutes later."
        ),
        f"The index moved {moved}; a snapshot's underlying price is the median of its sweep.",
        (
            "volume_24h is rolling, not a session's: the volume is left null. Quotes, delta, vega"
            " and the future's price are not used."
        ),
    ]
