"""Reading a Lean day file: a zip archive of CSV files without headers, parsed in one go."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TIME
from hedgeflow.market.time import DAY_NS, MINUTE_NS

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

MILLISECONDS: Final = "milliseconds"
MEMBER: Final = "member"
DAY_MS: Final = DAY_NS // 1_000_000
MINUTE_MS: Final = MINUTE_NS // 1_000_000


@dataclass(frozen=True, slots=True)
class Archive:
    """The rows of an archive's CSV files.

    Attributes
    ----------
    names : tuple of str
        Of the CSV files, sorted.
    rows : polars.DataFrame
        `member` (index into `names`), `milliseconds` since local midnight, and the named columns
        as numbers, null where empty; in the order of names and lines.
    """

    names: tuple[str, ...]
    rows: pl.DataFrame


def read_archive(path: Path, columns: tuple[str, ...], *, whole_minutes: bool) -> Archive:
    """Return the rows of an archive.

    Parameters
    ----------
    path : path
    columns : tuple of str
        Names of the columns after the time.
    whole_minutes : bool
        Times must be starts of minutes.

    Raises
    ------
    DataError
        The file is empty, no archive or damaged; or a line of it has another number of columns,
        something that is no number, or a time that is none of the day or does not ascend.
    """
    contents = _contents(path)
    names = tuple(contents)
    texts = [text.replace(b"\r\n", b"\n").strip(b"\n") for text in contents.values()]
    lines = np.array([text.count(b"\n") + 1 if text else 0 for text in texts], dtype=np.int64)
    joined = b"\n".join(text for text in texts if text)
    header = (MILLISECONDS, *columns)
    rows = _parsed(joined, header, int(lines.sum()))
    if rows is None:
        raise _fault(path.name, names, texts, len(header))
    member = pl.Series(MEMBER, np.repeat(np.arange(len(names), dtype=np.int32), lines))
    rows = rows.with_columns(member)
    _check_times(rows, names, lines, path.name, whole_minutes=whole_minutes)
    return Archive(names, rows)


def instants(milliseconds: pl.Expr, day: date, zone: str) -> pl.Expr:
    """Return UTC instants of wall-clock times that are counted from a day's local midnight.

    Null where the clock was put forward past a time; where it was put back, the earlier instant.
    """
    midnight = pl.lit(day).cast(pl.Datetime("ns"))
    local = midnight + pl.duration(milliseconds=milliseconds)
    return (
        local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
        .cast(TIME)
    )


def _contents(path: Path) -> dict[str, bytes]:
    """Return the CSV files of an archive by name."""
    where = path.name
    if path.stat().st_size == 0:
        raise DataError("the file is empty (0 bytes)", where=where, hint="Download it again")
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if not name.endswith("/"))
            contents = {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as cause:
        raise DataError(
            f"this is no zip archive, or it is damaged ({cause})",
            where=where,
            hint="Download it again",
        ) from cause
    if not contents:
        raise DataError("the archive holds no file", where=where, hint="Download it again")
    return contents


def _parsed(text: bytes, header: tuple[str, ...], lines: int) -> pl.DataFrame | None:
    """Return the lines as numbers, or None where they are not of one mould."""
    schema = dict.fromkeys(header, pl.Float64()) | {MILLISECONDS: pl.Int64()}
    if not text:
        return pl.DataFrame(schema=schema)
    if text.count(b",") != lines * (len(header) - 1):
        return None
    try:
        rows = pl.read_csv(text, has_header=False, schema=schema, quote_char=None)
    except pl.exceptions.PolarsError:
        return None
    return rows if rows.height == lines and rows[MILLISECONDS].null_count() == 0 else None


def _fault(where: str, names: tuple[str, ...], texts: list[bytes], width: int) -> DataError:
    """Return the error of the first line that cannot be read."""
    for name, text in zip(names, texts, strict=True):
        for number, line in enumerate(text.split(b"\n") if text else [], 1):
            fields = line.decode(errors="replace").split(",")
            place = f"{where}: {name}, line {number}"
            if len(fields) != width:
                return DataError(
                    f"the line has {len(fields)} columns, expected {width}",
                    where=place,
                    hint="Download the file again, or mend the line",
                )
            for at, field in enumerate(fields):
                if not _is_number(field, whole=at == 0):
                    what = "no whole number of milliseconds" if at == 0 else "no number"
                    return DataError(
                        f"'{field}' is {what}",
                        where=place,
                        hint="Download the file again, or mend the line",
                    )
    return DataError("the CSV files in it cannot be read", where=where, hint="Download it again")


def _is_number(field: str, *, whole: bool) -> bool:
    try:
        int(field) if whole else float(field or 0)
    except ValueError:
        return False
    return True


def _check_times(
    rows: pl.DataFrame,
    names: tuple[str, ...],
    lines: np.ndarray[tuple[int], np.dtype[np.int64]],
    where: str,
    *,
    whole_minutes: bool,
) -> None:
    time = pl.col(MILLISECONDS)
    same = pl.col(MEMBER) == pl.col(MEMBER).shift(1)
    faults = [
        ("is outside the day", (time < 0) | (time >= DAY_MS)),
        ("does not follow the time of the line before", same & (time <= time.shift(1))),
    ]
    if whole_minutes:
        faults.append(("is not the start of a minute", time % MINUTE_MS != 0))
    for words, condition in faults:
        wrong = rows.select(condition.fill_null(value=False).alias("wrong"))["wrong"]
        if not wrong.any():
            continue
        at = int(wrong.arg_max() or 0)
        member = int(rows[MEMBER][at])
        before = [0, *accumulate(lines.tolist())][member]
        raise DataError(
            f"the time {rows[MILLISECONDS][at]} {words}",
            where=f"{where}: {names[member]}, line {at - before + 1}",
            hint="Times are milliseconds since midnight, ascending; download the file again",
        )
