"""One small simulated catalog, made once for all workers of a test run."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from hedgeflow.simulate import scenario
from hedgeflow.studies.demo import simulated_catalog

DAYS = 12
SEED = 7
PATIENCE_SECONDS = 100.0


def shared_catalog(base: Path) -> Path:
    """Return the catalog below a folder that all workers share, made by whoever comes first."""
    folder = base / "simulated-market"
    ready = folder / "ready"
    try:
        folder.mkdir()
    except FileExistsError:
        begun = time.monotonic()
        while not (ready.exists() and ready.read_text()):
            if time.monotonic() - begun > PATIENCE_SECONDS:
                message = f"another worker never finished {folder}"
                raise TimeoutError(message) from None
            time.sleep(0.1)
    else:
        ready.write_text(simulated_catalog(folder, scenario("effect", days=DAYS, seed=SEED)).name)
    return folder / ready.read_text()


def copy_of(catalog: Path, target: Path) -> Path:
    """Return a copy of a catalog that a test may write to."""
    return Path(shutil.copytree(catalog, target))
