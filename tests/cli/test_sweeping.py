"""`hedgeflow sweep` and `walk-forward` as users run them: results, refusals, Ctrl-C, going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import polars as pl
import pytest

from builders.program import PROGRAM
from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import scenario, write_to_catalog

GRID = ["--grid", "plan.stop_high_points=6,8", "--grid", "plan.stop_low_points=9,12", "--jobs", "1"]
QUIET = {
    "option_flow.trades_per_day": 3000.0,
    "future.trades_per_day": 4000.0,
    "future.quote_interval_seconds": 10.0,
}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """Return a simulated catalog of six sessions, which no test writes to."""
    root = tmp_path_factory.mktemp("market") / "catalog"
    write_to_catalog(scenario("calibration", QUIET, days=6), Catalog.create_or_open(root))
    return root


@pytest.fixture
def run(run, catalog, tmp_path):
    """Return a function that runs a command and returns exit code, output and errors."""

    def run_command(command: str, *options: object) -> tuple[int, str, str]:
        words = (command, "volume-shock", "--catalog", catalog, "--underlying", "SIM")
        return run(*words, "--journal", tmp_path / "journal.sqlite", *options)

    return run_command


def test_a_sweep_writes_its_folder_and_a_page_and_says_what_is_left(run, tmp_path):
    out, page = tmp_path / "out", tmp_path / "page.md"
    code, said, _ = run("sweep", "--out", out, *GRID, "--page", page)
    assert code == 0
    assert said.startswith("SIMULATED")
    assert "4 configurations were tried here" in said
    assert "What is left: " in said
    assert "1 scans and the replays" in said
    assert sorted(each.name for each in out.iterdir()) == [
        "configurations.parquet", "daily_net.parquet", "sweep.html", "sweep.json",
    ]  # fmt: skip
    assert pl.read_parquet(out / "configurations.parquet").height == 4
    assert "SIMULATED" in page.read_text(encoding="utf-8")


def test_a_sweep_made_again_runs_nothing_and_says_the_same(run, tmp_path):
    out = tmp_path / "out"
    first = json.loads(run("sweep", "--out", out, *GRID, "--json")[1])
    _, said, _ = run("sweep", "--out", out, *GRID)
    assert "4 configurations, 4 of them known to the journal; no scan was needed." in said
    again = json.loads((out / "sweep.json").read_text(encoding="utf-8"))
    assert {**again, "timestamp": ""} == {
        **{key: value for key, value in first.items() if key != "page"}, "timestamp": "",
    }  # fmt: skip


def test_a_walk_forward_writes_its_folder(run, tmp_path):
    out = tmp_path / "out"
    fold = ["--train-sessions", "2", "--test-sessions", "2", "--anchored"]
    code, said, _ = run("walk-forward", "--out", out, *fold, *GRID)
    assert code == 0
    assert said.startswith("SIMULATED")
    document = json.loads((out / "walk_forward.json").read_text(encoding="utf-8"))
    assert document["anchored"] is True
    assert len(document["folds"]) == 2
    assert pl.read_parquet(out / "trades.parquet").height == document["stitched"]["trades"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "name either --grid or --random, not neither"),
        (["--grid", "anomaly.ratio=3", "--random", "2"], 2, "not both"),
        (["--grid", "anomaly.ratio=3", "--space", "anomaly.ratio=3:4"], 2, "go with --random"),
        (["--random", "0"], 5, "0 configurations cannot be drawn"),
        (["--random", "-3"], 5, "-3 configurations cannot be drawn"),
        (["--grid", "anomaly.rato=3"], 5, "'anomaly.rato' is not a setting"),
        (["--grid", "anomaly.ratio="], 5, "'anomaly.ratio' has no values"),
        (["--random", "2", "--space", "anomaly.ratio=5:3"], 5, "no values from 5 to 3"),
        (["--random", "2", "--scans", "0"], 5, "0 scans cannot be drawn"),
        ([*GRID, "--objective", "profit"], 5, "'profit' is no objective"),
        ([*GRID, "--from", "yesterday"], 5, "'yesterday' is no date"),
        ([*GRID, "--from", "2025-01-09", "--until", "2025-01-08"], 5, "is not before 2025-01-08"),
        ([*GRID, "--until", "2020-01-01"], 4, "nothing was recorded before 2020-01-01"),
        ([*GRID, "--jobs", "0"], 2, "jobs"),
        ([*GRID, "--page", "."], 3, "this is a folder"),
        ([*GRID, "--preset", "sauce"], 5, "no preset 'sauce'"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_is_tried(
    run, tmp_path, monkeypatch, options, code, words
):
    monkeypatch.chdir(tmp_path)
    found, _, said = run("sweep", "--out", tmp_path / "out", *options)
    assert found == code
    assert words in said
    assert not (tmp_path / "out").exists()
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        assert journal.trials().is_empty()


def test_a_walk_forward_of_too_few_sessions_is_refused(run, tmp_path):
    code, _, said = run("walk-forward", "--out", tmp_path / "out", *GRID)
    assert (code, said.count("\n")) == (3, 1)
    assert "a fold needs 20 + 5 sessions, there are 5" in said
    code, _, said = run("walk-forward", "--out", tmp_path / "out", *GRID, "--embargo-minutes", "-1")
    assert (code, said.count("\n")) == (5, 1)


def test_a_folder_of_something_else_is_left_alone(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    for command, name in (("sweep", "sweep.json"), ("walk-forward", "walk_forward.json")):
        code, _, said = run(command, "--out", tmp_path / "out", *GRID)
        assert (code, said.count("\n")) == (6, 1)
        assert f"holds no {name}" in said
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["notes.txt"]


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a POSIX signal here")
def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(catalog, tmp_path):
    journal = tmp_path / "journal.sqlite"
    words = [
        "sweep",
        "volume-shock",
        "--catalog",
        catalog,
        "--underlying",
        "SIM",
        "--random",
        "400",
    ]
    words += ["--jobs", "2", "--journal", journal, "--out", tmp_path / "out"]
    process = subprocess.Popen(
        [*PROGRAM, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 180.0
    while complete(journal) < 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=180)
    done = complete(journal)
    assert process.returncode == 130
    assert "stopped" in said
    assert 1 <= done < 400
    assert not (tmp_path / "out").exists()
    time.sleep(0.5)
    assert complete(journal) == done  # no process is left at work


def complete(path) -> int:
    if not path.exists():
        return 0
    with Journal.open(path) as journal:
        return int(journal.runs()["complete"].sum())
