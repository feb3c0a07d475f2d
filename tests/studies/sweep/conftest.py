"""One tiny simulated market for every test of a sweep, where a coin decides each hedge's side."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import scenario, write_to_catalog
from hedgeflow.studies.sweep.trying import CatalogGround

COIN = {
    "dealers.hedging": "coin",
    "option_flow.trades_per_day": 4000.0,
    "future.trades_per_day": 8000.0,
    "future.quote_interval_seconds": 4.0,
}


@pytest.fixture(scope="session")
def coin_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the catalog of nine sessions, which no test writes to."""
    root = tmp_path_factory.mktemp("coin") / "catalog"
    write_to_catalog(scenario("calibration", COIN, days=9), Catalog.create_or_open(root))
    return root


@pytest.fixture
def ground(coin_catalog: Path, tmp_path: Path) -> CatalogGround:
    """Return the market with a journal of the test's own."""
    return CatalogGround(coin_catalog, "SIM", tmp_path / "journal.sqlite", time.time_ns)
