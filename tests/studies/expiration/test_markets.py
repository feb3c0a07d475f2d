"""What is read and traded of an underlying's expiries, and what is said of an index."""

from __future__ import annotations

import polars as pl
import pytest

from builders.expiry_friday import CONTRACTS, PUBLISHED, friday_catalog
from builders.stock_market import rows_of, stock_catalog, tape_key, terms_of
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.contracts import HedgeKind
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.studies.expiration.markets import is_stand_in, load_expiry_market

SOURCE = ExpirationPressureConfig.source()


def test_prints_are_read_with_official_counts_beside_them_and_the_stock_is_traded(friday):
    assert friday.options.kind is TapeKind.OPTION_TRADES
    assert friday.open_interest is not None
    assert set(friday.open_interest["contract"]) == set(CONTRACTS)
    assert (friday.hedge.symbol, is_stand_in(friday.hedge)) == ("AAPL", False)


def test_without_open_interest_nothing_is_read(tmp_path):
    with pytest.raises(CatalogError, match="nothing says how much open interest"):
        load_expiry_market(stock_catalog(tmp_path), "AAPL", SOURCE)


def test_without_a_price_to_trade_at_nothing_is_read(tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    rows = [
        {"ts": PUBLISHED - MINUTE_NS, "known_at": PUBLISHED, "contract": each, "open_interest": 9.0}
        for each in CONTRACTS
    ]
    prints = [
        {"ts": PUBLISHED, "known_at": PUBLISHED + MINUTE_NS, "contract": CONTRACTS[0], "lots": 1,
         "price": 3.0, "aggressor": 1, "underlying_price": 645.0}
    ]  # fmt: skip
    for kind, frame, resolution in (
        (TapeKind.OPEN_INTEREST, rows_of(TapeKind.OPEN_INTEREST, rows), DAY_NS),
        (TapeKind.OPTION_TRADES, rows_of(TapeKind.OPTION_TRADES, prints), MINUTE_NS),
    ):
        key = tape_key(kind, resolution_ns=resolution)
        catalog.store(key, frame, source=str(kind), contracts=terms_of(frame))
    with pytest.raises(CatalogError, match="bars"):
        load_expiry_market(catalog, "AAPL", SOURCE)


def test_a_hedge_on_another_underlying_leaves_the_options_own_bars_to_price_them(tmp_path):
    """SPX options hedged in ES: the strikes are beside the index, the trades are in the future."""
    catalog = friday_catalog(tmp_path)
    own = catalog.read(tape_key(TapeKind.BARS)).drop("sequence")
    other = own.with_columns(pl.col("open", "high", "low", "close") + 25.0)
    catalog.store(tape_key(TapeKind.BARS, "OTHER"), other, source="bars")
    named = (SOURCE.model_copy(update={"hedge_instrument": each}) for each in ("OTHER", "AAPL"))
    market, alone = (load_expiry_market(catalog, "AAPL", config) for config in named)
    assert market.hedge.underlying == "OTHER"
    assert market.underlying_bars is not None
    assert market.underlying_bars["close"].equals(own["close"])
    assert market.bars["close"].equals(other["close"])
    assert alone.underlying_bars is None
    assert alone.hedge_hash != market.hedge_hash


def test_an_unknown_underlying_is_refused_by_name(tmp_path):
    with pytest.raises(CatalogError, match="TSLA"):
        load_expiry_market(friday_catalog(tmp_path), "TSLA", SOURCE)


@pytest.mark.parametrize(
    ("underlying", "future", "multiplier", "tick"),
    [("SPX", "ES", 50.0, 0.25), ("NIFTY", "the NIFTY future", 1.0, 0.05)],
)
def test_an_index_stands_in_for_its_future_and_it_is_said(
    recorded, underlying, future, multiplier, tick
):
    market = recorded(underlying)
    hedge = market.hedge
    assert market.options.kind is TapeKind.OPTION_SNAPSHOTS
    assert is_stand_in(hedge)
    assert hedge.kind is HedgeKind.FUTURE
    assert (hedge.multiplier, hedge.tick, hedge.lot) == (multiplier, tick, 1.0)
    (note,) = [each for each in market.notes if "stands in for" in each]
    assert future in note
    assert "can never be VALIDATED" in note
