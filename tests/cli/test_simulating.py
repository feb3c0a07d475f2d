"""`hedgeflow simulate` as users run it: a whole market or nothing, and refusals in one line."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial

import pytest

from builders.program import LIMITED, PROGRAM
from hedgeflow.cli import main
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.expiries import trading_day
from hedgeflow.market.transactions import locked
from hedgeflow.simulate import (
    TruthTable,
    load_scenario,
    preset_text,
    preset_words,
    presets,
    read_scenario,
    read_truth,
)

SMALL = ["effect", "--days", "2", "--seed", "3"]
for setting in (
    "option_flow.trades_per_day=1000",
    "future.trades_per_day=2000",
    "future.quote_interval_seconds=60",
):
    SMALL += ["--set", setting]


@pytest.fixture
def run(run):
    """Return a function that runs `simulate` and returns exit code, output and errors."""
    return partial(run, "simulate")


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """Return the folder of a small market, which tests read and never write to."""
    folder = tmp_path_factory.mktemp("simulated") / "market"
    with pytest.raises(SystemExit):
        main(["simulate", *SMALL, "--out", str(folder)])
    return folder


def test_the_presets_are_listed_with_what_they_say_of_themselves(run):
    code, out, _ = run("--list")
    assert code == 0
    for name in presets():
        words = preset_words(name)
        assert any(line.split() == [name, *words.split()] for line in out.splitlines())
    listed = json.loads(run("--list", "--json")[1])
    assert [each["preset"] for each in listed] == list(presets())


def test_the_market_of_fridays_says_how_many_expiries_its_days_hold():
    scenario = load_scenario("expiry-friday")
    sessions = [
        found.day
        for count in range(2 * scenario.days)
        if (found := trading_day("XNYS", scenario.first_day + timedelta(days=count)))
    ][: scenario.days]
    weeks = {day.isocalendar()[:2]: day for day in sessions}  # the last session of each
    expiries = [day for day in weeks.values() if day.weekday() in {3, 4}]
    expiries = [day for day in expiries if day != sessions[-1] or day.weekday() == 4]
    assert f"expire on {len(expiries)} Fridays" in preset_words("expiry-friday")


def test_what_is_shown_of_a_preset_is_a_scenario_file(run, tmp_path):
    copy = tmp_path / "copy.toml"
    copy.write_text(run("null", "--show")[1], encoding="utf-8")
    mine = load_scenario(copy).model_dump()
    assert mine == load_scenario("null").model_dump() | {"preset": "copy"}
    keys = json.loads(run(copy, "--show", "--json")[1])
    assert keys["dealers"]["hedging"] == "none"
    assert keys["index"]["volatility"] == load_scenario("null").index.volatility


def test_a_market_is_written_whole_and_told_of(run, tmp_path):
    out = tmp_path / "deep" / "market"
    code, said, _ = run(*SMALL, "--out", out)
    assert code == 0
    assert said.startswith("SIMULATED: ")
    assert f"hedgeflow score --catalog {out}" in said
    assert [each.name for each in out.parent.iterdir()] == ["market"]
    catalog = Catalog.open(out)
    assert catalog.check() == []
    assert all(each.source.startswith("SIMULATED:") for each in catalog.imports())
    assert f"{catalog.summary(catalog.keys()[-1]).rows:,}" in said
    assert read_scenario(out).seed == 3


def test_the_json_says_what_was_written(run, market, tmp_path):
    document = json.loads(run(*SMALL, "--out", tmp_path / "again", "--json")[1])
    catalog = Catalog.open(tmp_path / "again")
    assert document["simulated"] is True
    tapes = [(each["kind"], each["instrument"], each["rows"]) for each in document["tapes"]]
    assert tapes == [
        (each.key.kind, each.key.instrument, each.rows) for each in catalog.summaries()
    ]
    assert document["shocks"] == dict(
        read_truth(market, TruthTable.SHOCKS)["shock_class"].value_counts().rows()
    )
    assert document["scenario"]["days"] == 2
    assert document["bytes"] > 100_000


def test_the_same_scenario_gives_the_same_market(market, run, tmp_path):
    run(*SMALL, "--out", tmp_path / "again")
    first, second = Catalog.open(market), Catalog.open(tmp_path / "again")
    assert first.fingerprint(first.keys()) == second.fingerprint(second.keys())


def test_an_empty_folder_is_used_and_any_other_refused(run, tmp_path):
    (tmp_path / "empty").mkdir()
    assert run(*SMALL, "--out", tmp_path / "empty")[0] == 0
    code, _, said = run(*SMALL, "--out", tmp_path / "empty")
    assert (code, said.count("\n")) == (4, 1)
    assert "the folder is not empty. Name a folder that does not exist yet" in said
    (tmp_path / "file").write_text("")
    assert "is a file, not a folder" in run(*SMALL, "--out", tmp_path / "file")[2]


def test_the_working_folder_is_not_replaced_under_the_users_feet(run, tmp_path):
    with contextlib.chdir(tmp_path):
        code, _, said = run(*SMALL, "--out", ".")
    assert code == 4
    assert "cannot be replaced" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["effect"],
        ["--out", "market"],
        ["effect", "--out", "market", "--days", "0"],
        ["effect", "--out", "market", "--seed", "-1"],
        ["--list", "effect"],
        ["--list", "--show"],
        ["effect", "--show", "--days", "3"],
        ["effect", "--show", "--set", "days=3"],
    ],
)
def test_arguments_that_are_missing_or_mean_nothing_are_code_2(run, options):
    assert run(*options)[0] == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[option_flow]\ntrade_per_day = 5", "Did you mean 'option_flow.trades_per_day'?"),
        ("[option_flow]\ntrades_per_day = -5", "'option_flow.trades_per_day': input should be"),
        ("[chain]\nexpiries = [2025-01-03]", "2025-01-03 is not after the first day"),
        ("days = ", "own.toml: is no TOML"),
        ("[settings.anomaly]\nratoi = 5", "scenario's settings: 'anomaly.ratoi' is not a setting"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_in_one_line_and_leaves_nothing(
    run, tmp_path, text, words
):
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    code, _, said = run(file, "--out", tmp_path / "deep" / "market")
    assert (code, said.count("\n")) == (5, 1)
    assert words in said
    assert [each.name for each in tmp_path.iterdir()] == ["own.toml"]


@pytest.mark.parametrize("named", ["storm", "none.toml", "."])
def test_what_is_no_scenario_is_refused_by_name(run, tmp_path, named):
    code, _, said = run(named, "--out", tmp_path / "market")
    assert code == 5
    assert named in said


def test_what_a_killed_process_left_is_replaced(run, tmp_path):
    left = tmp_path / ".market.new" / "market"
    left.mkdir(parents=True)
    (left / "half.parquet").write_text("")
    assert run(*SMALL, "--out", tmp_path / "market")[0] == 0
    assert [each.name for each in tmp_path.iterdir()] == ["market"]
    assert not (tmp_path / "market" / "half.parquet").exists()


def test_the_folder_of_a_running_simulation_is_left_alone(run, tmp_path):
    theirs = tmp_path / ".market.new"
    theirs.mkdir()
    with locked(theirs):
        (theirs / "market").mkdir()
        code, _, said = run(*SMALL, "--out", tmp_path / "market")
        assert code == 4
        assert "another simulation is writing to this folder" in said
        assert (theirs / "market").is_dir()


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a POSIX signal here")
def test_ctrl_c_ends_with_130_and_leaves_nothing(tmp_path):
    command = [*PROGRAM, "simulate", "effect", "--days", "400", "--out", str(tmp_path / "a" / "b")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    begun = time.monotonic()
    while not list(tmp_path.rglob("hedgeflow-catalog.json")) and time.monotonic() < begun + 60:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 130
    assert errors == "hedgeflow: stopped; nothing half-written is left behind\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="file sizes cannot be limited there")
@pytest.mark.parametrize("largest_bytes", [2_000, 30_000])
def test_a_disk_that_fills_up_leaves_nothing(tmp_path, largest_bytes):
    arguments = ["simulate", *SMALL, "--out", str(tmp_path / "deep" / "market")]
    command = [sys.executable, "-c", LIMITED, str(largest_bytes), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 4
    assert "the market could not be written" in done.stderr
    assert "Nothing of it is left" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_preset_says_in_one_sentence_what_it_is():
    assert preset_words("calm") == "Ordinary flow only: no shocks."
    for name in presets():
        words = preset_words(name)
        assert words.endswith(".")
        assert "#" not in words
        assert preset_text(name).startswith("# " + words.split()[0])
