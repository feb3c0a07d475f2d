"""The maps that the how-to prints make sound tapes of the recorded tables they were written for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hedgeflow.market import Catalog
from hedgeflow.sources.tables.columns import table_map
from hedgeflow.sources.tables.importing import import_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "import-any-table.md"
TITLED = re.compile(r"^```toml title=\"([^\"]+)\"\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def imported(market_data, tmp_path):
    """Return a function that imports a recorded table with a map of the page."""
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    maps = dict(TITLED.findall(PAGE.read_text(encoding="utf-8")))

    def run(name, source, **options):
        path = tmp_path / name
        path.write_text(maps[name], encoding="utf-8")
        source = market_data / source
        reports = import_table(source, catalog, table_map(path, **options))
        assert not any(report.rejected for report in reports)
        return catalog, reports[0], pl.read_parquet(source)

    return run


def test_candles_and_open_interest_of_one_venue_among_many(imported):
    catalog, report, raw = imported("candles.toml", "perp-multi-venue/candles.parquet")
    mine = raw.filter(venue="binance", coin="BTC")
    tape = catalog.read(report.key)
    assert tape["volume"].to_list() == mine["v"].to_list()
    catalog, report, raw = imported("interest.toml", "perp-multi-venue/open_interest.parquet")
    coins = catalog.read(report.key)
    first = coins.row(100, named=True)
    dollars = raw.filter(pl.col("timestamp") == first["ts"], venue="hyperliquid", coin="BTC")
    closes = tape.filter(pl.col("known_at") <= first["known_at"])["close"]
    assert first["open_interest"] == dollars["oi_usd"][0] / closes[-1]


def test_contracts_of_a_hundredth_of_a_coin_become_coins(imported):
    catalog, report, raw = imported("okx.toml", "perp-bars/okx_1h.parquet")
    mine = raw.filter(symbol="BTC")
    assert report.kept == mine.height
    assert catalog.read(report.key)["volume"].sum() == pytest.approx(mine["volume"].sum() / 100)


def test_funding_keeps_stamps_that_jitter(imported):
    catalog, report, _ = imported("funding.toml", "perp-multi-venue/funding_rates.parquet")
    check_jitter(catalog.read(report.key)["ts"])
    assert len(report.coverage.intervals) == 1


def test_funding_of_a_single_instrument_needs_no_map_file(market_data, tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    table = table_map(
        kind="funding",
        venue="binance",
        instrument="SOL-PERP",
        columns="ts=date,rate=funding_rate,hours:=8",
    )
    (report,) = import_table(market_data / "funding/binance_SOLUSDT_8h.parquet", catalog, table)
    assert (report.kept, report.rejected) == (1095, {})
    check_jitter(catalog.read(report.key)["ts"])


def check_jitter(stamps):
    early = stamps - stamps.dt.truncate("1h")
    assert timedelta(0) < early.max() < timedelta(seconds=1)


def test_volumes_of_intervals_are_trades_in_lots(imported):
    catalog, report, raw = imported("quarters.toml", "nse/nifty_atm_options_15min.parquet")
    tape = catalog.read(report.key)
    mine = raw.filter(pl.col("datetime") < datetime(2023, 1, 26))  # noqa: DTZ001 - local times
    assert tape["lots"].sum() * 50 == mine["CALL_volume"].sum() + mine["PUT_volume"].sum()
    assert tape["ts"][0] == datetime(2023, 1, 2, 3, 45, tzinfo=UTC)
    assert (tape["known_at"] - tape["ts"]).unique().to_list() == [timedelta(minutes=15)]
    assert 0.05 < tape["iv"].median() < 0.5


def test_open_interest_of_a_chain_is_in_contracts(imported):
    catalog, report, raw = imported("chain.toml", "nse/nifty_banknifty_chain.parquet")
    mine = raw.filter(Symbol="NIFTY")
    total = catalog.read(report.key)["open_interest"].sum()
    assert total == pytest.approx((mine["CE_OI"].sum() + mine["PE_OI"].sum()) / 65)
    assert catalog.contracts("nse", "NIFTY").height == 2 * mine["Strike"].n_unique()


def test_open_interest_of_options_that_expire_the_same_day(imported):
    catalog, report, raw = imported("same-day.toml", "spx-0dte/gex_profile_15min.parquet")
    mine = raw.filter(pl.col("date") >= "2026-08-18", pl.col("slot") != "1600")
    tape = catalog.read(report.key)
    assert tape["open_interest"].sum() == mine["coi"].sum() + mine["poi"].sum()
    expiries = catalog.contracts("opra", "SPX")["expiry"].unique().sort().to_list()
    assert expiries == [datetime(2026, 8, day, 20, tzinfo=UTC) for day in (18, 19)]
