"""Calendars that users bring: CSV, or iCalendar as public feeds write it."""

from __future__ import annotations

import csv
import io
import zoneinfo
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Final

from hedgeflow.market.errors import ConfigError, DataError
from hedgeflow.market.time import instant_ns
from hedgeflow.risk.calendars import Calendar, CalendarKind, ScheduledEvent

COLUMNS: Final = ("at", "kind", "name", "underlying")
ICALENDAR_SUFFIXES: Final = frozenset({".ics", ".ical", ".ifb"})
ICALENDAR_START: Final = "BEGIN:VCALENDAR"


def read_calendar(
    path: Path,
    *,
    kind: CalendarKind | None = None,
    timezone: str | None = None,
    until_ns: int | None = None,
) -> Calendar:
    """Return the calendar in a CSV or iCalendar file.

    CSV has the columns at, kind, name, underlying: `at` is ISO 8601, `kind` is earnings or
    release, `underlying` is required for earnings and may be empty for a release, which then
    concerns every underlying. A date without a time stands for the whole day.

    Parameters
    ----------
    path : Path
    kind : CalendarKind, optional
        What events are that do not say it themselves.
    timezone : str, optional
        IANA name of the zone of dates, and of times that state none.
    until_ns : int, optional
        Events that recur are listed up to here, UTC nanoseconds; without it only such as end.

    Raises
    ------
    DataError
        The file cannot be read, or an event does not say when, what or of whom it is; the line or
        the event is named.
    ConfigError
        There is no such time zone.
    """
    zone = None if timezone is None else _zone(timezone)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as cause:
        raise DataError(f"the calendar cannot be read: {cause}", where=str(path)) from cause
    named = path.suffix.lower() in ICALENDAR_SUFFIXES
    if named or text.lstrip()[: len(ICALENDAR_START)].upper() == ICALENDAR_START:
        # Heavy, and only where it is needed.
        from hedgeflow.risk.icalendar_files import icalendar_events

        return Calendar(
            icalendar_events(text, where=str(path), kind=kind, zone=zone, until_ns=until_ns)
        )
    return Calendar(_csv_events(text, str(path), kind, zone))


def span_ns(
    moment: date | datetime, zone: tzinfo | None, *, where: str, days: int = 1
) -> tuple[int, int]:
    """Return when a moment begins and how long it is: 0, or the length of its date.

    Parameters
    ----------
    moment : date or datetime
    zone : tzinfo or None
        Of a date, or of a time that states none.
    where : str
        For the message.
    days : int
        How many dates, this one being the first.

    Raises
    ------
    DataError
        The moment states no time zone and none is known.
    """
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        at_ns = instant_ns(moment)
        return at_ns, 0
    if zone is None:
        raise DataError(
            f"'{moment}' is not an instant: it states no time zone",
            where=where,
            hint="Name it with --calendar-timezone, as in America/New_York",
        )
    if isinstance(moment, datetime):
        return instant_ns(moment.replace(tzinfo=zone)), 0
    midnights = (datetime.combine(moment + timedelta(days=n), time(), zone) for n in (0, days))
    at_ns, end_ns = (instant_ns(midnight) for midnight in midnights)
    return at_ns, end_ns - at_ns


def _zone(name: str) -> tzinfo:
    if name not in zoneinfo.available_timezones():
        raise ConfigError(
            f"there is no time zone '{name}'",
            where="--calendar-timezone",
            hint="Use an IANA name such as America/New_York",
        )
    return zoneinfo.ZoneInfo(name)


def _csv_events(
    text: str, where: str, kind: CalendarKind | None, zone: tzinfo | None
) -> list[ScheduledEvent]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                f"missing {', '.join(missing)}",
                where=where,
                hint=f"The first line must be {','.join(COLUMNS)}",
            )
        return [_csv_event(row, f"{where}:{reader.line_num}", kind, zone) for row in reader]
    except csv.Error as cause:
        raise DataError(f"the calendar cannot be read: {cause}", where=where) from cause


def _csv_event(
    row: dict[str, str | None], where: str, kind: CalendarKind | None, zone: tzinfo | None
) -> ScheduledEvent:
    text = {name: (row[name] or "").strip() for name in COLUMNS}
    at_ns, length_ns = span_ns(_moment(text["at"], where), zone, where=where)
    try:
        kind = kind if kind and not text["kind"] else CalendarKind(text["kind"].lower())
    except ValueError as cause:
        raise DataError(
            f"'{text['kind']}' is no kind of event", where=where, hint="Use earnings or release"
        ) from cause
    underlying = text["underlying"].upper()
    if kind is CalendarKind.EARNINGS and not underlying:
        raise DataError("earnings must name their underlying", where=where)
    return ScheduledEvent(at_ns, kind, text["name"], underlying, length_ns)


def _moment(text: str, where: str) -> date | datetime:
    for form in (date, datetime):
        try:
            return form.fromisoformat(text)
        except ValueError:
            continue
    raise DataError(
        f"'{text}' is not an instant",
        where=where,
        hint="Write it with its time zone, as in 2025-04-10T12:30:00Z",
    )
