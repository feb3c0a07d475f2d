"""What a search draws: inside its bounds, repeatable, with the dear settings drawn a few times."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.settings import merged, validated
from hedgeflow.strategies.search import Choices, Span, draws, grid, sections
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.strategies.volume_shock.search_space import SCAN_READS, SEARCH_SPACE


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.floats(1e-3, 1e6), st.floats(1.0, 1e4), st.booleans(), st.integers(0, 99))
def test_a_draw_lies_within_its_bounds(low: float, times: float, log: bool, seed: int):
    span = Span("plan.x", low, low * times, log=log)
    assert low <= span.draw(generator(seed)) <= low * times


def test_a_logarithmic_span_draws_as_often_below_its_geometric_middle_as_above():
    rng = generator()
    drawn = [Span("plan.x", 1.0, 10_000.0, log=True).draw(rng) for _ in range(2_000)]
    below = sum(value < 100.0 for value in drawn)
    assert abs(below - 1_000) < 4 * math.sqrt(500)


def test_whole_bounds_draw_whole_numbers_both_ends_included():
    rng = generator()
    drawn = {Span("anomaly.baseline_sessions", 3, 6).draw(rng) for _ in range(200)}
    assert drawn == {3, 4, 5, 6}
    assert {type(value) for value in drawn} == {int}


def test_the_same_seed_draws_the_same_settings_and_another_does_not():
    one, same, other = (draws(SEARCH_SPACE, 20, generator(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_shared_settings_are_drawn_so_many_times_and_go_round():
    found = draws(SEARCH_SPACE, 10, generator(), shared=["anomaly.ratio"], shared_draws=4)
    ratios = [each["anomaly.ratio"] for each in found]
    assert len(set(ratios)) == 4
    assert ratios[:4] == ratios[4:8]
    assert len({each["plan.target_cap_points"] for each in found}) == 10


def test_a_grid_is_every_combination_the_last_key_fastest():
    found = grid([Choices("a.x", (1, 2)), Choices("a.y", ("p", "q", "r"))])
    assert [tuple(each.values()) for each in found] == [
        (1, "p"), (1, "q"), (1, "r"), (2, "p"), (2, "q"), (2, "r"),
    ]  # fmt: skip


def test_settings_become_sections():
    assert sections({"a.x": 1, "a.y": 2, "seed": 3}) == {"a": {"x": 1, "y": 2}, "seed": 3}


@given(st.integers(0, 50))
def test_every_draw_of_the_declared_space_is_a_configuration(seed: int):
    [settings] = draws(SEARCH_SPACE, 1, generator(seed))
    document = merged(VolumeShockConfig().model_dump(), sections(settings))
    config = validated(VolumeShockConfig, document)
    for key, value in settings.items():
        section, name = key.split(".")
        assert getattr(getattr(config, section), name) == value


@pytest.mark.parametrize("preset", [VolumeShockConfig.normalized(), VolumeShockConfig.source()])
def test_the_declared_space_holds_what_is_the_default(preset: VolumeShockConfig):
    if preset.preset == "source":
        preset = preset.model_copy(update={"response": VolumeShockConfig().response})
    for each in SEARCH_SPACE:
        section, name = each.key.split(".")
        value = getattr(getattr(preset, section), name)
        held = value in each.values if isinstance(each, Choices) else each.low <= value <= each.high
        assert held, each.key


def test_costs_and_limits_of_risk_are_never_searched():
    assert not {each.key.partition(".")[0] for each in SEARCH_SPACE} & {"costs", "risk", "null"}


def test_what_is_not_scanned_names_real_settings():
    config = VolumeShockConfig()
    for section in SCAN_READS.unread:
        assert hasattr(config, section)
    for section, key in SCAN_READS.read_all_the_same:
        assert section in SCAN_READS.unread
        assert hasattr(getattr(config, section), key)


@pytest.mark.parametrize(
    ("key", "scanned"),
    [
        ("anomaly.ratio", True),
        ("hedge_venue", True),
        ("plan.stop_high_points", False),
        ("plan.hedge_share", True),
        ("risk.volatility_index", True),
        ("costs.latency_ms", False),
        ("seed", False),
    ],
)
def test_a_setting_changes_the_scan_or_does_not(key: str, scanned: bool):
    section, _, name = key.rpartition(".")
    base = VolumeShockConfig()
    value = getattr(getattr(base, section) if section else base, name)
    other = {"hedge_venue": "binance", "volatility_index": "VIX"}.get(name)
    changed = validated(
        VolumeShockConfig,
        merged(base.model_dump(), sections({key: other or type(value)(value / 2)})),
    )
    assert SCAN_READS.has(key) == scanned
    assert (SCAN_READS.settings(changed) != SCAN_READS.settings(base)) == scanned


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Span("a.x", 2.0, 1.0), "'a.x' has no values from 2 to 1"),
        (lambda: Span("a.x", 0.0, 1.0, log=True), "logarithmic scale from 0"),
        (lambda: Span("a.x", 0.0, math.inf), "no values from 0 to inf"),
        (lambda: Choices("a.x", ()), "'a.x' has no values"),
        (lambda: grid([]), "no setting to vary"),
        (lambda: grid([Choices("a.x", (1,)), Choices("a.x", (2,))]), "'a.x' stands twice"),
        (lambda: draws(SEARCH_SPACE, 0, generator()), "0 configurations cannot be drawn"),
        (lambda: draws(SEARCH_SPACE, 3, generator(), shared_draws=0), "0 scans cannot be drawn"),
        (lambda: draws([], 1, generator()), "no setting to vary"),
    ],
)
def test_a_search_of_nothing_is_refused_in_words(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
