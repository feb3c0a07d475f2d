"""Rows out of the database, as polars tables in order of time."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, func, select

from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.rows import dtype_of
from hedgeflow.journal.tables import ORDER, table_named


def read(connection: Connection, name: str, **equal: str) -> pl.DataFrame:
    """Return the rows of a table whose columns equal what is given, in the table's order."""
    table = table_named(name)
    if not equal.keys() <= set(table.columns.keys()):
        raise JournalError(
            f"no column {' or '.join(equal.keys() - set(table.columns.keys()))}", where=name
        )
    wanted = select(*table.columns).order_by(*(table.columns[column] for column in ORDER[name]))
    wanted = wanted.where(*(table.columns[column] == value for column, value in equal.items()))
    rows = connection.execute(wanted).all()
    values = zip(*rows, strict=True) if rows else ((),) * len(table.columns)
    return pl.DataFrame(
        [
            pl.Series(column.name, list(given), dtype=dtype_of(column))
            for column, given in zip(table.columns, values, strict=True)
        ]
    )


def row_count(connection: Connection, name: str, run_id: str) -> int:
    """Return how many rows of a table a run has."""
    table = table_named(name)
    count = select(func.count()).select_from(table).where(table.columns["run_id"] == run_id)
    return connection.execute(count).scalar_one()


def sealed_hashes(connection: Connection, run_id: str) -> dict[str, str]:
    """Return the hashes of a complete run's tables, none for a run under way."""
    seals = read(connection, "seals", run_id=run_id)
    return dict(zip(seals["table_name"], seals["content_hash"], strict=True))
