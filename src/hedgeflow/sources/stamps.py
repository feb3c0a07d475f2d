"""Times as files write them: dates, ISO 8601 text, or numbers since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TIME
from hedgeflow.market.validation import ROW

if TYPE_CHECKING:
    from collections.abc import Sequence

EPOCH_UNITS: Final[tuple[tuple[float, str, int], ...]] = (
    (1e11, "seconds", 1_000_000_000),
    (1e14, "milliseconds", 1_000_000),
    (1e17, "microseconds", 1_000),
    (float("inf"), "nanoseconds", 1),
)
"""Numbers below each bound are in the unit, whose length in nanoseconds follows."""

OFFSET: Final = r"(?i)(z|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True, slots=True)
class Stamps:
    """A column of times in UTC nanoseconds, and what was assumed to read it.

    Attributes
    ----------
    series : polars.Series
    notes : sequence of str
    zone : str or None
        The zone that was taken for times which state none; None if they state theirs.
    """

    series: pl.Series
    notes: Sequence[str]
    zone: str | None = None


def read_stamps(frame: pl.DataFrame, column: str, *, timezone: str | None, where: str) -> Stamps:
    """Return a column of times as UTC nanoseconds.

    Parameters
    ----------
    frame : polars.DataFrame
    column : str
    timezone : str, optional
        Zone of times that state none; without it UTC, which is noted.
    where : str
        File name, for messages.

    Raises
    ------
    DataError
        A value is no time, or does not exist or exists twice in the time zone.
    """
    series = frame.get_column(column)
    if series.dtype.is_numeric():
        return _from_numbers(series)
    if series.dtype == pl.String:
        text = series.str.strip_chars()
        has_offset = text.str.contains(OFFSET) & text.str.contains(":")
        if has_offset.any():
            return Stamps(_from_text(frame, text, column, where, zoned=True), ())
        slashed = _slashed_form(text, column, where)
        if slashed is not None:
            dates = text.str.to_datetime(slashed.form, time_unit="ns", strict=False)
            local = _localized(dates, column, timezone, where)
            return Stamps(local.series, (slashed.note, *local.notes), local.zone)
        series = _from_text(frame, text, column, where, zoned=False)
    if series.dtype == pl.Date:
        series = series.cast(pl.Datetime("ns"))
    if not isinstance(series.dtype, pl.Datetime):
        raise DataError(
            f"column '{column}' is {series.dtype}, expected times",
            where=where,
            hint="Name the column of times with --columns time=NAME",
        )
    if series.dtype.time_zone is not None:
        return Stamps(series.dt.convert_time_zone("UTC").cast(TIME), ())
    return _localized(series, column, timezone, where)


def _from_numbers(series: pl.Series) -> Stamps:
    middle = series.cast(pl.Float64).abs().median()
    typical = float(middle) if isinstance(middle, (int, float)) else 0.0
    _, unit, length = next(row for row in EPOCH_UNITS if typical < row[0])
    if series.dtype.is_integer():
        instants = series.cast(pl.Int64) * length
    else:
        instants = (series * length).round().cast(pl.Int64, strict=False)
    return Stamps(instants.cast(TIME), (f"Times were read as {unit} since 1970 (UTC).",))


def _from_text(
    frame: pl.DataFrame, text: pl.Series, column: str, where: str, *, zoned: bool
) -> pl.Series:
    joined = text.str.replace(r"^(\d{4}-\d{2}-\d{2})[ T]", "${1}T").str.replace(r"(?i)z$", "+00:00")
    joined = joined.str.replace(r"([+-]\d{2})(\d{2})$", "${1}:${2}") if zoned else joined
    parsed = (
        joined.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="ns", strict=False)
        if zoned
        else _first_that_parses(joined)
    )
    wrong = parsed.is_null() & text.is_not_null() & (text != "")
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        raise DataError(
            f"column '{column}', row {frame[ROW][at]}: '{text[at]}' is no ISO 8601 time",
            where=where,
            hint="Expected is YYYY-MM-DDTHH:MM:SS, with or without offset, in the whole column",
        )
    return parsed.cast(TIME) if zoned else parsed


def _first_that_parses(text: pl.Series) -> pl.Series:
    parsed = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ns", strict=False)
    for form in ("%Y-%m-%dT%H:%M", "%Y-%m-%d"):
        if parsed.null_count() == text.null_count():
            break
        if form == "%Y-%m-%d":
            other = text.str.to_date(form, strict=False).cast(pl.Datetime("ns"))
        else:
            other = text.str.to_datetime(form, time_unit="ns", strict=False)
        parsed = parsed.fill_null(other)
    return parsed


class _Slashed(NamedTuple):
    form: str
    note: str


MONTH_FIRST: Final = _Slashed("%m/%d/%Y", "Dates were read as month/day/year.")
DAY_FIRST: Final = _Slashed("%d/%m/%Y", "Dates were read as day/month/year.")


def _slashed_form(text: pl.Series, column: str, where: str) -> _Slashed | None:
    """Return which of day and month comes first, as a number above 12 proves.

    Raises
    ------
    DataError
        No number does.
    """
    written = text.drop_nulls().filter(text.drop_nulls() != "")
    if written.is_empty() or not written.str.contains(r"^\d{1,2}/\d{1,2}/\d{4}$").all():
        return None
    first, second = (
        int(str(written.str.extract(form).cast(pl.Int64).max()))
        for form in (r"^(\d+)/", r"^\d+/(\d+)/")
    )
    if first > 12 >= second:
        return DAY_FIRST
    if second > 12 >= first:
        return MONTH_FIRST
    raise DataError(
        f"column '{column}': whether day or month comes first in '{written[0]}' cannot be told",
        where=where,
        hint="Write dates as YYYY-MM-DD",
    )


def _localized(series: pl.Series, column: str, timezone: str | None, where: str) -> Stamps:
    zone = timezone or "UTC"
    try:
        local = series.dt.cast_time_unit("ns").dt.replace_time_zone(zone)
    except pl.exceptions.PolarsError as cause:
        raise DataError(
            f"column '{column}' cannot be read in time zone '{zone}' "
            f"({str(cause).splitlines()[0]})",
            where=where,
            hint="Give an IANA name such as America/New_York, or write times with their offset",
        ) from cause
    given = "was given" if timezone else "is assumed (for bars, --timezone gives another)"
    note = f"Times state no zone: {zone} {given}."
    return Stamps(local.dt.convert_time_zone("UTC").cast(TIME), (note,), zone)
