"""AAPL's expiry Friday of 6 June 2014, as recorded, through the scan for expiration pressure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from builders.recorded_markets import apple
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import MINUTE_NS, instant_ns
from hedgeflow.signals import (
    EventKind,
    PressureRules,
    SettlementScan,
    Urgency,
    chain_of,
    open_interest_events,
    price_events,
)
from hedgeflow.signals.settlement_events import events, merged
from reference.slow_settlement import Option, SlowScan, Told
from signals.chains import assert_same

CLOSE = instant_ns(datetime(2014, 6, 6, 20, tzinfo=UTC))
BUFFERS = {Urgency.LOW: 10.0, Urgency.HIGH: 8.0, Urgency.CRISIS: 3.0}
MULTIPLIERS = {Urgency.LOW: 1.0, Urgency.HIGH: 2.0, Urgency.CRISIS: 3.0}


@pytest.fixture(scope="module")
def friday(market_data, tmp_path_factory) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return contracts that expire that day, their open interest, and the stock's minutes."""
    catalog = apple(market_data, tmp_path_factory.mktemp("apple"))
    keys = {key.kind: key for key in catalog.keys()}  # noqa: SIM118 - a catalog is no mapping
    interest, bars = (
        catalog.read(keys[kind], accept_rejects=True)
        for kind in (TapeKind.OPEN_INTEREST, TapeKind.BARS)
    )
    terms = catalog.contracts("usa", "AAPL")
    terms = terms.filter(pl.col("expiry").dt.timestamp("ns") == CLOSE)
    return terms, interest.filter(pl.col("contract").is_in(terms["contract"])), bars


@pytest.fixture(scope="module")
def conditions(friday) -> np.ndarray[Any, Any]:
    """Return the conditions of the day under the source's numbers."""
    terms, interest, bars = friday
    chain = chain_of(terms)
    told = merged(open_interest_events(interest, chain), price_events(bars))
    return SettlementScan(PressureRules(), chain).advance(told).conditions


def test_267806_contracts_expire(friday):
    assert friday[1]["open_interest"].sum() == 267_806


def test_no_low_alert_and_168_high_alert_minutes_all_of_size_zero(conditions):
    rows = {urgency: conditions[conditions["urgency"] == urgency] for urgency in Urgency}
    assert rows[Urgency.LOW].size == 0
    assert rows[Urgency.HIGH].size == 168
    assert _size(rows[Urgency.HIGH], Urgency.HIGH).max() < 1.0


def test_42_crisis_minutes_can_be_traded_4_to_8_minutes_before_the_close(conditions):
    rows = conditions[conditions["urgency"] == Urgency.CRISIS]
    can = (_size(rows, Urgency.CRISIS) >= 1.0) & (rows["minutes_left"] > BUFFERS[Urgency.CRISIS])
    assert rows.size == 443
    assert can.sum() == 42
    assert (rows["minutes_left"][can].min(), rows["minutes_left"][can].max()) == (4.0, 8.0)


def _size(rows: np.ndarray[Any, Any], urgency: Urgency) -> np.ndarray[Any, Any]:
    return 1.5 * MULTIPLIERS[urgency] * rows["confidence"]


def test_the_source_gives_strikes_40_dollars_away_a_chance_of_80_in_100(conditions):
    far = conditions[(conditions["distance"] > 40.0) & (conditions["minutes_left"] < 15.0)]
    assert far.size > 0
    assert (far["probability"] == 0.8).all()


@pytest.mark.parametrize("model", ["source", "lognormal"])
def test_the_slow_reference_finds_the_same_in_the_last_two_hours(friday, model):
    rules = PressureRules(probability=model)
    terms, interest, bars = friday
    chain = chain_of(terms)
    late = bars.filter(pl.col("known_at").dt.timestamp("ns") > CLOSE - 121 * MINUTE_NS)
    late = late.filter(pl.col("known_at").dt.timestamp("ns") <= CLOSE)
    first = int(interest["known_at"].dt.timestamp("ns")[0])
    told = merged(
        open_interest_events(interest, chain),
        price_events(late),
        events([first], EventKind.SIGMA, [0.22]),
    )
    scan = SettlementScan(rules, chain)
    output = scan.advance(told)
    ends = scan.advance_to(CLOSE + MINUTE_NS)
    output = output._replace(samples=ends.samples)
    assert ends.notices.size == 0
    options = [
        Option(CLOSE, row["strike"], row["right"], row["multiplier"])
        for row in terms.iter_rows(named=True)
    ]
    records = [
        Told(
            int(row["known_ns"]),
            EventKind(row["kind"]).name,
            None if row["contract"] < 0 else int(row["contract"]),
            float(row["value"]),
        )
        for row in told
    ]
    slow = SlowScan(rules, options, records)
    assert_same(output, scan.counts, slow.run(CLOSE + MINUTE_NS))
