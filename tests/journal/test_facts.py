from __future__ import annotations

import time

import pytest
from sqlalchemy import inspect

from hedgeflow.journal import ROW_TABLES, SCHEMA_VERSION, Journal, JournalError, journal_facts


def test_a_journal_is_described_by_what_it_holds(begun, journal_url, run, content):
    begun.record_run(run, **content(3))
    facts = journal_facts(journal_url, time.time_ns)
    assert facts.schema_version == SCHEMA_VERSION
    assert facts.rows == {
        "trials": 1, "runs": 1, "seals": len(ROW_TABLES), "anomalies": 3, "alerts": 3,
        "decisions": 3, "trades": 3, "ledger_entries": 6, "predictions": 0, "data_sets": 0,
        "registrations": 0, "vaults": 0, "vault_openings": 0,
    }  # fmt: skip
    kind = "SQLite" if journal_url.startswith("sqlite") else "PostgreSQL"
    assert facts.database.split()[0] == kind
    assert facts.database.split()[1][0].isdigit()


def test_the_servers_clock_is_compared_with_ours(postgresql_url):
    for ahead in (0.0, -3600.0):
        clock = time.time_ns if not ahead else lambda: time.time_ns() + 3_600_000_000_000
        found = journal_facts(postgresql_url, clock).clock_ahead_seconds
        assert found == pytest.approx(ahead, abs=1.0)


def test_a_file_has_no_clock_of_its_own(tmp_path):
    Journal.open(tmp_path / "journal.db").close()
    assert journal_facts(tmp_path / "journal.db", time.time_ns).clock_ahead_seconds is None


def test_looking_at_an_empty_database_leaves_it_empty(postgresql_url, stranger_to):
    facts = journal_facts(postgresql_url, time.time_ns)
    assert (facts.schema_version, facts.rows) == (None, {})
    assert inspect(stranger_to(postgresql_url)).get_table_names() == []


def test_looking_for_a_file_does_not_make_one(tmp_path):
    with pytest.raises(JournalError, match="no such journal"):
        journal_facts(tmp_path / "journal.db", time.time_ns)
    assert not list(tmp_path.iterdir())
