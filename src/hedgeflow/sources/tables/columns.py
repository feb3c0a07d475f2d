"""A table's map: which column is which field, what is constant, and which rows count."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Constant = str | int | float | bool

SCALED: Final = re.compile(
    r"(?P<column>.+?)\s*(?P<sign>[*/])\s*(?P<number>[0-9.]+([eE][+-]?[0-9]+)?)"
)
CONDITION: Final = re.compile(r"(?P<column>.+?)\s*(?P<sign>!=|<=|>=|=|<|>)\s*(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Source:
    """The column that a field is read from, and what turns its numbers into the field's unit."""

    column: str
    factor: float = 1.0
    divisor: float = 1.0

    def __str__(self) -> str:
        if self.factor != 1.0:
            return f"{self.column}*{self.factor:.12g}"
        return self.column if self.divisor == 1.0 else f"{self.column}/{self.divisor:.12g}"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row must fulfil to count, such as ``venue=binance`` or ``volume>0``."""

    column: str
    sign: str
    value: str

    def __str__(self) -> str:
        return f"{self.column}{self.sign}{self.value}"

    def expression(self, frame: pl.DataFrame, *, where: str) -> pl.Expr:
        """Return the condition on a table; a missing value never fulfils it.

        Numbers compare as numbers, times as ISO 8601 in the column's own zone, text by letters.

        Raises
        ------
        DataError
            The table lacks the column, or the value is not of its type.
        """
        check_column(frame, self.column, where=where)
        column, value = pl.col(self.column), self._literal(frame.schema[self.column], where)
        found = {
            "=": column == value,
            "!=": column != value,
            "<": column < value,
            "<=": column <= value,
            ">": column > value,
            ">=": column >= value,
        }[self.sign]
        return found.fill_null(value=False)

    def _literal(self, dtype: pl.DataType, where: str) -> pl.Expr:
        try:
            if dtype.is_numeric():
                return pl.lit(float(self.value))
            if isinstance(dtype, pl.Boolean):
                return pl.lit({"true": True, "false": False}[self.value.lower()])
            if isinstance(dtype, pl.Date):
                return pl.lit(date.fromisoformat(self.value))
            if isinstance(dtype, pl.Datetime):
                moment = datetime.fromisoformat(self.value)
                if dtype.time_zone is not None and moment.tzinfo is None:
                    moment = moment.replace(tzinfo=ZoneInfo(dtype.time_zone))
                return pl.lit(moment)
        except (ValueError, KeyError) as cause:
            raise DataError(
                f"'{self.value}' cannot be compared with column '{self.column}' ({dtype})",
                where=where,
                hint="Write a number, an ISO 8601 time, true or false as the column holds it",
            ) from cause
        return pl.lit(self.value)


@dataclass(frozen=True, slots=True)
class RowMap:
    """How one row of the file becomes one row of the tape."""

    columns: Mapping[str, Source]
    constants: Mapping[str, Constant]
    where: tuple[Condition, ...]

    @property
    def fields(self) -> set[str]:
        """Names of the fields that are given."""
        return {*self.columns, *self.constants}

    @property
    def words(self) -> str:
        """The map as options would write it."""
        said = [f"{name}={source}" for name, source in sorted(self.columns.items())]
        said += [f"{name}:={value}" for name, value in sorted(self.constants.items())]
        conditions = " and ".join(map(str, self.where))
        return ",".join(said) + (f" where {conditions}" if conditions else "")


@dataclass(frozen=True, slots=True)
class TableMap:
    """Everything that a table does not say itself.

    Attributes
    ----------
    kind : TapeKind
    venue : str
    underlying, instrument : str or None
    timezone : str or None
        IANA name of the zone of times that state none; UTC without it.
    resolution_ns : int or None
        What the stamps resolve, for bars the bar length; without it, read off the stamps.
    rows : tuple of RowMap
        Each row of the file gives one row of the tape for each of these.
    """

    kind: TapeKind
    venue: str
    underlying: str | None
    instrument: str | None
    timezone: str | None
    resolution_ns: int | None
    rows: tuple[RowMap, ...]

    @property
    def words(self) -> str:
        """What the map says of the file, in words: read in another way it is another import."""
        rows = "; or ".join(each.words for each in self.rows)
        return rows if self.timezone is None else f"{rows}, times in {self.timezone}"


class _Rows(BaseModel):
    """What a map says of all rows, or of one of several that a row of the file becomes."""

    model_config = ConfigDict(extra="forbid")
    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, Constant] = Field(default_factory=dict)
    where: list[str] = Field(default_factory=list)


class _MapFile(_Rows):
    """A map as TOML writes it."""

    kind: TapeKind | None = None
    venue: str | None = None
    underlying: str | None = None
    instrument: str | None = None
    timezone: str | None = None
    resolution: float | None = Field(default=None, gt=0)
    rows: list[_Rows] = Field(default_factory=list)


def table_map(
    file: Path | None = None,
    *,
    kind: str | None = None,
    venue: str | None = None,
    underlying: str | None = None,
    instrument: str | None = None,
    columns: str | None = None,
    where: str | None = None,
    timezone: str | None = None,
    resolution_seconds: float | None = None,
) -> TableMap:
    """Return the map that a TOML file and options make together; options come first.

    Parameters
    ----------
    file : path, optional
        TOML with the keys kind, venue, underlying, instrument, timezone, resolution (seconds),
        where (list of conditions), the tables columns and constants, and any number of tables
        ``[[rows]]`` with columns, constants and where of their own.
    kind, venue, underlying, instrument, timezone : str, optional
    columns : str, optional
        As in ``ts=time,price=px*0.0001,right:=C``: a column, a column times or divided by a
        number, or a constant.
    where : str, optional
        As in ``venue=binance,volume>0``: every condition must hold.
    resolution_seconds : float, optional

    Raises
    ------
    DataError
        The file is no map, a key is unknown, or kind or venue is missing.
    """
    written = _MapFile() if file is None else _read(file)
    base = _row_map(written, where=str(file or "--columns"))
    given = _row_map(_parsed(columns, where), where="--columns")
    base = _joined(base, given)
    named = kind or written.kind
    venue = venue or written.venue
    if named is None or venue is None:
        missing = "--kind" if named is None else "--venue"
        raise DataError(f"{missing} is missing", where="the map", hint="Say it, or write it there")
    seconds = resolution_seconds or written.resolution
    return TableMap(
        kind=_kind(named),
        venue=venue,
        underlying=underlying or written.underlying,
        instrument=instrument or written.instrument,
        timezone=timezone or written.timezone,
        resolution_ns=None if seconds is None else round(seconds * SECOND_NS),
        rows=tuple(_joined(base, _row_map(each, where=str(file))) for each in written.rows)
        or (base,),
    )


def check_column(frame: pl.DataFrame, column: str, *, where: str) -> None:
    """Raise unless a table has a column, naming those that it has."""
    if column not in frame.columns:
        raise DataError(
            f"column '{column}' is missing",
            where=where,
            hint=f"The file has {', '.join(name for name in frame.columns if name != 'row')}",
        )


def _kind(text: str) -> TapeKind:
    try:
        return TapeKind(text)
    except ValueError as cause:
        raise DataError(
            f"'{text}' is no kind of tape", where="--kind", hint=f"Use one of {', '.join(TapeKind)}"
        ) from cause


def _read(path: Path) -> _MapFile:
    try:
        return _MapFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as cause:
        raise DataError(f"the map cannot be read ({cause})", where=str(path)) from cause
    except tomllib.TOMLDecodeError as cause:
        raise DataError(f"the map is no TOML ({cause})", where=str(path)) from cause
    except ValidationError as cause:
        raise _fault(cause, path) from cause


def _fault(cause: ValidationError, path: Path) -> DataError:
    first = cause.errors(include_url=False)[0]
    parts = [str(part) for part in first["loc"]]
    key = ".".join(parts)
    if first["type"] == "extra_forbidden":
        known = _Rows.model_fields if parts[0] == "rows" else _MapFile.model_fields
        return DataError(
            f"'{key}' is no key of a map", where=str(path), hint=f"Known are {', '.join(known)}"
        )
    text = first["msg"][:1].lower() + first["msg"][1:]
    return DataError(f"'{key}': {text}, was {first['input']!r}", where=str(path))


def _parsed(columns: str | None, where: str | None) -> _Rows:
    """Return what the options say, in the shape of a map."""
    found = _Rows(where=where.split(",") if where else [])
    for pair in columns.split(",") if columns else []:
        field, equals, value = pair.partition("=")
        is_constant = field.endswith(":")
        field, value = field.removesuffix(":").strip(), value.strip()
        if not equals or not field or not value:
            raise DataError(
                f"'{pair.strip()}' is no part of a column map",
                where="--columns",
                hint="Write FIELD=COLUMN, FIELD=COLUMN*NUMBER or FIELD:=CONSTANT",
            )
        into = found.constants if is_constant else found.columns
        into[field] = value
    return found


def _row_map(written: _Rows, *, where: str) -> RowMap:
    both = set(written.columns) & set(written.constants)
    if both:
        raise DataError(f"'{min(both)}' is both a column and a constant", where=where)
    return RowMap(
        columns={field: _source(text, where) for field, text in written.columns.items()},
        constants=dict(written.constants),
        where=tuple(_condition(text, where) for text in written.where),
    )


def _joined(base: RowMap, over: RowMap) -> RowMap:
    """Return a map with the fields of another put over its own, and the conditions of both."""
    return replace(
        base,
        columns={name: column for name, column in base.columns.items() if name not in over.fields}
        | dict(over.columns),
        constants={name: value for name, value in base.constants.items() if name not in over.fields}
        | dict(over.constants),
        where=base.where + over.where,
    )


def _source(text: str, where: str) -> Source:
    scaled = SCALED.fullmatch(text.strip())
    if scaled is None:
        return Source(text.strip())
    try:
        number = float(scaled["number"])
    except ValueError:
        number = 0.0
    if number == 0.0:
        raise DataError(
            f"'{text}' has no factor that can be used",
            where=where,
            hint="Write COLUMN*NUMBER or COLUMN/NUMBER, as in price*0.0001",
        )
    if scaled["sign"] == "*":
        return Source(scaled["column"], factor=number)
    return Source(scaled["column"], divisor=number)


def _condition(text: str, where: str) -> Condition:
    found = CONDITION.fullmatch(text.strip())
    if found is None:
        raise DataError(
            f"'{text}' is no condition",
            where=where,
            hint="Write COLUMN=VALUE, or with !=, <, <=, > or >=",
        )
    return Condition(found["column"], found["sign"], found["value"].strip())
