"""Where a journal is kept: a file or a URL, told from what cannot be one, shown without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from hedgeflow.journal.errors import JournalError

_DRIVERS: Final = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_HINT: Final = "Name a file for SQLite, or postgresql://user@host/database"
_SHOWN_PARAMETERS: Final = ("host", "port", "service", "sslmode")
"""Any other may hold a secret."""


def address_of(url_or_path: str | Path) -> URL:
    """Return the address of a journal with the driver that reaches it.

    Raises
    ------
    JournalError
        It is no address, or names a database that a journal cannot be kept in. The message never
        shows a text that could not be read, for it may hold a password.
    """
    if not isinstance(url_or_path, str) or not _begins_like_an_address(url_or_path):
        return URL.create("sqlite", database=str(url_or_path))
    try:
        url = make_url(url_or_path)
    except (ArgumentError, ValueError):
        raise JournalError("not a database address", where="journal", hint=_HINT) from None
    if "@" in f"{url.host}{url.database}":
        raise JournalError(
            "the address has more than one @",
            where="journal",
            hint="An @ in a user's name or password is written %40, a / is written %2F",
        )
    if url.drivername not in _DRIVERS:
        raise JournalError(
            f"a journal cannot be kept in {url.drivername}", where=shown(url), hint=_HINT
        )
    return url.set(drivername=_DRIVERS[url.drivername])


def _begins_like_an_address(text: str) -> bool:
    """Say whether a text is meant as an address, though a slash be missing; no path is one."""
    return "://" in text or (":" in text and text.partition(":")[0] in _DRIVERS)


def shown(url: URL) -> str:
    """Return an address that can be printed: a file's path, or a URL without anything secret."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    public = {name: url.query[name] for name in _SHOWN_PARAMETERS if name in url.query}
    return URL.create(
        url.get_backend_name(), url.username, None, url.host, url.port, url.database, public
    ).render_as_string(hide_password=False)
