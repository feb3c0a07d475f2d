"""SQLite under a journal: one file, whose writers wait for each other and whose readers do not."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import URL

from hedgeflow.journal.errors import JournalError

BUSY_TIMEOUT_MS: Final = 60_000
"""How long a writer waits for the others before it gives up."""

_WAL_ATTEMPTS: Final = 200
_WAL_PAUSE_SECONDS: Final = 0.02
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",  # else INSERT OR REPLACE deletes without asking the triggers
    "PRAGMA synchronous=FULL",  # a commit is on the disk
)


def connect(url: URL, *, create: bool) -> Engine:
    """Return an engine on a file, making its folder if the file may be created."""
    _prepare_path(url, create=create)
    engine = create_engine(url)
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begun)
    return engine


def enter_wal(engine: Engine) -> None:
    """Let readers and the writer work side by side; the file remembers it.

    SQLite does not wait for other connections here, whatever the busy timeout, so we do.
    """
    last = _WAL_ATTEMPTS - 1
    for attempt in range(_WAL_ATTEMPTS):
        raw: Any = engine.raw_connection()
        try:
            raw.driver_connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or attempt == last:
                raise
            time.sleep(_WAL_PAUSE_SECONDS)
        else:
            return
        finally:
            raw.close()


def insert(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows as tuples, which the driver takes faster than mappings."""
    statement = table.insert().compile(dialect=connection.dialect)
    connection.exec_driver_sql(str(statement), rows)


def _prepare_path(url: URL, *, create: bool) -> None:
    if not url.database or url.database == ":memory:":
        raise JournalError("a journal lives in a file", where="sqlite", hint="Name one")
    path = Path(url.database)
    if path.is_dir():
        raise JournalError("is a folder", where=url.database, hint="Name a file")
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise JournalError("no such journal", where=url.database, hint="Check the path")


def _connected(connection: sqlite3.Connection, _record: object) -> None:
    """Take transactions out of the driver's hands."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begun(connection: Connection) -> None:
    """Let writers announce themselves at once."""
    writes = connection.get_execution_options().get("hedgeflow_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
