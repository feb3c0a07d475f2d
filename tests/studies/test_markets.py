"""Which tapes a study reads, and which days count."""

from __future__ import annotations

import polars as pl
import pytest

from builders.stock_market import (
    CALL,
    session_open,
    shock,
    stock_catalog,
    store_days,
    store_hedge_quotes,
    store_options,
)
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import CatalogError
from hedgeflow.signals import BaselineOrigin
from hedgeflow.sources import import_bars, import_deribit_trades
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.studies import load_market
from hedgeflow.studies.hedge_tapes import hedge_tape
from hedgeflow.studies.scanning import scan_market

START = "2025-05-05T00:00:00"


def bars_file(folder, name: str, interval: str, volume: float, days: int = 3):
    starts = pl.datetime_range(
        pl.lit(START).str.to_datetime(time_zone="UTC"),
        pl.lit(START).str.to_datetime(time_zone="UTC") + pl.duration(days=days),
        interval,
        closed="left",
        eager=False,
    )
    frame = pl.select(date=starts).with_columns(
        open=pl.lit(99_000.0), high=pl.lit(99_000.0), low=pl.lit(99_000.0), close=pl.lit(99_000.0),
        volume=pl.lit(volume),
    )  # fmt: skip
    frame.write_parquet(folder / f"{name}.parquet")
    return folder / f"{name}.parquet"


@pytest.fixture
def catalog(tmp_path) -> Catalog:
    stamps = pl.datetime_range(
        pl.lit(START).str.to_datetime(time_zone="UTC"),
        pl.lit(START).str.to_datetime(time_zone="UTC") + pl.duration(days=3),
        "10m",
        closed="left",
        eager=False,
    )
    trades = (
        pl.select(ts=stamps)
        .with_row_index("trade_id")
        .with_columns(
            instrument=pl.lit("BTC-30MAY25-100000-C"),
            direction=pl.lit("buy"),
            price_btc=pl.lit(0.01),
            iv_pct=pl.lit(50.0),
            amount=pl.lit(1.0),
            underlying_price=pl.lit(99_000.0),
        )
    )
    trades.write_parquet(tmp_path / "trades.parquet")
    made = Catalog.create_or_open(tmp_path / "catalog")
    import_deribit_trades(tmp_path / "trades.parquet", made)
    return made


def test_the_most_traded_venue_is_chosen_and_the_choice_is_said(catalog, tmp_path):
    for name, volume in (("bybit_1m", 1.0), ("binance_1m", 9.0)):
        import_bars(bars_file(tmp_path, name, "1m", volume), catalog, instrument="BTC-PERP")
    market = load_market(catalog, "BTC", VolumeShockConfig())
    assert market.hedge.venue == "binance"
    assert "binance BTC-PERP 45.0" in market.notes[0]
    assert "bybit BTC-PERP 5.0" in market.notes[0]


def test_a_named_venue_is_taken_and_nothing_is_said(catalog, tmp_path):
    for name, volume in (("bybit_1m", 1.0), ("binance_1m", 9.0)):
        import_bars(bars_file(tmp_path, name, "1m", volume), catalog, instrument="BTC-PERP")
    market = load_market(catalog, "BTC", VolumeShockConfig(hedge_venue="bybit"))
    assert market.hedge.venue == "bybit"
    assert market.notes == ()


def test_of_one_instrument_the_finest_bars_are_taken(catalog, tmp_path):
    import_bars(bars_file(tmp_path, "binance_5m", "5m", 5.0), catalog, instrument="BTC-PERP")
    import_bars(bars_file(tmp_path, "binance_1m", "1m", 1.0), catalog, instrument="BTC-PERP")
    market = load_market(catalog, "BTC", VolumeShockConfig())
    assert market.bars_key.resolution_ns == 60_000_000_000


def test_bars_longer_than_5_minutes_are_refused_with_the_reason(catalog, tmp_path):
    import_bars(bars_file(tmp_path, "binance_1h", "1h", 5.0), catalog, instrument="BTC-PERP")
    with pytest.raises(CatalogError, match="longer than 5 minutes"):
        load_market(catalog, "BTC", VolumeShockConfig())


def test_days_without_v5_could_not_be_traded_and_do_not_count(catalog, tmp_path):
    import_bars(bars_file(tmp_path, "binance_1m", "1m", 1.0), catalog, instrument="BTC-PERP")
    market = load_market(catalog, "BTC", VolumeShockConfig())
    assert market.tested_sessions(needs_scale=True) == (1, 2)
    assert market.tested_sessions(needs_scale=False) == (0, 1, 2)


def test_daily_volumes_are_read_where_the_catalog_has_them_and_name_the_data_set(tmp_path):
    stocks = stock_catalog(tmp_path)
    before = load_market(stocks, "AAPL", VolumeShockConfig())
    assert before.days is None
    assert before.option_hash == stocks.fingerprint([before.options])
    store_days(stocks, {day: {CALL: 78} for day in (-4, -3, -2, -1)})
    after = load_market(stocks, "AAPL", VolumeShockConfig())
    assert after.days is not None
    assert after.days["lots"].to_list() == [78] * 4
    assert after.option_hash != before.option_hash
    assert int(after.sessions.open_ns[0]) == session_open(-4)


def test_quotes_no_finer_than_the_bars_are_shown_and_not_traded_on(tmp_path):
    """A minute's last quote, stamped with its start, would fill an order a minute early."""
    stocks = stock_catalog(tmp_path)
    store_hedge_quotes(stocks, {58: (644.0, 645.0)})
    market = load_market(stocks, "AAPL", VolumeShockConfig())
    assert market.quotes is not None
    assert market.tick_quotes is None
    tape = hedge_tape(market)
    assert tape.bars is not None
    assert tape.ticks is None


def test_quotes_finer_than_the_bars_are_traded_on(simulated_market):
    market = load_market(Catalog.open(simulated_market), "SIM", VolumeShockConfig())
    assert market.tick_quotes is market.quotes
    assert hedge_tape(market).ticks is not None


def test_daily_volumes_of_another_underlying_change_nothing(tmp_path):
    stocks = stock_catalog(tmp_path)
    before = load_market(stocks, "AAPL", VolumeShockConfig())
    store_days(stocks, {-1: {"MSFT  140620C00040000": 78}}, underlying="MSFT")
    after = load_market(stocks, "AAPL", VolumeShockConfig())
    assert after.days is None
    assert after.option_hash == before.option_hash


def test_a_scan_measures_against_daily_volumes_and_says_that_they_know_no_time_of_day(tmp_path):
    stocks = stock_catalog(tmp_path)
    store_days(stocks, {day: {CALL: 78 * 20} for day in (-4, -3, -2, -1)})
    config = VolumeShockConfig.source()
    result = scan_market(load_market(stocks, "AAPL", config), config)
    assert result.anomalies["origin"].to_list() == [BaselineOrigin.DAYS]
    assert result.anomalies["baseline_contracts"].to_list() == [20.0]
    assert result.alerts["baseline_origin"].to_list() == ["DAYS"]
    assert any("1 anomalies of 1 contracts" in note and "time of day" in note
               for note in result.notes)  # fmt: skip


def test_one_tape_in_two_resolutions_is_refused_as_that(tmp_path):
    stocks = stock_catalog(tmp_path)
    store_options(stocks, shock(), resolution_ns=1_000_000_000)
    with pytest.raises(CatalogError) as refused:
        load_market(stocks, "AAPL", VolumeShockConfig())
    assert "AAPL option trades of usa" in str(refused.value)
    assert "1 s and of 1 min" in str(refused.value)


def test_two_option_venues_are_refused_by_name(catalog, tmp_path):
    store_options(catalog, shock(), underlying="BTC")
    with pytest.raises(CatalogError, match="imported from deribit, usa"):
        load_market(catalog, "BTC", VolumeShockConfig())
