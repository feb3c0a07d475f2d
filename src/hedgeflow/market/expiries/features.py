"""What is special about an expiration day: weekday, cycle, triple witching, an early close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hedgeflow.market.expiries.calendars import (
    NYSE,
    session_on_or_before,
    trading_day,
)
from hedgeflow.market.expiries.roots import ROOTS
from hedgeflow.market.expiries.rules import (
    FRIDAY,
    ONE_WEEK,
    QUARTERLY_MONTHS,
    WEEKDAYS,
    Cycle,
    falls_on,
)
from hedgeflow.market.sessions import ALWAYS_OPEN, calendar_of_venue
from hedgeflow.market.time import DAY_NS, HOUR_NS, moment_of

VIX: Final = "VIX"
US_VENUES: Final = frozenset({"opra", "cboe", "usa", "sim-us", "cme"})
FULL_US_SESSION_NS: Final = 13 * HOUR_NS // 2
"""9:30 to 16:00."""

_ZONES: Final = {"nse": ZoneInfo("Asia/Kolkata")} | dict.fromkeys(
    US_VENUES, ZoneInfo("America/New_York")
)


@dataclass(frozen=True, slots=True)
class Features:
    """Features of an expiration day, as every alert carries them.

    Attributes
    ----------
    weekday : str
    weekly, monthly, quarterly : bool
        Exactly one of weekly and monthly where it is not a daily expiry; quarterly ones are monthly
        too. In the US the third Friday is monthly, or the session before if it is a holiday; on
        Deribit the last Friday; on NSE the last of its dated weekday.
    triple_witching : bool
        Stock options, index options and index futures expire together: US quarterly days. Stocks
        themselves do not expire, and futures on single stocks are no longer listed.
    early_close : bool
    """

    weekday: str
    weekly: bool
    monthly: bool
    quarterly: bool
    triple_witching: bool
    early_close: bool

    @property
    def words(self) -> str:
        """The features in a line for people."""
        kind = (
            "quarterly" if self.quarterly
            else "monthly" if self.monthly
            else "weekly" if self.weekly
            else "daily"
        )  # fmt: skip
        told = [self.weekday, kind]
        told += ["triple witching"] * self.triple_witching + ["early close"] * self.early_close
        return ", ".join(told)


def features_at(expires_ns: int, venue: str, underlying: str) -> Features:
    """Return the features of the day of an expiration instant, in the venue's time zone."""
    return features_of(_local_day(expires_ns, venue), venue, underlying)


def session_of(expires_ns: int, venue: str) -> tuple[int, int]:
    """Return open and close of the session in which a contract's expiration instant lies.

    The exchange's session of that day, early closes included; where markets never close, the 24
    hours that end with the expiry. Options settled on opening prices expire at its open.
    """
    calendar = calendar_of_venue(venue)
    if calendar == ALWAYS_OPEN:
        return expires_ns - DAY_NS, expires_ns
    day = _local_day(expires_ns, venue)
    session = session_on_or_before(NYSE if venue in US_VENUES else calendar, day)
    return session.open_ns, session.close_ns


def features_of(day: date, venue: str, underlying: str) -> Features:
    """Return the features of an expiration day of a venue.

    Raises
    ------
    ConfigError
        The hours of the venue are not known.
    """
    monthly = _is_monthly(day, venue, underlying)
    quarterly = monthly and day.month in QUARTERLY_MONTHS and underlying != VIX
    never_closes = calendar_of_venue(venue) == ALWAYS_OPEN
    return Features(
        weekday=WEEKDAYS[day.weekday()],
        weekly=not monthly and (not never_closes or day.weekday() == FRIDAY),
        monthly=monthly,
        quarterly=quarterly,
        triple_witching=quarterly and venue in US_VENUES and is_triple_witching(day),
        early_close=venue in US_VENUES and is_early_close(day),
    )


def standard_expiration(year: int, month: int) -> date:
    """Return the monthly expiration day of US options.

    The third Friday, or the session before where that is a holiday, as Good Friday can be.
    """
    first = date(year, month, 1)
    third_friday = first + timedelta(days=(FRIDAY - first.weekday()) % 7 + 14)
    return session_on_or_before(NYSE, third_friday).day


def is_triple_witching(day: date) -> bool:
    """Say whether US stock options, index options and index futures expire together on a day.

    Stocks do not expire, whatever the name suggests.
    """
    return day.month in QUARTERLY_MONTHS and day == standard_expiration(day.year, day.month)


def is_early_close(day: date) -> bool:
    """Say whether the US stock market closes early on a day, as after Thanksgiving at 13:00."""
    session = trading_day(NYSE, day)
    return session is not None and session.close_ns - session.open_ns < FULL_US_SESSION_NS


def _local_day(instant: int, venue: str) -> date:
    zone = _ZONES.get(venue)
    moment = moment_of(instant)
    return (moment.astimezone(zone) if zone else moment).date()


def _is_monthly(day: date, venue: str, underlying: str) -> bool:
    if calendar_of_venue(venue) == ALWAYS_OPEN:
        return day.weekday() == FRIDAY and (day + ONE_WEEK).month != day.month
    if venue == "nse":
        root = ROOTS.get(underlying, ROOTS["NIFTY"])
        return any(
            each.cycle is Cycle.MONTHLY
            and each.first <= day <= each.last
            and falls_on(each.rule, day, root.calendar, each.shift)
            for each in root.listings
        )
    if underlying == VIX:
        return falls_on(ROOTS[VIX].listings[0].rule, day, NYSE)
    return day == standard_expiration(day.year, day.month)
