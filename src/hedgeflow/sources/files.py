"""Opening Parquet and CSV files; a file that cannot be read is refused with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.validation import ROW

if TYPE_CHECKING:
    from pathlib import Path

PARQUET_MAGIC = b"PAR1"
CSV_ENDINGS = (".csv", ".txt", ".csv.gz", ".txt.gz")


def read_table(path: Path) -> pl.DataFrame:
    """Return a Parquet, CSV or gzipped CSV file with `row`, each row's position counted from 0.

    Raises
    ------
    DataError
        The file is missing, empty, truncated, of another format, or has a column `row`.
    """
    check_file(path)
    if path.stat().st_size == 0:
        raise DataError(
            "the file is empty (0 bytes)", where=path.name, hint="Download or export it again"
        )
    frame = _read_csv(path) if path.name.lower().endswith(CSV_ENDINGS) else _read_parquet(path)
    if frame.is_empty():
        raise DataError("the file holds no rows", where=path.name)
    if ROW in frame.columns:
        frame = frame.rename({ROW: f"{ROW}_in_file"})
    return frame.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))


def check_file(path: Path) -> None:
    """Check that a path is that of a file, and a name that can be written down.

    Raises
    ------
    DataError
        There is no file, it is a folder, or its name is no UTF-8.
    """
    name = str(path).encode(errors="backslashreplace").decode()
    if name != str(path):
        raise DataError("the file's name is no UTF-8", where=name, hint="Rename the file")
    if path.is_dir():
        raise DataError("this is a folder, not a file", where=name, hint="Name the files in it")
    if not path.is_file():
        raise DataError("there is no such file", where=name, hint="Check the path")


def numbers(frame: pl.DataFrame, column: str, *, where: str) -> pl.Series:
    """Return a column as floating-point numbers.

    Raises
    ------
    DataError
        The column holds text that is no number, or something else entirely.
    """
    series = frame.get_column(column)
    if series.dtype.is_numeric() or series.dtype == pl.Null:
        return series.cast(pl.Float64)
    if series.dtype != pl.String:
        raise DataError(
            f"column '{column}' is {series.dtype}, expected a number",
            where=where,
            hint="Name the right column, or convert it",
        )
    stripped = series.str.strip_chars()
    empty = stripped.str.to_lowercase().is_in(["", "null", "none", "na", "n/a"])
    found = stripped.cast(pl.Float64, strict=False)
    wrong = found.is_null() & ~empty
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        raise DataError(
            f"column '{column}', row {frame[ROW][at]}: '{series[at]}' is no number",
            where=where,
            hint="Name the right column, or correct the value; rows count from 0",
        )
    return found


def identifiers(series: pl.Series) -> pl.Series:
    """Return identifiers as text; what is empty or NaN is missing, whole floats lose their .0."""
    if series.dtype.is_float():
        known = series.fill_nan(None)
        whole = known.cast(pl.Int64, strict=False)
        series = (
            known if (whole != known).any() or whole.null_count() > known.null_count() else whole
        )
    text = series.cast(pl.String).str.strip_chars()
    return text.set(text.is_in(["", "null", "None", "nan"]), None)


def first_of(frame: pl.DataFrame, names: tuple[str, ...], *, where: str) -> str:
    """Return the first of some column names that a table has.

    Raises
    ------
    DataError
        It has none of them.
    """
    found = optional_of(frame, names)
    if found is None:
        wanted, *others = names
        instead = f" (and {', '.join(others)} too)" if others else ""
        raise DataError(
            f"column '{wanted}' is missing{instead}",
            where=where,
            hint=f"The file has {', '.join(name for name in frame.columns if name != ROW)}",
        )
    return found


def optional_of(frame: pl.DataFrame, names: tuple[str, ...]) -> str | None:
    """Return the first of some column names that a table has, or None."""
    return next((name for name in names if name in frame.columns), None)


def _read_parquet(path: Path) -> pl.DataFrame:
    with path.open("rb") as file:
        begins = file.read(4) == PARQUET_MAGIC
    if not begins:
        raise DataError(
            "this is no Parquet file",
            where=path.name,
            hint="Expected are .parquet, .csv or .csv.gz files",
        )
    try:
        return pl.read_parquet(path, hive_partitioning=False, glob=False)
    except (OSError, pl.exceptions.PolarsError) as cause:
        raise DataError(
            f"the Parquet file is truncated or damaged ({str(cause).splitlines()[0]})",
            where=path.name,
            hint="Download or export it again",
        ) from cause


def _read_csv(path: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema_length=None, glob=False)
    except (OSError, pl.exceptions.PolarsError) as cause:
        raise DataError(
            f"the CSV file cannot be read ({str(cause).splitlines()[0]})",
            where=path.name,
            hint="Expected is one header line, then comma-separated values",
        ) from cause
