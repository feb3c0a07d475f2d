"""PostgreSQL under a journal: its sessions, its locks, its bulk copy and what its errors mean."""

from __future__ import annotations

import os
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from hedgeflow.journal.addresses import shown
from hedgeflow.journal.errors import JournalError

OLDEST_VERSION: Final = 120_000
"""As the server numbers it: the first whose doubles come back to the last bit."""

LOCK_TIMEOUT_MS: Final = 60_000
"""How long a writer waits for the others before it gives up, as on SQLite."""

_CONNECT: Final = {
    "fallback_application_name": "hedgeflow",
    "client_encoding": "utf8",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",  # a network that swallows what we send is noticed within a minute
}
_SESSION: Final = (
    "-c extra_float_digits=1 "
    f"-c lock_timeout={LOCK_TIMEOUT_MS} "
    "-c statement_timeout=600000 "
    "-c idle_in_transaction_session_timeout=600000"  # a writer that hangs lets the others go on
)
"""What a session keeps to, whatever its role's settings are."""

_LOST: Final = (
    "Repeat the command when the server is back: what was kept is not written a second time"
)
_HINTS: Final = {
    "25006": "The database can only be read: name the primary server, or a role that may write",
    "40": _LOST,
    "42501": "The role needs SELECT and INSERT on the journal's tables, and CREATE on the schema"
    " to make or upgrade them",
    "53100": "The server's disk is full: nothing of this was written",
    "53300": "The server has no connection left: wait, or raise max_connections",
    "55P03": f"Another writer has been at it for over {LOCK_TIMEOUT_MS // 1000} s: wait for it",
    "57014": "The server took longer than its timeout allows",
}
"""What to do, by SQLSTATE or its class."""


def connect(url: URL) -> Engine:
    """Return an engine whose connections are tested before use and which outlives a restart.

    What the address says of a connection wins over our settings; what it leaves open comes from
    libpq's own sources: PGHOST, PGUSER, PGPASSWORD, PGSSLMODE, ~/.pgpass and the like.
    """
    said = url.query.get("options", os.environ.get("PGOPTIONS", ""))
    settings = {name: value for name, value in _CONNECT.items() if name not in url.query}
    engine = create_engine(
        url,
        connect_args=settings | {"options": f"{_SESSION} {said}"},
        pool_pre_ping=True,
        pool_timeout=LOCK_TIMEOUT_MS / 1000,
        use_native_hstore=False,
    )
    event.listen(engine, "connect", _connected)
    return engine


def check_server(connection: Connection) -> None:
    """Refuse a server that would not keep a journal as it was written.

    Raises
    ------
    JournalError
        The server is too old, or the database's encoding cannot hold every sentence.
    """
    version = connection.execute(text("SHOW server_version_num")).scalar_one()
    if int(version) < OLDEST_VERSION:
        raise JournalError(
            f"the server is PostgreSQL {int(version) // 10_000}",
            where=shown(connection.engine.url),
            hint=f"A journal needs {OLDEST_VERSION // 10_000} or newer",
        )
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise JournalError(
            f"the database's encoding is {encoding}",
            where=shown(connection.engine.url),
            hint="Create one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )


def lock(connection: Connection, what: str) -> None:
    """Wait until no other transaction holds a name, and hold it to the end of this one.

    An advisory lock: it asks for no right on a table, so that a role with SELECT and INSERT can
    keep a journal but never change one.
    """
    key = func.hashtextextended(f"hedgeflow journal {what}", 0)
    connection.execute(select(func.pg_advisory_xact_lock(key)))


def copy(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows by COPY, which the server takes several times as fast as INSERT."""
    import psycopg

    names = ", ".join(column.name for column in table.columns)
    statement = f"COPY {table.name} ({names}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as stream:
            for row in rows:
                stream.write_row(row)
    except psycopg.Error as error:
        lost = driver.closed or driver.broken
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, connection_invalidated=lost
        ) from error


def refusal(error: DBAPIError, where: str) -> JournalError:
    """Return what went wrong as one line with what to do about it."""
    origin: Any = error.orig
    said = " ".join((origin.diag.message_primary or str(origin).partition("\n")[0]).split())
    state: str | None = origin.sqlstate
    if error.connection_invalidated or (state or "").startswith("57P"):
        return JournalError(f"the connection was lost: {said}", where=where, hint=_LOST)
    if state is None:
        return JournalError(
            said,
            where=where,
            hint="Check the address and that the server runs; a password comes from the address,"
            " PGPASSWORD or ~/.pgpass",
        )
    return JournalError(said, where=where, hint=_HINTS.get(state, _HINTS.get(state[:2], "")))


def _connected(connection: Any, _record: object) -> None:
    """Have commits on the server's disk; a setting that is stricter still stays as it is."""
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()
