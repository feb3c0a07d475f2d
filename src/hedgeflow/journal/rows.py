"""Rows at the door: exactly a table's columns, finite numbers, a sentence, and a hash of it all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from sqlalchemy import BigInteger, Boolean, Double, SmallInteger, Text
from sqlalchemy.sql.schema import Column

from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.tables import columns, key_of, table_named

Rows: TypeAlias = Sequence[Mapping[str, Any]] | pl.DataFrame
"""What a caller hands in: one mapping a row, or a DataFrame."""

_DTYPES: Final[dict[type, type[pl.DataType]]] = {
    BigInteger: pl.Int64,
    Boolean: pl.Boolean,
    Double: pl.Float64,
    SmallInteger: pl.Int64,
    Text: pl.String,
}
_INTEGERS: Final = (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32)
_WIDENED: Final[dict[type[pl.DataType], tuple[type[pl.DataType], ...]]] = {
    pl.Int64: _INTEGERS,
    pl.Float64: (pl.Float32, pl.Int64, *_INTEGERS),
    pl.String: (pl.Categorical, pl.Enum),
}
_SHOWN: Final = 60
_SMALL: Final = (-(2**15), 2**15 - 1)
_BIG: Final = (-(2**63), 2**63 - 1)
_NO_NUL: Final = "PostgreSQL cannot hold it, so no journal does"


def dtype_of(column: Column[Any]) -> type[pl.DataType]:
    """Return the polars type that holds a column."""
    return _DTYPES[type(column.type)]


def row_frame(name: str, run_id: str, rows: Rows) -> pl.DataFrame:
    """Return rows as the table's own DataFrame, validated, `run_id` first.

    Parameters
    ----------
    name : str
        One of `ROW_TABLES`.
    run_id : str
        The run they belong to; a `run_id` column in the rows is allowed if it says the same.
    rows : Rows
        Exactly `columns(name)`, in any order.

    Raises
    ------
    JournalError
        A column is unknown, missing, of another type, null where it must not be, not finite or
        without its sentence, or two rows have one key.
    """
    wanted = columns(name)
    given = _series(name, wanted, rows)
    table = table_named(name)
    named_run = given.pop("run_id", None)
    if named_run is not None and not (named_run.null_count() == 0 and (named_run == run_id).all()):
        raise JournalError(f"rows name another run than {run_id}", where=f"{name}.run_id")
    frame = pl.DataFrame([_typed(name, given[column], table.columns[column]) for column in wanted])
    frame = frame.select(pl.lit(run_id, dtype=pl.String).alias("run_id"), *map(_one_zero, frame))
    _refuse_faults(name, frame)
    key = key_of(name)
    repeats = frame.filter(pl.struct(key).is_duplicated())
    if repeats.height:
        raise JournalError(
            f"two rows have one key: {repeats.select(key).row(0, named=True)}", where=name
        )
    return frame


def check_values(name: str, values: Mapping[str, Any]) -> None:
    """Refuse values of one row that a database could not keep as they are.

    Raises
    ------
    JournalError
        A text has a NUL or half a surrogate pair, or an integer needs more than 64 bits.
    """
    for column, value in values.items():
        where = f"{name}.{column}"
        if isinstance(value, int) and not _BIG[0] <= value <= _BIG[1]:
            raise JournalError(f"is {value}", where=where, hint="It must fit 64 bits")
        if isinstance(value, str) and "\0" in value:
            raise JournalError("has a NUL character", where=where, hint=_NO_NUL)
        if isinstance(value, str) and any("\ud800" <= each <= "\udfff" for each in value):
            raise JournalError("is no Unicode text", where=where, hint="Decode it as UTF-8")


def _series(name: str, wanted: tuple[str, ...], rows: Rows) -> dict[str, pl.Series]:
    """Rows as one series a column, the set of columns being exactly the table's."""
    if isinstance(rows, pl.DataFrame):
        _same_columns(name, wanted, set(rows.columns), row=None)
        return {column: rows[column] for column in rows.columns}
    if not rows:
        return {column: pl.Series(column, [], dtype=pl.Null) for column in wanted}
    first = rows[0].keys()
    for number, row in enumerate(rows):
        if number == 0 or row.keys() != first:
            _same_columns(name, wanted, set(row), row=number)
    table = table_named(name)
    names = [column for column in (*wanted, "run_id") if column in first]
    return {
        column: _listed(name, column, rows, dtype_of(table.columns[column])) for column in names
    }


def _same_columns(name: str, wanted: tuple[str, ...], given: set[str], *, row: int | None) -> None:
    missing = [column for column in wanted if column not in given]
    unknown = sorted(given - set(wanted) - {"run_id"})
    if missing or unknown:
        faults = [f"lacks {', '.join(missing)}"] if missing else []
        faults += [f"has unknown {', '.join(unknown)}"] if unknown else []
        raise JournalError(
            " and ".join(faults),
            where=name if row is None else f"{name} row {row}",
            hint=f"Its columns are {', '.join(wanted)}",
        )


def _listed(
    name: str, column: str, rows: Sequence[Mapping[str, Any]], dtype: type[pl.DataType]
) -> pl.Series:
    """One column of mappings; a row that appeared with `run_id` must always have it."""
    try:
        return pl.Series(column, [row[column] for row in rows], dtype=dtype, strict=True)
    except KeyError:
        raise JournalError(f"some rows lack {column}", where=name) from None
    except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
        raise JournalError(str(error).partition(";")[0], where=f"{name}.{column}") from error


class _Fault(NamedTuple):
    """Which rows a database would lose, hide or not take, what they are, and what to do."""

    column: str
    amiss: pl.Expr
    says: str
    hint: str


@cache
def _faults(name: str) -> tuple[_Fault, ...]:
    """Everything that makes a row of a table unfit, to be asked in one pass."""
    found: list[_Fault] = []
    for column in table_named(name).columns:
        value = pl.col(column.name)
        dtype = dtype_of(column)
        if not column.nullable:
            found.append(_Fault(column.name, value.is_null(), "is null", "It must have a value"))
        if dtype is pl.Float64:
            found.append(_Fault(column.name, ~value.is_finite(), "is {}", "Unknown is null"))
        if isinstance(column.type, SmallInteger):
            amiss = ~value.is_between(*_SMALL)
            found.append(_Fault(column.name, amiss, "is {}", "It must fit 16 bits"))
        if dtype is pl.String:
            amiss = value.str.contains("\0", literal=True)
            found.append(_Fault(column.name, amiss, "has a NUL character", _NO_NUL))
        if column.name == "sentence":
            amiss = (value.str.strip_chars() == "") | value.str.contains("\n", literal=True)
            found.append(_Fault(column.name, amiss, "is {!r}", "Say why in one sentence"))
    return tuple(found)


def _refuse_faults(name: str, frame: pl.DataFrame) -> None:
    """Refuse a frame for the first fault of its first unfit column."""
    faults = _faults(name)
    asked = [fault.amiss.any().alias(str(number)) for number, fault in enumerate(faults)]
    for fault, is_there in zip(faults, frame.select(asked).row(0), strict=True):
        if is_there:
            number = frame.select(fault.amiss.fill_null(value=False).arg_max()).item()
            raise JournalError(
                f"row {number} {fault.says.format(frame[fault.column][number])}",
                where=f"{name}.{fault.column}",
                hint=fault.hint,
            )


def _typed(name: str, series: pl.Series, column: Column[Any]) -> pl.Series:
    """A series widened to the column's type; narrowing and guessing are refused."""
    given, wanted = series.dtype, dtype_of(column)
    if wanted is pl.Int64 and given == pl.Datetime("ns", "UTC"):
        return series.to_physical().alias(column.name)
    if not isinstance(given, (wanted, pl.Null, *_WIDENED.get(wanted, ()))):
        raise JournalError(
            f"is {given}", where=f"{name}.{column.name}", hint=f"It must be {wanted.__name__}"
        )
    return series.cast(wanted).alias(column.name)


def _one_zero(series: pl.Series) -> pl.Expr:
    """A column without negative zeros, whose sign SQLite does not keep."""
    column = pl.col(series.name)
    if series.dtype != pl.Float64:
        return column
    return pl.when(column == 0.0).then(0.0).otherwise(column).alias(series.name)


def content_hash(name: str, frame: pl.DataFrame) -> str:
    """Return the SHA-256 of a run's rows in key order: the same rows, the same hash, any machine.

    Nulls, then values: eight little-endian bytes a number; for text the lengths, then the UTF-8.
    """
    digest = hashlib.sha256(f"{name}:{frame.height}".encode())
    for series in frame.sort(key_of(name)):
        digest.update(f"|{series.name}|".encode())
        digest.update(series.is_null().to_numpy().astype(np.uint8).tobytes())
        if series.dtype == pl.String:
            text = series.fill_null("")
            digest.update(text.str.len_bytes().to_numpy().astype("<i8").tobytes())
            digest.update("".join(text.to_list()).encode())
        else:
            kind = "<f8" if series.dtype == pl.Float64 else "<i8"
            digest.update(series.fill_null(0).to_numpy().astype(kind).tobytes())
    return digest.hexdigest()


def first_difference(name: str, stored: pl.DataFrame, given: pl.DataFrame) -> str:
    """Return in words where two versions of a run's rows first differ, empty where they agree."""
    key = key_of(name)
    named = key[1:]
    for kept, other, says in ((stored, given, "is missing now"), (given, stored, "was not there")):
        alone = kept.join(other, on=key, how="anti").sort(key)
        if alone.height:
            return f"{name} {_name(alone, named)} {says}"
    stored, given = stored.sort(key), given.sort(key)
    for column in stored.columns:
        before, after = stored[column], given[column]
        unequal = before.ne_missing(after)
        if unequal.any():
            number = unequal.arg_max() or 0
            was, now = _short(before[number]), _short(after[number])
            return f"{name} {_name(stored[number], named)}: {column} was {was}, is {now}"
    return ""


def _name(frame: pl.DataFrame, key: list[str]) -> str:
    return " at ".join(str(part) for part in frame.select(key).row(0))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
