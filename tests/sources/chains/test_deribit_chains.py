"""Deribit's chains: a snapshot is a sweep, known when it can have ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from hedgeflow.market import Catalog, DataError, TapeKind
from hedgeflow.sources import import_deribit_chains

BEGINS = datetime(2026, 1, 2, 5, 30, tzinfo=UTC)
EXPIRES = datetime(2026, 1, 2, 8, tzinfo=UTC)
COLUMNS = ("contract", "open_interest", "volume", "iv", "price", "underlying_price")

ROWS_OF_MONTHS = {
    "chain_202512.parquet": {"BTC": 2_500, "ETH": 2_680},
    "chain_202601.parquet": {"BTC": 79_456, "ETH": 84_358},
    "chain_202602.parquet": {"BTC": 91_584, "ETH": 88_932},
    "chain_202603.parquet": {"BTC": 117_782, "ETH": 101_062},
    "chain_202604.parquet": {"BTC": 108_894, "ETH": 92_098},
}


def sweep(**changed):
    """Return a sweep of two options on BTC and one on ETH, as a file has it."""
    rows = {
        "ts": [BEGINS] * 3,
        "currency": ["BTC", "BTC", "ETH"],
        "instrument": ["BTC-2JAN26-90000-C", "BTC-2JAN26-90000-P", "ETH-2JAN26-3000-C"],
        "expiry": [EXPIRES] * 3,
        "strike": [90_000.0, 90_000.0, 3_000.0],
        "option_type": ["call", "put", "call"],
        "mark_price": [0.0, 0.02, 0.01],
        "mark_iv": [0.4, 0.5, 0.6],
        "open_interest": [0.0, 12.5, 7.0],
        "volume_24h": [5.0, 6.0, 7.0],
        "index_price": [88_000.0, 88_010.0, 2_990.0],
    }
    return pl.DataFrame(rows | changed)


@pytest.fixture
def imported(catalog, tmp_path):
    def do(frame, **arguments):
        path = tmp_path / "chain.parquet"
        frame.write_parquet(path)
        reports = import_deribit_chains([path], catalog, **arguments)
        return {report.key.underlying: report for report in reports}

    return do


def test_a_sweep_has_one_price_of_each_coin_and_no_volume_of_a_session(imported, catalog):
    reports = imported(sweep())
    bitcoin = catalog.read(reports["BTC"].key)
    assert bitcoin.select(COLUMNS).rows() == [
        ("BTC-2JAN26-90000-C", 0.0, None, 0.4, 0.0, 88_005.0),
        ("BTC-2JAN26-90000-P", 12.5, None, 0.5, 0.02, 88_005.0),
    ]
    assert catalog.read(reports["ETH"].key)["underlying_price"].to_list() == [2_990.0]


def test_nothing_of_a_sweep_is_known_before_ten_minutes_after_its_beginning(imported, catalog):
    tape = catalog.read(imported(sweep())["BTC"].key)
    assert tape["ts"].unique().to_list() == [BEGINS]
    assert tape["known_at"].unique().to_list() == [BEGINS + timedelta(minutes=10)]


def test_contracts_are_inverse_and_end_at_eight(imported, catalog):
    imported(sweep())
    terms = catalog.contracts("deribit", "BTC")
    wanted = ("right", "strike", "expiry", "multiplier", "lot", "settlement", "inverse")
    assert terms.sort("right").select(wanted).rows() == [
        ("C", 90_000.0, EXPIRES, 1.0, 0.1, "cash", True),
        ("P", 90_000.0, EXPIRES, 1.0, 0.1, "cash", True),
    ]


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("instrument", ["what", "BTC-2JAN26-90000-P", "ETH-2JAN26-3000-C"], "UNKNOWN_CONTRACT"),
        ("instrument", [None, "BTC-2JAN26-90000-P", "ETH-2JAN26-3000-C"], "UNKNOWN_CONTRACT"),
        ("strike", [91_000.0, 90_000.0, 3_000.0], "SYMBOL_MISMATCH"),
        ("option_type", ["put", "put", "call"], "SYMBOL_MISMATCH"),
        ("expiry", [EXPIRES + timedelta(days=1), EXPIRES, EXPIRES], "SYMBOL_MISMATCH"),
        ("open_interest", [-1.0, 12.5, 7.0], "NEGATIVE_VOLUME"),
    ],
)
def test_a_row_that_cannot_be_is_rejected_with_its_reason(imported, column, values, reason):
    report = imported(sweep(**{column: values}))["BTC"]
    assert (report.read, report.kept, report.rejected) == (2, 1, {reason: 1})


def test_an_option_of_another_coin_than_its_row_says_is_rejected(imported):
    report = imported(sweep(currency=["BTC", "ETH", "ETH"]))["ETH"]
    assert (report.kept, report.rejected) == (1, {"SYMBOL_MISMATCH": 1})


def test_an_option_that_has_expired_is_rejected(imported):
    later = imported(sweep(ts=[BEGINS, EXPIRES, EXPIRES]))
    assert (later["BTC"].kept, later["BTC"].rejected) == (1, {"AFTER_EXPIRY": 1})


def test_a_volatility_of_zero_is_not_known(imported, catalog):
    tape = catalog.read(imported(sweep(mark_iv=[0.0, 0.5, 0.6]))["BTC"].key)
    assert tape["iv"].to_list() == [None, 0.5]


def test_the_same_option_twice_in_a_sweep_is_a_repeat_or_a_contradiction(imported):
    frame = sweep()
    assert imported(pl.concat([frame[:1], frame[:1]]))["BTC"].repeats == 1
    other = frame[:1].with_columns(open_interest=pl.lit(3.0))
    assert imported(pl.concat([frame[:1], other]))["BTC"].rejected == {"CONFLICTING_VALUE": 1}


def test_the_same_file_is_imported_once(imported):
    assert not any(report.already_imported for report in imported(sweep()).values())
    assert all(report.already_imported for report in imported(sweep()).values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"Symbol,Spot\nNIFTY,1\n", "no Parquet file"),
        (b"PAR1 and no more", "truncated or damaged"),
    ],
)
def test_one_bad_file_and_none_is_written(catalog, tmp_path, content, message):
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    sweep().write_parquet(good)
    bad.write_bytes(content)
    with pytest.raises(DataError, match=message):
        import_deribit_chains([good, bad], catalog)
    assert catalog.imports() == []


def test_a_file_of_something_else_names_the_column_and_what_it_has(imported):
    with pytest.raises(DataError, match=r"'ts' is missing: this is no file of Deribit .* Symbol"):
        imported(pl.DataFrame({"Symbol": ["NIFTY"], "Spot": [1.0]}))


def test_rows_out_of_order_and_without_a_coin_are_refused(imported):
    with pytest.raises(DataError, match="Sort the file by time"):
        imported(sweep(ts=[BEGINS, BEGINS - timedelta(seconds=1), BEGINS]))
    with pytest.raises(DataError, match="row 1 names no currency"):
        imported(sweep(currency=["BTC", None, "ETH"]))


def test_a_file_without_a_usable_row_writes_nothing(imported, catalog):
    with pytest.raises(DataError, match="none of its 3 rows can be used: MISSING_VALUE 3"):
        imported(sweep(index_price=[0.0, -1.0, 0.0]))
    assert catalog.imports() == []


@pytest.fixture(scope="module")
def months(market_data, tmp_path_factory):
    """Return a catalog with every recorded chain, the reports, and the files as they are."""
    files = sorted((market_data / "deribit-chain").glob("chain_*.parquet"))
    catalog = Catalog.create_or_open(tmp_path_factory.mktemp("deribit") / "catalog")
    return catalog, import_deribit_chains(files, catalog), pl.read_parquet(files)


def test_every_row_of_the_recorded_chains_is_kept(months):
    _, reports, raw = months
    kept = {
        name: {each.key.underlying: each.kept for each in reports if each.source == name}
        for name in ROWS_OF_MONTHS
    }
    assert kept == ROWS_OF_MONTHS
    assert sum(each.read for each in reports) == raw.height == 769_346
    assert not any(each.rejected or each.repeats for each in reports)


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_the_recorded_chains_stand_in_the_catalog_as_in_their_files(months, coin):
    catalog, reports, raw = months
    key = next(each.key for each in reports if each.key.underlying == coin)
    assert key.kind is TapeKind.OPTION_SNAPSHOTS
    tape = catalog.read(key).join(catalog.contracts("deribit", coin), on="contract")
    files = raw.filter(pl.col("currency") == coin)
    index = files.group_by("ts").agg(pl.col("index_price").median().alias("median"))
    both = tape.with_columns(pl.col("ts").dt.cast_time_unit("ms")).join(
        files.join(index, on="ts"), left_on=["ts", "contract"], right_on=["ts", "instrument"]
    )
    assert both.height == files.height == tape.height
    agree = both.select(
        open_interest=pl.col("open_interest") == pl.col("open_interest_right"),
        price=pl.col("price") == pl.col("mark_price"),
        iv=pl.col("iv") == pl.col("mark_iv").cast(pl.Float64),
        underlying=pl.col("underlying_price") == pl.col("median"),
        strike=pl.col("strike") == pl.col("strike_right"),
        right=pl.col("right") == pl.col("option_type").str.slice(0, 1).str.to_uppercase(),
        expiry=pl.col("expiry") == pl.col("expiry_right"),
        volume=pl.col("volume").is_null(),
    )
    assert agree.select(pl.all().all()).row(0) == (True,) * agree.width
