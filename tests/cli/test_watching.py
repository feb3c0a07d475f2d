"""hedgeflow watch as users run it: it follows a journal that grows and stops when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest
from sqlalchemy import create_engine, text

from builders.program import PROGRAM
from hedgeflow.journal import SCHEMA_VERSION, Journal
from studies.test_watching import RUN, RUN_ID, TRIAL, append, deposit, rows

PATIENCE_SECONDS = 60.0


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "journal.sqlite"
    with Journal.open(path) as record:
        record.record_trial(TRIAL)
        record.begin_run(RUN)
        deposit(record)
        append(record, rows(0, 0))
    return path


def test_each_look_says_what_is_there(run, journal, tmp_path):
    out = tmp_path / "reviews"
    done = run("watch", "--journal", journal, "--once", "--out", out)
    assert done.returncode == 0
    assert f"SIMULATED run {RUN_ID}: 1 trade, win rate 100.0 %" in done.stdout
    with Journal.open(journal) as record:
        append(record, rows(1, 1, won=False))
    told = json.loads(run("watch", "--journal", journal, "--once", "--out", out, "--json").stdout)
    assert told["rows"]["trades"] == 2
    assert told["win_rate"]["value"] == pytest.approx(0.5)
    assert told["simulated"] is True
    assert told["reviews"], "rows came after the week was reviewed: it is corrected"


def test_it_follows_a_journal_that_grows_and_ends_at_ctrl_c(journal, tmp_path):
    out = tmp_path / "reviews"
    command = [*PROGRAM, "watch", "--journal", journal, "--out", out, "--every", "0.2", "--json"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    watcher = subprocess.Popen(
        [str(each) for each in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip
    try:
        assert json.loads(watcher.stdout.readline())["rows"]["trades"] == 1
        with Journal.open(journal) as record:
            append(record, rows(1, 1))
        begun = time.monotonic()
        while json.loads(watcher.stdout.readline())["rows"]["trades"] < 2:
            assert time.monotonic() - begun < PATIENCE_SECONDS
        watcher.send_signal(signal.SIGINT)
        _, errors = watcher.communicate(timeout=PATIENCE_SECONDS)
    finally:
        watcher.kill()
        watcher.wait()
    assert watcher.returncode == 130
    assert errors.strip().splitlines()[-1] == (
        "hedgeflow: stopped; nothing half-written is left behind"
    )
    assert "Traceback" not in errors
    assert {path.suffix for path in (out / RUN_ID).iterdir()} == {".html", ".json", ".md"}


def test_what_cannot_be_watched_is_refused(refused, run, journal, tmp_path):
    assert run("watch").returncode == 2
    code, words = refused("watch", "--journal", tmp_path / "none.sqlite", "--once")
    assert code == 7
    assert "no such journal" in words
    code, words = refused("watch", "--journal", journal, "--run", "nonsense", "--once")
    assert code == 7
    assert "there is no run nonsense" in words
    code, words = refused("watch", "--journal", journal, "--strategy", "other", "--once")
    assert code == 5


def test_a_journal_of_a_newer_schema_is_refused(refused, journal):
    engine = create_engine(f"sqlite:///{journal}")
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO journal_schema VALUES (:v)"), {"v": SCHEMA_VERSION + 1}
        )
    engine.dispose()
    code, words = refused("watch", "--journal", journal, "--once")
    assert code == 7
    assert f"schema version {SCHEMA_VERSION + 1}" in words
