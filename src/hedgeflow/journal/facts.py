"""What can be said of a journal without changing it: its database, its version, its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, text

from hedgeflow.journal.addresses import address_of, shown
from hedgeflow.journal.storage import connect, reading, recognise
from hedgeflow.journal.tables import ORDER, table_named
from hedgeflow.market.time import SECOND_NS


@dataclass(frozen=True, slots=True)
class JournalFacts:
    """A journal as it was found.

    Attributes
    ----------
    address : str
        Without its password.
    database : str
        Its kind and version.
    schema_version : int or None
        None for a database without tables.
    rows : dict of str to int
        Rows of each table that it has.
    clock_ahead_seconds : float or None
        The server's clock less ours, to half the time of an answer; None where there is no server.
    """

    address: str
    database: str
    schema_version: int | None
    rows: dict[str, int]
    clock_ahead_seconds: float | None


def journal_facts(url_or_path: str | Path, clock: Callable[[], int]) -> JournalFacts:
    """Look at a journal; one of an older schema version is not brought to the present one.

    Parameters
    ----------
    url_or_path : str or Path
    clock : callable
        Returns UTC ns now.

    Raises
    ------
    JournalError
        The database cannot be reached, or is none that a journal is kept in.
    """
    url = address_of(url_or_path)
    engine = connect(url, create=False)
    try:
        version = recognise(engine)
        with reading(engine) as connection:
            return JournalFacts(
                address=shown(url),
                database=_database(engine),
                schema_version=version,
                rows=_rows(connection),
                clock_ahead_seconds=_clock_ahead(connection, clock),
            )
    finally:
        engine.dispose()


def _database(engine: Engine) -> str:
    if engine.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    return f"PostgreSQL {'.'.join(map(str, engine.dialect.server_version_info or ()))}"


def _rows(connection: Connection) -> dict[str, int]:
    there = inspect(connection).get_table_names(connection.dialect.default_schema_name)
    counts = {name: select(func.count()).select_from(table_named(name)) for name in ORDER}
    return {
        name: connection.execute(count).scalar_one()
        for name, count in counts.items()
        if name in there
    }


def _clock_ahead(connection: Connection, clock: Callable[[], int]) -> float | None:
    if connection.dialect.name == "sqlite":
        return None
    asked = clock()
    theirs = connection.execute(
        text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
    ).scalar_one()
    return (theirs * 1000 - (asked + clock()) / 2) / SECOND_NS
