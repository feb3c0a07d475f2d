"""Sessions: exchange days with their early closes, the UTC day elsewhere."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from builders.market_files import at_ns
from hedgeflow.market import (
    ALWAYS_OPEN,
    ConfigError,
    Coverage,
    minutes_to_close,
    sessions_between,
)
from hedgeflow.market.time import DAY_NS, MINUTE_NS, instant_ns

NEW_YORK = ZoneInfo("America/New_York")


def new_york(text):
    return instant_ns(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK))


def session_of(day):
    noon = new_york(f"{day}T12:00")
    return sessions_between("XNYS", noon, noon)


def test_a_market_that_never_closes_has_utc_days():
    days = sessions_between(ALWAYS_OPEN, at_ns(minutes=30), at_ns(days=1))
    assert days.open_ns.tolist() == [at_ns(), at_ns(days=1)]
    assert (days.close_ns - days.open_ns == DAY_NS).all()
    assert (days.slots, days.buckets, days.per_year) == (288, 48, 365)
    assert days.minutes_per_year == 525_600
    assert minutes_to_close(days, at_ns()) == float("inf")


def test_an_ordinary_new_york_session_has_78_slots():
    day = session_of("2024-07-02")
    assert day.open_ns.tolist() == [new_york("2024-07-02T09:30")]
    assert day.close_ns.tolist() == [new_york("2024-07-02T16:00")]
    assert (day.slots, day.buckets, day.per_year) == (78, 13, 252)
    assert day.minutes_per_year == 252 * 390


@pytest.mark.parametrize("day", ["2024-07-03", "2024-11-29", "2024-12-24"])
def test_early_closes_are_at_13_00(day):
    session = session_of(day)
    assert session.close_ns.tolist() == [new_york(f"{day}T13:00")]
    assert session.slots == 42


def test_slots_beyond_an_early_close_do_not_exist():
    week = sessions_between("XNYS", new_york("2024-07-02T12:00"), new_york("2024-07-05T12:00"))
    assert week.open_ns.size == 3  # the 4th is a holiday
    everything = Coverage.of([(new_york("2024-07-01T00:00"), new_york("2024-07-06T00:00"))])
    assert everything.slots(week).sum(axis=1).tolist() == [78, 42, 78]


def test_a_day_of_mourning_has_no_session():
    week = sessions_between("XNYS", new_york("2025-01-06T12:00"), new_york("2025-01-10T12:00"))
    assert new_york("2025-01-08T09:30") in week.open_ns
    assert new_york("2025-01-09T09:30") not in week.open_ns


def test_daylight_saving_moves_the_session_in_utc():
    before, after = session_of("2025-03-07"), session_of("2025-03-10")
    assert int(before.open_ns[0]) % DAY_NS == (14 * 60 + 30) * MINUTE_NS
    assert int(after.open_ns[0]) % DAY_NS == (13 * 60 + 30) * MINUTE_NS


def test_an_instant_is_in_its_session_or_in_none():
    day = session_of("2024-07-03")
    instants = [
        new_york("2024-07-03T09:29"),
        new_york("2024-07-03T09:30"),
        new_york("2024-07-03T12:59"),
        new_york("2024-07-03T13:00"),
    ]
    assert day.index_of(np.array(instants, dtype=np.int64)).tolist() == [-1, 0, 0, -1]


def test_minutes_to_an_early_close():
    day = session_of("2024-07-03")
    assert minutes_to_close(day, new_york("2024-07-03T12:00")) == 60
    assert minutes_to_close(day, new_york("2024-07-03T14:00")) == 0


def test_an_unknown_calendar_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"no calendar 'XMOON'.*XNYS"):
        sessions_between("XMOON", at_ns(), at_ns(days=1))
