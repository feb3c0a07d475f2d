"""Scheduled events in an iCalendar file (RFC 5545): zones, whole days, recurrences."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any, Final, cast

import icalendar
from dateutil.rrule import rrulestr
from icalendar.timezone import tzp

from hedgeflow.market.errors import DataError
from hedgeflow.risk.calendar_files import span_ns
from hedgeflow.risk.calendars import CalendarKind, ScheduledEvent

UNDERLYING: Final = "X-UNDERLYING"
"""The property in which a file may say whom an event concerns."""

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
MOST_OCCURRENCES: Final = 50_000

_Moment = date | datetime
_Key = int | date
"""What names an occurrence: its instant, UTC nanoseconds, or its date where no more is said."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the caller says of a file, and what its header does."""

    kind: CalendarKind | None
    zone: tzinfo | None
    until_ns: int | None


@dataclass(frozen=True, slots=True)
class _Event:
    """One VEVENT with its name for messages."""

    component: Any
    where: str
    start: _Moment

    @property
    def uid(self) -> str:
        return str(self.component.get("UID", ""))

    @property
    def summary(self) -> str:
        return " ".join(str(self.component.get("SUMMARY", "")).split())

    @property
    def cancelled(self) -> bool:
        return str(self.component.get("STATUS", "")).upper() == "CANCELLED"

    @property
    def replaces(self) -> _Moment | None:
        """The occurrence, of the event of the same UID, that it stands for."""
        return next(_moments(self.component, "RECURRENCE-ID", self.where), None)


def icalendar_events(
    text: str,
    *,
    where: str,
    kind: CalendarKind | None,
    zone: tzinfo | None,
    until_ns: int | None,
) -> list[ScheduledEvent]:
    """Return every occurrence of every event in an iCalendar text.

    An event takes place when it starts: its length is what calendar programs draw. One with a
    date only takes the whole of it, or all its dates. What it is, CATEGORIES says (EARNINGS or
    RELEASE), else a SUMMARY that begins like "AAPL earnings", else `kind`. X-UNDERLYING says whom
    it concerns; whose earnings they are, the one symbol in SUMMARY may say instead. Dates, and
    times without a zone, are in `zone`, else in the zone that the header X-WR-TIMEZONE names.
    Cancelled events are left out.

    Parameters
    ----------
    text, where : str
        The file, and its name for messages.
    kind : CalendarKind or None
    zone : tzinfo or None
    until_ns : int or None
        As in `read_calendar`.

    Raises
    ------
    DataError
        The text is no iCalendar or cut off; an event lacks start, kind, zone or underlying; a
        recurrence is of a form that is not expanded here.
    """
    found: list[ScheduledEvent] = []
    for calendar in _calendars(text, where):
        reading = _Reading(kind, zone or _header_zone(calendar), until_ns)
        events = [_event(component, where) for component in calendar.walk("VEVENT")]
        replaced = {
            (each.uid, _key(each.replaces, reading, each.where))
            for each in events
            if each.replaces is not None
        }
        for event in events:
            if not event.cancelled:
                found += _scheduled(event, reading, replaced)
    return found


def _scheduled(
    event: _Event, reading: _Reading, replaced: set[tuple[str, _Key]]
) -> Iterator[ScheduledEvent]:
    kind, underlyings = _meaning(event, reading.kind)
    days = _days(event)
    override = event.replaces is not None
    starts = [event.start] if override else _occurrences(event, reading)
    for start in starts:
        at_ns, length_ns = span_ns(start, reading.zone, where=event.where, days=days)
        if override or not {(event.uid, at_ns), (event.uid, _date(start))} & replaced:
            for underlying in sorted(underlyings):
                yield ScheduledEvent(at_ns, kind, event.summary, underlying, length_ns)


# --- what an event is ---------------------------------------------------------------------------

# Headings begin with other things in capitals: a quarter, half or fiscal year, per share.
_SYMBOL: Final = r"(?!(?:Q[1-4]|H[12]|[FC]Y\d*|EPS|US)\b)[A-Z][A-Z0-9]{0,5}(?:[.-][A-Z]{1,2})?"
_SYMBOL_EARNINGS: Final = re.compile(rf"\$?(?P<symbol>{_SYMBOL})\s+(?i:earnings)\b")
_FIRST_SYMBOL: Final = re.compile(rf"\$?(?P<symbol>{_SYMBOL})(?=\s|$)")
_BRACKETED_SYMBOL: Final = re.compile(rf"\((?P<symbol>{_SYMBOL}|\d{{4,6}})\)")
_TIMES_OF_DAY: Final = frozenset(
    {"AFTER", "AM", "AMC", "BEFORE", "BMO", "DMH", "EDT", "EST", "ET", "PM", "POST", "PRE", "TAS",
     "TBA", "TBD", "TNS", "UTC"}
)  # fmt: skip
"""What feeds write in brackets where they do not name a symbol: after the close, to be decided."""


def _meaning(event: _Event, given: CalendarKind | None) -> tuple[CalendarKind, set[str]]:
    """Return kind and underlyings, as the event says itself or, for the kind, as given."""
    categories = {str(each).strip().lower() for each in _categories(event.component)}
    kinds = [each for each in CalendarKind if each.value in categories]
    if len(kinds) > 1:
        raise DataError("its CATEGORIES name both earnings and release", where=event.where)
    by_summary = _SYMBOL_EARNINGS.match(event.summary)
    kind = kinds[0] if kinds else CalendarKind.EARNINGS if by_summary else given
    if kind is None:
        raise DataError(
            "it does not say whether it is earnings or a release",
            where=event.where,
            hint="Say it with --calendar-kind, or in the event's CATEGORIES",
        )
    listed = ",".join(str(each) for each in _written(event.component, UNDERLYING)).upper()
    named = {each.strip() for each in listed.split(",")} - {""}
    if named or kind is CalendarKind.RELEASE:
        return kind, named or {""}
    symbols = {by_summary["symbol"]} if by_summary else _symbols(event.summary)
    if len(symbols) != 1:
        said = f"of {' or of '.join(sorted(symbols))}" if symbols else "its SUMMARY has no symbol"
        raise DataError(
            f"whose earnings they are is not clear: {said}",
            where=event.where,
            hint=f"Give the event a line {UNDERLYING}:SYMBOL or a SUMMARY 'SYMBOL earnings'",
        )
    return kind, symbols


def _symbols(summary: str) -> set[str]:
    first = _FIRST_SYMBOL.match(summary)
    bracketed = {each["symbol"] for each in _BRACKETED_SYMBOL.finditer(summary)}
    return (bracketed - _TIMES_OF_DAY) | ({first["symbol"]} if first else set())


def _categories(component: Any) -> list[Any]:
    return [each for written in _written(component, "CATEGORIES") for each in written.cats]


# --- when it takes place ------------------------------------------------------------------------


def _occurrences(event: _Event, reading: _Reading) -> Iterator[_Moment]:
    """Yield every start of an event: its own, its rule's and its list's, less its exceptions."""
    left_out = {
        _key(each, reading, event.where)
        for each in _moments(event.component, "EXDATE", event.where)
    }
    listed = _moments(event.component, "RDATE", event.where)
    for start in (event.start, *listed, *_by_rule(event, reading)):
        at_ns, _ = span_ns(start, reading.zone, where=event.where)
        if not {at_ns, _date(start)} & left_out:
            yield start


def _by_rule(event: _Event, reading: _Reading) -> Iterator[_Moment]:
    """Yield the starts that RRULE gives, in local time.

    UNTIL is compared here, because many files write it in a form that RFC 5545 does not allow.
    """
    rule = event.component.get("RRULE")
    if rule is None:
        return
    if not isinstance(rule, icalendar.vRecur):
        raise DataError("its RRULE cannot be read, or it has several", where=event.where)
    parts: dict[str, Any] = dict(rule)
    ends = [reading.until_ns] if reading.until_ns is not None else []
    for until in parts.pop("UNTIL", []):
        zone = getattr(event.start, "tzinfo", None) or reading.zone
        at_ns, length_ns = span_ns(until, zone, where=event.where)
        ends.append(at_ns + max(0, length_ns - 1))
    if not ends and "COUNT" not in parts:
        raise DataError("it recurs without end", where=event.where, hint="Give its RRULE an UNTIL")
    if str(parts.get("FREQ", [""])[0]).upper() not in FREQUENCIES:
        raise DataError(
            "its RRULE is not expanded here",
            where=event.where,
            hint=f"FREQ must be {', '.join(FREQUENCIES)}",
        )
    whole_days = not isinstance(event.start, datetime)
    first_start = datetime.combine(event.start, time()) if whole_days else event.start
    try:
        starts = rrulestr(icalendar.vRecur(parts).to_ical().decode(), dtstart=first_start)
    except (ValueError, TypeError) as cause:
        raise DataError(f"its RRULE cannot be read: {cause}", where=event.where) from cause
    for number, start in enumerate(starts):
        moment = start.date() if whole_days else start
        if ends and span_ns(moment, reading.zone, where=event.where)[0] > min(ends):
            return
        if number == MOST_OCCURRENCES:
            raise DataError(f"it recurs more than {number:,} times", where=event.where)
        yield moment


def _days(event: _Event) -> int:
    """Return the length of an event that has a date only, in days."""
    if isinstance(event.start, datetime):
        return 1
    end = next(_moments(event.component, "DTEND", event.where), None)
    if end is not None:
        return max(1, (_date(end) - event.start).days)
    duration = event.component.get("DURATION")
    return max(1, duration.dt.days) if duration is not None else 1


def _key(moment: _Moment, reading: _Reading, where: str) -> _Key:
    if isinstance(moment, datetime):
        return span_ns(moment, reading.zone, where=where)[0]
    return moment


def _date(moment: _Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


# --- reading the file ---------------------------------------------------------------------------

_BEGIN_EVENT: Final = re.compile(r"^BEGIN:VEVENT\s*$", re.MULTILINE | re.IGNORECASE)
_ZONE_OF_A_DATE: Final = re.compile(
    r"^((?:DTSTART|DTEND|EXDATE|RDATE|RECURRENCE-ID)[^:\n]*?);TZID=[^;:\n]*([^:\n]*:\d{8}\s*)$",
    re.MULTILINE | re.IGNORECASE,
)
"""A date has no zone; with one, icalendar would read it as midnight."""


def _calendars(text: str, where: str) -> list[Any]:
    icalendar.use_zoneinfo()  # forgets the zones that files before this one defined
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a vendor's prefix of a zone's name is dropped
            parsed = icalendar.Calendar.from_ical(_ZONE_OF_A_DATE.sub(r"\1\2", text), multiple=True)
    except (ValueError, LookupError, TypeError, AttributeError) as cause:
        raise DataError(f"is no iCalendar file ({cause})", where=where) from cause
    calendars: list[Any] = [each for each in parsed if each.name == "VCALENDAR"]
    whole = sum(len(each.walk("VEVENT")) for each in calendars)
    if not calendars or whole != len(_BEGIN_EVENT.findall(text)):
        raise DataError(
            "is no whole iCalendar file: BEGIN:VCALENDAR … END:VCALENDAR is expected",
            where=where,
            hint="Download or export it again",
        )
    return calendars


def _header_zone(calendar: Any) -> tzinfo | None:
    name = str(calendar.get("X-WR-TIMEZONE", "")).strip()
    provider: Any = tzp
    return provider.timezone(name) if name else None


def _event(component: Any, where: str) -> _Event:
    name = component.get("SUMMARY") or component.get("UID") or "without a name"
    label = f"{where}: event '{name}'"
    starts = list(_moments(component, "DTSTART", label))
    if len(starts) != 1:
        raise DataError(f"it has {len(starts) or 'no'} DTSTART, expected one", where=label)
    if "EXRULE" in component:
        raise DataError("EXRULE is not expanded here", where=label, hint="Use EXDATE")
    replaces = component.get("RECURRENCE-ID")
    if "RANGE" in getattr(replaces, "params", {}):
        raise DataError(
            "a change of all later occurrences (RANGE) is not expanded here",
            where=label,
            hint="End the event with UNTIL and begin a new one",
        )
    return _Event(component, label, starts[0])


def _written(component: Any, name: str) -> list[Any]:
    """Return a property as often as the component has it."""
    found: Any = component.get(name, [])
    return cast("list[Any]", found) if isinstance(found, list) else [found]


def _moments(component: Any, name: str, where: str) -> Iterator[_Moment]:
    """Yield the dates and times of a property; one that names an unknown zone is refused."""
    for written in _written(component, name):
        try:
            values = [each.dt for each in written.dts]
        except ValueError as cause:
            raise DataError(f"its {name} cannot be read: {cause}", where=where) from cause
        for value in values:
            moment = cast("Any", value[0] if isinstance(value, tuple) else value)
            if not isinstance(moment, date):
                raise DataError(f"its {name} is no date or time", where=where)
            zone = written.params.get("TZID")
            if zone and isinstance(moment, datetime) and moment.tzinfo is None:
                raise DataError(
                    f"the time zone '{zone}' is neither known nor defined in the file",
                    where=where,
                    hint="Use an IANA name such as America/New_York, or add its VTIMEZONE",
                )
            yield moment
