"""Contracts: what a symbol names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hedgeflow.market import DataError, HedgeKind, Right, hedge_instrument, parse_deribit_option
from hedgeflow.market.time import instant_ns


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
    ],
)
def test_a_hedge_symbol_names_its_instrument(symbol, kind, underlying, units):
    hedge = hedge_instrument(symbol, "somewhere")
    assert (hedge.kind, hedge.underlying, hedge.units_per_contract) == (kind, underlying, units)
