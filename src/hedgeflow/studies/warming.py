"""Compiles every kernel that the main job runs, on the smallest market that reaches them all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.studies.demo import simulated_catalog, validate_simulated

WARM_DAYS = 12
WARM_SEED = 1


def warm_kernels() -> None:
    """Simulate and validate a small market in a temporary folder, for the kernels' sake."""
    with tempfile.TemporaryDirectory() as folder:
        root = simulated_catalog(Path(folder), "effect", days=WARM_DAYS, seed=WARM_SEED)
        validate_simulated(root, VolumeShockConfig())
