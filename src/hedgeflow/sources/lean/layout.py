"""What each path of a Lean data folder means, and in which zone and scale its files are written.

Described at https://www.quantconnect.com/docs/v2/lean-engine/data-format; the time zones are the
`dataTimeZone` of Lean's market hours database, checked against the first stamps of its sample data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from hedgeflow.sources.lean.report import NotUsed

if TYPE_CHECKING:
    from pathlib import PurePath

NEW_YORK: Final = "America/New_York"
CHICAGO: Final = "America/Chicago"
SCALED: Final = 10_000.0
"""Lean writes prices of US stocks and of options on stocks and indices as integers x 10,000."""
STRIKE_SCALE: Final = 10_000.0
"""Strikes in the names of option files are x 10,000 in every asset class."""

RESOLUTION: Final = "minute"
UNIVERSES: Final = "universes"
OTHER_RESOLUTIONS: Final = frozenset({"tick", "second", "hour", "daily"})
SIDE_FOLDERS: Final = frozenset({"map_files", "factor_files", "fundamental", "shortable"})
UNKNOWN_LAYOUT: Final = (
    "unknown layout: expected is ASSET/MARKET/minute/SYMBOL/YYYYMMDD_trade.zip, or _quote,"
    " _openinterest, or ASSET/MARKET/universes/SYMBOL/YYYYMMDD.csv"
)


class Asset(StrEnum):
    """The asset classes that can be imported, by the name of their folder."""

    EQUITY = "equity"
    OPTION = "option"
    INDEX = "index"
    INDEX_OPTION = "indexoption"
    FUTURE = "future"
    FUTURE_OPTION = "futureoption"

    @property
    def is_option(self) -> bool:
        """Whether its files hold options."""
        return self in UNDERLYING_ASSET


UNDERLYING_ASSET: Final = {
    Asset.OPTION: Asset.EQUITY,
    Asset.INDEX_OPTION: Asset.INDEX,
    Asset.FUTURE_OPTION: Asset.FUTURE,
}
"""Where the prices of an option's underlying are."""

OTHER_FOLDERS: Final = frozenset(
    {
        "alternative",
        "base",
        "cfd",
        "crypto",
        "cryptofuture",
        "forex",
        "fundamental",
        "market-hours",
        "symbol-properties",
    }
)
"""Other folders of a Lean data folder, none of which holds anything for a tape of hedgeflow."""


class Content(StrEnum):
    """What a file holds, by the word in its name."""

    TRADES = "trade"
    QUOTES = "quote"
    OPEN_INTEREST = "openinterest"
    UNIVERSE = "universe"


@dataclass(frozen=True, slots=True)
class LeanMarket:
    """How the files of an asset class on a market are written.

    Attributes
    ----------
    zone : str
        The clock of the stamps, which count milliseconds since its midnight.
    price_scale : float
        What written prices are divided by.
    calendar : str
        Of the sessions that a day file records.
    published : datetime.time
        On the date of the calendar's next session, in the zone, a session's open interest is
        public: 06:30 in New York for OPRA's message, which Lean stamps so too; 16:00 UTC for
        CME's final figures, which are due by 10:00 in Chicago.
    """

    zone: str
    price_scale: float
    calendar: str
    published: time


_US_STOCKS = LeanMarket(NEW_YORK, SCALED, "XNYS", time(6, 30))
_CME = LeanMarket("UTC", 1.0, "CMES", time(16))

MARKETS: Final[dict[tuple[Asset, str], LeanMarket]] = {
    (Asset.EQUITY, "usa"): _US_STOCKS,
    (Asset.OPTION, "usa"): _US_STOCKS,
    (Asset.INDEX_OPTION, "usa"): _US_STOCKS,
    (Asset.FUTURE, "cme"): _CME,
    (Asset.FUTURE_OPTION, "cme"): _CME,
}
"""By asset class and market; index levels depend on the index, see `INDEX_ZONES`."""

INDEX_ZONES: Final = {"spx": CHICAGO}
"""Zone of an index's levels, which are not scaled: SPX begins at 08:30, in Chicago."""


@dataclass(frozen=True, slots=True)
class LeanFile:
    """One file that a tape can be made of.

    Attributes
    ----------
    path : str
        Below the Lean folder, with forward slashes.
    asset : Asset
    market : str
        Lean's name of it, `usa` or `cme`: the venue of the tapes.
    ticker : str
        Upper case: a stock, an index, the root of an option or of a future.
    month : str
        YYYYMM of the future that options are on, else empty.
    day : datetime.date
        In the zone of the market.
    content : Content
    rules : LeanMarket
    """

    path: str
    asset: Asset
    market: str
    ticker: str
    month: str
    day: date
    content: Content
    rules: LeanMarket

    @property
    def identity(self) -> tuple[str, str, str, str, str, str]:
        """What two files must not share: they would be the same day twice."""
        return (
            str(self.asset),
            self.market,
            self.ticker,
            self.month,
            str(self.day),
            str(self.content),
        )


MONTH: Final = r"\d{4}(?:0[1-9]|1[0-2])"
"""Delivery month of a future, YYYYMM."""

_DAY_FILE: Final = re.compile(
    r"(?P<day>\d{8})_(?P<content>trade|quote|openinterest)"
    r"(?:_(?P<style>american|european))?(?:\.zip)+"
)
"""Lean's own sample data has two files whose names end in .zip.zip."""
_CENTURY: Final = re.compile(r"(?:19|20)\d{6}")
_UNIVERSE_FILE: Final = re.compile(r"(?P<day>\d{8})\.csv")
_MONTH: Final = re.compile(MONTH)


def lean_file(path: PurePath) -> LeanFile:
    """Return what a path below a Lean folder means.

    Raises
    ------
    NotUsed
        No tape can be made of it; the message says why.
    """
    parts = path.parts
    if len(parts) == 1 or parts[0] in OTHER_FOLDERS:
        raise NotUsed(f"'{parts[0]}' holds no prices of stocks, indices, futures or their options")
    asset = _asset(parts[0])
    if len(parts) < 4:
        raise NotUsed(UNKNOWN_LAYOUT)
    market, folder = parts[1], parts[2]
    _check_folder(asset, folder)
    if len(parts) < 5:
        raise NotUsed(UNKNOWN_LAYOUT)
    ticker, months = parts[3], parts[4:-1]
    is_universe = folder == UNIVERSES
    found = (_UNIVERSE_FILE if is_universe else _DAY_FILE).fullmatch(path.name)
    day = day_of(found["day"]) if found else None
    expected = 1 if asset is Asset.FUTURE_OPTION else 0
    whole = len(months) == expected and all(_MONTH.fullmatch(month) for month in months)
    if found is None or day is None or not whole:
        raise NotUsed(UNKNOWN_LAYOUT)
    return LeanFile(
        path=path.as_posix(),
        asset=asset,
        market=market,
        ticker=ticker.upper(),
        month="".join(months),
        day=day,
        content=Content.UNIVERSE if is_universe else Content(found["content"]),
        rules=_rules(asset, market, ticker),
    )


def _check_folder(asset: Asset, folder: str) -> None:
    """Refuse folders of an asset class that hold nothing for a tape."""
    if folder == "margins":
        raise NotUsed("margin requirements: no tape holds them")
    if folder in SIDE_FOLDERS:
        raise NotUsed(f"'{folder}' hold no trades, quotes or open interest")
    if folder in OTHER_RESOLUTIONS:
        raise NotUsed(f"resolution '{folder}': only minute files are imported")
    if folder == UNIVERSES and not asset.is_option:
        raise NotUsed("a universe of contracts that are no options: no tape holds it")
    if folder not in {RESOLUTION, UNIVERSES}:
        raise NotUsed(UNKNOWN_LAYOUT)


def _asset(name: str) -> Asset:
    try:
        return Asset(name)
    except ValueError as cause:
        known = ", ".join(Asset)
        message = f"unknown layout: '{name}' is no asset class that is imported ({known})"
        raise NotUsed(message) from cause


def day_of(digits: str) -> date | None:
    """Return the day that digits such as 20140606 mean, of this century or the last, or None."""
    if _CENTURY.fullmatch(digits) is None:
        return None
    try:
        return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _rules(asset: Asset, market: str, ticker: str) -> LeanMarket:
    if asset is Asset.INDEX and market == "usa" and ticker in INDEX_ZONES:
        return LeanMarket(INDEX_ZONES[ticker], 1.0, "XNYS", _US_STOCKS.published)
    found = MARKETS.get((asset, market))
    if found is None:
        what = f"index '{ticker}'" if asset is Asset.INDEX else f"market '{market}' of {asset}"
        raise NotUsed(f"the time zone and sessions of {what} are not known")
    return found
