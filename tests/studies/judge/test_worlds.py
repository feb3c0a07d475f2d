"""The worlds: what differs between them, and nothing else."""

from __future__ import annotations

from hedgeflow.simulate import changed, scenario
from hedgeflow.studies.judge import trials_of, worlds_of
from hedgeflow.studies.judge.worlds import MEANING
from hedgeflow.studies.scenario_settings import config_of

BASE = scenario("calibration", days=14)
WORLDS = worlds_of(BASE, null_seeds=4, side_seeds=2, effect_seeds=3, effects=[30.0, 5.0, 30.0])
NAMED = {(world.name, world.peak_bps): world for world in WORLDS}


def test_every_world_is_explained_and_the_sizes_ascend_once_each():
    peak = BASE.impact.peak_bps
    assert list(NAMED) == [
        ("null", 0.0), ("coin", peak), ("null-trap", 0.0), ("fair", 0.0), ("effect", 5.0),
        ("effect", 30.0),
    ]  # fmt: skip
    assert {world.name for world in WORLDS} == set(MEANING)


def test_null_and_coin_differ_from_the_effect_in_who_hedges_only():
    for name, peak, hedging in (("null", 0.0, "none"), ("coin", BASE.impact.peak_bps, "coin")):
        world = NAMED[name, peak]
        assert world.scenario.dealers.hedging == hedging
        assert changed(world.scenario, {"dealers.hedging": "demand"}) == BASE


def test_sizes_of_the_effect_differ_in_the_peak_only():
    world = NAMED["effect", 5.0]
    assert changed(world.scenario, {"impact.peak_bps": BASE.impact.peak_bps}) == BASE


def test_the_trap_is_the_preset_over_as_many_sessions():
    assert NAMED["null-trap", 0.0].scenario == scenario("null-trap", days=14)


def test_fair_barriers_are_as_far_on_both_sides_and_cost_nothing():
    world = NAMED["fair", 0.0]
    config = config_of(world.scenario)
    plan = config.plan
    assert plan.target_cap_points == plan.stop_high_points == plan.stop_low_points
    assert config.costs.cost_multiple == world.scenario.future.half_spread_bps == 0.0
    back = changed(world.scenario, {"future.half_spread_bps": BASE.future.half_spread_bps})
    assert back.model_copy(update={"settings": {}}) == NAMED["null", 0.0].scenario.model_copy(
        update={"settings": {}}
    )


def test_trials_run_from_the_first_seed_on_each_with_a_key_of_its_own():
    wanted = trials_of(WORLDS, 11)
    seeds = [trial.scenario.seed for trial in wanted if trial.world == "null"]
    assert seeds == [11, 12, 13, 14]
    assert len(wanted) == 4 + 4 + 2 + 2 + 3 + 3
    assert len({trial.key for trial in wanted}) == len(wanted)
