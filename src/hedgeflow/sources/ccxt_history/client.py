"""One exchange through ccxt: its markets and its history, with patience and errors that explain.

ccxt has no types of its own worth relying on; nothing of it leaves this module.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Protocol, TypedDict, cast
from urllib.parse import urlsplit

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from hedgeflow.sources.ccxt_history.pages import MILLISECOND_NS, Row, rows_between, rows_by_offset
from hedgeflow.sources.ccxt_history.patience import (
    Answering,
    MalformedAnswerError,
    Patience,
    Sleep,
)
from hedgeflow.sources.ccxt_history.venues import (
    FUNDING_BY_OFFSET,
    INVERSE,
    LINEAR,
    METHODS,
    Quantity,
    Unit,
    check_gives,
    known_exchange,
    range_parameters,
)

TIMEFRAME: Final = re.compile(r"(?P<count>[0-9]+)(?P<unit>[smhd])")
TIMEFRAME_UNITS_NS: Final = {"s": SECOND_NS, "m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS}

TIMEOUT_MS: Final = 30_000
PAGE_ROWS: Final = 100
"""Rows to ask for at once where ccxt states no limit: every known exchange gives as many."""
OFFSET_PAGE_ROWS: Final = 1000

LEAST_FUNDING_DISTANCE_MS: Final = 1_800_000
"""Exchanges settle hourly at most; half of that leaves room for the jitter of stamps."""
USUAL_FUNDING_DISTANCE_MS: Final = 8 * 3_600_000


class _Market(TypedDict):
    """The part of ccxt's market structure that is used."""

    symbol: str
    base: str
    quote: str
    swap: bool | None
    linear: bool | None
    inverse: bool | None
    contractSize: float | None


class _Exchange(Answering, Protocol):
    """The part of ccxt's exchange class that is used, beside the methods of `METHODS`."""

    has: dict[str, Any]
    urls: dict[str, Any]
    options: dict[str, Any]
    timeframes: dict[str, Any]

    def load_markets(self) -> dict[str, _Market]: ...
    def feature_value(self, symbol: str, method: str, name: str, default: int) -> int | None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Swap:
    """A perpetual swap of an exchange.

    Attributes
    ----------
    symbol : str
        ccxt's unified symbol, as in ``BTC/USDT:USDT``.
    underlying, quote : str
    sub_type : str
        ``linear`` (paid in the quote currency) or ``inverse`` (paid in the coin).
    contract_size : float or None
        Underlying units in one contract of a linear swap.
    """

    symbol: str
    underlying: str
    quote: str
    sub_type: str
    contract_size: float | None


class CcxtHistory:
    """The history of one exchange; made by `connected`.

    Attributes
    ----------
    name : str
        ccxt's name of the exchange.
    """

    def __init__(self, name: str, exchange: _Exchange, patience: Patience) -> None:
        self.name = name
        self._exchange = exchange
        self._patience = patience
        self._known = known_exchange(name)

    @property
    def repeated(self) -> int:
        """Requests that had to be made again."""
        return self._patience.repeated

    def check_kind(self, kind: TapeKind) -> None:
        """Refuse a kind that cannot be had from the exchange.

        Raises
        ------
        DataError
            The message names exchanges that give it.
        """
        check_gives(self.name, kind)
        if self._exchange.has.get(METHODS[kind]) is not True:
            raise DataError(
                f"the installed ccxt has no {METHODS[kind]} for this exchange", where=self.name
            )

    def step_ns(self, timeframe: str) -> int:
        """Return the length of a timeframe in nanoseconds.

        Raises
        ------
        DataError
            The exchange has no such timeframe, or it does not divide a day.
        """
        there = self._exchange.timeframes
        fitting = [each for each in there if _divides_day(each)]
        if timeframe not in fitting:
            reason = "does not divide a day" if timeframe in there else "is not offered"
            raise DataError(
                f"the timeframe '{timeframe}' {reason}",
                where=self.name,
                hint=f"Use one of {', '.join(fitting)}",
            )
        return timeframe_ns(timeframe)

    def swap(self, symbol: str) -> Swap:
        """Return the perpetual swap of a unified symbol.

        Raises
        ------
        DataError
            The exchange has no such market, or it is no perpetual swap.
        """
        markets = self._patience.ask("markets", self._exchange.load_markets)
        market = markets.get(symbol)
        if market is None or market["swap"] is not True:
            swaps = [each for each, terms in markets.items() if terms["swap"] is True]
            base = symbol.split("/", maxsplit=1)[0].upper()
            near = [each for each in swaps if each.startswith(f"{base}/")]
            near = near or get_close_matches(symbol, swaps, n=5, cutoff=0.3)
            raise DataError(
                f"there is no perpetual swap '{symbol}'"
                + ("" if market is None else ": it is another kind of market"),
                where=self.name,
                hint=f"There are {', '.join(near)}" if near else f"It lists {len(swaps)} swaps",
            )
        return Swap(
            symbol=symbol,
            underlying=market["base"],
            quote=market["quote"],
            sub_type=INVERSE if market["inverse"] is True else LINEAR,
            contract_size=market["contractSize"],
        )

    def rows(
        self, kind: TapeKind, swap: Swap, timeframe: str, start_ms: int, end_ms: int
    ) -> list[Row]:
        """Return what the exchange has of a kind with ``start_ms <= stamp < end_ms``, by stamp.

        Returns
        -------
        list of Row
            Values: open, high, low, close and volume in underlying units; a rate; open interest
            in underlying units; a ratio.

        Raises
        ------
        DataError
            The exchange refuses, or answers in another form than it documents.
        DownloadError
            It does not answer, or does not serve this address.
        """
        record = self._reader(kind, swap)
        if kind is TapeKind.FUNDING and self.name in FUNDING_BY_OFFSET:
            return rows_by_offset(
                lambda offset: self._funding_page(swap, record, offset),
                start_ms,
                end_ms,
            )
        page_rows = PAGE_ROWS
        step_ms = LEAST_FUNDING_DISTANCE_MS
        page_ms = PAGE_ROWS * USUAL_FUNDING_DISTANCE_MS
        if kind is not TapeKind.FUNDING:
            step_ms = timeframe_ns(timeframe) // MILLISECOND_NS
            if kind is TapeKind.BARS:
                found = self._exchange.feature_value(swap.symbol, METHODS[kind], "limit", PAGE_ROWS)
                page_rows = found or PAGE_ROWS
            page_ms = page_rows * step_ms

        def ask(start: int, end: int) -> list[Row]:
            more = range_parameters(self.name, kind, timeframe, start, end)
            period = () if kind is TapeKind.FUNDING else (timeframe,)
            return self._ask(kind, record, swap.symbol, *period, start, page_rows, more)

        return rows_between(ask, start_ms, end_ms, step_ms=step_ms, page_ms=page_ms)

    def _funding_page(self, swap: Swap, record: Callable[[Any], Row], offset: int) -> list[Row]:
        kind = TapeKind.FUNDING
        return self._ask(kind, record, swap.symbol, None, OFFSET_PAGE_ROWS, {"offset": offset})

    def _ask(self, kind: TapeKind, record: Callable[[Any], Row], *arguments: object) -> list[Row]:
        method: Callable[..., Any] = getattr(self._exchange, METHODS[kind])
        doubted = False

        def answer() -> list[Row]:
            nonlocal doubted
            page = method(*arguments)
            if not isinstance(page, list):
                raise MalformedAnswerError(f"expected a list, got {type(page).__name__}")
            rows = [record(each) for each in cast("Sequence[Any]", page)]
            if not rows and not doubted and _holds_rows(self._exchange.last_json_response):
                # ccxt leaves out what lies before the time asked for, but what it cannot date too.
                doubted = True
                raise MalformedAnswerError("it holds rows, but none of the time asked for")
            return rows

        return self._patience.ask(kind.value.replace("_", " "), answer)

    def _reader(self, kind: TapeKind, swap: Swap) -> Callable[[Any], Row]:
        """Return what turns one record of ccxt into a row."""
        check_gives(self.name, kind, swap.sub_type)
        if kind is TapeKind.FUNDING:
            return lambda record: _figure(record, "fundingRate", 1.0)
        if kind is TapeKind.LONG_SHORT_RATIO:
            return lambda record: _figure(record, "longShortRatio", 1.0)
        if kind is TapeKind.OPEN_INTEREST:
            quantity = self._known.open_interest[swap.sub_type]
            units = self._units(quantity, swap)
            return lambda record: _figure(record, quantity.name, units)
        units = self._units(self._known.volume[swap.sub_type], swap)
        return lambda record: _bar(record, units)

    def _units(self, quantity: Quantity, swap: Swap) -> float:
        """Return the underlying units in one of what a quantity counts."""
        if quantity.unit is Unit.UNDERLYING:
            return 1.0
        if swap.contract_size is None or not swap.contract_size > 0:
            raise DataError(
                f"the exchange counts contracts of {swap.symbol}, but ccxt gives no contract size",
                where=self.name,
            )
        return swap.contract_size


@contextmanager
def connected(name: str, *, url: str | None, sleep: Sleep) -> Generator[CcxtHistory]:
    """Give the history of an exchange, and close its connections afterwards.

    Parameters
    ----------
    name : str
        ccxt's name of the exchange.
    url : str or None
        Takes the place of scheme and host in all of the exchange's addresses.
    sleep : callable

    Raises
    ------
    DataError
        There is no such exchange, nothing is known of it, or the address is none.
    """
    library: Any = importlib.import_module("ccxt")
    if name not in library.exchanges:
        near = get_close_matches(name, cast("list[str]", library.exchanges), n=3)
        raise DataError(
            f"ccxt has no exchange '{name}'",
            hint=f"Did you mean {' or '.join(near)}?" if near else "See ccxt's list of exchanges",
        )
    known = known_exchange(name)
    options: dict[str, Any] = {"defaultType": "swap"}
    if known.market_types:
        options["fetchMarkets"] = {"types": list(known.market_types)}
    settings = {
        "enableRateLimit": True,
        "enableLastJsonResponse": True,
        "timeout": TIMEOUT_MS,
        "options": options,
    }
    exchange: _Exchange = getattr(library, name)(settings)
    try:
        exchange.has["fetchCurrencies"] = False  # deposits and withdrawals are nothing to us
        if url is not None:
            exchange.urls["api"] = _moved(exchange.urls["api"], _checked(url))
        yield CcxtHistory(name, exchange, Patience(name, exchange, library, sleep))
    finally:
        exchange.close()


def timeframe_ns(timeframe: str) -> int:
    """Return the length of a timeframe such as ``5m`` or ``1d``; 0 for weeks, months and others."""
    found = TIMEFRAME.fullmatch(timeframe)
    return 0 if found is None else int(found["count"]) * TIMEFRAME_UNITS_NS[found["unit"]]


def _divides_day(timeframe: str) -> bool:
    length_ns = timeframe_ns(timeframe)
    return length_ns > 0 and DAY_NS % length_ns == 0


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise DataError(
            f"'{url}' is no address", where="--url", hint="Write one as in http://127.0.0.1:8080"
        )
    return url.rstrip("/")


def _moved(addresses: Any, url: str) -> Any:
    """Return ccxt's addresses, which may be nested, with another scheme and host."""
    if isinstance(addresses, dict):
        named = cast("dict[str, Any]", addresses)
        return {name: _moved(inner, url) for name, inner in named.items()}
    return f"{url}{urlsplit(str(addresses)).path}"


def _bar(record: Any, units: float) -> Row:
    stamp, *prices, volume = record
    if len(prices) != 4:
        raise MalformedAnswerError(f"a bar has {len(prices) + 2} fields, expected 6")
    return Row(_stamp(stamp), (*(_number(each) for each in prices), _scaled(volume, units)))


def _figure(record: Any, name: str, units: float) -> Row:
    return Row(_stamp(record["timestamp"]), (_scaled(record[name], units),))


def _holds_rows(document: Any) -> bool:
    """Say whether a JSON document has a list anywhere that is not empty."""
    if isinstance(document, dict):
        return any(_holds_rows(each) for each in cast("dict[str, Any]", document).values())
    return isinstance(document, list) and bool(cast("list[Any]", document))


def _stamp(value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise MalformedAnswerError(f"'{value}' is no time")
    return value


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _scaled(value: Any, units: float) -> float | None:
    number = _number(value)
    return None if number is None else number * units
