"""Many writers at once, and writers that die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from hedgeflow.journal import ROW_TABLES, Journal
from hedgeflow.journal.rows import content_hash, row_frame

WRITERS = {"sqlite": 10, "postgresql": 50}
PROCESSES = 5
THREADS = 8

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
    with Journal.open(url) as journal:
        first = journal.record_trial(trial)
        mine = journal.record_trial(replace(trial, config_hash=f"mine-{me}"))
        again = journal.record_trial(replace(trial, config_hash=f"mine-{me}"))
        journal.begin_run(run)
        for batch in range(2):
            rows = [alert(f"{me}-{batch}-{n}") for n in range(10)]
            assert journal.append_alerts(run.run_id, rows) == 10
        assert journal.append_alerts(run.run_id, rows) == 0
        assert journal.record_run(replace(run, seed=me), **content)
    assert mine.is_new and not again.is_new
    return int(first.is_new), mine.configurations
mine = [int(number) for number in sys.argv[3:]]
with ThreadPoolExecutor(len(mine)) as pool:
    print(json.dumps(list(pool.map(write, mine))))
"""
)

HELD_OPEN = (
    HEAD
    + """
from hedgeflow.journal.rows import row_frame
from hedgeflow.journal.storage import writing
from hedgeflow.journal.writes import append, hold
journal = Journal.open(url)
journal.record_trial(trial)
journal.begin_run(run)
journal.append_alerts(run.run_id, [alert("kept")])
rows = row_frame("alerts", run.run_id, [alert(n) for n in range(20_000)])
with writing(journal._engine) as connection:
    hold(connection, run.run_id)
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
        environment = os.environ | {"POLARS_MAX_THREADS": "1"}  # many processes on few cores
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        )
        return started[-1]

    yield process
    for child in started:
        child.kill()
        child.communicate()


def test_fifty_writers_lose_nothing_and_double_nothing(journal_url, start, run):
    """Each has its own connection; they create the journal, and share a trial, a run, a count."""
    writers = WRITERS[journal_url.partition(":")[0]]
    names = [str(number) for number in range(100, 100 + writers)]
    children = [start(ONE_OF_MANY, *names[part::PROCESSES]) for part in range(PROCESSES)]
    told = [result for child in children for result in json.loads(child.stdout.read())]
    assert [child.wait() for child in children] == [0] * PROCESSES
    assert sum(is_first for is_first, _ in told) == 1
    assert sorted(counted for _, counted in told) == list(range(2, writers + 2))
    with Journal.open(journal_url, create=False) as journal:
        assert journal.count_trials("data-1") == 1 + writers
        shared = journal.table("alerts", run.run_id)["alert_id"].to_list()
        assert sorted(shared) == sorted(
            f"{me}-{batch}-{n}" for me in names for batch in range(2) for n in range(10)
        )
        runs = journal.runs().filter("complete")
        assert sorted(runs["seed"]) == [int(name) for name in names]
        for run_id in runs["run_id"]:
            check_seals(journal, run_id)


def test_a_journal_that_all_open_at_once_is_created_once(journal_url, trial):
    together = Barrier(THREADS)

    def create(_):
        together.wait()
        with Journal.open(journal_url) as journal:
            return journal.record_trial(trial).is_new

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(create, range(THREADS))) == 1


def test_threads_share_a_journal_without_loss(begun, run, another_run, alert, content):
    def write(me):
        for batch in range(10):
            numbers = range(1_000 * me + 10 * batch, 1_000 * me + 10 * batch + 10)
            begun.append_alerts(run.run_id, [alert(number) for number in numbers])
        return begun.record_run(another_run(100), **content(5))

    with ThreadPoolExecutor(THREADS) as pool:
        written = list(pool.map(write, range(THREADS)))
    assert sum(written) == 1
    assert begun.table("alerts", run.run_id).height == THREADS * 100
    assert begun.table("trades").height == 5


def test_a_process_killed_in_a_transaction_leaves_the_last_commit(journal_url, start, run, alert):
    child = start(HELD_OPEN)
    assert child.stdout.readline() == "in the middle\n"
    with Journal.open(journal_url, create=False) as journal, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(journal.append_alerts, run.run_id, [alert(1)])
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        assert journal.table("alerts")["alert_id"].to_list() == ["kept"]
        child.kill()
        assert child.wait() == -9
        assert waiting.result(timeout=60) == 1
        assert journal.table("alerts")["alert_id"].to_list() == ["kept", "a1"]


def test_a_process_killed_at_any_moment_leaves_whole_runs(journal_url, start, content):
    child = start(RUN_AFTER_RUN)
    seen = [int(child.stdout.readline()) for _ in range(10)]
    child.kill()
    child.wait()
    with Journal.open(journal_url, create=False) as journal:
        runs = journal.runs()
        assert set(seen) <= set(runs["seed"])
        assert runs["complete"].all()
        for run_id in runs["run_id"]:
            check_seals(journal, run_id)
        if journal_url.startswith("sqlite"):
            with journal._engine.connect() as connection:
                assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"


def check_seals(journal: Journal, run_id: str) -> None:
    """A complete run's rows are those that its seals say."""
    seals = journal.table("seals", run_id)
    assert sorted(seals["table_name"]) == sorted(ROW_TABLES)
    for name in ROW_TABLES:
        rows = journal.table(name, run_id)
        sealed = seals.filter(table_name=name).row(0, named=True)
        assert rows.height == sealed["row_count"]
        assert content_hash(name, row_frame(name, run_id, rows)) == sealed["content_hash"]
