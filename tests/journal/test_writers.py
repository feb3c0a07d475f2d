"""Many writers at once, and writers that die."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from hedgeflow.journal import ROW_TABLES, Journal
from hedgeflow.journal.rows import content_hash, row_frame

WRITERS = 8

HEAD = """
import json, sys, time
from dataclasses import replace
from hedgeflow.journal import Journal, Run, Trial
url, content = sys.argv[1], json.loads(sys.argv[2])
trial = Trial("data-1", "config-1", "0.1.0", "volume_shock", '{"preset": "normalized"}', 1_000)
run = Run("data-1", "config-1", "0.1.0", "volume_shock", "normalized", "BTC", 7, simulated=True)
def alert(number):
    return content["alerts"][0] | {"alert_id": str(number)}
"""

ONE_OF_MANY = (
    HEAD
    + """
from concurrent.futures import ThreadPoolExecutor
def write(me):
    journal.record_trial(trial)
    journal.record_trial(replace(trial, config_hash=f"mine-{me}"))
    journal.begin_run(run)
    for batch in range(5):
        journal.append_alerts(run.run_id, [alert(f"{me}-{batch}-{n}") for n in range(20)])
    journal.record_run(replace(run, seed=me), **content)
with Journal.open(url) as journal, ThreadPoolExecutor(4) as pool:
    list(pool.map(write, [int(number) for number in sys.argv[3:]]))
"""
)

HELD_OPEN = (
    HEAD
    + """
from hedgeflow.journal.rows import row_frame
from hedgeflow.journal.storage import writing
from hedgeflow.journal.writes import append
journal = Journal.open(url)
journal.record_trial(trial)
journal.begin_run(run)
journal.append_alerts(run.run_id, [alert("kept")])
rows = row_frame("alerts", run.run_id, [alert(n) for n in range(20_000)])
with writing(journal._engine) as connection:
    append(connection, "alerts", rows)
    print("in the middle", flush=True)
    time.sleep(60)
"""
)

RUN_AFTER_RUN = (
    HEAD
    + """
journal = Journal.open(url)
journal.record_trial(trial)
for seed in range(100_000):
    journal.record_run(replace(run, seed=seed), **content)
    print(seed, flush=True)
"""
)


@pytest.fixture
def start(journal_url, content):
    started = []

    def process(script, *arguments):
        command = [sys.executable, "-c", script, journal_url, json.dumps(content(2)), *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield process
    for child in started:
        child.kill()
        child.communicate()


def test_processes_create_and_write_one_journal_without_loss(journal_url, start):
    names = [str(number) for number in range(100, 100 + WRITERS)]
    children = [start(ONE_OF_MANY, *names[:4]), start(ONE_OF_MANY, *names[4:])]
    for child in children:
        child.communicate(timeout=60)
    assert [child.returncode for child in children] == [0, 0]
    with Journal.open(journal_url, create=False) as journal:
        assert journal.count_trials("data-1") == 1 + WRITERS
        assert journal.table("alerts").height == WRITERS * (5 * 20 + 2)
        assert journal.runs()["complete"].sum() == WRITERS


def test_a_journal_that_all_open_at_once_is_created_once(journal_url, trial):
    together = Barrier(WRITERS)

    def create(_):
        together.wait()
        with Journal.open(journal_url) as journal:
            return journal.record_trial(trial).is_new

    with ThreadPoolExecutor(WRITERS) as pool:
        assert sum(pool.map(create, range(WRITERS))) == 1


def test_threads_share_a_journal_without_loss(begun, run, another_run, alert, content):
    def write(me):
        for batch in range(10):
            numbers = range(1_000 * me + 10 * batch, 1_000 * me + 10 * batch + 10)
            begun.append_alerts(run.run_id, [alert(number) for number in numbers])
        return begun.record_run(another_run(100), **content(5))

    with ThreadPoolExecutor(WRITERS) as pool:
        written = list(pool.map(write, range(WRITERS)))
    assert sum(written) == 1
    assert begun.table("alerts", run.run_id).height == WRITERS * 100
    assert begun.table("trades").height == 5


def test_a_process_killed_in_a_transaction_leaves_the_last_commit(journal_url, start, run, alert):
    child = start(HELD_OPEN)
    assert child.stdout.readline() == "in the middle\n"
    child.kill()
    assert child.wait() == -9
    with Journal.open(journal_url, create=False) as journal:
        assert journal.table("alerts")["alert_id"].to_list() == ["kept"]
        assert journal.append_alerts(run.run_id, [alert(1)]) == 1


def test_a_process_killed_at_any_moment_leaves_whole_runs(journal_url, start, content):
    child = start(RUN_AFTER_RUN)
    seen = [int(child.stdout.readline()) for _ in range(20)]
    child.kill()
    child.wait()
    with Journal.open(journal_url, create=False) as journal:
        runs = journal.runs()
        assert set(seen) <= set(runs["seed"])
        assert runs["complete"].all()
        for run_id in runs["run_id"]:
            for name in ROW_TABLES:
                seal = journal.table("seals", run_id).filter(table_name=name)
                rows = journal.table(name, run_id)
                assert content_hash(name, row_frame(name, run_id, rows)) == seal["content_hash"][0]
        if journal_url.startswith("sqlite"):
            with journal._engine.connect() as connection:
                assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
