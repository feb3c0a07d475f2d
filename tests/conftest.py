"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from builders.program import Done
    from hedgeflow.market import Catalog

PROJECT = Path(__file__).resolve().parent.parent

os.environ.pop("HEDGEFLOW_JOURNAL", None)  # no test writes into a journal that someone keeps

settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Return the optional folder with recorded markets, or skip."""
    named = os.environ.get("HEDGEFLOW_DATA")
    folder = Path(named) if named else PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs recorded markets: no folder {folder} (name one in HEDGEFLOW_DATA)")
    return folder


@pytest.fixture(scope="session")
def simulated_market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a simulated catalog that tests read and never write to."""
    from builders.simulated import shared_catalog  # compiles kernels: only where it is asked for

    base = tmp_path_factory.getbasetemp()
    return shared_catalog(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """Return an empty catalog, the test's own."""
    from hedgeflow.market import Catalog

    return Catalog.create_or_open(tmp_path / "catalog")


@pytest.fixture
def simulated_copy(simulated_market: Path, tmp_path: Path) -> Path:
    """Return a copy of the simulated catalog, the test's own."""
    from builders.simulated import copy_of

    return copy_of(simulated_market, tmp_path / "catalog")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Return a function that runs a command in this process: exit code, output and errors."""
    from builders.program import runner

    return runner(capsys)
