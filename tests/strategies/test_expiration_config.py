"""Every number of the expiration pressure, by the name of its setting, and what the scan reads."""

from __future__ import annotations

from dataclasses import fields

import pytest

from hedgeflow.market.errors import ConfigError
from hedgeflow.signals.dealer_gamma import GammaConvention
from hedgeflow.signals.settlement_rules import PressureRules
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig, load_config
from hedgeflow.strategies.expiration_pressure.rules import pressure_rules

MARKET_MINUTES = 252.0 * 390.0
NORMALIZED = ExpirationPressureConfig.normalized()
SOURCE = ExpirationPressureConfig.source()

NUMBERS = {
    "clock.high_minutes": 45.0,
    "clock.crisis_minutes": 15.0,
    "clock.notice_minutes": (120.0, 45.0, 15.0, 2.0),
    "clock.sample_minutes": (180.0, 120.0, 90.0, 60.0, 45.0, 30.0, 15.0, 10.0, 5.0, 2.0),
    "clock.oldest_price_minutes": 5.0,
    "pressure.session_minutes": 390.0,
    "pressure.threshold": 10.0,
    "pressure.threshold_quantile": 0.95,
    "pressure.quantile_expiries": 10,
    "pressure.oi_above": 1_000.0,
    "pressure.confidence_divisor": 1_000.0,
    "pressure.confidence_cap": 0.95,
    "pressure.rearm_minutes": 5.0,
    "filter.oi": 500.0,
    "filter.distance_points": 50.0,
    "filter.minutes": 180.0,
    "filter.pressure": 10.0,
    "classes.pin_minutes": 120.0,
    "classes.pin_oi_above": 2_000.0,
    "classes.pin_distance_below_points": 20.0,
    "classes.panic_oi_above": 1_500.0,
    "classes.panic_distance_below_points": 8.0,
    "classes.monitor_minutes": 15.0,
    "classes.monitor_distance_points": 5.0,
    "classes.monitor_oi": 2_000.0,
    "plan.base_contracts": 1.5,
    "plan.low_multiplier": 1.0,
    "plan.high_multiplier": 2.0,
    "plan.crisis_multiplier": 3.0,
    "plan.target_floor_points": 15.0,
    "plan.target_multiple": 1.5,
    "plan.stop_low_points": 15.0,
    "plan.stop_high_points": 10.0,
    "plan.stop_crisis_points": 6.0,
    "plan.buffer_low_minutes": 10.0,
    "plan.buffer_high_minutes": 8.0,
    "plan.buffer_crisis_minutes": 3.0,
    "plan.danger_minutes": 2.0,
    "plan.add_multiple": 2.0,
    "plan.tightened_stop_points": 6.0,
    "risk.flat_before_close_minutes": 0.0,
    "risk.per_trade": 0.02,
}
"""The same under both presets."""

DIFFERENT = {
    "pressure.probability": ("lognormal", "source"),
    "pressure.time": ("session", "real"),
    "pressure.threshold_rule": ("quantile", "fixed"),
    "pressure.confidence": ("rank", "linear"),
    "scale.demand": ("relative", "absolute"),
    "scale.distance": ("sigma", "points"),
    "direction.model": ("dealer-gamma", "steer-away"),
    "plan.min_reward_risk": (1.0, 0.0),
    "plan.precedence": ("corrected", "source"),
    "plan.trade_in_fixing": (False, True),
    "risk.own_volume_share": (0.1, 1.0),
}
"""Normalized, then source."""


def value(config, key):
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


@pytest.mark.parametrize(("key", "number"), NUMBERS.items())
def test_a_number_is_that_of_the_specification_under_both_presets(key, number):
    assert value(NORMALIZED, key) == value(SOURCE, key) == number


@pytest.mark.parametrize(("key", "both"), DIFFERENT.items())
def test_the_presets_differ_where_the_specification_says_so(key, both):
    assert (value(NORMALIZED, key), value(SOURCE, key)) == both


def test_nothing_else_differs_between_the_presets():
    def told(config):
        return {
            f"{section}.{name}": value
            for section, part in config.model_dump().items()
            if isinstance(part, dict)
            for name, value in part.items()
        }

    mine, other = told(NORMALIZED), told(SOURCE)
    assert {key for key in mine if mine[key] != other[key]} == set(DIFFERENT)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("clock.crisis_minutes=45", "must be below high_minutes"),
        ("clock.notice_minutes=[2, 15]", "must descend without repeats"),
        ("pressure.threshold_quantile=1", "less than 1"),
        ("direction.model=follow", "steer-away"),
        ("plan.stop_medium_points=3", "is not a setting"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_its_name(setting, words):
    with pytest.raises(ConfigError) as refused:
        load_config(settings=[setting])
    assert words in str(refused.value)
    assert setting.partition("=")[0].partition(".")[0] in str(refused.value)


def test_a_configuration_is_loaded_from_preset_file_and_settings(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('preset = "source"\n[plan]\nadd_multiple = 1\n', encoding="utf-8")
    config = load_config(path=file, settings=["plan.add_on_high=true"])
    assert (config.preset, config.plan.add_multiple, config.plan.add_on_high) == (
        "source", 1.0, True,
    )  # fmt: skip
    assert ExpirationPressureConfig.model_validate(config.model_dump(mode="json")) == config


# --- what the scan reads -------------------------------------------------------------------------


def test_the_source_preset_gives_the_scan_its_own_defaults():
    assert pressure_rules(SOURCE, MARKET_MINUTES) == PressureRules()


def test_the_normalized_preset_gives_quantiles_ranks_and_reference_units():
    rules = pressure_rules(NORMALIZED, 525_600.0)
    assert (rules.probability, rules.confidence) == ("lognormal", "rank")
    assert (rules.quantile, rules.quantile_expiries) == (0.95, 10)
    assert (rules.reference_risk, rules.session_minutes) == (100_000.0, 390.0)
    assert (rules.distance, rules.minutes_per_year) == ("sigma", 525_600.0)


CHANGED = [
    "pressure.probability=empirical", "pressure.open_interest=settled",
    "direction.convention=short-all", "pressure.threshold=11", "pressure.threshold_quantile=0.9",
    "pressure.quantile_expiries=11", "pressure.oi_above=999", "filter.oi=1",
    "filter.distance_points=1", "filter.minutes=1", "filter.pressure=1", "clock.crisis_minutes=1",
    "clock.high_minutes=50", "classes.pin_minutes=1", "classes.pin_oi_above=1",
    "classes.pin_distance_below_points=1", "classes.panic_oi_above=1",
    "classes.panic_distance_below_points=1", "pressure.confidence=linear",
    "pressure.confidence_divisor=1", "pressure.confidence_cap=0.5", "plan.target_floor_points=1",
    "plan.target_multiple=2", "pressure.rearm_minutes=1", "classes.monitor_minutes=1",
    "classes.monitor_distance_points=1", "classes.monitor_oi=1", "clock.notice_minutes=[1]",
    "scale.distance=bps", "scale.bps_per_point=1", "scale.sigma_points=1",
    "scale.reference_demand=1", "pressure.session_minutes=1", "clock.sample_minutes=[1]",
    "clock.oldest_price_minutes=1",
]  # fmt: skip


@pytest.mark.parametrize("setting", CHANGED)
def test_every_setting_of_the_scan_reaches_its_rules(setting):
    found = pressure_rules(load_config(settings=[setting]), MARKET_MINUTES)
    before = pressure_rules(NORMALIZED, MARKET_MINUTES)
    changed = [
        each.name
        for each in fields(PressureRules)
        if getattr(found, each.name) != getattr(before, each.name)
    ]
    # The threshold of the fixed rule is handed on although a quantile is in force.
    assert len(changed) == 1


def test_the_conventions_are_those_of_the_scan():
    rules = pressure_rules(load_config(settings=["direction.convention=short-all"]), MARKET_MINUTES)
    assert rules.gamma_convention is GammaConvention.SHORT_ALL
