"""Records of a file as a table: times, prices and symbols as the rest of hedgeflow has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.tapes import TIME
from hedgeflow.market.time import SECOND_NS
from hedgeflow.sources.databento.decoding import RECORD_OF_SCHEMA
from hedgeflow.sources.division import divided

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from hedgeflow.sources.databento.decoding import DbnFile, DbnHeader

PRICE_UNIT: Final = 1e9
"""Prices are integers, this many to one unit of the quote currency."""
UNDEFINED_PRICE: Final = 2**63 - 1
UNDEFINED_TIME: Final = 2**64 - 1
UNDEFINED_QUANTITIES: Final = {
    "size": 2**32 - 1,
    "bid_sz_00": 2**32 - 1,
    "ask_sz_00": 2**32 - 1,
    "quantity": 2**63 - 1,
}
TICK_RESOLUTION_NS: Final = 1
"""Stamps of single messages are in nanoseconds, so a message is known one later."""
CONTINUOUS_SYMBOL: Final = r"\.[cnv]\.[0-9]+$"
"""A continuous contract such as ES.c.0 names a rule, not an instrument."""

AT: Final = "at"
"""Column with the instant at which a record was received, or at which a bar begins."""
POSITION: Final = "record"
"""Column with a record's place in its file, counted from 0."""


def index_field(records: NDArray[Any]) -> str:
    """Return the field by which a file is ordered: when a message was received, if that is there.

    It is the one that a file's start and end speak of.
    """
    names = records.dtype.names or ()
    return "ts_recv" if "ts_recv" in names else "ts_event"


def table_of(file: DbnFile, fields: tuple[str, ...]) -> pl.DataFrame:
    """Return chosen fields of all records, with `record`, `at`, `instrument_id`, `symbol`.

    Fixed-point prices become floats, fields of one letter its code, 64-bit times instants; what is
    undefined is null. A symbol is null where the header maps the instrument to none on that day.
    """
    import databento_dbn as dbn

    records = file.records
    layout = getattr(dbn, RECORD_OF_SCHEMA[file.header.schema])
    wanted = ("instrument_id", *(name for name in fields if name != "instrument_id"))
    columns = [
        pl.Series(POSITION, np.arange(records.size, dtype=np.int64)),
        _instants(records[index_field(records)]).alias(AT),
        *(_column(name, records[name], layout) for name in wanted),
    ]
    return _with_symbols(pl.DataFrame(columns), file.header)


def recorded(file: DbnFile, length_ns: int = TICK_RESOLUTION_NS) -> Coverage:
    """Return when a file was recorded: what was asked for, unless a limit cut it short.

    The header's begin and end speak of the same stamps as the tapes' `ts`. Within them silence is
    silence; a file that holds as many records as were asked for at most ends with its last one.

    Parameters
    ----------
    file : DbnFile
    length_ns : int
        How long the last record lasts: a bar its length, a message a nanosecond.
    """
    header = file.header
    known = known_stamps(file)
    if not known.size:
        return Coverage.of([])
    last = int(known[-1]) + length_ns
    cut_short = header.limit is not None and file.records.size >= header.limit
    end = last if header.end_ns is None or cut_short else max(header.end_ns, last)
    return Coverage.of([(min(header.start_ns, int(known[0])), end)])


def known_stamps(file: DbnFile) -> NDArray[np.uint64]:
    """Return the times by which a file is ordered, without those that are undefined."""
    stamps = file.records[index_field(file.records)]
    return stamps[stamps != UNDEFINED_TIME]


def is_cut_short(file: DbnFile) -> bool:
    """Say whether the file holds as many records as were asked for at most."""
    limit = file.header.limit
    return limit is not None and file.records.size >= limit


def interval_ns(schema: str) -> int:
    """Return the length that a schema's name ends with, as in ``ohlcv-1m``, nanoseconds."""
    suffix = schema.rpartition("-")[2]
    return int(suffix[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[suffix[-1]] * SECOND_NS


def _column(name: str, values: NDArray[Any], layout: Any) -> pl.Series:
    packed = np.ascontiguousarray(values)
    if packed.dtype == "S1":
        return pl.Series(name, packed.view(np.uint8))
    if packed.dtype.kind == "S":
        return pl.Series(name, packed.tolist(), dtype=pl.Binary).cast(pl.String, strict=False)
    series = pl.Series(name, packed)
    if name in layout._price_fields:  # noqa: SLF001 # the public description of a record
        return divided(series, PRICE_UNIT).set(series == UNDEFINED_PRICE, None)
    if name in UNDEFINED_QUANTITIES:
        return series.set(series == UNDEFINED_QUANTITIES[name], None)
    is_time = name in layout._timestamp_fields  # noqa: SLF001 # as above
    return _instants(values).alias(name) if is_time else series


def _instants(values: NDArray[Any]) -> pl.Series:
    instants = pl.Series(np.ascontiguousarray(values))
    return instants.set(instants == UNDEFINED_TIME, None).cast(pl.Int64, strict=False).cast(TIME)


def _with_symbols(frame: pl.DataFrame, header: DbnHeader) -> pl.DataFrame:
    """Return records with the symbol that the header maps their instrument to on their UTC day."""
    days = frame.with_columns(pl.col(AT).dt.date().alias("_day"))
    on = ["instrument_id", "_day"]
    found = (
        days.select(on)
        .unique()
        .sort("_day")
        .join_asof(
            _mappings(header).sort("_start"),
            left_on="_day",
            right_on="_start",
            by="instrument_id",
            strategy="backward",
            check_sortedness=False,
        )
        .filter(pl.col("_day") < pl.col("_end"))
    )
    known = found.select(*on, "symbol")
    return days.join(known, on=on, how="left", maintain_order="left").drop("_day")


def _mappings(header: DbnHeader) -> pl.DataFrame:
    """Return instrument, symbol and the days [start, end) of each mapping, in either direction.

    Requests by symbol map it to numbers, requests by number map them to symbols.
    """
    rows: list[tuple[int, str, date, date]] = []
    for name, intervals in header.mappings.items():
        for each in intervals:
            number, symbol = (
                (name, each["symbol"])
                if header.stype_in == "instrument_id"
                else (each["symbol"], name)
            )
            if str(number).isdigit():
                rows.append((int(number), str(symbol), each["start_date"], each["end_date"]))
    schema = {
        "instrument_id": pl.UInt32,
        "symbol": pl.String,
        "_start": pl.Date,
        "_end": pl.Date,
    }
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return table.filter(~pl.col("symbol").str.contains(CONTINUOUS_SYMBOL))
