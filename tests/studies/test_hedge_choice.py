"""Which instrument is the hedge: named, guessed, on another underlying, or none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builders.stock_market import (
    option_print,
    session_open,
    stock_catalog,
    store_bars,
    store_options,
)
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.contracts import HedgeKind
from hedgeflow.market.errors import CatalogError
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.studies import load_market
from hedgeflow.studies.hedge_choice import named_bars
from hedgeflow.studies.scanning import scan_market

if TYPE_CHECKING:
    from hedgeflow.studies.markets import Market

SPX_CALL = "SPXW  140620C01950000"
SOURCE = VolumeShockConfig.source()


def named(instrument: str, config: VolumeShockConfig = SOURCE) -> VolumeShockConfig:
    return config.model_copy(update={"hedge_instrument": instrument})


@pytest.fixture
def index_catalog(tmp_path) -> Catalog:
    """Return options on SPX at 1,940 with the index's own bars, which have no volume."""
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    rows = [option_print(minute, SPX_CALL, underlying_price=1_940.0) for minute in (0, 10, 20)]
    rows += [
        option_print(60 + step, SPX_CALL, lots=900, price=12.1 + step, underlying_price=1_940.0)
        for step in range(3)
    ]
    store_options(catalog, rows, underlying="SPX")
    store_bars(catalog, "SPX", price=1_940.0, volume=0.0)
    return catalog


def test_an_index_cannot_be_traded_and_the_message_says_what_to_do(index_catalog):
    for config in (SOURCE, VolumeShockConfig(), named("SPX")):
        with pytest.raises(CatalogError) as refused:
            load_market(index_catalog, "SPX", config)
        assert "SPX is an index and cannot be traded" in str(refused.value)
        assert "hedge_instrument" in str(refused.value)


def test_a_scan_of_absolute_demand_needs_no_hedge_instrument(index_catalog):
    market = load_market(index_catalog, "SPX", SOURCE, must_trade=False)
    assert market.hedge.kind is HedgeKind.INDEX
    assert "cannot be traded" in market.notes[0]
    result = scan_market(market, SOURCE)
    assert result.alerts["contract"].to_list() == [SPX_CALL]
    assert result.alerts["direction"].to_list() == ["BUY_FUTURES"]


def test_relative_demand_needs_the_volume_of_a_hedge_even_to_scan(index_catalog):
    with pytest.raises(CatalogError, match="cannot be traded"):
        load_market(index_catalog, "SPX", VolumeShockConfig(), must_trade=False)


def test_a_future_named_on_another_underlying_is_found_and_its_price_compared(index_catalog):
    store_bars(index_catalog, "ESM14", underlying="ES", venue="cme", price=1_938.0)
    market = load_market(index_catalog, "SPX", named("ESM14"))
    assert (market.hedge.symbol, market.hedge.kind) == ("ESM14", HedgeKind.FUTURE)
    assert "0.999 times that of SPX" in market.notes[0]


def test_without_its_name_a_future_on_another_underlying_is_not_guessed(index_catalog):
    store_bars(index_catalog, "ESM14", underlying="ES", venue="cme", price=1_938.0)
    with pytest.raises(CatalogError, match="cannot be traded"):
        load_market(index_catalog, "SPX", SOURCE)


def test_a_fund_at_a_tenth_of_the_price_is_refused_not_traded_in_tenths(index_catalog):
    store_bars(index_catalog, "SPY", price=194.0)
    with pytest.raises(CatalogError, match=r"different units: the one's price is 0\.1 times"):
        load_market(index_catalog, "SPX", named("SPY"))


def test_a_hedge_of_other_days_is_refused(index_catalog):
    store_bars(index_catalog, "ESM14", underlying="ES", venue="cme", price=1_938.0, days=(-2,))
    with pytest.raises(CatalogError, match="no day in common"):
        load_market(index_catalog, "SPX", named("ESM14"))


def test_a_tradable_instrument_on_the_index_itself_goes_before_the_index(index_catalog):
    store_bars(index_catalog, "ESM14", underlying="SPX", venue="cme", price=1_938.0)
    market = load_market(index_catalog, "SPX", VolumeShockConfig())
    assert market.hedge.symbol == "ESM14"
    assert market.notes == ()


def test_an_instrument_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    catalog = stock_catalog(tmp_path)
    with pytest.raises(CatalogError, match=r"no bars of AAPL, MSFT .* AAPL \(AAPL, usa\)"):
        load_market(catalog, "AAPL", named("MSFT"))


def test_a_catalog_without_bars_says_how_to_import_them(tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "my catalog")
    with pytest.raises(CatalogError) as refusal:
        named_bars(catalog, "AAPL", VolumeShockConfig())
    assert refusal.value.hint == (
        "It holds no bars at all. Import bars of what dealers hedge in: hedgeflow data import bars"
        f" FILE --instrument SYMBOL --catalog '{catalog.path}'"
    )


def test_the_named_instrument_of_the_underlying_itself_needs_no_comparison(tmp_path):
    market: Market = load_market(stock_catalog(tmp_path), "AAPL", named("AAPL"))
    assert market.hedge.kind is HedgeKind.STOCK
    assert market.notes == ()
    assert int(market.sessions.open_ns[-1]) == session_open()
