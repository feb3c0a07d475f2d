"""Deribit's recorded messages are read; what is none of them is refused and named."""

from __future__ import annotations

import json

import msgspec
import pytest

from hedgeflow.market import DataError
from hedgeflow.wire import (
    DeribitError,
    Quote,
    Ticker,
    VolatilityIndex,
    decode_error,
    decode_notification,
    decode_trades_page,
)


@pytest.fixture(scope="module")
def recorded(market_data):
    """Return a function that gives the bytes of a recorded message."""

    def read(name):
        return (market_data / "deribit-messages" / f"{name}.json").read_bytes()

    return read


def assert_holds(trade, raw):
    """Every field that was recorded is in the decoded trade, as it was recorded."""
    decoded = msgspec.to_builtins(trade)
    legs, raw_legs = trade.legs or (), raw.get("legs", [])
    for name, value in raw.items():
        if name != "legs":
            assert decoded[name] == value, name
    assert len(legs) == len(raw_legs)
    for leg, raw_leg in zip(legs, raw_legs, strict=True):
        assert_holds(leg, raw_leg)


@pytest.mark.parametrize(
    ("name", "trades", "has_more"),
    [
        ("http_get_last_trades", 10, True),
        ("http_get_last_trades_perpetual_with_combo_tags", 7, False),
        ("http_get_last_trades_future_combo", 3, True),
        ("http_get_last_trades_option_combo", 1, False),
        ("http_get_last_trades_historical_combo", 1, False),
    ],
)
def test_recorded_pages_of_trades_are_read_whole(recorded, name, trades, has_more):
    body = recorded(name)
    page = decode_trades_page(body)
    assert (len(page.trades), page.has_more) == (trades, has_more)
    for trade, raw in zip(page.trades, json.loads(body)["result"]["trades"], strict=True):
        assert_holds(trade, raw)


@pytest.mark.parametrize("name", ["ws_trades", "ws_trades_option_combo"])
def test_recorded_trades_of_a_subscription_are_read_whole(recorded, name):
    body = recorded(name)
    sent = json.loads(body)["params"]
    notification = decode_notification(body)
    assert notification.channel == sent["channel"]
    for trade, raw in zip(notification.data, sent["data"], strict=True):
        assert_holds(trade, raw)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ws_ticker", Ticker), ("ws_quote", Quote), ("ws_volatility_index", VolatilityIndex)],
)
def test_recorded_prices_of_a_subscription_are_read(recorded, name, kind):
    body = recorded(name)
    raw = json.loads(body)["params"]["data"]
    data = decode_notification(body).data
    assert isinstance(data, kind)
    decoded = msgspec.to_builtins(data)
    shared = {field: value for field, value in decoded.items() if field in raw}
    assert shared == {field: raw[field] for field in shared}
    assert {"timestamp", *list(decoded)[:1]} <= set(shared)


def test_the_number_of_a_trade_is_in_its_id(recorded):
    [first, *_] = decode_trades_page(recorded("http_get_last_trades")).trades
    assert first.number == 284_830_839
    [first, *_] = decode_trades_page(
        recorded("http_get_last_trades_perpetual_with_combo_tags")
    ).trades
    assert first.number == 244_343_036


def test_recorded_numbers_of_trades_are_consecutive_in_an_instrument(recorded):
    for name in ("http_get_last_trades", "http_get_last_trades_perpetual_with_combo_tags"):
        numbers = sorted(trade.trade_seq for trade in decode_trades_page(recorded(name)).trades)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_recorded_error_is_known_to_pass(recorded):
    body = recorded("ws_error")
    with pytest.raises(DeribitError, match=r"too_many_requests \(code 10028\)") as caught:
        decode_trades_page(body)
    assert caught.value.is_transient
    error = decode_error(body)
    assert error is not None
    assert error.code == 10028


def test_an_error_in_the_request_does_not_pass():
    body = b'{"jsonrpc":"2.0","error":{"message":"Invalid params","code":-32602},"testnet":false}'
    with pytest.raises(DeribitError) as caught:
        decode_trades_page(body)
    assert not caught.value.is_transient


def test_trades_are_no_error(recorded):
    assert decode_error(recorded("http_get_last_trades")) is None


def spoiled(body, change):
    """Return a page whose last trade was changed."""
    message = json.loads(body)
    change(message["result"]["trades"][-1])
    return json.dumps(message).encode()


@pytest.mark.parametrize(
    "field",
    [
        "trade_id",
        "trade_seq",
        "instrument_name",
        "timestamp",
        "price",
        "amount",
        "direction",
    ],
)
def test_a_trade_without_a_needed_field_is_refused_by_name(recorded, field):
    body = spoiled(recorded("http_get_last_trades"), lambda trade: trade.pop(field))
    with pytest.raises(DataError, match=rf"missing required field `{field}`"):
        decode_trades_page(body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trade_seq", "203024596"),
        ("timestamp", "2025-12-21"),
        ("price", "2968.3"),
        ("price", None),
        ("direction", "hold"),
        ("trade_id", 284830854),
        ("trade_id", "ETH-none"),
    ],
)
def test_a_field_of_another_type_is_refused_with_its_place(recorded, field, value):
    body = spoiled(recorded("http_get_last_trades"), lambda trade: trade.__setitem__(field, value))
    with pytest.raises(DataError, match=rf"\$\.result\.trades\[9\]\.{field}"):
        decode_trades_page(body)


def test_fields_that_come_later_are_ignored(recorded):
    body = spoiled(recorded("http_get_last_trades"), lambda trade: trade.update(new=[{"a": 1}]))
    page = decode_trades_page(body)
    assert page == decode_trades_page(recorded("http_get_last_trades"))


@pytest.mark.parametrize(
    "name",
    ["http_get_order_book", "http_get_instruments", "http_get_time", "ws_subscribe_response"],
)
def test_other_recorded_answers_are_no_trades(recorded, name):
    with pytest.raises(DataError, match=r"no Deribit answer with trades.*result"):
        decode_trades_page(recorded(name))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502</body></html>",
        b"\xff\xfe",
        b'{"result": {"trades": [',
        b"[]",
        b"null",
    ],
)
def test_what_is_no_json_of_that_shape_is_quoted(body):
    with pytest.raises(DataError, match="no Deribit answer with trades"):
        decode_trades_page(body)
    with pytest.raises(DataError, match="no Deribit notification"):
        decode_notification(body)


def test_an_answer_without_result_is_refused():
    with pytest.raises(DataError, match="neither result nor error"):
        decode_trades_page(b'{"jsonrpc":"2.0","id":1}')


def test_a_channel_that_is_not_known_is_named(recorded):
    with pytest.raises(DataError, match=r"'book\.BTC-PERPETUAL\.100ms' is not known.*trades"):
        decode_notification(recorded("ws_book_snapshot"))
