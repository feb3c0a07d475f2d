"""The database under a journal: opened, recognised or created, and never another program's."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.tables import JOURNAL_SCHEMA, METADATA, SCHEMA_VERSION

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


def open_database(url_or_path: str | Path, *, create: bool) -> Engine:
    """Return an engine on a journal's database, creating the tables in an empty one.

    Raises
    ------
    JournalError
        The database is not there and may not be created, is another program's, or was written by
        a newer hedgeflow.
    """
    url = _url(url_or_path)
    where = shown(url)
    with refusals(where):
        if url.get_backend_name() == "sqlite":
            _prepare_path(url, where, create=create)
        if url.get_backend_name() != "sqlite":
            raise JournalError(
                f"a journal cannot be kept in {url.get_backend_name()} yet",
                where=where,
                hint="Name a file: the journal is SQLite",
            )
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            _speak_sqlite(engine)
        try:
            _recognise_or_create(engine, where, create=create)
        except BaseException:
            engine.dispose()
            raise
    return engine


@contextmanager
def refusals(where: str) -> Generator[None, None, None]:
    """Turn the database's errors into the journal's."""
    try:
        yield
    except IntegrityError as error:
        raise JournalError(f"row refused: {error.orig}", where=where) from error
    except DBAPIError as error:
        raise JournalError(str(error.orig), where=where) from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise JournalError(str(error), where=where) from error


@contextmanager
def reading(engine: Engine) -> Generator[Connection, None, None]:
    """A transaction that sees one state of the journal throughout."""
    with refusals(shown(engine.url)), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Generator[Connection, None, None]:
    """A transaction that is kept whole or not at all; on SQLite it waits for the other writers."""
    writer = engine.execution_options(hedgeflow_writes=True)
    with refusals(shown(engine.url)), writer.begin() as connection:
        yield connection


def shown(url: URL) -> str:
    """Return an address that can be printed: a file's path, or a URL without its password."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    return url.render_as_string(hide_password=True)


def _url(url_or_path: str | Path) -> URL:
    if isinstance(url_or_path, str) and "://" in url_or_path:
        try:
            return make_url(url_or_path)
        except ArgumentError as error:
            raise JournalError("not a database address", hint="Expected dialect://…") from error
    return URL.create("sqlite", database=str(url_or_path))


def _prepare_path(url: URL, where: str, *, create: bool) -> None:
    if not url.database or url.database == ":memory:":
        raise JournalError("a journal lives in a file", where="sqlite", hint="Name one")
    path = Path(url.database)
    if path.is_dir():
        raise JournalError("is a folder", where=where, hint="Name a file")
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise JournalError("no such journal", where=where, hint="Check the path")


def _speak_sqlite(engine: Engine) -> None:
    """Take transactions out of the driver's hands; writers announce themselves at once."""

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("hedgeflow_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _recognise_or_create(engine: Engine, where: str, *, create: bool) -> None:
    if _is_empty(engine):
        if not create:
            raise JournalError("the database is empty", where=where, hint="Name a journal")
        if engine.dialect.name == "sqlite":
            _enter_wal(engine)
        with writing(engine) as connection:
            if not inspect(connection).get_table_names():  # another process may have been first
                METADATA.create_all(connection, checkfirst=False)
                connection.execute(JOURNAL_SCHEMA.insert().values(version=SCHEMA_VERSION))
    with reading(engine) as connection:
        _check_version(connection, where)


def _is_empty(engine: Engine) -> bool:
    with reading(engine) as connection:
        return not inspect(connection).get_table_names()


def _check_version(connection: Connection, where: str) -> None:
    if not inspect(connection).has_table(JOURNAL_SCHEMA.name):
        raise JournalError(
            "the database is another program's, not a journal",
            where=where,
            hint="Name another file",
        )
    version = connection.execute(select(func.max(JOURNAL_SCHEMA.columns["version"]))).scalar()
    if version is None or version < 1:
        raise JournalError(f"no journal's schema version: {version}", where=where)
    if version > SCHEMA_VERSION:
        raise JournalError(
            f"the journal has schema version {version}, this hedgeflow knows {SCHEMA_VERSION}",
            where=where,
            hint="Use the hedgeflow that wrote it or a newer one",
        )


def _enter_wal(engine: Engine) -> None:
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
