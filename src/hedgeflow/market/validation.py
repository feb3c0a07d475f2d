"""The door of the catalog: a table that is not a tape is refused, a row that cannot be is rejected.

A fault of the file (missing column, wrong type, unsorted times) raises; a fault of a row puts the
row into the rejects, with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import COLUMNS, Column, TapeKind
from hedgeflow.market.time import iso

ROW: Final = "row"
"""Column with a row's position in its source file, counted from 0."""

PRICE_COLUMNS: Final = frozenset(
    {"price", "underlying_price", "open", "high", "low", "close", "bid", "ask"}
)

REJECT_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    ROW: pl.Int64,
    "reason": pl.String,
    "column": pl.String,
    "value": pl.String,
    "record": pl.String,
}
"""A rejects file: position in the source, reason, offending column and value, the row as JSON."""


class Reason(StrEnum):
    """Why a row was rejected."""

    MISSING_VALUE = "MISSING_VALUE"
    NAN_PRICE = "NAN_PRICE"
    NAN_VALUE = "NAN_VALUE"
    NON_POSITIVE_PRICE = "NON_POSITIVE_PRICE"
    NON_POSITIVE_QUANTITY = "NON_POSITIVE_QUANTITY"
    NEGATIVE_PRICE = "NEGATIVE_PRICE"
    NEGATIVE_VOLUME = "NEGATIVE_VOLUME"
    FRACTIONAL_LOT = "FRACTIONAL_LOT"
    UNKNOWN_DIRECTION = "UNKNOWN_DIRECTION"
    UNKNOWN_CONTRACT = "UNKNOWN_CONTRACT"
    SYMBOL_MISMATCH = "SYMBOL_MISMATCH"
    AFTER_EXPIRY = "AFTER_EXPIRY"
    MALFORMED_ID = "MALFORMED_ID"
    KNOWN_BEFORE_STAMP = "KNOWN_BEFORE_STAMP"
    INCONSISTENT_BAR = "INCONSISTENT_BAR"
    CONFLICTING_BAR = "CONFLICTING_BAR"
    CONFLICTING_VALUE = "CONFLICTING_VALUE"
    NO_UNDERLYING_PRICE = "NO_UNDERLYING_PRICE"
    CROSSED_QUOTE = "CROSSED_QUOTE"


@dataclass(frozen=True, slots=True)
class Fault:
    """What makes a row impossible.

    Attributes
    ----------
    reason : Reason
    column : str
        The column whose value is shown in the rejects.
    condition : polars.Expr
        True where the row has the fault; null counts as false.
    """

    reason: Reason
    column: str
    condition: pl.Expr


@dataclass(frozen=True, slots=True)
class Validated:
    """A table that has passed the door.

    Attributes
    ----------
    rows : polars.DataFrame
        The tape's columns in schema order, and `row`.
    rejects : polars.DataFrame
        What was refused, with `REJECT_SCHEMA`.
    """

    rows: pl.DataFrame
    rejects: pl.DataFrame


def validate(frame: pl.DataFrame, kind: TapeKind, *, where: str) -> Validated:
    """Return a table's good rows and its rejects.

    Parameters
    ----------
    frame : polars.DataFrame
        The tape's columns in any order; a column `row` is kept, else rows are counted from 0.
    kind : TapeKind
    where : str
        Name of the file or source, for messages.

    Raises
    ------
    DataError
        A column is missing, unknown or of the wrong type, or the times are not sorted.
    """
    columns = COLUMNS[kind]
    check_columns(frame, columns, where=where)
    if ROW not in frame.columns:
        frame = frame.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
    check_sorted(frame, "ts", where=where)
    frame = frame.select(*(_normalized(column) for column in columns), pl.col(ROW))
    kept, rejects = split(frame, _faults(kind))
    return Validated(kept, rejects)


def check_columns(frame: pl.DataFrame, columns: tuple[Column, ...], *, where: str) -> None:
    """Raise unless a table has exactly these columns (and perhaps `row`) with their types."""
    for column in columns:
        if column.name not in frame.columns:
            raise DataError(
                f"column '{column.name}' is missing",
                where=where,
                hint=f"Needed are {', '.join(each.name for each in columns)}",
            )
        found = frame.schema[column.name]
        if found != column.dtype and not (column.nullable and found == pl.Null):
            raise DataError(
                f"column '{column.name}' is {found}, expected {column.dtype}",
                where=where,
                hint=f"'{column.name}' is: {column.meaning}",
            )
    unknown = set(frame.columns) - {column.name for column in columns} - {ROW}
    if unknown:
        raise DataError(
            f"column '{min(unknown)}' does not belong to the table",
            where=where,
            hint="Leave it out",
        )


def check_sorted(frame: pl.DataFrame, column: str, *, where: str) -> None:
    """Raise at the first time before its predecessor; nulls are left to the row checks."""
    present = frame.select(ROW, column).drop_nulls(column)
    stamps = present.get_column(column).to_physical()
    if stamps.is_sorted():
        return
    at = int((stamps.diff() < 0).arg_max() or 0)
    rows = present.get_column(ROW)
    raise DataError(
        f"times in column '{column}' are not sorted: row {rows[at]} ({_instant(present, at)}) "
        f"follows row {rows[at - 1]} ({_instant(present, at - 1)})",
        where=where,
        hint="Sort the file by time, keeping the order of equal times; rows count from 0",
    )


def split(frame: pl.DataFrame, faults: list[Fault]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows without a fault, and the rejects with the first fault of each.

    Columns whose names begin with an underscore are workings and stay out of the record.
    """
    code = pl.coalesce(
        [
            pl.when(fault.condition).then(pl.lit(number, dtype=pl.Int32))
            for number, fault in enumerate(faults)
        ]
    )
    codes = frame.select(code.alias("code")).get_column("code")
    if codes.null_count() == frame.height:
        return frame, no_rejects()
    rejects = [
        _rejected(frame.filter(codes == number), fault)
        for number, fault in enumerate(faults)
        if (codes == number).any()
    ]
    return frame.filter(codes.is_null()), merge_rejects(rejects)


def no_rejects() -> pl.DataFrame:
    """Return an empty rejects table."""
    return pl.DataFrame(schema=REJECT_SCHEMA)


def merge_rejects(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """Return rejects tables as one, in the order of the source."""
    return pl.concat([no_rejects(), *tables]).sort(ROW)


def _rejected(frame: pl.DataFrame, fault: Fault) -> pl.DataFrame:
    record = [name for name in frame.columns if name != ROW and not name.startswith("_")]
    return frame.select(
        pl.col(ROW),
        pl.lit(fault.reason.value).alias("reason"),
        pl.lit(fault.column.removeprefix("_")).alias("column"),
        pl.col(fault.column).cast(pl.String).alias("value"),
        pl.struct(record).struct.json_encode().alias("record"),
    )


def _normalized(column: Column) -> pl.Expr:
    """Nullable numbers that are not finite are missing; columns without values get their type."""
    expression = pl.col(column.name).cast(column.dtype)
    if column.nullable and column.dtype == pl.Float64:
        expression = pl.when(expression.is_finite()).then(expression).alias(column.name)
    return expression


def _faults(kind: TapeKind) -> list[Fault]:
    faults: list[Fault] = []
    for column in COLUMNS[kind]:
        value = pl.col(column.name)
        is_price = column.name in PRICE_COLUMNS
        if not column.nullable:
            faults.append(Fault(Reason.MISSING_VALUE, column.name, value.is_null()))
            if column.dtype == pl.Float64:
                reason = Reason.NAN_PRICE if is_price else Reason.NAN_VALUE
                faults.append(Fault(reason, column.name, ~value.is_finite()))
        if column.positive:
            reason = Reason.NON_POSITIVE_PRICE if is_price else Reason.NON_POSITIVE_QUANTITY
            faults.append(Fault(reason, column.name, value <= 0))
        if column.not_negative:
            reason = Reason.NEGATIVE_PRICE if is_price else Reason.NEGATIVE_VOLUME
            faults.append(Fault(reason, column.name, value < 0))
        if column.name == "aggressor":
            faults.append(Fault(Reason.UNKNOWN_DIRECTION, column.name, ~value.is_in([-1, 0, 1])))
    known_before = pl.col("known_at") < pl.col("ts")
    faults.append(Fault(Reason.KNOWN_BEFORE_STAMP, "known_at", known_before))
    if kind is TapeKind.BARS:
        ends = pl.max_horizontal("open", "close"), pl.min_horizontal("open", "close")
        faults += [
            Fault(Reason.INCONSISTENT_BAR, "high", pl.col("high") < ends[0]),
            Fault(Reason.INCONSISTENT_BAR, "low", pl.col("low") > ends[1]),
            Fault(Reason.NEGATIVE_VOLUME, "volume", pl.col("volume") < 0),
        ]
    if kind in {TapeKind.HEDGE_QUOTES, TapeKind.OPTION_QUOTES}:
        faults.append(Fault(Reason.CROSSED_QUOTE, "bid", pl.col("bid") > pl.col("ask")))
    return faults


def _instant(frame: pl.DataFrame, at: int) -> str:
    return iso(int(frame.select(pl.nth(1).dt.epoch("ns")).item(at, 0)))
