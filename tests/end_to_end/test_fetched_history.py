"""A downloaded history is enough to test what dealers did: no account, no key, no file."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime

import aiohttp
import polars as pl
import pytest

from hedgeflow.journal import Journal
from hedgeflow.market import Catalog
from hedgeflow.sources import fetch_deribit_history
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.studies import backtest, load_market
from hedgeflow.studies.shock_tables import evidence_tables
from sources.deribit_history_server import HistoryServer, serving, simulated_market

FIRST, DAYS = date(2025, 1, 6), 10
"""From the sixth session on there are enough earlier ones to compare with."""
LARGE_HEDGE_COINS = 50.0
"""Only the shocks that the market was made with are so large; dealers hedge each of them."""


@pytest.fixture(scope="module")
def fetched(tmp_path_factory) -> Catalog:
    catalog = Catalog.create_or_open(tmp_path_factory.mktemp("fetched") / "catalog")
    market = simulated_market(FIRST, DAYS, perpetual_a_day=1500, options_a_day=150)

    async def fetch() -> None:
        async with serving(HistoryServer(market)) as url, aiohttp.ClientSession() as session:
            await fetch_deribit_history(
                catalog, session, currency="BTC", first=FIRST, last=date(2025, 1, 5 + DAYS),
                clock=lambda: datetime(2025, 2, 1, tzinfo=UTC), rng=random.Random(1), url=url,
                rate_per_second=10_000.0,
            )  # fmt: skip

    asyncio.run(fetch())
    return catalog


def test_signed_hedge_flow_is_observed_on_a_fetched_history(fetched, tmp_path):
    config = VolumeShockConfig.normalized()
    market = load_market(fetched, "BTC", config)
    assert (market.hedge.symbol, market.hedge.venue, market.simulated) == (
        "BTC-PERP",
        "deribit",
        False,
    )
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        result = backtest(market, config, journal)
    tables, _ = evidence_tables(market, config, result)
    assert tables.flow is not None, tables.flow_untestable_reason
    shocks = tables.flow.filter(pl.col("predicted").abs() > LARGE_HEDGE_COINS)
    assert shocks.height >= 3
    assert (shocks["predicted"] * shocks["observed"] > 0).all()
