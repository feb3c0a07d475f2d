"""When a simulated market trades: its sessions and option days, and how busy each second is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.sessions import ALWAYS_OPEN, Sessions, sessions_between
from hedgeflow.market.time import DAY_NS, HOUR_NS, SECOND_NS, YEAR_NS, instant_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.scenario import Scenario

EXPIRY_HOUR_UTC: Final = 8
"""When options expire, and new ones are listed, on venues that never close."""

SECONDS_PER_DAY: Final = 86_400
SECONDS_PER_MINUTE: Final = 60

FULL_SESSION_SECONDS: Final = {ALWAYS_OPEN: SECONDS_PER_DAY, "XNYS": 390 * SECONDS_PER_MINUTE}
"""By a scenario's hours; New York has shorter sessions too."""

SESSIONS_PER_YEAR: Final = 252
DAYS_PER_YEAR: Final = 365

_LONGEST_BREAK_DAYS: Final = 14
_DAYS_PER_WEEK: Final = 7
_U_DEPTH: Final = 0.6
_U_POWER: Final = 2.0


@dataclass(frozen=True, slots=True)
class Session:
    """One session of the market: a UTC day, or the exchange's hours.

    Attributes
    ----------
    number : int
        From 0; the key of its random streams.
    start_ns, end_ns : int
        Half-open, UTC nanoseconds, whole seconds.
    listing_ns : int
        From when newly listed options trade, and those that expire then no longer do. An exchange
        lists before it opens, and its options expire as it closes.
    """

    number: int
    start_ns: int
    end_ns: int
    listing_ns: int

    @property
    def seconds(self) -> int:
        """Seconds in the session."""
        return (self.end_ns - self.start_ns) // SECOND_NS

    @property
    def minutes(self) -> int:
        """Minutes in the session, the last one perhaps cut short."""
        return -(-self.seconds // SECONDS_PER_MINUTE)

    @property
    def day(self) -> int:
        """Days from the epoch to the UTC date of its start: what ids begin with."""
        return self.start_ns // DAY_NS

    def second(self, stamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the second of the session of each stamp."""
        return (stamps - self.start_ns) // SECOND_NS


def sessions_of(scenario: Scenario) -> list[Session]:
    """Return a scenario's sessions in order."""
    first = start_of(scenario.first_day)
    if scenario.hours == ALWAYS_OPEN:
        starts = [first + number * DAY_NS for number in range(scenario.days)]
        listing = EXPIRY_HOUR_UTC * HOUR_NS
        return [
            Session(number, start, start + DAY_NS, start + listing)
            for number, start in enumerate(starts)
        ]
    hours = _exchange_hours(scenario)
    bounds = zip(hours.open_ns.tolist(), hours.close_ns.tolist(), strict=True)
    return [
        Session(number, begin, end, begin)
        for number, (begin, end) in enumerate(bounds)
        if number < scenario.days
    ]


@dataclass(frozen=True, slots=True)
class OptionDays:
    """The days on which options may expire, from a scenario's first one on.

    Attributes
    ----------
    day : ndarray of shape (n,), int64
        Days from the epoch, ascending.
    end_ns : ndarray of shape (n,), int64
        When options of that day expire.
    """

    day: NDArray[np.int64]
    end_ns: NDArray[np.int64]


def option_days(scenario: Scenario) -> OptionDays:
    """Return a scenario's option days until after the last expiry that it can list."""
    if scenario.hours == ALWAYS_OPEN:
        first = start_of(scenario.first_day)
        day = np.arange(first // DAY_NS, _horizon_ns(scenario) // DAY_NS, dtype=np.int64)
        return OptionDays(day, day * DAY_NS + EXPIRY_HOUR_UTC * HOUR_NS)
    close = _exchange_hours(scenario).close_ns
    return OptionDays(close // DAY_NS, close)


def has_session(calendar: str, day: date) -> bool:
    """Say whether a market trades on a date.

    Raises
    ------
    ConfigError
        The calendar does not reach that date.
    """
    start = start_of(day)
    return bool(sessions_between(calendar, start, start + DAY_NS - 1).open_ns.size)


def option_years(
    scenario: Scenario, stamps: NDArray[np.int64], expiry_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the index's own time from stamps to expiries, years: what its variance grows with.

    Where markets never close it is the calendar's. An exchange's year has 252 sessions; of each
    one's time `index.overnight_share` passes in the night before it, and a half day is shorter.
    """
    if scenario.hours == ALWAYS_OPEN:
        return (expiry_ns - stamps) / YEAR_NS
    knots, years = _exchange_clock(_exchange_hours(scenario), scenario.index.overnight_share)
    return np.interp(expiry_ns, knots, years) - np.interp(stamps, knots, years)


def activity(scenario: Scenario, session: Session) -> NDArray[np.float64]:
    """Return how busy each second of a session is, with mean 1 over a whole one; not to be written.

    ``humps`` is what crypto venues show over the UTC day: a large one in the American morning, a
    small one in the European. ``u`` is what exchanges show: busy at the open, busier still at the
    close.
    """
    offset = session.start_ns // SECOND_NS % SECONDS_PER_DAY
    return shape_of_day(scenario.day_shape, offset, session.seconds)


def start_of(day: date) -> int:
    """Return the first instant of a UTC date."""
    return instant_ns(datetime.combine(day, time(), tzinfo=UTC))


@lru_cache(maxsize=16)
def shape_of_day(name: str, offset: int, count: int) -> NDArray[np.float64]:
    """Return the activity of seconds from so many after midnight, UTC; not to be written."""
    if name == "flat":
        shape = np.ones(count)
    elif name == "humps":
        hours = (offset + np.arange(count)) % SECONDS_PER_DAY / 3600.0
        wide = 0.35 * np.cos(2.0 * np.pi * (hours - 15.0) / 24.0)
        shape = 1.0 + wide + 0.15 * np.cos(4.0 * np.pi * (hours - 14.0) / 24.0)
    else:
        place = (np.arange(count) + 0.5) / count
        bowl = np.abs(2.0 * place - 1.0) ** _U_POWER
        shape = 1.0 + _U_DEPTH * ((1.0 + _U_POWER) * bowl - 1.0)
    shape /= shape.mean()
    shape.flags.writeable = False
    return shape


def _exchange_hours(scenario: Scenario) -> Sessions:
    """Return the exchange's sessions from a scenario's first one until after its last expiry."""
    return sessions_between(scenario.hours, start_of(scenario.first_day), _horizon_ns(scenario))


def _horizon_ns(scenario: Scenario) -> int:
    chain = scenario.chain
    ahead = 2 * (scenario.days + chain.daily_expiries) + _DAYS_PER_WEEK * chain.weekly_expiries
    last = start_of(scenario.first_day) + (ahead + _LONGEST_BREAK_DAYS) * DAY_NS
    return max(last, *(start_of(day) + _DAYS_PER_WEEK * DAY_NS for day in chain.expiries), 0)


def _exchange_clock(
    hours: Sessions, overnight_share: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return instants, and the index's own time at each, linear between them."""
    full_ns = FULL_SESSION_SECONDS[hours.calendar] * SECOND_NS
    open_share = (1.0 - overnight_share) * (hours.close_ns - hours.open_ns) / full_ns
    steps = np.column_stack((np.full(open_share.size, overnight_share), open_share))
    knots = np.column_stack((hours.open_ns, hours.close_ns))
    return knots.ravel(), np.cumsum(steps.ravel()) / SESSIONS_PER_YEAR
