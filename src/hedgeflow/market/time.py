"""Units of time: every instant is UTC nanoseconds since 1970, every duration an integer of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS
YEAR_NS: Final = 365 * DAY_NS
"""The 365-day year of option time (precise.md 5)."""

SLOT_NS: Final = 5 * MINUTE_NS
"""The 5-minute slot in which volume is compared (precise.md 3)."""

SLOTS_PER_BUCKET: Final = 6
"""Slots in a 30-minute time-of-day bucket (precise.md 3)."""


def instant_ns(moment: datetime) -> int:
    """Return an aware datetime as UTC nanoseconds, exact to the microsecond."""
    if moment.tzinfo is None:
        message = f"moment must carry a time zone, was {moment!r}"
        raise ValueError(message)
    span = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return ((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds) * 1_000


def moment_of(instant: int) -> datetime:
    """Return UTC nanoseconds as an aware datetime, floored to the microsecond."""
    seconds, rest = divmod(instant, SECOND_NS)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest // 1_000)


def iso(instant: int) -> str:
    """Return UTC nanoseconds as ISO 8601 with a trailing Z; whole seconds carry no fraction."""
    moment = moment_of(instant)
    form = "%Y-%m-%dT%H:%M:%SZ" if moment.microsecond == 0 else "%Y-%m-%dT%H:%M:%S.%fZ"
    return moment.strftime(form)
