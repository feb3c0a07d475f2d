"""OHLCV bars of one hedge instrument from a Parquet or CSV file, with a column map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import DataError
from hedgeflow.market.layout import file_sha256
from hedgeflow.market.manifests import Import
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import SECOND_NS, iso
from hedgeflow.market.validation import (
    ROW,
    Fault,
    Reason,
    check_sorted,
    merge_rejects,
    split,
    validate,
)
from hedgeflow.sources.files import numbers, read_table
from hedgeflow.sources.report import ImportReport, import_into
from hedgeflow.sources.stamps import read_stamps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.writing import Progress

KNOWN_VENUES: Final = frozenset({"binance", "bybit", "deribit", "okx"})
UNKNOWN_VENUE: Final = "unknown"

VALUES: Final = ("open", "high", "low", "close", "volume")
ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "time": ("date", "ts", "time", "timestamp", "open_time", "datetime"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
}
"""Column names that are recognised, whatever their case."""

SYMBOL_NAMES: Final = ("symbol", "instrument", "ticker", "coin")


def parse_column_map(text: str) -> dict[str, str]:
    """Return the column map that a text such as ``time=date,open=o`` writes.

    Raises
    ------
    DataError
        A pair has no equals sign, or names a field that bars do not have.
    """
    columns: dict[str, str] = {}
    for pair in text.split(","):
        field, equals, name = pair.partition("=")
        if not equals or not name.strip() or field.strip() not in ALIASES:
            raise DataError(
                f"'{pair.strip()}' is no part of a column map",
                where="--columns",
                hint=f"Write FIELD=COLUMN with a field of {', '.join(ALIASES)}",
            )
        columns[field.strip()] = name.strip()
    return columns


def import_bars(
    path: Path | str,
    catalog: Catalog,
    *,
    instrument: str,
    venue: str | None = None,
    columns: Mapping[str, str] | None = None,
    timezone: str | None = None,
    accept_rejects: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a file of OHLCV bars.

    Parameters
    ----------
    path : path
    catalog : Catalog
    instrument : str
        Symbol of the hedge instrument, such as ``BTC-PERP``.
    venue : str, optional
        Without it, what the file name begins with (``binance_``, ``bybit_``, ``okx_``,
        ``deribit_``), else ``unknown``.
    columns : mapping, optional
        Columns of time, open, high, low, close, volume where they are not recognised.
    timezone : str, optional
        IANA name of the zone of times that state none; UTC without it.
    accept_rejects : bool
        Use the tape although more than 0.01 % of it is rejected.
    progress : callable, optional
        Called with the rows done and the rows to do.

    Returns
    -------
    ImportReport

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, is not sorted by time, holds several instruments
        or has no regular interval.
    """
    path = Path(path)
    where = path.name
    source_sha256 = file_sha256(path) if path.is_file() else ""
    raw = read_table(path)
    if progress is not None:
        progress(0, raw.height)
    named = _named(raw, columns or {}, where)
    hedge = hedge_instrument(instrument, _venue(path, venue))
    notes = [_venue_note(path, venue, hedge.venue)]
    raw = _of_instrument(raw, {instrument, hedge.underlying}, where, notes)
    stamps = read_stamps(raw, named["time"], timezone=timezone, where=where)
    notes += stamps.notes
    values = [numbers(raw, named[name], where=where).alias(name) for name in VALUES]
    bars = pl.DataFrame([raw[ROW], stamps.series.alias("ts"), *values])
    check_sorted(bars.rename({"ts": named["time"]}), named["time"], where=where)
    timed, untimed = split(bars, [Fault(Reason.MISSING_VALUE, "ts", pl.col("ts").is_null())])
    interval_ns = _interval_ns(timed, where)
    notes.append(f"Bars are {interval_ns / SECOND_NS:g} s long, each known at its end.")
    known_at = (pl.col("ts") + pl.duration(nanoseconds=interval_ns)).alias("known_at")
    checked = validate(timed.with_columns(known_at), TapeKind.BARS, where=where)
    new = Import(
        key=TapeKey(TapeKind.BARS, hedge.venue, hedge.underlying, instrument, interval_ns),
        rows=checked.rows,
        rejects=merge_rejects([untimed, checked.rejects]),
        read=raw.height,
        null_ids=0,
        identical_without_id=0,
        source=where,
        source_sha256=source_sha256,
        coverage=Coverage.from_stamps(
            timed["ts"].to_physical().to_numpy(), interval_ns, split_ns=interval_ns
        ),
        accept_rejects=accept_rejects,
    )
    return import_into(catalog, new, notes, progress)


def _named(raw: pl.DataFrame, columns: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the column of each field: as mapped, else as recognised."""
    unknown = set(columns) - set(ALIASES)
    if unknown:
        raise DataError(
            f"bars have no field '{min(unknown)}'",
            where=where,
            hint=f"The fields are {', '.join(ALIASES)}",
        )
    there = {name.lower(): name for name in raw.columns if name != ROW}
    named: dict[str, str] = {}
    for field, aliases in ALIASES.items():
        found = columns.get(field)
        if found is None:
            found = next((there[alias] for alias in aliases if alias in there), None)
        if found is None or found not in raw.columns:
            raise DataError(
                f"column '{found or field}' is missing",
                where=where,
                hint=f"The file has {', '.join(there.values())}; name the column with "
                f"--columns {field}=NAME",
            )
        named[field] = found
    return named


def _venue(path: Path, venue: str | None) -> str:
    prefix = path.name.split("_", maxsplit=1)[0].lower()
    return venue or (prefix if prefix in KNOWN_VENUES else UNKNOWN_VENUE)


def _venue_note(path: Path, given: str | None, venue: str) -> str:
    if given is not None:
        return f"The venue {venue} was given."
    if venue == UNKNOWN_VENUE:
        return f"The name {path.name} tells no venue: it is 'unknown'; give one with --venue."
    return f"The venue {venue} was taken from the file name."


def _of_instrument(
    raw: pl.DataFrame, names: set[str], where: str, notes: list[str]
) -> pl.DataFrame:
    """Return the rows of the instrument where the file holds several."""
    column = next((name for name in raw.columns if name.lower() in SYMBOL_NAMES), None)
    if column is None:
        return raw
    there = raw[column].cast(pl.String).unique().drop_nulls().sort().to_list()
    if len(there) <= 1:
        return raw
    chosen = raw.filter(pl.col(column).cast(pl.String).is_in(sorted(names)))
    if chosen.is_empty():
        raise DataError(
            f"column '{column}' holds {', '.join(there)}, not {' or '.join(sorted(names))}",
            where=where,
            hint="Name one of them as the instrument, or split the file",
        )
    others = len(there) - chosen[column].n_unique()
    notes.append(
        f"Only rows whose {column} is {' or '.join(sorted(names))} were read; "
        f"the file holds {others} other(s)."
    )
    return chosen


def _interval_ns(bars: pl.DataFrame, where: str) -> int:
    """Return the bar length: the most frequent difference, of which all others are multiples."""
    unique = bars.unique("ts", keep="first", maintain_order=True)
    steps = unique["ts"].to_physical().diff().drop_nulls()
    if steps.is_empty():
        raise DataError(
            "the bar length cannot be told from one bar", where=where, hint="Two bars are needed"
        )
    interval = int(steps.mode().sort()[0])
    wrong = steps % interval != 0
    if wrong.any():
        at = int(wrong.arg_max() or 0) + 1
        raise DataError(
            f"the bars are {interval / SECOND_NS:g} s apart, but row {unique[ROW][at]} "
            f"({iso(int(unique['ts'].to_physical()[at]))}) is not a multiple of that after row "
            f"{unique[ROW][at - 1]}",
            where=where,
            hint="Use one file for each bar length; rows count from 0",
        )
    return interval
