"""Anomalies and events at and around each of their edges; precise.md 1, 4, 15 to 19, 22."""

from __future__ import annotations

import numpy as np
import pytest

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.signals import FlowClass
from hedgeflow.signals.unusual import window_baseline
from hedgeflow.strategies.volume_shock.rules import scan_rules
from signals.tapes import (
    DAY_ZERO,
    DEEP,
    DailyReference,
    FixedReference,
    at,
    config,
    found,
    scan_of,
    trade,
    usual,
    with_multiplier,
)

EVENTS = config("source", alert={"unit": "event"})
BASE_30 = usual(30)
"""Contract CALL trades 30 contracts a slot from 12:00 to 12:30 on days 0 to 9."""


def shocks(*prints: tuple[float, float], contract: str = "CALL", **changes) -> list[dict]:
    """Return prints on day 10 given as (minutes after 12:00, contracts)."""
    return [
        trade(at(10, minute=minute), contract, contracts, **changes) for minute, contracts in prints
    ]


def minutes(rows: np.ndarray) -> list[float]:
    return ((rows["ts"] - at(10)) / MINUTE_NS).tolist()


# --- one contract ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("contracts", "anomalies"), [(120.0, 0), (120.1, 1)])
def test_a_ratio_of_exactly_4_is_no_anomaly_and_any_above_is(contracts, anomalies):
    output = found(scan_of(), *BASE_30, *shocks((7, contracts)))
    assert output.anomalies.size == anomalies


@pytest.mark.parametrize(("contracts", "anomalies"), [(100.0, 0), (100.1, 1)])
def test_a_volume_of_exactly_100_contracts_is_no_anomaly_and_any_above_is(contracts, anomalies):
    output = found(scan_of(), *usual(1), *shocks((7, contracts)))
    assert output.anomalies.size == anomalies


def test_a_thousand_prints_of_a_tenth_are_exactly_100_contracts():
    """Summed as floats they are 99.9999999999986, and other orders give 100.00000000000001."""
    rows = shocks(*[(5 + place / 300, 0.1) for place in range(1_000)])
    scan = scan_of(resolution_ns=SECOND_NS)
    assert found(scan, *rows).anomalies.size == 0
    more = found(scan_of(resolution_ns=SECOND_NS), *rows, *shocks((8.5, 0.1)))
    assert more.anomalies["lots"].tolist() == [1_001]


@pytest.mark.parametrize(("gap", "anomalies"), [(5.0, 0), (5.0 - 1e-9, 1)])
def test_a_print_exactly_5_minutes_old_is_out_of_the_window(gap, anomalies):
    rows = [
        trade(at(10, minute=20) - round(gap * MINUTE_NS), "CALL", 60),
        trade(at(10, minute=20), "CALL", 60),
    ]
    assert found(scan_of(resolution_ns=1), *rows).anomalies.size == anomalies


def test_prints_of_one_stamp_are_one_batch_evaluated_after_the_last():
    """precise.md 1: the anomaly is made on 60 + 60 lots, and its demand is of both."""
    rows = [*shocks((7, 60)), *shocks((7, 60), aggressor=-1), *shocks((7, 30))]
    output = found(scan_of(), *rows)
    assert output.anomalies["lots"].tolist() == [1_500]
    assert output.anomalies["demand"].tolist() == [30.0]


def test_an_anomaly_carries_the_demand_of_its_window():
    rows = [*shocks((1, 500)), *shocks((6, 80)), *shocks((7, 90), aggressor=-1)]
    output = found(scan_of(), *rows)
    assert minutes(output.anomalies) == [1, 7]  # 0 < 80 <= 4 x 30 re-armed it at minute 6
    assert output.anomalies["demand"].tolist() == [500.0, -10.0]


def test_puts_sell_where_calls_buy():
    output = found(scan_of(), *shocks((7, 150), contract="PUT"))
    assert output.anomalies["demand"].tolist() == [-150.0]


def test_the_multiplier_scales_demand_but_not_volume():
    terms = with_multiplier(DEEP, 100.0, 1.0)
    row = trade(at(10, minute=7), "CALL", lots=101)
    output = found(scan_of(terms=terms), row)
    assert output.anomalies["lots"].tolist() == [101]
    assert output.anomalies["demand"].tolist() == [10_100.0]


def test_one_shock_is_one_anomaly_while_the_ratio_stays_above_4():
    rows = shocks(*[(5 + place, 150) for place in range(8)])
    assert minutes(found(scan_of(), *rows).anomalies) == [5]


def test_silence_rearms_a_contract():
    """At minute 11 the first shock has left the window: the ratio just before is 0."""
    assert minutes(found(scan_of(), *shocks((5, 150), (10, 150))).anomalies) == [5, 10]
    assert minutes(found(scan_of(), *shocks((5, 150), (9.9, 150))).anomalies) == [5]


@pytest.mark.parametrize(("left", "expected"), [(120.0, [5, 11]), (120.1, [5])])
def test_a_ratio_of_exactly_4_just_before_the_print_rearms(left, expected):
    rows = [*BASE_30, *shocks((5, 500), (6.5, left), (11, 150))]
    assert minutes(found(scan_of(), *rows).anomalies) == expected


def test_the_volume_condition_plays_no_part_in_rearming():
    """Volume fell to 90, under 100, but its ratio of 90 stays above 4."""
    rows = shocks((5, 500), (6.5, 90), (11, 150))
    assert minutes(found(scan_of(), *rows).anomalies) == [5]


def test_a_pressure_below_threshold_does_not_rearm():
    """Bought and sold: D is 0 and no alert comes, and still it is one anomaly."""
    rows = [*shocks((5, 150)), *shocks((5, 150), aggressor=-1), *shocks((6, 150))]
    output = found(scan_of(EVENTS), *rows)
    assert minutes(output.anomalies) == [5]
    assert output.decisions.size == 0


def test_rearming_is_by_contract():
    rows = [*shocks((5, 150), (7, 150)), *shocks((6, 150), contract="CALL2")]
    output = found(scan_of(), *rows)
    assert minutes(output.anomalies) == [5, 6]


# --- windows --------------------------------------------------------------------------------------

WINDOWS = config(
    "source",
    anomaly={"windows_seconds": (5.0, 60.0, 300.0)},
    alert={"unit": "event", "pressure_threshold": 1e9},
)


def windows_found(*rows: dict, days: int = 15) -> list[tuple[float, float, float]]:
    """Return (minute, window seconds, baseline contracts) of each anomaly."""
    scan = scan_of(WINDOWS, resolution_ns=SECOND_NS, days=days)
    output = found(scan, *rows)
    return [
        (minute, scan.windows_ns[row["window"]] / SECOND_NS, row["baseline_lots"] / 10)
        for minute, row in zip(minutes(output.anomalies), output.anomalies, strict=True)
    ]


def test_each_window_has_the_5_minute_baseline_scaled_by_its_length():
    assert windows_found(*usual(60), *shocks((7, 500))) == [
        (7, 5.0, 1.0),
        (7, 60.0, 12.0),
        (7, 300.0, 60.0),
    ]


def test_a_short_windows_baseline_is_floored_at_1():
    assert windows_found(*usual(30), *shocks((7, 500)))[0] == (7, 5.0, 1.0)


def test_each_window_has_its_own_state():
    """The 5 s window re-arms within the minute, the 60 s one after it, the 5 min one not yet."""
    seen = windows_found(*shocks((7, 150), (7.5, 150), (8.6, 150)))
    assert [(minute, window) for minute, window, _ in seen] == [
        (7, 5.0), (7, 60.0), (7, 300.0), (7.5, 5.0), (8.6, 5.0), (8.6, 60.0),
    ]  # fmt: skip


def test_the_volume_floor_is_the_same_for_every_window():
    seen = windows_found(*shocks((7, 60), (7.5, 60)))
    assert [(minute, window) for minute, window, _ in seen] == [(7.5, 60.0), (7.5, 300.0)]


@pytest.mark.parametrize("seconds", [5, 60])
def test_a_ratio_of_exactly_4_stays_exact_in_a_scaled_window(seconds):
    """Scaled by 5/300 as a float, baselines would round, and 4 times one could be more than 4."""
    rules = scan_rules(config("normalized"), 1.0).shock[0]
    for share in range(1, 2_000):
        of_a_slot = share * 300.0 / seconds
        baseline = window_baseline(of_a_slot, 1.0, seconds * SECOND_NS, rules)
        assert 4 * share / baseline == 4.0


def test_anomalies_of_one_contract_count_once_in_an_event():
    scan = scan_of(WINDOWS, resolution_ns=SECOND_NS)
    output = found(scan, *shocks((7, 150), (7.5, 150)))
    assert output.anomalies.size == 4
    assert output.closes["anomalies"].tolist() == [4]
    assert output.closes["members"].tolist() == [1]
    assert output.closes["strikes"].tolist() == [1]
    assert output.closes["demand"].tolist() == [300.0]
    assert output.closes["lots"].tolist() == [3_000]


# --- events ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "events"), [(5.0, 2), (5.0 - 1e-9, 1)])
def test_an_anomaly_joins_while_5_minutes_before_it_is_earlier_than_the_latest(gap, events):
    first = at(10, minute=5)
    rows = [
        trade(first, "CALL", 150),
        trade(first + round(gap * MINUTE_NS), "CALL2", 150),
    ]
    assert found(scan_of(EVENTS, resolution_ns=1), *rows).closes.size == events


def test_the_latest_anomaly_holds_the_event_open_not_the_first():
    rows = [
        row
        for place, contract in enumerate(("CALL", "CALL2", "CALL3", "CALL4"))
        for row in shocks((5 + 4 * place, 150), contract=contract)
    ]
    output = found(scan_of(EVENTS), *rows)
    assert output.closes["members"].tolist() == [4]


@pytest.mark.parametrize(("last", "events"), [(35.0, 1), (35.0 + 1e-9, 2)])
def test_an_event_takes_anomalies_up_to_30_minutes_from_its_first(last, events):
    names = ("CALL", "CALL2")
    rows = [
        row
        for place in range(7)
        for row in shocks((5 + 4.5 * place, 150), contract=names[place % 2])
    ]
    final = trade(at(10, minute=5) + round((last - 5) * MINUTE_NS), "CALL3", 150)
    output = found(scan_of(EVENTS, resolution_ns=1), *rows, final)
    assert output.closes.size == events


def test_a_print_that_is_no_anomaly_does_not_hold_an_event_open():
    rows = [*shocks((5, 150), (8, 20)), *shocks((11, 150), contract="CALL2")]
    assert found(scan_of(EVENTS), *rows).closes.size == 2


def test_demand_counts_each_print_once_from_the_start_of_the_first_window():
    """Minute 4 lies in the first window, minute 1 before it; the second anomaly of the contract
    at minute 12 does not count minute 8 again."""
    rows = [
        *shocks((1, 7), (4, 30), (6.5, 150), (8, 3)),
        *shocks((9, 130), contract="CALL2"),
        *shocks((12, 140)),
    ]
    settings = config("source", alert={"unit": "event", "pressure_threshold": 1e9})
    output = found(scan_of(settings), *rows)
    assert minutes(output.anomalies) == [6.5, 9, 12]
    assert output.closes["demand"].tolist() == [30 + 150 + 3 + 130 + 140]


def test_a_member_keeps_contributing_while_the_event_is_open():
    rows = [*shocks((5, 150), (7, 10)), *shocks((8, 10), contract="CALL2"), *shocks((20, 9))]
    output = found(scan_of(EVENTS), *rows)
    assert output.closes["demand"].tolist() == [160.0]
    assert output.closes["members"].tolist() == [1]


def test_a_new_event_starts_from_nothing():
    output = found(scan_of(EVENTS), *shocks((5, 150), (20, 300)))
    assert output.closes["demand"].tolist() == [150.0, 300.0]
    assert output.closes["event"].tolist() == [0, 1]


def test_an_event_is_decided_once_at_the_first_pressure_above_the_threshold():
    """2,000 / 10² is exactly 20 and no alert; 2,000.1 is 2,000.1 / 5² = 80."""
    rows = shocks((5, 1_000), (6, 1_000), (7, 0.1), (8, 4_000))
    output = found(scan_of(EVENTS), *rows)
    assert minutes(output.decisions) == [7]
    assert output.decisions["demand"].tolist() == [pytest.approx(2_000.1)]
    assert output.decisions["pressure"].tolist() == [pytest.approx(2_000.1 / 25)]
    assert output.decisions["first_ns"].tolist() == [at(10, minute=5)]
    assert output.closes["decided"].tolist() == [1]
    assert output.closes["largest_pressure"].tolist() == [pytest.approx(6_000.1 / 4)]


def test_an_events_demand_may_pass_the_threshold_by_members_that_sell():
    rows = [*shocks((5, 2_500)), *shocks((5, 9_000), contract="PUT")]
    output = found(scan_of(EVENTS), *rows)
    assert output.decisions["demand"].tolist() == [-6_500.0]
    assert output.decisions["response_minutes"].tolist() == [2.0]


def test_legs_that_cancel_leave_no_event_to_decide():
    rows = [*shocks((5, 9_000)), *shocks((5, 9_000), contract="PUT")]
    settings = config("source", alert={"unit": "event", "pressure_threshold": 0.0})
    output = found(scan_of(settings), *rows)
    assert output.anomalies.size == 2
    assert output.decisions.size == 0
    assert output.closes["demand"].tolist() == [0.0]


def test_the_class_at_decision_and_at_close_are_recorded_apart():
    rows = [
        *shocks((5, 6_000)),
        *shocks((6, 6_000), contract="CALL2"),
        *shocks((6, 6_000), contract="CALL3"),
    ]
    output = found(scan_of(EVENTS), *rows)
    assert output.decisions["flow_class"].tolist() == [FlowClass.GAMMA_EMERGENCY]
    assert output.closes["flow_class"].tolist() == [FlowClass.AMBIGUOUS_SIGNAL]


def test_a_strike_is_a_pair_of_expiry_and_strike_calls_and_puts_together():
    """CALL and PUT-AT-CALL share both, LATE has another expiry at the same strike."""
    rows = [
        *shocks((5, 6_000)),
        *shocks((5, 2_000), contract="PUT-AT-CALL"),
        *shocks((5, 2_000), contract="LATE"),
    ]
    decision = found(scan_of(EVENTS), *rows).decisions[0]
    assert decision["strikes"] == 2
    assert decision["concentration"] == 8_000 / 10_000


def test_only_strikes_with_an_anomalous_contract_count():
    rows = [*shocks((5, 6_000)), *shocks((5, 90), contract="CALL2")]
    decision = found(scan_of(EVENTS), *rows).decisions[0]
    assert decision["strikes"] == 1
    assert decision["concentration"] == 1.0
    assert decision["lots"] == 60_000


def test_the_largest_ratio_so_far_goes_with_the_decision():
    rows = [*shocks((5, 400)), *shocks((6, 2_000), contract="CALL2")]
    decision = found(scan_of(EVENTS), *rows).decisions[0]
    assert decision["ratio"] == 2_000.0


def test_a_decision_lists_its_members_with_their_own_demand():
    rows = [*shocks((5, 6_000)), *shocks((5, 500), contract="PUT")]
    output = found(scan_of(EVENTS), *rows)
    decision = output.decisions[0]
    members = output.members[decision["member_from"] : decision["member_to"]]
    assert members["demand"].tolist() == [6_000.0, -500.0]
    assert members["lots"].sum() == decision["lots"]
    assert members["start_ns"].tolist() == [at(10, minute=0)] * 2


def test_under_unit_contract_each_anomaly_is_judged_by_its_own_demand():
    """Two legs that cancel as an event are two alerts, one each way."""
    rows = [*shocks((5, 9_000)), *shocks((5, 9_000), contract="PUT"), *shocks((6, 5_000))]
    output = found(scan_of(config("source")), *rows)
    assert output.decisions["demand"].tolist() == [9_000.0, -9_000.0]
    assert output.decisions["pressure"].tolist() == [9_000 / 4, 9_000 / 4]
    assert output.decisions["event"].tolist() == [0, 0]


def test_under_unit_contract_the_hedge_begins_with_the_contracts_own_anomaly():
    rows = [*shocks((5, 9_000)), *shocks((8, 9_000), contract="CALL2")]
    output = found(scan_of(config("source")), *rows)
    assert output.decisions["first_ns"].tolist() == [at(10, minute=5), at(10, minute=8)]


def test_under_unit_contract_an_anomaly_without_demand_is_no_alert():
    rows = [*shocks((5, 9_000)), *shocks((5, 9_000), aggressor=-1)]
    settings = config("source", alert={"pressure_threshold": 0.0})
    assert found(scan_of(settings), *rows).decisions.size == 0


def test_without_a_scale_there_is_no_decision_and_the_event_says_so():
    settings = config("normalized", anomaly={"volume_floor": "fixed"})
    output = found(scan_of(settings), *BASE_30, *shocks((7, 9_000)))
    assert output.anomalies.size == 1
    assert output.decisions.size == 0
    assert output.closes["no_scale"].tolist() == [1]
    assert output.closes["flow_class"].tolist() == [FlowClass.AMBIGUOUS_SIGNAL]
    assert np.isnan(output.closes["pressure"]).all()


def test_reference_units_are_100_000_times_demand_over_V5():
    settings = config("normalized", anomaly={"volume_floor": "fixed"}, response={"model": "tiers"})
    scan = scan_of(settings, reference=FixedReference(scale_volume=4_000.0))
    decision = found(scan, *BASE_30, *shocks((7, 200))).decisions[0]
    assert decision["demand"] == 200.0
    assert decision["scaled"] == 100_000 * 200 / 4_000
    assert decision["response_minutes"] == 5.0  # 5,000 is not above 5,000


NIGHT = config(
    "normalized",
    anomaly={"no_history": "floor", "volume_floor": "fixed"},
    response={"model": "tiers"},
)


def night(*prints: tuple[float, str, float]) -> list[dict]:
    """Return prints given as (minutes after midnight of day 11, contract, contracts)."""
    return [trade(at(11, 0, minute), name, contracts) for minute, name, contracts in prints]


DAY_TEN = DAY_ZERO // (1440 * MINUTE_NS) + 10


def test_an_event_stays_open_across_midnight():
    scan = scan_of(NIGHT, reference=FixedReference(scale_volume=1e6))
    output = found(scan, *night((-2, "CALL", 150), (1, "CALL", 20), (2, "CALL2", 150)))
    assert output.closes["members"].tolist() == [2]
    assert output.closes["demand"].tolist() == [320.0]


def test_an_open_event_is_evaluated_again_when_a_session_brings_another_scale():
    """At midnight V5 falls to a hundredth; the next batch, of a stranger, decides the event."""
    scan = scan_of(NIGHT, reference=DailyReference({DAY_TEN: 1e6, DAY_TEN + 1: 1e4}))
    output = found(scan, *night((-2, "CALL", 150), (1, "CALL2", 3)))
    assert (output.decisions["ts"] - at(11, 0)).tolist() == [MINUTE_NS]
    assert output.decisions["scaled"].tolist() == [1_500.0]


def test_an_event_closes_as_it_was_last_evaluated_whatever_the_next_session_brings():
    scan = scan_of(NIGHT, reference=DailyReference({DAY_TEN: 1e4, DAY_TEN + 1: 1e6}))
    output = found(scan, *night((-6, "CALL", 150), (1, "CALL2", 3)))
    assert output.closes["scaled"].tolist() == [1_500.0]
    assert output.closes["no_scale"].tolist() == [0]


def test_windows_reach_across_midnight():
    scan = scan_of(config("source"))
    output = found(scan, *night((-2, "CALL", 60), (2, "CALL", 60)))
    assert output.anomalies["lots"].tolist() == [1_200]


def test_a_quantity_beyond_32_bits_is_summed_exactly():
    rows = [trade(at(10, minute=5 + place), "CALL", lots=2**40) for place in range(3)]
    output = found(scan_of(EVENTS), *rows)
    assert output.closes["lots"].tolist() == [3 * 2**40]
    assert output.anomalies["lots"].tolist() == [2**40]
