"""The main job with no data: simulate a market, scan it, trade it, judge the claim."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hedgeflow import simulate
from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import (
    TRUTH_FOLDER,
    TruthTable,
    read_truth,
    scenario,
    write_to_catalog,
)
from hedgeflow.studies.backtesting import JOURNAL_FILE
from hedgeflow.studies.markets import load_market
from hedgeflow.studies.validation import Validation, validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.strategies.volume_shock import VolumeShockConfig

UNDERLYING = "SIM"


def simulated_catalog(
    folder: Path,
    preset: str,
    *,
    days: int,
    seed: int,
    progress: Callable[[int, int], object] | None = None,
) -> Path:
    """Return the folder of a simulated market's catalog, made unless it is there complete."""
    root = folder / f"{preset}-{days}d-{seed}"
    stamp = root / TRUTH_FOLDER / "simulator.txt"
    if not stamp.is_file() or stamp.read_text() != _simulator_version():
        shutil.rmtree(root, ignore_errors=True)
        write_to_catalog(
            scenario(preset, days=days, seed=seed), Catalog.create_or_open(root), progress
        )
        stamp.write_text(_simulator_version())
    return root


def _simulator_version() -> str:
    """Return a digest of the simulator's own source: another one makes another market."""
    digest = hashlib.sha256()
    root = Path(simulate.__file__).parent
    for path in sorted([*root.glob("*.py"), *root.glob("presets/*.toml")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def validate_simulated(
    root: Path,
    config: VolumeShockConfig,
    progress: Callable[[int, int], None] | None = None,
) -> Validation:
    """Judge the claim on a simulated market, with its truth for the accuracy figures only."""
    catalog = Catalog.open(root)
    truth = read_truth(root, TruthTable.SHOCKS)
    market = load_market(catalog, UNDERLYING, config)
    with Journal.open(root / JOURNAL_FILE) as journal:
        return validate(market, config, journal, truth=truth, progress=progress)
