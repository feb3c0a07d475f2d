"""Scheduled events, known in advance: earnings and economic releases."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hedgeflow.market.time import HOUR_NS, MINUTE_NS, iso


class CalendarKind(StrEnum):
    """What a scheduled event is."""

    EARNINGS = "earnings"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, order=True)
class ScheduledEvent:
    """One scheduled event; a release without an underlying concerns all.

    Attributes
    ----------
    at_ns : int
        When it takes place, UTC nanoseconds; where only its date is known, the date's first.
    kind : CalendarKind
    name, underlying : str
    length_ns : int
        0; where only its date is known, the date's length.
    """

    at_ns: int
    kind: CalendarKind
    name: str
    underlying: str
    length_ns: int = 0

    @property
    def until_ns(self) -> int:
        """When it has taken place for certain."""
        return self.at_ns + self.length_ns

    def concerns(self, kind: CalendarKind, underlying: str) -> bool:
        """Say whether it is of a kind and concerns an underlying."""
        return self.kind is kind and self.underlying in {"", underlying}


class Calendar:
    """Scheduled events, known in advance.

    Parameters
    ----------
    events : iterable of ScheduledEvent
        In any order; what several files list alike counts once.
    """

    def __init__(self, events: Iterable[ScheduledEvent]) -> None:
        self.events = tuple(sorted(set(events)))
        self._longest_ns = max((each.length_ns for each in self.events), default=0)

    def of(self, kind: CalendarKind, underlying: str | None = None) -> tuple[ScheduledEvent, ...]:
        """Return the events of a kind, those that concern an underlying if one is named."""
        return tuple(
            each
            for each in self.events
            if (each.kind is kind if underlying is None else each.concerns(kind, underlying))
        )

    def near(
        self, at_ns: int, kind: CalendarKind, underlying: str, within_ns: int
    ) -> ScheduledEvent | None:
        """Return the first event of a kind within a time of an instant, before or after it.

        An event of which only the date is known is near from that time before the date begins to
        that time after it ends.

        Parameters
        ----------
        at_ns, within_ns : int
            UTC nanoseconds; both ends of the interval count.
        kind : CalendarKind
        underlying : str
            Events of another underlying do not count; those that name none concern all.
        """
        earliest = at_ns - within_ns - self._longest_ns
        start = bisect_left(self.events, earliest, key=lambda event: event.at_ns)
        for event in self.events[start:]:
            if event.at_ns > at_ns + within_ns:
                return None
            if event.until_ns >= at_ns - within_ns and event.concerns(kind, underlying):
                return event
        return None


PLURALS: Final = {CalendarKind.EARNINGS: "earnings", CalendarKind.RELEASE: "releases"}


def calendar_sentence(
    calendar: Calendar | None,
    kind: CalendarKind,
    underlying: str,
    within_ns: int,
    period: tuple[int, int],
) -> str:
    """Return in words what a calendar knows of a period, so that silence is not taken for none.

    Parameters
    ----------
    calendar : Calendar or None
    kind : CalendarKind
    underlying : str
    within_ns : int
        How near to such an event nothing is entered.
    period : tuple of int
        The first and the last decision, UTC nanoseconds.
    """
    near = (
        f"within {within_ns / HOUR_NS:g} hours of earnings"
        if kind is CalendarKind.EARNINGS
        else f"within {within_ns / MINUTE_NS:g} minutes of a release"
    )
    untested = f"entries {near} were not looked for."
    if calendar is None:
        return f"No calendar was given: {untested}"
    every, plural = calendar.of(kind), PLURALS[kind]
    if not every:
        return f"The calendar is silent on {plural}: {untested}"
    events = calendar.of(kind, underlying)
    if not events:
        others = sorted({each.underlying for each in every})
        named = ", ".join(others[:3]) + (" and others" if len(others) > 3 else "")
        return f"The calendar lists no {plural} of {underlying}, only of {named}: {untested}"
    first_ns, last_ns = period
    begins_ns, ends_ns = every[0].at_ns, max(each.until_ns for each in every)
    tested = f"from {iso(first_ns)} to {iso(last_ns)}, the tested period"
    if ends_ns + within_ns < first_ns:
        return f"The calendar's last {plural} are of {iso(ends_ns)}, none {tested}: {untested}"
    if begins_ns - within_ns > last_ns:
        return f"The calendar's first {plural} are of {iso(begins_ns)}, none {tested}: {untested}"
    inside = sum(
        each.at_ns - within_ns <= last_ns and each.until_ns + within_ns >= first_ns
        for each in events
    )
    found = f"The calendar's {plural} that concern {underlying} {tested}: {inside:,}"
    if begins_ns <= first_ns and last_ns <= ends_ns:
        return f"{found}; no entry is {near}."
    reach = f"it reaches from {iso(begins_ns)} to {iso(ends_ns)} only"
    return f"{found}; {reach}: before and after, {untested}"
