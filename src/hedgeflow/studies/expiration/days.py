"""Which days are days of expiry, and which are the control beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from hedgeflow.evidence.wording import counted
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.expiries import ROOTS, expiries_on, features_at
from hedgeflow.market.expiries.roots import ANY_STOCK
from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.time import DAY_NS, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from hedgeflow.market.sessions import Sessions
    from hedgeflow.studies.markets import Market

LISTED_AHEAD_DAYS: Final = 45
"""Weekly series are listed five to six weeks before they expire: so far back their strikes say
something about a day."""

STOCK_VENUES: Final = frozenset({"opra", "cboe", "usa"})
"""Where US stocks, and indices of them, have options; `Root.venue` calls all of them ``opra``."""


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
    that the tape does not have is neither. A date counts once: where options expire at the open and
    others at the close, the close is looked at.

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
    last = {_date(at): at for at in main}
    twice = sum(since <= at <= last_ns and last[_date(at)] != at for at in main)
    main = list(last.values())
    days = [Day(at, at, True, cycles[at]) for at in main if since <= at <= last_ns]
    others = 0
    for at in instants:
        following = next((expiry for expiry in main if expiry > at), None)
        is_near = following is not None and following - at <= LISTED_AHEAD_DAYS * DAY_NS
        if following is None or not is_near or not since <= at <= last_ns or _date(at) in last:
            continue
        is_event = not always_open or _cycle(at, venue, underlying) != "daily"
        if is_event and expires(venue, underlying, _date(at)):
            others += 1
            continue
        days.append(Day(at, following, False, cycles.get(at)))
    return sorted(days), list(_notes(days, others, twice, underlying))


def expiry_sessions(market: Market, sessions: Sessions) -> NDArray[np.bool_]:
    """Say of each session whether options expire on its day: those of the tape, or by the calendar.

    Parameters
    ----------
    market : Market
    sessions : Sessions
        Of what is traded; an expiry at a session's close is its own.
    """
    venue, underlying = market.options.venue, market.underlying
    closes = sessions.close_ns.tolist()
    found = np.array([expires(venue, underlying, _date(at)) for at in closes], np.bool_)
    expiries = market.contracts["expiry"].dt.timestamp("ns").unique().to_numpy()
    own = sessions.index_of(expiries - 1)
    found[own[own >= 0]] = True
    return found


def expires(venue: str, underlying: str, day: date) -> bool:
    """Say whether options of an underlying are known to expire on a date.

    A US stock without listings of its own has the monthly ones that all have; before 2014 none are
    known.

    Parameters
    ----------
    venue : str
        Of the options: a coin and a US stock may have one name.
    underlying : str
    day : datetime.date
    """
    of_stocks = venue in STOCK_VENUES
    roots = [
        name
        for name, root in ROOTS.items()
        if root.underlying == underlying and (root.venue == "opra") == of_stocks
    ]
    if of_stocks and not roots:
        roots = [ANY_STOCK]
    try:
        return bool(expiries_on(day, roots))
    except ConfigError:  # listings are not kept so far back
        return False


def _date(at_ns: int) -> date:
    return moment_of(at_ns).date()


def _cycle(expiry_ns: int, venue: str, underlying: str) -> str:
    found = features_at(expiry_ns, venue, underlying)
    if found.quarterly:
        return "quarterly"
    return "monthly" if found.monthly else "weekly" if found.weekly else "daily"


def _notes(days: Sequence[Day], others: int, twice: int, underlying: str) -> Iterator[str]:
    if any(day.cycle == "daily" for day in days if not day.is_expiry):
        yield (
            "Options expire every day here: days on which only daily options expire are the"
            " control, measured beside the strikes of the next weekly or longer expiry."
        )
    if twice:
        yield (
            f"On {counted(twice, 'day')} options expired at the open and others at the close: the"
            " close is looked at, beside the strikes of those, and the day counts once."
        )
    if others:
        yield (
            f"On {others:,} other days options of {underlying} expired that the tape does not have:"
            " they are neither days of expiry nor the control."
        )
