"""The demo: markets are made once, truth is told in words, the page says what packages say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hedgeflow.evidence import read_package
from hedgeflow.market.errors import CatalogError, ConfigError, EvidenceError
from hedgeflow.simulate import changed, read_scenario, scenario
from hedgeflow.studies.demo import (
    INDEX_FILE,
    MARKETS_FOLDER,
    DemoMarket,
    demo_scenarios,
    run_demo,
    simulated_catalog,
    truth_of,
)

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "simulated-market.md"
NOW = "2025-06-01T00:00:00Z"
QUIET = {"option_flow.trades_per_day": 300.0, "future.trades_per_day": 2_000.0}


def quiet(name, **more):
    """Return two days of a preset with hardly a trade."""
    return scenario(name, QUIET, days=2, **more)


def silent(*_progress):
    pass


@pytest.mark.parametrize(
    ("changes", "words", "is_there"),
    [
        ({}, "moves the price", True),
        ({"impact.enabled": False}, "no price responds", False),
        ({"dealers.hedging": "coin"}, "a coin decides each one's side", False),
        ({"dealers.hedging": "none"}, "nobody hedges", False),
        ({"dealers.share": 0.0}, "nobody hedges", False),
        ({"shocks.enabled": False}, "no large option orders", False),
    ],
)
def test_there_is_an_effect_where_hedges_follow_orders_and_move_prices(changes, words, is_there):
    sentence, has_effect = truth_of(scenario("effect", changes))
    assert words in sentence
    assert has_effect is is_there


def test_the_demo_s_own_markets_are_one_with_the_effect_and_one_without():
    assert [truth_of(each)[1] for each in demo_scenarios("both")] == [True, False]


def test_the_page_on_the_market_states_the_numbers_of_the_effect():
    effect = scenario("effect")
    page = PAGE.read_text(encoding="utf-8")
    reference = effect.dealers.reference_units
    moves = [
        effect.impact.peak_bps * (units / reference) ** 0.5
        for units in (effect.shocks.sweep_units, effect.shocks.emergency_units)
    ]
    low, high = re.search(r"\| (\d+) to (\d+) basis points \|", page).groups()
    assert [float(low), float(high)] == pytest.approx(moves, rel=0.05)
    assert f"{effect.dealers.lag_seconds:g} s after the order" in page
    assert f"| {effect.option_flow.largest_lots:g} lots |" in page
    assert effect.dealers.ordinary_share == 0.25  # "a quarter"


def test_days_and_seed_go_over_a_scenario_s_own_which_may_be_a_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('preset = "null"\ndays = 13\nseed = 5\n', encoding="utf-8")
    [own] = demo_scenarios(str(file))
    assert (own.preset, own.days, own.seed, own.dealers.hedging) == ("mine", 13, 5, "none")
    [over] = demo_scenarios(str(file), days=14, seed=6)
    assert (over.days, over.seed) == (14, 6)
    with pytest.raises(ConfigError, match="no preset 'nonesuch'"):
        demo_scenarios("nonesuch")


def test_a_market_is_made_once_and_anew_when_its_scenario_is_another(tmp_path):
    made = []

    def root_of(wanted):
        return simulated_catalog(tmp_path, wanted, lambda done, _total: made.append(done))

    first = quiet("calm")
    root = root_of(first)
    assert made[-1:] == [2]
    made.clear()
    assert root_of(first) == root
    assert not made
    other = changed(first, {"option_flow.trades_per_day": 200.0})
    assert root_of(other) == root
    assert made[-1:] == [2]
    assert read_scenario(root) == other
    assert [path.name for path in tmp_path.iterdir()] == [root.name]


def test_a_simulation_that_is_stopped_leaves_nothing(tmp_path):
    def stop(*_progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulated_catalog(tmp_path, quiet("calm"), stop)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_no_market_is_not_replaced_by_one(tmp_path):
    thesis = tmp_path / "calm-2d-7" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    with pytest.raises(CatalogError, match="is no simulated market"):
        simulated_catalog(tmp_path, quiet("calm"))
    assert thesis.read_text() == "years of work"


def test_two_markets_give_two_packages_and_a_page_that_says_what_they_say(tmp_path):
    heard = set()
    markets = [DemoMarket(quiet(name), tmp_path, NOW) for name in ("effect", "null")]
    judged = run_demo(markets, lambda name, stage, *_counts: heard.add((name, stage)))
    stages = ("simulating sessions", "scanning option prints", "writing the report")
    assert heard == {(name, stage) for name in ("effect", "null") for stage in stages}
    page = (tmp_path / INDEX_FILE).read_text(encoding="utf-8")
    for market, said in zip(markets, judged, strict=True):
        package = read_package(market.package)
        assert package["timestamp"] == NOW
        assert said.label == package["experimental_validity"]["label"]
        assert said.label.startswith("SIMULATED: ")
        assert said.truth in page
        assert said.outcome in page
        assert (tmp_path / said.report).is_file()
        assert f'href="{said.report}"' in page
    words = re.findall(r'<p class="word">([^<]*)</p>', page)
    assert words == [f"SIMULATED: {said.verdict.replace('_', ' ')}" for said in judged]
    left = {path.name for path in tmp_path.iterdir()} - {".lock"}
    assert left == {INDEX_FILE, MARKETS_FOLDER, "report-effect", "report-null"}


def test_a_scenario_is_judged_with_its_own_settings(tmp_path):
    market = DemoMarket(quiet("calm", settings={"anomaly": {"ratio": 6.0}}), tmp_path, NOW)
    [said] = run_demo([market], silent)
    assert said.package["reproducibility"]["config"]["anomaly"]["ratio"] == 6.0
    assert json.dumps({"anomaly": {"ratio": 6.0}}).replace('"', "&#34;") in (
        tmp_path / INDEX_FILE
    ).read_text(encoding="utf-8")


def test_settings_that_are_none_are_refused_before_anything_is_simulated(tmp_path):
    market = DemoMarket(quiet("calm", settings={"anomaly": {"ratoi": 6.0}}), tmp_path, NOW)
    with pytest.raises(ConfigError, match="ratoi"):
        run_demo([market], silent)
    assert not list(tmp_path.iterdir())


def test_a_page_that_no_demo_wrote_is_not_replaced(tmp_path):
    own = tmp_path / INDEX_FILE
    own.write_text("<h1>My home page</h1>")
    with pytest.raises(EvidenceError, match="no page of a demo"):
        run_demo([DemoMarket(quiet("calm"), tmp_path, NOW)], silent)
    assert [path.name for path in tmp_path.iterdir()] == [INDEX_FILE]
    assert own.read_text() == "<h1>My home page</h1>"


def test_a_demo_that_fails_leaves_no_page_of_an_earlier_one(tmp_path):
    market = DemoMarket(quiet("calm"), tmp_path, NOW)
    run_demo([market], silent)
    assert (tmp_path / INDEX_FILE).is_file()

    def stop(_name, stage, *_counts):
        if stage == "writing the report":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_demo([market], stop)
    assert not (tmp_path / INDEX_FILE).exists()
    assert (market.package / "report.html").is_file()
