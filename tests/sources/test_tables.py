"""Any table: what a map makes of it, what is refused, what is never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from builders.market_files import START, file_bars, written
from hedgeflow.market import DataError, TapeKey, TapeKind, tape_schema
from hedgeflow.market.time import HOUR_NS, MINUTE_NS, SECOND_NS, instant_ns
from hedgeflow.sources import import_bars
from hedgeflow.sources.tables.columns import table_map
from hedgeflow.sources.tables.importing import import_table


@pytest.fixture
def imported(catalog, tmp_path):
    """Return a function that imports a table and returns report and tape."""

    def run(frame, *, name="table.parquet", accept=False, **options):
        path = written(frame, tmp_path, name)
        first, *_ = import_table(path, catalog, table_map(**options), accept_rejects=accept)
        return first, catalog.read(first.key, accept_rejects=True)

    return run


def prints(count=4, **columns):
    at = [START + timedelta(seconds=second) for second in range(count)]
    return pl.DataFrame(
        {
            "time": pl.Series(at, dtype=pl.Datetime("us", "UTC")),
            "px": [100.0 + number for number in range(count)],
            "qty": [2.0] * count,
            **columns,
        }
    )


TRADES = {"kind": "hedge_trades", "venue": "here", "instrument": "BTC-PERP"}
TRADE_COLUMNS = "ts=time,price=px,size=qty"
OPTIONS = {"kind": "option_trades", "venue": "opra", "underlying": "AAPL"}
OSI = ["AAPL  250418C00200000", "AAPL250418P00190000"] * 2


def test_trades_are_read_by_their_columns(imported):
    report, tape = imported(prints(), columns=TRADE_COLUMNS, **TRADES)
    assert report.key == TapeKey(TapeKind.HEDGE_TRADES, "here", "BTC", "BTC-PERP", MINUTE_NS // 60)
    assert tape.drop("sequence").schema == tape_schema(TapeKind.HEDGE_TRADES)
    assert tape["price"].to_list() == [100.0, 101.0, 102.0, 103.0]
    assert tape["aggressor"].to_list() == [0, 0, 0, 0]
    assert (tape["known_at"] - tape["ts"]).unique().to_list() == [timedelta(seconds=1)]


def test_a_factor_and_a_divisor_turn_units_exactly(imported):
    frame = prints(qty=[30.0, 65.0, 130.0, 195.0])
    _, tape = imported(frame, columns="ts=time,price=px*0.0001,size=qty/65", **TRADES)
    assert tape["price"].to_list() == [
        100.0 * 0.0001,
        101.0 * 0.0001,
        102.0 * 0.0001,
        103.0 * 0.0001,
    ]
    assert tape["size"].to_list() == [30 / 65, 1.0, 2.0, 3.0]


def test_a_size_may_be_given_as_its_value(imported):
    _, tape = imported(prints(), columns="ts=time,price=px,value=qty", **TRADES)
    assert tape["size"].to_list() == [2 / 100, 2 / 101, 2 / 102, 2 / 103]


@pytest.mark.parametrize(
    ("values", "field", "expected"),
    [
        (["buy", "SELL", "", "unknown"], "aggressor", [1, -1, 0, 0]),
        (["B", "S", "n", None], "aggressor", [1, -1, 0, 0]),
        ([1, -1, 0, 1], "aggressor", [1, -1, 0, 1]),
        ([1.0, -1.0, 0.0, None], "aggressor", [1, -1, 0, 0]),
        ([True, False, True, False], "buyer_is_maker", [-1, 1, -1, 1]),
        (["true", "False", "1", "0"], "buyer_is_maker", [-1, 1, -1, 1]),
    ],
)
def test_the_taker_is_read_in_every_usual_spelling(imported, values, field, expected):
    _, tape = imported(prints(side=values), columns=f"{TRADE_COLUMNS},{field}=side", **TRADES)
    assert tape["aggressor"].to_list() == expected


def test_an_unknown_side_is_rejected_with_what_it_was(imported, catalog):
    frame = prints(side=["buy", "hold", "sell", "buy"])
    report, tape = imported(frame, columns=f"{TRADE_COLUMNS},aggressor=side", **TRADES)
    assert report.rejected == {"UNKNOWN_DIRECTION": 1}
    assert tape.height == 3
    rejects = pl.read_parquet(next((catalog.path / "rejects").glob("*.parquet")))
    assert rejects.select("row", "column", "value").rows() == [(1, "aggressor", "hold")]
    assert '"side":"hold"' in rejects["record"][0]


def test_known_at_may_be_a_column(imported):
    late = [START + timedelta(minutes=5)] * 4
    _, tape = imported(prints(seen=late), columns=f"{TRADE_COLUMNS},known_at=seen", **TRADES)
    assert tape["known_at"].to_list() == late


def test_a_row_known_before_its_stamp_is_rejected(imported):
    frame = prints(seen=[START] * 4)
    report, _ = imported(frame, columns=f"{TRADE_COLUMNS},known_at=seen", **TRADES)
    assert report.rejected == {"KNOWN_BEFORE_STAMP": 3}


def test_local_times_are_read_in_the_named_zone(imported):
    frame = prints().with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M:%S"))
    _, tape = imported(
        frame, name="t.csv", columns=TRADE_COLUMNS, timezone="Asia/Kolkata", **TRADES
    )
    assert tape["ts"][0] == START - timedelta(hours=5, minutes=30)


def test_only_the_rows_that_are_asked_for_count(imported):
    frame = prints(6, coin=["BTC", "ETH"] * 3, net=[1, 2, 3, 4, 5, 6])
    _, tape = imported(frame, columns=TRADE_COLUMNS, where="coin=BTC,net>1,net!=5", **TRADES)
    assert tape["price"].to_list() == [102.0]
    assert tape["sequence"].to_list() == [0]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("time>=2025-04-11T13:18:02", 2),
        ("time<2025-04-12", 4),
        ("time>2025-04-11T15:18:02+02:00", 1),
        ("day=2025-04-11", 4),
        ("flag=true", 2),
        ("name<=b", 2),
    ],
)
def test_conditions_compare_as_the_column_does(imported, condition, kept):
    frame = prints(
        day=[START.date()] * 4, flag=[True, False, True, None], name=["a", "b", "c", None]
    )
    report, _ = imported(frame, columns=TRADE_COLUMNS, where=condition, **TRADES)
    assert report.kept == kept


def test_osi_symbols_say_everything_about_a_contract(imported, catalog):
    frame = prints(symbol=OSI, spot=[200.0] * 4)
    columns = "ts=time,price=px,quantity=qty,contract=symbol,underlying_price=spot"
    report, tape = imported(frame, columns=columns, **OPTIONS)
    assert report.key.instrument == "AAPL"
    assert tape["contract"].unique().sort().to_list() == [
        "AAPL  250418C00200000",
        "AAPL  250418P00190000",
    ]
    assert tape["lots"].to_list() == [2] * 4
    terms = catalog.contracts("opra", "AAPL")
    assert terms["multiplier"].to_list() == [100.0, 100.0]
    assert terms["style"].to_list() == ["american", "american"]


def test_deribit_symbols_bring_their_lot(imported):
    frame = prints(symbol=["BTC-18APR25-80000-C"] * 4, spot=[80_000.0] * 4, qty=[0.1, 0.3, 1, 2.5])
    _, tape = imported(
        frame,
        kind="option_trades",
        venue="deribit",
        underlying="BTC",
        columns="ts=time,price=px*0.0001,quantity=qty,contract=symbol,underlying_price=spot",
    )
    assert tape["lots"].to_list() == [1, 3, 10, 25]


def spelled(**changes):
    columns = {
        "ts": "time",
        "price": "px",
        "quantity": "qty",
        "strike": "k",
        "right": "cp",
        "underlying_price": "px",
    }
    constants = {"expiry": "2025-04-18T16:00", "multiplier": "50"} | changes
    return ",".join(
        [f"{field}={column}" for field, column in columns.items()]
        + [f"{field}:={value}" for field, value in constants.items() if value]
    )


def chain(**columns):
    return prints(k=[100.0, 100.0, 110.0, 110.0], cp=["CE", "put", "C", "P"], **columns)


def test_contracts_may_be_spelled_out(imported, catalog):
    report, tape = imported(
        chain(), columns=spelled(lot="2"), timezone="America/New_York", **OPTIONS
    )
    terms = catalog.contracts("opra", "AAPL")
    assert terms["right"].to_list() == ["C", "P", "C", "P"]
    assert terms["strike"].to_list() == [100.0, 100.0, 110.0, 110.0]
    assert terms["expiry"].unique().to_list() == [datetime(2025, 4, 18, 20, tzinfo=UTC)]
    assert terms["multiplier"].unique().to_list() == [50.0]
    assert tape["contract"][0] == "AAPL-20250418T2000-100-C"
    assert tape["lots"].to_list() == [1] * 4
    assert any("european" in note for note in report.notes)


def test_style_settlement_and_inverse_may_be_said(imported, catalog):
    said = spelled(style="american", settlement="physical", inverse="true")
    report, _ = imported(chain(), columns=said, **OPTIONS)
    terms = catalog.contracts("opra", "AAPL")
    assert terms.select("style", "settlement", "inverse").row(0) == ("american", "physical", True)
    assert not any("contracts'" in note for note in report.notes)


def test_a_date_expires_at_the_time_that_is_said(imported, catalog):
    columns = spelled(expiry="2025-04-18", expiry_time="15:30")
    imported(chain(), columns=columns, timezone="Asia/Kolkata", **OPTIONS)
    assert catalog.contracts("opra", "AAPL")["expiry"][0] == datetime(2025, 4, 18, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("constants", "said"),
    [
        ({"expiry": "2025-04-18"}, "without a time of day"),
        ({"expiry_time": "16:00"}, "has a time of day already"),
        ({"expiry": "2025-04-18", "expiry_time": "4 pm"}, "no time of day"),
        ({"multiplier": ""}, "multiplier is missing"),
        ({"style": "asian"}, "no style"),
        ({"expiry": "next Friday"}, "no ISO 8601 time"),
    ],
)
def test_incomplete_terms_are_refused(imported, constants, said):
    with pytest.raises(DataError, match=said):
        imported(chain(), columns=spelled(**constants), **OPTIONS)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"qty": [1.0, 1.5, 1.0, 1.0]}, "FRACTIONAL_LOT"),
        ({"qty": [1.0, float("nan"), 1.0, 1.0]}, "NAN_VALUE"),
        ({"qty": [1.0, -1.0, 1.0, 1.0]}, "NON_POSITIVE_QUANTITY"),
        ({"cp": ["C", "X", "C", "C"]}, "UNKNOWN_CONTRACT"),
        ({"k": [100.0, -1.0, 100.0, 100.0]}, "UNKNOWN_CONTRACT"),
        ({"px": [1.0, 0.0, 1.0, 1.0]}, "NON_POSITIVE_PRICE"),
    ],
)
def test_impossible_option_rows_are_rejected(imported, change, reason):
    frame = chain().with_columns(**{name: pl.Series(values) for name, values in change.items()})
    report, _ = imported(frame, columns=spelled(), **OPTIONS)
    assert report.rejected == {reason: 1}


def test_rows_after_expiry_are_rejected(imported):
    columns = spelled(expiry="2025-04-11T13:18:02")
    report, _ = imported(chain(), columns=columns, **OPTIONS)
    assert report.rejected == {"AFTER_EXPIRY": 2}


def test_options_on_something_else_are_refused(imported):
    frame = prints(symbol=OSI, spot=[1.0] * 4)
    columns = "ts=time,price=px,quantity=qty,contract=symbol,underlying_price=spot"
    with pytest.raises(DataError, match="options on AAPL, not only on MSFT"):
        imported(frame, columns=columns, kind="option_trades", venue="opra", underlying="MSFT")


@pytest.mark.parametrize(("field", "expected"), [("iv_pct", 0.25), ("iv_fraction", 25.0)])
def test_the_unit_of_volatility_is_said(imported, field, expected):
    frame = chain(vol=[25.0] * 4)
    _, tape = imported(frame, columns=f"{spelled()},{field}=vol", **OPTIONS)
    assert tape["iv"].unique().to_list() == [expected]


def test_the_unit_of_volatility_is_never_guessed(imported):
    with pytest.raises(DataError, match=r"iv_pct .* or iv_fraction"):
        imported(chain(vol=[25.0] * 4), columns=f"{spelled()},iv=vol", **OPTIONS)


@pytest.fixture
def priced(catalog, tmp_path):
    """Return the catalog with minute bars of the underlying from a quarter of an hour before."""
    bars = file_bars(15, start=START - timedelta(minutes=15))
    path = written(bars, tmp_path, "bars.parquet")
    import_bars(path, catalog, instrument="AAPL", venue="nasdaq")
    return catalog


def test_a_missing_underlying_price_comes_from_the_bars_known_by_then(priced, imported):
    columns = spelled().replace(",underlying_price=px", "")
    report, tape = imported(chain(), columns=columns, **OPTIONS)
    # the bar of 13:17 closes at 115 and is known at 13:18, before the first print is
    assert tape["underlying_price"].to_list() == [115.0] * 4
    assert any("60 s bars of AAPL on nasdaq" in note for note in report.notes)


def test_a_price_that_is_too_old_is_no_price(priced, imported):
    later = chain().with_columns(pl.col("time") + pl.duration(minutes=4, seconds=57))
    columns = spelled().replace(",underlying_price=px", "")
    report, tape = imported(later, columns=columns, **OPTIONS)
    assert report.rejected == {"NO_UNDERLYING_PRICE": 2}
    assert tape["underlying_price"].to_list() == [115.0] * 2


def test_without_price_and_bars_options_are_refused(imported):
    columns = spelled().replace(",underlying_price=px", "")
    with pytest.raises(DataError, match="price of AAPL is not known"):
        imported(chain(), columns=columns, **OPTIONS)


def test_the_open_interest_of_options_brings_their_definitions(catalog, tmp_path):
    path = written(chain(oi=[10.0, 20.0, 30.0, 40.0]), tmp_path)
    columns = spelled().replace("price=px,quantity=qty", "open_interest=oi")
    columns = columns.replace(",underlying_price=px", "")
    table = table_map(kind="open_interest", venue="opra", underlying="AAPL", columns=columns)
    first, second = import_table(path, catalog, table)
    assert (first.key.kind, second.key.kind) == ("open_interest", "option_definitions")
    interest = catalog.read(first.key)
    assert interest["open_interest"].to_list() == [10.0, 20.0, 30.0, 40.0]
    assert catalog.read(second.key)["contract"].to_list() == interest["contract"].to_list()
    assert set(interest["contract"]) == set(catalog.contracts("opra", "AAPL")["contract"])


def test_the_open_interest_of_options_is_not_taken_from_its_value(imported):
    columns = spelled().replace("price=px,quantity=qty", "value=qty")
    columns = columns.replace(",underlying_price=px", "")
    with pytest.raises(DataError, match="is in contracts, not in their value"):
        imported(chain(), kind="open_interest", venue="v", underlying="AAPL", columns=columns)


def test_a_row_without_known_at_is_rejected_whatever_prices_it(priced, imported):
    columns = spelled().replace(",underlying_price=px", ",known_at=seen")
    seen = [START + timedelta(seconds=5)] * 3 + [None]
    report, tape = imported(chain(seen=seen), columns=columns, **OPTIONS)
    assert (report.kept, report.rows_rejected) == (3, 1)
    assert tape["underlying_price"].to_list() == [115.0] * 3


def test_the_open_interest_of_a_perpetual_is_its_own(imported):
    frame = prints(oi=[5.0] * 4)
    report, tape = imported(
        frame,
        kind="open_interest",
        venue="here",
        instrument="BTC-PERP",
        columns="ts=time,open_interest=oi",
    )
    assert report.key.instrument == "BTC-PERP"
    assert tape["contract"].unique().to_list() == ["BTC-PERP"]


def test_funding_keeps_its_jitter_and_covers_the_time_between(imported):
    at = [START + timedelta(hours=8 * number, milliseconds=number) for number in range(4)]
    frame = pl.DataFrame({"t": at, "r": [0.0001, -0.0002, 0.0, 0.0003]})
    report, tape = imported(
        frame,
        kind="funding",
        venue="binance",
        instrument="BTC-PERP",
        columns="ts=t,rate=r,hours:=8",
    )
    assert tape["ts"].to_list() == at
    assert tape["hours"].to_list() == [8.0] * 4
    assert report.key.resolution_ns == SECOND_NS // 1000
    end = instant_ns(at[-1]) + SECOND_NS // 1000
    assert report.coverage.intervals == [(instant_ns(at[0]), end)]


def test_a_gap_of_more_than_two_intervals_is_not_covered(imported):
    at = [START + timedelta(hours=hour) for hour in (0, 1, 2, 5, 6)]
    frame = pl.DataFrame({"t": at, "r": [1.2] * 5})
    report, _ = imported(
        frame, kind="long_short_ratio", venue="v", instrument="BTC-PERP", columns="ts=t,ratio=r"
    )
    assert len(report.coverage.intervals) == 2


BARS = {"kind": "bars", "venue": "okx", "instrument": "BTC-PERP"}
BAR_COLUMNS = "ts=date,open=open,high=high,low=low,close=close,volume=volume"


def test_bars_are_known_at_their_end(imported):
    report, tape = imported(
        file_bars(5, minutes=60), columns=BAR_COLUMNS, resolution_seconds=3600, **BARS
    )
    assert report.key.resolution_ns == HOUR_NS
    assert (tape["known_at"] - tape["ts"]).unique().to_list() == [timedelta(hours=1)]
    assert len(report.coverage.intervals) == 1


@pytest.mark.parametrize("seconds", [1, 60, 7200])
def test_a_bar_length_that_the_file_contradicts_is_refused(imported, seconds):
    with pytest.raises(DataError, match="3600 s apart"):
        imported(file_bars(5, minutes=60), columns=BAR_COLUMNS, resolution_seconds=seconds, **BARS)


def test_the_bar_length_must_be_said(imported):
    with pytest.raises(DataError, match="--resolution"):
        imported(file_bars(5), columns=BAR_COLUMNS, **BARS)


def test_option_days_and_quotes_are_read(imported):
    symbols = {"symbol": OSI}
    days, tape = imported(
        prints(**symbols, oi=[7.0] * 4, d=[-0.5] * 4),
        kind="option_days",
        venue="opra",
        underlying="AAPL",
        columns="ts=time,contract=symbol,quantity=qty,open_interest=oi,close=px,delta=d",
        resolution_seconds=23_400,
    )
    assert days.kept == 4
    assert tape.select("lots", "open_interest", "delta").row(0) == (2, 7.0, -0.5)
    _, quotes = imported(
        prints(**symbols, b=[1.0, None, 2.0, 3.0]),
        kind="option_quotes",
        venue="opra",
        underlying="AAPL",
        columns="ts=time,contract=symbol,bid=b,ask=px,ask_size=qty",
    )
    assert quotes.select("bid", "ask_size", "bid_size").rows()[:2] == [
        (1.0, 2.0, None),
        (None, 2.0, None),
    ]


def test_snapshots_of_a_chain_are_read_with_call_and_put_in_one_row(catalog, tmp_path):
    rows = {
        "time": ["2025-01-06 15:00:00"] * 2,
        "strike": [5_900.0, 5_950.0],
        "call_oi": [10.0, 20.0],
        "put_oi": [30.0, None],
        "spot": [5_940.0, 5_940.0],
        "date": ["2025-01-06"] * 2,
    }
    path = tmp_path / "chain.parquet"
    pl.DataFrame(rows).write_parquet(path)
    file = tmp_path / "map.toml"
    file.write_text(
        """
kind = "option_snapshots"
venue = "cboe"
underlying = "SPX"
timezone = "America/New_York"
[columns]
ts = "time"
strike = "strike"
expiry = "date"
underlying_price = "spot"
[constants]
expiry_time = "16:00"
multiplier = 100
[[rows]]
columns = { open_interest = "call_oi" }
constants = { right = "C" }
[[rows]]
columns = { open_interest = "put_oi" }
constants = { right = "P" }
"""
    )
    (report,) = import_table(path, catalog, table_map(file))
    tape = catalog.read(report.key)
    terms = catalog.contracts("cboe", "SPX")
    joined = tape.join(terms, on="contract").sort("right", "strike")
    assert joined.select("right", "strike", "open_interest", "underlying_price").rows() == [
        ("C", 5_900.0, 10.0, 5_940.0),
        ("C", 5_950.0, 20.0, 5_940.0),
        ("P", 5_900.0, 30.0, 5_940.0),
        ("P", 5_950.0, None, 5_940.0),
    ]
    assert tape["ts"].unique().dt.to_string("%H:%M").to_list() == ["20:00"]
    assert terms["expiry"].unique().dt.to_string("%H:%M").to_list() == ["21:00"]


def test_the_same_file_is_imported_once_and_never_in_two_ways(catalog, tmp_path):
    path = written(prints(id=["a", "b", "c", "d"]), tmp_path)
    columns = f"{TRADE_COLUMNS},trade_id=id"
    for _ in range(2):
        (report,) = import_table(path, catalog, table_map(columns=columns, **TRADES))
    assert report.already_imported
    cents = table_map(columns=columns.replace("=px", "=px*0.01"), **TRADES)
    with pytest.raises(DataError, match="imported before with price=px"):
        import_table(path, catalog, cents)


def test_a_table_without_a_usable_row_is_refused(imported):
    with pytest.raises(DataError, match="none of its 4 rows can be used: NON_POSITIVE_PRICE 4"):
        imported(prints(px=[0.0] * 4), columns=TRADE_COLUMNS, **TRADES)


def test_an_unsorted_file_is_refused_with_what_to_do(imported):
    with pytest.raises(DataError, match="Sort the file by time"):
        imported(prints()[::-1], columns=TRADE_COLUMNS, **TRADES)
