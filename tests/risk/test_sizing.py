"""Caps and the floor to the lot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.errors import ConfigError
from hedgeflow.risk import size_plan
from hedgeflow.risk.sizing import floor_to_lot, margin_limit_usd, margin_rate
from hedgeflow.strategies.volume_shock.config import Risk
from hedgeflow.strategies.volume_shock.plan import AMBIGUOUS, EMERGENCY, SWEEP, ShockPlan

BTC = hedge_instrument("BTC-PERP", "binance")
ES = hedge_instrument("ESH25", "cme")
AAPL = hedge_instrument("AAPL", "nasdaq", HedgeKind.STOCK)
RULES = Risk()
BIG = ShockPlan(
    alert_id="a1",
    event_id=1,
    underlying="X",
    instrument="X",
    flow_class=EMERGENCY,
    urgency="HIGH",
    direction=-1,
    size_contracts=1e9,
    reference_price=100.0,
    target_distance=4.0,
    stop_distance=2.0,
    limit_minutes=8.0,
    point=1.0,
    expected_hedge_contracts=1.0,
    source_target_points=4.0,
    impact_distance=None,
)


def sized(plan=BIG, instrument=BTC, rules=RULES, **changes):
    known = {
        "equity_usd": 100_000.0,
        "day_risk_left_usd": 5_000.0,
        "open_margin_usd": 0.0,
        "cost_per_contract_usd": 0.5,
    }
    return size_plan(plan, instrument, rules, **(known | changes))


@pytest.mark.parametrize(
    ("flow_class", "share", "name"),
    [
        (SWEEP, 0.015, "sweep_per_trade"),
        (EMERGENCY, 0.02, "per_trade"),
        (AMBIGUOUS, 0.005, "ambiguous_per_trade"),
    ],
)
def test_class_caps_are_1_5_and_2_and_half_a_percent(flow_class, share, name):
    assert RULES.per_trade_of(flow_class) == (share, name)


def test_a_class_cap_above_2_percent_gives_way_to_it():
    assert Risk(sweep_per_trade=0.04).per_trade_of(SWEEP) == (0.02, "per_trade")


WIDE = Risk(contracts=1e9, buying_power_usd=1e9, margin_utilisation=1.0, cash_reserve=0.0)


@pytest.mark.parametrize(
    ("changes", "rules", "bound", "before"),
    [
        ({}, RULES, "contracts", 20.0),
        ({}, WIDE, "per_trade", 2_000.0 / 2.5),
        ({"day_risk_left_usd": 250.0}, WIDE, "per_day", 100.0),
        ({"open_margin_usd": 99_000.0}, WIDE, "margin_utilisation", 100.0),
    ],
)
def test_the_tightest_cap_sets_the_size_and_is_named(changes, rules, bound, before):
    sizing = sized(rules=rules, **changes)
    assert sizing.bound_by == bound
    assert sizing.before_rounding == pytest.approx(before)


@pytest.mark.parametrize(
    ("rules", "limit"),
    [
        (RULES, 50_000.0),
        (Risk(buying_power_usd=90_000.0), 60_000.0),
        (Risk(buying_power_usd=90_000.0, margin_utilisation=0.9), 80_000.0),
    ],
)
def test_margin_stays_below_buying_power_60_percent_and_the_reserve_of_20(rules, limit):
    assert margin_limit_usd(rules, 100_000.0) == limit


@pytest.mark.parametrize(("instrument", "rate"), [(BTC, 0.10), (ES, 0.10), (AAPL, 0.50)])
def test_margin_is_a_share_of_notional_by_product(instrument, rate):
    assert margin_rate(instrument, RULES) == rate


def test_an_index_has_no_margin_because_nobody_can_trade_it():
    with pytest.raises(ConfigError, match="SPX is an index"):
        margin_rate(hedge_instrument("SPX", "usa"), RULES)


def test_risk_is_size_times_stop_times_multiplier_plus_costs():
    plan = replace(BIG, size_contracts=1.0, stop_distance=8.0, reference_price=6_000.0)
    sizing = sized(plan, ES, cost_per_contract_usd=17.0)
    assert sizing.risk_usd == 8.0 * 50.0 + 17.0
    assert sizing.margin_usd == 6_000.0 * 50.0 * 0.10


def test_2_times_0_4_times_1_2_is_no_es_contract():
    plan = replace(BIG, size_contracts=0.96, reference_price=6_000.0)
    assert sized(plan, ES).contracts == 0.0


def test_a_stock_is_floored_to_single_shares():
    assert sized(replace(BIG, size_contracts=1.239), AAPL).contracts == 1.23


def test_halving_comes_before_the_caps():
    plan = replace(BIG, size_contracts=30.0)
    assert sized(plan, size_multiplier=0.5).contracts == 15.0


@pytest.mark.parametrize(
    ("contracts", "lot", "floored"),
    [(0.3, 0.1, 0.3), (0.29999, 0.1, 0.2), (1.0, 1.0, 1.0), (0.96, 1.0, 0.0)],
)
def test_floor_to_the_lot_survives_binary_fractions(contracts, lot, floored):
    assert floor_to_lot(contracts, lot) == floored


@given(
    planned=st.floats(0.0, 100.0),
    price=st.floats(0.5, 1e6),
    stop=st.floats(1e-3, 1e4),
    equity=st.floats(25_000.0, 1e7),
    left=st.floats(-1_000.0, 1e6),
    margin=st.floats(0.0, 1e6),
    cost=st.floats(0.0, 1e3),
    flow_class=st.sampled_from([SWEEP, EMERGENCY, AMBIGUOUS]),
    instrument=st.sampled_from([BTC, ES, AAPL]),
)
def test_a_size_never_exceeds_a_cap(
    planned, price, stop, equity, left, margin, cost, flow_class, instrument
):
    plan = replace(
        BIG,
        size_contracts=planned,
        reference_price=price,
        stop_distance=stop,
        flow_class=flow_class,
    )
    sizing = sized(
        plan,
        instrument,
        equity_usd=equity,
        day_risk_left_usd=left,
        open_margin_usd=margin,
        cost_per_contract_usd=cost,
    )
    lots = sizing.contracts / instrument.lot
    a_hair = 1e-8 * instrument.lot
    per_contract = stop * instrument.units_per_contract + cost
    assert sizing.contracts >= 0
    assert lots == pytest.approx(round(lots), abs=1e-6)
    assert sizing.contracts <= min(planned, RULES.contracts) + a_hair
    allowed = RULES.per_trade_of(flow_class)[0] * equity
    assert sizing.risk_usd <= min(allowed, max(0.0, left)) * (1 + 1e-9) + per_contract * a_hair
    if sizing.contracts:
        limit = margin_limit_usd(RULES, equity) * (1 + 1e-9)
        assert margin + sizing.margin_usd <= limit + price * instrument.units_per_contract * a_hair
