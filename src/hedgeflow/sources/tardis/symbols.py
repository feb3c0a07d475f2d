"""What the symbols of an exchange name, and how many underlying units an amount of one is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from hedgeflow.market.contracts import (
    HedgeKind,
    OptionContract,
    hedge_instrument,
    parse_deribit_option,
)
from hedgeflow.market.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

VENUES: Final = {
    "binance-futures": "binance",
    "binance-delivery": "binance",
    "okex-swap": "okx",
    "okex-futures": "okx",
    "okex-options": "okx",
}
"""Venue of an exchange of Tardis's whose name is another."""

DAY: Final = r"\d{1,2}[A-Z]{3}\d{2}"


class Unit(StrEnum):
    """What an amount of one is worth."""

    COINS = "coins"
    QUOTE = "quote"
    """Units of the quote currency: an inverse contract."""


@dataclass(frozen=True, slots=True)
class Size:
    """What an amount of one is worth: `number` coins, or `number` units of the quote currency."""

    unit: Unit
    number: float


@dataclass(frozen=True, slots=True)
class Listed:
    """What a symbol names.

    Attributes
    ----------
    symbol : str
        As the exchange writes it.
    venue, underlying, instrument : str
        For the tape's key; options carry their underlying as instrument.
    kind : HedgeKind or None
        None for an option.
    size : Size
    contract : OptionContract or None
    """

    symbol: str
    venue: str
    underlying: str
    instrument: str
    kind: HedgeKind | None
    size: Size
    contract: OptionContract | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A symbol that makes no tape, and what it is in words."""

    symbol: str
    what: str


COIN: Final = Size(Unit.COINS, 1.0)
DOLLAR: Final = Size(Unit.QUOTE, 1.0)


def named_by(
    exchange: str, symbol: str, *, instrument: str | None = None, size: Size | None = None
) -> Listed | LeftOut:
    """Return what a symbol of an exchange names.

    Parameters
    ----------
    exchange : str
        By Tardis's name.
    symbol : str
    instrument : str, optional
        The hedge instrument that it is, where that was said.
    size : Size, optional
        What an amount is worth, where that was said; used only where it is not known here.

    Raises
    ------
    DataError
        How many underlying units an amount is cannot be told from the symbol; or it is known, and
        was said all the same.
    """
    venue = VENUES.get(exchange, exchange)
    found = _LISTINGS[exchange](symbol, venue) if exchange in _LISTINGS else None
    if isinstance(found, LeftOut):
        return found
    if found is not None and found.contract is not None:
        if instrument is not None or size is not None:
            raise DataError(
                f"{symbol} is an option, which takes no instrument and no contract size",
                where=exchange,
                hint="Import the file of the instrument apart",
            )
        return found
    if found is None:
        if size is None or instrument is None:
            raise DataError(
                f"the contract size of {symbol} on {exchange} is not known",
                where=exchange,
                hint="Say --instrument and --contract-size (coins) or --contract-value (quote"
                " currency) that an amount of 1 is",
            )
        hedge = hedge_instrument(instrument, venue)
        return Listed(symbol, venue, hedge.underlying, instrument, hedge.kind, size)
    if size is not None:
        raise DataError(
            f"the contract size of {symbol} on {exchange} is known: an amount of 1 is"
            f" {found.size.number:g} {found.size.unit}",
            where=exchange,
            hint="Leave --contract-size and --contract-value out",
        )
    if instrument is None:
        return found
    return replace(found, instrument=instrument)


def _deribit(symbol: str, venue: str) -> Listed | LeftOut | None:
    perpetual = re.fullmatch(r"([A-Z0-9]+)(_[A-Z]+)?-PERPETUAL", symbol)
    if perpetual is not None:
        coin, quote = perpetual[1], perpetual[2]
        name = f"{coin}-PERP" if quote is None else f"{coin}-{quote[1:]}-PERP"
        size = DOLLAR if quote is None else COIN
        return Listed(symbol, venue, coin, name, HedgeKind.PERPETUAL, size)
    future = re.fullmatch(rf"([A-Z0-9]+)(_[A-Z]+)?-{DAY}", symbol)
    if future is not None:
        size = DOLLAR if future[2] is None else COIN
        return Listed(symbol, venue, future[1], symbol, HedgeKind.FUTURE, size)
    if re.fullmatch(rf"[A-Z0-9]+_[A-Z]+-{DAY}-[0-9dD]+-[CP]", symbol):
        return LeftOut(symbol, "linear options")
    try:
        contract = parse_deribit_option(symbol)
    except DataError:
        return LeftOut(symbol, "combinations, spot pairs and others")
    return Listed(symbol, venue, contract.underlying, contract.underlying, None, COIN, contract)


def _binance_futures(symbol: str, venue: str) -> Listed | LeftOut | None:
    found = re.fullmatch(r"([A-Z0-9]+?)(USDT|USDC|BUSD)(_\d{6})?", symbol)
    if found is None:
        return None
    coin, quote, delivery = found.groups()
    if delivery is not None:
        return Listed(symbol, venue, coin, symbol, HedgeKind.FUTURE, COIN)
    return _linear(symbol, venue, coin, quote)


def _bybit(symbol: str, venue: str) -> Listed | LeftOut | None:
    linear = re.fullmatch(r"([A-Z0-9]+?)(USDT|PERP)", symbol)
    if linear is not None:
        return _linear(symbol, venue, linear[1], linear[2].replace("PERP", "USDC"))
    inverse = re.fullmatch(r"([A-Z0-9]+?)USD", symbol)
    if inverse is None:
        return None
    coin = inverse[1]
    return Listed(symbol, venue, coin, f"{coin}-USD-PERP", HedgeKind.PERPETUAL, DOLLAR)


def _bitmex(symbol: str, venue: str) -> Listed | LeftOut | None:
    if symbol != "XBTUSD":
        return None
    return Listed(symbol, venue, "BTC", "BTC-PERP", HedgeKind.PERPETUAL, DOLLAR)


def _hyperliquid(symbol: str, venue: str) -> Listed | LeftOut | None:
    if not re.fullmatch(r"[A-Za-z0-9]+", symbol):
        return None
    return Listed(symbol, venue, symbol, f"{symbol}-PERP", HedgeKind.PERPETUAL, COIN)


def _linear(symbol: str, venue: str, coin: str, quote: str) -> Listed:
    """Return a perpetual quoted and paid in a stablecoin; the one in USDT is the coin's own."""
    name = f"{coin}-PERP" if quote == "USDT" else f"{coin}-{quote}-PERP"
    return Listed(symbol, venue, coin, name, HedgeKind.PERPETUAL, COIN)


_LISTINGS: Final[dict[str, Callable[[str, str], Listed | LeftOut | None]]] = {
    "binance-futures": _binance_futures,
    "bitmex": _bitmex,
    "bybit": _bybit,
    "deribit": _deribit,
    "hyperliquid": _hyperliquid,
}
"""What is known of contract sizes, from the exchanges' contract specifications.

Deribit: amounts of coin-margined futures and perpetuals are in USD, of others in coins, of options
in contracts of one coin. Binance USDⓈ-M and Bybit linear: coins. Bybit inverse and BitMEX XBTUSD:
contracts of 1 USD. Hyperliquid: coins.
"""
