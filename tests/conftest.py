"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

PROJECT = Path(__file__).resolve().parent.parent

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
