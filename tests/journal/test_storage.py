from __future__ import annotations

import sqlite3
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hedgeflow.journal import ROW_TABLES, SCHEMA_VERSION, Journal, JournalError
from hedgeflow.journal.reads import read
from hedgeflow.journal.rows import row_frame
from hedgeflow.journal.storage import reading, writing
from hedgeflow.journal.writes import append

TABLES = (*ROW_TABLES, "seals", "runs", "trials", "journal_schema")


def test_a_journal_is_there_when_it_is_opened_again(journal_url, trial):
    with Journal.open(journal_url) as journal:
        journal.record_trial(trial)
    with Journal.open(journal_url, create=False) as journal:
        assert journal.count_trials("data-1") == 1


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("verb", ["DELETE FROM {name}", "UPDATE {name} SET {column} = {column}"])
def test_the_database_itself_refuses_to_change_the_record(
    begun, run, content, stranger, name, verb
):
    begun.record_run(run, **content(1))
    column = {"runs": "strategy", "trials": "strategy", "journal_schema": "version"}
    statement = verb.format(name=name, column=column.get(name, "run_id"))
    with (
        pytest.raises(DBAPIError, match=f"append-only: {name} refuses"),
        stranger.begin() as connection,
    ):
        connection.execute(text(statement))
    with stranger.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() > 0


def test_a_replacement_is_refused_as_a_change(begun, journal_url):
    if not journal_url.startswith("sqlite"):
        pytest.skip("INSERT OR REPLACE is SQLite's")
    with (
        pytest.raises(DBAPIError, match="append-only: trials refuses DELETE"),
        begun._engine.begin() as connection,
    ):
        connection.execute(text("INSERT OR REPLACE INTO trials SELECT * FROM trials"))


def test_a_newer_journal_is_refused(journal_url, stranger):
    Journal.open(journal_url).close()
    with stranger.begin() as connection:
        connection.execute(
            text("INSERT INTO journal_schema VALUES (:v)"), {"v": SCHEMA_VERSION + 1}
        )
    with pytest.raises(JournalError, match=f"schema version {SCHEMA_VERSION + 1}, this hedgeflow"):
        Journal.open(journal_url)


def test_another_programs_database_is_refused_and_left_alone(journal_url, stranger):
    with stranger.begin() as connection:
        connection.execute(text("CREATE TABLE customers (name TEXT)"))
    with pytest.raises(JournalError, match="another program's"):
        Journal.open(journal_url)
    with stranger.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM customers")).scalar_one() == 0
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT count(*) FROM alerts"))


def test_an_empty_database_is_a_journal_only_to_those_who_may_create_one(journal_url, stranger):
    stranger.connect().close()
    with pytest.raises(JournalError):
        Journal.open(journal_url, create=False)
    Journal.open(journal_url).close()
    Journal.open(journal_url, create=False).close()


@pytest.mark.parametrize(
    "content", [b"date,price\n2026-01-01,100\n" * 100, b"SQLite format 3\x00torn"]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    with pytest.raises(JournalError, match="not a database") as caught:
        Journal.open(path)
    assert caught.value.where == str(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_foreign_sqlite_file_stays_as_it_is(tmp_path):
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(JournalError):
        Journal.open(path)
    assert path.read_bytes() == before


def test_a_reader_does_not_make_a_journal_of_a_wrong_path(tmp_path):
    path = tmp_path / "deep" / "journal.db"
    with pytest.raises(JournalError, match="no such journal"):
        Journal.open(path, create=False)
    assert not path.parent.exists()
    Journal.open(path).close()
    assert path.exists()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "lives in a file"),
        (":memory:", "lives in a file"),
        ("sqlite://", "lives in a file"),
    ],
)
def test_an_address_of_no_file_is_refused(address, says):
    with pytest.raises(JournalError, match=says):
        Journal.open(address)


def test_a_folder_is_no_journal(tmp_path):
    with pytest.raises(JournalError, match="is a folder"):
        Journal.open(tmp_path)


def test_a_reader_sees_one_state_throughout(begun, run, alert, journal_url):
    begun.append_alerts(run.run_id, [alert(0)])
    with Journal.open(journal_url) as other, reading(other._engine) as connection:
        assert read(connection, "alerts").height == 1
        begun.append_alerts(run.run_id, [alert(1)])
        assert read(connection, "alerts").height == 1
    assert begun.table("alerts").height == 2


def test_what_fails_half_way_is_not_kept_at_all(begun, run, alert):
    rows = row_frame("alerts", run.run_id, [alert(0)])

    def fail_after_two() -> None:
        with writing(begun._engine) as connection:
            append(connection, "alerts", rows)
            append(connection, "alerts", rows.with_columns(alert_id=pl.lit("a1")))
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_two()
    assert begun.table("alerts").is_empty()


def test_readers_do_not_wait_for_a_writer(begun, run, alert, journal_url, stranger):
    begun.append_alerts(run.run_id, [alert(0)])
    with begun._engine.execution_options(hedgeflow_writes=True).begin() as writer:
        writer.execute(text("INSERT INTO journal_schema VALUES (-1)"))
        with Journal.open(journal_url) as reader:
            assert reader.table("alerts").height == 1
        writer.rollback()


def test_a_commit_on_sqlite_is_on_the_disk(tmp_path):
    with Journal.open(tmp_path / "journal.db") as journal, journal._engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        found = [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in pragmas]
    assert found == ["wal", 2, 1, 1]


def test_a_damaged_page_is_reported_not_returned(tmp_path, trial):
    path = Path(tmp_path / "journal.db")
    with Journal.open(path) as journal:
        journal.record_trial(trial)
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(JournalError), Journal.open(path) as journal:
        journal.trials()
