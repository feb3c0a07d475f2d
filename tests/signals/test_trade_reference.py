"""Responses that were really observed calibrate the model, once they are over."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.sessions import sessions_between
from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.signals import BarReference
from hedgeflow.signals.hedge_response import OBSERVATION_SCHEMA, SignedFlow
from hedgeflow.signals.rules import CLOSE
from hedgeflow.signals.trade_reference import TradeReference, can_calibrate
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.rules import observation_rules
from signals.tapes import DAY_ZERO, at
from signals.test_hedge_response import hedge, trades_of
from signals.test_hedge_volume import days_of_bars

DAYS = 9
PER_DAY = 10
FIRST_DAY = 6
"""Six days of placebo windows, then ten events a day at times of their own."""


def market() -> tuple[list, np.ndarray]:
    """Return hedge trades and closed events: a demand of 100 e^k is half done in 1 + k/8 min."""
    rng = np.random.default_rng(3)
    rows = [
        (at(day, 8, minute), float(rng.choice([-1, 1])), 100.0)
        for day in range(DAYS)
        for minute in range(600)
    ]
    events = np.zeros((DAYS - FIRST_DAY) * PER_DAY, CLOSE)
    for number in range(events.size):
        day, place = divmod(number, PER_DAY)
        side = 1 if number % 2 else -1
        demand = side * 100.0 * np.exp(place / 4)
        start = at(FIRST_DAY + day, 8, 60 * place + 7 * day + 5)
        events[number]["event"] = number
        events[number]["first_ns"] = start
        events[number]["closed_ns"] = start + 10 * MINUTE_NS
        events[number]["demand"] = demand
        events[number]["scaled"] = 10 * demand
        rows += hedge(demand, 1.0 + place / 8, start)
    return rows, events


ROWS, EVENTS = market()


def reference_of(rows: list, needed: int = 30) -> TradeReference:
    frame = days_of_bars(3)
    bars = BarReference(
        frame,
        MINUTE_NS,
        Coverage.of([(DAY_ZERO, DAY_ZERO + 3 * DAY_NS)]),
        sessions_between("24/7", DAY_ZERO, DAY_ZERO + 15 * DAY_NS),
        volume_sessions=10,
        volume_scale=1.0,
        realised_hours=24.0,
    )
    flow = SignedFlow.from_trades(trades_of(rows))
    rules = observation_rules(VolumeShockConfig())
    return TradeReference(bars, flow, rules, observations_needed=needed)


def test_the_model_is_fitted_to_observed_responses_in_the_units_of_the_tiers():
    response = reference_of(ROWS, needed=20).session(at(DAYS, 0), EVENTS).response
    assert response is not None
    for place in (2, 5, 9):
        estimate = np.exp(response.a + response.b * np.log(1_000.0 * np.exp(place / 4)))
        assert estimate == pytest.approx(1.0 + place / 8, rel=0.12)


def test_30_observations_are_needed():
    assert reference_of(ROWS, needed=30).session(at(DAYS, 0), EVENTS[:29]).response is None


def test_what_was_not_over_when_the_session_opened_is_not_used():
    last = EVENTS[-1]
    over = int(last["first_ns"]) + 17 * MINUTE_NS
    counts = []
    for moment in (int(last["first_ns"]) + 14 * MINUTE_NS, over):
        response = reference_of(ROWS, needed=5).session(moment, EVENTS).response
        assert response is not None
        counts.append(response.observations)
    assert counts[1] == counts[0] + 1


def test_later_trades_change_no_earlier_fit():
    moment = at(FIRST_DAY + 2, 0)
    known = EVENTS[EVENTS["closed_ns"] < moment]
    poisoned = [row if row[0] < moment else (row[0], -50 * row[1], 3 * row[2]) for row in ROWS]
    one = reference_of(ROWS, needed=5).session(moment, known).response
    other = reference_of(poisoned, needed=5).session(moment, known).response
    assert one is not None
    assert one == other


def test_events_told_session_by_session_are_each_observed_once():
    stepwise = reference_of(ROWS, needed=5)
    for day in range(FIRST_DAY, DAYS):
        stepwise.session(at(day, 0), EVENTS[EVENTS["closed_ns"] < at(day, 0)])
    at_last = stepwise.session(at(DAYS, 0), EVENTS).response
    at_once = reference_of(ROWS, needed=5).session(at(DAYS, 0), EVENTS).response
    assert at_last == at_once


def test_events_without_an_observed_hedge_are_left_out():
    quiet = EVENTS.copy()
    quiet["first_ns"][::2] += 25 * MINUTE_NS  # no hedge was planted then
    all_seen = reference_of(ROWS, needed=5).session(at(DAYS, 0), EVENTS).response
    half_seen = reference_of(ROWS, needed=5).session(at(DAYS, 0), quiet).response
    assert all_seen is not None
    assert half_seen is not None
    assert half_seen.observations < 0.7 * all_seen.observations


def test_volume_and_volatility_come_from_the_bars():
    one = reference_of(ROWS)
    assert one.session(at(3, 0), EVENTS[:0]).scale_volume is not None
    assert one.session(at(0, 0), EVENTS[:0]).scale_volume is None
    assert one.realised_volatility(at(2)) is not None


@pytest.mark.parametrize(
    ("change", "demand", "usable"),
    [
        ({}, 500.0, True),
        ({"observed": False}, 500.0, False),
        ({"direction": -1}, 500.0, False),
        ({"direction": -1}, -500.0, True),
        ({}, 100.0, True),
        ({}, 99.9, False),
        ({"placebo_deviation": None}, 500.0, False),
        ({}, 0.0, False),
        ({}, float("nan"), False),
    ],
)
def test_only_a_hedge_of_the_demands_way_and_beyond_ordinary_flow_calibrates(
    change, demand, usable
):
    row = dict.fromkeys(OBSERVATION_SCHEMA) | {
        "observed": True, "direction": 1, "placebo_deviation": 100.0,
    }  # fmt: skip
    table = pl.DataFrame([row | change], schema=OBSERVATION_SCHEMA, orient="row")
    assert can_calibrate(table, np.array([demand])).tolist() == [usable]
