"""OHLCV bars of one hedge instrument from a Parquet or CSV file, with a column map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import (
    LOWEST_VOLATILITY_PERCENT,
    HedgeKind,
    hedge_instrument,
    is_volatility_index,
)
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
from hedgeflow.sources.report import ImportReport, check_usable, import_into
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

NO_VOLUME: Final = "volume of an index"

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
    """Import a file of OHLCV bars; those of an index need no volume.

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
        The file cannot be read, lacks a column, is not sorted by time, holds several instruments,
        has no regular interval or no bar that can be used; it was imported with other arguments;
        a volatility index is not in percent.
    """
    new, notes = bars_of_file(
        Path(path),
        instrument=instrument,
        venue=venue,
        columns=columns,
        timezone=timezone,
        accept_rejects=accept_rejects,
    )
    if progress is not None:
        progress(0, new.read)
    return import_into(catalog, new, notes, progress)


def bars_of_file(
    path: Path,
    *,
    instrument: str,
    venue: str | None = None,
    columns: Mapping[str, str] | None = None,
    timezone: str | None = None,
    accept_rejects: bool = False,
) -> tuple[Import, list[str]]:
    """Return what `import_bars` imports from a file, and what was assumed, one sentence each.

    Raises
    ------
    DataError
        As `import_bars`.
    """
    where = path.name
    for option, text in (("--instrument", instrument), ("--venue", venue)):
        if text is not None and not text.strip():
            raise DataError("the name is empty", where=option, hint="Write it, as in BTC-PERP")
    source_sha256 = file_sha256(path) if path.is_file() else ""
    raw = read_table(path)
    hedge = hedge_instrument(instrument, _venue(path, venue))
    notes = [_venue_note(path, venue, hedge.venue)]
    recognised = _recognised(raw)
    named = recognised | dict(columns or {})
    if hedge.kind is HedgeKind.INDEX and "volume" not in named:
        raw, named = raw.with_columns(pl.lit(0.0).alias(NO_VOLUME)), named | {"volume": NO_VOLUME}
        notes.append(f"{instrument} is an index, which has no volume: it is 0.")
    _check_named(raw, named, where)
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
    if is_volatility_index(instrument):
        _check_percent(checked.rows, instrument, where)
    new = Import(
        key=TapeKey(TapeKind.BARS, hedge.venue, hedge.underlying, instrument, interval_ns),
        rows=checked.rows,
        rejects=merge_rejects([untimed, checked.rejects]),
        read=raw.height,
        null_ids=0,
        identical_without_id=0,
        source=where,
        source_sha256=source_sha256,
        arguments=_arguments(columns or {}, recognised, stamps.zone),
        coverage=Coverage.from_stamps(
            timed["ts"].to_physical().to_numpy(), interval_ns, split_ns=interval_ns
        ),
        accept_rejects=accept_rejects,
    )
    check_usable(new)
    return new, notes


def _recognised(raw: pl.DataFrame) -> dict[str, str]:
    """Return the column of each field that has one of its usual names."""
    there = {name.lower(): name for name in raw.columns if name != ROW}
    found = {
        field: next((there[alias] for alias in aliases if alias in there), None)
        for field, aliases in ALIASES.items()
    }
    return {field: name for field, name in found.items() if name is not None}


def _check_named(raw: pl.DataFrame, named: Mapping[str, str], where: str) -> None:
    unknown = set(named) - set(ALIASES)
    if unknown:
        raise DataError(
            f"bars have no field '{min(unknown)}'",
            where=where,
            hint=f"The fields are {', '.join(ALIASES)}",
        )
    for field in ALIASES:
        if named.get(field) not in raw.columns:
            there = ", ".join(name for name in raw.columns if name != ROW)
            raise DataError(
                f"column '{named.get(field, field)}' is missing",
                where=where,
                hint=f"The file has {there}; name the column with --columns {field}=NAME",
            )


def _arguments(columns: Mapping[str, str], recognised: Mapping[str, str], zone: str | None) -> str:
    """Return what was said of the file that it does not say itself, in words."""
    mapped = [f"{key}={name}" for key, name in columns.items() if recognised.get(key) != name]
    zones = [] if zone in {None, "UTC"} else [f"time zone {zone}"]
    return ", ".join([*sorted(mapped), *zones])


def _check_percent(bars: pl.DataFrame, instrument: str, where: str) -> None:
    highest = bars["close"].max()
    if isinstance(highest, float) and highest < LOWEST_VOLATILITY_PERCENT:
        raise DataError(
            f"the closes of {instrument} are at most {highest:g}: fractions, not percent per year",
            where=where,
            hint="Multiply open, high, low and close by 100: 18.5 is meant, not 0.185",
        )


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
