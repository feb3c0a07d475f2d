"""Markets with expiries, made once for all tests: a simulated one, and recorded ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builders.expiry_friday import friday_market
from builders.recorded_markets import apple
from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import scenario
from hedgeflow.sources import (
    import_deribit_chains,
    import_nse_chains,
    import_spx_chains,
    import_table,
    table_map,
)
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.studies.expiration.markets import load_expiry_market
from hedgeflow.studies.expiration.scanning import scan_expiries
from hedgeflow.studies.simulated_markets import market_in_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.study import ScanResult

SOURCE = ExpirationPressureConfig.source()
CHAINS = ("chain_202512.parquet", "chain_202601.parquet")


@pytest.fixture(scope="session")
def friday(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Return a Friday of stock options: prints, one official count, bars."""
    return friday_market(tmp_path_factory.mktemp("friday-market"), SOURCE)


@pytest.fixture(scope="session")
def fridays() -> Market:
    """Return ten weeks of a simulated market with an expiry in each."""
    small = scenario(
        "expiry-friday",
        days=50,
        option_flow={"trades_per_day": 150.0},
        future={"trades_per_day": 300.0, "quote_interval_seconds": 300.0},
    )
    market, _ = market_in_memory(small, SOURCE)
    return market


@pytest.fixture(scope="session")
def recorded(
    market_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Market]:
    """Return a function from an underlying to its recorded market, made once."""
    root = tmp_path_factory.mktemp("recorded-expiries")
    made: dict[str, Market] = {}

    def market(underlying: str) -> Market:
        if underlying not in made:
            catalog = MAKERS[underlying](market_data, root)
            made[underlying] = load_expiry_market(catalog, underlying, SOURCE)
        return made[underlying]

    return market


@pytest.fixture(scope="session")
def scanned(recorded: Callable[[str], Market]) -> Callable[[str], ScanResult]:
    """Return a function from an underlying to its scan under `source`, made once."""
    made: dict[str, ScanResult] = {}

    def scan(underlying: str) -> ScanResult:
        if underlying not in made:
            made[underlying] = scan_expiries(recorded(underlying), SOURCE)
        return made[underlying]

    return scan


def _spx(data: Path, root: Path) -> Catalog:
    catalog = Catalog.create_or_open(root / "spx")
    names = ("gex_profile_15min.parquet", "spx_1m.parquet")
    import_spx_chains([data / "spx-0dte" / name for name in names], catalog, accept_rejects=True)
    return catalog


def _nifty(data: Path, root: Path) -> Catalog:
    catalog = Catalog.create_or_open(root / "nifty")
    path = data / "nse" / "nifty_atm_options_15min.parquet"
    import_nse_chains([path], catalog, accept_rejects=True)
    return catalog


def _deribit(data: Path, root: Path) -> Catalog:
    catalog = Catalog.create_or_open(root / "deribit")
    chains = [data / "deribit-chain" / name for name in CHAINS]
    import_deribit_chains(chains, catalog, accept_rejects=True)
    hours = table_map(
        kind="bars", venue="okx", instrument="BTC-PERP", resolution_seconds=3600.0,
        where="symbol=BTC,ts>=2025-12-20,ts<2026-02-01",
        columns="ts=ts,open=open,high=high,low=low,close=close,volume=volume*0.01",
    )  # fmt: skip
    import_table(data / "perp-bars" / "okx_1h.parquet", catalog, hours)
    return catalog


MAKERS = {"AAPL": apple, "SPX": _spx, "NIFTY": _nifty, "BTC": _deribit}
