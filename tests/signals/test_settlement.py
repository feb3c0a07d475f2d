"""Expiration pressure, one strike at a time: every number of the specification."""

from __future__ import annotations

import importlib
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from exchange_calendars import get_calendar

from hedgeflow.market.errors import DataError
from hedgeflow.market.expiries import expiry_of_stock_option
from hedgeflow.market.pressure import pressure
from hedgeflow.market.time import MINUTE_NS, SECOND_NS, moment_of
from hedgeflow.signals import (
    EventKind,
    GammaConvention,
    NoticeKind,
    PressureRules,
    SettlementScan,
    SignalClass,
    Urgency,
    build_chain,
)
from hedgeflow.signals.settlement_events import events, merged
from signals.chains import EXPIRY, one_strike, scan_once, three_strikes

SOURCE = PressureRules()
LOW_BAR = PressureRules(threshold=0.0, oi_above=0.0, filter_oi=0.0, filter_pressure=0.0)
"""Everything is a condition: what is left is what is told of it."""


def condition(price: float, minutes: float, **changes):
    (row,) = one_strike(price, minutes, **changes).conditions
    return row


def holds(price: float, minutes: float, **changes) -> bool:
    return one_strike(price, minutes, **changes).conditions.size == 1


# --- the alert condition --------------------------------------------------------------------------


def test_pressure_is_risk_over_minutes_squared():
    row = condition(104.0, 20.0)
    assert row["probability"] == 0.8
    assert row["risk"] == 8_000.0
    assert row["pressure"] == 20.0 == pressure(8_000.0, 20.0)


def test_a_pressure_of_10_is_no_alert_and_more_is():
    assert not holds(100.0, 30.0, oi=9_000.0)
    assert holds(100.0, 30.0, oi=9_001.0)


def test_open_interest_of_1000_is_no_alert_and_more_is():
    assert not holds(100.0, 5.0, oi=1_000.0)
    assert holds(100.0, 5.0, oi=1_001.0)


def test_a_strike_of_1000_between_two_that_alert_gives_none():
    scan = SettlementScan(SOURCE, three_strikes())
    at = EXPIRY - 5 * MINUTE_NS
    told = merged(
        events([at] * 3, EventKind.SETTLED, [5_000.0, 1_000.0, 5_000.0], [0, 2, 4]),
        events([at], EventKind.PRICE, [100.0]),
    )
    assert scan.advance(told).conditions["strike"].tolist() == [95.0, 105.0]


def test_at_45_minutes_an_alert_takes_more_than_20250_contracts_at_the_strike():
    assert not holds(100.0, 45.0, oi=20_250.0)
    assert holds(100.0, 45.0, oi=20_251.0)


def test_open_interest_counts_contracts_of_100_underlying_units():
    chain = build_chain(["C"], [EXPIRY], [100.0], [1], [1.0])
    at = EXPIRY - 5 * MINUTE_NS
    told = merged(
        events([at], EventKind.SETTLED, [250_000.0], 0), events([at], EventKind.PRICE, [100.0])
    )
    (row,) = SettlementScan(SOURCE, chain).advance(told).conditions
    assert row["oi"] == 2_500.0


def test_pressure_is_flat_within_the_last_minute():
    pressures = [condition(100.0, minutes)["pressure"] for minutes in (1.0, 0.5, 1e-6)]
    assert pressures == [10_000.0, 10_000.0, 10_000.0]


def test_fractions_of_a_minute_are_kept():
    assert condition(100.0, 10.5)["pressure"] == 10_000.0 / 10.5**2


def test_both_strategies_press_by_one_function():
    shock, expiration = (
        importlib.import_module(f"hedgeflow.signals.{name}")
        for name in ("events", "settlement_fold")
    )
    assert shock.pressure is expiration.pressure is pressure


def test_a_late_price_never_takes_the_place_of_a_newer_one():
    at = EXPIRY - np.array([10, 9, 8]) * MINUTE_NS
    late = events([at[1]], EventKind.PRICE, [170.0], observed_ns=[at[0] - 1])
    newer = events([at[2]], EventKind.PRICE, [101.0], observed_ns=[at[0] + 1])
    told = merged(
        events([at[0]], EventKind.SETTLED, [10_000.0], 2),
        events([at[0]], EventKind.PRICE, [100.0]),
        late,
        newer,
    )
    rows = SettlementScan(SOURCE, three_strikes()).advance(told).conditions
    assert rows["at_ns"].tolist() == at[[0, 2]].tolist()
    assert rows["price"].tolist() == [100.0, 101.0]


@pytest.mark.parametrize(
    ("seconds", "found"), [(300, (2, 0)), (301, (1, 1))], ids=["5 minutes", "and a second"]
)
def test_a_price_older_than_5_minutes_makes_no_alert(seconds, found):
    priced = EXPIRY - 10 * MINUTE_NS
    scan = SettlementScan(PressureRules(), three_strikes())
    told = merged(
        events([priced - 1], EventKind.SETTLED, [10_000.0], 2),
        events([priced], EventKind.PRICE, [101.0]),
        events([priced + seconds * SECOND_NS], EventKind.VOLUME, [1.0], 2),
    )
    conditions = scan.advance(told).conditions
    assert (conditions.size, scan.counts["stale_price"].sum()) == found
    assert (conditions["price_ns"] == priced).all()


def test_it_is_counted_where_no_strike_has_enough_open_interest_for_an_alert():
    few, enough = (
        SettlementScan(PressureRules(oi_above=above), three_strikes()) for above in (800.0, 799.0)
    )
    at = EXPIRY - 10 * MINUTE_NS
    for scan in (few, enough):
        scan.advance(
            merged(
                events([at - 1], EventKind.SETTLED, [800.0], 2),
                events([at], EventKind.PRICE, [101.0]),
            )
        )
        assert scan.counts["largest_oi"].tolist() == [800.0]
    assert few.counts["below_open_interest"].tolist() == [1]
    assert enough.counts["below_open_interest"].tolist() == [0]


@pytest.mark.parametrize(
    ("price", "strike", "rules", "passes"),
    [
        (257.04, 207.04, {}, True),  # 50.00000000000003 apart
        (257.0, 207.0, {}, True),
        (257.05, 207.04, {}, False),
        (514.56, 506.56, {"filter_distance": 7.99}, False),
    ],
)
def test_a_distance_of_50_points_passes_however_decimals_are_rounded(price, strike, rules, passes):
    settings = PressureRules(**rules)
    found = one_strike(price, 10.0, oi=50_000.0, strike=strike, rules=settings).conditions
    assert (found.size == 1) is passes


@pytest.mark.parametrize(("price", "strike"), [(514.56, 506.56), (514.0, 506.0), (129.04, 121.04)])
def test_eight_points_are_no_panic_however_decimals_are_rounded(price, strike):
    (row,) = one_strike(price, 10.0, oi=50_000.0, strike=strike).conditions
    assert SignalClass(row["signal_class"]).name == "OTHER"


def test_the_age_of_a_price_is_reckoned_from_the_instant_that_it_is_of():
    rules = replace(SOURCE, sample_minutes=(10.0,))
    for age, count in ((5.0, 1), (5.01, 0)):
        scan = SettlementScan(rules, three_strikes())
        at = EXPIRY - 10 * MINUTE_NS
        told = merged(
            events([at], EventKind.SETTLED, [10_000.0], 2),
            events([at], EventKind.PRICE, [100.0], observed_ns=[at - round(age * MINUTE_NS)]),
        )
        scan.advance(told)
        assert scan.advance_to(EXPIRY).samples.size == count


# --- no alert at or after expiry, at any close ----------------------------------------------------


@pytest.mark.parametrize("after_ns", [0, 1, SECOND_NS, MINUTE_NS, 60 * MINUTE_NS])
def test_there_is_no_alert_at_expiry_or_after(after_ns):
    scan = SettlementScan(SOURCE, three_strikes())
    told = merged(
        events([EXPIRY - MINUTE_NS], EventKind.SETTLED, [10_000.0], 2),
        events([EXPIRY + after_ns], EventKind.PRICE, [100.0]),
    )
    output = scan.advance(told)
    assert output.conditions.size == 0
    assert scan.ladder().size == 0
    assert scan.counts["evaluations"].sum() == 0


def test_there_is_no_alert_at_any_early_close_or_after():
    closes = get_calendar("XNYS", start="2014-01-01", end="2027-12-31").early_closes
    assert len(closes) > 25
    for day in closes:
        expiry = expiry_of_stock_option("AAPL", day.date())
        hour = moment_of(expiry).astimezone(ZoneInfo("America/New_York")).hour
        assert hour == 13
        at = expiry + np.arange(-30, 181, 5) * MINUTE_NS
        told = merged(
            events([at[0]], EventKind.SETTLED, [10_000.0], 2),
            events(at, EventKind.PRICE, np.full(at.size, 100.0)),
        )
        rows = SettlementScan(SOURCE, three_strikes(expiry=expiry)).advance(told).conditions
        assert rows["at_ns"].max() == expiry - 5 * MINUTE_NS
        assert (rows["minutes_left"] == (expiry - rows["at_ns"]) / MINUTE_NS).all()


def test_todays_expiry_is_the_next_within_24_hours():
    rules = replace(LOW_BAR, filter_minutes=np.inf)
    assert holds(100.0, 1_440.0, rules=rules)
    assert not holds(100.0, 1_440.1, rules=rules)


def test_only_the_next_expiration_is_live():
    chain = build_chain(
        ["A", "B"], [EXPIRY, EXPIRY + MINUTE_NS], [100.0, 100.0], [1, 1], [100.0] * 2
    )
    at = EXPIRY - 10 * SECOND_NS
    told = merged(
        events([at, at], EventKind.SETTLED, [5_000.0, 5_000.0], [0, 1]),
        events([at, EXPIRY, EXPIRY + MINUTE_NS], EventKind.PRICE, [100.0] * 3),
    )
    rows = SettlementScan(SOURCE, chain).advance(told).conditions
    assert rows["expiry_ns"].tolist() == [EXPIRY, EXPIRY + MINUTE_NS]


# --- the filter -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "stopped", "passing", "reason"),
    [
        ({"oi_above": 0.0}, {"oi": 499.0}, {"oi": 500.0}, "oi_too_small"),
        ({}, {"price": 150.01}, {"price": 150.0}, "too_far"),
        ({}, {"minutes": 180.01}, {"minutes": 180.0}, "too_early"),
        ({"threshold": 1.0}, {"oi": 8_999.0, "minutes": 30.0}, {"oi": 9_000.0, "minutes": 30.0},
         "too_weak"),
    ],
)  # fmt: skip
def test_each_test_of_the_filter_stops_alone(changed, stopped, passing, reason):
    rules = replace(SOURCE, **changed)
    for given, count in ((stopped, 1), (passing, 0)):
        minutes = given.get("minutes", 2.0)
        oi = given.get("oi", 10_000_000.0 if minutes > 100.0 else 10_000.0)
        scan = SettlementScan(rules, three_strikes())
        at = EXPIRY - round(minutes * MINUTE_NS)
        told = merged(
            events([at], EventKind.SETTLED, [oi], 2),
            events([at], EventKind.PRICE, [given.get("price", 100.0)]),
        )
        output = scan.advance(told)
        assert output.conditions.size == 1 - count
        assert scan.counts[reason][0] == count
        others = {"oi_too_small", "too_far", "too_early", "too_weak"} - {reason}
        assert all(scan.counts[other][0] == 0 for other in others)


def test_under_the_sources_numbers_the_filters_first_and_last_tests_never_stop():
    # An alert has more than 1,000 contracts and a pressure above 10 already.
    assert SOURCE.filter_oi <= SOURCE.oi_above
    assert SOURCE.filter_pressure <= SOURCE.threshold


# --- urgency, class, confidence, target -----------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "urgency"),
    [(45.0, "LOW"), (44.99, "HIGH"), (15.0, "HIGH"), (14.99, "CRISIS"), (180.0, "LOW")],
)
def test_urgency_is_crisis_below_15_high_below_45_else_low(minutes, urgency):
    row = condition(100.0, minutes, rules=LOW_BAR)
    assert Urgency(row["urgency"]).name == urgency


@pytest.mark.parametrize(
    ("minutes", "oi", "away", "name"),
    [
        (120.0, 2_001.0, 19.9, "PIN_RISK_MANAGEMENT"),
        (45.0, 2_001.0, 19.9, "PIN_RISK_MANAGEMENT"),
        (120.01, 2_001.0, 0.0, "OTHER"),
        (60.0, 2_000.0, 0.0, "OTHER"),
        (60.0, 2_001.0, 20.0, "OTHER"),
        (44.99, 1.0, 49.0, "STEERING"),
        (15.0, 1.0, 49.0, "STEERING"),
        (14.99, 1_501.0, 7.9, "ASSIGNMENT_RISK_PANIC"),
        (14.99, 1_500.0, 0.0, "OTHER"),
        (14.99, 1_501.0, 8.0, "OTHER"),
    ],
)
def test_named_strategies_have_their_signatures(minutes, oi, away, name):
    row = condition(100.0 + away, minutes, oi=oi, rules=LOW_BAR)
    assert SignalClass(row["signal_class"]).name == name


def test_every_class_lies_within_one_urgency():
    seen = {}
    for minutes in np.linspace(0.1, 180.0, 200):
        for oi in (600.0, 1_600.0, 3_000.0):
            row = condition(103.0, float(minutes), oi=oi, rules=LOW_BAR)
            seen.setdefault(int(row["signal_class"]), set()).add(int(row["urgency"]))
    assert seen[SignalClass.PIN_RISK_MANAGEMENT] == {Urgency.LOW}
    assert seen[SignalClass.STEERING] == {Urgency.HIGH}
    assert seen[SignalClass.ASSIGNMENT_RISK_PANIC] == {Urgency.CRISIS}
    assert seen[SignalClass.OTHER] == {Urgency.LOW, Urgency.CRISIS}


def test_confidence_is_pressure_over_1000_and_at_most_95_in_100():
    assert condition(100.0, 5.0)["confidence"] == 0.4
    assert condition(100.0, 1.0)["confidence"] == 0.95


@pytest.mark.parametrize(("away", "target"), [(0.0, 15.0), (10.0, 15.0), (10.5, 15.75)])
def test_the_target_distance_is_15_points_or_one_and_a_half_distances(away, target):
    assert condition(100.0 + away, 5.0)["target_distance"] == target


def test_distances_in_basis_points_scale_with_the_price():
    rules = replace(LOW_BAR, distance="bps", bps_per_point=10.0)
    row = condition(100.0, 5.0, rules=rules)
    assert row["point"] == pytest.approx(0.1)
    assert row["target_distance"] == pytest.approx(1.5)


def test_eight_points_are_the_expected_move_over_eight_minutes():
    rules = replace(LOW_BAR, distance="sigma")
    row = condition(100.0, 5.0, rules=rules)
    assert 8 * row["point"] == pytest.approx(100.0 * 0.2 * np.sqrt(8 / 98_280))


def test_pressure_in_a_shorter_session_takes_minutes_as_if_it_had_390():
    rules = replace(LOW_BAR, session_minutes=390.0)
    at = EXPIRY - 20 * MINUTE_NS
    told = merged(
        events([at], EventKind.SETTLED, [10_000.0], 2), events([at], EventKind.PRICE, [100.0])
    )
    (row,) = SettlementScan(rules, three_strikes(), [195.0]).advance(told).conditions
    assert row["pressure"] == 10_000.0 / 40.0**2
    assert row["minutes_left"] == 20.0
    assert Urgency(row["urgency"]) is Urgency.HIGH


def test_a_chain_whose_session_lengths_are_not_known_is_refused_where_time_is_scaled():
    with pytest.raises(DataError, match="0 session lengths were given for 1 expiries"):
        SettlementScan(replace(SOURCE, session_minutes=390.0), three_strikes())


def test_reference_units_are_100000_times_units_at_risk_over_v5():
    rules = replace(LOW_BAR, reference_risk=100_000.0)
    at = EXPIRY - 10 * MINUTE_NS
    told = merged(
        events([at], EventKind.SETTLED, [2_000.0], 2),
        events([at], EventKind.PRICE, [100.0]),
        events([at], EventKind.SCALE, [400_000.0]),
    )
    (row,) = SettlementScan(rules, three_strikes()).advance(told).conditions
    assert row["risk"] == 100_000.0 * 2_000.0 * 100.0 / 400_000.0


# --- alerts ---------------------------------------------------------------------------------------


def numbers(path) -> list[tuple[float, int, bool]]:
    rows = scan_once(path).conditions
    return [(row["minutes_left"], int(row["alert_number"]), bool(row["is_new"])) for row in rows]


def test_an_alert_begins_at_the_first_evaluation_that_meets_the_condition():
    assert numbers([(32.0, 100.0), (31.0, 100.0), (30.0, 100.0)]) == [
        (31.0, 0, True),
        (30.0, 0, False),
    ]


def test_an_alert_is_armed_again_when_its_condition_has_ceased_for_5_minutes():
    gone = 200.0  # too far away
    path = [(30.0, 100.0), (29.0, gone), (24.01, 100.0)]
    assert [new for _, _, new in numbers(path)] == [True, False]
    path = [(30.0, 100.0), (29.0, gone), (24.0, 100.0)]
    assert [new for _, _, new in numbers(path)] == [True, True]


def test_a_silence_is_not_a_condition_that_ceased():
    assert [new for _, _, new in numbers([(44.0, 104.0), (30.0, 100.0), (16.0, 100.0)])] == [
        True, False,
    ]  # fmt: skip


def test_each_urgency_has_its_own_alert():
    rows = scan_once([(45.0, 100.0), (44.0, 100.0), (14.0, 100.0)], oi=50_000.0).conditions
    assert rows["is_new"].tolist() == [True, True, True]
    assert rows["alert_number"].tolist() == [0, 1, 2]


# --- notices --------------------------------------------------------------------------------------


def test_timed_notices_come_at_120_45_15_and_2_minutes():
    notices = scan_once([(180.0, 150.0), (0.5, 150.0)]).notices
    assert notices["minutes_left"].tolist() == [120.0, 45.0, 15.0, 2.0]
    assert notices["at_ns"].tolist() == [EXPIRY - m * MINUTE_NS for m in (120, 45, 15, 2)]
    assert set(notices["kind"]) == {NoticeKind.TIMED}


def test_a_notice_whose_time_was_over_when_the_scan_began_is_not_given():
    notices = scan_once([(44.0, 150.0), (0.5, 150.0)]).notices
    assert notices["minutes_left"].tolist() == [15.0, 2.0]


@pytest.mark.parametrize(
    ("minutes", "away", "oi", "warns"),
    [
        (14.99, 4.99, 2_000.0, True),
        (15.0, 4.99, 2_000.0, False),
        (14.99, 5.0, 2_000.0, False),
        (14.99, 4.99, 1_999.0, False),
    ],
)
def test_the_evolution_monitor_warns_within_15_minutes_and_5_points_of_2000_contracts(
    minutes, away, oi, warns
):
    notices = one_strike(100.0 + away, minutes, oi=oi).notices
    panics = notices[notices["kind"] == NoticeKind.PREPARE_FOR_PANIC_MODE]
    assert panics["strike"].tolist() == ([100.0] if warns else [])


def test_the_evolution_monitor_warns_once_per_strike_and_expiry():
    path = [(14.0, 100.0), (13.0, 200.0), (5.0, 100.0), (4.0, 100.0)]
    notices = scan_once(path).notices
    panics = notices[notices["kind"] == NoticeKind.PREPARE_FOR_PANIC_MODE]
    assert panics["minutes_left"].tolist() == [14.0]


# --- dealers' gamma -------------------------------------------------------------------------------


def told_of_the_strike(*parts, rules: PressureRules = LOW_BAR):
    at = EXPIRY - 10 * MINUTE_NS
    both = events([at, at], EventKind.SETTLED, [5_000.0, 3_000.0], [2, 3])
    told = merged(both, events([at], EventKind.SIGMA, [0.2]), *parts)
    priced = events([at + MINUTE_NS], EventKind.PRICE, [100.0])
    (row,) = SettlementScan(rules, three_strikes()).advance(merged(told, priced)).conditions
    return row


def test_dealers_are_long_calls_and_short_puts_where_nothing_is_signed():
    row = told_of_the_strike()
    assert row["gamma_basis"] == GammaConvention.LONG_CALLS_SHORT_PUTS
    assert row["dealer_units"] == 100.0 * (5_000.0 - 3_000.0)
    assert row["dealer_gamma"] > 0.0


def test_dealers_are_short_everything_under_the_other_convention():
    rules = replace(LOW_BAR, gamma_convention=GammaConvention.SHORT_ALL)
    row = told_of_the_strike(rules=rules)
    assert row["gamma_basis"] == GammaConvention.SHORT_ALL
    assert row["dealer_units"] == -100.0 * 8_000.0


def test_signed_flow_takes_the_place_of_the_convention():
    at = EXPIRY - 10 * MINUTE_NS
    bought = events([at], EventKind.SIGNED, [70.0], 3)
    row = told_of_the_strike(bought)
    assert row["gamma_basis"] == GammaConvention.SIGNED_FLOW
    assert row["dealer_units"] == -7_000.0
    assert row["dealer_gamma"] < 0.0


def test_without_a_volatility_the_sign_of_dealers_gamma_is_still_known():
    at = EXPIRY - 10 * MINUTE_NS
    told = merged(
        events([at], EventKind.SETTLED, [5_000.0], 3), events([at], EventKind.PRICE, [100.0])
    )
    (row,) = SettlementScan(LOW_BAR, three_strikes()).advance(told).conditions
    assert np.isnan(row["dealer_gamma"])
    assert row["dealer_units"] == -500_000.0


# --- the ladder -----------------------------------------------------------------------------------


def test_the_ladder_has_every_listed_strike_as_it_stands():
    scan = SettlementScan(SOURCE, three_strikes())
    at = EXPIRY - 30 * MINUTE_NS
    told = merged(
        events([at], EventKind.SETTLED, [10_000.0], 2),
        events([at], EventKind.VOLUME, [300.0], 2),
        events([at], EventKind.SIGNED, [-100.0], 2),
        events([at], EventKind.PRICE, [101.0]),
        events([at], EventKind.SIGMA, [0.2]),
    )
    (row,) = scan.advance(told).conditions
    ladder = scan.ladder()
    assert ladder["strike"].tolist() == [95.0, 100.0, 105.0]
    assert ladder["settled_oi"].tolist() == [0.0, 10_000.0, 0.0]
    assert ladder["settled_ns"].tolist() == [-1, at, -1]
    middle = ladder[1]
    assert (middle["estimated_oi"], middle["oi_low"], middle["oi_high"]) == (
        9_900.0,
        9_700.0,
        10_300.0,
    )
    for name in ("pressure", "dealer_gamma", "dealer_units", "gamma_basis", "distance", "oi"):
        assert middle[name] == row[name], name
    assert middle["source"] == row["probability"]
    assert ladder["lognormal"].sum() == pytest.approx(1.0, abs=1e-3)
    assert scan.ladder(EXPIRY).size == 0
    with pytest.raises(DataError, match="time goes back"):
        scan.ladder(at - 1)
    later = scan.ladder(EXPIRY - 10 * MINUTE_NS)
    assert later["pressure"][1] == 9_900.0 * 0.9 / 100.0


# --- strikes listed late --------------------------------------------------------------------------


def test_a_strike_is_neither_judged_nor_a_neighbour_before_it_is_listed():
    listed = EXPIRY - 8 * MINUTE_NS
    strikes = [95.0, 100.0, 101.0]
    chain = build_chain(
        ["A", "B", "C"], [EXPIRY] * 3, strikes, [1] * 3, [100.0] * 3, [0, 0, listed]
    )
    at = [listed - 1, listed]
    told = merged(
        events([at[0]] * 3, EventKind.SETTLED, [5_000.0] * 3, [0, 1, 2]),
        events([at[0]], EventKind.SIGMA, [0.2]),
        events(at, EventKind.PRICE, [100.5, 100.5]),
    )
    rules = replace(LOW_BAR, probability="lognormal")
    rows = SettlementScan(rules, chain).advance(told).conditions
    before, after = rows[rows["at_ns"] == at[0]], rows[rows["at_ns"] == listed]
    assert before["strike"].tolist() == [100.0]
    assert after["strike"].tolist() == [100.0, 101.0]
    assert before["probability"][0] > 0.99  # up to 102.50
    assert after["probability"][0] == pytest.approx(0.5, abs=0.01)  # up to 100.50


# --- what is refused ------------------------------------------------------------------------------

NOON = EXPIRY - 480 * MINUTE_NS


@pytest.mark.parametrize(
    ("kind", "contract", "value"),
    [
        (EventKind.PRICE, -1, 0.0),
        (EventKind.PRICE, -1, np.nan),
        (EventKind.PRICE, -1, np.inf),
        (EventKind.SIGMA, -1, -0.1),
        (EventKind.SETTLED, 6, 1.0),
        (EventKind.SETTLED, -1, 1.0),
        (EventKind.VOLUME, 0, -1.0),
        (EventKind.SIGNED, 0, np.nan),
    ],
)
def test_an_event_that_cannot_be_is_refused_with_its_value_and_instant(kind, contract, value):
    scan = SettlementScan(SOURCE, three_strikes())
    with pytest.raises(
        DataError, match=rf"contract {contract} of 6 with value {value:g} cannot be"
    ):
        scan.advance(events([NOON], kind, [value], contract))


def test_an_event_of_later_than_it_was_known_is_refused():
    scan = SettlementScan(SOURCE, three_strikes())
    with pytest.raises(DataError, match="nothing is known before it is observed"):
        scan.advance(events([NOON], EventKind.PRICE, [1.0], observed_ns=[NOON + 1]))


def test_events_out_of_order_are_refused():
    scan = SettlementScan(SOURCE, three_strikes())
    late, early = events([NOON + 1, NOON], EventKind.PRICE, [1.0, 1.0])[:, None]
    with pytest.raises(DataError, match="sorted by the instant"):
        scan.advance(np.concatenate((late, early)))
    price, volume = (
        events([NOON], EventKind.PRICE, [1.0]),
        events([NOON], EventKind.VOLUME, [1.0], 0),
    )
    with pytest.raises(DataError, match="then by kind"):
        scan.advance(np.concatenate((volume, price)))
    assert scan.advance(merged(volume, price)).conditions.size == 0


def test_a_slice_that_begins_within_the_last_ones_batch_is_refused():
    scan = SettlementScan(SOURCE, three_strikes())
    scan.advance(events([NOON], EventKind.PRICE, [1.0]))
    with pytest.raises(DataError, match="not after the last slice"):
        scan.advance(events([NOON], EventKind.PRICE, [1.0]))
    with pytest.raises(DataError, match="time goes back"):
        scan.advance_to(NOON - 1)


def test_nothing_told_gives_nothing():
    scan = SettlementScan(SOURCE, three_strikes())
    output = scan.advance(events([], EventKind.PRICE, []))
    assert [column.size for column in output] == [0, 0, 0]
    assert scan.live_expiry_ns is None
    scan.advance_to(NOON)
    assert scan.live_expiry_ns == EXPIRY
    scan.advance_to(EXPIRY)
    assert scan.live_expiry_ns is None
