"""The door: what makes a table no tape, and a row a reject."""

from __future__ import annotations

import json
import math

import polars as pl
import pytest

from builders.market_files import at_ns, hedge_trades, with_value
from hedgeflow.market import COLUMNS, DataError, TapeKind, tape_schema, validate
from hedgeflow.market.validation import REJECT_SCHEMA

MINUTES = [1, 2, 3]


@pytest.fixture
def trades():
    return hedge_trades([at_ns(minutes=minute) for minute in MINUTES], ["a", "b", "c"])


@pytest.fixture
def bars():
    stamps = [at_ns(minutes=minute) for minute in MINUTES]
    return pl.DataFrame(
        {
            "ts": stamps,
            "known_at": [stamp + 60_000_000_000 for stamp in stamps],
            "open": [10.0, 11.0, 12.0],
            "high": [12.0, 13.0, 14.0],
            "low": [9.0, 10.0, 11.0],
            "close": [11.0, 12.0, 13.0],
            "volume": [0.0, 1.0, 2.0],
        },
        schema=tape_schema(TapeKind.BARS),
    )


def reasons(frame, kind):
    checked = validate(frame, kind, where="here")
    return [tuple(row) for row in checked.rejects.select("row", "reason", "column").iter_rows()]


def test_a_right_table_passes_whole(trades, bars):
    for frame, kind in ((trades, TapeKind.HEDGE_TRADES), (bars, TapeKind.BARS)):
        checked = validate(frame, kind, where="here")
        assert checked.rows.drop("row").equals(frame)
        assert checked.rejects.is_empty()
        assert checked.rejects.schema == REJECT_SCHEMA


@pytest.mark.parametrize("kind", list(TapeKind))
def test_every_column_is_needed(kind):
    empty = pl.DataFrame(schema=tape_schema(kind))
    for column in COLUMNS[kind]:
        with pytest.raises(DataError, match=rf"here: column '{column.name}' is missing"):
            validate(empty.drop(column.name), kind, where="here")


def test_a_wrong_type_is_named(trades):
    frame = trades.with_columns(pl.col("price").cast(pl.String))
    with pytest.raises(DataError, match="column 'price' is String, expected Float64"):
        validate(frame, TapeKind.HEDGE_TRADES, where="here")


def test_an_unknown_column_is_refused(trades):
    with pytest.raises(DataError, match="column 'truth' does not belong"):
        validate(trades.with_columns(truth=1), TapeKind.HEDGE_TRADES, where="here")


def test_unsorted_times_name_the_first_offending_row(trades):
    frame = trades[[0, 2, 1]]
    with pytest.raises(
        DataError, match=r"row 2 \(2025-01-06T00:02:00Z\) follows row 1 \(2025-01-06T00:03:00Z\)"
    ):
        validate(frame, TapeKind.HEDGE_TRADES, where="here")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("price", math.nan, "NAN_PRICE"),
        ("price", math.inf, "NAN_PRICE"),
        ("price", None, "MISSING_VALUE"),
        ("price", 0.0, "NON_POSITIVE_PRICE"),
        ("price", -1.0, "NON_POSITIVE_PRICE"),
        ("size", math.nan, "NAN_VALUE"),
        ("size", 0.0, "NON_POSITIVE_QUANTITY"),
        ("aggressor", 2, "UNKNOWN_DIRECTION"),
        ("ts", None, "MISSING_VALUE"),
        ("known_at", None, "MISSING_VALUE"),
    ],
)
def test_an_impossible_trade_is_rejected(trades, column, value, reason):
    frame = with_value(trades, 1, column, value)
    assert reasons(frame, TapeKind.HEDGE_TRADES) == [(1, reason, column)]


def test_a_row_known_before_its_stamp_is_rejected(trades):
    frame = trades.with_columns(known_at=pl.col("ts") - pl.duration(nanoseconds=1))
    assert {reason for _, reason, _ in reasons(frame, TapeKind.HEDGE_TRADES)} == {
        "KNOWN_BEFORE_STAMP"
    }


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("high", 11.5, "INCONSISTENT_BAR"),
        ("low", 11.5, "INCONSISTENT_BAR"),
        ("close", math.nan, "NAN_PRICE"),
        ("volume", -1.0, "NEGATIVE_VOLUME"),
        ("volume", math.nan, "NAN_VALUE"),
    ],
)
def test_an_impossible_bar_is_rejected(bars, column, value, reason):
    assert reasons(with_value(bars, 1, column, value), TapeKind.BARS) == [(1, reason, column)]


def test_a_crossed_quote_is_rejected(trades):
    frame = trades.select("ts", "known_at", bid=pl.lit(2.0), ask=pl.lit(1.0))
    assert reasons(frame.head(1), TapeKind.HEDGE_QUOTES) == [(0, "CROSSED_QUOTE", "bid")]


SNAPSHOT = {
    "ts": at_ns(minutes=1),
    "known_at": at_ns(minutes=2),
    "contract": "BTC-18APR25-76000-P",
    "open_interest": 12.5,
    "volume": None,
    "iv": math.nan,
    "price": 0.0,
    "underlying_price": 80_000.0,
}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"open_interest": None, "price": None}, []),
        ({"open_interest": -1.0}, [(0, "NEGATIVE_VOLUME", "open_interest")]),
        ({"volume": -1.0}, [(0, "NEGATIVE_VOLUME", "volume")]),
        ({"price": -0.1}, [(0, "NEGATIVE_PRICE", "price")]),
        ({"underlying_price": 0.0}, [(0, "NON_POSITIVE_PRICE", "underlying_price")]),
        ({"underlying_price": None}, [(0, "MISSING_VALUE", "underlying_price")]),
        ({"contract": None}, [(0, "MISSING_VALUE", "contract")]),
        ({"known_at": at_ns()}, [(0, "KNOWN_BEFORE_STAMP", "known_at")]),
    ],
)
def test_a_snapshot_may_lack_values_but_never_its_underlyings_price(changed, expected):
    schema = tape_schema(TapeKind.OPTION_SNAPSHOTS)
    frame = pl.DataFrame([SNAPSHOT | changed], schema=schema)
    assert reasons(frame, TapeKind.OPTION_SNAPSHOTS) == expected


def test_a_missing_implied_volatility_is_no_reject():
    frame = pl.DataFrame(
        {name: [None] for name in tape_schema(TapeKind.OPTION_TRADES)},
        schema=tape_schema(TapeKind.OPTION_TRADES),
    ).with_columns(
        ts=pl.lit(at_ns()).cast(pl.Datetime("ns", "UTC")),
        known_at=pl.lit(at_ns()).cast(pl.Datetime("ns", "UTC")),
        contract=pl.lit("BTC-18APR25-76000-P"),
        price=0.01,
        lots=pl.lit(1, dtype=pl.Int64),
        aggressor=pl.lit(1, dtype=pl.Int8),
        underlying_price=80_000.0,
        iv=pl.lit(math.nan),
    )
    checked = validate(frame, TapeKind.OPTION_TRADES, where="here")
    assert checked.rejects.is_empty()
    assert checked.rows["iv"].to_list() == [None]


def test_rejects_keep_row_value_and_record(trades):
    frame = with_value(trades, 2, "price", -1.0)
    [reject] = validate(frame, TapeKind.HEDGE_TRADES, where="here").rejects.iter_rows(named=True)
    assert (reject["row"], reject["value"]) == (2, "-1.0")
    assert json.loads(reject["record"])["trade_id"] == "c"


def test_a_row_has_one_reason(trades):
    frame = with_value(with_value(trades, 0, "price", -1.0), 0, "size", -1.0)
    assert reasons(frame, TapeKind.HEDGE_TRADES) == [(0, "NON_POSITIVE_PRICE", "price")]
