"""Compiles every kernel that the main job runs, on the smallest market that reaches them all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hedgeflow.simulate import scenario
from hedgeflow.studies.demo import simulated_catalog, validate_simulated
from hedgeflow.studies.scenario_settings import config_of

WARM_DAYS = 12
WARM_SEED = 1


def warm_kernels() -> None:
    """Simulate and validate a small market in a temporary folder, for the kernels' sake."""
    small = scenario("effect", days=WARM_DAYS, seed=WARM_SEED)
    with tempfile.TemporaryDirectory() as folder:
        validate_simulated(simulated_catalog(Path(folder), small), config_of(small))
