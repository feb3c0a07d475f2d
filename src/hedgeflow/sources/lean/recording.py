"""When a Lean day file was recorded, and how its rows become an import."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import polars as pl

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.layout import file_sha256
from hedgeflow.market.manifests import Import
from hedgeflow.market.sessions import sessions_between
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import DAY_NS, MINUTE_NS, instant_ns
from hedgeflow.market.validation import (
    ROW,
    Fault,
    merge_rejects,
    no_rejects,
    split,
    validate,
)
from hedgeflow.sources.division import quotient
from hedgeflow.sources.lean.archives import MILLISECONDS, instants

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hedgeflow.market.sessions import Sessions
    from hedgeflow.sources.lean.layout import LeanFile

MARGIN: Final = timedelta(days=14)
"""Of sessions beyond a year: the last session of December needs the first of January."""

FILE: Final = "_file"
"""Working column: which of an import's files a row came from."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows of one file on their way to a tape.

    Attributes
    ----------
    file : LeanFile
    rows : polars.DataFrame
        Columns of the tape, and workings that begin with an underscore.
    empty : int
        Rows that carry nothing, left out of `rows`.
    """

    file: LeanFile
    rows: pl.DataFrame
    empty: int = 0


def stamps(file: LeanFile) -> list[pl.Expr]:
    """Return `ts`, the start of a minute bar, and `known_at`, its end."""
    start = instants(pl.col(MILLISECONDS), file.day, file.rules.zone)
    return [start.alias("ts"), (start + pl.duration(nanoseconds=MINUTE_NS)).alias("known_at")]


def price(file: LeanFile, name: str) -> pl.Expr:
    """Return a column of written prices in quote currency."""
    return quotient(pl.col(name), file.rules.price_scale)


def recorded(file: LeanFile, rows: pl.DataFrame) -> list[tuple[int, int]]:
    """Return when a day file was recorded: its day's sessions, and from its first row to its last.

    A day file holds whole sessions, so a minute without a row is silence. Sessions that run over
    midnight, as those of CME do in UTC, count only as far as the file's own day reaches.
    """
    begin, end = _bounds(file)
    sessions = sessions_around(file)
    spans = zip(sessions.open_ns.tolist(), sessions.close_ns.tolist(), strict=True)
    intervals = [(max(begin, opens), min(end, closes)) for opens, closes in spans]
    at = rows["ts"].drop_nulls().to_physical()
    if at.len():
        intervals.append((int(at.min()), int(at.max()) + MINUTE_NS))  # type: ignore[arg-type]
    return Coverage.of([pair for pair in intervals if pair[0] < pair[1]]).intervals


def sessions_around(file: LeanFile) -> Sessions:
    """Return the sessions of a file's year and of the weeks around it: one calendar a year."""
    first = datetime(file.day.year, 1, 1, tzinfo=UTC) - MARGIN
    last = datetime(file.day.year, 12, 31, tzinfo=UTC) + MARGIN
    return sessions_between(file.rules.calendar, instant_ns(first), instant_ns(last))


def made_of(
    kind: TapeKind,
    underlying: str,
    instrument: str,
    loaded: Sequence[Loaded],
    *,
    faults: list[Fault],
    coverage: Coverage,
    source: str,
    sha256: str,
    contracts: pl.DataFrame | None,
    accept_rejects: bool,
) -> tuple[Import, dict[str, dict[str, int]]]:
    """Return an import of some files' rows, and the rows rejected of each file by reason.

    Parameters
    ----------
    kind : TapeKind
    underlying, instrument : str
    loaded : sequence of Loaded
    faults : list of Fault
        Beyond those of the tape's own columns.
    coverage : Coverage
    source, sha256 : str
    contracts : polars.DataFrame, optional
    accept_rejects : bool
    """
    frames = [
        each.rows.with_columns(pl.lit(number, dtype=pl.Int32).alias(FILE))
        for number, each in enumerate(loaded)
    ]
    rows = pl.concat(frames).with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
    rows = rows.sort("ts", maintain_order=True)
    good, refused = split(rows, faults) if faults else (rows, no_rejects())
    workings = [name for name in good.columns if name.startswith("_")]
    checked = validate(good.drop(workings), kind, where=source)
    rejects = merge_rejects([refused, checked.rejects])
    by_file: dict[str, dict[str, int]] = {each.file.path: {} for each in loaded}
    counted = rejects.select(ROW, "reason").join(rows.select(ROW, FILE), on=ROW, how="left")
    for number, reason, count in counted.group_by(FILE, "reason").len().iter_rows():
        by_file[loaded[int(number)].file.path][str(reason)] = int(count)
    resolution_ns = DAY_NS if kind is TapeKind.OPTION_DAYS else MINUTE_NS
    anonymous = checked.rows if kind is TapeKind.OPTION_TRADES else checked.rows.clear()
    made = Import(
        key=TapeKey(kind, loaded[0].file.market, underlying, instrument, resolution_ns),
        rows=checked.rows,
        rejects=rejects,
        read=rows.height,
        null_ids=anonymous.height,
        identical_without_id=anonymous.height - anonymous.drop(ROW).unique().height,
        source=source,
        source_sha256=sha256,
        coverage=coverage,
        contracts=contracts,
        accept_rejects=accept_rejects,
    )
    return made, by_file


def hash_of(files: Sequence[LeanFile], root: Path) -> str:
    """Return a SHA-256 over what files are and hold, wherever the folder lies."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.identity):
        digest.update("|".join((*file.identity, file_sha256(root / file.path))).encode())
    return digest.hexdigest()


def _bounds(file: LeanFile) -> tuple[int, int]:
    """Return the first instant of a file's day and of the next one."""
    zone = ZoneInfo(file.rules.zone)
    midnight = datetime.combine(file.day, time(), zone)
    following = datetime.combine(file.day + timedelta(days=1), time(), zone)
    return instant_ns(midnight), instant_ns(following)
