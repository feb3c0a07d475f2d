"""Sessions: when a market trades, cut into 5-minute slots and 30-minute time-of-day buckets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import DAY_NS, MINUTE_NS, SLOT_NS, SLOTS_PER_BUCKET, moment_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALWAYS_OPEN = "24/7"
"""Name of the calendar of markets that never close; its session is the UTC day."""


_ALWAYS_OPEN_VENUES = frozenset({"deribit", "sim", "binance", "bybit", "okx"})
_CALENDARS = {
    "opra": "XNYS",
    "cboe": "XNYS",
    "usa": "XNYS",
    "sim-us": "XNYS",
    "cme": "CMES",
    "nse": "XBOM",
}


def calendar_of_venue(venue: str) -> str:
    """Return the calendar of an option venue.

    Raises
    ------
    ConfigError
        The venue's hours are not known.
    """
    if venue in _ALWAYS_OPEN_VENUES:
        return ALWAYS_OPEN
    if venue in _CALENDARS:
        return _CALENDARS[venue]
    raise ConfigError(
        f"the trading hours of venue '{venue}' are not known",
        where="calendar",
        hint="Set calendar to 24/7 or to a name of exchange_calendars such as XNYS",
    )


@dataclass(frozen=True, slots=True)
class Sessions:
    """Consecutive trading sessions of one calendar.

    Attributes
    ----------
    calendar : str
        ``24/7`` or an exchange_calendars name such as ``XNYS``.
    open_ns, close_ns : ndarray of shape (n_sessions,), int64
        Half-open trading hours, UTC nanoseconds, ascending; early closes are as they were.
    minutes_per_year : float
        Trading minutes in a year: 525,600 where markets never close, else 252 x 390
        (precise.md 23).
    """

    calendar: str
    open_ns: NDArray[np.int64]
    close_ns: NDArray[np.int64]
    minutes_per_year: float

    @property
    def slots(self) -> int:
        """Slots in the longest session."""
        return (
            int(-(-int((self.close_ns - self.open_ns).max()) // SLOT_NS))
            if self.open_ns.size
            else 0
        )

    def slot_bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return start and end of every slot, each of shape (n_sessions, slots).

        A slot that the close cuts short ends there; one beyond an early close has start >= end.
        """
        step = np.arange(self.slots, dtype=np.int64)[None, :] * SLOT_NS
        begin = self.open_ns[:, None] + step
        return begin, np.minimum(begin + SLOT_NS, self.close_ns[:, None])

    @property
    def buckets(self) -> int:
        """Time-of-day buckets in the longest session."""
        return -(-self.slots // SLOTS_PER_BUCKET)

    @property
    def per_year(self) -> int:
        """Sessions in a year, for annualising: 365 or 252."""
        return 365 if self.calendar == ALWAYS_OPEN else 252

    def index_of(self, instants: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the session of each instant, or -1 where the market is closed."""
        index = np.searchsorted(self.open_ns, instants, side="right") - 1
        known = index >= 0
        inside = known & (instants < self.close_ns[np.where(known, index, 0)])
        return np.where(inside, index, -1)


@lru_cache(maxsize=32)
def sessions_between(calendar: str, first_ns: int, last_ns: int) -> Sessions:
    """Return every session that overlaps [first_ns, last_ns].

    Raises
    ------
    ConfigError
        exchange_calendars does not know the calendar, or not for those dates.
    """
    if calendar == ALWAYS_OPEN:
        days = np.arange(first_ns // DAY_NS, last_ns // DAY_NS + 1, dtype=np.int64)
        return Sessions(calendar, days * DAY_NS, (days + 1) * DAY_NS, 525_600.0)
    return _exchange_sessions(calendar, first_ns, last_ns)


def _exchange_sessions(calendar: str, first_ns: int, last_ns: int) -> Sessions:
    import exchange_calendars as ecals
    import pandas as pd

    start = pd.Timestamp(first_ns - DAY_NS, unit="ns").normalize()
    end = pd.Timestamp(last_ns + DAY_NS, unit="ns").normalize()
    try:
        hours = ecals.get_calendar(calendar, start=start, end=end).schedule
    except (ecals.errors.CalendarError, ValueError) as cause:
        raise ConfigError(
            f"no calendar '{calendar}' from {start.date()} to {end.date()}",
            hint="Use 24/7 or a name of exchange_calendars such as XNYS",
        ) from cause
    opens = hours["open"].to_numpy(dtype="datetime64[ns]").astype(np.int64)
    closes = hours["close"].to_numpy(dtype="datetime64[ns]").astype(np.int64)
    keep = (closes > first_ns) & (opens <= last_ns)
    return Sessions(calendar, opens[keep], closes[keep], 252.0 * 390.0)


def session_date(sessions: Sessions, instant: int) -> str:
    """Return the ISO date of the session of an instant, or of the one before it.

    A session bears the date on which it closes; where markets never close it is the UTC day.
    """
    index = int(np.searchsorted(sessions.open_ns, instant, side="right")) - 1
    if index < 0 or sessions.calendar == ALWAYS_OPEN:
        return moment_of(instant).date().isoformat()
    return moment_of(int(sessions.close_ns[index])).date().isoformat()


def minutes_to_close(sessions: Sessions, instant: int) -> float:
    """Return the minutes to the session's close; infinity where markets never close.

    An instant outside every session has 0 minutes left.
    """
    if sessions.calendar == ALWAYS_OPEN:
        return float("inf")
    index = int(sessions.index_of(np.array([instant], dtype=np.int64))[0])
    return (int(sessions.close_ns[index]) - instant) / MINUTE_NS if index >= 0 else 0.0
