"""The roots that are known: their terms, and since when which expiries of them are listed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from hedgeflow.market.expiries.calendars import NEW_YORK, NSE, NYSE
from hedgeflow.market.expiries.rules import (
    FRIDAY,
    MONDAY,
    QUARTERLY_MONTHS,
    SERIAL_MONTHS,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Cycle,
    Recurs,
    Rule,
    Shift,
)
from hedgeflow.market.expiries.terms import (
    CLOSING_TERMS,
    DERIBIT_TERMS,
    FUND_TERMS,
    FUTURE_CLOSING_TERMS,
    FUTURE_OPENING_TERMS,
    FUTURE_SERIAL_TERMS,
    NSE_TERMS,
    OPENING_TERMS,
    STOCK_TERMS,
    VIX_TERMS,
    SettlementKind,
    Terms,
)
from hedgeflow.market.sessions import ALWAYS_OPEN

EARLIEST: Final = date(2014, 1, 1)
"""What was listed when is kept from here on."""

ALWAYS: Final = date.min
"""First expiry of cycles that are older than that."""

FOREVER: Final = date.max


@dataclass(frozen=True, slots=True)
class Listing:
    """Expiries of one cycle of a root, as long as they were listed.

    Attributes
    ----------
    cycle : Cycle
    rule : Rule
    first, last : datetime.date
        First and last expiry; `ALWAYS` where the cycle is older than what is kept.
    shift : Shift
        Where an expiry goes whose day is a holiday.
    terms : Terms, optional
        Where they are not the root's.
    exact : bool
        The first expiry is known to the day; else it is the first that the approval or the
        launch allowed, and may be off by a few weeks.
    """

    cycle: Cycle
    rule: Rule
    first: date = ALWAYS
    last: date = FOREVER
    shift: Shift = Shift.BEFORE
    terms: Terms | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Root:
    """A root of options: its underlying, venue, terms and listings.

    Attributes
    ----------
    name, underlying, venue : str
    calendar, zone : str
        exchange_calendars name (or ``24/7``) and time zone of the venue.
    terms : Terms
        Of expiries whose listing states no others.
    listings : tuple of Listing
    """

    name: str
    underlying: str
    venue: str
    calendar: str
    zone: str
    terms: Terms
    listings: tuple[Listing, ...]


# --- rules --------------------------------------------------------------------------------------

THIRD_FRIDAY: Final = Rule(Recurs.THIRD)
MONTH_END: Final = Rule(Recurs.MONTH_END)
QUARTER_END: Final = Rule(Recurs.MONTH_END, months=QUARTERLY_MONTHS)
OTHER_FRIDAYS: Final = Rule(Recurs.WEEKLY, unless=THIRD_FRIDAY)
MONTHLY: Final = Listing(Cycle.MONTHLY, THIRD_FRIDAY)
FRIDAYS: Final = Listing(Cycle.WEEKLY, OTHER_FRIDAYS)


def _weekly(weekday: int, first: date, *, exact: bool = True, last: date = FOREVER) -> Listing:
    """Return the options of a weekday; those of a Monday that is a holiday expire on Tuesday."""
    shift = Shift.AFTER if weekday == MONDAY else Shift.BEFORE
    return Listing(
        Cycle.WEEKLY, Rule(Recurs.WEEKLY, weekday), first, last, shift=shift, exact=exact
    )


def _cboe(name: str, underlying: str, terms: Terms, *listings: Listing) -> Root:
    return Root(name, underlying, "opra", NYSE, NEW_YORK, terms, listings)


def _stock(name: str, *listings: Listing, terms: Terms = STOCK_TERMS, first: date = ALWAYS) -> Root:
    """Return a stock's or fund's root: third Fridays, the other Fridays, and further listings."""
    always = (replace(MONTHLY, first=first), replace(FRIDAYS, first=first))
    return _cboe(name, name, terms, *always, *listings)


def _cme(name: str, *listings: Listing) -> Root:
    return Root(name, name, "cme", NYSE, NEW_YORK, FUTURE_CLOSING_TERMS, listings)


def _nse(name: str, *listings: Listing) -> Root:
    return Root(name, name, "nse", NSE, "Asia/Kolkata", NSE_TERMS, listings)


def _deribit(name: str, first: date, first_daily: date, *, daily_exact: bool) -> Root:
    return Root(
        name,
        name,
        "deribit",
        ALWAYS_OPEN,
        "UTC",
        DERIBIT_TERMS,
        (
            Listing(Cycle.MONTHLY, Rule(Recurs.LAST), first, exact=False),
            Listing(Cycle.WEEKLY, Rule(Recurs.WEEKLY), first, exact=False),
            Listing(Cycle.DAILY, Rule(Recurs.DAILY), first_daily, exact=daily_exact),
        ),
    )


def _last(weekday: int, first: date, last: date = FOREVER) -> Listing:
    return Listing(Cycle.MONTHLY, Rule(Recurs.LAST, weekday), first, last)


def _opening_quarterly(first: date = ALWAYS) -> Listing:
    rule = Rule(Recurs.THIRD, months=QUARTERLY_MONTHS)
    return Listing(Cycle.QUARTERLY, rule, first, terms=FUTURE_OPENING_TERMS)


_SERIAL: Final = Rule(Recurs.THIRD, months=SERIAL_MONTHS)
_QUARTERLY: Final = Rule(Recurs.THIRD, months=QUARTERLY_MONTHS)
_AMERICAN_SERIAL: Final = Listing(
    Cycle.MONTHLY, _SERIAL, last=date(2016, 9, 30), terms=FUTURE_SERIAL_TERMS, exact=False
)
_EUROPEAN_SERIAL: Final = Listing(Cycle.MONTHLY, _SERIAL, date(2016, 10, 21), exact=False)
_QUARTER_ENDS: Final = Listing(Cycle.END_OF_MONTH, QUARTER_END)
_MONTH_ENDS: Final = Listing(Cycle.END_OF_MONTH, MONTH_END)
_BEFORE_STANDARD: Final = Rule(Recurs.THIRD, days_before=30)

MEGA_CAPS: Final = ("AAPL", "AMZN", "AVGO", "GOOGL", "IBIT", "META", "MSFT", "NVDA", "TSLA")
"""With Monday and Wednesday expiries since February 2026, by Nasdaq's list for that quarter."""

TICKERS_SINCE: Final = {
    "GOOGL": date(2014, 4, 3),
    "META": date(2022, 6, 9),
    "IBIT": date(2024, 11, 19),
}
"""Days on which tickers were first used, or options on them first listed."""

ANY_STOCK: Final = "EQUITY"
"""Stands for every other US stock: standard expiries, which all have, without weekly ones."""

_MICRO_DAILY: Final = date(2023, 2, 21)

_ROOTS: Final[tuple[Root, ...]] = (
    # Cboe: Wednesdays listed 2016-02-23, Mondays 2016-08-15, Tuesdays 2022-04-18 (first expiry
    # 04-26), Thursdays 2022-05-11, at least a week ahead each; month ends 2014-07-07.
    _cboe("SPX", "SPX", OPENING_TERMS, MONTHLY),
    _cboe(
        "SPXW", "SPX", CLOSING_TERMS,
        FRIDAYS,
        Listing(Cycle.MONTHLY, THIRD_FRIDAY, date(2017, 5, 19)),  # SPXPM until 2017-04-30
        Listing(Cycle.END_OF_MONTH, MONTH_END, date(2014, 7, 31)),
        _weekly(WEDNESDAY, date(2016, 3, 2)),
        _weekly(MONDAY, date(2016, 8, 22)),
        _weekly(TUESDAY, date(2022, 4, 26)),
        _weekly(THURSDAY, date(2022, 5, 19)),
    ),
    _cboe(
        "SPXPM", "SPX", CLOSING_TERMS,
        Listing(Cycle.MONTHLY, THIRD_FRIDAY, last=date(2017, 4, 30)),
    ),
    _cboe(
        "SPXQ", "SPX", CLOSING_TERMS,
        Listing(Cycle.END_OF_MONTH, QUARTER_END, last=date(2014, 7, 2)),
    ),
    # Wednesdays listed 2018-01-30 for 02-07; every weekday announced in August 2022.
    _cboe(
        "XSP", "XSP", CLOSING_TERMS,
        MONTHLY, FRIDAYS,
        _weekly(WEDNESDAY, date(2018, 2, 7)),
        _weekly(MONDAY, date(2018, 12, 17), exact=False),
        _weekly(TUESDAY, date(2022, 9, 13), exact=False),
        _weekly(THURSDAY, date(2022, 9, 15), exact=False),
    ),
    _cboe("NDX", "NDX", OPENING_TERMS, MONTHLY),
    # PHLX: pilot of PM weeklies from 2018, NDXPM third Fridays renamed NDXP in September 2018;
    # Tuesdays and Thursdays approved on 2022-08-01.
    _cboe(
        "NDXP", "NDX", CLOSING_TERMS,
        Listing(Cycle.WEEKLY, OTHER_FRIDAYS, date(2018, 1, 26), exact=False),
        Listing(Cycle.MONTHLY, THIRD_FRIDAY, date(2018, 9, 21), exact=False),
        Listing(Cycle.END_OF_MONTH, MONTH_END, date(2018, 1, 31), exact=False),
        _weekly(MONDAY, date(2018, 1, 29), exact=False),
        _weekly(WEDNESDAY, date(2018, 1, 24), exact=False),
        _weekly(TUESDAY, date(2022, 8, 16), exact=False),
        _weekly(THURSDAY, date(2022, 8, 18), exact=False),
    ),
    _cboe("RUT", "RUT", OPENING_TERMS, MONTHLY),
    # PM Fridays listed 2016-01-21; quarter ends under this root from 2016-01-05; Tuesdays and
    # Thursdays announced for 2024-01-08.
    _cboe(
        "RUTW", "RUT", CLOSING_TERMS,
        Listing(Cycle.WEEKLY, OTHER_FRIDAYS, date(2016, 1, 29)),
        Listing(Cycle.END_OF_MONTH, QUARTER_END, date(2016, 3, 31)),
        Listing(Cycle.END_OF_MONTH, MONTH_END, date(2018, 1, 31), exact=False),
        Listing(Cycle.MONTHLY, THIRD_FRIDAY, date(2018, 9, 21), exact=False),
        _weekly(WEDNESDAY, date(2018, 2, 7), exact=False),
        _weekly(MONDAY, date(2018, 12, 17), exact=False),
        _weekly(TUESDAY, date(2024, 1, 16), exact=False),
        _weekly(THURSDAY, date(2024, 1, 18), exact=False),
    ),
    _cboe("DJX", "DJX", OPENING_TERMS, MONTHLY),
    _cboe("VIX", "VIX", VIX_TERMS, Listing(Cycle.MONTHLY, _BEFORE_STANDARD)),
    # Listed 2015-10-08; 30 days before every Friday that is not a standard one.
    _cboe(
        "VIXW", "VIX", VIX_TERMS,
        Listing(
            Cycle.WEEKLY,
            Rule(Recurs.WEEKLY, FRIDAY, unless=_BEFORE_STANDARD, days_before=30),
            date(2015, 10, 28),
            exact=False,
        ),
    ),
    # Wednesdays 2016-08-30, Mondays listed 2018-02-16; Tuesdays and Thursdays filed 2022-11-14.
    _stock(
        "SPY",
        _QUARTER_ENDS,
        _weekly(WEDNESDAY, date(2016, 9, 7), exact=False),
        _weekly(MONDAY, date(2018, 2, 26), exact=False),
        _weekly(TUESDAY, date(2022, 11, 22), exact=False),
        _weekly(THURSDAY, date(2022, 12, 1), exact=False),
        terms=FUND_TERMS,
    ),
    # Mondays and Wednesdays approved 2021-04-20.
    _stock(
        "QQQ",
        _QUARTER_ENDS,
        _weekly(MONDAY, date(2021, 5, 3), exact=False),
        _weekly(WEDNESDAY, date(2021, 5, 5), exact=False),
        _weekly(TUESDAY, date(2022, 11, 22), exact=False),
        _weekly(THURSDAY, date(2022, 12, 1), exact=False),
        terms=FUND_TERMS,
    ),
    # Mondays and Wednesdays filed 2021-09-30; Tuesdays and Thursdays filed in February 2024.
    _stock(
        "IWM",
        _QUARTER_ENDS,
        _weekly(MONDAY, date(2021, 10, 11), exact=False),
        _weekly(WEDNESDAY, date(2021, 10, 13), exact=False),
        _weekly(TUESDAY, date(2024, 6, 4), exact=False),
        _weekly(THURSDAY, date(2024, 6, 6), exact=False),
        terms=FUND_TERMS,
    ),
    _stock("DIA", _QUARTER_ENDS, terms=FUND_TERMS),
    # Nasdaq: listed 2026-01-26, first expiries Monday 02-02 and Wednesday 02-04. A date of
    # earnings may be left out.
    *(
        _stock(
            name,
            _weekly(MONDAY, date(2026, 2, 2)),
            _weekly(WEDNESDAY, date(2026, 2, 4)),
            first=TICKERS_SINCE.get(name, ALWAYS),
        )
        for name in MEGA_CAPS
    ),
    _cboe(ANY_STOCK, ANY_STOCK, STOCK_TERMS, MONTHLY),
    # CME: Wednesdays listed 2016-09-26 for 10-05, Mondays 2017-04-03 for 04-17; PM quarterlies
    # (EYC) in June 2021; third Fridays of serial months American until EW3 in 2016.
    _cme(
        "ES",
        _opening_quarterly(),
        _AMERICAN_SERIAL,
        _EUROPEAN_SERIAL,
        Listing(Cycle.QUARTERLY, _QUARTERLY, date(2021, 9, 17), exact=False),
        FRIDAYS,
        _MONTH_ENDS,
        _weekly(WEDNESDAY, date(2016, 10, 5)),
        _weekly(MONDAY, date(2017, 4, 17)),
        _weekly(TUESDAY, date(2022, 5, 3), exact=False),
        _weekly(THURSDAY, date(2022, 5, 5), exact=False),
    ),
    # Tuesdays and Thursdays announced for 2022-10-03.
    _cme(
        "NQ",
        _opening_quarterly(),
        _AMERICAN_SERIAL,
        _EUROPEAN_SERIAL,
        FRIDAYS,
        _MONTH_ENDS,
        _weekly(MONDAY, date(2021, 3, 1), exact=False),
        _weekly(WEDNESDAY, date(2021, 3, 3), exact=False),
        _weekly(TUESDAY, date(2022, 10, 4), exact=False),
        _weekly(THURSDAY, date(2022, 10, 6), exact=False),
    ),
    # Listed 2020-08-31; Mondays to Thursdays and PM quarterlies in February 2023.
    *(
        _cme(
            name,
            _opening_quarterly(date(2020, 9, 18)),
            Listing(Cycle.MONTHLY, _SERIAL, date(2020, 10, 16), exact=False),
            Listing(Cycle.QUARTERLY, _QUARTERLY, date(2023, 3, 17), exact=False),
            Listing(Cycle.WEEKLY, OTHER_FRIDAYS, date(2020, 9, 4), exact=False),
            Listing(Cycle.END_OF_MONTH, MONTH_END, date(2020, 9, 30)),
            *(_weekly(each, _MICRO_DAILY, exact=False)
              for each in (MONDAY, TUESDAY, WEDNESDAY, THURSDAY)),
        )
        for name in ("MES", "MNQ")
    ),
    # Daily options listed 2020-02-03 for 02-04; those on ETH by the policy of February 2021.
    _deribit("BTC", date(2016, 7, 1), date(2020, 2, 4), daily_exact=True),
    _deribit("ETH", date(2019, 3, 29), date(2021, 2, 25), daily_exact=False),
    # NSE circulars: weekly options of 2019-02-11; all to Tuesday from September 2025.
    _nse(
        "NIFTY",
        _last(THURSDAY, ALWAYS, date(2025, 8, 31)),
        _last(TUESDAY, date(2025, 9, 1)),
        _weekly(THURSDAY, date(2019, 2, 14), last=date(2025, 8, 31)),
        _weekly(TUESDAY, date(2025, 9, 2)),
    ),
    # Weekly options of 2016-05-27; Wednesdays from 2023-09-06, none in the week of the monthly
    # ones; monthly ones on Wednesday from March 2024, weekly ones end 2024-11-13.
    _nse(
        "BANKNIFTY",
        _last(THURSDAY, ALWAYS, date(2024, 2, 29)),
        _last(WEDNESDAY, date(2024, 3, 1), date(2024, 12, 31)),
        _last(THURSDAY, date(2025, 1, 1), date(2025, 8, 31)),
        _last(TUESDAY, date(2025, 9, 1)),
        _weekly(THURSDAY, date(2016, 6, 2), last=date(2023, 8, 31)),
        Listing(
            Cycle.WEEKLY,
            Rule(Recurs.WEEKLY, WEDNESDAY, unless=Rule(Recurs.LAST, THURSDAY)),
            date(2023, 9, 6),
            date(2024, 2, 29),
        ),
        _weekly(WEDNESDAY, date(2024, 3, 6), last=date(2024, 11, 13)),
    ),
    # Listed 2021-01-11; Tuesdays from 2021-10-19; weekly ones end 2024-11-19.
    _nse(
        "FINNIFTY",
        _last(THURSDAY, date(2021, 1, 28), date(2021, 9, 30)),
        _last(TUESDAY, date(2021, 10, 19), date(2024, 12, 31)),
        _last(THURSDAY, date(2025, 1, 1), date(2025, 8, 31)),
        _last(TUESDAY, date(2025, 9, 1)),
        _weekly(THURSDAY, date(2021, 1, 14), last=date(2021, 10, 14)),
        _weekly(TUESDAY, date(2021, 10, 19), last=date(2024, 11, 19)),
    ),
    # Kept from the move to Monday on; weekly ones end 2024-11-18.
    _nse(
        "MIDCPNIFTY",
        _last(MONDAY, date(2023, 8, 28), date(2024, 12, 31)),
        _last(THURSDAY, date(2025, 1, 1), date(2025, 8, 31)),
        _last(TUESDAY, date(2025, 9, 1)),
        Listing(
            Cycle.WEEKLY, Rule(Recurs.WEEKLY, MONDAY), date(2023, 8, 21), date(2024, 11, 18)
        ),
    ),
)  # fmt: skip

ROOTS: Final[dict[str, Root]] = {root.name: root for root in _ROOTS}
"""Every known root by its name."""

INDEX_OF_ROOT: Final[dict[str, str]] = {
    root.name: root.underlying
    for root in _ROOTS
    if root.venue == "opra" and root.terms.settlement is SettlementKind.PIN_CASH
}
"""Index that options of a US root are on; they are European and settle in cash."""

NSE_INDICES: Final = frozenset(root.name for root in _ROOTS if root.venue == "nse")
"""Indices of India's National Stock Exchange that options are on, by the options' symbol."""
