"""The days on which a venue trades, with their open and close: exchange_calendars, year by year."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.time import DAY_NS, instant_ns

NEW_YORK: Final = "America/New_York"
NYSE: Final = "XNYS"
NSE: Final = "XBOM"
"""The National Stock Exchange of India keeps the holidays of Mumbai's other exchange."""

SATURDAY: Final = 5
LAST_YEAR: Final = 2100
"""Later dates are typing errors."""

LONGEST_CLOSURE: Final = timedelta(days=14)
YEARS_AT_ONCE: Final = 20
USUAL_HOURS_SINCE: Final = 2014
"""A later year that a calendar lacks is one whose holidays are not published yet."""

_USUAL_HOURS: Final = {NSE: (ZoneInfo("Asia/Kolkata"), time(9, 15), time(15, 30))}
"""For years whose holidays are not published yet, and for sessions that calendars leave out."""

_FURTHER_SESSIONS: Final = {NSE: (date(2024, 1, 20),)}
"""A Saturday of usual hours instead of the Monday after, on which MIDCPNIFTY expired (NSE circular
of 2024-01-19); exchange_calendars knows the holiday alone."""


@dataclass(frozen=True, slots=True)
class TradingDay:
    """One session of a calendar.

    Attributes
    ----------
    day : datetime.date
        In the venue's own time zone.
    open_ns, close_ns : int
        UTC nanoseconds; an early close is as it was.
    provisional : bool
        Holidays of that year are not in the calendar yet: a weekday with the usual hours.
    """

    day: date
    open_ns: int
    close_ns: int
    provisional: bool = False


def trading_day(calendar: str, day: date) -> TradingDay | None:
    """Return a day's session, or None where the market is closed all day.

    Raises
    ------
    ConfigError
        exchange_calendars has neither that calendar nor that year.
    """
    if calendar == ALWAYS_OPEN:
        start = instant_ns(datetime.combine(day, time(), UTC))
        return TradingDay(day, start, start + DAY_NS)
    return _year(calendar, day.year).get(day)


def session_on_or_before(calendar: str, day: date) -> TradingDay:
    """Return the last session on or before a day."""
    return _nearest(calendar, day, timedelta(days=-1))


def session_before(calendar: str, day: date) -> TradingDay:
    """Return the last session before a day."""
    return session_on_or_before(calendar, day - timedelta(days=1))


def closed_run(calendar: str, day: date, step: timedelta) -> list[date]:
    """Return the days without a session that follow a day, or precede it, up to the next one."""
    found: list[date] = []
    beside = day + step
    while trading_day(calendar, beside) is None and abs(beside - day) <= LONGEST_CLOSURE:
        found.append(beside)
        beside += step
    return found


def _nearest(calendar: str, day: date, step: timedelta) -> TradingDay:
    beside = day
    while abs(beside - day) <= LONGEST_CLOSURE:
        found = trading_day(calendar, beside)
        if found is not None:
            return found
        beside += step
    raise ConfigError(f"calendar {calendar} has no session in the two weeks before {day}")


@lru_cache(maxsize=256)
def _year(calendar: str, year: int) -> dict[date, TradingDay]:
    if year > LAST_YEAR:
        raise ConfigError(f"the year {year} is after {LAST_YEAR}", hint="Check the date")
    recorded = _recorded(calendar, year // YEARS_AT_ONCE).get(year)
    if recorded:
        return recorded
    if calendar in _USUAL_HOURS and year >= USUAL_HOURS_SINCE:
        return _usual_year(calendar, year)
    raise ConfigError(
        f"calendar {calendar} does not know the year {year}",
        hint="Expiries of that year cannot be told without its holidays",
    )


@lru_cache(maxsize=64)
def _recorded(calendar: str, block: int) -> dict[int, dict[date, TradingDay]]:
    """Return the sessions of many years at once, which takes no longer than those of one."""
    import exchange_calendars as ecals

    first, last = block * YEARS_AT_ONCE, (block + 1) * YEARS_AT_ONCE - 1
    try:
        try:
            spanned = ecals.get_calendar(calendar, start=f"{first}-01-01", end=f"{last}-12-31")
        except ValueError:  # its holidays are a list, which does not span all those years
            first, last = _bounded(ecals.get_calendar(calendar), first, last)
            if first > last:
                return {}
            spanned = ecals.get_calendar(calendar, start=f"{first}-01-01", end=f"{last}-12-31")
    except (ecals.errors.CalendarError, ValueError) as cause:
        message = f"no calendar '{calendar}' from {first} to {last}"
        raise ConfigError(message, hint="Use a name of exchange_calendars such as XNYS") from cause
    opens = spanned.schedule["open"].dt.to_pydatetime()
    closes = spanned.schedule["close"].dt.to_pydatetime()
    found: dict[int, dict[date, TradingDay]] = {}
    for stamp, opened, closed in zip(spanned.schedule.index, opens, closes, strict=True):
        day = stamp.date()
        session = TradingDay(day, instant_ns(opened), instant_ns(closed))
        found.setdefault(day.year, {})[day] = session
    for day in _FURTHER_SESSIONS.get(calendar, ()):
        if day.year in found:
            found[day.year][day] = _usual_day(calendar, day)
    return found


def _bounded(calendar: Any, first: int, last: int) -> tuple[int, int]:
    """Return the years of a span for which a calendar has holidays."""
    oldest, newest = calendar.bound_min(), calendar.bound_max()
    first = first if oldest is None else max(first, int(oldest.year) + 1)
    return first, last if newest is None else min(last, int(newest.year))


def _usual_year(calendar: str, year: int) -> dict[date, TradingDay]:
    days = (date(year, 1, 1) + timedelta(days=count) for count in range(366))
    return {
        day: replace(_usual_day(calendar, day), provisional=True)
        for day in days
        if day.weekday() < SATURDAY and day.year == year
    }


def _usual_day(calendar: str, day: date) -> TradingDay:
    zone, opens, closes = _USUAL_HOURS[calendar]
    return TradingDay(
        day,
        instant_ns(datetime.combine(day, opens, zone)),
        instant_ns(datetime.combine(day, closes, zone)),
    )
