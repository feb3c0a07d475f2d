"""When a simulated market trades: its sessions, and how busy each second of them is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.sessions import ALWAYS_OPEN, sessions_between
from hedgeflow.market.time import DAY_NS, HOUR_NS, SECOND_NS, instant_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.scenario import Scenario

EXPIRY_HOUR_UTC: Final = 8
"""When options expire, and new ones are listed, on venues that never close."""

SECONDS_PER_DAY: Final = 86_400
SECONDS_PER_MINUTE: Final = 60

_LONGEST_BREAK_DAYS: Final = 14
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
        From when newly listed options trade, and those that expire then no longer do.
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
    first = instant_ns(datetime.combine(scenario.first_day, time(), tzinfo=UTC))
    if scenario.hours == ALWAYS_OPEN:
        starts = [first + number * DAY_NS for number in range(scenario.days)]
        listing = EXPIRY_HOUR_UTC * HOUR_NS
        return [
            Session(number, start, start + DAY_NS, start + listing)
            for number, start in enumerate(starts)
        ]
    until = first + (2 * scenario.days + _LONGEST_BREAK_DAYS) * DAY_NS
    hours = sessions_between(scenario.hours, first, until)
    bounds = zip(hours.open_ns.tolist(), hours.close_ns.tolist(), strict=True)
    every = [
        Session(number, begin, end, begin)
        for number, (begin, end) in enumerate((b, e) for b, e in bounds if b >= first)
    ]
    return every[: scenario.days]


def activity(scenario: Scenario, session: Session) -> NDArray[np.float64]:
    """Return how busy each second of a session is, with mean 1 over a whole one.

    ``humps`` is what crypto venues show over the UTC day: a large one in the American morning, a
    small one in the European. ``u`` is what exchanges show: busy at the open, busier still at the
    close.
    """
    count = session.seconds
    if scenario.day_shape == "flat":
        return np.ones(count)
    if scenario.day_shape == "humps":
        hours = (session.start_ns // SECOND_NS + np.arange(count)) % SECONDS_PER_DAY / 3600.0
        wide = 0.35 * np.cos(2.0 * np.pi * (hours - 15.0) / 24.0)
        return 1.0 + wide + 0.15 * np.cos(4.0 * np.pi * (hours - 14.0) / 24.0)
    place = (np.arange(count) + 0.5) / count
    shape = 1.0 + _U_DEPTH * ((1.0 + _U_POWER) * np.abs(2.0 * place - 1.0) ** _U_POWER - 1.0)
    return shape / shape.mean()
