"""Symbols of exchanges: what they name, and what an amount of one is worth."""

from __future__ import annotations

import pytest

from hedgeflow.market import DataError
from hedgeflow.sources.tardis.symbols import LeftOut, Listed, Size, Unit, named_by


@pytest.mark.parametrize(
    ("exchange", "symbol", "named", "unit"),
    [
        ("deribit", "BTC-PERPETUAL", ("deribit", "BTC", "BTC-PERP"), "quote"),
        ("deribit", "SOL_USDC-PERPETUAL", ("deribit", "SOL", "SOL-USDC-PERP"), "coins"),
        ("deribit", "BTC-27DEC24", ("deribit", "BTC", "BTC-27DEC24"), "quote"),
        ("deribit", "BTC-28JUN24-60000-C", ("deribit", "BTC", "BTC"), "coins"),
        ("binance-futures", "BTCUSDT", ("binance", "BTC", "BTC-PERP"), "coins"),
        ("binance-futures", "1000SHIBUSDC", ("binance", "1000SHIB", "1000SHIB-USDC-PERP"), "coins"),
        ("binance-futures", "ETHUSDT_240628", ("binance", "ETH", "ETHUSDT_240628"), "coins"),
        ("bybit", "BTCUSDT", ("bybit", "BTC", "BTC-PERP"), "coins"),
        ("bybit", "BTCPERP", ("bybit", "BTC", "BTC-USDC-PERP"), "coins"),
        ("bybit", "BTCUSD", ("bybit", "BTC", "BTC-USD-PERP"), "quote"),
        ("bitmex", "XBTUSD", ("bitmex", "BTC", "BTC-PERP"), "quote"),
        ("hyperliquid", "SOL", ("hyperliquid", "SOL", "SOL-PERP"), "coins"),
    ],
)
def test_known_symbols(exchange, symbol, named, unit):
    found = named_by(exchange, symbol)
    assert isinstance(found, Listed)
    assert (found.venue, found.underlying, found.instrument) == named
    assert found.size == Size(Unit(unit), 1.0)


@pytest.mark.parametrize(
    ("symbol", "what"),
    [
        ("BTC_USDC-29MAY26-80000-C", "linear options"),
        ("AVAX_USDC-29MAY26-8d6-P", "linear options"),
        ("BTC-CS-19MAY26-70000_75000", "combinations, spot pairs and others"),
        ("BTC_USDC", "combinations, spot pairs and others"),
    ],
)
def test_what_makes_no_tape_is_left_out(symbol, what):
    assert named_by("deribit", symbol) == LeftOut(symbol, what)


@pytest.mark.parametrize(
    ("exchange", "symbol"),
    [
        ("bitmex", "ETHUSD"),
        ("okex-swap", "BTC-USDT-SWAP"),
        ("binance-delivery", "BTCUSD_PERP"),
        ("bybit", "BTCUSDH25"),
        ("binance", "BTCUSDT"),
    ],
)
def test_a_contract_size_is_never_guessed(exchange, symbol):
    with pytest.raises(DataError, match=f"contract size of {symbol} on {exchange} is not known"):
        named_by(exchange, symbol)


def test_what_is_said_of_an_unknown_symbol_counts():
    found = named_by(
        "okex-swap", "BTC-USDT-SWAP", instrument="BTC-PERP", size=Size(Unit.COINS, 0.01)
    )
    assert isinstance(found, Listed)
    assert (found.venue, found.underlying, found.size.number) == ("okx", "BTC", 0.01)


@pytest.mark.parametrize("said", [{"instrument": "BTC-PERP"}, {"size": Size(Unit.COINS, 0.01)}])
def test_what_is_said_of_an_option_is_refused(said):
    with pytest.raises(DataError, match="is an option"):
        named_by("deribit", "BTC-28JUN24-60000-C", **said)
