"""Downloads of a simulated Deribit history, from a real server on the loopback."""

from __future__ import annotations

import asyncio
import random
import socket
from datetime import UTC, date, datetime
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver

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


URL = "http://history.test"
"""The server's address in every test, whatever port it has got."""


class Loopback(AbstractResolver):
    """Finds every name at one port of the loopback."""

    def __init__(self, url: str) -> None:
        self.port = int(url.rpartition(":")[2])

    async def resolve(self, host, port=0, family=0):
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": self.port,
                "family": socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
        ]

    async def close(self):
        return


def fetch(
    server: HistoryServer, catalog: Catalog | Path, *, url: str = URL, **options
) -> list[FetchedDay]:
    """Download from a server that is up as long as the download takes."""
    if isinstance(catalog, Path):
        catalog = Catalog.create_or_open(catalog)
    asked = {
        "currency": "BTC", "first": FIRST, "last": LAST, "clock": lambda: NOW,
        "rng": random.Random(1), "rate_per_second": 10_000.0, "patience": HASTY,
    } | options  # fmt: skip

    async def run() -> list[FetchedDay]:
        async with serving(server) as address:
            connector = aiohttp.TCPConnector(resolver=Loopback(address))
            async with aiohttp.ClientSession(connector=connector) as session:
                return await fetch_deribit_history(catalog, session, url=url, **asked)

    return asyncio.run(run())


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
