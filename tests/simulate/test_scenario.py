from datetime import date

import pytest

from hedgeflow.market.errors import ConfigError
from hedgeflow.simulate import Scenario, changed, load_scenario, presets, scenario


def test_null_differs_from_effect_in_who_hedges_only():
    back = changed(scenario("null"), {"dealers.hedging": "demand"}, preset="effect")
    assert back == scenario("effect")


def test_days_and_seed_replace_those_of_a_preset():
    assert scenario("effect", days=2, seed=5) == changed(scenario("effect"), days=2, seed=5)


@pytest.mark.parametrize("name", presets())
def test_every_preset_can_be_made_and_bears_its_name(name):
    assert scenario(name).preset == name


def test_a_file_changes_the_preset_that_it_names(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('preset = "effect"\ndays = 3\n[shocks]\ngap_minutes = 60\n', encoding="utf-8")
    own = load_scenario(file, settings=["seed=9"])
    same = scenario("effect", {"shocks.gap_minutes": 60}, days=3, seed=9)
    assert own == changed(same, preset="own")


def test_a_scenario_survives_its_json():
    one = scenario("effect", {"chain.expiries": [date(2025, 3, 28)]})
    assert Scenario.model_validate_json(one.model_dump_json()) == one


def test_an_unknown_preset_is_refused_by_name():
    with pytest.raises(ConfigError, match="no preset 'storm'"):
        scenario("storm")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("days = 0", "'days': input should be greater than or equal to 1, was 0"),
        ("seed = -1", "'seed'"),
        ("[option_flow]\ntrades_per_day = -5", "'option_flow.trades_per_day': input should be"),
        ("[option_flow]\ntrade_per_day = 5", "Did you mean 'option_flow.trades_per_day'?"),
        ("[shock]\nenabled = true", "'shock' is not a setting. Did you mean 'shocks'?"),
        ("[impact]\npermanent_share = 1.5", "'impact.permanent_share'"),
        ("[index]\nvolatility = 0", "'index.volatility'"),
        ("[index]\nvolatility = nan", "'index.volatility'"),
        ("[shocks]\nsweeps_per_day = [4, 3]", "sweeps_per_day must be [least, most], was [4, 3]"),
        ("[shocks]\ngap_minutes = 400", "8 shocks 400 minutes apart exceed a session"),
        ("[chain]\nexpiries = [2025-01-03]", "2025-01-03 is not after the first day, 2025-01-06"),
        ("first_day = 2300-01-01", "first_day: a market can be simulated from 1970 until 2200"),
        ("first_day = 1969-12-31", "first_day: a market can be simulated from 1970 until 2200"),
        ("days = 100000", "first_day: a market can be simulated from 1970 until 2200"),
        ("[chain]\ndaily_expiries = 0\nweekly_expiries = 0", "chain.weekly_expiries: no option"),
        ("[expiry]\nenabled = true", "expiry.enabled: options must expire as a session closes"),
        (
            'preset = "expiry-friday"\n[dealers]\nordinary = false',
            "expiry.enabled: with dealers.ordinary false dealers rehedge nothing",
        ),
        (
            'preset = "expiry-friday"\n[expiry]\nwindow_minutes = 178',
            "expiry.window_minutes: 178 minutes and the time between two looks at the book, 5",
        ),
        (
            'preset = "expiry-friday"\n[expiry]\nwindow_minutes = 1\nlook_seconds = 90',
            "expiry.look_seconds: 90 seconds are longer than the last hours, 1 minutes",
        ),
        ("[expiry]\ndealers = 'flat'", "'expiry.dealers'"),
        ("[expiry]\nlean = 1.5", "'expiry.lean'"),
        ("[expiry]\npin = true", "'expiry.pin' is not a setting"),
        ("[chain]\nexpiries = ['soon']", "'chain.expiries.0' must be a date"),
        ('preset = "storm"', "no preset 'storm'"),
        ("preset = 5", "'preset' must be a text"),
        ("days = ", "is no TOML"),
    ],
)
def test_a_bad_scenario_file_is_refused_with_file_key_and_value(tmp_path, text, words):
    file = tmp_path / "bad.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_scenario(file)
    assert words in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load_scenario(tmp_path / "none.toml")
