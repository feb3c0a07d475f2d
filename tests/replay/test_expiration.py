"""Replays of expiration pressure, rule by rule; expiration-pressure.md 4, precise.md 29, 30, 34."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.expiry_worlds import (
    EXPIRY,
    FLAT,
    MICRO,
    alerts_of,
    bar_tape,
    bars,
    conditions,
    config,
    random_world,
    tick_tape,
)
from hedgeflow.ledger import equity_curve
from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.errors import DataError
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.replay import (
    DECISION_SCHEMA,
    TRADE_SCHEMA,
    HedgeTape,
    known_decisions,
    replay_conditions,
)
from hedgeflow.replay.evolving import added_contracts_of
from hedgeflow.risk import Calendar, CalendarKind, ScheduledEvent
from hedgeflow.strategies.settings import Costs

CONFIG = config()
FREE = {"fee_profile": "none", "half_spread_ticks_future": 0.0, "half_spread_stock": 0.0}


def run(frame, tape, settings=CONFIG, **options):
    return replay_conditions(frame, alerts_of(frame), tape, settings, **options)


def held(first, last, step=1.0, **values):
    """Return the changes of a condition that holds from one minute left to another."""
    count = round((first - last) / step) + 1
    return [{"left": first - k * step} | values for k in range(count)]


def reasons(result):
    return dict(zip(result.decisions["alert_id"], result.decisions["reason_code"], strict=True))


def left_at(instant):
    return (EXPIRY - instant) / MINUTE_NS


def test_a_trade_enters_at_the_next_open_and_leaves_at_the_target_that_the_strike_sets():
    """Steering away from 5,000 at 5,005: the target is 5,015 wherever the fill is."""
    prices = {59: (5_006.0, 5_007.0, 5_005.0, 5_006.0), 50: (5_006.0, 5_016.0, 5_004.0, 5_014.0)}
    result = run(conditions({"left": 60}), bar_tape(prices))
    [trade] = result.trades.to_dicts()
    assert (trade["direction"], trade["entry_price"], trade["exit_price"]) == (1, 5_006.0, 5_015.0)
    assert (trade["target"], trade["target_distance"]) == (5_015.0, 9.0)
    assert (trade["stop"], trade["stop_distance"]) == (4_991.0, 15.0)
    assert (left_at(trade["entry_ns"]), left_at(trade["exit_ns"])) == (59.0, 49.0)
    assert trade["exit_reason"] == "EXIT_TARGET_HIT"
    assert (trade["urgency"], trade["flow_class"]) == ("LOW", "PIN_RISK_MANAGEMENT")
    assert trade["limit_minutes"] == 50.0
    assert (trade["size_contracts"], trade["units"]) == (1.0, 5.0)
    assert trade["flags"] == ""
    assert json.loads(result.decisions["plan_json"][0])["strike"] == 5_000.0


@pytest.mark.parametrize(
    ("direction", "price", "gamma", "side"),
    [
        ("steer-away", 5_005.0, -1.0, 1),
        ("steer-away", 4_995.0, -1.0, -1),
        ("pin", 5_005.0, -1.0, -1),
        ("pin", 4_995.0, -1.0, 1),
        ("dealer-gamma", 5_005.0, 1.0, -1),
        ("dealer-gamma", 5_005.0, -1.0, 1),
    ],
)
def test_the_side_is_the_configurations_and_nothing_else_changes(direction, price, gamma, side):
    frame = conditions({"left": 60, "price": price, "dealer_gamma": gamma})
    result = run(frame, bar_tape({(400, -10): price}), config(direction=direction))
    assert result.trades["direction"].to_list() == [side]


def test_the_strike_that_presses_hardest_plans_and_the_others_say_which_it_was():
    frame = conditions(
        {"left": 60, "strike": 5_000.0, "pressure": 50.0},
        {"left": 60, "strike": 4_990.0, "pressure": 80.0},
        {"left": 60, "strike": 4_995.0, "pressure": 60.0},
    )
    result = run(frame, bar_tape())
    assert reasons(result) == {"a0": "OUTRANKED", "a1": "PLANNED", "a2": "OUTRANKED"}
    assert "Strike 4990 pressed with 80, this one with 50" in result.decisions["sentence"][0]


def test_of_equal_pressures_the_nearest_strike_plans_then_the_lower():
    same = {"left": 60, "pressure": 50.0}
    nearer = conditions(same | {"strike": 4_990.0}, same | {"strike": 5_010.0})
    assert reasons(run(nearer, bar_tape())) == {"a0": "OUTRANKED", "a1": "PLANNED"}
    even = conditions(same | {"strike": 5_010.0}, same | {"strike": 5_000.0})
    assert reasons(run(even, bar_tape())) == {"a0": "OUTRANKED", "a1": "PLANNED"}


def test_a_plan_is_tried_again_until_its_size_rounds_to_a_lot():
    """1.5 x confidence: a whole contract from two thirds on, at the fourth attempt."""
    frame = conditions(
        *({"left": 60 - k, "confidence": 0.5 + k * 0.06} for k in range(5)),
    )
    result = run(frame, bar_tape())
    [trade] = result.trades.to_dicts()
    assert left_at(trade["detected_ns"]) == 57.0
    assert left_at(trade["entry_ns"]) == 56.0
    assert trade["age_seconds"] == 60.0
    assert trade["limit_minutes"] == 47.0
    [decision] = result.decisions.to_dicts()
    assert (decision["reason_code"], left_at(decision["decided_ns"])) == ("PLANNED", 57.0)
    assert any("4 times for 1 alerts" in note for note in result.notes)


def test_an_alert_that_is_never_traded_says_its_last_reason_and_when():
    frame = conditions(*held(60, 58, confidence=0.1), {"left": 57, "price": 5_000.0})
    [decision] = run(frame, bar_tape()).decisions.to_dicts()
    assert (decision["kind"], decision["reason_code"]) == ("skip", "NO_SIDE")
    assert left_at(decision["decided_ns"]) == 57.0
    sooner = run(frame.filter(pl.col("minutes_left") > 57), bar_tape()).decisions.to_dicts()[0]
    assert (sooner["reason_code"], left_at(sooner["decided_ns"])) == ("SIZE_ZERO", 58.0)


def test_an_expiry_carries_one_position_at_a_time_though_the_instrument_may_carry_more():
    later = {"expiry_ns": EXPIRY + 30 * MINUTE_NS, "strike": 4_990.0}
    frame = conditions(
        {"left": 60},
        {"left": 58, "strike": 4_990.0, "pressure": 500.0},
        {"left": 88, **later},
    )
    result = run(frame, bar_tape(), config(risk={"positions_per_instrument": 3}))
    assert reasons(result) == {"a0": "PLANNED", "a1": "POSITION_OPEN", "a2": "PLANNED"}
    assert "Alert a0 has an order or a position towards the expiry" in result.decisions[1, 4]
    usual = run(frame, bar_tape())
    assert reasons(usual)["a2"] == "POSITION_OPEN"


def test_once_traded_an_alert_plans_no_more_and_lets_the_next_strike_plan():
    """The first is stopped out within a minute; while it was open the other had to wait."""
    prices = {59: (FLAT, FLAT, 4_980.0, FLAT)}
    frame = conditions(
        *held(60, 55, pressure=200.0),
        *held(60, 55, strike=4_990.0, pressure=90.0),
    )
    result = run(frame, bar_tape(prices))
    assert result.trades["alert_id"].to_list() == ["a0", "a1"]
    assert result.trades["exit_reason"][0] == "EXIT_STOP_HIT"
    assert [left_at(ns) for ns in result.trades["entry_ns"]] == [59.0, 57.0]


def test_every_alert_has_exactly_one_decision_in_the_order_of_detection():
    frame = conditions(
        *held(60, 40, strike=4_990.0, pressure=20.0), *held(70, 3), {"left": 50, "strike": 5_010.0}
    )
    result = run(frame, bar_tape())
    alerts = alerts_of(frame)
    expected = alerts.sort("detected_ns", "alert_id")["alert_id"].to_list()
    assert result.decisions["alert_id"].to_list() == expected
    assert dict(result.decisions.schema) == DECISION_SCHEMA
    assert dict(result.trades.schema) == TRADE_SCHEMA
    assert all(sentence.endswith(".") for sentence in result.decisions["sentence"])
    planned = result.decisions["plan_json"].is_not_null()
    assert (planned == (result.decisions["kind"] == "plan")).all()


EVOLVING = conditions({"left": 60})


def test_evolution_adds_twice_the_size_once_and_tightens_the_stop_from_the_crossing():
    """It is crossed with the first open below 15 minutes, 14; the order fills at 13.

    The stop goes from 4,990 to 5,009 - 6 = 5,003, the limit to 3 minutes before expiry.
    """
    prices = {(14, -10): 5_009.0, (13, -10): 5_010.0}
    result = run(EVOLVING, bar_tape(prices), config(costs=Costs(**FREE)))
    [trade] = result.trades.to_dicts()
    assert trade["flags"] == "EVOLVE_TO_CRISIS_MODE,ADDED:2"
    assert added_contracts_of(trade["flags"]) == 2.0
    assert (trade["size_contracts"], trade["units"]) == (3.0, 15.0)
    assert trade["entry_price"] == pytest.approx((5_005.0 + 2 * 5_010.0) / 3)
    assert (trade["exit_reason"], left_at(trade["exit_ns"])) == ("EXIT_TIME_LIMIT", 3.0)
    assert trade["gross_usd"] == pytest.approx(5.0 * 5.0 + 10.0 * 0.0)
    assert "2 more at 5010 after 46.0 minutes" in trade["sentence"]
    assert (trade["target"], trade["stop"]) == (5_015.0, 4_990.0)
    stopped = run(EVOLVING, bar_tape(prices | {10: (5_010.0, 5_010.0, 5_002.0, 5_004.0)}))
    assert stopped.trades["exit_price"].to_list() == [5_003.0]
    assert any("1 positions went into CRISIS" in note for note in result.notes)


def test_an_addition_is_a_round_trip_of_its_own_under_the_trades_name():
    result = run(EVOLVING, bar_tape({(13, -10): 5_010.0}))
    [trade] = result.trades.to_dicts()
    entries = result.ledger_entries.filter(pl.col("trade_id") == trade["trade_id"])
    assert entries.height == result.ledger_entries.height - 1
    bought = entries.filter(pl.col("entry_id").str.ends_with(":entry:FEE")).sort("at_ns")
    assert bought["entry_id"].to_list() == ["a0:trade:entry:FEE", "a0:trade:addition:entry:FEE"]
    assert [left_at(ns) for ns in bought["at_ns"]] == [59.0, 13.0]
    # 0.62 a contract: what was added pays for two
    assert bought["amount_usd"].to_list() == pytest.approx([-0.62, -1.24])
    assert trade["fees_usd"] == pytest.approx(6 * 0.62)
    assert trade["spread_usd"] == pytest.approx(6 * 0.125 * 5)
    assert entries["amount_usd"].sum() == pytest.approx(trade["net_usd"])


@pytest.mark.parametrize(
    ("risk", "added"),
    [
        ({}, 2.0),
        ({"contracts": 2.0}, 1.0),
        ({"contracts": 1.0}, 0.0),
        # 77.49 USD are at risk in the first contract, 32.49 in each that is added
        ({"per_trade": 0.00110}, 1.0),
        ({"per_trade": 0.00100}, 0.0),
        ({"per_day": 0.00110}, 1.0),
        ({"per_day": 0.00100}, 0.0),
        ({"buying_power_usd": 6_000.0}, 1.0),
        ({"margin_utilisation": 0.06}, 1.0),
        ({"cash_reserve": 0.94}, 1.0),
    ],
)
def test_an_addition_is_no_larger_than_every_cap_allows(risk, added):
    result = run(EVOLVING, bar_tape(), config(risk=risk))
    [trade] = result.trades.to_dicts()
    assert added_contracts_of(trade["flags"]) == added
    assert trade["size_contracts"] == 1.0 + added
    assert trade["flags"].startswith("EVOLVE_TO_CRISIS_MODE")
    costs = 2 * (0.62 + 0.125 * 5)
    assert trade["risk_usd"] == pytest.approx(75.0 + costs + added * (30.0 + costs))


def test_what_was_lost_today_leaves_less_to_add_with():
    """The first loses 77.49 USD; with as much at risk, 180 leave less than an added 32.49."""
    prices = {69: (FLAT, FLAT, 4_980.0, FLAT)}
    frame = conditions({"left": 70}, {"left": 60, "strike": 4_990.0, "target_distance": 30.0})
    for per_day, added in ((0.0018, 0.0), (0.0019, 1.0), (0.0025, 2.0)):
        result = run(frame, bar_tape(prices), config(risk={"per_day": per_day}))
        assert result.trades["exit_reason"].to_list()[0] == "EXIT_STOP_HIT"
        assert added_contracts_of(result.trades["flags"][1]) == added


def test_a_position_that_began_as_high_evolves_and_adds_only_where_it_is_asked_to():
    frame = conditions({"left": 30})
    plain = run(frame, bar_tape()).trades.to_dicts()[0]
    assert (plain["urgency"], plain["flags"], plain["size_contracts"]) == (
        "HIGH",
        "EVOLVE_TO_CRISIS_MODE",
        2.0,
    )
    assert left_at(plain["exit_ns"]) == 3.0
    asked = run(frame, bar_tape(), config(plan={"add_on_high": True})).trades.to_dicts()[0]
    assert (asked["flags"], asked["size_contracts"]) == ("EVOLVE_TO_CRISIS_MODE,ADDED:4", 6.0)


def test_without_evolution_a_position_ends_by_its_own_limit():
    result = run(EVOLVING, bar_tape(), config(plan={"evolution": False}))
    [trade] = result.trades.to_dicts()
    assert (trade["flags"], trade["size_contracts"]) == ("", 1.0)
    assert left_at(trade["exit_ns"]) == 59.0 - 50.0


def through_the_stop(*, ticks: bool):
    """Return a tape whose first price below 15 minutes left is through the stop."""
    if ticks:
        return tick_tape(lambda left: FLAT if left >= 15 else 4_985.0)
    return bar_tape({(14, -10): 4_985.0})


@pytest.mark.parametrize("ticks", [False, True])
def test_a_stop_tick_never_adds(ticks):
    result = run(EVOLVING, through_the_stop(ticks=ticks), config())
    [trade] = result.trades.to_dicts()
    assert trade["exit_reason"] == "EXIT_STOP_HIT"
    assert added_contracts_of(trade["flags"]) == 0.0
    assert trade["size_contracts"] == 1.0


def test_the_sources_precedence_adds_to_a_stopped_position_and_only_once():
    """It asks about the evolution first; the next tick is stopped like any other."""
    source = config(plan={"precedence": "source"})
    [trade] = run(EVOLVING, through_the_stop(ticks=True), source).trades.to_dicts()
    assert trade["exit_reason"] == "EXIT_STOP_HIT"
    assert added_contracts_of(trade["flags"]) == 2.0
    assert trade["size_contracts"] == 3.0


def test_what_ends_before_the_added_order_can_fill_is_added_nothing():
    """The bar of the crossing touches the tightened stop; the order would fill at the next open."""
    result = run(EVOLVING, bar_tape({14: (FLAT, FLAT, 4_998.0, FLAT)}))
    [trade] = result.trades.to_dicts()
    assert (trade["exit_price"], trade["exit_reason"]) == (4_999.0, "EXIT_STOP_HIT")
    assert (trade["flags"], trade["size_contracts"]) == ("EVOLVE_TO_CRISIS_MODE", 1.0)


def test_an_addition_risks_what_lies_between_the_crossing_and_a_stop_that_is_nearer():
    """At 4,993 the stop at 4,990 is nearer than 6 points: it is not loosened, and 3 are at risk."""
    result = run(EVOLVING, bar_tape({(14, -10): 4_993.0}))
    [trade] = result.trades.to_dicts()
    assert trade["flags"] == "EVOLVE_TO_CRISIS_MODE,ADDED:2"
    costs = 2 * (0.62 + 0.125 * 5)
    assert trade["risk_usd"] == pytest.approx(75.0 + costs + 2 * (15.0 + costs))


def test_an_order_to_add_that_nothing_fills_for_five_minutes_is_given_up():
    """After the bar of 14 the next is that of 8: within `gap_bars`, but six minutes later."""
    rules = {"gap_bars": 10.0}
    result = run(EVOLVING, bar_tape(drop=range(9, 14)), config(plan=rules))
    assert result.trades["flags"].to_list() == ["EVOLVE_TO_CRISIS_MODE"]
    sooner = run(EVOLVING, bar_tape(drop=range(10, 14)), config(plan=rules))
    assert sooner.trades["flags"].to_list() == ["EVOLVE_TO_CRISIS_MODE,ADDED:2"]


OTHER_WAY = {"expiry_ns": EXPIRY + 60 * MINUTE_NS, "strike": 5_100.0, "target_distance": 160.0}
"""A condition that sells towards a later expiry."""


def test_a_loss_before_the_crossing_counts_though_nothing_was_decided_in_between():
    """The other loses 132.49 USD, more than the 77.49 that it risked, in one jump at 30 minutes."""
    frame = conditions({"left": 60}, {"left": 110, **OTHER_WAY})
    tape = bar_tape({30: (5_031.0, 5_031.0, FLAT, FLAT)}, after=70)
    plan = {"target": False}
    for per_day, added in ((0.0024, 0.0), (0.0025, 1.0), (0.0028, 2.0)):
        risk = {"positions_per_instrument": 2, "per_day": per_day}
        trades = run(frame, tape, config(risk=risk, plan=plan)).trades.sort("entry_ns")
        assert trades["exit_reason"][1] == "EXIT_STOP_HIT"
        assert added_contracts_of(trades["flags"][0]) == added


def test_what_was_added_before_a_kill_ends_with_it():
    """At 8 minutes left the other position loses 252 of 230 USD a day in one jump."""
    frame = conditions({"left": 60}, {"left": 110, **OTHER_WAY})
    tape = bar_tape({(8, -60): 5_055.0}, after=70)
    risk = {"positions_per_instrument": 2, "per_day": 0.0023}
    trades = run(frame, tape, config(risk=risk, plan={"target": False})).trades.sort("entry_ns")
    assert trades["exit_reason"].to_list() == ["EXIT_KILLED", "EXIT_STOP_HIT"]
    assert (trades["flags"][0], trades["size_contracts"][0]) == (
        "EVOLVE_TO_CRISIS_MODE,ADDED:2",
        3.0,
    )
    assert left_at(trades["exit_ns"][0]) == 7.0


def test_on_ticks_an_addition_pays_the_ask_a_latency_after_the_crossing():
    result = run(EVOLVING, tick_tape(lambda left: 5_005.0 if left > 14.9 else 5_008.0))
    [trade] = result.trades.to_dicts()
    assert trade["flags"] == "EVOLVE_TO_CRISIS_MODE,ADDED:2"
    # 15:00 left is not below 15; the quote of 14:50 crosses, that of 14:40 fills
    assert trade["entry_price"] == pytest.approx((5_005.25 + 2 * 5_008.25) / 3)
    addition = result.ledger_entries.filter(pl.col("entry_id").str.contains("addition:entry"))
    assert [left_at(ns) for ns in addition["at_ns"]] == [pytest.approx(14 + 40 / 60)]
    assert trade["spread_usd"] == 0.0


def test_a_loss_that_breaches_the_daily_limit_ends_the_position_towards_another_expiry():
    """The first ends 3 minutes before its expiry, 327 USD a contract down; nothing evolves then."""
    late = {"expiry_ns": EXPIRY + 60 * MINUTE_NS, "strike": 4_900.0, "target_distance": 160.0}
    frame = conditions({"left": 70}, {"left": 110, **late})
    tape = bar_tape({(40, -60): 4_940.0}, after=70)
    risk = {"positions_per_instrument": 2, "per_day": 0.003}
    result = run(frame, tape, config(risk=risk, plan={"stop": False}))
    first, second = result.trades.to_dicts()
    assert (first["exit_reason"], left_at(first["exit_ns"])) == ("EXIT_TIME_LIMIT", 3.0)
    assert (second["exit_reason"], left_at(second["exit_ns"])) == ("EXIT_KILLED", 2.0)
    assert (second["flags"], second["size_contracts"]) == ("", 1.0)
    assert "because trading was stopped" in second["sentence"]


def test_no_order_fills_within_the_last_two_minutes_or_at_expiry():
    """The tape stands still from 6 minutes before expiry on, until after it."""
    crisis = {"left": 6, "target_distance": 30.0}
    gap = range(-4, 6)
    assert run(conditions(crisis), bar_tape(drop=range(1))).trades.height == 1
    result = run(conditions(crisis), bar_tape(drop=gap), config(plan={"oldest_alert_minutes": 30}))
    assert reasons(result) == {"a0": "NO_TIME_LEFT"}
    assert result.trades.is_empty()
    [decision] = result.decisions.to_dicts()
    assert left_at(decision["decided_ns"]) == 3.0  # on bars of a minute, two minutes and a bar
    late = conditions(*({"left": left} for left in (3.0, 2.0, 1.0)))
    assert reasons(run(late, bar_tape())) == {"a0": "NO_TIME_LEFT"}


def test_an_order_that_comes_too_old_is_tried_again_while_the_condition_holds():
    tape = bar_tape(drop=range(50, 60))
    result = run(conditions(*held(60, 48)), tape)
    [trade] = result.trades.to_dicts()
    # the order of 60 is known to be too old at 55, that of 55 at 50; that of 50 fills
    assert left_at(trade["detected_ns"]) == 50.0
    assert left_at(trade["entry_ns"]) == 49.0
    for frame in (conditions({"left": 60}), conditions(*held(60, 57))):
        once = run(frame, tape).decisions.to_dicts()[0]
        assert (once["reason_code"], left_at(once["decided_ns"])) == ("ALERT_TOO_OLD", 55.0)


def test_an_order_that_finds_the_price_beyond_its_target_is_not_filled():
    result = run(conditions({"left": 60}), bar_tape({59: 5_016.0}))
    [decision] = result.decisions.to_dicts()
    assert (decision["reason_code"], left_at(decision["decided_ns"])) == ("REWARD_BELOW_RISK", 59.0)
    assert result.trades.is_empty()


def test_at_an_early_close_everything_ends_before_one_o_clock():
    """The eve of Independence Day 2025: XNYS closes at 13:00, 17:00 UTC, and options expire."""
    close = np.datetime64("2025-07-03T17:00", "ns").astype(np.int64)
    shift = int(close) - EXPIRY
    stock = hedge_instrument("AAPL", "usa")
    price = {"price": 205.0, "strike": 204.0, "point": 0.1, "target_distance": 3.0}
    frame = conditions({"left": 60, "expiry_ns": int(close), **price})
    table = bars({(400, -10): 205.0}, before=210, after=0).with_columns(ts=pl.col("ts") + shift)
    result = run(frame, HedgeTape.from_bars(table, stock, MINUTE_NS))
    [trade] = result.trades.to_dicts()
    assert (trade["exit_reason"], close - trade["exit_ns"]) == ("EXIT_TIME_LIMIT", 3 * MINUTE_NS)
    assert added_contracts_of(trade["flags"]) > 0
    after = conditions({"left": 60, "expiry_ns": int(close) + 180 * MINUTE_NS, **price})
    after = after.with_columns(at_ns=pl.lit(int(close) + MINUTE_NS))
    assert reasons(run(after, HedgeTape.from_bars(table, stock, MINUTE_NS))) == {
        "a0": "MARKET_CLOSED"
    }


def test_an_alert_that_is_acted_on_later_is_decided_on_what_is_known_then():
    """Five minutes late the price has gone from 5,005 through the strike to 4,996."""
    frame = conditions(*held(60, 58))
    late = alerts_of(frame).with_columns(pl.col("detected_ns") + 5 * MINUTE_NS)
    result = replay_conditions(frame, late, bar_tape({(57, -10): 4_996.0}), CONFIG)
    [trade] = result.trades.to_dicts()
    assert [left_at(trade[name]) for name in ("detected_ns", "entry_ns")] == [55.0, 54.0]
    assert (trade["direction"], trade["target"], trade["limit_minutes"]) == (-1, 4_985.0, 45.0)


def test_what_is_decided_late_is_decided_as_it_would_be_then():
    """Six minutes late the price is 40 above the strike, not 5: the target is 60 beyond it, and the
    plan is the one that a condition of that minute gets."""
    tape = bar_tape({(57, -10): 5_040.0})
    plan = config(plan={"min_reward_risk": 1.0})
    frame = conditions({"left": 60})
    late = alerts_of(frame).with_columns(pl.col("detected_ns") + 6 * MINUTE_NS)
    delayed = replay_conditions(frame, late, tape, plan)
    fresh = run(conditions({"left": 54, "price": 5_040.0}), tape, plan)
    assert delayed.trades["target"].to_list() == [5_060.0]
    assert delayed.trades.equals(fresh.trades)


def test_a_price_that_was_known_before_is_moved_as_far_as_what_is_traded_has_gone():
    """Ten minutes before, when the future was at 4,990, the index was at 4,985, 15 below the
    strike; now the future is at 5,020: the index is at 5,015, above it. Pinned, it is sold."""
    at = EXPIRY - 70 * MINUTE_NS
    frame = conditions({"left": 60, "price": 4_985.0, "price_ns": at, "oi": 100.0})
    tape = bar_tape({(400, 71): 4_990.0, (70, -10): 5_020.0})
    [trade] = run(frame, tape, config(direction="pin")).trades.to_dicts()
    assert (trade["direction"], trade["target"]) == (-1, 5_005.0)
    unmoved = run(frame, bar_tape({(400, -10): 4_990.0}), config(direction="pin"))
    assert unmoved.trades.select("direction", "target").row(0) == (1, 5_005.0)


def test_where_nothing_traded_when_the_price_was_known_there_is_no_basis_and_no_plan():
    frame = conditions({"left": 60, "price_ns": EXPIRY - 500 * MINUTE_NS})
    assert reasons(run(frame, bar_tape())) == {"a0": "NO_HEDGE_DATA"}


@pytest.mark.parametrize(("left", "reason"), [(32, "PLANNED"), (31, "INSIDE_FIXING")])
def test_an_order_that_could_fill_inside_the_fixing_only_is_not_filled(left, reason):
    """The bar after the decision begins a minute later: at 30 minutes the average has begun."""
    frame = conditions({"left": left, "fixing_minutes": 30.0})
    assert reasons(run(frame, bar_tape())) == {"a0": reason}
    allowed = config(plan={"trade_in_fixing": True})
    assert reasons(run(frame, bar_tape(), allowed)) == {"a0": "PLANNED"}


@pytest.mark.parametrize(
    ("fixing", "added"), [(12.5, "EVOLVE_TO_CRISIS_MODE,ADDED:2"), (13.0, ""), (14.5, "")]
)
def test_inside_the_fixing_nothing_is_added_and_everything_ends_as_it_would(fixing, added):
    """It is crossed at 14, the order to add fills at 13; the stop is tightened all the same."""
    prices = {(14, -10): 5_009.0, 10: (5_009.0, 5_009.0, 5_002.0, 5_004.0)}
    frame = conditions({"left": 60, "fixing_minutes": fixing})
    [trade] = run(frame, bar_tape(prices)).trades.to_dicts()
    assert trade["flags"] == (added or "EVOLVE_TO_CRISIS_MODE")
    assert (trade["exit_reason"], trade["exit_price"]) == ("EXIT_STOP_HIT", 5_003.0)
    allowed = run(frame, bar_tape(prices), config(plan={"trade_in_fixing": True}))
    assert allowed.trades["flags"].to_list() == ["EVOLVE_TO_CRISIS_MODE,ADDED:2"]


def test_an_addition_leaves_us_the_share_of_the_volume_of_the_time_that_is_left():
    """V5 of 100 and a tenth of it: 20 contracts' worth over 50 minutes, 4.4 over the last 11; the
    14 minutes left at the crossing less the buffer of 3."""
    frame = conditions({"left": 60, "scale": 100.0})
    [trade] = run(frame, bar_tape(), config(risk={"own_volume_share": 0.1})).trades.to_dicts()
    assert trade["flags"] == "EVOLVE_TO_CRISIS_MODE,ADDED:2"
    thin = conditions({"left": 60, "scale": 50.0})
    [trade] = run(thin, bar_tape(), config(risk={"own_volume_share": 0.1})).trades.to_dicts()
    assert trade["flags"] == "EVOLVE_TO_CRISIS_MODE,ADDED:1"


def test_on_ticks_a_flattening_order_takes_its_way_once():
    """The first position ends with the quote of 3 minutes left, and a kill follows from its loss;
    its order takes 7 s, and meets the quote 10 s later."""
    late = {"expiry_ns": EXPIRY + 60 * MINUTE_NS, "strike": 4_900.0, "target_distance": 160.0}
    frame = conditions({"left": 70}, {"left": 110, **late})
    tape = tick_tape(lambda left: FLAT if left > 40 else 4_940.0, after=70)
    rules = config(
        costs=Costs(latency_ms=7_000.0),
        risk={"positions_per_instrument": 2, "per_day": 0.003},
        plan={"stop": False},
    )
    first, second = run(frame, tape, rules).trades.to_dicts()
    assert first["exit_reason"] == "EXIT_TIME_LIMIT"
    assert second["exit_reason"] == "EXIT_KILLED"
    assert left_at(first["exit_ns"]) == pytest.approx(3 - 10 / 60)
    assert second["exit_ns"] - first["exit_ns"] == 10 * SECOND_NS


def test_a_gap_in_the_data_is_left_at_the_next_price_and_flagged():
    result = run(conditions({"left": 60}), bar_tape(drop=range(40, 50)))
    [trade] = result.trades.to_dicts()
    assert (trade["exit_reason"], trade["flags"]) == ("EXIT_GAP", "GAP")
    assert left_at(trade["exit_ns"]) == 39.0


def test_calendars_and_the_volatility_of_the_alert_reach_the_governor():
    release = ScheduledEvent(EXPIRY - 60 * MINUTE_NS, CalendarKind.RELEASE, "CPI", "")
    frame = conditions({"left": 60})
    assert reasons(run(frame, bar_tape(), calendars=Calendar([release]))) == {"a0": "RELEASE"}
    wild = conditions({"left": 60, "sigma": 0.45, "confidence": 0.95})
    high = config(plan={"base_contracts": 4.0})
    assert run(wild, bar_tape(), high).trades["size_contracts"].to_list() == [1.0 + 2.0]
    assert run(frame, bar_tape(), high).trades["size_contracts"].to_list() == [3.0 + 6.0]
    unknown = replay_conditions(wild, alerts_of(wild, sigma_source="realised"), bar_tape(), high)
    assert unknown.trades["size_contracts"].to_list() == [3.0 + 6.0]


def test_without_a_tape_there_is_no_hedge_data():
    frame = conditions({"left": 60})
    result = replay_conditions(frame, alerts_of(frame), {"NDX": bar_tape()}, CONFIG)
    assert reasons(result) == {"a0": "NO_HEDGE_DATA"}
    early = conditions({"left": 500})
    assert reasons(run(early, bar_tape())) == {"a0": "NO_HEDGE_DATA"}


def test_several_underlyings_are_told_apart_by_their_name():
    frame = conditions({"left": 60})
    alerts = pl.concat(
        [
            alerts_of(frame),
            alerts_of(frame, underlying="NDX").with_columns(alert_id=pl.lit("n0")),
        ]
    )
    with pytest.raises(DataError, match="two alerts have the same number"):
        replay_conditions(frame, alerts, bar_tape(), CONFIG)
    named = pl.concat([frame.with_columns(underlying=pl.lit(name)) for name in ("SPX", "NDX")])
    other = hedge_instrument("MNQM25", "cme")
    tapes = {"SPX": bar_tape(), "NDX": bar_tape(instrument=other)}
    result = replay_conditions(named, alerts, tapes, CONFIG)
    assert reasons(result) == {"a0": "PLANNED", "n0": "PLANNED"}
    assert sorted(result.trades["instrument"]) == ["MESM25", "MNQM25"]


def test_conditions_or_alerts_that_do_not_fit_are_refused():
    frame = conditions({"left": 60}, {"left": 60, "strike": 4_990.0})
    alerts = alerts_of(frame)
    with pytest.raises(DataError, match="the conditions lack pressure"):
        replay_conditions(frame.drop("pressure"), alerts, bar_tape(), CONFIG)
    with pytest.raises(DataError, match="the alerts lack sigma_source"):
        replay_conditions(frame, alerts.drop("sigma_source"), bar_tape(), CONFIG)
    with pytest.raises(DataError, match="alert a1 has no condition"):
        replay_conditions(frame.head(1), alerts, bar_tape(), CONFIG)
    left_out = replay_conditions(frame, alerts.head(1), bar_tape(), CONFIG)
    assert left_out.decisions["alert_id"].to_list() == ["a0"]


def test_without_alerts_the_tables_have_their_columns():
    frame = conditions({"left": 60})
    result = replay_conditions(frame.clear(), alerts_of(frame).clear(), bar_tape(), CONFIG)
    assert dict(result.decisions.schema) == DECISION_SCHEMA
    assert dict(result.trades.schema) == TRADE_SCHEMA
    assert result.ledger_entries["kind"].to_list() == ["DEPOSIT"]


MICRO_TAPE = {"instrument": MICRO, "interval_ns": MINUTE_NS}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.sampled_from(["steer-away", "pin", "dealer-gamma"]))
def test_the_books_add_up_to_the_cent_whatever_is_added_or_stopped(seed, direction):
    frame, table = random_world(seed)
    tape = HedgeTape.from_bars(table, **MICRO_TAPE)
    result = run(frame, tape, config(direction=direction, plan={"base_contracts": 4.0}))
    trades, entries = result.trades, result.ledger_entries
    total = equity_curve(entries)["equity_usd"][-1]
    assert total == pytest.approx(100_000.0 + trades["net_usd"].sum(), abs=0.005)
    costs = trades["fees_usd"] + trades["spread_usd"] + trades["slippage_usd"]
    assert (trades["gross_usd"] - costs).to_list() == pytest.approx(
        trades["net_usd"].to_list(), abs=0.005
    )
    moved = trades["direction"] * trades["units"] * (trades["exit_price"] - trades["entry_price"])
    assert moved.to_list() == pytest.approx(trades["gross_usd"].to_list(), abs=0.005)
    of_trade = (
        entries.filter(pl.col("trade_id").is_not_null())
        .group_by("trade_id")
        .agg(pl.col("amount_usd").sum())
    )
    joined = trades.join(of_trade, on="trade_id")
    assert joined["amount_usd"].to_list() == pytest.approx(joined["net_usd"].to_list(), abs=0.005)
    assert entries["entry_id"].n_unique() == entries.height
    assert trades["exit_ns"].max() is None or trades["exit_ns"].max() < EXPIRY
    for row in trades.iter_rows(named=True):
        assert row["units"] == pytest.approx(row["size_contracts"] * 5.0)
        assert row["risk_usd"] <= 0.02 * 101_000.0


def test_random_worlds_do_add_and_do_stop():
    """So that the property above is about something."""
    seen = {"ADDED": 0, "EVOLVE_TO_CRISIS_MODE": 0, "EXIT_STOP_HIT": 0, "EXIT_TARGET_HIT": 0}
    for seed in range(12):
        frame, table = random_world(seed)
        trades = run(frame, HedgeTape.from_bars(table, **MICRO_TAPE)).trades
        text = ",".join([*trades["flags"], *trades["exit_reason"]])
        for name in seen:
            seen[name] += text.count(name)
    assert min(seen.values()) > 0, seen


def test_two_runs_and_shuffled_tables_give_equal_tables():
    frame, table = random_world(7)
    tape = HedgeTape.from_bars(table, **MICRO_TAPE)
    first = run(frame, tape)
    alerts = alerts_of(frame)
    second = replay_conditions(
        frame.sample(fraction=1.0, shuffle=True, seed=1), alerts.reverse(), tape, CONFIG
    )
    for name in ("decisions", "trades", "ledger_entries"):
        assert getattr(first, name).equals(getattr(second, name)), name
    assert first.notes == second.notes


@pytest.mark.parametrize("cut_left", [90.5, 60.5, 40.5, 20.5, 14.5, 13.5, 8.5])
def test_prices_after_an_instant_change_no_decision_before_it(cut_left):
    """Prices that are known later are changed wildly; later conditions are other ones."""
    cut = EXPIRY - round(cut_left * MINUTE_NS)
    for seed in range(6):
        frame, table = random_world(seed)
        begun = pl.col("ts") <= cut
        later = pl.col("ts") + MINUTE_NS > cut
        wild = table.with_columns(
            open=pl.when(begun).then("open").otherwise(pl.col("open") * 1.01),
            **{
                name: pl.when(later).then(pl.col(name) * factor).otherwise(name)
                for name, factor in (("high", 1.02), ("low", 0.985), ("close", 1.01))
            },
        )
        other = frame.with_columns(
            pressure=pl.when(pl.col("at_ns") > cut)
            .then(200.0 - pl.col("pressure"))
            .otherwise("pressure")
        )
        plain = run(frame, HedgeTape.from_bars(table, **MICRO_TAPE))
        changed = run(other, HedgeTape.from_bars(wild, **MICRO_TAPE))
        for name, column in (("trades", "exit_ns"), ("ledger_entries", "at_ns")):
            same = [getattr(each, name).filter(pl.col(column) <= cut) for each in (plain, changed)]
            assert same[0].equals(same[1]), (seed, name)
        plans = [
            known_decisions(each, alerts_of(frame)).filter(pl.col("known_ns") <= cut)
            for each in (plain, changed)
        ]
        assert plans[0].equals(plans[1]), seed


def test_a_decision_is_known_with_its_fill_or_at_expiry():
    frame = conditions({"left": 60}, {"left": 59, "strike": 4_990.0})
    known = known_decisions(run(frame, bar_tape()), alerts_of(frame))
    assert known.columns == [*DECISION_SCHEMA, "known_ns"]
    assert known["known_ns"].to_list() == [EXPIRY - 59 * MINUTE_NS, EXPIRY]


def test_a_decision_on_ticks_waits_until_its_price_was_known():
    """Quotes that became known a minute late: the decision at 60 sees that of 61."""
    tape = tick_tape(lambda left: FLAT if left > 60.5 else 5_014.0)
    late = tape.ticks._replace(known_ns=tape.ticks.at_ns + MINUTE_NS)
    plan = config(plan={"oldest_alert_minutes": 5.0, "oldest_quote_seconds": 90.0})
    seen = run(conditions({"left": 60}), replace(tape, ticks=late), plan)
    document = json.loads(seen.decisions["plan_json"][0])
    assert document["reference_price"] == FLAT


def test_an_alert_that_is_acted_on_late_has_the_urgency_of_that_moment():
    """Detected with 46 minutes left it is LOW; two minutes later it is HIGH."""
    frame = conditions({"left": 46})
    on_time = run(frame, bar_tape()).trades.to_dicts()[0]
    late = alerts_of(frame).with_columns(pl.col("detected_ns") + 2 * MINUTE_NS)
    delayed = replay_conditions(frame, late, bar_tape(), config()).trades.to_dicts()[0]
    assert (on_time["urgency"], delayed["urgency"]) == ("LOW", "HIGH")
