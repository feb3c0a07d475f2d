"""When listed options expire: settlement in the morning or at the close, early closes, holidays."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from hedgeflow.market.time import instant_ns

if TYPE_CHECKING:
    import pandas as pd

STOCK_CALENDAR: Final = "XNYS"
MORNING_ROOTS: Final = frozenset({"SPX", "NDX", "RUT", "DJX", "VIX", "VIXW"})
"""Index roots settled on opening prices of their expiration day (Cboe specifications)."""

QUARTERLY_MONTHS: Final = frozenset({3, 6, 9, 12})
THIRD_FRIDAY_DAYS: Final = range(15, 22)
FRIDAY: Final = 4
SATURDAY: Final = 5


def expiry_of_stock_option(root: str, expiration: date) -> int:
    """Return the expiration instant of a US stock or index option, UTC nanoseconds.

    The close of the expiration day's session, early closes included; the open for roots settled
    on opening prices. A Saturday, as contracts listed before February 2015 state it, means the
    Friday before (precise.md 29); a holiday means the session before.
    """
    if expiration.weekday() == SATURDAY:
        expiration -= timedelta(days=1)
    opens, closes = _session_on_or_before(expiration)
    return opens if root in MORNING_ROOTS else closes


def expiry_of_future_option(expiration: date) -> int:
    """Return the expiration instant of an option on CME equity-index futures, UTC nanoseconds.

    Quarterly options, on the third Friday of March, June, September and December, end at the
    stock market's open (8:30 in Chicago); weekly and end-of-month options at its close (15:00 in
    Chicago), early closes included.
    """
    opens, closes = _session_on_or_before(expiration)
    quarterly = expiration.month in QUARTERLY_MONTHS and is_third_friday(expiration)
    return opens if quarterly else closes


def is_third_friday(day: date) -> bool:
    """Say whether a day is the third Friday of its month."""
    return day.weekday() == FRIDAY and day.day in THIRD_FRIDAY_DAYS


@lru_cache(maxsize=4096)
def _session_on_or_before(day: date) -> tuple[int, int]:
    """Return open and close, UTC nanoseconds, of the last session on or before a day."""
    hours = _hours(day.year).loc[: str(day)]
    last = hours.iloc[-1]
    return instant_ns(last["open"].to_pydatetime()), instant_ns(last["close"].to_pydatetime())


@lru_cache(maxsize=64)
def _hours(year: int) -> pd.DataFrame:
    """Return the sessions of a year, and of the December before it for a holiday in January."""
    import exchange_calendars as ecals

    first, last = f"{year - 1}-12-15", f"{year}-12-31"
    return ecals.get_calendar(STOCK_CALENDAR, start=first, end=last).schedule
