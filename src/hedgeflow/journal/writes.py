"""Rows into the database: in bulk, once each, with a refusal that names what contradicts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, and_, select
from sqlalchemy.exc import IntegrityError

from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.reads import read, row_count, sealed_hashes
from hedgeflow.journal.records import Run
from hedgeflow.journal.rows import check_values, content_hash, first_difference
from hedgeflow.journal.storage import insert, lock
from hedgeflow.journal.tables import ROW_TABLES, RUNS, SEALS, key_of, table_named


def insert_once(
    connection: Connection, table: Table, values: dict[str, Any], *, but: tuple[str, ...] = ()
) -> tuple[dict[str, Any], bool]:
    """Insert a row unless its key is there; return the row as recorded and whether it is new.

    The columns in `but` may differ from the record, which stays as it is. The caller holds a lock
    that keeps others from the same key.
    """
    check_values(table.name, values)
    by_key = and_(*(column == values[column.name] for column in table.primary_key))
    stored = connection.execute(select(*table.columns).where(by_key)).mappings().first()
    if stored is None:
        connection.execute(table.insert().values(values))
        return values, True
    unequal = [name for name in values if name not in but and stored[name] != values[name]]
    if unequal:
        name = unequal[0]
        raise JournalError(
            f"recorded with {name} {stored[name]!r}, now {values[name]!r}",
            where=f"{table.name} {' '.join(str(values[key]) for key in key_of(table.name))}",
            hint="A key is made from content: the same key never means two things",
        )
    return dict(stored), False


def begin(connection: Connection, run: Run) -> None:
    """Insert a run unless it is there, and hold it against other writers of the same run."""
    values = asdict(run) | {"run_id": run.run_id}
    lock(connection, f"run {run.run_id}")
    try:
        insert_once(connection, RUNS, values)
    except IntegrityError as error:
        raise JournalError(
            f"no trial of {run.config_hash} on {run.data_hash} by {run.code_version}",
            where=f"run {run.run_id}",
            hint="Record the trial first: what is tried is counted",
        ) from error


def hold(connection: Connection, run_id: str) -> None:
    """Let no other transaction write to a run, which has begun."""
    lock(connection, f"run {run_id}")
    found = select(RUNS.columns["run_id"]).where(RUNS.columns["run_id"] == run_id)
    if connection.execute(found).first() is None:
        raise JournalError("not begun", where=f"run {run_id}", hint="Call begin_run first")


def append(connection: Connection, name: str, frame: pl.DataFrame) -> int:
    """Insert a run's validated rows and return how many were not there before.

    Raises
    ------
    JournalError
        A row is there with other values, the run is complete and lacks one, or one acts on an
        alert that is not journalled.
    """
    if frame.is_empty():
        return 0
    run_id: str = frame["run_id"][0]
    sealed = name in ROW_TABLES and bool(sealed_hashes(connection, run_id))
    if not sealed:
        try:
            with connection.begin_nested():
                _insert(connection, name, frame)
        except IntegrityError:
            pass  # some rows are there, or one is refused: found out below
        else:
            return frame.height
    fresh = _not_yet_recorded(connection, name, run_id, frame)
    if sealed and fresh.height:
        raise JournalError(
            f"{fresh.height} new rows of {name}", where=f"run {run_id}", hint="The run is complete"
        )
    _check_alerts(connection, name, run_id, fresh)
    if fresh.height:
        _insert(connection, name, fresh)
    return fresh.height


def seal(connection: Connection, run_id: str, frames: dict[str, pl.DataFrame]) -> None:
    """Mark a run as complete with these rows and no others."""
    connection.execute(
        SEALS.insert(),
        [
            {
                "run_id": run_id,
                "table_name": name,
                "row_count": frame.height,
                "content_hash": content_hash(name, frame),
            }
            for name, frame in frames.items()
        ],
    )


def check_reproduced(connection: Connection, run_id: str, frames: dict[str, pl.DataFrame]) -> None:
    """Refuse a run whose rows are not those of the record, naming tables and first difference."""
    recorded = sealed_hashes(connection, run_id)

    def differs(name: str, frame: pl.DataFrame) -> bool:
        if recorded:  # a table younger than the run has no seal, and says nothing about it
            return name in recorded and recorded[name] != content_hash(name, frame)
        return row_count(connection, name, run_id) != frame.height

    differing = [name for name, frame in frames.items() if differs(name, frame)]
    if not differing:
        return
    name = differing[0]
    first = first_difference(name, read(connection, name, run_id=run_id), frames[name])
    raise JournalError(
        f"not reproducible: {' and '.join(differing)} differ from the record, first {first}",
        where=f"run {run_id}",
        hint="The same data, configuration, code version and seed must give the same rows",
    )


def _insert(connection: Connection, name: str, frame: pl.DataFrame) -> None:
    columns = table_named(name).columns.keys()
    insert(connection, name, frame.select(columns).rows())


def _not_yet_recorded(
    connection: Connection, name: str, run_id: str, frame: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows whose keys are not there, refusing those that are there with other values."""
    key = key_of(name)
    stored = read(connection, name, run_id=run_id)
    again = frame.join(stored, on=key, how="semi")
    difference = first_difference(name, stored.join(again, on=key, how="semi"), again)
    if difference:
        raise JournalError(
            f"recorded before with other values: {difference}",
            where=f"run {run_id}",
            hint="The journal is append-only",
        )
    return frame.join(stored, on=key, how="anti", maintain_order="left")


def _check_alerts(connection: Connection, name: str, run_id: str, frame: pl.DataFrame) -> None:
    """Say which alert is missing, which the databases do not."""
    if name not in {"decisions", "trades", "predictions"} or frame.is_empty():
        return
    known = read(connection, "alerts", run_id=run_id)
    acted_on = frame.filter(pl.col("alert_id").is_not_null())
    unknown = acted_on.join(known, on="alert_id", how="anti")
    if unknown.height:
        raise JournalError(
            f"alert {unknown['alert_id'][0]} is not journalled",
            where=f"{name} of run {run_id}",
            hint="An alert is recorded before anything acts on it",
        )
