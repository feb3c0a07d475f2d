"""The worlds of expirations: what differs between them, and nothing else."""

from __future__ import annotations

import pytest

from hedgeflow.simulate import changed, scenario
from hedgeflow.studies.judge import trials_of
from hedgeflow.studies.judge.expiries import expiry_worlds_of
from hedgeflow.studies.judge.expiries.worlds import MEANING, PUBLISHED, WORLDS

BASE = scenario("expiry-friday", days=60)
MADE = expiry_worlds_of(BASE, null_seeds=4, effect_seeds=2)
NAMED = {world.name: world.scenario for world in MADE}


def test_every_world_is_there_and_explained():
    assert tuple(world.name for world in MADE) == WORLDS
    assert {name.removesuffix(PUBLISHED) for name in WORLDS} == set(MEANING)


@pytest.mark.parametrize(
    ("world", "preset"),
    [
        ("null", "expiry-null"),
        ("coin", "expiry-coin"),
        ("pin", "expiry-pin"),
        ("repel", "expiry-repel"),
        ("mixed", "expiry-friday"),
        ("mixed-published", "expiry-published"),
    ],
)
def test_a_world_is_the_preset_that_users_can_simulate(world, preset):
    named = scenario(preset, days=60)
    assert NAMED[world].model_copy(update={"preset": named.preset}) == named


@pytest.mark.parametrize("world", ["pin", "repel", "mixed"])
def test_the_published_size_differs_in_the_hedges_only(world):
    small, large = NAMED[f"{world}{PUBLISHED}"].expiry, NAMED[world].expiry
    assert 0.0 < small.impact_bps < large.impact_bps
    back = {
        "expiry.impact_bps": large.impact_bps,
        "expiry.hedging_volatility": large.hedging_volatility,
    }
    assert changed(NAMED[f"{world}{PUBLISHED}"], back) == NAMED[world]


def test_each_world_has_as_many_trials_as_were_asked_for():
    wanted = trials_of(MADE, 7)
    assert [trial.scenario.seed for trial in wanted if trial.world == "coin"] == [7, 8, 9, 10]
    assert len(wanted) == 2 * 4 + 6 * 2
    assert len({trial.key for trial in wanted}) == len(wanted)
