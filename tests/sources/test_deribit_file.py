"""Deribit files: what becomes a tape, what is refused, what is counted."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from builders.market_files import CALL, PUT, START, deribit_trades, with_value, written
from hedgeflow.market import Coverage, DataError, TapeKey, TapeKind, tape_schema
from hedgeflow.market.time import MINUTE_NS, SECOND_NS, instant_ns
from hedgeflow.sources import import_deribit_trades

KEY = TapeKey(TapeKind.OPTION_TRADES, "deribit", "BTC", "BTC", MINUTE_NS)


@pytest.fixture
def imported(catalog, tmp_path):
    """Return a function that imports a table and returns report and tape."""

    def run(frame, **options):
        report = import_deribit_trades(written(frame, tmp_path), catalog, **options)
        return report, catalog.read(report.key, accept_rejects=True)

    return run


def test_a_file_becomes_a_tape(imported):
    report, tape = imported(deribit_trades())
    assert report.key == KEY
    assert (report.read, report.kept, report.repeats, report.rejected) == (6, 6, 0, {})
    assert tape.drop("sequence").schema == tape_schema(TapeKind.OPTION_TRADES)
    assert tape["contract"].to_list()[:2] == [CALL, PUT]
    assert tape["lots"].to_list() == [3, 13, 23, 33, 43, 53]
    assert tape["aggressor"].to_list() == [-1, 1, 1, -1, 1, 1]
    assert tape["iv"].unique().to_list() == [0.5]
    assert tape["trade_id"].to_list() == [str(number) for number in range(100, 106)]


def test_minute_stamps_are_known_a_minute_later(imported):
    report, tape = imported(deribit_trades())
    delay = (tape["known_at"] - tape["ts"]).unique().to_list()
    assert delay == [timedelta(minutes=1)]
    assert any("known 60 s after" in note for note in report.notes)
    last = instant_ns(START) + 5 * MINUTE_NS
    assert report.coverage.intervals == [(instant_ns(START), last + MINUTE_NS)]


@pytest.mark.parametrize(
    ("shift", "resolution"),
    [
        (timedelta(seconds=7), SECOND_NS),
        (timedelta(milliseconds=7), SECOND_NS // 1000),
    ],
)
def test_finer_stamps_have_a_finer_resolution(imported, shift, resolution):
    report, _ = imported(deribit_trades(start=START + shift))
    assert report.key.resolution_ns == resolution


def test_a_resolution_may_be_given(imported):
    report, tape = imported(deribit_trades(), resolution_ns=SECOND_NS)
    assert report.key.resolution_ns == SECOND_NS
    assert (tape["known_at"] - tape["ts"]).unique().to_list() == [timedelta(seconds=1)]


def test_zero_volatility_is_kept_and_a_missing_one_is_null(imported):
    frame = with_value(with_value(deribit_trades(), 1, "iv_pct", 0.0), 2, "iv_pct", None)
    report, tape = imported(frame)
    assert tape["iv"].to_list()[:3] == [0.5, 0.0, None]
    assert report.rejected == {}


def test_repeats_of_an_id_are_dropped_and_counted(imported):
    report, tape = imported(with_value(deribit_trades(), 3, "trade_id", 100))
    assert (report.kept, report.repeats) == (5, 1)
    assert tape["trade_id"].to_list() == ["100", "101", "102", "104", "105"]
    assert tape["sequence"].to_list() == [0, 1, 2, 4, 5]


def test_identical_rows_without_an_id_are_counted_and_kept(imported):
    frame = deribit_trades().with_columns(trade_id=pl.lit(None, dtype=pl.Int64))
    frame = frame[[0, 0, 0, 1, 1, 2]]
    report, tape = imported(frame)
    assert (report.kept, report.repeats, report.null_ids) == (6, 0, 6)
    assert report.identical_without_id == 3
    assert tape.height == 6


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("block_trade_id", "BUY", "MALFORMED_ID"),
        ("combo_id", "0.0017", "MALFORMED_ID"),
        ("combo_id", "BTC-PBUT-16BUY", "MALFORMED_ID"),
        ("price_btc", float("nan"), "NAN_PRICE"),
        ("price_btc", None, "MISSING_VALUE"),
        ("price_btc", 0.0, "NON_POSITIVE_PRICE"),
        ("price_btc", -0.1, "NON_POSITIVE_PRICE"),
        ("underlying_price", float("nan"), "NAN_PRICE"),
        ("direction", "hold", "UNKNOWN_DIRECTION"),
        ("direction", None, "UNKNOWN_DIRECTION"),
        ("instrument", "BTC-PERPETUAL", "UNKNOWN_CONTRACT"),
        ("instrument", None, "UNKNOWN_CONTRACT"),
        ("amount", 0.25, "FRACTIONAL_LOT"),
        ("amount", 0.0, "NON_POSITIVE_QUANTITY"),
        ("amount", -0.1, "NON_POSITIVE_QUANTITY"),
        ("amount", float("nan"), "NAN_VALUE"),
        ("amount", 1e30, "MISSING_VALUE"),
        ("strike", 81_000.0, "SYMBOL_MISMATCH"),
        ("expiry", date(2025, 4, 19), "SYMBOL_MISMATCH"),
        ("option_type", "put", "SYMBOL_MISMATCH"),
    ],
)
def test_an_impossible_row_is_rejected_with_its_reason(catalog, imported, column, value, reason):
    report, tape = imported(with_value(deribit_trades(), 2, column, value))
    assert report.rejected == {reason: 1}
    assert (report.read, report.kept) == (6, 5)
    assert tape["sequence"].to_list() == [0, 1, 3, 4, 5]
    [rejects] = catalog.imports()[0].rejects
    [row] = pl.read_parquet(catalog.path / rejects.path).iter_rows(named=True)
    assert (row["row"], row["reason"]) == (2, reason)
    assert json.loads(row["record"])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("block_trade_id", "BLOCK-192474"),
        ("block_trade_id", "192474"),
        ("combo_id", "BTC-CS-14APR25-85000_86000"),
        ("combo_id", "BTC-CDIAG-9MAY25_30MAY25-99000_101000"),
        ("combo_id", "BTC-PSR12-25APR25-66000_60000"),
        ("combo_id", "BTC-FS-25DEC26_PERP"),
        ("combo_id", ""),
    ],
)
def test_ids_of_blocks_and_combinations_are_kept(imported, column, value):
    report, tape = imported(with_value(deribit_trades(), 2, column, value))
    assert report.rejected == {}
    name = {"block_trade_id": "block_id"}.get(column, column)
    assert tape[name][2] == (value or None)


def test_a_trade_at_its_expiry_is_rejected_and_one_before_is_not(imported):
    expiry = deribit_trades(1)["ts"][0].replace(day=18, hour=8, minute=0)
    report, tape = imported(deribit_trades(2, start=expiry - timedelta(minutes=1)))
    assert report.rejected == {"AFTER_EXPIRY": 1}
    assert tape.height == 1


def test_amounts_in_tenths_are_whole_lots(imported):
    amounts = [0.1 * number for number in range(1, 301)]
    frame = deribit_trades(300).with_columns(amount=pl.Series(amounts))
    report, tape = imported(frame)
    assert report.rejected == {}
    assert tape["lots"].to_list() == list(range(1, 301))


def test_gaps_over_20_minutes_split_the_coverage(imported):
    early, late = (
        deribit_trades(3),
        deribit_trades(3, start=START + timedelta(hours=1), first_id=900),
    )
    report, _ = imported(pl.concat([early, late]))
    begin = instant_ns(START)
    hour = 60 * MINUTE_NS
    assert report.coverage.intervals == [
        (begin, begin + 3 * MINUTE_NS),
        (begin + hour, begin + hour + 3 * MINUTE_NS),
    ]


def test_the_same_file_writes_nothing_twice(catalog, tmp_path):
    path = written(deribit_trades(), tmp_path)
    first = import_deribit_trades(path, catalog)
    again = import_deribit_trades(path, catalog)
    assert (first.already_imported, again.already_imported) == (False, True)
    assert any("nothing was written" in note for note in again.notes)
    assert (again.read, again.kept) == (first.read, first.kept)
    assert len(catalog.imports()) == 1


def test_an_overlapping_file_adds_what_is_new(catalog, tmp_path):
    import_deribit_trades(written(deribit_trades(6), tmp_path), catalog)
    report = import_deribit_trades(written(deribit_trades(9), tmp_path, "longer.parquet"), catalog)
    assert (report.read, report.kept, report.repeats) == (9, 3, 6)
    assert catalog.read(KEY)["trade_id"].to_list() == [str(number) for number in range(100, 109)]


def test_a_file_without_ids_over_the_same_time_is_refused(catalog, tmp_path):
    import_deribit_trades(written(deribit_trades(6), tmp_path), catalog)
    anonymous = deribit_trades(9).with_columns(trade_id=pl.lit(None, dtype=pl.Int64))
    with pytest.raises(
        DataError, match=r"6 rows lie in 2025-04-11T13:18:00Z to 2025-04-11T13:24:00Z"
    ):
        import_deribit_trades(written(anonymous, tmp_path, "other.parquet"), catalog)
    assert len(catalog.imports()) == 1


def test_text_and_float_ids_are_the_same_ids(imported):
    floats = deribit_trades().with_columns(pl.col("trade_id").cast(pl.Float64))
    _, tape = imported(floats)
    assert tape["trade_id"][0] == "100"


def test_a_csv_with_deribits_own_names_is_read(catalog, tmp_path):
    frame = deribit_trades().select(
        pl.col("ts").dt.epoch("ms").alias("timestamp"),
        "trade_id",
        pl.col("instrument").alias("instrument_name"),
        "direction",
        pl.col("price_btc").alias("price"),
        pl.col("iv_pct").alias("iv"),
        "amount",
        pl.col("underlying_price").alias("index_price"),
    )
    report = import_deribit_trades(written(frame, tmp_path, "trades.csv"), catalog)
    assert (report.kept, report.rejected) == (6, {})
    assert catalog.read(KEY)["ts"][0] == START


def test_progress_ends_at_the_rows_kept(catalog, tmp_path):
    seen = []
    path = written(deribit_trades(), tmp_path)
    import_deribit_trades(path, catalog, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)


def test_several_underlyings_are_refused(tmp_path, catalog):
    other = deribit_trades(1).with_columns(instrument=pl.lit("ETH-18APR25-1600-P"))
    with pytest.raises(DataError, match=r"options on BTC, ETH.*one file for each"):
        import_deribit_trades(written(pl.concat([other, deribit_trades()]), tmp_path), catalog)


def test_the_recorded_trades_are_all_accounted_for(market_data, catalog):
    path = market_data / "deribit-trades" / "btc_option_trades.parquet"
    report = import_deribit_trades(path, catalog)
    assert report.read == 148_158
    assert report.kept + report.rows_rejected + report.repeats == report.read
    assert report.rejected == {"MALFORMED_ID": 2}
    assert report.repeats == 0
    assert report.null_ids == 16_369
    assert report.identical_without_id == 1_255
    assert report.key == KEY
    assert not report.needs_acceptance
    tape = catalog.read(KEY)
    source = pl.read_parquet(path)
    assert tape.height == report.kept
    assert int((tape["iv"] == 0).sum()) == 61
    malformed = set(range(source.height)) - set(tape["sequence"].to_list())
    assert source[sorted(malformed)]["combo_id"].to_list() == ["0.0017", "BTC-PBUT-16BUY"]
    kept = source[tape["sequence"]]
    assert (tape["lots"] / 10 - kept["amount"]).abs().max() < 1e-9
    assert tape["price"].equals(kept["price_btc"], check_names=False)
    assert len(report.coverage.intervals) == 7
    assert isinstance(report.coverage, Coverage)
