"""What normal volume is: precise.md 3 and 11 to 14, on tapes small enough to add up by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from hedgeflow.market.sessions import sessions_between
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, instant_ns
from hedgeflow.signals import BaselineOrigin
from hedgeflow.signals.history import NEVER, Baselines, VolumeHistory, days_buckets
from hedgeflow.signals.history import moneyness_bucket as moneyness_of
from hedgeflow.strategies.volume_shock.rules import scan_rules
from signals.tapes import (
    DAY_ZERO,
    DEEP,
    at,
    config,
    contracts_table,
    found,
    option,
    scan_of,
    tape,
    trade,
    usual,
)

RULES = scan_rules(config(), 0.1).baselines
EDGES = np.array(RULES.moneyness_edges)
FAR = DAY_ZERO + 200 * DAY_NS
NOON = 24  # the 30-minute bucket that begins at 12:00
SLOT_COUNT = 288


class Past:
    """A history fed day by day; prints are (minute of the day, contract, lots)."""

    def __init__(self, contracts: int = 4, days: int = 40, covered=None, rules=RULES) -> None:
        self.sessions = sessions_between("24/7", DAY_ZERO, DAY_ZERO + days * DAY_NS - 1)
        recorded = np.ones((days, SLOT_COUNT), np.bool_) if covered is None else covered
        self.history = VolumeHistory(self.sessions, recorded, rules)
        self.contracts = contracts
        self.rights = np.ones(contracts, np.int8)
        self.expiry = np.full(contracts, FAR)
        self.listed = np.full(contracts, NEVER)

    def day(self, number: int, *prints: tuple[float, int, int], moneyness: int = 0) -> None:
        self.history.begin(number)
        self.history.reserve(self.contracts)
        ordered = sorted(prints)
        self.history.add(
            np.array([at(number, 0, minute) for minute, _, _ in ordered], np.int64),
            np.array([contract for _, contract, _ in ordered], np.int32),
            np.array([lots for _, _, lots in ordered], np.int64),
            np.full(len(ordered), moneyness, np.int32),
        )

    def baselines(self, day: int) -> Baselines:
        self.history.begin(day)
        return self.history.baselines(self.rights, self.expiry, self.listed)


def test_the_baseline_is_volume_over_covered_slots_zeros_included():
    past = Past()
    past.day(0, (721, 0, 60))
    past.day(1, (725, 0, 30), (749.9, 0, 12))
    past.day(2)
    assert past.baselines(3).contract[NOON, 0] == (60 + 30 + 12) / 18


def test_only_the_time_of_day_bucket_counts():
    past = Past()
    for day in range(3):
        past.day(day, (719.9, 0, 1_000), (720, 0, 6), (749.9, 0, 6), (750, 0, 1_000))
    assert past.baselines(3).contract[NOON, 0] == 12 / 6


def test_uncovered_slots_count_neither_volume_nor_time():
    covered = np.ones((40, SLOT_COUNT), np.bool_)
    covered[:, 144:148] = False  # 12:00 to 12:20
    past = Past(covered=covered)
    for day in range(3):
        past.day(day, (721, 0, 500), (741, 0, 8))
    assert past.baselines(3).contract[NOON, 0] == 8 / 2


def test_3_covered_sessions_of_history_are_needed():
    past = Past()
    past.day(0, (721, 0, 60))
    past.day(1)
    assert np.isnan(past.baselines(2).contract[NOON, 0])
    assert past.baselines(3).contract[NOON, 0] == 60 / 18


def test_a_session_without_a_covered_slot_in_the_bucket_is_no_history():
    covered = np.ones((40, SLOT_COUNT), np.bool_)
    covered[1, 144:150] = False
    past = Past(covered=covered)
    for day in range(3):
        past.day(day, (721, 0, 60))
    assert np.isnan(past.baselines(3).contract[NOON, 0])
    past.day(3, (721, 0, 60))
    assert past.baselines(4).contract[NOON, 0] == 60 * 3 / 18


def test_history_begins_with_the_session_of_the_first_print():
    past = Past()
    past.day(0, (721, 1, 1))
    past.day(1, (100, 0, 1))
    past.day(2, (721, 0, 18))
    assert np.isnan(past.baselines(3).contract[NOON, 0])
    past.day(3)
    assert past.baselines(4).contract[NOON, 0] == 18 / 18


def test_history_begins_with_the_listing_where_it_is_known():
    past = Past()
    past.listed[0] = at(1, 15)
    past.day(0, (721, 1, 1))
    assert np.isnan(past.baselines(3).contract[NOON, 0])
    past.day(3, (721, 0, 18))
    assert past.baselines(4).contract[NOON, 0] == 18 / 18


def test_a_contract_that_never_traded_but_was_listed_has_a_baseline_of_zero():
    past = Past()
    past.listed[0] = DAY_ZERO - 100 * DAY_NS
    past.day(0, (721, 1, 1))
    assert past.baselines(3).contract[NOON, 0] == 0.0
    assert np.isnan(past.baselines(3).contract[NOON, 2])


@pytest.mark.parametrize("sessions", [10, 30])
def test_the_profile_is_the_10_or_30_previous_sessions(sessions):
    rules = scan_rules(config(anomaly={"baseline_sessions": sessions}), 0.1).baselines
    past = Past(rules=rules)
    for day in range(35):
        past.day(day, (721, 0, 6 * 1_000 if day < 35 - sessions else 6 * day))
    assert past.baselines(35).contract[NOON, 0] == np.mean(range(35 - sessions, 35))


def test_the_default_profile_has_10_sessions_and_3_of_history():
    assert RULES.sessions == 10
    assert RULES.history_sessions == 3


def test_uncovered_sessions_do_not_use_up_the_ten():
    covered = np.ones((40, SLOT_COUNT), np.bool_)
    covered[10:20] = False
    past = Past(covered=covered)
    for day in range(20):
        past.day(day, (721, 0, 6 * day))
    assert past.baselines(20).contract[NOON, 0] == np.mean(range(10))


def test_a_baseline_never_sees_its_own_day():
    past = Past()
    for day in range(3):
        past.day(day, (721, 0, 18))
    before = past.baselines(3)
    past.history.add(
        np.array([at(3, 12, 1)]), np.array([0], np.int32), np.array([9_999]), np.zeros(1, np.int32)
    )
    after = past.history.baselines(past.rights, past.expiry, past.listed)
    assert np.array_equal(before.contract, after.contract, equal_nan=True)
    assert np.array_equal(before.bucket, after.bucket, equal_nan=True)
    assert np.array_equal(before.volume_floor, after.volume_floor, equal_nan=True)


def cell(moneyness: int = 0, days: int = 5, side: int = 0) -> int:
    return (side * (EDGES.size + 1) + moneyness) * len(RULES.days_edges) + days


def test_the_bucket_baseline_is_per_contract_that_traded_there_and_covered_slot():
    past = Past()
    past.day(0, (721, 0, 60), (722, 1, 12))
    past.day(1, (721, 2, 30), (100, 3, 999))
    past.day(2)
    pairs = 2 * 6 + 1 * 6
    assert past.baselines(3).bucket[NOON, cell()] == (60 + 12 + 30) / pairs


def test_a_bucket_needs_one_session_only():
    past = Past()
    past.day(0, (721, 0, 60))
    assert past.baselines(1).bucket[NOON, cell()] == 10.0
    assert np.isnan(past.baselines(1).bucket[NOON + 1, cell()])


def test_buckets_keep_calls_puts_moneyness_and_days_apart():
    past = Past()
    past.rights[1] = -1
    past.expiry[2] = DAY_ZERO + 20 * DAY_NS
    past.day(0, (721, 0, 6), (721, 1, 12), (721, 2, 18))
    past.day(1, (721, 3, 24), moneyness=4)
    bucket = past.baselines(2).bucket[NOON]
    assert bucket[cell()] == 1.0
    assert bucket[cell(side=1)] == 2.0
    assert bucket[cell(days=3)] == 3.0
    assert bucket[cell(moneyness=4)] == 4.0
    assert np.isfinite(bucket).sum() == 4


def test_a_contracts_days_bucket_is_that_of_each_past_session():
    past = Past()
    past.expiry[:] = DAY_ZERO + 3 * DAY_NS
    for day in range(3):
        past.day(day, (721, 0, 6 * (day + 1)))
    bucket = past.baselines(3).bucket[NOON]
    assert bucket[cell(days=2)] == (6 + 12) / 12  # three and two days before
    assert bucket[cell(days=1)] == 3.0


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, 0), (1, 1), (2, 2), (7, 2), (8, 3), (30, 3), (31, 4), (90, 4), (91, 5), (400, 5)],
)
def test_days_to_expiry_are_cut_at_0_1_2_8_31_and_91(days, bucket):
    expiry = np.array([DAY_ZERO + days * DAY_NS + 8 * HOUR_NS])
    assert days_buckets(expiry, DAY_ZERO + DAY_NS, RULES.days_edges).tolist() == [bucket]


def test_a_futures_session_that_opens_the_evening_before_has_the_date_of_its_close():
    """CMES opens Monday's session on Sunday evening: Monday's expiry is 0 days away."""
    monday = instant_ns(datetime(2025, 3, 10, 12, tzinfo=UTC))
    sessions = sessions_between("CMES", monday, monday)
    assert sessions.open_ns[0] // DAY_NS < monday // DAY_NS
    expiry = np.array([monday + 8 * HOUR_NS])
    assert days_buckets(expiry, int(sessions.close_ns[0]), RULES.days_edges).tolist() == [0]


@pytest.mark.parametrize(
    ("ratio", "bucket"),
    [
        (0.799, 0), (0.80, 1), (0.899, 1), (0.90, 2), (0.969, 2), (0.97, 3), (1.029, 3),
        (1.03, 4), (1.099, 4), (1.10, 5), (1.199, 5), (1.20, 6), (9.0, 6),
    ],
)  # fmt: skip
def test_moneyness_is_cut_at_0_80_0_90_0_97_1_03_1_10_and_1_20(ratio, bucket):
    assert moneyness_of(ratio, EDGES) == bucket


def test_moneyness_is_that_of_the_print_strike_over_spot():
    """100 lots a slot at K/S 0.5 are no history at K/S 1.0, though the contract is the same."""
    past = [row | {"contract": "CALL2"} for row in usual(100)]
    near, far = 50.0, 100.0
    shock = trade(at(10, minute=7), "CALL", 150)
    settings = config("normalized", anomaly={"volume_floor": "fixed"})
    for spot, anomalies in ((far, 0), (near, 0)):
        output = found(scan_of(settings), *past, shock | {"underlying_price": spot})
        assert output.anomalies.size == anomalies
    scan = scan_of(settings)
    scan.advance(tape(*past, shock | {"underlying_price": near}))
    assert scan.candidates_without_baseline == 1
    scan = scan_of(settings)
    scan.advance(tape(*past, shock | {"underlying_price": far}))
    assert scan.candidates_without_baseline == 0


def test_the_volume_floor_is_the_nearest_rank_0_99_quantile_with_silent_pairs_as_zero():
    """Ten sessions with one contract make 60 pairs, and rank 60 of them is the largest."""
    past = Past()
    for day in range(10):
        past.day(day, (721, 0, 100 + day))
    assert past.baselines(10).volume_floor[NOON, cell()] == 109.0


def test_the_quantile_counts_silent_pairs_and_is_zero_where_it_falls_among_them():
    """2 sessions of 60 contracts and 6 slots: 0.99 of 720 pairs is rank 713."""
    past = Past(contracts=60)
    past.day(0, *[(721, contract, 10 + contract) for contract in range(60)])
    past.day(1, *[(721, contract, 10 + contract) for contract in range(60)])
    floor = past.baselines(2).volume_floor[NOON, cell()]
    values = sorted([0] * (720 - 120) + [10 + contract for contract in range(60)] * 2)
    assert floor == values[713 - 1]
    rules = scan_rules(config(anomaly={"volume_quantile": 0.5}), 0.1).baselines
    past = Past(contracts=60, rules=rules)
    past.day(0, (721, 0, 10))
    assert past.baselines(1).volume_floor[NOON, cell()] == 0.0


def test_without_pairs_the_volume_floor_is_100_contracts():
    past = Past()
    assert np.isnan(past.baselines(0).volume_floor).all()
    settings = config("normalized", anomaly={"no_history": "floor"})
    for contracts, anomalies in ((100.0, 0), (100.1, 1)):
        shock = trade(at(0, minute=7), "CALL", contracts)
        assert found(scan_of(settings), shock).anomalies.size == anomalies


def test_under_source_a_contract_without_any_history_has_the_baseline_1():
    output = found(scan_of(config("source")), trade(at(0, minute=7), "CALL", 150))
    assert output.anomalies["baseline_lots"].tolist() == [10.0]
    assert output.anomalies["ratio"].tolist() == [150.0]
    assert output.anomalies["origin"].tolist() == [BaselineOrigin.FLOOR]


def test_under_normalized_no_history_is_no_anomaly_and_is_counted():
    scan = scan_of(config("normalized"))
    output = scan.advance(tape(trade(at(0, minute=7), "CALL", 150)))
    assert output.anomalies.size == 0
    assert scan.candidates_without_baseline == 1


def test_a_lasting_excess_without_a_baseline_is_counted_once():
    scan = scan_of(config("normalized"))
    scan.advance(tape(*[trade(at(0, minute=7 + place), "CALL", 150) for place in range(4)]))
    assert scan.candidates_without_baseline == 1


def test_the_origin_is_the_history_used_not_the_term_that_won():
    """Its own history of 0.1 contracts a slot loses to the floor of 1, and is the origin."""
    output = found(scan_of(), *usual(0.1), trade(at(10, minute=7), "CALL", 150))
    assert output.anomalies["origin"].tolist() == [BaselineOrigin.CONTRACT]
    assert output.anomalies["baseline_lots"].tolist() == [10.0]


def test_a_contract_without_its_own_history_takes_its_buckets():
    output = found(scan_of(), *usual(20), trade(at(10, minute=7), "CALL2", 150))
    assert output.anomalies["origin"].tolist() == [BaselineOrigin.BUCKET]
    assert output.anomalies["baseline_lots"].tolist() == [200.0]


@pytest.mark.parametrize(("floor", "baseline"), [("one", 20.0), ("bucket", 110.0)])
def test_under_normalized_the_bucket_is_the_floor_of_a_quiet_contracts_baseline(floor, baseline):
    past = [*usual(20, "CALL2"), *usual(2)]
    settings = config(anomaly={"baseline_floor": floor})
    output = found(scan_of(settings), *past, trade(at(10, minute=7), "CALL", 150))
    assert output.anomalies["origin"].tolist() == [BaselineOrigin.CONTRACT]
    assert output.anomalies["baseline_lots"].tolist() == [baseline]


def test_the_early_close_of_an_exchange_ends_its_sessions_slots():
    """XNYS closed at 18:00 UTC on 2024-07-03: nothing after it is missing, and the bucket of
    15:30 local has sessions of history only on full days."""
    first = instant_ns(datetime(2024, 6, 27, tzinfo=UTC))
    last = instant_ns(datetime(2024, 7, 5, 23, tzinfo=UTC))
    sessions = sessions_between("XNYS", first, last)
    assert sessions.open_ns.size == 6  # the 4th was a holiday
    hours = (sessions.close_ns - sessions.open_ns) / HOUR_NS
    assert hours.tolist() == [6.5, 6.5, 6.5, 6.5, 3.5, 6.5]
    begin, end = sessions.slot_bounds()
    covered = begin < end
    terms = contracts_table(
        option("CALL", expiry=last + 200 * DAY_NS, multiplier=100.0, lot=1.0),
    )
    rows = [
        trade(int(opens) + (60 * 6 + 2) * MINUTE_NS, "CALL", 6, lots=60)
        for opens, closes in zip(sessions.open_ns, sessions.close_ns, strict=True)
        if closes - opens > 6.1 * HOUR_NS
    ]
    scan = scan_of(config(), terms, sessions=sessions, covered=covered)
    scan.advance(tape(*rows))
    assert scan.baselines is not None
    assert scan.outside_sessions == 0
    # Sessions 0 to 3 have the bucket, the short one does not: 4 sessions of 6 slots.
    assert scan.baselines.contract[12, 0] == 4 * 60 / 24
    assert scan.baselines.contract[0, 0] == 0.0


def test_prints_outside_every_session_are_counted_and_left_out():
    sessions = sessions_between("XNYS", at(0), at(4))
    begin, end = sessions.slot_bounds()
    scan = scan_of(config(), sessions=sessions, covered=begin < end)
    output = scan.advance(tape(trade(at(0, 2), "CALL", 500), trade(at(0, 15), "CALL", 500)))
    assert scan.outside_sessions == 1
    assert output.anomalies["ts"].tolist() == [at(0, 15)]


def test_baselines_of_a_scan_reach_no_further_back_than_ten_sessions():
    past = usual(30, days=range(10)) + usual(60, days=range(10, 15))
    scan = scan_of(days=16)
    scan.advance(tape(*past, trade(at(15, minute=1))))
    assert scan.baselines is not None
    assert scan.baselines.contract[NOON, 0] == (5 * 300 + 5 * 600) / 10
    assert len(scan.history.past) == 10


def test_terms_of_contracts_that_never_trade_change_nothing():
    rows = [*usual(20), trade(at(10, minute=7), "CALL", 150)]
    few = found(scan_of(terms=DEEP.head(1)), *rows)
    many = found(scan_of(terms=DEEP), *rows)
    assert few.anomalies.tobytes() == many.anomalies.tobytes()
