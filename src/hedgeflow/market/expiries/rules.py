"""On which dates options of a cycle expire: weekdays, third Fridays, month ends, and holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

from hedgeflow.market.expiries.calendars import closed_run, trading_day

if TYPE_CHECKING:
    from collections.abc import Callable

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = range(5)
WEEKDAYS: Final = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
ALL_MONTHS: Final = frozenset(range(1, 13))
QUARTERLY_MONTHS: Final = frozenset({3, 6, 9, 12})
SERIAL_MONTHS: Final = ALL_MONTHS - QUARTERLY_MONTHS
THIRD_FRIDAY_DAYS: Final = range(15, 22)
ONE_DAY: Final = timedelta(days=1)
ONE_WEEK: Final = timedelta(days=7)


class Cycle(IntEnum):
    """What an expiry is called; of two on one date and instant the higher name is told."""

    DAILY = 0
    WEEKLY = 1
    END_OF_MONTH = 2
    MONTHLY = 3
    QUARTERLY = 4

    @property
    def words(self) -> str:
        """The name as users read it."""
        return self.name.lower().replace("_", " ")


class Recurs(StrEnum):
    """Which days of the calendar a rule names."""

    DAILY = "daily"
    WEEKLY = "weekly"
    THIRD = "third"
    LAST = "last"
    MONTH_END = "month-end"


class Shift(IntEnum):
    """Where an expiry goes whose day is a holiday."""

    BEFORE = -1
    AFTER = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """Days of the calendar, holidays not yet considered.

    Attributes
    ----------
    recurs : Recurs
    weekday : int
        0 for Monday; unused for daily and month ends.
    months : frozenset of int
    unless : Rule, optional
        A day is left out if this rule names a day of the same week: weekly options are not
        listed beside the monthly ones.
    days_before : int
        The rule names the day so many days before each of its dates, once those have moved for
        holidays: options on VIX expire 30 days before options on the S&P 500 do.
    """

    recurs: Recurs
    weekday: int = FRIDAY
    months: frozenset[int] = ALL_MONTHS
    unless: Rule | None = None
    days_before: int = 0

    def names(self, day: date, calendar: str) -> bool:
        """Say whether the rule names a day of the calendar."""
        if self.days_before:
            ahead = day + timedelta(days=self.days_before)
            return falls_on(Rule(self.recurs, self.weekday, self.months), ahead, calendar) and (
                self.unless is None or not self.unless.names_in_week_of(day, calendar)
            )
        named = day.month in self.months and _NAMED[self.recurs](day, self.weekday)
        return named and (self.unless is None or not self.unless.names_in_week_of(day, calendar))

    def names_in_week_of(self, day: date, calendar: str) -> bool:
        """Say whether the rule names a day of a day's week, Monday to Sunday."""
        monday = day - timedelta(days=day.weekday())
        return any(self.names(monday + count * ONE_DAY, calendar) for count in range(7))


_NAMED: Final[dict[Recurs, Callable[[date, int], bool]]] = {
    Recurs.DAILY: lambda _day, _weekday: True,
    Recurs.WEEKLY: lambda day, weekday: day.weekday() == weekday,
    Recurs.THIRD: lambda day, weekday: day.weekday() == weekday and day.day in THIRD_FRIDAY_DAYS,
    Recurs.LAST: lambda day, weekday: (
        day.weekday() == weekday and (day + ONE_WEEK).month != day.month
    ),
    Recurs.MONTH_END: lambda day, _weekday: (day + ONE_DAY).month != day.month,
}


def falls_on(rule: Rule, day: date, calendar: str, shift: Shift = Shift.BEFORE) -> bool:
    """Say whether a rule's date, moved off holidays, is a day.

    A session stands for itself and for the closed days right after it, from which expiries move
    back (`Shift.BEFORE`), or right before it (`Shift.AFTER`).
    """
    if trading_day(calendar, day) is None:
        return False
    step = -int(shift) * ONE_DAY
    return any(rule.names(each, calendar) for each in (day, *closed_run(calendar, day, step)))


def is_third_friday(day: date) -> bool:
    """Say whether a day is the third Friday of its month; holidays are not considered."""
    return day.weekday() == FRIDAY and day.day in THIRD_FRIDAY_DAYS
