"""The judge on trial in small: markets without an edge, a trap, a coin, and a strong effect."""

from __future__ import annotations

import os

import polars as pl
import pytest

from hedgeflow.simulate import scenario
from hedgeflow.studies.judge import calibration_of, page_of, run_trials, trials_of, worlds_of

BASE = scenario("calibration")
WANTED = {"null": 20, "coin": 4, "null-trap": 3, "effect": 4}
SAMPLE = 50

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    worlds = worlds_of(
        BASE, null_seeds=20, side_seeds=3, effect_seeds=4, effects=[BASE.impact.peak_bps]
    )
    wanted = [
        trial
        for trial in trials_of(worlds, first_seed=1)
        if trial.scenario.seed <= WANTED.get(trial.world, 0)
    ]
    return run_trials(wanted, workers=os.cpu_count() or 1, made="2026-01-02")


def of(results: pl.DataFrame, world: str) -> pl.DataFrame:
    return results.filter(pl.col("world") == world)


def test_no_market_without_an_edge_is_validated(results):
    without = results.filter(pl.col("world") != "effect")
    assert without.height == 27
    assert set(without["verdict"]) == {"REJECTED"}
    assert without["coherent"].all()


def test_every_trial_has_trades_enough_for_a_verdict(results):
    assert results["trades"].min() >= SAMPLE


def test_the_trap_wins_by_its_exits_and_is_rejected_all_the_same(results):
    trap = of(results, "null-trap")
    assert trap["gate:win-rate"].to_list() == ["PASSED"] * 3
    assert (trap["value:win_rate"] >= 0.85).all()
    assert (trap["barrier_rate"] >= 0.85).all()
    assert trap["verdict"].to_list() == ["REJECTED"] * 3


def test_who_knows_the_moment_but_not_the_way_is_not_significant(results):
    coin = of(results, "coin")
    assert (coin["p:mean-entries"] < 0.05).any()
    assert (coin["p:mean"] >= 0.01).all()


def test_the_strong_effect_is_validated_in_most_trials(results):
    effect = of(results, "effect")
    assert (effect["verdict"] == "VALIDATED").sum() >= 3
    assert (effect["p:mean"] < 0.01).all()


def test_no_test_rejects_more_often_than_twenty_trials_allow(results):
    found = calibration_of(of(results, "null"))
    assert len(found.levels) > 20
    assert found.oversized == ()


def test_the_page_says_what_the_trials_said(results):
    page = page_of(calibration_of(results))
    assert "**SIMULATED.**" in page
    assert "| `null` | 20 |" in page
    assert "| `null-trap` | 3 |" in page
    assert "0.00 to 16.84 %" in page  # 1 − 0.025 ** (1 / 20): none of 20, Clopper and Pearson
