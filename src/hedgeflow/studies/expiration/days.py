"""Which days are days of expiry, and which are the control beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.expiries import ROOTS, expiries_on, features_at
from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.time import DAY_NS, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from hedgeflow.studies.markets import Market

LISTED_AHEAD_DAYS: Final = 45
"""Weekly series are listed five to six weeks before they expire: so far back their strikes say
something about a day."""


class Day(NamedTuple):
    """A day at whose time of expiry a price is looked at.

    Attributes
    ----------
    instant_ns : int
    expiry_ns : int
        The expiry beside whose strikes it is measured: its own, else the next.
    is_expiry : bool
    cycle : str or None
        Of what expires on it, None where nothing that is known does.
    """

    instant_ns: int
    expiry_ns: int
    is_expiry: bool
    cycle: str | None


def days_beside_expiries(
    market: Market, expiries: Sequence[int], first_ns: int, last_ns: int
) -> tuple[list[Day], list[str]]:
    """Return the days of a market's expiries and its control days, and what to say of them.

    A control day has a close at the same time of the day, and the next expiry, beside whose strikes
    it is measured, at most `LISTED_AHEAD_DAYS` ahead. Where markets never close and options expire
    every day, days with a daily expiry alone are the control. Another day on which options expire
    that the tape does not have is neither.

    Parameters
    ----------
    market : Market
    expiries : sequence of int
        Expiration instants of its chain, UTC nanoseconds, ascending.
    first_ns, last_ns : int
        Between which prices are known.
    """
    venue, underlying = market.options.venue, market.underlying
    cycles = {at: _cycle(at, venue, underlying) for at in expiries}
    always_open = market.sessions.calendar == ALWAYS_OPEN
    if always_open:  # a daily expiry is no event of its own where there is one every day
        main = [at for at in expiries if cycles[at] != "daily"]
        start = first_ns - first_ns % DAY_NS + (expiries[0] if expiries else 0) % DAY_NS
        instants = list(range(start, last_ns + 1, DAY_NS))
    else:
        main = list(expiries)
        instants = [int(at) for at in market.sessions.close_ns]
    since = first_ns if market.from_ns is None else market.from_ns
    days = [Day(at, at, True, cycles[at]) for at in main if since <= at <= last_ns]
    dates = {_date(at) for at in main}
    others = 0
    for at in instants:
        following = next((expiry for expiry in main if expiry > at), None)
        is_near = following is not None and following - at <= LISTED_AHEAD_DAYS * DAY_NS
        if following is None or not is_near or not since <= at <= last_ns or _date(at) in dates:
            continue
        is_event = not always_open or _cycle(at, venue, underlying) != "daily"
        if is_event and _expires(underlying, _date(at)):
            others += 1
            continue
        days.append(Day(at, following, False, cycles.get(at)))
    return sorted(days), list(_notes(days, others, underlying))


def _date(at_ns: int) -> date:
    return moment_of(at_ns).date()


def _cycle(expiry_ns: int, venue: str, underlying: str) -> str:
    found = features_at(expiry_ns, venue, underlying)
    if found.quarterly:
        return "quarterly"
    return "monthly" if found.monthly else "weekly" if found.weekly else "daily"


def _expires(underlying: str, day: date) -> bool:
    """Say whether options of an underlying are known to expire on a date."""
    roots = [name for name, root in ROOTS.items() if root.underlying == underlying]
    try:
        return bool(expiries_on(day, roots))
    except ConfigError:  # listings are not kept so far back
        return False


def _notes(days: Sequence[Day], others: int, underlying: str) -> Iterator[str]:
    if any(day.cycle == "daily" for day in days if not day.is_expiry):
        yield (
            "Options expire every day here: days on which only daily options expire are the"
            " control, measured beside the strikes of the next weekly or longer expiry."
        )
    if others:
        yield (
            f"On {others:,} other days options of {underlying} expired that the tape does not have:"
            " they are neither days of expiry nor the control."
        )
