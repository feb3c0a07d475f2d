"""The demo as users run it: a scenario of their own, what is refused, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from builders.program import PROGRAM
from hedgeflow.journal import Journal

QUIET = """\
preset = "calm"
days = 2
option_flow.trades_per_day = 300.0
future.trades_per_day = 2000.0
"""


def test_a_scenario_file_of_one_s_own_is_judged_and_shown(run, tmp_path):
    file, out = tmp_path / "mine.toml", tmp_path / "out"
    file.write_text(QUIET, encoding="utf-8")
    code, said, _ = run("demo", "--market", file, "--out", out)
    assert code == 0
    lines = said.splitlines()
    assert lines[0].startswith("SIMULATED: ")
    assert lines[1].startswith("mine: 2 days, seed 7. There are no large option orders")
    assert lines[-2] == f"Report on mine: {out / 'report-mine' / 'report.html'}"
    assert lines[-1] == f"Open this page: {out / 'index.html'}"
    code, said, _ = run("demo", "--market", file, "--out", out, "--json")
    document = json.loads(said)
    [market] = document["markets"]
    evidence = json.loads((out / "report-mine" / "evidence.json").read_text(encoding="utf-8"))
    assert document["simulated"] is True
    assert Path(document["page"]).is_file()
    assert market["experimental_validity"] == evidence["experimental_validity"]
    assert market["win_rate"] == evidence["performance_metrics"]["overall"]["win_rate"]
    table = dict(line.split("  ", 1) for line in lines[2:-2] if "  " in line)
    assert table["Verdict"].strip() == evidence["experimental_validity"]["label"]


def test_a_market_s_own_settings_lie_under_those_of_a_scan_and_that_is_said(run, tmp_path):
    file, market = tmp_path / "mine.toml", tmp_path / "market"
    own = "[settings.alert]\npressure_threshold = 20.0\nevent_gap_minutes = 7.0\n"
    file.write_text(f"{QUIET}{own}", encoding="utf-8")
    assert run("simulate", file, "--out", market)[0] == 0
    setting = "alert.pressure_threshold=30"
    code, said, errors = run(
        "scan", "--catalog", market, "--underlying", "SIM", "--set", setting, "--json"
    )
    assert code == 0
    assert "own settings lie under yours" in errors
    assert json.loads(said)["simulated"] is True
    with Journal.open(market / "journal.sqlite", create=False) as journal:
        [trial] = journal.trials(journal.runs()["data_hash"][0])["config_json"]
    alert = json.loads(trial)["settings"]["alert"]
    assert (alert["pressure_threshold"], alert["event_gap_minutes"]) == (30.0, 7.0)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--market", "nonesuch"], 5, "there is no preset 'nonesuch'"),
        (["--market", "missing.toml"], 5, "missing.toml"),
        (["--days", "3"], 2, "--days"),
        (["--seed", "-1"], 2, "--seed"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(run, tmp_path, arguments, code, words):
    ended, _, errors = run("demo", "--out", tmp_path / "out", *arguments)
    assert ended == code
    assert words in errors
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a POSIX signal here")
def test_ctrl_c_in_a_terminal_stops_both_markets_and_leaves_nothing_half_written(tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*PROGRAM, "demo", "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    begun = time.monotonic()
    while len(list(out.glob("markets/.*.new"))) < 2 and time.monotonic() - begun < 180:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process at once
    _, errors = process.communicate(timeout=180)  # until no process holds the pipes any more
    assert process.returncode == 130
    assert errors == "hedgeflow: stopped; nothing half-written is left behind\n"
    assert {path.name for path in out.rglob("*")} == {".lock", "markets"}
