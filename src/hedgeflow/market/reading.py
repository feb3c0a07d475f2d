"""Reading a tape's parts in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import CatalogError
from hedgeflow.market.tapes import CONTRACT_COLUMNS, TapeKind, schema, tape_schema
from hedgeflow.market.time import DAY_NS

if TYPE_CHECKING:
    from pathlib import Path

    from hedgeflow.market.manifests import Manifest, Part

SEQUENCE: Final = "sequence"
"""Column that keeps the source's order within equal times; unique in a tape."""


def scan_parts(root: Path, kind: TapeKind, parts: list[Part]) -> pl.LazyFrame:
    """Return parts of one tape as a lazy frame, sorted by time and sequence."""
    if not parts:
        return pl.LazyFrame(schema=stored_schema(kind))
    files = [root / part.path for part in sorted(parts, key=lambda part: part.date)]
    rows = pl.scan_parquet(files, hive_partitioning=False, glob=False)
    dates = {part.date for part in parts}
    return rows.sort("ts", SEQUENCE) if len(dates) < len(parts) else rows


def read_contracts(root: Path, made: list[Manifest], venue: str, underlying: str) -> pl.DataFrame:
    """Return the terms of an underlying's contracts, by expiry, strike and right."""
    columns = schema(CONTRACT_COLUMNS)
    parts = [
        part
        for each in made
        if (each.key.venue, each.key.underlying) == (venue, underlying)
        for part in each.contracts
    ]
    if not parts:
        return pl.DataFrame(schema=columns)
    rows = pl.scan_parquet(
        [root / part.path for part in parts], hive_partitioning=False, glob=False
    )
    named = rows.with_columns(venue=pl.lit(venue), underlying=pl.lit(underlying))
    table = collect(named.select(*columns), root)
    return table.unique("contract", keep="first").sort("expiry", "strike", "right", "contract")


def collect(rows: pl.LazyFrame, root: Path) -> pl.DataFrame:
    """Return the rows of a lazy frame.

    Raises
    ------
    CatalogError
        A part is missing or damaged.
    """
    try:
        return rows.collect()
    except (OSError, pl.exceptions.PolarsError) as cause:
        raise CatalogError(
            f"a part of a tape is missing or damaged ({str(cause).splitlines()[0]})",
            where=str(root),
            hint="See `hedgeflow data check`; importing the source again repairs it",
        ) from cause


def stored_schema(kind: TapeKind) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Return the schema of a tape as it is stored: its columns and `sequence`."""
    return tape_schema(kind) | {SEQUENCE: pl.Int64}


def between(rows: pl.LazyFrame, start_ns: int | None, end_ns: int | None) -> pl.LazyFrame:
    """Return the rows with ``start_ns <= ts < end_ns``."""
    stamp = pl.col("ts").dt.epoch("ns")
    if start_ns is not None:
        rows = rows.filter(stamp >= start_ns)
    return rows if end_ns is None else rows.filter(stamp < end_ns)


def touches(date: str, start_ns: int | None, end_ns: int | None) -> bool:
    """Say whether a UTC date and [start, end) have an instant in common."""
    day = int(pl.Series([date]).str.to_date().to_physical()[0]) * DAY_NS
    return (start_ns is None or day + DAY_NS > start_ns) and (end_ns is None or day < end_ns)
