"""Replays of alerts, decision by decision."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hedgeflow.ledger import equity_curve
from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.errors import DataError
from hedgeflow.market.time import HOUR_NS, MINUTE_NS, SECOND_NS
from hedgeflow.replay import DECISION_SCHEMA, TRADE_SCHEMA, HedgeTape, replay_alerts
from hedgeflow.risk import Calendar, CalendarKind, ScheduledEvent, VolatilityIndex
from hedgeflow.strategies.settings import Costs
from hedgeflow.strategies.volume_shock.config import Plan, Risk, VolumeShockConfig

CONFIG = VolumeShockConfig()
TARGET = (80_000.0, 80_500.0, 79_990.0, 80_400.0)
CRASH = (80_000.0, 80_000.0, 79_000.0, 79_000.0)


def reasons(result):
    return dict(zip(result.decisions["alert_id"], result.decisions["reason_code"], strict=True))


def test_a_trade_enters_at_the_next_open_after_latency_and_leaves_at_its_target(
    make_alerts, make_tape, day
):
    result = replay_alerts(make_alerts({"minute": 10}), make_tape({13: TARGET}), CONFIG)
    [trade] = result.trades.to_dicts()
    assert trade["entry_ns"] == day + 11 * MINUTE_NS
    assert trade["age_seconds"] == 60.0
    assert trade["exit_ns"] == day + 14 * MINUTE_NS
    assert (trade["entry_price"], trade["exit_price"]) == (80_000.0, 80_400.0)
    assert (trade["target"], trade["stop"]) == (80_400.0, 79_840.0)
    assert (trade["exit_reason"], trade["flags"]) == ("EXIT_TARGET_HIT", "")
    assert trade["session"] == "2025-04-10"
    size = 2 * 0.5 * 2.0 * 2.0
    assert (trade["size_contracts"], trade["units"]) == (size, size)


def test_the_figures_of_a_trade_follow_from_its_prices_and_costs(make_alerts, make_tape):
    result = replay_alerts(make_alerts({"minute": 10}), make_tape({13: TARGET}), CONFIG)
    [trade] = result.trades.to_dicts()
    turnover = 4.0 * (80_000.0 + 80_400.0)
    assert trade["gross_usd"] == pytest.approx(1_600.0)
    assert trade["fees_usd"] == pytest.approx(turnover * 5e-4)
    assert trade["spread_usd"] == pytest.approx(turnover * 0.5e-4)
    net = 1_600.0 - turnover * 5.5e-4
    assert trade["net_usd"] == pytest.approx(net)
    assert trade["gross_points"] == pytest.approx(20.0)
    assert trade["net_points"] == pytest.approx(net / 4.0 / 20.0)
    assert trade["net_bps"] == pytest.approx(net / (4.0 * 80_000.0) * 1e4)
    assert trade["risk_usd"] == pytest.approx(4.0 * (160.0 + 2 * 80_000.0 * 5.5e-4))


def test_the_ledger_explains_the_change_in_equity(make_alerts, make_tape):
    tape = make_tape({13: TARGET, 30: CRASH})
    result = replay_alerts(make_alerts({"minute": 10}, {"minute": 28}), tape, CONFIG)
    curve = equity_curve(result.ledger_entries)
    assert curve["equity_usd"][0] == 100_000.0
    assert curve["equity_usd"][-1] == pytest.approx(100_000.0 + result.trades["net_usd"].sum())


def test_tables_have_their_columns_even_without_alerts(make_alerts, make_tape):
    empty = make_alerts({"minute": 10}).clear()
    result = replay_alerts(empty, make_tape(), CONFIG)
    assert dict(result.decisions.schema) == DECISION_SCHEMA
    assert dict(result.trades.schema) == TRADE_SCHEMA
    assert result.ledger_entries["kind"].to_list() == ["DEPOSIT"]


def test_alerts_without_a_column_are_refused(make_alerts, make_tape):
    with pytest.raises(DataError, match="lack point"):
        replay_alerts(make_alerts({"minute": 10}).drop("point"), make_tape(), CONFIG)


def test_every_alert_has_one_decision_with_a_sentence_and_plans_carry_their_json(
    make_alerts, make_tape
):
    alerts = make_alerts({"minute": 10}, {"minute": 11}, {"minute": 40})
    result = replay_alerts(alerts, make_tape(), CONFIG)
    assert result.decisions["alert_id"].to_list() == ["a1", "a2", "a3"]
    assert all(sentence.endswith(".") for sentence in result.decisions["sentence"])
    assert result.decisions["plan_json"].is_null().to_list() == [False, True, False]
    assert json.loads(result.decisions["plan_json"][0])["alert_id"] == "a1"


def test_while_a_position_is_open_no_event_opens_another_in_either_direction(
    make_alerts, make_tape
):
    alerts = make_alerts(
        {"minute": 10},
        {"minute": 10.5},
        {"minute": 18, "direction": "SELL_FUTURES", "demand": -12.0, "demand_scaled": -4_000.0},
        {"minute": 19},
    )
    result = replay_alerts(alerts, make_tape(), CONFIG)
    assert list(reasons(result).values()) == [
        "PLANNED",
        "POSITION_OPEN",
        "POSITION_OPEN",
        "PLANNED",
    ]


def test_at_one_instant_the_highest_pressure_comes_first_then_trigger_then_contract(
    make_alerts, make_tape
):
    same = {"minute": 10}
    alerts = make_alerts(
        same | {"contract": "C"},
        same | {"contract": "B"},
        same | {"pressure": 300.0, "contract": "Z"},
    )
    result = replay_alerts(alerts, make_tape(), CONFIG)
    assert result.decisions["alert_id"].to_list() == ["a3", "a2", "a1"]
    assert result.trades["alert_id"].to_list() == ["a3"]


def test_per_contract_the_events_first_alert_makes_its_only_plan_a_skip_included(
    make_alerts, make_tape
):
    contract = {"unit": "contract", "event_id": 7}
    alerts = make_alerts(
        contract | {"minute": 10, "confidence": 0.0},
        contract | {"minute": 11},
        {"unit": "contract", "event_id": 8, "minute": 12},
    )
    result = replay_alerts(alerts, make_tape(), CONFIG)
    assert list(reasons(result).values()) == ["SIZE_ZERO", "EVENT_ALREADY_PLANNED", "PLANNED"]


def test_an_alert_that_no_bar_follows_within_5_minutes_is_too_old(make_alerts, make_tape, day):
    tape = make_tape(drop=range(10, 17))
    result = replay_alerts(make_alerts({"minute": 11.5}, {"minute": 13}), tape, CONFIG)
    assert list(reasons(result).values()) == ["ALERT_TOO_OLD", "POSITION_OPEN"]
    assert result.decisions["decided_ns"][0] == day + round(16.5 * MINUTE_NS)


def test_an_alert_of_exactly_5_minutes_is_traded(make_alerts, make_tape):
    tape = make_tape(drop=range(10, 17))
    result = replay_alerts(make_alerts({"minute": 12}), tape, CONFIG)
    assert result.trades["age_seconds"].to_list() == [300.0]


def test_a_gap_and_the_end_of_data_are_flagged(make_alerts, make_tape):
    tape = make_tape(drop=range(14, 20), minutes=40)
    result = replay_alerts(make_alerts({"minute": 10}, {"minute": 37}), tape, CONFIG)
    assert result.trades["exit_reason"].to_list() == ["EXIT_GAP", "EXIT_END_OF_DATA"]
    assert result.trades["flags"].to_list() == ["GAP", "END_OF_DATA"]


def test_without_a_tape_or_a_known_price_there_is_no_hedge_data(make_alerts, make_tape):
    tape = make_tape(before=0)
    alerts = make_alerts({"minute": 0.5}, {"minute": 30, "underlying": "ETH"}, {"minute": 70})
    result = replay_alerts(alerts, {"BTC": tape}, CONFIG)
    assert list(reasons(result).values()) == ["NO_HEDGE_DATA"] * 3


def test_a_thin_market_is_judged_by_the_previous_session_never_by_today(make_alerts, make_tape):
    result = replay_alerts(make_alerts({"minute": 10}), make_tape(volume=0.69), CONFIG)
    assert list(reasons(result).values()) == ["THIN_MARKET"]
    unknown = replay_alerts(make_alerts({"minute": 10}), make_tape(volume=0.69, before=9), CONFIG)
    assert list(reasons(unknown).values()) == ["PLANNED"]
    assert any("volume could not be tested" in note for note in unknown.notes)


def test_a_realised_loss_counts_only_once_it_has_happened(make_alerts, make_tape):
    config = VolumeShockConfig(risk=Risk(per_day=0.01))
    big = {"confidence": 0.95, "point": 60.0}
    alerts = make_alerts({"minute": 10} | big, {"minute": 11.5} | big, {"minute": 30} | big)
    result = replay_alerts(alerts, make_tape({11: CRASH}), config)
    loss = result.trades["net_usd"][0]
    assert loss < 0
    left = 1_000.0 + loss
    assert list(reasons(result).values()) == ["PLANNED", "POSITION_OPEN", "PLANNED"]
    assert result.trades["risk_usd"][1] <= left < result.trades["risk_usd"][0]


def test_a_daily_limit_that_a_gap_breaches_stops_trading_until_the_next_day(make_alerts, make_tape):
    crash = (70_000.0, 70_000.0, 70_000.0, 70_000.0)
    prices = dict.fromkeys(range(12, 2000), crash)
    alerts = make_alerts({"minute": 10}, {"minute": 30}, {"minute": 1_450})
    result = replay_alerts(alerts, make_tape(prices, minutes=2_000), CONFIG)
    assert list(reasons(result).values()) == ["PLANNED", "KILLED", "PLANNED"]
    assert "daily limit" in result.decisions["sentence"][1]


def test_a_breached_daily_limit_flattens_other_instruments(make_alerts, make_tape, day):
    crash = (70_000.0, 70_000.0, 70_000.0, 70_000.0)
    prices = dict.fromkeys(range(13, 60), crash)
    tapes = {"BTC": make_tape(prices), "ETH": make_tape(symbol="ETH-PERP")}
    alerts = make_alerts(
        {"minute": 10, "underlying": "ETH", "confidence": 0.1}, {"minute": 10.5}, {"minute": 30}
    )
    result = replay_alerts(alerts, tapes, CONFIG)
    flattened = result.trades.filter(pl.col("instrument") == "ETH-PERP").to_dicts()[0]
    assert flattened["exit_reason"] == "EXIT_KILLED"
    assert flattened["exit_ns"] == day + 14 * MINUTE_NS
    assert reasons(result)["a3"] == "KILLED"


def test_on_ticks_a_flattening_order_takes_its_way_once(make_alerts, make_tape, day):
    crash = (70_000.0, 70_000.0, 70_000.0, 70_000.0)
    stamps = day + np.arange(0, 3_600, 10) * SECOND_NS
    quotes = pl.DataFrame({"ts": stamps, "bid": 80_000.0, "ask": 80_000.0})
    tapes = {
        "BTC": make_tape(dict.fromkeys(range(13, 60), crash)),
        "ETH": HedgeTape.from_ticks(None, quotes, hedge_instrument("ETH-PERP", "binance")),
    }
    alerts = make_alerts({"minute": 10, "underlying": "ETH", "confidence": 0.1}, {"minute": 10.5})
    config = CONFIG.model_copy(update={"costs": Costs(latency_ms=7_000.0)})
    result = replay_alerts(alerts, tapes, config)
    flattened = result.trades.filter(pl.col("instrument") == "ETH-PERP").to_dicts()[0]
    assert flattened["exit_reason"] == "EXIT_KILLED"
    # the loss is known at 13:00, the order there at 13:07, the next quote at 13:10
    assert flattened["exit_ns"] == day + 13 * MINUTE_NS + 10 * SECOND_NS


@pytest.mark.parametrize(
    ("sigma", "source", "index", "size"),
    [
        (0.39, "implied", None, 4.0),
        (0.40, "implied", None, 2.0),
        (0.40, "realised", None, 4.0),
        (0.30, "implied", 41.0, 2.0),
        (0.60, "implied", 39.0, 4.0),
    ],
)
def test_sizes_are_halved_from_an_index_of_40_on(
    make_alerts, make_tape, day, sigma, source, index, size
):
    alerts = make_alerts({"minute": 10, "sigma": sigma, "sigma_source": source})
    published = index and VolatilityIndex("DVOL", np.array([day]), np.array([index]))
    result = replay_alerts(alerts, make_tape(), CONFIG, volatility_index=published)
    assert result.trades["size_contracts"].to_list() == [size]


def test_the_share_of_decisions_at_which_the_index_was_known_is_said(make_alerts, make_tape, day):
    known = day + 20 * MINUTE_NS
    index = VolatilityIndex("VIX", np.array([known]), np.array([45.0]))
    alerts = make_alerts({"minute": 5}, {"minute": 19.9}, {"minute": 35}, {"minute": 50})
    result = replay_alerts(alerts, make_tape(minutes=90), CONFIG, volatility_index=index)
    assert result.trades["size_contracts"].to_list() == [4.0, 4.0, 2.0, 2.0]
    [note] = [note for note in result.notes if note.startswith("Volatility index")]
    assert note == (
        "Volatility index: VIX, known at 2 of 4 decisions (50.0%); at the others sizes were not "
        "changed."
    )


def test_without_an_index_it_is_said_what_took_its_place(make_alerts, make_tape):
    alerts = make_alerts({"minute": 10}, {"minute": 30, "sigma_source": "realised"})
    notes = replay_alerts(alerts, make_tape(), CONFIG).notes
    assert any("none was named; the alert's own implied volatility" in note
               and "at 1 of 2 decisions (50.0%)" in note for note in notes)  # fmt: skip


def test_calendars_keep_positions_shut_and_absent_ones_are_said(make_alerts, make_tape, day):
    release = ScheduledEvent(day + HOUR_NS, CalendarKind.RELEASE, "CPI", "")
    alerts = make_alerts({"minute": 20}, {"minute": 31})
    result = replay_alerts(alerts, make_tape(minutes=90), CONFIG, calendars=Calendar([release]))
    assert list(reasons(result).values()) == ["PLANNED", "RELEASE"]
    assert any("calendar is silent on earnings" in note for note in result.notes)
    assert any("releases that concern BTC" in note and ": 1;" in note for note in result.notes)
    without = replay_alerts(alerts, make_tape(minutes=90), CONFIG)
    assert sum("No calendar was given" in note for note in without.notes) == 2


def test_what_cannot_be_tested_on_bars_is_said(make_alerts, make_tape):
    notes = replay_alerts(make_alerts({"minute": 10}), make_tape(), CONFIG).notes
    assert any("5 s old could not be tested" in note for note in notes)
    assert any("flat before the close does not apply" in note for note in notes)
    assert any("binance" in note for note in notes)
    assert any("pattern-day-trader rule never applies" in note for note in notes)


@pytest.mark.parametrize("multiple", [0.0, 1.0, 2.0])
def test_costs_scale_and_change_no_price(make_alerts, make_tape, multiple):
    config = VolumeShockConfig(costs=Costs(cost_multiple=multiple))
    [trade] = replay_alerts(
        make_alerts({"minute": 10}), make_tape({13: TARGET}), config
    ).trades.to_dicts()
    turnover = 4.0 * (80_000.0 + 80_400.0)
    assert trade["gross_usd"] == pytest.approx(1_600.0)
    assert trade["net_usd"] == pytest.approx(1_600.0 - multiple * turnover * 5.5e-4)


def test_latency_delays_the_entry(make_alerts, make_tape):
    config = VolumeShockConfig(costs=Costs(latency_ms=120_001.0))
    result = replay_alerts(make_alerts({"minute": 10}), make_tape(), config)
    assert result.trades["age_seconds"].to_list() == [180.0]


def test_two_runs_give_equal_tables(make_alerts, make_tape):
    alerts = make_alerts({"minute": 10}, {"minute": 11}, {"minute": 40})
    first, second = (replay_alerts(alerts, make_tape({13: TARGET}), CONFIG) for _ in range(2))
    assert first.decisions.equals(second.decisions)
    assert first.trades.equals(second.trades)
    assert first.ledger_entries.equals(second.ledger_entries)
    shuffled = replay_alerts(alerts.reverse(), make_tape({13: TARGET}), CONFIG)
    assert shuffled.decisions.equals(first.decisions)


MOVES = st.lists(st.integers(-300, 300), min_size=90, max_size=90)
TIMES = st.lists(st.integers(0, 89 * 60), min_size=1, max_size=15)
PROPERTY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def random_case(moves, times, make_alerts, make_frame):
    closes = 80_000.0 + np.cumsum(moves)
    opens = np.r_[80_000.0, closes[:-1]]
    bars = np.c_[opens, np.maximum(opens, closes) + 40, np.minimum(opens, closes) - 40, closes]
    frame = make_frame(dict(enumerate(bars)), minutes=90)
    alerts = make_alerts(
        *(
            {"minute": at / 60}
            | (
                {"direction": "SELL_FUTURES", "demand": -9.0, "demand_scaled": -3_000.0}
                if at % 2
                else {}
            )
            for at in times
        )
    )
    return frame, alerts


@PROPERTY
@given(moves=MOVES, times=TIMES)
def test_time_runs_forward_positions_never_overlap_and_equity_adds_up(
    moves, times, make_alerts, make_frame, make_tape
):
    frame, alerts = random_case(moves, times, make_alerts, make_frame)
    tape = HedgeTape.from_bars(frame, make_tape().instrument, MINUTE_NS)
    result = replay_alerts(alerts, tape, CONFIG)
    trades = result.trades
    assert result.decisions.height == alerts.height
    assert (trades["entry_ns"] >= trades["detected_ns"] + SECOND_NS).all()
    assert (trades["exit_ns"] >= trades["entry_ns"]).all()
    assert (trades["detected_ns"][1:].to_numpy() >= trades["exit_ns"][:-1].to_numpy()).all()
    assert (trades["risk_usd"] <= 2_000.0 * 1.2).all()
    equity = result.ledger_entries["amount_usd"].sum()
    assert equity == pytest.approx(100_000.0 + trades["net_usd"].sum())


@PROPERTY
@given(moves=MOVES, times=TIMES, cut=st.integers(1, 88))
def test_poisoned_later_bars_and_alerts_never_change_an_earlier_decision(
    moves, times, cut, make_alerts, make_frame, make_tape
):
    frame, alerts = random_case(moves, times, make_alerts, make_frame)
    now = int(frame["ts"][1_440 + cut])
    instrument = make_tape().instrument
    poisoned = frame.with_columns(
        pl.when(pl.col("ts") >= now).then(pl.col(name) * 3).otherwise(pl.col(name)).alias(name)
        for name in ("open", "high", "low", "close", "volume")
    )
    later = alerts.filter(pl.col("detected_ns") < now)
    whole, cut_off = (
        replay_alerts(a, HedgeTape.from_bars(f, instrument, MINUTE_NS), CONFIG)
        for a, f in ((alerts, frame), (later, poisoned))
    )
    known = pl.col("decided_ns") < now
    assert whole.decisions.filter(known).equals(cut_off.decisions.filter(known))
    ended = pl.col("exit_ns") < now
    assert whole.trades.filter(ended).equals(cut_off.trades.filter(ended))


def test_a_longer_hold_by_response_is_taken_from_the_plan(make_alerts, make_tape):
    config = VolumeShockConfig(plan=Plan(limit="response"))
    sweep = {"minute": 10, "flow_class": "INSTITUTIONAL_SWEEP"}
    result = replay_alerts(make_alerts(sweep), make_tape(), config)
    assert result.trades["limit_minutes"].to_list() == [18.0]
    held = result.trades["exit_ns"][0] - result.trades["entry_ns"][0]
    assert held == 18 * MINUTE_NS


def traded_with(make_alerts, tape, **plan):
    result = replay_alerts(make_alerts({"minute": 10}), tape, VolumeShockConfig(plan=Plan(**plan)))
    [trade] = result.trades.to_dicts()
    return trade, result.notes


def test_a_stop_that_is_off_stops_nothing_and_changes_no_size(make_alerts, make_tape):
    tape = make_tape({13: CRASH, 14: (79_000.0,) * 4, 15: (80_000.0, 80_500.0, 79_990.0, 80_400.0)})
    stopped, _ = traded_with(make_alerts, tape)
    held, notes = traded_with(make_alerts, tape, stop=False)
    assert (stopped["exit_reason"], held["exit_reason"]) == ("EXIT_STOP_HIT", "EXIT_TARGET_HIT")
    for column in ("size_contracts", "stop", "stop_distance", "risk_usd"):
        assert held[column] == stopped[column]
    assert any(note.startswith("Switched off: stop.") for note in notes)


def test_a_target_that_is_off_lets_profits_run_to_the_time_limit(make_alerts, make_tape):
    tape = make_tape({13: TARGET})
    trade, _ = traded_with(make_alerts, tape, target=False)
    assert (trade["exit_reason"], trade["target_distance"]) == ("EXIT_TIME_LIMIT", 400.0)


def test_without_a_time_limit_a_position_is_held_until_something_else_ends_it(
    make_alerts, make_tape
):
    tape = make_tape({50: TARGET})
    trade, notes = traded_with(make_alerts, tape, time_limit=False)
    assert trade["exit_reason"] == "EXIT_TARGET_HIT"
    assert trade["exit_ns"] - trade["entry_ns"] == 40 * MINUTE_NS
    assert any(note.startswith("Switched off: time limit.") for note in notes)
