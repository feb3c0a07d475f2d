"""A configuration from texts: what is taken, and what is refused in which words."""

from __future__ import annotations

import pytest

from hedgeflow.market.errors import ConfigError
from hedgeflow.strategies.volume_shock import VolumeShockConfig, load_config


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("anomaly.ratio=true", "'anomaly.ratio' must be a number, was true"),
        ("anomaly.ratio='5'", "'anomaly.ratio' must be a number, was \"5\""),
        ("risk.positions=true", "'risk.positions' must be a whole number, was true"),
        ("risk.positions=2.5", "'risk.positions' must be a whole number, was 2.5"),
        ("tape.premium_adjusted=1", "'tape.premium_adjusted' must be true or false, was 1"),
        ("hedge_venue=5", "'hedge_venue' must be a text, was 5"),
        ("anomaly.windows_seconds=60", "'anomaly.windows_seconds' must be a list, was 60"),
        ("anomaly.windows_seconds=[60, false]", "'anomaly.windows_seconds.1' must be a number"),
        ("anomaly=5", "'anomaly' is a section with settings of its own, was 5"),
        ("anomaly.windows_seconds=[60, 5]", "must ascend without repeats, was [60.0, 5.0]"),
    ],
)
def test_a_value_of_another_type_is_refused_in_plain_words(setting, words):
    with pytest.raises(ConfigError) as refused:
        load_config(settings=[setting])
    assert words in str(refused.value)


def test_texts_of_a_file_and_of_settings_still_mean_what_they_did(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text("[anomaly]\nratio = 5\nwindows_seconds = [60, 300.0]\n", encoding="utf-8")
    config = load_config(
        path=file,
        settings=["risk.volatility_index=VIX", "tape.premium_adjusted=true", "hedge_venue=okx",
                  'tape.exclude_conditions=["open"]', "risk.positions=2"],
    )  # fmt: skip
    assert (config.anomaly.ratio, config.anomaly.windows_seconds) == (5.0, (60.0, 300.0))
    assert (config.risk.volatility_index, config.risk.positions) == ("VIX", 2)
    assert (config.tape.premium_adjusted, config.tape.exclude_conditions) == (True, ("open",))
    assert config.hedge_venue == "okx"


def test_a_configuration_survives_its_json():
    config = load_config("source", settings=["anomaly.ratio=6"])
    assert VolumeShockConfig.model_validate(config.model_dump(mode="json")) == config


def test_what_a_simulated_market_asks_for_lies_over_the_preset_and_under_the_rest():
    asked = {"anomaly": {"ratio": 5.0, "volume_contracts": 50.0}}
    config = load_config("source", settings=["anomaly.ratio=6"], market_settings=asked)
    assert config.anomaly.ratio == 6.0
    assert config.anomaly.volume_contracts == 50.0
    assert config.scale.demand == "absolute"


def test_a_market_that_asks_for_what_there_is_not_is_refused_as_that():
    with pytest.raises(ConfigError, match=r"the scenario's settings: 'anomaly.ratoi' is not"):
        load_config(market_settings={"anomaly": {"ratoi": 5.0}})
