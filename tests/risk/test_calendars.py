"""Calendars that users bring."""

from __future__ import annotations

import pytest

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import HOUR_NS
from hedgeflow.risk import CalendarKind, read_calendar

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
    assert calendar.has(CalendarKind.EARNINGS)


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


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_calendar(tmp_path / "none.csv")
