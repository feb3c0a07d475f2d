"""What check-config says, in words."""

from __future__ import annotations

import pytest

from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.strategies.settings import Costs, Scale
from hedgeflow.strategies.volume_shock.config import (
    Alert,
    Anomaly,
    Classifier,
    Plan,
    Risk,
    VolumeShockConfig,
)
from hedgeflow.strategies.volume_shock.feasibility import explain_config

BTC = hedge_instrument("BTC-PERP", "binance")
ES = hedge_instrument("ESH25", "cme")
AAPL = hedge_instrument("AAPL", "nasdaq", HedgeKind.STOCK)


def findings(config, key, **known):
    return [found for found in explain_config(config, **known) if found.key == key]


def only(config, key, **known):
    [found] = findings(config, key, **known)
    return found


def test_an_index_cannot_be_traded_whatever_the_configuration():
    spx = hedge_instrument("SPX", "usa")
    found = only(VolumeShockConfig(), "hedge_instrument", price=3700.0, hedge=spx)
    assert (found.level, found.sentence.split(":")[0]) == ("conflict", "SPX is an index")
    others = explain_config(VolumeShockConfig(), price=3700.0, hedge=spx)
    assert [each.key for each in others if "SPX" in each.sentence] == ["hedge_instrument"]


def with_risk(**changes):
    return VolumeShockConfig(risk=Risk(**changes))


def test_under_source_the_routine_tier_never_exceeds_20_so_no_sweep_can_alert():
    found = only(VolumeShockConfig.source(), "alert.pressure_threshold")
    assert found.level == "conflict"
    assert "2,000 over 10 min squared = 20" in found.sentence
    assert "no sweep can alert" in found.sentence


def test_under_normalized_the_threshold_of_10_lets_the_routine_tier_alert():
    assert findings(VolumeShockConfig(), "alert.pressure_threshold") == []


def test_the_urgent_tier_of_exactly_5_minutes_is_always_ambiguous():
    found = only(VolumeShockConfig.source(), "classifier")
    assert found.level == "warning"
    assert "between 2,000 and 5,000 are always ambiguous" in found.sentence


def test_under_the_calibrated_model_the_hole_is_only_for_want_of_responses():
    found = only(VolumeShockConfig(), "classifier")
    assert (found.level, found.sentence.split(",")[0]) == (
        "info",
        "While too few responses are known to calibrate",
    )


def test_an_emergencys_3000_never_binds():
    found = only(VolumeShockConfig.source(), "classifier.emergency_demand_above")
    assert "above 3,000 never binds" in found.sentence
    assert "5,000" in found.sentence


def test_the_signature_modes_ratio_of_3_never_binds():
    config = VolumeShockConfig(classifier=Classifier(mode="signature"))
    assert "above 3 never binds" in only(config, "classifier.sweep_ratio_above").sentence


def test_source_cannot_pay_its_costs_on_btc():
    found = only(VolumeShockConfig.source(), "plan.target_cap_points", price=100_000.0, hedge=BTC)
    assert found.level == "conflict"
    assert "come to 110.00 a unit against a target of at most 25.00" in found.sentence


def test_a_future_pays_its_fee_easily():
    config = VolumeShockConfig.source()
    assert findings(config, "plan.target_cap_points", price=6_000.0, hedge=ES) == []


def test_targets_in_bps_are_judged_at_the_price():
    config = VolumeShockConfig(scale=Scale(distance="bps", bps_per_point=0.25))
    found = only(config, "plan.target_cap_points", price=80_000.0, hedge=BTC)
    assert (found.level, "cannot pay" in found.sentence) == ("conflict", True)


def test_targets_in_sigma_name_the_volatility_that_pays_the_fees():
    found = only(VolumeShockConfig(), "plan.target_cap_points", price=80_000.0, hedge=BTC)
    assert "volatility of 9.0%" in found.sentence


def test_a_sweep_at_the_threshold_rounds_to_no_es_contract():
    found = only(VolumeShockConfig.source(), "plan.sweep_multiplier", hedge=ES)
    assert (found.level, "0.96 contracts" in found.sentence) == ("warning", True)


def test_a_class_that_never_reaches_a_lot_is_a_conflict():
    config = VolumeShockConfig(plan=Plan(ambiguous_multiplier=0.2))
    found = only(config, "plan.ambiguous_multiplier", hedge=ES)
    assert (found.level, "always round down to zero" in found.sentence) == ("conflict", True)


def test_a_class_with_multiplier_zero_is_observed_only():
    config = VolumeShockConfig(plan=Plan(ambiguous_multiplier=0.0))
    found = only(config, "plan.ambiguous_multiplier", hedge=ES)
    assert (found.level, "never traded" in found.sentence) == ("info", True)


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"per_trade": 0.06}, "risk.per_trade", "a whole day only 5.00%"),
        ({"sweep_per_trade": 0.03}, "risk.sweep_per_trade", "above per_trade of 2.00%"),
        ({"account_usd": 20_000.0}, "risk.account_usd", "minimum of 25,000"),
        ({"account_usd": 50_000.0}, "risk.buying_power_usd", "above the 30,000 USD"),
        ({"cash_reserve": 0.5}, "risk.cash_reserve", "less than the reserve of 50%"),
    ],
)
def test_limits_that_contradict_each_other_are_conflicts(changes, key, words):
    found = only(with_risk(**changes), key)
    assert (found.level, words in found.sentence) == ("conflict", True)


def test_an_account_below_the_recommended_100000_is_a_warning():
    found = only(with_risk(account_usd=99_000.0, buying_power_usd=10_000.0), "risk.account_usd")
    assert (found.level, "100,000" in found.sentence) == ("warning", True)


def test_one_lot_whose_margin_exceeds_the_buying_power_is_a_conflict():
    config = with_risk(buying_power_usd=20_000.0)
    found = only(config, "risk.buying_power_usd", price=6_000.0, hedge=ES)
    assert "needs 30,000 USD of margin" in found.sentence


def test_one_lot_whose_stop_exceeds_a_class_cap_is_a_conflict():
    source = VolumeShockConfig.source()
    config = source.model_copy(update={"risk": Risk(ambiguous_per_trade=0.003)})
    found = only(config, "risk.ambiguous_per_trade", price=6_000.0, hedge=ES)
    assert "loses 400 USD at the nearest stop, above the 300 USD" in found.sentence


def test_three_trades_of_2_percent_exceed_the_days_5():
    assert "3 positions of 2.00%" in only(VolumeShockConfig(), "risk.per_day").sentence


def test_more_positions_an_instrument_than_in_all_never_bind():
    config = with_risk(positions_per_instrument=4)
    assert "never bind" in only(config, "risk.positions_per_instrument").sentence


def test_flat_before_the_close_does_not_apply_around_the_clock():
    found = only(VolumeShockConfig(), "risk.flat_before_close_minutes", hedge=BTC)
    assert "does not apply" in found.sentence
    assert findings(VolumeShockConfig(), "risk.flat_before_close_minutes", hedge=ES) == []


@pytest.mark.parametrize(
    ("hedge", "words"),
    [(BTC, "does not apply to a perpetual"), (ES, "not apply to a future"), (AAPL, "2026-06-04")],
)
def test_the_pattern_day_trader_rule_is_explained_by_product(hedge, words):
    found = only(VolumeShockConfig(), "risk.policy_minimum_account_usd", hedge=hedge)
    assert words in found.sentence


def test_a_latency_beyond_the_oldest_alert_trades_nothing():
    config = VolumeShockConfig(costs=Costs(latency_ms=301_000.0))
    assert only(config, "costs.latency_ms").level == "conflict"


def test_costs_switched_off_are_said():
    config = VolumeShockConfig(costs=Costs(cost_multiple=0.0))
    assert only(config, "costs.cost_multiple").level == "warning"


@pytest.mark.parametrize("hedge", [None, BTC])
def test_an_unknown_fee_table_is_a_conflict(hedge):
    config = VolumeShockConfig(costs=Costs(fee_profile="mtgox"))
    found = only(config, "costs.fee_profile", hedge=hedge)
    assert (found.level, "'mtgox'" in found.sentence) == ("conflict", True)


def test_a_venue_without_a_fee_table_is_said():
    hedge = hedge_instrument("BTC-PERP", "nowhere")
    found = only(VolumeShockConfig(), "costs.fee_profile", hedge=hedge)
    assert "10 bp a side is assumed" in found.sentence


def test_windows_are_listed():
    sentence = only(VolumeShockConfig(), "anomaly.windows_seconds").sentence
    assert "5 s, 60 s, 300 s" in sentence


def test_the_response_rules_18_minutes_are_longer_than_15():
    config = VolumeShockConfig(plan=Plan(limit="response"))
    assert "held 18 min, longer than the 15 min" in only(config, "plan.limit").sentence


def test_conflicts_come_first():
    levels = [
        found.level
        for found in explain_config(VolumeShockConfig.source(), price=100_000.0, hedge=BTC)
    ]
    assert levels == sorted(levels, key=["conflict", "warning", "info"].index)


def test_a_raised_ratio_with_linear_confidence_is_judged_at_that_ratio():
    config = VolumeShockConfig(
        anomaly=Anomaly(ratio=8.0), alert=Alert(confidence="linear"), plan=Plan()
    )
    assert findings(config, "plan.sweep_multiplier", hedge=ES) == []


def test_what_is_switched_off_is_said():
    assert only(VolumeShockConfig(plan=Plan(stop=False)), "plan.stop").level == "warning"
    endless = VolumeShockConfig(plan=Plan(stop=False, target=False, time_limit=False))
    assert only(endless, "plan.time_limit").level == "conflict"
    fixed = VolumeShockConfig(plan=Plan(sizing="fixed", base_contracts=3.0))
    assert "3 contracts" in only(fixed, "plan.sizing").sentence
    for key in ("plan.stop", "plan.time_limit", "plan.sizing"):
        assert findings(VolumeShockConfig(), key) == []
