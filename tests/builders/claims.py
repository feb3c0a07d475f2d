"""The packages that the page of claims is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.recorded_markets import deribit
from hedgeflow.evidence.opening import Package, open_package
from hedgeflow.journal import Journal
from hedgeflow.simulate import scenario
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.studies import load_market, validate, write_validation
from hedgeflow.studies.demo import simulated_catalog, validate_simulated
from hedgeflow.studies.scenario_settings import config_of

if TYPE_CHECKING:
    from pathlib import Path

RECORDED = {"BTC 2025, normalized": "normalized", "BTC 2025, source": "source"}
"""Columns of recorded markets, and the preset of each."""
NOW = "2025-06-01T00:00:00Z"


def recorded_package(data: Path, preset: str, folder: Path) -> Package:
    """Return the package of Deribit's BTC option trades of 2025 under a preset.

    Its journal is new, so that one configuration was tried.
    """
    folder.mkdir(parents=True)
    catalog = deribit(data, folder)
    config = load_config(preset)
    with Journal.open(folder / "journal.sqlite") as journal:
        made = validate(load_market(catalog, "BTC", config), config, journal)
    write_validation(made, folder / "package", NOW)
    return open_package(folder / "package")


def simulated_package(preset: str, folder: Path) -> Package:
    """Return the package of a simulated market, with the settings that it asks for."""
    folder.mkdir(parents=True)
    asked = scenario(preset)
    made = validate_simulated(simulated_catalog(folder, asked), config_of(asked))
    write_validation(made, folder / "package", NOW)
    return open_package(folder / "package")
