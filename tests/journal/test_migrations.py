"""Journals of older schema versions: files that their releases wrote, the same in PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from hedgeflow.journal import (
    ROW_TABLES,
    SCHEMA_VERSION,
    DataSet,
    HoldOut,
    Journal,
    JournalError,
    journal_facts,
)
from hedgeflow.journal.tables import METADATA, ORDER

FOLDER = Path(__file__).parent
TABLES_1 = ("trials", "runs", "seals", "alerts", "decisions", "trades", "ledger_entries")
TABLES = {1: TABLES_1, 2: (*TABLES_1, "anomalies")}
NEW = ("data_sets", "registrations", "vaults", "vault_openings", "predictions")
EVERY_VERSION = list(range(1, SCHEMA_VERSION + 1))
SEED_BEGUN = 2**62
NOBODY = 65_534


def released(version: int) -> str:
    """Return the journal that a release wrote, as SQL."""
    return (FOLDER / f"schema_{version}.sql").read_text(encoding="utf-8")


def released_rows(version: int = 1) -> dict[str, list[dict[str, Any]]]:
    """Return what the released journal holds, read without any code of the journal."""
    file = sqlite3.connect(":memory:")
    file.row_factory = sqlite3.Row
    file.executescript(released(version))
    rows = {
        name: [dict(row) for row in file.execute(f"SELECT * FROM {name}")]
        for name in TABLES[version]
    }
    file.close()
    return rows


def make_old(url: str, version: int, stranger) -> str:
    """Make a journal of an older schema version at an address, and return the address."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"))
        file.executescript(released(version))
        file.close()
        return url
    tables = [METADATA.tables[name] for name in ("journal_schema", *TABLES[version])]
    with stranger.begin() as connection:
        METADATA.create_all(connection, tables)
        connection.execute(METADATA.tables["journal_schema"].insert().values(version=version))
        for name, rows in released_rows(version).items():
            if name == "runs":
                for row in rows:
                    row["simulated"] = bool(row["simulated"])
            connection.execute(METADATA.tables[name].insert(), rows)
    return url


@pytest.fixture
def old(journal_url, stranger):
    """Return the address of a journal of schema version 1."""
    return make_old(journal_url, 1, stranger)


@pytest.fixture
def old_2(journal_url, stranger):
    """Return the address of a journal of schema version 2."""
    return make_old(journal_url, 2, stranger)


def versions(stranger) -> list[int]:
    with stranger.connect() as connection:
        return sorted(connection.execute(text("SELECT version FROM journal_schema")).scalars())


def refuse_new_version(stranger) -> None:
    """Let the database refuse the last statement of an upgrade."""
    refuses = "BEFORE INSERT ON journal_schema"
    if stranger.dialect.name == "sqlite":
        statement = f"CREATE TRIGGER t {refuses} BEGIN SELECT RAISE(ABORT, 'not today'); END"
    else:
        statement = (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'not today'; END $$; "
            f"CREATE TRIGGER t {refuses} FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    with stranger.begin() as connection:
        connection.execute(text(statement))


def shape(stranger) -> dict[str, Any]:
    """Return everything that a database knows of its tables, indexes, rules and triggers."""
    here = "current_schema()"
    questions = {
        "sqlite": ["SELECT type, name, tbl_name FROM sqlite_master"],
        "postgresql": [
            (
                "SELECT table_name, column_name, data_type, coalesce(collation_name, '')"
                f" FROM information_schema.columns WHERE table_schema = {here}"
            ),
            (
                "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
                f" FROM pg_constraint WHERE connamespace = {here}::regnamespace"
            ),
            (
                "SELECT relname, tgname, tgtype, tgfoid::regproc::text"
                " FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid"
                f" WHERE NOT tgisinternal AND relnamespace = {here}::regnamespace"
            ),
        ],
    }
    with stranger.connect() as connection:
        names = sorted(inspect(connection).get_table_names())
        found: dict[str, Any] = {
            name: (
                [column | {"type": str(column["type"])}
                 for column in inspect(connection).get_columns(name)],
                inspect(connection).get_pk_constraint(name)["constrained_columns"],
                inspect(connection).get_check_constraints(name),
            )
            for name in names
        }  # fmt: skip
        found["rest"] = [
            sorted(map(tuple, connection.execute(text(question))))
            for question in questions[stranger.dialect.name]
        ]
    return found


def test_a_journal_of_the_first_release_opens_with_all_that_it_held(old, stranger):
    with Journal.open(old) as journal:
        for name, rows in released_rows().items():
            expected = sorted(rows, key=lambda row: [row[column] for column in ORDER[name]])
            assert journal.table(name).to_dicts() == expected
        assert all(journal.table(name).is_empty() for name in ("anomalies", *NEW))
    assert versions(stranger) == EVERY_VERSION


def test_a_journal_of_the_second_release_opens_with_all_that_it_held(old_2, stranger, run, content):
    with Journal.open(old_2) as journal:
        for name, rows in released_rows(2).items():
            expected = sorted(rows, key=lambda row: [row[column] for column in ORDER[name]])
            assert journal.table(name).to_dicts() == expected
        assert all(journal.table(name).is_empty() for name in NEW)
        assert journal.record_run(run, **content(2)) is False  # complete, and the same again
    assert versions(stranger) == EVERY_VERSION[1:]


def test_a_reader_of_an_old_journal_brings_it_to_the_present_too(old, stranger):
    with Journal.open(old, create=False) as journal:
        assert journal.alert("a1", journal.runs()["run_id"][0])["demand"] == 0.1 + 0.2
    assert versions(stranger) == EVERY_VERSION


@pytest.mark.parametrize("fixture", ["old", "old_2"])
def test_an_upgraded_journal_has_the_shape_of_a_new_one(fixture, stranger, request, stranger_to):
    old = request.getfixturevalue(fixture)
    Journal.open(old).close()
    if stranger.dialect.name == "sqlite":
        new = f"{old}.new"
    else:
        new = request.getfixturevalue("postgresql").new_schema()
    Journal.open(new).close()
    assert shape(stranger) == shape(stranger_to(new))
    with stranger.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_the_new_table_refuses_changes_as_the_others_do(old, stranger, run, anomaly):
    begun = replace(run, seed=SEED_BEGUN)
    with Journal.open(old) as journal:
        journal.append_anomalies(begun.run_id, [anomaly(0)])
    with (
        pytest.raises(DBAPIError, match="append-only: anomalies refuses DELETE"),
        stranger.begin() as connection,
    ):
        connection.execute(text("DELETE FROM anomalies"))


def test_vaults_and_predictions_of_an_old_journal_refuse_changes_too(
    old_2, stranger, run, prediction, opening, hypothesis
):
    with Journal.open(old_2) as journal:
        journal.append_predictions(run.run_id, [prediction(0)])
        journal.record_data_set(DataSet("data-1", "tape", 1, 2))
        journal.declare_vault(HoldOut("tape", 10, 20, 5))
        vault = journal.vaults()[0]
        journal.open_vault(vault.vault_id, opening)
        journal.register(hypothesis)
    for name in NEW:
        with (
            pytest.raises(DBAPIError, match=f"append-only: {name} refuses DELETE"),
            stranger.begin() as connection,
        ):
            connection.execute(text(f"DELETE FROM {name}"))


def test_a_run_that_the_first_release_completed_stays_complete(old, run, content):
    rows = {name: [] for name in ROW_TABLES}
    rows |= {name: given for name, given in released_rows().items() if name in ROW_TABLES}
    for name in ROW_TABLES:
        rows[name] = [row for row in rows[name] if row.get("run_id") == run.run_id]
    with Journal.open(old) as journal:
        assert journal.begin_run(run) is True
        assert journal.record_run(run, **rows) is False
        with pytest.raises(JournalError, match="The run is complete"):
            journal.append_anomalies(run.run_id, content(1)["anomalies"])
        rows["alerts"][0] |= {"pressure": 99.0}
        with pytest.raises(JournalError, match=r"pressure was 23\.5, is 99\.0"):
            journal.record_run(run, **rows)


def test_a_run_that_the_first_release_only_began_is_completed_with_its_anomalies(old, run, content):
    begun = replace(run, seed=SEED_BEGUN)
    with Journal.open(old) as journal:
        assert journal.record_run(begun, **content(1)) is True
        assert journal.table("anomalies", begun.run_id).height == 1


def test_an_upgrade_that_fails_leaves_the_journal_as_it_was(old, stranger):
    refuse_new_version(stranger)
    before = shape(stranger)
    with pytest.raises(
        JournalError, match=r"schema version 1 and cannot be brought to 3: .*not today"
    ):
        Journal.open(old)
    assert shape(stranger) == before
    assert not {"anomalies", *NEW} & before.keys()
    assert versions(stranger) == [1]


def test_all_who_open_an_old_journal_at_once_upgrade_it_once(old, stranger):
    together = Barrier(6)

    def count(_):
        together.wait()
        with Journal.open(old) as journal:
            return journal.count_trials("data-1")

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(count, range(6))) == [2] * 6
    assert versions(stranger) == EVERY_VERSION


def test_looking_at_an_old_journal_does_not_upgrade_it(old, stranger):
    facts = journal_facts(old, time.time_ns)
    assert facts.schema_version == 1
    assert facts.rows == {name: len(rows) for name, rows in released_rows().items()}
    assert versions(stranger) == [1]


def test_an_old_journal_that_can_only_be_read_is_refused_with_what_to_do(as_nobody):
    folder = as_nobody
    path = folder / "journal.db"
    with pytest.raises(
        JournalError, match=r"schema version 1 and cannot be brought to 3: .*readonly.*a copy of it"
    ):
        Journal.open(path, create=False)
    with pytest.raises(JournalError, match="readonly"):
        Journal.open(path)


@pytest.fixture
def as_nobody():
    """Return a folder with an old journal that this process may read but not write."""
    folder = Path(tempfile.mkdtemp())
    file = sqlite3.connect(folder / "journal.db")
    file.executescript(released(1))
    file.close()
    (folder / "journal.db").chmod(0o444)
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)  # to root nothing is read-only
    yield folder
    if is_root:
        os.seteuid(0)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_an_old_journal_on_a_read_only_database_is_refused_with_what_to_do(postgresql, old_there):
    url = f"{old_there}%20-cdefault_transaction_read_only%3Don"
    with pytest.raises(
        JournalError, match=r"cannot be brought to 3: .*read-only transaction.*name the primary"
    ):
        Journal.open(url)


@pytest.fixture
def old_there(postgresql_url, stranger_to):
    with stranger_to(postgresql_url).begin() as connection:
        METADATA.create_all(connection, [METADATA.tables[n] for n in ("journal_schema", *TABLES_1)])
        connection.execute(METADATA.tables["journal_schema"].insert().values(version=1))
    return postgresql_url
