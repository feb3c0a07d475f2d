"""The expiration pressure's entry plan: every number of expiration-pressure.md 4, every side."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.risk.reasons import Reason
from hedgeflow.signals.settlement_rules import CONDITION, SignalClass, Urgency
from hedgeflow.strategies.expiration_pressure.config import (
    Direction,
    ExpirationPressureConfig,
    Plan,
    Risk,
)
from hedgeflow.strategies.expiration_pressure.plan import (
    ExpirationPlan,
    NoPlan,
    Refusal,
    added_contracts,
    buffer_minutes,
    hold_minutes,
    plan_entry,
    planned_contracts,
    stop_points,
)
from hedgeflow.strategies.settings import Scale

LOW, HIGH, CRISIS = Urgency
RULES = Plan()
ES = hedge_instrument("ESH25", "cme")
AAPL = hedge_instrument("AAPL", "nasdaq", HedgeKind.STOCK)


def a_condition(**changes):
    """Return a row as the scan gives it: HIGH, 4 points above a strike of 6,000."""
    row = np.zeros((), CONDITION)
    values = {
        "expiry_ns": 7, "strike": 6_000.0, "alert_number": 3, "urgency": HIGH,
        "signal_class": SignalClass.STEERING, "minutes_left": 30.0, "confidence": 0.5,
        "distance": 4.0, "target_distance": 15.0, "dealer_gamma": -1.0, "dealer_units": -90.0,
        "price": 6_004.0, "point": 1.0, "scale": math.nan, "oi": 5_000.0,
    } | changes  # fmt: skip
    fixing = values.pop("fixing_minutes", 0.0)
    for name, value in values.items():
        row[name] = value
    return dict(zip(CONDITION.names, row.item(), strict=True)) | {"fixing_minutes": fixing}


def config_of(model="dealer-gamma", *, min_reward_risk=0.0, **changes):
    return ExpirationPressureConfig(
        direction=Direction(model=model),
        plan=Plan(min_reward_risk=min_reward_risk, **changes),
    )


def planned(condition=None, config=None, *, reference=None, then=None, hedge=ES):
    condition = condition or a_condition()
    price = condition["price"] if reference is None else reference
    config = config or config_of()
    return plan_entry(
        condition,
        config,
        hedge,
        price,
        price_then=price if then is None else then,
        alert_id="a",
        underlying="ES",
    )


def refused(condition, config=None):
    plan = planned(condition, config)
    assert isinstance(plan, NoPlan)
    return plan.reason


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("urgency", "multiplier"), [(LOW, 1.0), (HIGH, 2.0), (CRISIS, 3.0)])
def test_size_is_1_5_times_1_2_or_3_times_confidence(urgency, multiplier):
    assert planned_contracts(0.6, urgency, RULES) == pytest.approx(1.5 * multiplier * 0.6)


def test_a_fixed_size_knows_no_urgency_or_confidence_but_skips_one_that_is_not_traded():
    fixed = Plan(sizing="fixed", base_contracts=3.0, low_multiplier=0.0)
    assert planned_contracts(0.1, HIGH, fixed) == planned_contracts(0.9, CRISIS, fixed) == 3.0
    assert planned_contracts(0.9, LOW, fixed) == 0.0


@pytest.mark.parametrize(("urgency", "points"), [(LOW, 15.0), (HIGH, 10.0), (CRISIS, 6.0)])
def test_stops_are_15_10_and_6_points(urgency, points):
    assert stop_points(urgency, RULES) == points


@pytest.mark.parametrize(("urgency", "minutes"), [(LOW, 10.0), (HIGH, 8.0), (CRISIS, 3.0)])
def test_positions_are_held_at_most_minutes_left_less_10_8_or_3(urgency, minutes):
    assert buffer_minutes(urgency, RULES) == minutes
    assert hold_minutes(60.0, urgency, RULES) == 60.0 - minutes


def test_distances_are_points_times_the_conditions_point():
    plan = planned(a_condition(point=2.0, target_distance=30.0))
    assert (plan.stop_distance, plan.tightened_distance) == (20.0, 12.0)
    assert plan.target_price == 6_030.0


def test_a_plan_names_its_alert_its_class_its_urgency_and_its_expiry():
    plan = planned()
    assert (plan.event_id, plan.flow_class, plan.urgency) == (3, "STEERING", "HIGH")
    assert (plan.expiry_ns, plan.strike, plan.minutes_left, plan.limit_minutes) == (
        7, 6_000.0, 30.0, 22.0,
    )  # fmt: skip
    assert (plan.instrument, plan.underlying) == ("ESH25", "ES")


# --- sides ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "price", "direction", "target"),
    [
        ("steer-away", 6_004.0, 1, 6_015.0),
        ("steer-away", 5_996.0, -1, 5_985.0),
        ("pin", 6_004.0, -1, 6_000.0),
        ("pin", 5_996.0, 1, 6_000.0),
    ],
)
def test_steer_away_buys_above_the_strike_and_pin_sells_there_with_the_strike_as_target(
    model, price, direction, target
):
    plan = planned(a_condition(price=price), config_of(model))
    assert (plan.direction, plan.target, plan.model) == (direction, target, model)
    assert plan.target_distance == abs(target - price)


@pytest.mark.parametrize(("gamma", "model"), [(2.0, "pin"), (-2.0, "steer-away")])
def test_dealers_long_gamma_pin_and_short_gamma_steer_away(gamma, model):
    assert planned(a_condition(dealer_gamma=gamma)).model == model


def test_without_a_volatility_the_contracts_that_dealers_hold_tell_the_sign():
    condition = a_condition(dealer_gamma=math.nan, dealer_units=40.0)
    assert planned(condition).model == "pin"


@pytest.mark.parametrize("gamma", [0.0, math.nan])
def test_gamma_that_is_zero_or_unknown_is_no_trade(gamma):
    condition = a_condition(dealer_gamma=gamma, dealer_units=math.nan)
    assert refused(condition) is Refusal.NO_DEALER_GAMMA
    assert isinstance(planned(condition, config_of("steer-away")), ExpirationPlan)


@pytest.mark.parametrize("model", ["steer-away", "pin", "dealer-gamma"])
def test_exactly_at_the_strike_there_is_no_side(model):
    assert refused(a_condition(price=6_000.0), config_of(model)) is Refusal.NO_SIDE


def test_the_strike_lies_where_the_hedge_instruments_own_price_puts_it():
    plan = planned(reference=6_024.0)
    assert (plan.basis, plan.target_price, plan.reference_price) == (20.0, 6_035.0, 6_024.0)
    assert planned(a_condition(dealer_gamma=1.0), reference=6_024.0).target_price == 6_020.0


def test_a_price_that_has_moved_since_is_judged_where_it_is_now_not_where_it_was():
    """Seen at 7,690, below the strike of 7,700; since then the future went from there to 7,710."""
    condition = a_condition(
        strike=7_700.0, price=7_690.0, distance=10.0, urgency=CRISIS, minutes_left=10.0
    )
    pin = planned(condition, config_of("pin"), then=7_690.0, reference=7_710.0)
    assert (pin.direction, pin.basis, pin.target_price) == (-1, 0.0, 7_700.0)
    assert pin.target_distance == 10.0
    away = planned(condition, config_of("steer-away"), then=7_690.0, reference=7_710.0)
    assert (away.direction, away.target_price) == (1, 7_715.0)


def test_a_basis_is_of_one_instant_so_that_a_move_since_is_not_taken_for_it():
    """The future stands 20 above the index all the time; both went up by 6."""
    plan = planned(then=6_024.0, reference=6_030.0)
    assert (plan.basis, plan.target_price, plan.target_distance) == (20.0, 6_035.0, 5.0)


def test_what_is_decided_late_has_the_target_of_the_distance_of_then():
    """Planned 5 above the strike, acted on 40 above: the target is 1.5 x 40 beyond it, not 15."""
    condition = a_condition(strike=5_000.0, price=5_005.0, distance=5.0)
    late = planned(condition, config_of("steer-away"), then=5_005.0, reference=5_040.0)
    fresh = planned(
        a_condition(strike=5_000.0, price=5_040.0, distance=40.0, target_distance=60.0),
        config_of("steer-away"),
    )
    assert late.target_price == fresh.target_price == 5_060.0
    assert late == fresh


@pytest.mark.parametrize(
    ("minutes", "price", "named"),
    [
        (60.0, 6_019.9, "PIN_RISK_MANAGEMENT"),
        (60.0, 6_020.0, "OTHER"),
        (130.0, 6_010.0, "OTHER"),
        (30.0, 6_040.0, "STEERING"),
        (10.0, 6_007.9, "ASSIGNMENT_RISK_PANIC"),
        (10.0, 6_008.0, "OTHER"),
    ],
)
def test_the_class_is_that_of_the_price_and_the_time_of_the_plan(minutes, price, named):
    """Seen at 6,004 as STEERING, acted on later: class and urgency are those of then."""
    plan = planned(
        a_condition(minutes_left=minutes), config_of("steer-away"), then=6_004.0, reference=price
    )
    assert plan.flow_class == named
    assert plan.urgency == ("LOW" if minutes > 45 else "HIGH" if minutes > 15 else "CRISIS")


# --- refusals ------------------------------------------------------------------------------------


def test_a_target_of_5_points_against_a_stop_of_15_is_refused_unless_allowed():
    condition = a_condition(urgency=LOW, minutes_left=60.0, price=6_010.0, distance=10.0)
    assert refused(condition, config_of(min_reward_risk=1.0)) is Refusal.REWARD_BELOW_RISK
    plan = planned(condition, config_of(min_reward_risk=0.0))
    assert (plan.target_distance, plan.stop_distance) == (5.0, 15.0)


def test_a_reward_of_exactly_the_risk_is_taken():
    condition = a_condition(price=6_005.0)
    assert planned(condition, config_of(min_reward_risk=1.0)).target_distance == 10.0


def test_a_reward_that_only_rounding_keeps_below_the_risk_is_taken_too():
    """129.04 - 123.04 is 5.999999999999986 in binary."""
    condition = a_condition(
        strike=123.04, price=129.04, distance=6.0, urgency=CRISIS, minutes_left=10.0
    )
    plan = planned(condition, config_of("pin", min_reward_risk=1.0))
    assert isinstance(plan, ExpirationPlan)
    assert plan.target_distance == pytest.approx(plan.stop_distance)


def test_a_price_that_only_rounding_keeps_off_the_strike_has_no_side():
    condition = a_condition(strike=0.3, price=0.1 + 0.2)
    assert refused(condition, config_of("steer-away")) is Refusal.NO_SIDE


def test_a_target_behind_the_price_is_refused_whatever_the_ratio():
    assert refused(a_condition(target_distance=3.0)) is Refusal.REWARD_BELOW_RISK


@pytest.mark.parametrize(
    ("urgency", "minutes", "is_traded"),
    [(CRISIS, 3.0, False), (CRISIS, 3.1, True), (CRISIS, 1.0, False), (HIGH, 15.0, True)],
)
def test_in_a_crisis_3_minutes_before_expiry_nothing_can_be_held(urgency, minutes, is_traded):
    plan = planned(a_condition(urgency=urgency, minutes_left=minutes))
    assert isinstance(plan, ExpirationPlan) == is_traded
    if not is_traded:
        assert plan.reason is Refusal.NO_TIME_LEFT


def test_without_a_buffer_the_last_2_minutes_are_still_no_time():
    rules = Plan(buffer_crisis_minutes=0.0)
    assert hold_minutes(2.0, CRISIS, rules) == 0.0
    assert hold_minutes(2.5, CRISIS, rules) == 2.5


@pytest.mark.parametrize(
    ("minutes", "is_traded"), [(30.1, True), (30.0, False), (15.0, False), (3.5, False)]
)
def test_inside_the_fixing_nothing_is_opened_unless_it_is_allowed(minutes, is_traded):
    """Deribit and NSE average the last 30 minutes (flaws 2.D21)."""
    urgency = HIGH if minutes >= 15.0 else CRISIS
    condition = a_condition(minutes_left=minutes, urgency=urgency, fixing_minutes=30.0)
    plan = planned(condition)
    assert isinstance(plan, ExpirationPlan) == is_traded
    if is_traded:
        assert plan.opens_until_ns == plan.expiry_ns - 30 * MINUTE_NS
    else:
        assert plan.reason is Refusal.INSIDE_FIXING
        assert "over the last 30: nothing is opened in them" in plan.sentence
    allowed = planned(condition, config_of(trade_in_fixing=True))
    assert allowed.opens_until_ns == allowed.expiry_ns


def test_every_refusal_is_a_reason_of_the_decisions_table():
    assert {refusal.value for refusal in Refusal} <= {reason.value for reason in Reason}


# --- what is added, and what the market bears -----------------------------------------------------


def plan_of(urgency, cap=None):
    minutes = (60.0, 30.0, 10.0)[urgency]
    return replace(
        planned(a_condition(urgency=urgency, minutes_left=minutes)), volume_cap_contracts=cap
    )


def added(plan, held, rules=RULES, minutes=15.0):
    """Return what is added at the crossing, so many minutes before expiry."""
    return added_contracts(plan, held, minutes, rules)


def test_the_evolution_adds_2_times_what_is_held_to_a_low_position():
    assert added(plan_of(LOW), 1.25) == 2.5


def test_the_evolution_adds_nothing_to_a_high_position_unless_asked():
    assert added(plan_of(HIGH), 1.25) == 0.0
    assert added(plan_of(HIGH), 1.25, Plan(add_on_high=True)) == 2.5
    assert added(plan_of(CRISIS), 1.25, Plan(add_on_high=True)) == 0.0


def test_we_are_at_most_a_tenth_of_the_usual_volume_over_the_holding_time():
    condition = a_condition(scale=500.0, confidence=0.95)
    plan = planned(condition)
    assert plan.volume_cap_contracts == pytest.approx(0.1 * 500.0 * 22.0 / 5.0 / 50.0)
    assert plan.size_contracts == pytest.approx(min(1.5 * 2 * 0.95, 4.4))
    thin = planned(a_condition(scale=100.0, confidence=0.95))
    assert thin.size_contracts == thin.volume_cap_contracts == pytest.approx(0.88)


def test_at_the_crossing_the_cap_is_of_the_time_that_is_left_then():
    """Planned for 50 minutes, 12 are left of them 15 minutes before expiry: 2 become 0.48."""
    plan = plan_of(LOW, cap=2.0)
    assert plan.limit_minutes == 50.0
    assert added(plan, 0.25) == pytest.approx(0.48 - 0.25)
    assert added(plan, 0.48) == 0.0
    assert added(plan, 1.25) == 0.0
    assert added(plan_of(LOW, cap=200.0), 1.25) == 2.5


def test_the_cap_is_a_share_of_what_is_traded_alone_not_of_other_venues_with_it():
    """V5 counts three times for the scale of demand, once for our share."""
    once = planned(a_condition(scale=100.0))
    config = config_of().model_copy(update={"scale": Scale(hedge_volume_scale=3.0)})
    scaled = planned(a_condition(scale=300.0), config)
    assert scaled.volume_cap_contracts == once.volume_cap_contracts == pytest.approx(0.88)


def test_the_share_of_the_volume_is_a_setting():
    config = ExpirationPressureConfig(
        plan=Plan(min_reward_risk=0.0), risk=Risk(own_volume_share=0.2)
    )
    plan = planned(a_condition(scale=500.0), config)
    assert plan.volume_cap_contracts == pytest.approx(8.8)


def test_without_v5_there_is_no_such_cap():
    assert planned().volume_cap_contracts is None


@given(
    above=st.floats(-50.0, 50.0).filter(lambda value: abs(value) > 1e-3),
    gamma=st.sampled_from([1.0, -1.0]),
    urgency=st.sampled_from([LOW, HIGH, CRISIS]),
    basis=st.floats(-30.0, 30.0),
)
def test_the_target_is_always_on_the_profit_side_and_the_stop_on_the_other(
    above, gamma, urgency, basis
):
    condition = a_condition(
        price=6_000.0 + above, target_distance=max(15.0, 1.5 * abs(above)), dealer_gamma=gamma,
        urgency=urgency,
    )  # fmt: skip
    plan = planned(condition, reference=6_000.0 + above + basis, hedge=AAPL)
    assert plan.direction * (plan.target - plan.reference_price) > 0
    assert plan.direction * (plan.stop - plan.reference_price) < 0
    assert plan.direction == (1 if above > 0 else -1) * (-1 if gamma > 0 else 1)
