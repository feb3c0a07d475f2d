"""Which days are days of expiry, which are the control, and which are neither."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from builders.expiry_friday import CLOSE, OPEN
from hedgeflow.market.time import DAY_NS, moment_of
from hedgeflow.studies.expiration.days import days_beside_expiries, expires, expiry_sessions


def test_of_two_expiries_of_a_date_the_close_is_looked_at_and_the_date_counts_once(friday):
    days, notes = days_beside_expiries(friday, [OPEN, CLOSE], OPEN - DAY_NS, CLOSE)
    assert [day.instant_ns for day in days if day.is_expiry] == [CLOSE]
    # Thursday's close is measured beside the strikes of Friday's close, not of its open.
    assert {day.expiry_ns for day in days} == {CLOSE}
    assert any("On 1 day options expired at the open and others at the close" in note
               for note in notes)  # fmt: skip


def test_an_expiry_at_the_open_alone_stays_one(friday):
    days, notes = days_beside_expiries(friday, [OPEN], OPEN - DAY_NS, CLOSE)
    assert [day.instant_ns for day in days if day.is_expiry] == [OPEN]
    assert not any("at the open" in note for note in notes)


@pytest.mark.parametrize(
    ("venue", "underlying", "day", "known"),
    [
        ("usa", "NFLX", date(2014, 6, 20), True),  # no root of its own; a third Friday
        ("opra", "NFLX", date(2014, 6, 13), False),  # weekly ones are not known
        ("usa", "NFLX", date(2013, 6, 21), False),  # listings are kept from 2014
        ("usa", "AAPL", date(2014, 6, 6), True),
        ("usa", "SPX", date(2021, 1, 15), True),
        ("opra", "ES", date(2024, 5, 17), True),  # the stock, which has monthly options
        ("opra", "ES", date(2024, 5, 15), False),  # and not the future's of a Wednesday
        ("cme", "ES", date(2024, 5, 15), True),
        ("cme", "CL", date(2024, 5, 17), False),
        ("opra", "BTC", date(2026, 1, 2), False),  # not the coin
        ("deribit", "BTC", date(2026, 1, 2), True),
        ("nse", "NIFTY", date(2023, 6, 15), True),
    ],
)
def test_whether_options_expire_is_asked_of_the_venues_own_listings(venue, underlying, day, known):
    assert expires(venue, underlying, day) is known


def test_a_day_whose_expiry_the_tape_does_not_have_is_an_expiry_all_the_same(friday):
    """Thursday is none; on Friday AAPL's weekly options expired, on the tape or not."""
    sessions = friday.sessions
    weekdays = [moment_of(int(at)).isoweekday() for at in sessions.close_ns]
    later = friday.contracts.filter(pl.col("expiry").dt.timestamp("ns") > CLOSE)
    assert later.height
    found = expiry_sessions(replace(friday, contracts=later), sessions)
    assert found.tolist() == [day == 5 for day in weekdays]
    assert found.any()
    assert not found.all()


def test_no_session_of_nifty_counts_as_one_without_an_expiry_if_weekly_options_expired(recorded):
    """The tape has monthly ones; the weekly ones expired on Thursdays, or before a holiday."""
    market = recorded("NIFTY")
    found = expiry_sessions(market, market.sessions)
    weekdays = np.array([moment_of(int(at)).isoweekday() for at in market.sessions.close_ns])
    assert found[weekdays == 4].all()
    assert 0.15 < found.mean() < 0.3
