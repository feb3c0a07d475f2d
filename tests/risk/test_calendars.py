"""Calendars that users bring."""

from __future__ import annotations

import pytest

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import DAY_NS, HOUR_NS, iso
from hedgeflow.risk import (
    Calendar,
    CalendarKind,
    ScheduledEvent,
    calendar_sentence,
    read_calendar,
)

CSV = """at,kind,name,underlying
2025-05-01T16:30:00-04:00,earnings,Q2 results,AAPL
2025-04-10T12:30:00Z,release,CPI,
"""


def written(tmp_path, text):
    path = tmp_path / "calendar.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_calendar_is_read_in_time_order_with_its_zones(tmp_path):
    calendar = read_calendar(written(tmp_path, CSV))
    assert [event.name for event in calendar.events] == ["CPI", "Q2 results"]
    assert calendar.events[0].at_ns == 1_744_288_200_000_000_000
    assert calendar.events[1].at_ns == 1_746_131_400_000_000_000
    assert [event.name for event in calendar.of(CalendarKind.EARNINGS)] == ["Q2 results"]
    assert calendar.of(CalendarKind.EARNINGS, "MSFT") == ()


def test_a_release_without_underlying_concerns_all_and_earnings_only_their_own(tmp_path):
    calendar = read_calendar(written(tmp_path, CSV))
    at = calendar.events[0].at_ns
    assert calendar.near(at + HOUR_NS, CalendarKind.RELEASE, "BTC", HOUR_NS).name == "CPI"
    assert calendar.near(at + HOUR_NS + 1, CalendarKind.RELEASE, "BTC", HOUR_NS) is None
    results = calendar.events[1].at_ns
    assert calendar.near(results, CalendarKind.EARNINGS, "AAPL", 0).name == "Q2 results"
    assert calendar.near(results, CalendarKind.EARNINGS, "MSFT", HOUR_NS) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("at,kind,name\n", "missing underlying"),
        ("", "missing at"),
        ("at,kind,name,underlying\n2025-04-10 12:30,release,CPI,\n", ":2: .*time zone"),
        ("at,kind,name,underlying\nsoon,release,CPI,\n", "'soon' is not an instant"),
        ("at,kind,name,underlying\n2025-04-10T12:30Z,party,CPI,\n", "'party' is no kind"),
        ("at,kind,name,underlying\n2025-04-10T12:30Z,earnings,Q1,\n", "name their underlying"),
        ("at,kind,name,underlying\n2025-04-10T12:30Z\n", "'' is no kind"),
    ],
)
def test_a_row_of_another_form_is_refused_with_its_line(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read_calendar(written(tmp_path, text))


def test_a_date_is_a_whole_day_and_a_floating_time_an_instant_where_the_option_says(tmp_path):
    text = "at,kind,name,underlying\n2025-05-01,earnings,Q2,aapl\n2025-05-02 08:30,release,NFP,\n"
    path = written(tmp_path, text)
    day, instant = read_calendar(path, timezone="America/New_York").events
    assert (iso(day.at_ns), iso(day.until_ns)) == ("2025-05-01T04:00:00Z", "2025-05-02T04:00:00Z")
    assert (iso(instant.at_ns), instant.length_ns) == ("2025-05-02T12:30:00Z", 0)
    assert day.underlying == "AAPL"
    with pytest.raises(DataError, match=r":2: .*no time zone.*--calendar-timezone"):
        read_calendar(path)


def test_a_given_kind_holds_where_a_row_has_none(tmp_path):
    text = "at,kind,name,underlying\n2025-05-01T08:30Z,,CPI,\n2025-05-02T20:00Z,earnings,Q,X\n"
    events = read_calendar(written(tmp_path, text), kind=CalendarKind.RELEASE).events
    assert [event.kind for event in events] == [CalendarKind.RELEASE, CalendarKind.EARNINGS]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_calendar(tmp_path / "none.csv")


# --- what is said of a calendar -----------------------------------------------------------------

DAY = 20_000 * DAY_NS


def sentence(*days, kind=CalendarKind.RELEASE, period=(10, 20), underlying="", asked="BTC"):
    events = [ScheduledEvent(DAY + day * DAY_NS, kind, "event", underlying) for day in days]
    first, last = (DAY + day * DAY_NS for day in period)
    return calendar_sentence(Calendar(events), kind, asked, HOUR_NS, (first, last))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ((), "silent on releases"),
        ((1, 5), "last releases are of 2024-10-09T00:00:00Z, none from 2024-10-14T"),
        ((25, 30), "first releases are of 2024-10-29T00:00:00Z, none from"),
    ],
)
def test_a_calendar_that_does_not_reach_the_tested_period_is_said(days, words):
    said = sentence(*days)
    assert words in said
    assert said.endswith("entries within 60 minutes of a release were not looked for.")


def test_a_calendar_that_reaches_part_of_the_period_is_said_with_its_reach():
    said = sentence(1, 12, 14)
    assert "releases that concern BTC from 2024-10-14T00:00:00Z to" in said
    assert ", the tested period: 2; it reaches" in said
    assert "it reaches from 2024-10-05T00:00:00Z to 2024-10-18T00:00:00Z only" in said


def test_a_calendar_that_reaches_over_the_period_says_what_it_was_good_for():
    said = sentence(1, 12, 30)
    assert ", the tested period: 1; no entry" in said
    assert said.endswith("no entry is within 60 minutes of a release.")


def test_earnings_of_others_only_are_no_earnings_of_the_one_asked_for():
    said = sentence(1, 12, 30, kind=CalendarKind.EARNINGS, underlying="MSFT", asked="AAPL")
    assert "no earnings of AAPL, only of MSFT: entries within 1 hours of earnings" in said


def test_an_event_just_beyond_the_period_counts_as_far_as_it_reaches():
    at = DAY + 20 * DAY_NS + HOUR_NS
    calendar = Calendar([ScheduledEvent(at, CalendarKind.RELEASE, "CPI", "")])
    said = calendar_sentence(calendar, CalendarKind.RELEASE, "BTC", HOUR_NS, (DAY, at - HOUR_NS))
    assert ", the tested period: 1;" in said
