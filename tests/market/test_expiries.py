"""Expiration instants against exchange rules and dated cases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from hedgeflow.market.expiries import (
    expiry_of_future_option,
    expiry_of_stock_option,
    is_third_friday,
)
from hedgeflow.market.time import moment_of

NEW_YORK = ZoneInfo("America/New_York")


def in_new_york(instant):
    return moment_of(instant).astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("root", "stated", "expected"),
    [
        ("AAPL", date(2014, 6, 6), "2014-06-06 16:00"),
        ("AAPL", date(2014, 6, 21), "2014-06-20 16:00"),  # a Saturday: precise.md 29
        ("SPY", date(2023, 9, 1), "2023-09-01 16:00"),
        ("SPY", date(2024, 11, 29), "2024-11-29 13:00"),  # the day after Thanksgiving
        ("AAPL", date(2019, 4, 19), "2019-04-18 16:00"),  # Good Friday
        ("SPX", date(2021, 1, 15), "2021-01-15 09:30"),  # settled in the morning
        ("SPXW", date(2021, 1, 15), "2021-01-15 16:00"),
        ("SPXW", date(2021, 1, 4), "2021-01-04 16:00"),
    ],
)
def test_stock_and_index_options_end_with_their_session_or_at_its_open(root, stated, expected):
    assert in_new_york(expiry_of_stock_option(root, stated)) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (date(2020, 3, 20), "2020-03-20 09:30"),  # quarterly: 8:30 in Chicago
        (date(2020, 6, 19), "2020-06-19 09:30"),
        (date(2020, 1, 31), "2020-01-31 16:00"),  # end of month: 15:00 in Chicago
        (date(2020, 3, 13), "2020-03-13 16:00"),  # a weekly Friday of March is no quarterly
        (date(2020, 11, 27), "2020-11-27 13:00"),
    ],
)
def test_quarterly_future_options_end_in_the_morning_others_at_the_close(stated, expected):
    assert in_new_york(expiry_of_future_option(stated)) == expected


def test_the_instant_follows_daylight_saving():
    winter = expiry_of_stock_option("AAPL", date(2015, 1, 17))
    summer = expiry_of_stock_option("AAPL", date(2014, 6, 6))
    assert moment_of(winter) == datetime(2015, 1, 16, 21, tzinfo=UTC)
    assert moment_of(summer) == datetime(2014, 6, 6, 20, tzinfo=UTC)


def test_a_holiday_at_new_year_means_the_session_of_the_old_year():
    assert in_new_york(expiry_of_stock_option("AAPL", date(2016, 1, 1))) == "2015-12-31 16:00"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2020, 3, 20), True),
        (date(2020, 3, 13), False),
        (date(2020, 3, 27), False),
        (date(2020, 3, 19), False),
        (date(2024, 11, 15), True),
        (date(2025, 8, 15), True),
    ],
)
def test_the_third_friday_is_between_the_15th_and_the_21st(day, expected):
    assert is_third_friday(day) is expected
