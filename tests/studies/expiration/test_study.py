"""From a market's expiries to a verdict: three directions side by side, and honest words."""

from __future__ import annotations

import pytest

from hedgeflow.evidence import ArmGroup
from hedgeflow.journal import Journal
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig, load_config
from hedgeflow.studies.strategies import strategy_of, study_named
from hedgeflow.studies.validation import validate, verdict

FAST = ("null.draws_on_bars=200", "null.draws_on_ticks=200")
SOURCE = load_config("source", None, FAST)
EAGER = load_config(
    "source",
    None,
    (*FAST, "plan.oldest_quote_seconds=400", "pressure.threshold=2", "plan.min_reward_risk=0"),
)
"""Trades where quotes come every 5 minutes and few contracts are open."""


@pytest.fixture(scope="module")
def validated(fridays, tmp_path_factory):
    with Journal.open(tmp_path_factory.mktemp("journal") / "journal.sqlite") as journal:
        return validate(fridays, EAGER, journal)


def test_the_three_directions_stand_side_by_side_and_the_own_one_is_the_record(validated):
    arms = [arm for arm in validated.evidence.arms if arm.group is ArmGroup.DIRECTION]
    assert [arm.id for arm in arms] == ["steer-away", "pin", "dealer-gamma"]
    (own,) = [arm for arm in arms if arm.reference]
    assert own.id == EAGER.direction.model
    made = validated.tables.arms.filter(group="direction", arm=own.id)
    mine = validated.backtest.trades
    assert mine.height
    assert made["net_usd"].to_list() == mine.sort("entry_ns")["net_usd"].to_list()


def test_a_simulated_market_is_never_evidence(validated):
    assert validated.evidence.label.startswith("SIMULATED: ")
    assert validated.evidence.manifest.simulated


def test_ten_simulated_weeks_are_too_few_and_it_is_said(validated):
    assert "INSUFFICIENT_DATA" in validated.evidence.label
    (sample,) = [gate for gate in validated.evidence.gates if gate.id == "sample"]
    assert sample.status.value == "FAILED"


@pytest.mark.parametrize("preset", ["source", "normalized"])
def test_settings_are_known_to_be_of_the_strategy(preset):
    config = study_named("expiration-pressure").of_preset(preset)
    assert isinstance(config, ExpirationPressureConfig)
    assert strategy_of(config.model_dump(mode="json")) == "expiration-pressure"


@pytest.mark.parametrize(
    ("underlying", "untestable"),
    [("AAPL", ()), ("SPX", ("tradable-prices",)), ("NIFTY", ("tradable-prices",)), ("BTC", ())],
)
def test_recorded_markets_are_too_few_data_and_the_reasons_are_told(
    recorded, tmp_path, underlying, untestable
):
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        made = verdict(recorded(underlying), SOURCE, journal)
    assert "INSUFFICIENT_DATA" in made.evidence.label
    status = {gate.id: gate for gate in made.evidence.gates}
    assert status["sample"].status.value == "FAILED"
    for name in untestable:
        assert status[name].status.value == "UNTESTABLE"
        assert "nobody can trade" in status[name].reason
    if underlying == "BTC":
        assert any("UNTESTABLE" in note for note in made.backtest.notes)
