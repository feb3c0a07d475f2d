"""Thresholds and ranks rest on the last expiries at the same whole minute left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS
from hedgeflow.signals import (
    EventKind,
    PressureRules,
    SettlementScan,
    build_chain,
)
from hedgeflow.signals.settlement_events import events, merged
from hedgeflow.signals.settlement_history import PressureHistory, nearest_rank
from signals.chains import EXPIRY

QUANTILE = PressureRules(
    quantile=0.95, confidence="rank", oi_above=0.0, filter_oi=0.0, filter_pressure=0.0
)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 1), (19, 19), (20, 19), (21, 20), (40, 38), (100, 95), (101, 96)]
)
def test_the_nearest_rank_of_95_in_100_is_the_smallest_that_so_many_do_not_exceed(count, expected):
    assert nearest_rank(np.arange(1.0, count + 1.0), 0.95) == expected


def week(interest: list[list[float]], minutes: list[float], rules: PressureRules = QUANTILE):
    """Return a scan over expiries a day apart and its output: the price stays at 100.

    `interest` has each expiry's open interest at 100, 105, 110, ...; prices are told at
    `minutes` before each.
    """
    days = range(len(interest))
    width = len(interest[0])
    expiry = np.repeat(EXPIRY + np.array(days) * DAY_NS, width)
    strikes = np.tile(100.0 + 5.0 * np.arange(width), len(interest))
    count = expiry.size
    chain = build_chain(
        [str(c) for c in range(count)], expiry, strikes, np.ones(count), np.full(count, 100.0)
    )
    parts = []
    for day in days:
        at = EXPIRY + day * DAY_NS - np.round(np.array(minutes) * MINUTE_NS).astype(np.int64)
        places = np.flatnonzero(expiry == EXPIRY + day * DAY_NS)
        first = np.full(width, at[0])
        parts.append(events(first, EventKind.SETTLED, interest[day], places))
        parts.append(events(at, EventKind.PRICE, np.full(at.size, 100.0)))
    scan = SettlementScan(rules, chain)
    return scan, scan.advance(merged(*parts))


def test_with_fewer_than_10_earlier_expiries_there_is_no_alert_and_it_is_counted():
    scan, output = week([[100.0]] * 10 + [[1e6]], [30.0, 20.0])
    assert scan.counts["no_history"].tolist() == [2] * 10 + [0]
    assert output.conditions["expiry_ns"].tolist() == [EXPIRY + 10 * DAY_NS] * 2


def test_an_alert_is_above_the_quantile_of_all_strikes_with_open_interest():
    # Twenty pressures at 30 minutes, the second largest 9: strikes without contracts are left out.
    past = [[900.0 * day, 900.0 * day, 0.0] for day in range(1, 11)]
    rules = replace(QUANTILE, filter_distance=np.inf)
    for oi, count in ((8_100.0, 0), (8_101.0, 1)):
        _, output = week([*past, [oi, 0.0, 0.0]], [30.0], rules)
        assert output.conditions.size == count
    (row,) = output.conditions
    at_strike = [900.0 * day / 900.0 for day in range(1, 11)]
    beside = [0.75 * each for each in at_strike]
    assert row["threshold"] == sorted(at_strike + beside)[18] == 9.0


def test_the_rank_among_earlier_pressures_is_the_confidence():
    rules = replace(QUANTILE, quantile=None, threshold=0.0)
    past = [[100.0 * day] for day in range(1, 11)]
    for oi, rank in ((50.0, 0.0), (100.0, 0.1), (550.0, 0.5), (1e6, 0.95)):
        _, output = week([*past, [oi]], [30.0], rules)
        assert output.conditions["confidence"].tolist() == [rank]


def test_above_the_quantile_the_rank_is_always_the_cap():
    rng = np.random.default_rng(3)
    interest = [rng.lognormal(6, 1, 7).tolist() for _ in range(14)]
    _, output = week(interest, [50.0, 20.0, 10.0])
    assert output.conditions.size > 0
    assert set(output.conditions["confidence"]) == {0.95}


def test_only_the_last_10_expiries_count():
    _, output = week([[1e9], *[[100.0]] * 10, [200.0]], [30.0])
    assert output.conditions["expiry_ns"].tolist() == [EXPIRY + 11 * DAY_NS]
    assert output.conditions["threshold"].tolist() == [100.0 / 900.0]


def test_a_moment_within_a_minute_is_compared_with_that_whole_minutes_end():
    # 30.9 minutes left are 30 whole minutes: history has the pressure of exactly 30.
    _, output = week([[900.0]] * 10 + [[9e6]], [30.9, 30.0])
    row = output.conditions[0]
    assert row["minutes_left"] == pytest.approx(30.9)
    assert row["threshold"] == 1.0


def test_within_the_last_minute_history_is_that_of_one_second_left():
    _, output = week([[900.0]] * 10 + [[9e6]], [30.0, 1.5, 0.5])
    assert output.conditions["threshold"].tolist()[-1] == 900.0


def test_a_minute_without_a_young_price_is_no_history():
    scan, _ = week([[900.0]] * 10 + [[9e6]], [36.0, 12.0])
    thresholds = scan._history.arrays()[0]
    assert not np.isnan(thresholds[[36, 31, 12, 7]]).any()
    assert np.isnan(thresholds[[37, 30, 13, 6]]).all()


def test_memory_is_bounded_by_strikes_minutes_and_expiries():
    history = PressureHistory(10, 0.95)
    for _ in range(50):
        for minute in range(181):
            history.keep(minute, np.ones(7))
        history.close()
    assert history.arrays()[1].size == 7 * 181 * 10


# --- samples and the empirical model --------------------------------------------------------------


def walks(days: int, seed: int = 5) -> tuple[Any, Any]:
    """Return a chain with five strikes a day and everything told: a walk at 20 % a year."""
    rng = np.random.default_rng(seed)
    strikes = np.array([98.0, 99.0, 100.0, 101.0, 102.0])
    expiry = np.repeat(EXPIRY + np.arange(days) * DAY_NS, 5)
    count = expiry.size
    chain = build_chain(
        [str(c) for c in range(count)], expiry, np.tile(strikes, days), np.ones(count),
        np.full(count, 100.0),
    )  # fmt: skip
    parts = [events([EXPIRY - DAY_NS], EventKind.SIGMA, [0.2])]
    for day in range(days):
        end = EXPIRY + day * DAY_NS
        at = end - np.arange(181, -1, -1) * MINUTE_NS
        path = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.2 / np.sqrt(98_280), at.size)))
        parts.append(
            events(np.full(5, at[0]), EventKind.SETTLED, np.full(5, 4e3), np.arange(5) + 5 * day)
        )
        parts.append(events(at, EventKind.PRICE, path))
    return chain, merged(*parts)


def test_outcomes_are_known_after_expiry_and_not_before():
    chain, told = walks(1)
    scan = SettlementScan(PressureRules(), chain)
    assert scan.advance(told).samples.size == 0
    assert scan.advance_to(EXPIRY).samples.size == 5 * 10


def test_the_last_price_at_expiry_lies_in_one_strikes_band():
    chain, told = walks(3)
    scan = SettlementScan(PressureRules(), chain)
    scan.advance(told[told["known_ns"] < EXPIRY])
    samples = scan.advance(told[told["known_ns"] >= EXPIRY]).samples
    price = told[(told["known_ns"] == EXPIRY) & (told["kind"] == EventKind.PRICE)]["value"][0]
    first = samples[samples["expiry_ns"] == EXPIRY]
    assert (first["finish"] == price).all()
    assert (first["inside"] == (np.abs(first["strike"] - price) < 0.5)).all()
    assert sorted(set(first["minutes_left"])) == [2, 5, 10, 15, 30, 45, 60, 90, 120, 180]


def test_the_empirical_model_knows_only_expiries_that_are_over():
    chain, told = walks(60)
    scan = SettlementScan(PressureRules(), chain)
    samples = np.concatenate(
        [scan.advance(told).samples, scan.advance_to(EXPIRY + 60 * DAY_NS).samples]
    )
    has_said = ~np.isnan(samples["empirical"])
    assert not has_said[samples["expiry_ns"] <= EXPIRY + 14 * DAY_NS].any()
    assert has_said[samples["expiry_ns"] == EXPIRY + 59 * DAY_NS].all()
    # What comes later changes nothing that was said before.
    cut = EXPIRY + 40 * DAY_NS + SECOND_NS
    changed = told.copy()
    later = (changed["known_ns"] > cut) & (changed["kind"] == EventKind.PRICE)
    changed["value"][later] = 101.0
    other = SettlementScan(PressureRules(), chain)
    again = np.concatenate(
        [other.advance(changed).samples, other.advance_to(EXPIRY + 60 * DAY_NS).samples]
    )
    known = samples["expiry_ns"] <= EXPIRY + 40 * DAY_NS
    assert known.sum() > 1_000
    assert samples[known].tobytes() == again[known].tobytes()


def test_the_empirical_model_makes_pressure_once_it_has_learnt():
    chain, told = walks(60)
    rules = PressureRules(probability="empirical", threshold=1.0)
    scan = SettlementScan(rules, chain)
    rows = scan.advance(told).conditions
    assert scan.counts["no_model"][0] == scan.counts["evaluations"][0] > 0
    assert scan.counts["no_model"][59] < scan.counts["evaluations"][59]
    assert rows.size > 0
    assert (rows["probability"] <= 1.0).all()
    nearest = rows[rows["distance"] < 0.1]
    assert nearest["probability"].mean() > rows["probability"].mean()
