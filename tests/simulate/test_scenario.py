from dataclasses import replace

import pytest

from hedgeflow.market.errors import ConfigError
from hedgeflow.simulate import Scenario, scenario


def test_null_differs_from_effect_in_its_switches_only():
    assert replace(scenario("null"), hedging=True, impact=True) == scenario("effect")


def test_days_and_seed_replace_those_of_a_preset():
    assert scenario("effect", days=2, seed=5) == replace(scenario("effect"), days=2, seed=5)


def test_an_unknown_preset_is_refused_by_name():
    with pytest.raises(ConfigError, match="no preset 'storm'"):
        scenario("storm")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("days", 0),
        ("seed", -1),
        ("lasting_share", 1.5),
        ("volatility", 0.0),
        ("option_burst_trades", 0.5),
        ("sweeps_per_day", (4, 3)),
        ("shock_gap_minutes", 400.0),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_name(field, value):
    with pytest.raises(ConfigError, match=rf"scenario\.{field}"):
        Scenario(**({"days": 1, "seed": 1} | {field: value}))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_finite_number_is_refused(value):
    with pytest.raises(ConfigError, match=r"scenario\.impact_bps"):
        Scenario(days=1, seed=1, impact_bps=value)
