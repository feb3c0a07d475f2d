"""`hedgeflow score` as users run it: what it says, in text and JSON, and what it refuses."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import TRUTH_FOLDER, scenario, write_to_catalog


@pytest.fixture
def run(run):
    """Return a function that runs `score` and returns exit code, output and errors."""
    return partial(run, "score")


@pytest.fixture(scope="module")
def market(tmp_path_factory) -> Path:
    """Return a small market that asks for a threshold of its own; tests only read it."""
    catalog = Catalog.create_or_open(tmp_path_factory.mktemp("scored") / "market")
    changes = {
        "option_flow.trades_per_day": 3_000.0,
        "future.trades_per_day": 2_000.0,
        "future.quote_interval_seconds": 60.0,
        "settings.alert.pressure_threshold": 12.5,
    }
    write_to_catalog(scenario("effect", changes, days=3, seed=5), catalog)
    return catalog.path


def test_the_text_has_every_table_and_says_simulated_first(run, market):
    code, out, err = run("--catalog", market)
    assert (code, err) == (0, "")
    assert out.startswith("SIMULATED: ")
    for title in ("Shocks found", "Class at decision", "Class at close", "Hedge demand",
                  "Response time", "Signing, print by print"):  # fmt: skip
        assert f"\n{title} (" in out
    assert "the scenario's own settings lie under yours: alert.pressure_threshold = 12.5" in out


def test_the_json_is_complete(run, market):
    document = json.loads(run("--catalog", market, "--json")[1])
    assert document["simulated"] is True
    assert document["settings_of_the_scenario"] == {"alert.pressure_threshold": 12.5}
    alerts = document["detection"][0]
    assert alerts["found_by"] == "alerts"
    missed = alerts["recall"]["of"] - alerts["recall"]["count"]
    assert len(document["missed"]) == missed > 0
    assert all(each["reason"] and each["at"].endswith("Z") for each in document["missed"])
    assert [each["moment"] for each in document["classes"]] == ["at decision", "at close"]
    assert document["signing"]["right"]["of"] == document["prints"]


def test_settings_of_the_user_lie_over_those_of_the_scenario(run, market):
    own = json.loads(run("--catalog", market, "--json")[1])
    mine = run("--catalog", market, "--set", "alert.pressure_threshold=1e9", "--json")[1]
    assert own["alerts"] > 0
    assert json.loads(mine)["alerts"] == 0
    source = json.loads(run("--catalog", market, "--preset", "source", "--json")[1])
    assert source["preset"] == "source"


def test_a_setting_that_does_not_exist_is_refused(run, market):
    code, _, said = run("--catalog", market, "--set", "alert.pressure=1")
    assert (code, said.count("\n")) == (5, 1)


def test_a_catalog_without_truth_is_refused_clearly(run, market, tmp_path):
    bare = Catalog.create_or_open(tmp_path / "bare").path
    code, _, said = run("--catalog", bare)
    assert (code, said.count("\n")) == (4, 1)
    assert "it holds no simulated market. Make one with `hedgeflow simulate`" in said
    (bare / TRUTH_FOLDER).mkdir()
    assert "its simulation was cut off" in run("--catalog", bare)[2]
    assert run("--catalog", tmp_path / "nothing")[0] == 4
