"""Tardis.dev's CSV files: which data type one holds, and its rows in batches of bounded size."""

from __future__ import annotations

import gzip
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.layout import file_sha256
from hedgeflow.market.time import DAY_NS
from hedgeflow.market.validation import ROW
from hedgeflow.sources.files import check_file

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

BATCH_BYTES: Final = 32 * 1024 * 1024
"""Text that is held at once; a row is rarely longer than 250 bytes."""

LONGEST_LINE: Final = 64 * 1024
GZIP_MAGIC: Final = b"\x1f\x8b"
MICROSECONDS: Final = range(10**14, 10**17)
"""Times since 1970 in microseconds, 1973 to 5138; smaller or larger ones are in other units."""


class DataType(StrEnum):
    """The data types that become tapes, by Tardis's names."""

    OPTIONS_CHAIN = "options_chain"
    QUOTES = "quotes"
    TRADES = "trades"
    DERIVATIVE_TICKER = "derivative_ticker"


_BEGIN: Final = ("exchange", "symbol", "timestamp", "local_timestamp")
_TRADES: Final = (*_BEGIN, "id", "side", "price", "amount")
COLUMNS: Final[dict[DataType, tuple[str, ...]]] = {
    DataType.OPTIONS_CHAIN: (
        *_BEGIN,
        *("type", "strike_price", "expiration", "open_interest", "last_price"),
        *("bid_price", "bid_amount", "bid_iv", "ask_price", "ask_amount", "ask_iv"),
        *("mark_price", "mark_iv", "underlying_index", "underlying_price"),
        *("delta", "gamma", "vega", "theta", "rho"),
    ),
    DataType.QUOTES: (*_BEGIN, "ask_amount", "ask_price", "bid_price", "bid_amount"),
    DataType.TRADES: _TRADES,
    DataType.DERIVATIVE_TICKER: (
        *_BEGIN,
        *("funding_timestamp", "funding_rate", "predicted_funding_rate", "open_interest"),
        *("last_price", "index_price", "mark_price"),
    ),
}
"""The header of each data type; book_ticker has that of quotes, liquidations that of trades."""

NOT_READ: Final = frozenset(
    {
        *("bid_iv", "ask_iv", "mark_iv", "delta", "gamma", "vega", "theta", "rho"),
        *("underlying_index", "predicted_funding_rate"),
    }
)
"""No tape has a place for these."""

BOOK_COLUMNS: Final = ("is_snapshot", "asks[0].price")
TEXT: Final = frozenset({"exchange", "symbol", "id", "side", "type"})
WHOLE: Final = frozenset({"timestamp", "local_timestamp", "expiration", "funding_timestamp"})


@dataclass(frozen=True, slots=True)
class TardisFile:
    """A file whose data type is known.

    Attributes
    ----------
    path : pathlib.Path
    data_type : DataType
    exchange : str
        By Tardis's name, as in ``binance-futures``.
    day_ns : int
        Start of the UTC day on which its first row arrived.
    sha256 : str
    """

    path: Path
    data_type: DataType
    exchange: str
    day_ns: int
    sha256: str


def recognize(path: Path, stated: DataType | None = None) -> TardisFile:
    """Return what a file holds, told by its header and first row.

    Liquidations have the header of trades: of these two the path must name one, or `stated` say
    that they are trades.

    Raises
    ------
    DataError
        The file is missing, empty, truncated, no file of Tardis's, or of a data type that makes
        no tape.
    """
    where = path.name
    check_file(path)
    with _opened(path) as (_, stream):
        header, first = _line(stream, where), _line(stream, where)
    if not header:
        raise DataError("the file is empty", where=where, hint="Download it again")
    data_type = _data_type(tuple(header.decode(errors="replace").split(",")), where)
    if data_type is DataType.TRADES and stated is not DataType.TRADES:
        _check_trades(path)
    if not first:
        raise DataError("the file holds a header and no rows", where=where, hint="Leave it out")
    row = _parsed(first, data_type, 0, where)
    check_times(row, where=where)
    arrived_ns = int(row["local_timestamp"][0]) * 1000
    return TardisFile(
        path=path,
        data_type=data_type,
        exchange=row["exchange"][0],
        day_ns=arrived_ns // DAY_NS * DAY_NS,
        sha256=file_sha256(path),
    )


def batches(
    file: TardisFile,
    first_row: int = 0,
    progress: Callable[[int], object] | None = None,
    batch_bytes: int = BATCH_BYTES,
) -> Iterator[pl.DataFrame]:
    """Yield a file's rows with `row`, in the order of the file, so much of its text at a time.

    Parameters
    ----------
    file : TardisFile
    first_row : int
        Number of the first row.
    progress : callable, optional
        Called with how many of the file's bytes were read.
    batch_bytes : int
        Text to hold at once.

    Raises
    ------
    DataError
        The file is truncated, a value is no number, rows of another exchange follow, or times are
        not in microseconds.
    """
    where = file.path.name
    rest, row = b"", first_row
    with _opened(file.path) as (packed, stream):
        _line(stream, where)
        while True:
            chunk = _read(stream, batch_bytes, where)
            text, rest = _whole_lines(rest + chunk, is_last=not chunk)
            if text:
                frame = _parsed(text, file.data_type, row - first_row, where)
                _check_exchange(frame, file)
                check_times(frame, where=where)
                yield frame.with_columns(
                    pl.int_range(row, row + frame.height, dtype=pl.Int64).alias(ROW)
                )
                row += frame.height
            if progress is not None:
                progress(packed.tell())
            if not chunk:
                return


def check_times(frame: pl.DataFrame, *, where: str) -> None:
    """Raise unless both times of each row are microseconds since 1970."""
    for name in ("timestamp", "local_timestamp"):
        times = frame[name]
        sound = times.is_between(MICROSECONDS.start, MICROSECONDS.stop, closed="left")
        wrong = ~sound.fill_null(value=False)
        if not wrong.any():
            continue
        value = times[int(wrong.arg_max() or 0)]
        if value is None:
            raise DataError(f"a row has no {name}", where=where, hint="Download the file again")
        unit = "milliseconds or seconds" if value < MICROSECONDS.start else "nanoseconds"
        raise DataError(
            f"{name} {value} is not in microseconds since 1970; it looks like {unit}",
            where=where,
            hint="Tardis writes microseconds; use the file as it was downloaded",
        )


def _data_type(header: tuple[str, ...], where: str) -> DataType:
    for data_type, columns in COLUMNS.items():
        if header == columns:
            return data_type
    if header[: len(_BEGIN)] == _BEGIN and any(name in header for name in BOOK_COLUMNS):
        raise DataError(
            "this is an order book (incremental_book_L2 or book_snapshot), which is not kept yet",
            where=where,
            hint="Of the best prices there are quotes and book_ticker",
        )
    raise DataError(
        f"its header is none of Tardis's: {','.join(header)[:120]!r}",
        where=where,
        hint=f"Expected is that of {', '.join(DataType)} or book_ticker; other tables are imported"
        " with `hedgeflow data import table`",
    )


def _check_trades(path: Path) -> None:
    """Raise unless the file's name, or else its folder's, says trades and not liquidations."""
    for text in (path.name, path.as_posix()):
        named = [word for word in ("trades", "liquidations") if word in text]
        if named == ["trades"]:
            return
        if named == ["liquidations"]:
            raise DataError(
                "liquidations are no tape: their trades are in the trades of the same day",
                where=path.name,
                hint="Leave the file out",
            )
    raise DataError(
        "trades and liquidations have the same header, and the path does not say which this is",
        where=path.name,
        hint="Say --type trades, or name it as in deribit_trades_2024-06-01_OPTIONS.csv.gz",
    )


def _check_exchange(frame: pl.DataFrame, file: TardisFile) -> None:
    others = frame.filter(pl.col("exchange").ne_missing(file.exchange))["exchange"]
    if others.len():
        raise DataError(
            f"rows of {others[0] or 'no exchange'} follow rows of {file.exchange}",
            where=file.path.name,
            hint="Tardis's files are of one exchange; split it",
        )


@contextmanager
def _opened(path: Path) -> Generator[tuple[io.BufferedIOBase, io.BufferedIOBase]]:
    """Open a file, compressed or not: the file as it lies, and its text."""
    with path.open("rb") as packed:
        is_gzip = packed.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        packed.seek(0)
        if not is_gzip:
            yield packed, packed
            return
        with gzip.GzipFile(fileobj=packed) as text:
            yield packed, text


def _line(stream: io.BufferedIOBase, where: str) -> bytes:
    with _damage_is_told(where):
        return stream.readline(LONGEST_LINE).rstrip(b"\r\n")


def _read(stream: io.BufferedIOBase, size: int, where: str) -> bytes:
    with _damage_is_told(where):
        return stream.read(size)


@contextmanager
def _damage_is_told(where: str) -> Generator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error) as cause:
        raise DataError(
            f"the gzip file is truncated or damaged ({cause})",
            where=where,
            hint="Download it again",
        ) from cause


def _whole_lines(text: bytes, *, is_last: bool) -> tuple[bytes, bytes]:
    """Return text up to its last line end, and what follows."""
    if is_last:
        return text, b""
    end = text.rfind(b"\n") + 1
    return text[:end], text[end:]


def _parsed(text: bytes, data_type: DataType, row: int, where: str) -> pl.DataFrame:
    schema = {name: _dtype(name) for name in COLUMNS[data_type]}
    read = [place for place, name in enumerate(schema) if name not in NOT_READ]
    try:
        return pl.read_csv(io.BytesIO(text), has_header=False, schema=schema, columns=read)
    except pl.exceptions.PolarsError as cause:
        raise _fault(text, schema, row, where) from cause


def _dtype(name: str) -> type[pl.DataType]:
    if name in TEXT:
        return pl.String
    return pl.Int64 if name in WHOLE else pl.Float64


def _fault(text: bytes, schema: dict[str, type[pl.DataType]], row: int, where: str) -> DataError:
    """Return what is wrong with a batch that could not be read: the first value, or the reason."""
    hint = "Download the file again; rows count from 0"
    try:
        raw = pl.read_csv(
            io.BytesIO(text), has_header=False, schema=dict.fromkeys(schema, pl.String)
        )
    except pl.exceptions.PolarsError:
        return DataError(
            f"a row after row {row - 1} has not the columns of the header: the file may be cut off",
            where=where,
            hint=hint,
        )
    for name, dtype in schema.items():
        wrong = raw[name].is_not_null() & raw[name].cast(dtype, strict=False).is_null()
        if wrong.any():
            at = int(wrong.arg_max() or 0)
            return DataError(
                f"column '{name}', row {row + at}: '{raw[name][at]}' is no number",
                where=where,
                hint=hint,
            )
    return DataError(f"rows from {row} on cannot be read", where=where, hint=hint)
