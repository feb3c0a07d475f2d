"""The database under a journal: opened, recognised, created or upgraded, and never a stranger's."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from hedgeflow.journal import postgresql, sqlite
from hedgeflow.journal.addresses import address_of, shown
from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.tables import JOURNAL_SCHEMA, METADATA, SCHEMA_VERSION, table_named


def open_database(url_or_path: str | Path, *, create: bool) -> Engine:
    """Return an engine on a journal's database, of the present schema version.

    An empty database gets the tables, a journal of an older version those that it lacks, in one
    transaction each.

    Raises
    ------
    JournalError
        The database is not there and may not be created, is another program's, was written by a
        newer hedgeflow, or is older and cannot be written to.
    """
    engine = connect(address_of(url_or_path), create=create)
    try:
        _bring_to_present(engine, create=create)
    except BaseException:
        engine.dispose()
        raise
    return engine


def connect(url: URL, *, create: bool) -> Engine:
    """Return an engine on a database, whatever it holds."""
    with refusals(url):
        if url.get_backend_name() == "sqlite":
            return sqlite.connect(url, create=create)
        return postgresql.connect(url)


def recognise(engine: Engine) -> int | None:
    """Return a journal's schema version, None for an empty database.

    Raises
    ------
    JournalError
        The database holds something else, or a journal of a version that is not known here.
    """
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            postgresql.check_server(connection)
        return _version(connection)


@contextmanager
def refusals(url: URL) -> Generator[None, None, None]:
    """Turn the database's errors into the journal's."""
    where = shown(url)
    try:
        yield
    except IntegrityError as error:
        raise JournalError(f"row refused: {_broken_rule(error)}", where=where) from error
    except DBAPIError as error:
        if url.get_backend_name() == "postgresql":
            raise postgresql.refusal(error, where) from error
        raise JournalError(str(error.orig), where=where) from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise JournalError(str(error), where=where) from error


@contextmanager
def reading(engine: Engine) -> Generator[Connection, None, None]:
    """A transaction that sees one state of the journal throughout."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with refusals(engine.url), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Generator[Connection, None, None]:
    """A transaction that is kept whole or not at all; on SQLite it waits for the other writers."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="READ COMMITTED")
    else:
        engine = engine.execution_options(hedgeflow_writes=True)
    with refusals(engine.url), engine.begin() as connection:
        yield connection


def lock(connection: Connection, what: str) -> None:
    """Let no other writer at what is named, as in ``run 0123``; on SQLite there is no other."""
    if connection.dialect.name == "postgresql":
        postgresql.lock(connection, what)


def insert(connection: Connection, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows, each in the order of the table's columns, the fastest way there is."""
    table = table_named(name)
    if connection.dialect.name == "postgresql":
        postgresql.copy(connection, table, rows)
    else:
        sqlite.insert(connection, table, rows)


def _bring_to_present(engine: Engine, *, create: bool) -> None:
    version = recognise(engine)
    if version is None and not create:
        raise JournalError("the database is empty", where=shown(engine.url), hint="Name a journal")
    if version is None:
        _create(engine)
        version = recognise(engine)  # another process, an older one perhaps, may have been first
    if version is not None and version < SCHEMA_VERSION:
        _upgrade(engine, version)


def _create(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with refusals(engine.url):
            sqlite.enter_wal(engine)
    with writing(engine) as connection:
        lock(connection, "schema")
        if _version(connection) is None:
            METADATA.create_all(connection, checkfirst=False)
            connection.execute(JOURNAL_SCHEMA.insert().values(version=SCHEMA_VERSION))


def _upgrade(engine: Engine, found: int) -> None:
    from hedgeflow.journal.migrations import migrate

    try:
        with writing(engine) as connection:
            lock(connection, "schema")
            migrate(connection, _version(connection) or found)
    except JournalError as error:
        raise JournalError(
            f"the journal has schema version {found} and cannot be brought to {SCHEMA_VERSION}:"
            f" {error.what}",
            where=error.where,
            hint=error.hint or "Open it once where it can be written, or a copy of it",
        ) from error


def _version(connection: Connection) -> int | None:
    where = shown(connection.engine.url)
    tables = inspect(connection).get_table_names(connection.dialect.default_schema_name)
    if not tables:
        return None
    if JOURNAL_SCHEMA.name not in tables:
        raise JournalError(
            "the database is another program's, not a journal",
            where=where,
            hint="Name another one",
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
    return int(version)


def _broken_rule(error: IntegrityError) -> str:
    """Return the rule that a row breaks, in the words that the tables give it."""
    diagnosis: Any = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        is_check = getattr(error.orig, "sqlstate", None) == "23514"
        return str(diagnosis.constraint_name if is_check else diagnosis.message_primary)
    return str(error.orig).removeprefix("CHECK constraint failed: ")
