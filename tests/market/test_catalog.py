"""The catalog: what it stores, finds, reads and refuses."""

from __future__ import annotations

import json

import duckdb
import polars as pl
import pytest

from builders.market_files import (
    BARS_KEY,
    CALL,
    TRADES_KEY,
    at_ns,
    deribit_trades,
    file_bars,
    hedge_trades,
    with_value,
    written,
)
from hedgeflow.market import Catalog, CatalogError, Coverage, DataError, TapeKey, TapeKind
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.sources import import_bars, import_deribit_trades


def day_of_trades(day, ids=None):
    return hedge_trades([at_ns(days=day, minutes=minute) for minute in (1, 1, 2)], ids)


def whole_day(day):
    return Coverage.of([(at_ns(days=day), at_ns(days=day + 1))])


def store_days(catalog, count):
    for day in range(count):
        catalog.store(TRADES_KEY, day_of_trades(day), source="test", coverage=whole_day(day))


def test_a_missing_folder_is_no_catalog(tmp_path):
    with pytest.raises(CatalogError, match=r"no catalog.*hedgeflow data import"):
        Catalog.open(tmp_path / "nowhere")


def test_a_file_is_no_catalog(tmp_path):
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(CatalogError, match=r"this is a file.*hedgeflow data import"):
        Catalog.open(tmp_path / "letter.txt")


def test_a_folder_without_marker_is_no_catalog(tmp_path):
    with pytest.raises(CatalogError, match=r"is no catalog.*hedgeflow data import"):
        Catalog.open(tmp_path)


def test_a_folder_with_other_things_is_not_made_a_catalog(tmp_path):
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(CatalogError, match="not empty"):
        Catalog.create_or_open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_catalog_of_a_later_version_is_refused(catalog):
    (catalog.path / "hedgeflow-catalog.json").write_text(json.dumps({"version": 99}))
    with pytest.raises(CatalogError, match="version 99"):
        Catalog.open(catalog.path)


def test_an_empty_folder_becomes_a_catalog(tmp_path):
    assert Catalog.create_or_open(tmp_path).keys() == []
    assert Catalog.open(tmp_path).imports() == []


def test_a_stored_table_is_read_as_it_was(catalog):
    frame = day_of_trades(0)
    catalog.store(TRADES_KEY, frame, source="test")
    read = catalog.read(TRADES_KEY)
    assert read.drop("sequence").equals(frame)
    assert read["sequence"].to_list() == [0, 1, 2]
    assert catalog.scan(TRADES_KEY).collect().equals(read)


def test_days_stored_one_by_one_make_one_tape(catalog):
    store_days(catalog, 3)
    summary = catalog.summary(TRADES_KEY)
    assert (summary.rows, summary.imports, summary.read) == (9, 3, 9)
    assert summary.first_ns == at_ns(minutes=1)
    assert summary.last_ns == at_ns(days=2, minutes=2)
    assert catalog.coverage(TRADES_KEY).intervals == [(at_ns(), at_ns(days=3))]
    read = catalog.read(TRADES_KEY)
    assert read["ts"].is_sorted()
    assert read["sequence"].is_sorted()
    assert read["sequence"].is_unique().all()


def test_slices_are_utc_days(catalog):
    store_days(catalog, 3)
    days = list(catalog.slices(TRADES_KEY))
    assert [day.height for day in days] == [3, 3, 3]
    assert all(day["ts"].dt.date().n_unique() == 1 for day in days)


def test_reading_takes_the_start_and_leaves_the_end(catalog):
    store_days(catalog, 3)
    start, end = at_ns(days=1, minutes=1), at_ns(days=2, minutes=2)
    read = catalog.read(TRADES_KEY, start, end)
    assert read["ts"].dt.epoch("ns").to_list() == [
        at_ns(days=1, minutes=1),
        at_ns(days=1, minutes=1),
        at_ns(days=1, minutes=2),
        at_ns(days=2, minutes=1),
        at_ns(days=2, minutes=1),
    ]
    assert catalog.read(TRADES_KEY, at_ns(days=5)).schema == read.schema


def test_equal_times_keep_the_order_of_the_source_across_imports(catalog):
    first = hedge_trades([at_ns(minutes=1)] * 3, ["c", "a", "b"], price=10.0)
    second = hedge_trades([at_ns(minutes=1)] * 2, ["z", "y"], price=1.0)
    catalog.store(TRADES_KEY, first, source="first")
    catalog.store(TRADES_KEY, second, source="second")
    assert catalog.read(TRADES_KEY)["trade_id"].to_list() == ["c", "a", "b", "z", "y"]


def test_the_same_table_is_stored_once(catalog):
    first = catalog.store(TRADES_KEY, day_of_trades(0), source="test")
    assert catalog.store(TRADES_KEY, day_of_trades(0), source="test") == first
    assert len(catalog.imports()) == 1


def test_a_program_may_not_store_a_row_with_a_fault(catalog):
    frame = with_value(day_of_trades(0), 1, "price", float("nan"))
    with pytest.raises(DataError, match=r"row 1, column 'price': NAN_PRICE"):
        catalog.store(TRADES_KEY, frame, source="test")
    assert catalog.keys() == []


def test_a_row_outside_its_declared_coverage_is_refused(catalog):
    with pytest.raises(DataError, match=r"2025-01-06T00:01:00Z lies outside"):
        catalog.store(TRADES_KEY, day_of_trades(0), source="test", coverage=whole_day(1))


def test_stored_trade_ids_are_repeats(catalog):
    catalog.store(TRADES_KEY, day_of_trades(0, ["a", "b", "c"]), source="test")
    catalog.store(TRADES_KEY, day_of_trades(0, ["b", "c", "d"]), source="other")
    manifest = catalog.imports()[1]
    assert (manifest.read, manifest.kept, manifest.repeats) == (3, 1, 2)
    assert catalog.read(TRADES_KEY)["trade_id"].to_list() == ["a", "b", "c", "d"]


def test_trades_without_id_inside_another_import_are_refused(catalog):
    catalog.store(TRADES_KEY, day_of_trades(0), source="test", coverage=whole_day(0))
    later = hedge_trades([at_ns(minutes=600)])
    with pytest.raises(
        DataError, match=r"2025-01-06T00:00:00Z to 2025-01-07T00:00:00Z.*without an id"
    ):
        catalog.store(TRADES_KEY, later, source="other")
    assert len(catalog.imports()) == 1


def test_a_trade_with_id_that_equals_a_stored_one_without_is_refused(catalog):
    catalog.store(TRADES_KEY, day_of_trades(0), source="test", coverage=whole_day(0))
    with pytest.raises(DataError, match="the stored ones carry no id"):
        catalog.store(TRADES_KEY, day_of_trades(0, ["a", "b", "c"]), source="other")
    other = hedge_trades([at_ns(minutes=600)], ["d"])
    catalog.store(TRADES_KEY, other, source="other")
    assert catalog.summary(TRADES_KEY).rows == 4


def test_quotes_inside_another_import_are_refused(catalog):
    key = TapeKey(TapeKind.HEDGE_QUOTES, "sim", "SIM", "SIM-PERP", 1_000_000)
    frame = hedge_trades([at_ns(minutes=1)]).select(
        "ts", "known_at", pl.col("price").alias("bid"), (pl.col("price") + 1).alias("ask")
    )
    catalog.store(key, frame, source="test", coverage=whole_day(0))
    with pytest.raises(DataError, match="quotes carry no id"):
        catalog.store(key, frame, source="other")


def test_equal_bars_are_repeats_and_other_bars_are_conflicts(catalog, tmp_path):
    first = written(file_bars(20), tmp_path, "binance_a.parquet")
    bars = with_value(file_bars(30), 3, "close", 103.5)
    second = written(bars, tmp_path, "binance_b.parquet")
    import_bars(first, catalog, instrument="BTC-PERP")
    report = import_bars(second, catalog, instrument="BTC-PERP", accept_rejects=True)
    assert (report.read, report.kept, report.repeats) == (30, 10, 19)
    assert report.rejected == {"CONFLICTING_BAR": 1}
    assert catalog.read(BARS_KEY)["close"][3] == 104.0


def test_contracts_are_stored_once_and_sorted(catalog, tmp_path):
    early = written(deribit_trades(), tmp_path, "early.parquet")
    late = written(
        deribit_trades(start=deribit_trades()["ts"][-1], first_id=500), tmp_path, "late.parquet"
    )
    import_deribit_trades(early, catalog)
    import_deribit_trades(late, catalog)
    contracts = catalog.contracts("deribit", "BTC")
    assert contracts["strike"].to_list() == [76_000.0, 80_000.0]
    assert [len(each.contracts) for each in catalog.imports()] == [1, 0]
    assert catalog.contracts("deribit", "ETH").schema == contracts.schema


def test_a_contract_with_other_terms_is_refused(catalog, tmp_path):
    import_deribit_trades(written(deribit_trades(), tmp_path), catalog)
    [key] = catalog.keys()
    frame = catalog.read(key).drop("sequence").head(1)
    frame = with_value(frame, 0, "trade_id", "new")
    terms = catalog.contracts("deribit", "BTC").with_columns(multiplier=pl.lit(10.0))
    with pytest.raises(DataError, match="other terms than before"):
        catalog.store(key, frame, source="test", contracts=terms)


def test_option_trades_need_the_terms_of_their_contracts(catalog, tmp_path):
    import_deribit_trades(written(deribit_trades(), tmp_path), catalog)
    [key] = catalog.keys()
    frame = catalog.read(key).drop("sequence")
    other = Catalog.create_or_open(tmp_path / "other")
    with pytest.raises(DataError, match=rf"terms of contract '{CALL}' are not known"):
        other.store(key, frame, source="test")


def test_finding_names_what_there_is(catalog, tmp_path):
    import_bars(written(file_bars(), tmp_path, "bybit_x.parquet"), catalog, instrument="BTC-PERP")
    assert catalog.find(TapeKind.BARS, "BTC") == catalog.keys()
    assert catalog.find(TapeKind.BARS, "BTC", venue="bybit", instrument="BTC-PERP")
    with pytest.raises(CatalogError, match=r"no bars of ETH.*BTC \(BTC-PERP, bybit\)"):
        catalog.find(TapeKind.BARS, "ETH")
    with pytest.raises(CatalogError, match="no option_trades at all"):
        catalog.find(TapeKind.OPTION_TRADES, "BTC")


def test_a_tape_that_is_not_there_is_named(catalog):
    with pytest.raises(CatalogError, match="no tape hedge_trades/venue=sim"):
        catalog.read(TRADES_KEY)


def test_a_tape_with_too_many_rejects_is_used_only_when_accepted(catalog, tmp_path):
    path = written(with_value(deribit_trades(), 2, "price_btc", -1.0), tmp_path)
    assert import_deribit_trades(path, catalog).needs_acceptance
    [key] = catalog.keys()
    with pytest.raises(DataError, match=r"NON_POSITIVE_PRICE 1.*--accept-rejects"):
        catalog.read(key)
    with pytest.raises(DataError, match="rejected"):
        catalog.scan(key)
    assert catalog.read(key, accept_rejects=True).height == 5
    assert import_deribit_trades(path, catalog, accept_rejects=True).already_imported
    assert catalog.read(key).height == 5
    assert Catalog.open(catalog.path).imports()[0].accept_rejects


@pytest.mark.parametrize(("rows", "marked"), [(10_000, False), (9_999, True)])
def test_one_reject_in_ten_thousand_needs_no_word(catalog, tmp_path, rows, marked):
    path = written(with_value(file_bars(rows), 2, "close", -1.0), tmp_path, "binance_a.parquet")
    assert import_bars(path, catalog, instrument="BTC-PERP").needs_acceptance is marked


def test_the_fingerprint_is_of_the_data_alone(catalog, tmp_path):
    first = written(file_bars(20), tmp_path, "binance_a.parquet")
    import_bars(first, catalog, instrument="BTC-PERP")
    before = catalog.fingerprint([BARS_KEY])
    store_days(catalog, 1)
    assert catalog.fingerprint([BARS_KEY]) == before
    assert catalog.fingerprint([BARS_KEY, TRADES_KEY]) != before
    other = Catalog.create_or_open(tmp_path / "other")
    import_bars(first, other, instrument="BTC-PERP")
    assert other.fingerprint([BARS_KEY]) == before


def test_manifests_name_no_folders(catalog, tmp_path):
    import_deribit_trades(written(deribit_trades(), tmp_path), catalog)
    [path] = (catalog.path / "imports").iterdir()
    assert str(tmp_path) not in path.read_text()
    assert json.loads(path.read_text())["source"] == "trades.parquet"


def test_polars_reads_the_partitions_as_they_lie(catalog):
    store_days(catalog, 2)
    frame = pl.scan_parquet(catalog.path / "hedge_trades", hive_partitioning=True).collect()
    assert frame.height == 6
    assert frame["venue"].unique().to_list() == ["sim"]
    assert sorted(frame["date"].cast(pl.String).unique()) == ["2025-01-06", "2025-01-07"]


def test_duckdb_reads_the_partitions_as_they_lie(catalog, tmp_path):
    import_deribit_trades(written(deribit_trades(), tmp_path), catalog)
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select venue, underlying, date::varchar, count(*), sum(lots), min(price) "
            f"from read_parquet('{catalog.path}/option_trades/**/*.parquet', hive_partitioning=1) "
            "group by all"
        ).fetchall()
        terms = connection.execute(
            "select venue, underlying, contract, strike "
            f"from read_parquet('{catalog.path}/contracts/**/*.parquet', hive_partitioning=1) "
            "order by strike"
        ).fetchall()
    assert rows == [("deribit", "BTC", "2025-04-11", 6, 168, 0.02)]
    assert terms[1] == ("deribit", "BTC", CALL, 80_000.0)


def test_a_symbol_with_slashes_is_one_folder(catalog):
    key = TapeKey(TapeKind.HEDGE_TRADES, "okx", "BTC", "BTC/USDT:USDT", MINUTE_NS)
    catalog.store(key, day_of_trades(0), source="test")
    assert catalog.read(key).height == 3
    frame = pl.scan_parquet(catalog.path / "hedge_trades", hive_partitioning=True).collect()
    assert frame["instrument"].unique().to_list() == ["BTC/USDT:USDT"]


def test_one_import_is_looked_up_without_reading_the_records_of_the_others(catalog):
    wanted = catalog.store(TRADES_KEY, day_of_trades(0), source="test", coverage=whole_day(0))
    (catalog.path / "imports" / "0000000000000000.json").write_text("not a record")
    found = Catalog.open(catalog.path).imported(wanted)
    assert found is not None
    assert found.id == wanted
    with pytest.raises(CatalogError, match="the manifest cannot be read"):
        catalog.imports()
