"""The comparison with other libraries runs, and everything that is compared agrees."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict]]:
    folder = tmp_path_factory.mktemp("bench")
    command = [sys.executable, str(PROJECT / "bench" / "run.py"), "--quick", "--out", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    written = json.loads((folder / "bench.json").read_text())
    return {section["title"].split()[0]: section["rows"] for section in written["sections"]}


def measured(rows: list[dict]) -> list[dict]:
    return [row for row in rows if not math.isnan(row["figure"])]


def test_every_engine_finds_the_same_5_minute_volume(sections):
    names = [row["name"] for row in measured(sections["5-minute"])]
    assert {"hedgeflow, 1 thread", "Polars, 1 thread", "DuckDB, 1 thread"} <= set(names)
    assert all(row["note"].startswith("sums agree") for row in measured(sections["5-minute"]))


def test_the_full_chain_alerts_and_finds_the_same_in_other_slices(sections):
    notes = [row["note"] for row in sections["Full"] if row["name"].startswith("hedgeflow")]
    assert len(notes) == 2
    assert all("alerts, the same in other slices" in note for note in notes)
    assert not any(note.startswith("0 anomalies") or ", 0 alerts" in note for note in notes)


def test_implied_volatilities_are_those_that_made_the_prices(sections):
    ours = sections["Implied"][0]["note"]
    assert float(ours.removeprefix("largest relative error ").split(",")[0]) < 1e-14


def test_implied_volatilities_of_the_wide_grid_are_within_a_few_roundings_of_the_price(sections):
    rows = [row for row in measured(sections["Wide"]) if row["name"].startswith("hedgeflow")]
    names = [row["name"].removeprefix("hedgeflow").removeprefix(", ") for row in rows]
    assert set(names) - {"on prices of 60 digits"} == {"", "prices in coins", "in the money"}
    for row in rows:
        roundings = row["note"].split(", ")[1]
        assert float(roundings.removesuffix(" roundings of the price")) <= 20


def test_a_peer_that_is_not_installed_is_said_to_be_missing(sections):
    missing = [row for rows in sections.values() for row in rows if math.isnan(row["figure"])]
    assert all("make bench installs it" in row["note"] for row in missing)


def test_exits_agree_with_plain_loops(sections):
    assert [row["note"] for row in sections["Exits,"]] == ["200 exits agree with plain loops"] * 2
    assert sections["Null"][1]["note"].endswith("200 exits agree with plain walks")


def test_the_volatility_of_each_minute_is_the_one_that_a_bisection_finds(sections):
    ours, peer = sections["Volatility"]
    assert not ours["note"].split("; ")[1].startswith("0 of")
    assert peer["note"].endswith("the same volatilities")


def test_a_simulated_day_is_measured_in_memory_and_in_a_catalog_with_the_same_rows(sections):
    rows = {row["name"]: row for row in sections["Simulating"]}
    assert set(rows) == {
        "hedgeflow, in memory",
        "hedgeflow, stored in a catalog",
        "random numbers in the same columns",
        "hedgeflow, a day of preset calibration",
    }
    assert all(row["figure"] > 0 and "peak memory" in row["note"] for row in rows.values())
