"""The entry plan: every number of volume-shock.md 6."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.strategies.exits import NEVER_DUE_NS, OUT_OF_REACH
from hedgeflow.strategies.volume_shock.config import Plan, VolumeShockConfig
from hedgeflow.strategies.volume_shock.plan import (
    AMBIGUOUS,
    EMERGENCY,
    SWEEP,
    hedge_contracts,
    inverse_perpetual_contracts,
    limit_minutes,
    plan_entry,
    planned_contracts,
    source_target_distance,
    square_root_impact,
    stop_points,
    target_points,
    watched_levels,
)

RULES = Plan()
BTC = hedge_instrument("BTC-PERP", "binance")
ES = hedge_instrument("ESH25", "cme")


def an_alert(**changes):
    alert = {
        "alert_id": "a1",
        "event_id": 7,
        "underlying": "BTC",
        "direction": "BUY_FUTURES",
        "demand": 12.0,
        "demand_scaled": 4_000.0,
        "response_minutes": 4.0,
        "urgency": "HIGH",
        "flow_class": EMERGENCY,
        "confidence": 0.5,
        "point": 20.0,
        "sigma": 0.5,
        "scale_volume": 300.0,
    }
    return alert | changes


@pytest.mark.parametrize(
    ("flow_class", "confidence", "demand", "contracts"),
    [
        (SWEEP, 0.4, 2_000.0, 2 * 0.4 * 1.2),
        (EMERGENCY, 0.95, 4_000.0, 2 * 0.95 * 2.0 * 2.0),
        (EMERGENCY, 0.95, -40_000.0, 2 * 0.95 * 2.0 * 2.0),
        (AMBIGUOUS, 0.5, 1_000.0, 2 * 0.5 * 0.5 * 0.5),
        (SWEEP, 0.0, 2_000.0, 0.0),
    ],
)
def test_size_is_2_times_confidence_times_class_times_at_most_2(
    flow_class, confidence, demand, contracts
):
    assert planned_contracts(confidence, flow_class, demand, RULES) == pytest.approx(contracts)


@pytest.mark.parametrize(
    ("demand", "points"),
    [(1_000.0, 5.0), (-1_000.0, 5.0), (5_000.0, 25.0), (5_001.0, 25.0), (-80_000.0, 25.0)],
)
def test_target_is_the_smaller_of_25_and_demand_over_200(demand, points):
    assert target_points(demand, RULES) == points


def test_the_sources_target_of_a_sell_is_negative():
    assert source_target_distance(-1_000.0) == -5.0
    assert source_target_distance(1_000.0) == 5.0
    assert source_target_distance(9_000.0) == 25.0


@pytest.mark.parametrize(("urgency", "points"), [("HIGH", 8.0), ("LOW", 12.0)])
def test_stop_is_8_if_high_and_12_if_low(urgency, points):
    assert stop_points(urgency, RULES) == points


@pytest.mark.parametrize(("urgency", "minutes"), [("HIGH", 8.0), ("LOW", 15.0)])
def test_time_limit_is_8_if_high_and_15_if_low(urgency, minutes):
    assert limit_minutes(SWEEP, urgency, 10.0, RULES) == minutes


@pytest.mark.parametrize(
    ("flow_class", "minutes"), [(SWEEP, 15.0 + 3), (EMERGENCY, 5.0 + 3), (AMBIGUOUS, 6.5 + 3)]
)
def test_time_limit_by_response_is_the_largest_expected_response_plus_3(flow_class, minutes):
    rules = Plan(limit="response")
    assert limit_minutes(flow_class, "HIGH", 6.5, rules) == minutes


def test_distances_are_points_times_the_price_of_a_point():
    plan = plan_entry(an_alert(), VolumeShockConfig(), BTC, 80_000.0)
    assert plan.target_distance == 20.0 * 20.0
    assert plan.stop_distance == 8.0 * 20.0
    assert (plan.target, plan.stop) == (80_400.0, 79_840.0)
    assert plan.limit_minutes == 8.0


def test_a_sell_has_its_target_below_and_keeps_the_sources_negative_distance_beside():
    alert = an_alert(direction="SELL_FUTURES", demand=-12.0, demand_scaled=-4_000.0, urgency="LOW")
    plan = plan_entry(alert, VolumeShockConfig.source(), BTC, 80_000.0)
    assert plan.direction == -1
    assert (plan.target, plan.stop) == (80_000.0 - 400.0, 80_000.0 + 240.0)
    assert plan.source_target_points == -20.0


def test_expected_hedge_is_demand_over_the_futures_multiplier_times_the_hedge_share():
    assert hedge_contracts(-5_000.0, 50.0) == 100.0
    plan = plan_entry(
        an_alert(demand=-5_000.0, direction="SELL_FUTURES"),
        VolumeShockConfig(plan=Plan(hedge_share=0.5)),
        ES,
        6_000.0,
    )
    assert plan.expected_hedge_contracts == 50.0


def test_a_stock_is_counted_in_standard_contracts_of_100_shares():
    stock = hedge_instrument("AAPL", "nasdaq", HedgeKind.STOCK)
    plan = plan_entry(an_alert(demand=5_000.0), VolumeShockConfig(), stock, 200.0)
    assert plan.expected_hedge_contracts == 50.0


def test_an_inverse_perpetual_takes_demand_times_price_over_contract_size():
    assert inverse_perpetual_contracts(-2.0, 80_000.0, 10.0) == -16_000.0


def test_square_root_impact_is_y_sigma_root_q_over_v():
    assert square_root_impact(1.0, 0.01, 400.0, 10_000.0) == pytest.approx(0.01 * 0.2)
    assert square_root_impact(0.7, 0.01, 400.0, 10_000.0) == pytest.approx(0.7 * 0.01 * 0.2)


def test_impact_takes_the_5_minute_volatility_with_the_5_minute_volume():
    plan = plan_entry(an_alert(), VolumeShockConfig(), BTC, 80_000.0, minutes_per_year=525_600.0)
    expected = 80_000.0 * 0.5 * math.sqrt(5 / 525_600) * math.sqrt(12.0 / 300.0)
    assert plan.impact_distance == pytest.approx(expected)


@pytest.mark.parametrize("missing", ["sigma", "scale_volume"])
def test_impact_is_unknown_without_volatility_or_volume(missing):
    plan = plan_entry(an_alert(**{missing: None}), VolumeShockConfig(), BTC, 80_000.0)
    assert plan.impact_distance is None


@given(
    demand=st.floats(1e-3, 1e7),
    buy=st.booleans(),
    point=st.floats(1e-3, 100.0),
    urgency=st.sampled_from(["HIGH", "LOW"]),
)
def test_the_target_is_always_on_the_profit_side_and_the_stop_on_the_other(
    demand, buy, point, urgency
):
    signed = demand if buy else -demand
    alert = an_alert(
        demand=signed,
        demand_scaled=signed,
        direction="BUY_FUTURES" if buy else "SELL_FUTURES",
        point=point,
        urgency=urgency,
    )
    plan = plan_entry(alert, VolumeShockConfig(), BTC, 80_000.0)
    assert plan.target_distance > 0
    assert plan.direction * (plan.target - plan.reference_price) >= 0
    assert plan.direction * (plan.stop - plan.reference_price) < 0


def test_a_fixed_size_knows_no_class_confidence_or_demand_but_skips_a_class_that_is_not_traded():
    fixed = Plan(sizing="fixed", base_contracts=3.0, ambiguous_multiplier=0.0)
    sizes = {
        planned_contracts(confidence, flow_class, demand, fixed)
        for confidence in (0.1, 0.95)
        for flow_class in (SWEEP, EMERGENCY)
        for demand in (100.0, 9_000.0)
    }
    assert sizes == {3.0}
    assert planned_contracts(0.95, AMBIGUOUS, 9_000.0, fixed) == 0.0


def test_levels_that_are_switched_off_are_out_of_reach_and_the_others_stay():
    assert watched_levels(2.0, 1.0, 60, Plan()) == (2.0, 1.0, 60)
    assert watched_levels(2.0, 1.0, 60, Plan(stop=False)) == (2.0, OUT_OF_REACH, 60)
    assert watched_levels(2.0, 1.0, 60, Plan(target=False, time_limit=False)) == (
        OUT_OF_REACH,
        1.0,
        NEVER_DUE_NS,
    )
