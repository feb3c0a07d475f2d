"""`hedgeflow calibrate-judge` as users run it: results kept, pages made again, refusals, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from functools import partial

import polars as pl
import pytest

from builders.program import PROGRAM
from hedgeflow.simulate import scenario
from hedgeflow.studies.judge import read_results

TINY = """
preset = "calibration"
days = 2
[option_flow]
trades_per_day = 300.0
[future]
trades_per_day = 500.0
quote_interval_seconds = 60.0
"""
FEW = ["--null-seeds", "1", "--side-seeds", "1", "--effect-seeds", "1", "--effects", "0,60"]


EXPIRATIONS = ["--strategy", "expiration-pressure"]
FRIDAYS = """
preset = "expiry-friday"
days = 10
[settings.pressure]
quantile_expiries = 1
"""


@pytest.fixture
def run(run):
    """Return a function that runs the command and returns exit code, output and errors."""
    return partial(run, "calibrate-judge")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Return a folder with the scenario, results and page of a tiny calibration."""
    folder = tmp_path_factory.mktemp("judge")
    (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
    options = ["--scenario", "tiny.toml", "--workers", "2", "--results", "r.parquet"]
    subprocess.run(
        [*PROGRAM, "calibrate-judge", *options, *FEW, "--out", "new/page.md"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="module")
def expired(tmp_path_factory):
    """Return a folder with the results and page of a tiny calibration on expirations."""
    folder = tmp_path_factory.mktemp("expiries")
    (folder / "fridays.toml").write_text(FRIDAYS, encoding="utf-8")
    options = ["--scenario", "fridays.toml", "--workers", "2", "--results", "r.parquet"]
    few = ["--null-seeds", "1", "--effect-seeds", "1"]
    subprocess.run(
        [*PROGRAM, "calibrate-judge", *EXPIRATIONS, *options, *few, "--out", "page.md"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


def test_expirations_have_worlds_a_page_and_json_of_their_own_from_the_results_alone(expired, run):
    kept = [*EXPIRATIONS, "--page-only", "--results", expired / "r.parquet"]
    code, out, _ = run(*kept, "--out", expired / "again.md")
    assert code == 0
    assert out.startswith("SIMULATED")
    page = (expired / "page.md").read_text()
    assert (expired / "again.md").read_text() == page
    assert "8 trials of the scenario `fridays`, 10 sessions each, seeds from 1 on" in page
    document = json.loads(run(*kept, "--json")[1])
    assert document["simulated"] is True
    assert [each["world"] for each in document["outcomes"]] == [
        "null", "coin", "pin", "repel", "mixed", "pin-published", "repel-published",
        "mixed-published",
    ]  # fmt: skip
    rows = read_results(expired / "r.parquet", "expiration-pressure")
    for each in document["outcomes"]:
        of_world = rows.filter(pl.col("world") == each["world"])
        assert each["validated"] == {"count": 0, "trials": of_world.height}
        own = each["directions"]["dealer-gamma"]
        assert own["trades"] == of_world["trades:dealer-gamma"].sum()
        assert each["sides"]["traded"]["count"] == of_world["count:sides:told"].sum()


def test_results_of_one_strategy_are_not_the_others(expired, run):
    code, _, said = run("--page-only", "--results", expired / "r.parquet")
    assert (code, said.count("\n")) == (3, 1)
    assert "holds no results of a calibration of volume-shock" in said


def test_every_world_has_its_trials_in_the_results(done):
    worlds = read_results(done / "r.parquet").sort("world", "peak_bps")
    assert worlds.select("world", "peak_bps").rows() == [
        ("coin", scenario("calibration").impact.peak_bps), ("effect", 0.0), ("effect", 60.0),
        ("fair", 0.0), ("null", 0.0), ("null-trap", 0.0),
    ]  # fmt: skip
    assert worlds["scenario"].unique().to_list() == ["tiny"]
    assert worlds["days"].unique().to_list() == [2]


def test_the_page_is_made_again_from_the_results_alone(done, run):
    page = done / "new" / "page.md"
    code, out, _ = run("--page-only", "--results", done / "r.parquet", "--out", done / "again.md")
    assert code == 0
    assert out.startswith("SIMULATED")
    assert (done / "again.md").read_text() == page.read_text()
    assert "6 trials of the scenario `tiny`, 2 sessions each, seeds from 1 on" in page.read_text()


def test_a_page_is_replaced_and_another_file_is_not(done, run):
    run("--page-only", "--results", done / "r.parquet", "--out", done / "again.md")
    assert run("--page-only", "--results", done / "r.parquet", "--out", done / "again.md")[0] == 0
    code, _, said = run("--page-only", "--results", done / "r.parquet", "--out", done / "tiny.toml")
    assert (code, said.count("\n")) == (3, 1)
    assert "another file" in said
    assert (done / "tiny.toml").read_text() == TINY


def test_the_json_has_the_same_figures(done, run):
    document = json.loads(run("--page-only", "--results", done / "r.parquet", "--json")[1])
    assert document["simulated"] is True
    assert document["trials"] == 6
    assert [each["world"] for each in document["outcomes"]][:4] == [
        "null", "coin", "null-trap", "fair",
    ]  # fmt: skip
    assert document["outcomes"][0]["validated"] == {"count": 0, "trials": 1}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--effects", "1,x"], 2, "name sizes of at least 0"),
        (["--effects", "-5"], 2, "name sizes of at least 0"),
        (["--effects", ""], 2, "name sizes of at least 0"),
        (["--effects", "nan"], 2, "name sizes of at least 0"),
        (["--page-only"], 2, "name the results with --results"),
        (["--null-seeds", "0"], 2, "null-seeds"),
        (["--scenario", "storm"], 5, "no preset 'storm'"),
        (["--page-only", "--results", "absent.parquet"], 3, "cannot be read as results"),
        (["--results", "trades.parquet"], 3, "holds no results of a calibration"),
        (["--out", "."], 3, "this is a folder"),
        (["--strategy", "gamma"], 5, "there is no strategy 'gamma'"),
        ([*EXPIRATIONS, "--effects", "5"], 2, "only volume-shock has such worlds"),
        ([*EXPIRATIONS, "--side-seeds", "5"], 2, "only volume-shock has such worlds"),
        ([*EXPIRATIONS, "--scenario", "null"], 5, "judge volume-shock, not expiration-pressure"),
        (["--scenario", "expiry-pin"], 5, "judge expiration-pressure, not volume-shock"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    run, tmp_path, monkeypatch, options, code, words
):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"price": [1.0]}).write_parquet("trades.parquet")
    found, _, said = run(*options)
    assert found == code
    assert words in said
    assert [each.name for each in tmp_path.iterdir()] == ["trades.parquet"]


def test_settings_of_a_scenario_that_the_strategy_does_not_know_are_refused(run, tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('preset = "calibration"\n[settings.plan]\naim = 3\n', encoding="utf-8")
    code, _, said = run("--scenario", file)
    assert (code, said.count("\n")) == (5, 1)
    assert "'plan.aim' is not a setting" in said


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a POSIX signal here")
@pytest.mark.parametrize("seconds", [0.5, 6.0], ids=["while processes start", "while they work"])
def test_ctrl_c_ends_with_130_and_keeps_what_is_finished(done, tmp_path, seconds):
    results = tmp_path / "r.parquet"
    options = ["--scenario", str(done / "tiny.toml"), "--null-seeds", "400", "--workers", "1"]
    process = subprocess.Popen(
        [*PROGRAM, "calibrate-judge", *options, "--results", str(results)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("SIMULATED: ")
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)  # a terminal's Ctrl-C reaches the workers too
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 130
    assert errors == "hedgeflow: stopped; nothing half-written is left behind\n"
    assert {each.name for each in tmp_path.iterdir()} <= {"r.parquet"}
    if results.exists():
        assert 0 < read_results(results).height < 400
