"""The commands write the same record into PostgreSQL as into SQLite, and evidence is the same."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from pathlib import Path

import pytest

from builders.program import runner
from hedgeflow.journal import ROW_TABLES, Journal
from hedgeflow.journal.tables import ORDER
from hedgeflow.market.catalog import Catalog
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.studies import load_market, validate, write_validation

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "keep-the-journal-in-postgresql.md"
FENCE = re.compile(r"^```(sql|shell)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDRESS = "postgresql://quant@db.example/journal"
NOW = "2025-06-01T00:00:00Z"


@pytest.fixture
def run(capsys):
    """Return a function that runs a command and returns its exit code and all that it printed."""
    run_command = runner(capsys)

    def run_both(*words: object) -> tuple[int, str]:
        done = run_command(*words)
        return done.returncode, done.stdout + done.stderr

    return run_both


def test_scan_and_explain_say_the_same_of_both_databases(
    run, simulated_copy, tmp_path, postgresql_url
):
    said: dict[str, list[str]] = {}
    for url in (tmp_path / "journal.db", postgresql_url):
        common = ("--catalog", simulated_copy, "--journal", url, "--json")
        code, scanned = run("scan", "--underlying", "SIM", *common)
        assert code == 0, scanned
        alert = json.loads(scanned)["alerts"][0]["alert_id"]
        code, explained = run("explain", alert, *common)
        assert code == 0, explained
        said[str(url)] = [scanned, explained]
    by_file, by_server = said.values()
    assert by_file == by_server
    assert not (simulated_copy / "journal.sqlite").exists()
    assert_same_rows(tmp_path / "journal.db", postgresql_url)


def test_evidence_is_the_same_to_the_last_byte(simulated_copy, tmp_path, postgresql_url):
    packages: list[dict[str, bytes]] = []
    config = load_config(None, None, ["null.draws_on_ticks=100"])
    for number, url in enumerate((tmp_path / "journal.db", postgresql_url)):
        market = load_market(Catalog.open(simulated_copy), "SIM", config)
        with Journal.open(url) as journal:
            result = validate(market, config, journal)
        report = write_validation(result, tmp_path / str(number), NOW)
        packages.append({path.name: path.read_bytes() for path in report.parent.iterdir()})
    assert packages[0].keys() == packages[1].keys()
    assert [name for name, bytes_ in packages[0].items() if packages[1][name] != bytes_] == []
    assert_same_rows(tmp_path / "journal.db", postgresql_url)
    with Journal.open(postgresql_url) as journal:
        assert journal.runs()["complete"].all()
        assert all(journal.table(name).height for name in ROW_TABLES)
        anomalies, alerts = journal.table("anomalies"), journal.table("alerts")
        assert set(alerts["event_id"]) <= set(anomalies["event_id"])


def assert_same_rows(one: object, other: object) -> None:
    with Journal.open(str(one)) as first, Journal.open(str(other)) as second:
        for name in ORDER:  # all but the instant at which a trial was recorded
            rows, others = (each.table(name).drop("recorded_ns", strict=False)
                            for each in (first, second))  # fmt: skip
            assert rows.equals(others), name


def test_a_server_that_is_not_there_ends_a_command_in_one_line(run, simulated_copy):
    url = "postgresql://quant:hush@127.0.0.1:1/journal"
    code, said = run("scan", "--catalog", simulated_copy, "--underlying", "SIM", "--journal", url)
    assert code == 7
    assert said.startswith("hedgeflow: postgresql://quant@127.0.0.1:1/journal: ")
    assert len(said.splitlines()) == 1
    assert "hush" not in said


def test_doctor_looks_at_the_journal_that_is_named(run, postgresql_url, monkeypatch):
    monkeypatch.setenv("HEDGEFLOW_JOURNAL", postgresql_url)
    code, said = run("doctor", "--json")
    assert code == 0
    assert "PostgreSQL" in said
    assert "is empty; the first run makes its tables" in said
    Journal.open(postgresql_url).close()
    code, said = run("doctor", "--json")
    found = [each["text"] for each in json.loads(said) if each["what"] == "journal"]
    assert re.search(r": 0 runs, 0 trials, 0 rows, schema version \d+$", found[0])
    assert re.fullmatch(r"its server's clock is [+-]0\.\d{3} s from this one", found[1])
    code, said = run("doctor", "--json", "--journal", "postgresql://quant:hush@127.0.0.1:1/none")
    assert code == 1
    assert "hush" not in said


def test_the_page_on_postgresql_does_what_it_says(
    run, postgresql, simulated_copy, monkeypatch, tmp_path
):
    def real(text: str) -> str:
        return text.replace(ADDRESS, postgresql.url("journal", "quant"))

    ran: list[str] = []
    with contextlib.chdir(tmp_path):
        for language, block in FENCE.findall(PAGE.read_text(encoding="utf-8")):
            if language == "sql":
                database = "journal" if "GRANT" in block else "postgres"
                if database == "journal":
                    postgresql.execute("CREATE ROLE analyst LOGIN")
                for statement in block.strip().split(";\n"):
                    postgresql.execute(statement, database)
                continue
            for line in block.splitlines():
                words = [real(word) for word in shlex.split(line)]
                words = ["SIM" if word == "BTC" else word for word in words]
                if words[0] == "export":
                    monkeypatch.setenv(*words[1].split("=", 1))
                    continue
                if "ALERT" in words:
                    words[words.index("ALERT")] = first_alert(real(ADDRESS))
                code, said = run(*words[1:])
                assert code == 0, f"{line}\n{said}"
                ran.append(words[1])
    assert ran == ["doctor", "scan", "explain", "backtest", "doctor"]
    with Journal.open(postgresql.url("journal", "analyst")) as journal:
        assert journal.runs()["complete"].to_list() == [True]


def first_alert(url: str) -> str:
    with Journal.open(url, create=False) as journal:
        return str(journal.table("alerts")["alert_id"][0])
