"""iCalendar files as public feeds write them, and as RFC 5545 says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hedgeflow.market.errors import ConfigError, DataError
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, instant_ns, iso
from hedgeflow.risk import Calendar, CalendarKind, read_calendar

EARNINGS, RELEASE = CalendarKind.EARNINGS, CalendarKind.RELEASE

US_EASTERN = """BEGIN:VTIMEZONE
TZID:US-Eastern
BEGIN:DAYLIGHT
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZNAME:EDT
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZNAME:EST
END:STANDARD
END:VTIMEZONE
"""
"""The Bureau of Labor Statistics names its zone so, which no list of time zones knows."""


def ns(*moment):
    return instant_ns(datetime(*moment, tzinfo=UTC))


def event(*lines):
    return "".join(f"{line}\n" for line in ("BEGIN:VEVENT", *lines, "END:VEVENT"))


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a calendar of some events."""

    def run(*events, head="", **options) -> Calendar:
        path = tmp_path / "calendar.ics"
        text = f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{''.join(events)}END:VCALENDAR\n"
        path.write_bytes(text.replace("\n", "\r\n").encode())
        return read_calendar(path, **options)

    return run


def starts(calendar):
    return [iso(each.at_ns) for each in calendar.events]


# --- public feeds -------------------------------------------------------------------------------


def test_the_labor_statistics_shape_is_read_in_its_own_zone_summer_and_winter(read):
    shape = ("DURATION:PT0M", "LOCATION:Washington\\, DC", "CATEGORIES:IMPORTANT, BLS")
    calendar = read(
        event("DTSTART;TZID=US-Eastern:20250115T083000", "SUMMARY:Real Earnings", *shape),
        event("DTSTART;TZID=US-Eastern:20250410T083000", "SUMMARY:Consumer Price Index", *shape),
        head=f"SUMMARY:Schedule\nX-WR-TIMEZONE:US-Eastern\n{US_EASTERN}\n\n",
        kind=RELEASE,
    )
    assert starts(calendar) == ["2025-01-15T13:30:00Z", "2025-04-10T12:30:00Z"]
    assert {(each.kind, each.underlying) for each in calendar.events} == {(RELEASE, "")}
    assert calendar.events[1].name == "Consumer Price Index"


def test_the_economic_analysis_shape_with_a_length_stands_at_its_start(read):
    summary = "SUMMARY:Gross Domestic Product\\, 1st Quarter 2025 (Advance\n  Estimate)"
    calendar = read(event(summary, "DTSTART:20250430T123000Z", "DURATION:PT30M"), kind=RELEASE)
    [found] = calendar.events
    assert (found.at_ns, found.until_ns) == (ns(2025, 4, 30, 12, 30),) * 2
    assert found.name == "Gross Domestic Product, 1st Quarter 2025 (Advance Estimate)"


@pytest.mark.parametrize(
    ("summary", "underlying"),
    [
        ("AMST Earnings", "AMST"),
        ("GOOGL Earnings (AFTER)", "GOOGL"),
        ("NKE earnings (TBD)", "NKE"),
        ("$BRK.B earnings", "BRK.B"),
        ("F Earnings", "F"),
        ("C earnings (BMO)", "C"),
    ],
)
def test_a_symbol_before_the_word_earnings_says_kind_and_underlying(read, summary, underlying):
    [found] = read(event("DTSTART:20250429T200000Z", f"SUMMARY:{summary}")).events
    assert (found.kind, found.underlying) == (EARNINGS, underlying)


@pytest.mark.parametrize(
    ("summary", "underlying"),
    [
        ("NFLX · AMC · EPS est 0.79", "NFLX"),
        ("高盛 金融风向标 (GS) 财报 (盘前)", "GS"),
        ("IBM 量子计算 (IBM) 财报", "IBM"),
        ("赣锋锂业 (002460) 2026三季", "002460"),
        ("Q3 Earnings: Apple Inc. (AAPL)", "AAPL"),
        ("AAPL Q3 earnings (AMC)", "AAPL"),
        ("AMC Entertainment (AMC) results", "AMC"),
    ],
)
def test_where_earnings_are_known_the_one_symbol_is_their_underlying(read, summary, underlying):
    line = f"SUMMARY:{summary}"
    [given] = read(event("DTSTART:20250429T200000Z", line), kind=EARNINGS).events
    [said] = read(event("DTSTART:20250429T200000Z", line, "CATEGORIES:US,Earnings")).events
    assert given.underlying == said.underlying == underlying


@pytest.mark.parametrize(
    "summary",
    [
        "North West Co. Inc. Quarterly Earnings Release",
        "Netflix results (AMC)",
        "FY25: Coca-Cola (KO) and Pepsi (PEP)",
        "Q3 earnings",
    ],
)
def test_earnings_of_an_unclear_underlying_are_refused_by_name(read, summary):
    line = event("DTSTART:20250429T200000Z", f"SUMMARY:{summary}", "CATEGORIES:EARNINGS")
    with pytest.raises(DataError, match=r"event '.*whose earnings they are.*X-UNDERLYING:SYMBOL"):
        read(line)


def test_a_property_may_name_the_underlyings_of_either_kind(read):
    calendar = read(
        event("DTSTART:20250429T200000Z", "SUMMARY:Apple Q2", "CATEGORIES:EARNINGS",
              "X-UNDERLYING:aapl"),
        event("DTSTART:20250430T200000Z", "SUMMARY:Shanghai upgrade", "CATEGORIES:RELEASE",
              "X-UNDERLYING:ETH, BTC", "X-UNDERLYING:SOL"),
    )  # fmt: skip
    assert [each.underlying for each in calendar.events] == ["AAPL", "BTC", "ETH", "SOL"]


def test_an_event_that_is_neither_is_refused_unless_the_kind_is_given(read):
    fomc = event("DTSTART:20250507T180000Z", "SUMMARY:FOMC Meeting")
    with pytest.raises(DataError, match=r"event 'FOMC Meeting'.*--calendar-kind"):
        read(fomc)
    assert read(fomc, kind=RELEASE).events[0].kind is RELEASE


# --- zones and whole days -----------------------------------------------------------------------

ALL_DAY = event("DTSTART;VALUE=DATE:20250430", "DTEND;VALUE=DATE:20250501", "SUMMARY:X earnings")


def test_a_date_takes_the_whole_day_where_the_option_says(read):
    [found] = read(ALL_DAY, timezone="America/New_York").events
    assert (found.at_ns, found.until_ns) == (ns(2025, 4, 30, 4), ns(2025, 5, 1, 4))


def test_the_day_on_which_clocks_change_is_as_long_as_it_is(read):
    march = event("DTSTART;VALUE=DATE:20250309", "SUMMARY:X earnings")
    [found] = read(march, timezone="America/New_York").events
    assert found.until_ns - found.at_ns == 23 * HOUR_NS


@pytest.mark.parametrize("length", ["DTEND;VALUE=DATE:20250508", "DURATION:P2D"])
def test_several_dates_are_taken_whole(read, length):
    meeting = event("DTSTART;VALUE=DATE:20250506", length, "SUMMARY:FOMC")
    [found] = read(meeting, kind=RELEASE, timezone="UTC").events
    assert found.until_ns - found.at_ns == 2 * DAY_NS


def test_an_event_on_a_date_is_near_until_a_time_after_the_day(read):
    calendar = read(
        ALL_DAY,
        event("DTSTART:20250430T120000Z", "SUMMARY:CPI", "CATEGORIES:RELEASE"),
        timezone="UTC",
    )
    begin, end = ns(2025, 4, 30), ns(2025, 5, 1)
    for at, near in (
        (begin - HOUR_NS - 1, False),
        (begin - HOUR_NS, True),
        (begin + 20 * HOUR_NS, True),
        (end + HOUR_NS, True),
        (end + HOUR_NS + 1, False),
    ):
        assert (calendar.near(at, EARNINGS, "X", HOUR_NS) is not None) is near


@pytest.mark.parametrize("start", ["DTSTART;VALUE=DATE:20250430", "DTSTART:20250430T083000"])
def test_dates_and_floating_times_are_refused_where_nothing_says_their_zone(read, start):
    with pytest.raises(DataError, match=r"event 'X earnings'.*--calendar-timezone"):
        read(event(start, "SUMMARY:X earnings"))


def test_floating_times_are_in_the_zone_of_the_header_and_the_option_wins(read):
    floating = event("DTSTART:20250430T083000", "SUMMARY:X earnings")
    head = "X-WR-TIMEZONE:America/New_York\n"
    assert starts(read(floating, head=head)) == ["2025-04-30T12:30:00Z"]
    assert starts(read(floating, head=head, timezone="Asia/Seoul")) == ["2025-04-29T23:30:00Z"]


@pytest.mark.parametrize("zone", ["Eastern Standard Time", "America/New_York", "US-Eastern"])
def test_known_zones_windows_names_and_the_files_own_are_understood(read, zone):
    line = event(f"DTSTART;TZID={zone}:20250430T083000", "SUMMARY:X earnings")
    # The definition comes last: the order within a file is free.
    assert starts(read(line, US_EASTERN)) == ["2025-04-30T12:30:00Z"]


def test_a_zone_that_only_an_earlier_file_defined_is_refused(read):
    line = event("DTSTART;TZID=US-Eastern:20250430T083000", "SUMMARY:X earnings")
    assert read(line, US_EASTERN).events
    with pytest.raises(DataError, match="zone 'US-Eastern' is neither known nor defined"):
        read(line, timezone="UTC")


@pytest.mark.parametrize("parameters", ["TZID=Europe/London", "VALUE=DATE;TZID=Europe/London"])
def test_a_date_with_a_zone_is_a_date_not_midnight(read, parameters):
    line = event(f"DTSTART;{parameters}:20250430", "SUMMARY:X earnings")
    [found] = read(line, timezone="UTC").events
    assert found.until_ns - found.at_ns == DAY_NS


def test_an_unknown_option_zone_is_refused(read):
    with pytest.raises(ConfigError, match="no time zone 'Mars/Olympus'"):
        read(ALL_DAY, timezone="Mars/Olympus")


# --- recurrences: the examples of RFC 5545 3.8.5.3, whose results it prints ---------------------

RULES = [
    ("FREQ=DAILY;COUNT=3", ["1997-09-02", "1997-09-03", "1997-09-04"]),
    ("FREQ=WEEKLY;UNTIL=19970916T000000Z", ["1997-09-02", "1997-09-09"]),
    (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;WKST=SU;BYDAY=TU,TH",
        ["1997-09-02", "1997-09-04", "1997-09-16", "1997-09-18"],
    ),
    (
        "FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3;COUNT=2",
        ["1997-09-04", "1997-10-07"],
    ),
    ("FREQ=YEARLY;BYDAY=20MO;COUNT=1", ["1998-05-18"]),
]


@pytest.mark.parametrize(("rule", "dates"), RULES)
def test_the_examples_of_the_standard_give_what_it_prints(read, rule, dates):
    first = dates[0].replace("-", "")
    line = event(f"DTSTART;TZID=America/New_York:{first}T090000", f"RRULE:{rule}", "SUMMARY:R")
    assert starts(read(line, kind=RELEASE)) == [f"{date}T13:00:00Z" for date in dates]


def test_a_recurrence_keeps_its_local_time_when_clocks_change(read):
    rule = "RRULE:FREQ=WEEKLY;BYDAY=TH;UNTIL=20250314"
    line = event("DTSTART;TZID=America/New_York:20250306T083000", rule, "SUMMARY:Claims")
    assert starts(read(line, kind=RELEASE)) == ["2025-03-06T13:30:00Z", "2025-03-13T12:30:00Z"]


@pytest.mark.parametrize("until", ["20250313", "20250313T083000", "20250313T123000Z"])
def test_the_end_of_a_recurrence_counts_however_it_is_written(read, until):
    rule = f"RRULE:FREQ=WEEKLY;UNTIL={until}"
    line = event("DTSTART;TZID=America/New_York:20250306T083000", rule, "SUMMARY:Claims")
    assert len(read(line, kind=RELEASE).events) == 2


def test_a_recurring_date_ends_on_its_last_date(read):
    rule = "RRULE:FREQ=DAILY;UNTIL=20250502"
    line = event("DTSTART;VALUE=DATE:20250501", rule, "SUMMARY:X earnings")
    assert starts(read(line, timezone="UTC")) == ["2025-05-01T00:00:00Z", "2025-05-02T00:00:00Z"]


def test_what_recurs_without_end_is_listed_as_far_as_asked_and_else_refused(read):
    line = event("DTSTART:20250306T133000Z", "RRULE:FREQ=WEEKLY", "SUMMARY:Claims")
    calendar = read(line, kind=RELEASE, until_ns=ns(2025, 3, 20, 13, 30))
    assert len(calendar.events) == 3
    with pytest.raises(DataError, match="event 'Claims': it recurs without end"):
        read(line, kind=RELEASE)


WEEKLY = ("UID:claims", "DTSTART;TZID=America/New_York:20250306T083000",
          "RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:Claims")  # fmt: skip


def test_exceptions_and_further_dates_are_honoured(read):
    calendar = read(
        event(
            *WEEKLY,
            "EXDATE;TZID=America/New_York:20250313T083000",
            "EXDATE;VALUE=DATE:20250320",
            "RDATE;VALUE=PERIOD:20250402T123000Z/PT1H,20250403T123000Z/PT1H",
        ),
        kind=RELEASE,
    )
    assert starts(calendar) == [
        "2025-03-06T13:30:00Z",
        "2025-03-27T12:30:00Z",
        "2025-04-02T12:30:00Z",
        "2025-04-03T12:30:00Z",
    ]


def test_an_occurrence_that_was_moved_or_cancelled_is_not_where_it_was(read):
    moved = event("UID:claims", "RECURRENCE-ID:20250313T123000Z",
                  "DTSTART:20250312T123000Z", "SUMMARY:Claims early")  # fmt: skip
    gone = event("UID:claims", "RECURRENCE-ID;TZID=America/New_York:20250320T083000",
                 "DTSTART;TZID=America/New_York:20250320T083000", "STATUS:CANCELLED")  # fmt: skip
    calendar = read(moved, event(*WEEKLY), gone, kind=RELEASE)
    assert [(iso(each.at_ns)[:10], each.name) for each in calendar.events] == [
        ("2025-03-06", "Claims"),
        ("2025-03-12", "Claims early"),
        ("2025-03-27", "Claims"),
    ]


def test_a_cancelled_event_is_left_out_and_what_is_listed_twice_counts_once(read):
    line = event("UID:a", "DTSTART:20250306T133000Z", "SUMMARY:CPI", "CATEGORIES:RELEASE")
    other = line.replace("UID:a", "UID:b")
    gone = event("DTSTART:20250307T133000Z", "SUMMARY:X earnings", "STATUS:CANCELLED")
    assert len(read(line, other, gone).events) == 1


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("RRULE:FREQ=SECONDLY;COUNT=5",), "FREQ must be DAILY"),
        (("RRULE:FREQ=DAILY;COUNT=60000",), "more than 50,000 times"),
        (("RRULE:FREQ=SOMETIMES;COUNT=5",), "RRULE cannot be read"),
        (("RRULE:FREQ=DAILY;COUNT=5", "RRULE:FREQ=WEEKLY;COUNT=5"), "or it has several"),
        (("EXRULE:FREQ=DAILY;COUNT=5",), "EXRULE is not expanded"),
        (("RECURRENCE-ID;RANGE=THISANDFUTURE:20250306T133000Z",), "RANGE"),
        (("EXDATE:tomorrow",), "EXDATE cannot be read"),
        (("DTSTART:20250307T133000Z",), "it has 2 DTSTART"),
        (("CATEGORIES:RELEASE,EARNINGS",), "both earnings and release"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_event(read, lines, words):
    with pytest.raises(DataError, match=f"event 'CPI'.*{words}"):
        read(event("DTSTART:20250306T133000Z", "SUMMARY:CPI", *lines), kind=RELEASE)


@pytest.mark.parametrize("start", [(), ("DTSTART:2025",), ("DTSTART:soon",)])
def test_an_event_without_a_start_is_refused(read, start):
    with pytest.raises(DataError, match=r"event 'CPI'.*DTSTART"):
        read(event(*start, "SUMMARY:CPI"), kind=RELEASE)


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>404 Not Found</body></html>",
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20250306T133000Z\nEND:VEVENT\n",
        b"BEGIN:VCALENDAR\nEND:VCALENDAR\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:2025",
        b"at,kind,name,underlying\n",
        b"BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:X\nEND:VTIMEZONE\nEND:VCALENDAR\n",
    ],
)
def test_a_file_that_is_no_whole_icalendar_is_refused(tmp_path, content):
    path = tmp_path / "feed.ics"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"feed\.ics: is no .*iCalendar"):
        read_calendar(path)


def test_icalendar_is_recognised_by_its_content_and_several_calendars_are_read(tmp_path):
    path = tmp_path / "feed.txt"
    one = (
        f"BEGIN:VCALENDAR\n{event('DTSTART:20250306T133000Z', 'SUMMARY:X earnings')}END:VCALENDAR\n"
    )
    path.write_text("\ufeff" + one + one.replace("X earnings", "Y earnings"), encoding="utf-8")
    assert [each.underlying for each in read_calendar(path).events] == ["X", "Y"]


def test_a_calendar_may_be_empty(read):
    assert read().events == ()


def test_a_thousand_events_are_near_only_within_the_time(read):
    rule = "RRULE:FREQ=DAILY;COUNT=1000"
    calendar = read(event("DTSTART:20220101T120000Z", rule, "SUMMARY:R"), kind=RELEASE)
    noon = ns(2023, 5, 5, 12)
    assert calendar.near(noon + 30 * MINUTE_NS, RELEASE, "BTC", 30 * MINUTE_NS).at_ns == noon
    assert calendar.near(noon + 31 * MINUTE_NS, RELEASE, "BTC", 30 * MINUTE_NS) is None
