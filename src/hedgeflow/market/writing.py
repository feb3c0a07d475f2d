"""Writing an import: what is new of it, day by day, with its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.market import layout
from hedgeflow.market.admission import Admitted, admit, new_contracts
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import DataError
from hedgeflow.market.manifests import Import, Manifest, Part, union
from hedgeflow.market.reading import SEQUENCE, read_contracts, scan_parts
from hedgeflow.market.tapes import CONTRACT_COLUMNS, NAMES_CONTRACTS, TapeKind
from hedgeflow.market.time import iso
from hedgeflow.market.validation import ROW, check_columns, merge_rejects, validate

if TYPE_CHECKING:
    from pathlib import Path

    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.market.transactions import Staging

Progress = Callable[[int, int], object]
"""Called with the rows done and the rows to do."""


def stage(
    new: Import, every: list[Manifest], folder: Staging, progress: Progress | None
) -> Manifest:
    """Write the new rows of an import into a staging folder and return its record."""
    own_id = new.id
    others = [each for each in every if each.id != own_id]
    tape = [each for each in others if each.key == new.key]
    _check_read_alike(new, tape)
    earlier = next((each for each in every if each.id == own_id), None)
    if earlier is not None:
        ordinal, sequence = earlier.ordinal, earlier.sequence_start
    else:
        ordinal = max((each.ordinal for each in others), default=-1) + 1
        sequence = max((each.sequence_start + each.read for each in tape), default=0)
    admitted = _admitted(new, tape, folder.root)
    rejects = merge_rejects([new.rejects, admitted.rejects])
    rows = admitted.rows.with_columns((pl.col(ROW) + sequence).alias(SEQUENCE)).drop(ROW)
    reasons = dict(sorted(rejects["reason"].value_counts().iter_rows()))
    stamps = rows["ts"].to_physical()
    return Manifest(
        id=own_id,
        ordinal=ordinal,
        key=new.key,
        source=new.source,
        source_sha256=new.source_sha256,
        read=new.read,
        kept=rows.height,
        repeats=admitted.repeats,
        null_ids=new.null_ids,
        identical_without_id=new.identical_without_id,
        coverage=new.coverage,
        first_ns=None if rows.is_empty() else int(stamps[0]),
        last_ns=None if rows.is_empty() else int(stamps[-1]),
        sequence_start=sequence,
        arguments=new.arguments,
        accept_rejects=new.accept_rejects or (earlier is not None and earlier.accept_rejects),
        rejected={str(reason): int(count) for reason, count in reasons.items()},
        parts=_write_days(new, rows, folder, progress),
        contracts=_write_contracts(new, rows, others, folder),
        rejects=(
            (folder.write(rejects, f"{layout.REJECTS}/{new.id}.parquet"),) if rejects.height else ()
        ),
    )


def _check_read_alike(new: Import, tape: list[Manifest]) -> None:
    """Refuse a source that the tape holds already, read in another way."""
    before = next((each for each in tape if each.source_sha256 == new.source_sha256), None)
    if before is not None:
        raise DataError(
            f"this file was imported before with {before.arguments or 'no arguments'}, now it is to"
            f" be with {new.arguments or 'none'}: the tape would hold it twice",
            where=new.source,
            hint="If the first was wrong, import it into a new catalog",
        )


def _admitted(new: Import, tape: list[Manifest], root: Path) -> Admitted:
    """Compare with what other imports stored for the days that the new one touches."""
    dates = new.rows["ts"].dt.date().cast(pl.String)
    low, high = dates.min(), dates.max()
    parts = [
        part
        for each in tape
        for part in each.parts
        if dates.len() and str(low) <= part.date <= str(high)
    ]
    return admit(new, scan_parts(root, new.key.kind, parts), union(tape))


def _write_contracts(
    new: Import, rows: pl.DataFrame, others: list[Manifest], folder: Staging
) -> tuple[Part, ...]:
    if new.key.kind not in NAMES_CONTRACTS and new.contracts is None:
        return ()
    stored = read_contracts(folder.root, others, new.key.venue, new.key.underlying)
    given = stored.clear() if new.contracts is None else new.contracts
    check_columns(given, CONTRACT_COLUMNS, where=f"{new.source} (contracts)")
    given = given.select(stored.columns).cast(stored.schema)
    fresh = new_contracts(given, stored, where=new.source)
    known = pl.concat([stored["contract"], fresh["contract"]])
    unknown = rows.filter(~pl.col("contract").is_in(known.implode()))
    if unknown.height:
        raise DataError(
            f"the terms of contract '{unknown['contract'][0]}' are not known",
            where=new.source,
            hint="Give them in the contracts table",
        )
    if fresh.is_empty():
        return ()
    path = f"{layout.contracts_folder(new.key.venue, new.key.underlying)}/{new.id}.parquet"
    return (folder.write(fresh.drop("venue", "underlying"), path),)


def _write_days(
    new: Import,
    rows: pl.DataFrame,
    folder: Staging,
    progress: Progress | None,
) -> tuple[Part, ...]:
    parts: list[Part] = []
    done = 0
    dated = rows.with_columns(pl.col("ts").dt.date().alias("_date"))
    for day in dated.partition_by("_date", maintain_order=True):
        date = str(day["_date"][0])
        path = layout.part_path(new.key, date, new.id)
        parts.append(folder.write(day.drop("_date"), path, date))
        done += day.height
        if progress is not None:
            progress(done, rows.height)
    return tuple(parts)


def import_of_frame(
    key: TapeKey,
    frame: pl.DataFrame,
    source: str,
    coverage: Coverage | None,
    contracts: pl.DataFrame | None,
) -> Import:
    """Return a table that a program made as an import.

    Raises
    ------
    DataError
        The table is no tape, a row has a fault, or one lies outside the coverage.
    """
    checked = validate(frame, key.kind, where=source)
    if checked.rejects.height:
        fault = checked.rejects.row(0, named=True)
        raise DataError(
            f"row {fault['row']}, column '{fault['column']}': {fault['reason']} "
            f"(value {fault['value']})",
            where=source,
            hint="A program may store only rows without a fault; rows count from 0",
        )
    stamps = checked.rows["ts"].to_physical().to_numpy()
    if coverage is None:
        split = {"split_ns": key.resolution_ns} if key.kind is TapeKind.BARS else {}
        coverage = Coverage.from_stamps(stamps, key.resolution_ns, **split)
    outside = ~coverage.includes(stamps)
    if outside.any():
        raise DataError(
            f"a row at {iso(int(stamps[outside][0]))} lies outside the declared coverage",
            where=source,
        )
    anonymous = checked.rows.clear().drop(ROW)
    if "trade_id" in frame.columns:
        anonymous = checked.rows.filter(pl.col("trade_id").is_null()).drop(ROW)
    return Import(
        key=key,
        rows=checked.rows,
        rejects=checked.rejects,
        read=frame.height,
        null_ids=anonymous.height,
        identical_without_id=anonymous.height - anonymous.unique().height,
        source=source,
        source_sha256=content_sha256(checked.rows, coverage),
        coverage=coverage,
        contracts=contracts,
    )


def content_sha256(rows: pl.DataFrame, coverage: Coverage) -> str:
    """Return a hash of values and intervals that does not depend on a file format."""
    digest = hashlib.sha256(json.dumps(coverage.intervals).encode())
    for column in rows.drop(ROW):
        digest.update(f"{column.name}|{column.dtype}|{column.len()}".encode())
        digest.update(column.is_null().to_numpy().tobytes())
        if column.dtype == pl.String:
            digest.update((column.fill_null("").str.join("\x1f").item() or "").encode())
        else:
            digest.update(column.to_physical().fill_null(0).to_numpy().tobytes())
    return digest.hexdigest()
