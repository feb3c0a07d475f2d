"""What is said of exchanges is what ccxt has, and what their recorded answers count."""

from __future__ import annotations

import json

import ccxt
import pytest

from hedgeflow.market import DataError, TapeKind
from hedgeflow.sources.ccxt_history.venues import (
    INVERSE,
    KINDS,
    KNOWN,
    LINEAR,
    METHODS,
    Unit,
    check_gives,
    known_exchange,
    range_parameters,
)


@pytest.mark.parametrize("name", KNOWN)
def test_ccxt_has_what_an_exchange_is_said_to_give(name):
    exchange = getattr(ccxt, name)()
    for kind in KINDS:
        if KNOWN[name].gives(kind):
            assert exchange.has[METHODS[kind]] is True


RECORDED_CANDLES = [
    # Answers that the exchanges' documentation shows and clients recorded, with the volume in the
    # quote currency that stands beside (Bybit's linear one comes from its socket).
    ("binance", LINEAR, ["1591478520000", "0.02501300", "0.02501800", "0.02500000", "0.02500000",
                         "22.19000000", 1591478579999, "0.55490906", 40, "10.92900000",
                         "0.27336462", "0"], 0.55490906),
    ("bitget", LINEAR, ["1645911960000", "39406", "39407", "39374.5", "39379", "35.526",
                        "1399132.341"], 1399132.341),
    ("bybit", LINEAR, ["1672324800000", "16649.5", "16677", "16608", "16677", "2.081",
                       "34666.4005"], 34666.4005),
    ("bybit", INVERSE, ["1670608800000", "17071", "17073", "17027", "17055.5", "268611",
                        "15.74462667"], 268611.0),
    ("okx", INVERSE, ["1678928760000", "24341.4", "24344", "24313.2", "24323", "628", "2.5819",
                      "62800", "0"], 62800.0),
    ("okx", INVERSE, ["1678928700000", "24324.1", "24347.6", "24321.7", "24341.4", "2565",
                      "10.5401", "256500", "1"], 256500.0),
    ("backpack", LINEAR, {"close": "118294.6", "end": "2025-07-19 13:12:00", "high": "118297.6",
                          "low": "118237.5", "open": "118238", "quoteVolume": "4106.558156",
                          "start": "2025-07-19 13:09:00", "trades": "12", "volume": "0.03473"},
     4106.558156),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sub_type", "candle", "quote_volume"), RECORDED_CANDLES)
def test_the_volume_that_ccxt_reads_of_a_recorded_candle_counts_coins(
    name, sub_type, candle, quote_volume
):
    market = {"inverse": sub_type == INVERSE, "linear": sub_type == LINEAR, "type": "swap",
              "spot": False}  # fmt: skip
    _, _, high, low, _, volume = getattr(ccxt, name)().parse_ohlcv(candle, market)
    assert KNOWN[name].volume[sub_type].unit is Unit.UNDERLYING
    # The notional lies between the volume at the lowest and at the highest price.
    assert low * volume * 0.999 <= quote_volume <= high * volume * 1.001


def test_deribits_recorded_candles_count_coins(market_data):
    path = market_data / "deribit-messages" / "http_get_tradingview_chart_data.json"
    result = json.loads(path.read_text())["result"]
    rows = ccxt.deribit().convert_trading_view_to_ohlcv(
        result, "ticks", "open", "high", "low", "close", "volume", True
    )
    assert KNOWN["deribit"].volume[INVERSE].unit is Unit.UNDERLYING
    for (_, _, high, low, _, volume), dollars in zip(rows, result["cost"], strict=True):
        assert low * volume * 0.999 <= dollars <= high * volume * 1.001


RECORDED_INTEREST = [
    # (exchange, sub-type, contract size, recorded answer, value in the quote currency, price)
    ("binance", LINEAR, None, {"symbol": "BTCUSDT", "sumOpenInterest": "75375.61700000",
     "sumOpenInterestValue": "3248828883.71251440", "timestamp": 1642179900000},
     3248828883.71, 43101.9),
    ("binance", INVERSE, 100.0, {"contractType": "PERPETUAL", "sumOpenInterest": "13069401.0",
     "sumOpenInterestValue": "15796.96988405", "pair": "BTCUSD", "timestamp": 1791835200000},
     1306940100.0, 82733.6),
    ("okx", LINEAR, 0.01, ["1790550000000", "2800476.45", "28006.5419", "2360916466.88"],
     2360916466.88, 84298.7),
    ("gate", LINEAR, 10.0, {"mark_price": "0.34619", "time": "1674057000",
     "open_interest_usd": "9872386.7775", "open_interest": "2851725"}, 9872386.7775, 0.34619),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sub_type", "contract_size", "answer", "value", "price"), RECORDED_INTEREST
)
def test_the_open_interest_that_is_read_of_a_recorded_answer_counts_coins(
    name, sub_type, contract_size, answer, value, price
):
    market = {"symbol": "X", "inverse": sub_type == INVERSE, "linear": sub_type == LINEAR}
    quantity = KNOWN[name].open_interest[sub_type]
    figure = getattr(ccxt, name)().parse_open_interest(answer, market)[quantity.name]
    coins = figure * contract_size if quantity.unit is Unit.CONTRACTS else figure
    assert coins * price == pytest.approx(value, rel=1e-5)


def test_what_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(DataError, match=r"kraken: .*Known are aster, backpack, binance"):
        known_exchange("kraken")
    with pytest.raises(
        DataError, match=r"^backpack: no open interest .*It can be had from binance, bybit, gate"
    ):
        check_gives("backpack", TapeKind.OPEN_INTEREST)
    with pytest.raises(DataError, match=r"no open interest of inverse swaps.* from binance, okx$"):
        check_gives("bybit", TapeKind.OPEN_INTEREST, INVERSE)


def test_bybits_ratio_has_its_own_names_of_periods():
    more = range_parameters("bybit", TapeKind.LONG_SHORT_RATIO, "5m", 0, 1_000)
    assert more == {"period": "5min", "startTime": 0, "endTime": 999}
    with pytest.raises(DataError, match=r"no long/short ratio every 1m.*every 5m, 15m"):
        range_parameters("bybit", TapeKind.LONG_SHORT_RATIO, "1m", 0, 1_000)
