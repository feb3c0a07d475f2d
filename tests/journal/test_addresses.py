from __future__ import annotations

import pytest

from hedgeflow.journal import JournalError
from hedgeflow.journal.addresses import address_of, shown


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://quant@db.example:5433/journal",
        "postgres://quant@db.example:5433/journal",
        "postgresql+psycopg://quant@db.example:5433/journal",
    ],
)
def test_every_spelling_of_postgresql_is_one_address(text):
    url = address_of(text)
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.host, url.port) == ("quant", "db.example", 5433)
    assert shown(url) == "postgresql://quant@db.example:5433/journal"


@pytest.mark.parametrize("text", ["journals/my.db", "sqlite:///journals/my.db"])
def test_a_path_is_a_file_of_sqlite(text):
    assert (address_of(text).drivername, shown(address_of(text))) == ("sqlite", "journals/my.db")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://quant:hush@db.example/journal",
        "postgresql://quant@db.example/journal?password=hush&sslpassword=hush",
        "postgresql://quant:hu%40s%2Fh@db.example/journal",
    ],
)
def test_an_address_is_shown_without_its_password(text):
    assert shown(address_of(text)) == "postgresql://quant@db.example/journal"
    assert address_of(text).render_as_string(hide_password=False) != shown(address_of(text))


def test_a_socket_is_shown_as_where_the_journal_is():
    text = "postgresql://quant@/journal?host=/run/postgresql&options=-csearch_path%3Dx"
    assert shown(address_of(text)) == "postgresql://quant@/journal?host=%2Frun%2Fpostgresql"


@pytest.mark.parametrize("backend", ["mysql", "mysql+pymysql", "postgresql+asyncpg", "nothing"])
def test_another_kind_of_database_is_refused_by_name(backend):
    with pytest.raises(JournalError) as caught:
        address_of(f"{backend}://quant:hush@db.example/journal")
    assert f"cannot be kept in {backend}. Name a file for SQLite" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("postgresql://quant:hush", "not a database address"),  # reads as the port hush
        ("postgresql://quant:my@hush@db.example/journal", "more than one @"),
        ("postgresql://quant:my@hu/sh@db.example/journal", "more than one @"),
        ("mysql://quant:my@hush@db.example/journal", "more than one @"),
        ("://hush", "not a database address"),
        ("postgresql:/quant:hush@db.example/journal", "not a database address"),
    ],
)
def test_a_text_that_may_hold_a_password_is_refused_without_being_shown(text, says):
    with pytest.raises(JournalError, match=says) as caught:
        address_of(text)
    assert not any(part in str(caught.value) for part in ("hush", "hu/", "sh@", "db.example"))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
