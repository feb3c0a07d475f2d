"""How near an expiry is: minutes left, the phase of its session, and the notices before it."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from hedgeflow.market.time import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgeflow.market.expiries.expiry import Expiry

NOTICE_MINUTES: Final = (120, 45, 15, 2)
"""Minutes before an expiry at which it is told (expiration-pressure.md 1)."""


class Phase(IntEnum):
    """How hard a session's expiry presses, by the part of the session that is over.

    The codes are what kernels keep; `OUTSIDE` is before the open, and the close and after.
    """

    OUTSIDE = -1
    LOW_PRESSURE = 0
    BUILDING = 1
    MODERATE = 2
    HIGH_PRESSURE = 3
    CRISIS_MODE = 4


SCHEDULE: Final[tuple[tuple[Phase, float, float], ...]] = (
    (Phase.LOW_PRESSURE, 0 / 390, 90 / 390),
    (Phase.BUILDING, 90 / 390, 270 / 390),
    (Phase.MODERATE, 270 / 390, 360 / 390),
    (Phase.HIGH_PRESSURE, 360 / 390, 375 / 390),
    (Phase.CRISIS_MODE, 375 / 390, 390 / 390),
)
"""Phases as half-open parts of a session: 9:30, 11:00, 14:00, 15:30, 15:45 and 16:00 of a full day
in New York, and the same parts of an early close or of a day that never closes."""


def check_schedule(schedule: Sequence[tuple[Phase, float, float]]) -> None:
    """Raise ValueError unless phases tile a session, 0 to 1, without gap or overlap."""
    reached = 0.0
    for phase, start, end in schedule:
        if start != reached or not end > start:
            message = f"{phase.name} runs from {start} to {end}, the phase before it to {reached}"
            raise ValueError(message)
        reached = end
    if reached != 1.0:
        message = f"the last phase ends at {reached} of the session, not at its close"
        raise ValueError(message)


check_schedule(SCHEDULE)
_PHASE_ENDS: Final = tuple(end for _, _, end in SCHEDULE)


def minutes_left(expires_ns: int, at_ns: int) -> float:
    """Return the minutes from an instant to an expiry, with their fraction; 0 at it and after.

    Nothing is cut to whole minutes and no close is assumed: the instant is the contract's own.
    """
    return (expires_ns - at_ns) / MINUTE_NS if expires_ns > at_ns else 0.0


def session_fraction(open_ns: int, close_ns: int, at_ns: int) -> float:
    """Return the part of a session that is over at an instant: 0 at its open, 1 at its close.

    Before the open it is negative, after the close above 1; an early close is a shorter session.
    """
    return (at_ns - open_ns) / (close_ns - open_ns)


def phase_of(fraction: float) -> int:
    """Return the code of the `Phase` in which a part of a session lies."""
    if fraction < 0.0 or fraction >= 1.0:
        return -1
    code = 0
    while fraction >= _PHASE_ENDS[code]:
        code += 1
    return code


def notices_between(expires_ns: int, after_ns: int, until_ns: int) -> tuple[int, ...]:
    """Return the minutes of the notices after one instant and not after another, earliest first.

    Consecutive spans tell every notice exactly once, however they are cut, and a notice that falls
    between two looks is due at the later one. None is told at the expiry or after it: who looks
    again only then has missed them.

    Look-ahead: none; only the two instants and the contract's own terms are used.
    """
    if until_ns >= expires_ns:
        return ()
    return tuple(
        minutes
        for minutes in NOTICE_MINUTES
        if after_ns < expires_ns - minutes * MINUTE_NS <= until_ns
    )


def next_notice(expires_ns: int, at_ns: int) -> tuple[int, int] | None:
    """Return minutes and instant of the first notice after an instant; None after the last."""
    for minutes in NOTICE_MINUTES:
        told_ns = expires_ns - minutes * MINUTE_NS
        if told_ns > at_ns:
            return minutes, told_ns
    return None


def after_hours_note(expiry: Expiry, at_ns: int) -> str:
    """Return what can still happen to an expired contract, or nothing.

    Holders of US stock options may exercise or refuse to until 17:30 in New York, whatever the
    close was: dealers learn of it later, and no residue of pressure is carried over.
    """
    until_ns = expiry.exercise_until_ns
    if until_ns is None or not expiry.expires_ns <= at_ns < until_ns:
        return ""
    return (
        f"{expiry.root} has expired, but its holders may instruct exercise until 17:30 New York,"
        f" for another {minutes_left(until_ns, at_ns):.0f} min"
    )
