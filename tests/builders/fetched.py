"""Downloads of a simulated Deribit history, from a real server on the loopback."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime
from pathlib import Path

import aiohttp

from hedgeflow.market import Catalog
from hedgeflow.sources import FetchedDay, fetch_deribit_history
from hedgeflow.sources.download import Patience
from sources.deribit_history_server import HistoryServer, serving

FIRST, LAST = date(2025, 1, 6), date(2025, 1, 7)
NOW = datetime(2025, 1, 20, 12, tzinfo=UTC)
HASTY = Patience(
    attempts=4, first_wait_seconds=0.001, longest_wait_seconds=0.002, timeout_seconds=0.3
)
"""Pauses and time limits that a test can wait for."""


def fetch(
    server: HistoryServer, catalog: Catalog | Path, *, url: str | None = None, **options
) -> list[FetchedDay]:
    """Download from a server that is up as long as the download takes."""
    if isinstance(catalog, Path):
        catalog = Catalog.create_or_open(catalog)
    asked = {
        "currency": "BTC", "first": FIRST, "last": LAST, "clock": lambda: NOW,
        "rng": random.Random(1), "rate_per_second": 10_000.0, "patience": HASTY,
    } | options  # fmt: skip

    async def run() -> list[FetchedDay]:
        async with serving(server) as address, aiohttp.ClientSession() as session:
            return await fetch_deribit_history(catalog, session, url=url or address, **asked)

    return asyncio.run(run())


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
