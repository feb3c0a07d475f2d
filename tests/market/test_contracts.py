"""Contracts: what a symbol names."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from hedgeflow.market import (
    ConfigError,
    DataError,
    HedgeKind,
    Right,
    Settlement,
    Style,
    hedge_instrument,
    parse_deribit_option,
)
from hedgeflow.market.contracts import osi_symbol, parse_osi_option
from hedgeflow.market.time import instant_ns, moment_of


def test_a_deribit_symbol_names_its_contract():
    contract = parse_deribit_option("BTC-9MAY25-99500-P")
    assert (contract.underlying, contract.right, contract.strike) == ("BTC", Right.PUT, 99_500.0)
    assert contract.expiry_ns == instant_ns(datetime(2025, 5, 9, 8, tzinfo=UTC))
    assert contract.inverse
    assert (contract.multiplier, contract.lot) == (1.0, 0.1)
    assert Right.PUT.sign == -Right.CALL.sign == -1


@pytest.mark.parametrize(
    "symbol",
    [
        "BTC-PERPETUAL",
        "BTC-32MAY25-99500-P",
        "BTC-9MAI25-99500-P",
        "BTC-9MAY25-99500-X",
        "BTC-9MAY25-many-C",
        "BTC-9MAY25-0-C",
        "BTC-9MAY25-nan-C",
        "SOL_USDC-9MAY25-150-C",
        "",
    ],
)
def test_what_is_no_inverse_option_is_refused(symbol):
    with pytest.raises(DataError, match=f"'{symbol}'"):
        parse_deribit_option(symbol)


@pytest.mark.parametrize(
    ("symbol", "kind", "underlying", "units"),
    [
        ("BTC-PERP", HedgeKind.PERPETUAL, "BTC", 1.0),
        ("ESH25", HedgeKind.FUTURE, "ES", 50.0),
        ("AAPL", HedgeKind.STOCK, "AAPL", 100.0),
        ("SPX", HedgeKind.INDEX, "SPX", 1.0),
        ("VIX", HedgeKind.INDEX, "VIX", 1.0),
        ("INDIAVIX", HedgeKind.INDEX, "INDIAVIX", 1.0),
        ("BTC-DVOL", HedgeKind.INDEX, "BTC-DVOL", 1.0),
        ("UVIX", HedgeKind.STOCK, "UVIX", 100.0),
    ],
)
def test_a_hedge_symbol_names_its_instrument(symbol, kind, underlying, units):
    hedge = hedge_instrument(symbol, "somewhere")
    assert (hedge.kind, hedge.underlying, hedge.units_per_contract) == (kind, underlying, units)


def test_an_index_cannot_be_traded_and_everything_else_can():
    with pytest.raises(ConfigError, match="SPX is an index: it cannot be bought or sold"):
        hedge_instrument("SPX", "usa").require_tradable()
    for symbol in ("SPY", "ESH21", "BTC-PERP"):
        hedge_instrument(symbol, "somewhere").require_tradable()


def test_an_osi_symbol_names_a_us_option():
    contract = parse_osi_option("AAPL  140606C00645000", "usa")
    assert (contract.underlying, contract.right, contract.strike) == ("AAPL", Right.CALL, 645.0)
    assert (contract.multiplier, contract.lot, contract.inverse) == (100.0, 1.0, False)
    assert (contract.style, contract.settlement) == (Style.AMERICAN, Settlement.PHYSICAL)
    assert moment_of(contract.expiry_ns) == datetime(2014, 6, 6, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "symbol", "underlying", "strike"),
    [
        ("SPXW210104P03700000", "SPXW  210104P03700000", "SPX", 3700.0),
        ("SPX   210115C03200000", "SPX   210115C03200000", "SPX", 3200.0),
        ("AAPL7 140607C00492500", "AAPL7 140607C00492500", "AAPL", 492.5),  # adjusted
        ("F  240621P00000500", "F     240621P00000500", "F", 0.5),
        ("BRK.B 240621C00400000", "BRK.B 240621C00400000", "BRK.B", 400.0),
    ],
)
def test_osi_symbols_are_padded_and_know_their_underlying(written, symbol, underlying, strike):
    contract = parse_osi_option(written, "opra")
    assert (contract.symbol, contract.underlying) == (symbol, underlying)
    assert contract.strike == strike
    assert osi_symbol(symbol[:6].strip(), EXPIRATIONS[written], contract.right, strike) == symbol


EXPIRATIONS = {
    "SPXW210104P03700000": date(2021, 1, 4),
    "SPX   210115C03200000": date(2021, 1, 15),
    "AAPL7 140607C00492500": date(2014, 6, 7),
    "F  240621P00000500": date(2024, 6, 21),
    "BRK.B 240621C00400000": date(2024, 6, 21),
}


def test_index_options_are_european_and_settle_in_cash():
    contract = parse_osi_option("SPX   210115C03200000", "usa")
    assert (contract.style, contract.settlement) == (Style.EUROPEAN, Settlement.CASH)


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "AAPL",
        "AAPL  141306C00645000",  # no 13th month
        "AAPL  140631C00645000",  # no 31st of June
        "AAPL  140606X00645000",
        "AAPL  140606C0064500",
        "AAPL  140606C00000000",
        "TOOLONGROOT140606C00645000",
    ],
)
def test_what_is_no_osi_symbol_is_refused(symbol):
    with pytest.raises(DataError, match=f"'{symbol}'"):
        parse_osi_option(symbol, "usa")
