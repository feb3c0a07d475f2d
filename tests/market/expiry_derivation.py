"""Expiries by another route than the code's: date arithmetic, and closures written down by hand.

Nothing here imports hedgeflow or exchange_calendars. Closures of New York are the rules of NYSE's
holiday calendar and its two unscheduled days; early closes are NYSE's announcements; days to which
NSE's expiries moved are from its circulars and from the expiries that were traded. Running the
module writes the answer files again; the tests compare both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dateutil.easter import easter

ANSWERS = Path(__file__).parent / "answers"
YEARS = range(2014, 2028)
NEW_YORK = ZoneInfo("America/New_York")
INDIA = ZoneInfo("Asia/Kolkata")
DAY = timedelta(days=1)

UNSCHEDULED = {date(2018, 12, 5), date(2025, 1, 9)}  # days of mourning: Bush, Carter
EARLY_CLOSES_BY_HAND = """
    2014-07-03 2014-11-28 2014-12-24 2015-11-27 2015-12-24 2016-11-25 2017-07-03 2017-11-24
    2018-07-03 2018-11-23 2018-12-24 2019-07-03 2019-11-29 2019-12-24 2020-11-27 2020-12-24
    2021-11-26 2022-11-25 2023-07-03 2023-11-24 2024-07-03 2024-11-29 2024-12-24 2025-07-03
    2025-11-28 2025-12-24 2026-11-27 2026-12-24 2027-11-26
"""
EARLY_CLOSES = [date.fromisoformat(text) for text in EARLY_CLOSES_BY_HAND.split()]

NSE_MOVED_BY_HAND = """
    2014-02-27:2014-02-26 2014-04-24:2014-04-23 2014-12-25:2014-12-24 2017-01-26:2017-01-25
    2017-10-19:2017-10-18 2018-03-29:2018-03-28 2018-09-13:2018-09-12 2018-09-20:2018-09-19
    2018-10-18:2018-10-17 2018-11-08:2018-11-06 2019-03-21:2019-03-20 2019-08-15:2019-08-14
    2020-04-02:2020-04-01 2021-03-11:2021-03-10 2021-05-13:2021-05-12 2021-08-19:2021-08-18
    2021-11-04:2021-11-03 2022-03-01:2022-02-28 2022-04-14:2022-04-13 2022-05-03:2022-05-02
    2022-08-09:2022-08-08 2022-11-08:2022-11-07 2023-01-26:2023-01-25 2023-03-07:2023-03-06
    2023-03-30:2023-03-29 2023-04-04:2023-04-03 2023-06-29:2023-06-28 2023-08-15:2023-08-14
    2023-09-19:2023-09-18 2023-10-02:2023-09-29 2023-10-24:2023-10-23 2023-11-14:2023-11-13
    2023-11-27:2023-11-24 2023-12-25:2023-12-22 2024-01-22:2024-01-20 2024-03-25:2024-03-22
    2024-04-11:2024-04-10 2024-04-17:2024-04-16 2024-05-01:2024-04-30 2024-05-20:2024-05-17
    2024-06-17:2024-06-14 2024-07-17:2024-07-16 2024-08-15:2024-08-14 2024-10-02:2024-10-01
    2024-12-25:2024-12-24 2025-04-10:2025-04-09 2025-05-01:2025-04-30 2025-10-21:2025-10-20
    2026-03-03:2026-03-02 2026-03-31:2026-03-30 2026-04-14:2026-04-13 2026-10-20:2026-10-19
    2026-11-10:2026-11-09 2026-11-24:2026-11-23
"""
NSE_MOVED = {
    date.fromisoformat(pair[:10]): date.fromisoformat(pair[11:])
    for pair in NSE_MOVED_BY_HAND.split()
}


def new_york_holidays(year: int) -> set[date]:
    """Return the days of a year on which NYSE is closed all day."""
    floating = {
        nth(year, 1, 0, 3), nth(year, 2, 0, 3), nth(year, 9, 0, 1), nth(year, 11, 3, 4),
        last(year, 5, 0), easter(year) - 2 * DAY,
    }  # fmt: skip
    fixed = [date(year, 7, 4), date(year, 12, 25)]
    fixed += [date(year, 6, 19)] if year >= 2022 else []
    new_year = date(year, 1, 1)
    if new_year.weekday() != 5:  # a Saturday's New Year is not observed on the old year's last day
        fixed.append(new_year)
    return floating | {observed(day) for day in fixed} | UNSCHEDULED


def observed(day: date) -> date:
    return day + {5: -1, 6: 1}.get(day.weekday(), 0) * DAY


def nth(year: int, month: int, weekday: int, count: int) -> date:
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (count - 1)) * DAY


def last(year: int, month: int, weekday: int) -> date:
    end = date(year + month // 12, month % 12 + 1, 1) - DAY
    return end - ((end.weekday() - weekday) % 7) * DAY


def trades(day: date) -> bool:
    return day.weekday() < 5 and day not in new_york_holidays(day.year)


def on_or_before(day: date) -> date:
    while not trades(day):
        day -= DAY
    return day


def utc(day: date, hour: int, minute: int, zone: ZoneInfo) -> str:
    moment = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def close_utc(day: date, minutes_later: int = 0) -> str:
    hour = 13 if day in EARLY_CLOSES else 16
    return utc(day, hour, minutes_later, NEW_YORK)


def months() -> Iterator[tuple[int, int]]:
    return ((year, month) for year in YEARS for month in range(1, 13))


def standard_rows() -> Iterator[tuple[str, ...]]:
    for year, month in months():
        day = on_or_before(nth(year, month, 4, 3))
        before = on_or_before(day - DAY)
        yield (
            str(day), utc(day, 9, 30, NEW_YORK), close_utc(before, 15), close_utc(day),
            "yes" if month in {3, 6, 9, 12} else "no",
        )  # fmt: skip


def early_close_rows() -> Iterator[tuple[str, ...]]:
    for day in EARLY_CLOSES:
        yield str(day), close_utc(day), close_utc(day, 15)


def future_quarterly_rows() -> Iterator[tuple[str, ...]]:
    for year, month in months():
        if month % 3 == 0:
            day = on_or_before(nth(year, month, 4, 3))
            yield str(day), utc(day, 8, 30, ZoneInfo("America/Chicago"))


def vix_rows() -> Iterator[tuple[str, ...]]:
    for year, month in months():
        following = on_or_before(nth(year + month // 12, month % 12 + 1, 4, 3))
        day = on_or_before(following - 30 * DAY)
        yield str(day), utc(day, 9, 30, NEW_YORK), close_utc(on_or_before(day - DAY), 15)


def deribit_rows() -> Iterator[tuple[str, ...]]:
    for year, month in months():
        day = last(year, month, 4)
        if day >= date(2016, 7, 29):
            cycle = "quarterly" if month % 3 == 0 else "monthly"
            yield str(day), f"{day}T08:00:00Z", f"{day}T07:30:00Z", cycle


def nse_rows() -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, date], str] = {}
    for root, nominal, monthly in nse_nominal():
        day = NSE_MOVED.get(nominal, nominal)
        if monthly or (root, day) not in found:
            found[root, day] = "monthly" if monthly else "weekly"
    for (root, day), cycle in sorted(found.items()):
        yield root, str(day), utc(day, 15, 30, INDIA), cycle


def nse_nominal() -> Iterator[tuple[str, date, bool]]:
    """Yield root, day before holidays and whether it is monthly, from NSE's circulars."""
    mon, tue, wed, thu = range(4)
    monthly = {
        "NIFTY": [("2014-01-01", "2025-08-31", thu), ("2025-09-01", "2026-12-31", tue)],
        "BANKNIFTY": [
            ("2014-01-01", "2024-02-29", thu), ("2024-03-01", "2024-12-31", wed),
            ("2025-01-01", "2025-08-31", thu), ("2025-09-01", "2026-12-31", tue),
        ],
        "FINNIFTY": [
            ("2021-01-11", "2021-10-15", thu), ("2021-10-18", "2024-12-31", tue),
            ("2025-01-01", "2025-08-31", thu), ("2025-09-01", "2026-12-31", tue),
        ],
        "MIDCPNIFTY": [
            ("2023-08-21", "2024-12-31", mon), ("2025-01-01", "2025-08-31", thu),
            ("2025-09-01", "2026-12-31", tue),
        ],
    }  # fmt: skip
    weekly = {
        "NIFTY": [("2019-02-11", "2025-08-31", thu), ("2025-09-01", "2026-12-31", tue)],
        "BANKNIFTY": [("2016-05-27", "2023-09-01", thu), ("2023-09-04", "2024-11-13", wed)],
        "FINNIFTY": [("2021-01-11", "2021-10-15", thu), ("2021-10-18", "2024-11-19", tue)],
        "MIDCPNIFTY": [("2023-08-21", "2024-11-18", mon)],
    }
    for root, spans in monthly.items():
        for first, until, weekday in spans:
            for day in weekdays(first, until, weekday):
                if (day + 7 * DAY).month != day.month:
                    yield root, day, True
    for root, spans in weekly.items():
        for first, until, weekday in spans:
            for day in weekdays(first, until, weekday):
                apart = root == "BANKNIFTY" and date(2023, 9, 4) <= day < date(2024, 3, 1)
                if not (apart and (day + 8 * DAY).month != (day + DAY).month):
                    yield root, day, False  # in those months none beside Thursday's monthly ones


def weekdays(first: str, until: str, weekday: int) -> Iterator[date]:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(until):
        if day.weekday() == weekday:
            yield day
        day += DAY


NEW_YORK_ROUTE = (
    "NYSE's holiday rules, Easter by dateutil, unscheduled closures and early closes by hand"
)
FILES = {
    "us_standard.csv": (
        "Standard expirations of US options: third Fridays, or the day before a holiday",
        NEW_YORK_ROUTE,
        "date,opening_settled,last_trade_of_opening_settled,close,triple_witching",
        standard_rows,
    ),
    "us_early_closes.csv": (
        "Early closes of New York, and of options on funds 15 minutes later",
        "NYSE's announcements, by hand",
        "date,close,last_trade_of_funds",
        early_close_rows,
    ),
    "es_quarterly.csv": (
        "Quarterly options on CME's index futures: 8:30 in Chicago",
        NEW_YORK_ROUTE,
        "date,expires",
        future_quarterly_rows,
    ),
    "vix_monthly.csv": (
        "Monthly options on VIX: 30 days before the next month's standard expiration",
        f"Cboe's contract specification; {NEW_YORK_ROUTE}",
        "date,expires,last_trade",
        vix_rows,
    ),
    "deribit_monthly.csv": (
        "Monthly and quarterly options of Deribit: last Fridays at 08:00 UTC",
        "Deribit's introduction policy",
        "date,expires,average_from,cycle",
        deribit_rows,
    ),
    "nse.csv": (
        "Index options of NSE, 2014 to 2026",
        "weekdays of its circulars, and by hand the days to which expiries moved for holidays",
        "root,date,expires,cycle",
        nse_rows,
    ),
}


def text_of(name: str) -> str:
    """Return an answer file as this module derives it."""
    title, route, columns, rows = FILES[name]
    lines = [f"# {title}.", f"# Derived, not cited: {route}.", columns]
    return "\n".join([*lines, *(",".join(row) for row in rows())]) + "\n"


if __name__ == "__main__":
    for name in FILES:
        (ANSWERS / name).write_text(text_of(name), encoding="utf-8")
