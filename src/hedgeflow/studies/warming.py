"""Compiles every kernel that the main jobs run, on the smallest markets that reach them all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hedgeflow.simulate import scenario
from hedgeflow.studies.demo import simulated_catalog, validate_simulated
from hedgeflow.studies.scenario_settings import config_of

WARM_DAYS = {"effect": 12, "expiry-friday": 15}
"""Scenarios and how many days of them; the second has expiries, and dealers who hedge into them."""
WARM_SEED = 1


def warm_kernels() -> None:
    """Simulate and validate small markets in a temporary folder, for the kernels' sake."""
    for name, days in WARM_DAYS.items():
        small = scenario(name, days=days, seed=WARM_SEED)
        with tempfile.TemporaryDirectory() as folder:
            validate_simulated(simulated_catalog(Path(folder), small), config_of(small))
