"""Calendars that users bring: earnings and scheduled economic releases."""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import instant_ns

COLUMNS: Final = ("at", "kind", "name", "underlying")


class CalendarKind(StrEnum):
    """What a scheduled event is."""

    EARNINGS = "earnings"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """One scheduled event; a release without an underlying concerns all."""

    at_ns: int
    kind: CalendarKind
    name: str
    underlying: str


class Calendar:
    """Scheduled events, known in advance.

    Parameters
    ----------
    events : iterable of ScheduledEvent
        In any order.
    """

    def __init__(self, events: Iterable[ScheduledEvent]) -> None:
        self.events = tuple(sorted(events, key=lambda e: (e.at_ns, e.kind, e.underlying, e.name)))

    def has(self, kind: CalendarKind) -> bool:
        """Say whether it lists any event of a kind."""
        return any(event.kind is kind for event in self.events)

    def near(
        self, at_ns: int, kind: CalendarKind, underlying: str, within_ns: int
    ) -> ScheduledEvent | None:
        """Return the first event of a kind within a time of an instant, before or after it.

        Parameters
        ----------
        at_ns, within_ns : int
            UTC nanoseconds; both ends of the interval count.
        kind : CalendarKind
        underlying : str
            Events of another underlying do not count; those that name none concern all.
        """
        start = bisect_left(self.events, at_ns - within_ns, key=lambda event: event.at_ns)
        for event in self.events[start:]:
            if event.at_ns > at_ns + within_ns:
                return None
            if event.kind is kind and event.underlying in {"", underlying}:
                return event
        return None


def read_calendar(path: Path) -> Calendar:
    """Return the calendar in a CSV file with the columns at, kind, name, underlying.

    `at` is ISO 8601 with a time zone, `kind` is earnings or release, `underlying` is required for
    earnings and may be empty for a release, which then concerns every underlying.

    Raises
    ------
    DataError
        The file cannot be read, a column is missing, or a row is not of that form; the line is
        named.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(
                    f"missing {', '.join(missing)}",
                    where=str(path),
                    hint=f"The first line must be {','.join(COLUMNS)}",
                )
            return Calendar([_event(row, f"{path}:{reader.line_num}") for row in reader])
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        raise DataError(f"the calendar cannot be read: {cause}", where=str(path)) from cause


def _event(row: dict[str, str | None], where: str) -> ScheduledEvent:
    text = {name: (row[name] or "").strip() for name in COLUMNS}
    try:
        at_ns = instant_ns(datetime.fromisoformat(text["at"]))
    except ValueError as cause:
        raise DataError(
            f"'{text['at']}' is not an instant",
            where=where,
            hint="Write it with its time zone, as in 2025-04-10T12:30:00Z",
        ) from cause
    try:
        kind = CalendarKind(text["kind"].lower())
    except ValueError as cause:
        raise DataError(
            f"'{text['kind']}' is no kind of event", where=where, hint="Use earnings or release"
        ) from cause
    if kind is CalendarKind.EARNINGS and not text["underlying"]:
        raise DataError("earnings must name their underlying", where=where)
    return ScheduledEvent(at_ns, kind, text["name"], text["underlying"])
