"""An expiry of a root: its instant, last trade, settlement and session; what is listed when."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from hedgeflow.market.errors import ConfigError, DataError
from hedgeflow.market.expiries.calendars import (
    LAST_YEAR,
    NEW_YORK,
    TradingDay,
    session_before,
    session_on_or_before,
)
from hedgeflow.market.expiries.features import US_VENUES, Features, features_of
from hedgeflow.market.expiries.roots import ANY_STOCK, EARLIEST, ROOTS, Listing, Root
from hedgeflow.market.expiries.rules import (
    QUARTERLY_MONTHS,
    Cycle,
    Recurs,
    falls_on,
)
from hedgeflow.market.expiries.terms import Moment, SettlementKind, Terms
from hedgeflow.market.time import DAY_NS, MINUTE_NS, instant_ns, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXERCISE_DEADLINE: Final = time(17, 30)
"""Until then holders of US stock options instruct, New York, after early closes too (OCC)."""

FURTHEST_EXPIRY: Final = timedelta(days=200)
"""Every root that goes on has an expiry within so many days of any other."""

STOCK_ROOT: Final = re.compile(r"[A-Z0-9.]{1,6}")
CME_CODES: Final = {
    "ES": re.compile(r"E[1-5][A-D]|EW[1-4]?|EYC"),
    "NQ": re.compile(r"Q[1-5][A-D]|QN[1-4E]"),
    "MES": re.compile(r"EX[1-4]?"),
}
"""CME's codes of European options by future; they all end at the close."""

_EIGHT: Final = time(8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Expiry:
    """One expiry of a root.

    Attributes
    ----------
    root, underlying, venue : str
    date : datetime.date
        On which it expires, in the venue's time zone.
    expires_ns : int
        The instant at which the price that decides is fixed, UTC nanoseconds: the one to which
        time left is measured. Options on funds trade for 15 minutes more, but what they are worth
        is decided by the 16:00 close.
    last_trade_ns : int
        The end of trading in the expiring options: the session before for roots that are settled
        on opening prices.
    fixing_from_ns : int
        Start of the average that is the fixing; `expires_ns` where it is a single price.
    settlement : SettlementKind
    fixing : str
        The price that decides, in words.
    cycle : Cycle or None
        None where the date is none on which the root is known to expire: it was given.
    session_open_ns, session_close_ns : int
        The trading session of `date`; where markets never close, the 24 hours that end with the
        expiry.
    exercise_until_ns : int or None
        Until when holders may still instruct; None where nothing is decided after the expiry.
    zone : str
        The venue's time zone.
    provisional : bool
        The holidays of that year are not published yet: the date may move to the day before.
    exact : bool
        Since when this cycle is listed is known to the day.
    """

    root: str
    underlying: str
    venue: str
    date: date
    expires_ns: int
    last_trade_ns: int
    fixing_from_ns: int
    settlement: SettlementKind
    fixing: str
    cycle: Cycle | None
    session_open_ns: int
    session_close_ns: int
    exercise_until_ns: int | None
    zone: str
    provisional: bool
    exact: bool

    @property
    def features(self) -> Features:
        """Weekday, weekly, monthly or quarterly, triple witching, early close."""
        return features_of(self.date, self.venue, self.underlying)


def expiry_of(root: str, expiration: date, venue: str = "") -> Expiry:
    """Return the expiry of a root on a date that a contract states.

    A Saturday, as US contracts listed before February 2015 state it, means the Friday before
    (precise.md 29); a holiday means the session before. A date on which the root is not known to
    expire is taken as it is given. Of two expiries of a future's options on a third Friday the
    morning one is meant, unless the root is one of CME's codes of European options, as ``EW3`` with
    venue ``cme``.

    Parameters
    ----------
    root : str
        A known root, one of CME's codes, or the ticker of any US stock.
    expiration : datetime.date
    venue : str
        Of the contract, where a root could be two: ``EW`` is a stock, and at ``cme`` the month's
        end; ``BTC`` is a coin, and at ``opra`` a fund.

    Raises
    ------
    DataError
        The root is none.
    ConfigError
        The calendar does not know that year.
    """
    known = ROOTS.get(root)
    if known is not None and venue in US_VENUES and known.venue not in US_VENUES:
        known = None
    if known is None and venue == "cme":
        future = _future_of(root)
        return _expiry(future, _session(future, expiration), None, future.terms)
    if known is None and not STOCK_ROOT.fullmatch(root):
        raise DataError(f"'{root}' is no root of options", hint=_KNOWN)
    terms_of = known or ROOTS[ANY_STOCK]
    day = _session(terms_of, expiration)
    listing = next(iter(_listings_on(terms_of, day.day)), None)
    found = _expiry(terms_of, day, listing)
    return found if known else replace(found, root=root, underlying=root.rstrip("0123456789"))


def expiries_on(day: date, roots: Iterable[str] | None = None) -> tuple[Expiry, ...]:
    """Return every expiry that is listed for a date, by instant and then by root.

    Parameters
    ----------
    day : datetime.date
        In each venue's own time zone.
    roots : iterable of str, optional
        Only those; all that are known otherwise.

    Raises
    ------
    ConfigError
        A root is not known, or the date is before 2014, from where listings are kept.
    """
    if day < EARLIEST or day.year >= LAST_YEAR:
        raise ConfigError(
            f"what expired on {day} is not known",
            hint=f"Listings are kept from {EARLIEST}, calendars until {LAST_YEAR - 1}",
        )
    wanted = ROOTS.values() if roots is None else [root_named(name) for name in roots]
    found = [each for root in wanted for each in _expiries_of(root, day)]
    return tuple(sorted(found, key=lambda each: (each.expires_ns, each.root)))


def next_expiry(root: str, after_ns: int) -> Expiry | None:
    """Return a root's first expiry after an instant; None once it is no longer listed.

    Look-ahead: none; listings that were announced later than `after_ns` count from their first
    expiry on, as if they had been known.
    """
    known = root_named(root)
    first = max(moment_of(after_ns).date() - timedelta(days=1), EARLIEST)
    day = first
    while day - first <= FURTHEST_EXPIRY:
        for each in expiries_on(day, [known.name]):
            if each.expires_ns > after_ns:
                return each
        day += timedelta(days=1)
    return None


def root_named(name: str) -> Root:
    """Return a known root.

    Raises
    ------
    ConfigError
        It is none of those that are known.
    """
    if name not in ROOTS:
        raise ConfigError(f"no root '{name}' is known", hint=_KNOWN)
    return ROOTS[name]


def settlement_kind(venue: str, settlement: str) -> SettlementKind:
    """Return what happens at the expiry of a contract of a catalog.

    Parameters
    ----------
    venue, settlement : str
        As the table of contracts has them: ``cme``; ``cash`` or ``physical``.
    """
    if settlement == "cash":
        return SettlementKind.PIN_CASH
    if venue == "cme":
        return SettlementKind.FUTURES_EXERCISE
    return SettlementKind.AMERICAN_ASSIGNMENT


def fixing_minutes(underlying: str, expires_ns: int, venue: str | None = None) -> float:
    """Return how long before an expiration instant the average begins that settles it, minutes.

    0 where a single price does, or where nothing is known of such an expiry. Of several roots that
    end at one instant the longest average counts.

    Parameters
    ----------
    underlying : str
    expires_ns : int
        UTC nanoseconds.
    venue : str, optional
        Of the options; of any otherwise.
    """
    longest = 0.0
    for root in ROOTS.values():
        if root.underlying != underlying or venue not in {None, root.venue}:
            continue
        day = _session(root, moment_of(expires_ns).date())
        for terms in {root.terms, *(each.terms or root.terms for each in root.listings)}:
            if _expiry(root, day, None, terms).expires_ns == expires_ns:
                longest = max(longest, terms.fixing_minutes)
    return longest


def expiry_of_stock_option(root: str, expiration: date) -> int:
    """Return the expiration instant of a US stock or index option, UTC nanoseconds.

    The close of the expiration day's session, early closes included; the open for roots settled
    on opening prices. Saturdays and holidays as in `expiry_of`; unlike there, a ticker that is also
    the name of a coin or an index future means the US stock.
    """
    known = ROOTS.get(root)
    us_root = known if known is not None and known.venue == "opra" else ROOTS[ANY_STOCK]
    day = _session(us_root, expiration)
    return day.open_ns if us_root.terms.moment is Moment.OPEN else day.close_ns


def expiry_of_future_option(expiration: date) -> int:
    """Return the expiration instant of an option on CME equity-index futures, UTC nanoseconds.

    Quarterly options, on the third Friday of March, June, September and December or, where that is
    a holiday, the session before, end at the stock market's open (8:30 in Chicago); serial, weekly
    and end-of-month options at its close (15:00 in Chicago), early closes included.
    """
    return expiry_of("ES", expiration).expires_ns


_KNOWN: Final = f"Known are {', '.join(ROOTS)}, where {ANY_STOCK} stands for every other US stock"


def _future_of(code: str) -> Root:
    for future, codes in CME_CODES.items():
        if codes.fullmatch(code):
            return ROOTS[future]
    raise DataError(
        f"'{code}' is no code of CME's options on index futures that is known",
        hint="Known are ES, NQ, MES, MNQ, and codes as EW, EW1, E1A, EYC, QN1, QNE, Q1A, EX1",
    )


def _session(root: Root, expiration: date) -> TradingDay:
    """Return the session that a stated date means; no US session is on a Saturday."""
    return session_on_or_before(root.calendar, expiration)


def _expiries_of(root: Root, day: date) -> Iterator[Expiry]:
    """Yield a root's expiries on a date, one for each instant."""
    told: set[int] = set()
    for listing in _listings_on(root, day):
        found = _expiry(root, session_on_or_before(root.calendar, day), listing)
        if found.expires_ns not in told:
            told.add(found.expires_ns)
            yield found


@lru_cache(maxsize=65_536)
def _listings_on(root: Root, day: date) -> tuple[Listing, ...]:
    """Return the listings that expire on a date: the longest cycle, and the morning, first."""
    found = [
        each
        for each in root.listings
        if each.first <= day <= each.last and falls_on(each.rule, day, root.calendar, each.shift)
    ]
    return tuple(
        sorted(found, key=lambda each: (-each.cycle, (each.terms or root.terms).moment != "open"))
    )


def _cycle(listing: Listing, day: date) -> Cycle:
    """Return the cycle's name: monthly options of the quarter's last month are quarterly."""
    standard = listing.cycle is Cycle.MONTHLY and not listing.rule.days_before
    standard &= listing.rule.recurs in {Recurs.THIRD, Recurs.LAST}
    return Cycle.QUARTERLY if standard and day.month in QUARTERLY_MONTHS else listing.cycle


def _expiry(
    root: Root, day: TradingDay, listing: Listing | None, terms: Terms | None = None
) -> Expiry:
    terms = terms or (listing.terms if listing else None) or root.terms
    if terms.moment is Moment.EIGHT_UTC:
        expires_ns = instant_ns(datetime.combine(day.day, _EIGHT))
        opens, closes = expires_ns - DAY_NS, expires_ns
    else:
        opens, closes = day.open_ns, day.close_ns
        expires_ns = opens if terms.moment is Moment.OPEN else closes
    ends = (
        session_before(root.calendar, day.day).close_ns if terms.last_trade_before else expires_ns
    )
    by_holders = terms.settlement is SettlementKind.AMERICAN_ASSIGNMENT
    deadline = datetime.combine(day.day, EXERCISE_DEADLINE, ZoneInfo(NEW_YORK))
    return Expiry(
        root=root.name,
        underlying=root.underlying,
        venue=root.venue,
        date=day.day,
        expires_ns=expires_ns,
        last_trade_ns=ends + terms.extra_minutes * MINUTE_NS,
        fixing_from_ns=expires_ns - round(terms.fixing_minutes * MINUTE_NS),
        settlement=terms.settlement,
        fixing=terms.fixing,
        cycle=None if listing is None else _cycle(listing, day.day),
        session_open_ns=opens,
        session_close_ns=closes,
        exercise_until_ns=instant_ns(deadline) if by_holders else None,
        zone=root.zone,
        provisional=day.provisional,
        exact=listing is None or listing.exact,
    )
