"""What is written on the command line becomes configurations, or is refused by the key's name."""

from __future__ import annotations

import pytest

from hedgeflow.market.errors import ConfigError
from hedgeflow.strategies.volume_shock import VolumeShockConfig, load_config
from hedgeflow.strategies.volume_shock.search_space import SEARCH_SPACE
from hedgeflow.studies.sweep.candidates import grid_search, random_search
from hedgeflow.studies.sweep.trying import scan_id

BASE = VolumeShockConfig()


def test_a_grid_is_numbered_in_its_order_and_every_one_is_configured():
    found = grid_search(BASE, ["anomaly.ratio=3,4.5", "plan.stop_high_points=8.0,10"])
    assert [each.number for each in found.candidates] == [1, 2, 3, 4]
    pairs = [(each.config.anomaly.ratio, each.config.plan.stop_high_points)
             for each in found.candidates]  # fmt: skip
    assert pairs == [(3.0, 8.0), (3.0, 10.0), (4.5, 8.0), (4.5, 10.0)]
    assert found.varied == {"anomaly.ratio": "3, 4.5", "plan.stop_high_points": "8.0, 10"}


def test_words_and_lists_are_values():
    words = grid_search(BASE, ["plan.limit=urgency,response"])
    assert [each.config.plan.limit for each in words.candidates] == ["urgency", "response"]
    lists = grid_search(BASE, ["anomaly.windows_seconds=[5.0], [5.0, 60.0]"])
    assert [each.config.anomaly.windows_seconds for each in lists.candidates] == [
        (5.0,), (5.0, 60.0),
    ]  # fmt: skip


def test_the_same_configuration_is_tried_once():
    assert len(grid_search(BASE, ["anomaly.ratio=4,4.0,5"]).candidates) == 2
    space = ["classifier.mode=concentration,signature"]
    assert len(random_search(BASE, 30, space, seed=1).candidates) == 2


def test_options_of_a_candidate_make_it_again():
    for each in random_search(BASE, 20, seed=3).candidates:
        settings = [part for part in each.options.split(" ") if part != "--set"]
        assert load_config(settings=settings) == each.config


def test_whole_bounds_of_a_setting_that_is_no_whole_number_draw_any_number():
    drawn = random_search(BASE, 20, ["anomaly.ratio=2:8"], seed=1, scans=20).candidates
    assert any(each.config.anomaly.ratio % 1 for each in drawn)
    whole = random_search(BASE, 20, ["anomaly.baseline_sessions=3:9"], seed=1, scans=20).candidates
    assert {type(each.config.anomaly.baseline_sessions) for each in whole} == {int}


def test_without_a_space_the_strategys_own_is_drawn_from():
    found = random_search(BASE, 5, seed=1)
    assert set(found.varied) == {each.key for each in SEARCH_SPACE}


def test_so_many_scans_are_drawn_as_asked_for_and_one_for_25_else():
    def scans(count: int | None) -> int:
        drawn = random_search(BASE, 60, seed=1, scans=count).candidates
        return len({scan_id(each.config) for each in drawn})

    assert scans(7) == 7
    assert scans(None) == 3


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["anomaly.rato=1,2"], "--grid: 'anomaly.rato' is not a setting. Did you mean"),
        (["anomaly.ratio=-1,2"], "--grid: 'anomaly.ratio': input should be greater than 0"),
        (["anomaly.ratio"], "'anomaly.ratio' names no values"),
        (["anomaly.ratio="], "'anomaly.ratio' has no values"),
        (["anomaly.ratio=1", "anomaly.ratio=2"], "'anomaly.ratio' stands twice"),
        (["preset=source,normalized"], "'preset' cannot be swept"),
        (["calendar=24/7,XNYS"], "'calendar' cannot be swept"),
        (["seed=1,2"], "'seed' cannot be swept"),
        ([], "no setting to vary"),
    ],
)
def test_a_grid_of_nothing_is_refused_by_name(texts, words):
    with pytest.raises(ConfigError, match=words):
        grid_search(BASE, texts)


@pytest.mark.parametrize(
    ("count", "texts", "words"),
    [
        (3, ["plan.rato=1:2"], "--space: 'plan.rato' is not a setting"),
        (3, ["anomaly.ratio=4:2"], "'anomaly.ratio' has no values from 4 to 2"),
        (3, ["anomaly.ratio=-2:4"], "'anomaly.ratio': input should be greater than 0, was -2"),
        (3, ["anomaly.ratio=2:4:linear"], "has no bounds"),
        (3, ["anomaly.ratio=two:4"], "has no bounds"),
        (3, ["anomaly.ratio=0.0:4:log"], "logarithmic"),
        (3, ["anomaly.baseline_sessions=1.5:4"], "must be a whole number"),
        (0, ["anomaly.ratio=2:4"], "0 configurations cannot be drawn"),
    ],
)
def test_a_space_of_nothing_is_refused_by_name(count, texts, words):
    with pytest.raises(ConfigError, match=words):
        random_search(BASE, count, texts, seed=1)
