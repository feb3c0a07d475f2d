"""A server that answers as Databento's historical API does, with files of its own encoder.

Written after databento-python's requests and the API's pages on errors; it shares no code with the
client. Half of a day's symbols are asked for as parents and exist on days of sessions only.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import databento_dbn as dbn
import zstandard
from aiohttp import web

from builders.dbn_files import CALL, NASDAQ, NUMBERS_OF_OPTIONS, OPRA, PUT, bar, header, tcbbo
from hedgeflow.market.time import DAY_NS, SECOND_NS, instant_ns
from sources.file_server import Asked, FileServer

KEY = "db-0123456789abcdefghijklmnopqrst"
SESSIONS = (date(2025, 2, 14), date(2025, 2, 17), date(2025, 2, 18))
"""Friday, Monday, Tuesday."""
USD_A_RECORD = 0.01
RECORDS = 10
DOWNLOAD, COST, COUNT = "timeseries.get_range", "metadata.get_cost", "metadata.get_record_count"
Key = tuple[str, str, date]


@dataclass
class DatabentoServer(FileServer):
    """Gives out a body and a number of records for a dataset, a schema and a day."""

    days: dict[Key, tuple[bytes, int]] = field(default_factory=dict)
    miscounted: int = 0
    """Is added to each number of records."""
    warned: bool = True
    """Whether some symbols did not exist: 206 instead of 200."""

    def name_of(self, request: web.Request) -> str:
        return request.path.removeprefix("/v0/")

    def of(self, method: str) -> list[Asked]:
        return [each for each in self.asked if each.path == f"/v0/{method}"]

    async def answer(self, asked: Asked) -> web.Response:
        expected = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        if asked.headers.get("Authorization") != expected:
            sent = asked.headers.get("Authorization", "").removeprefix("Basic ")
            name = base64.b64decode(sent).decode()
            return refused(401, "auth_authentication_failed", f"Authentication failed for {name}.")
        assert asked.method == "POST"
        form = asked.form
        found = {
            day: content
            for (dataset, schema, day), content in self.days.items()
            if (dataset, schema) == (form["dataset"], form["schema"])
            and int(form["start"]) <= start_ns(day) < int(form["end"])
        }
        if not found:
            return refused(
                422, "symbology_invalid_request", "None of the symbols could be resolved."
            )
        records = sum(count for _, count in found.values())
        method = asked.path.removeprefix("/v0/")
        if method == COST:
            return web.json_response(records * USD_A_RECORD)
        if method == COUNT:
            return web.json_response(records + self.miscounted)
        assert method == DOWNLOAD
        assert (form["encoding"], form["compression"]) == ("dbn", "zstd")
        [(body, _)] = found.values()
        return web.Response(status=206 if self.warned else 200, body=body)


def refused(status: int, case: str, message: str) -> web.Response:
    detail = {"case": case, "message": message, "status_code": status,
              "docs": "https://databento.com/docs", "payload": {}}  # fmt: skip
    return web.Response(status=status, text=json.dumps({"detail": detail}))


def start_ns(day: date) -> int:
    return instant_ns(datetime(day.year, day.month, day.day, tzinfo=UTC))


def file_of(dataset: str, schema: str, day: date, symbols: dict[str, int], records: list) -> bytes:
    """Return a day's file as Databento's encoder writes it."""
    top = header(
        schema, dataset, symbols, start=start_ns(day), end=start_ns(day) + DAY_NS,
        days=(day, day + timedelta(days=1)),
    )  # fmt: skip
    return packed(top, b"".join(bytes(each) for each in records))


def packed(top: dbn.Metadata, records: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(bytes(top) + records)


def stock_and_options() -> DatabentoServer:
    """Return a server with bars of a stock and prints of its options on the days of sessions."""
    days: dict[Key, tuple[bytes, int]] = {}
    for day in SESSIONS:
        opening = start_ns(day) + 52_200 * SECOND_NS
        bars = [bar("AAPL", opening + n * SECOND_NS, 245 + n / 100) for n in range(60)]
        days[NASDAQ, "ohlcv-1s", day] = (
            file_of(NASDAQ, "ohlcv-1s", day, {"AAPL": 32}, bars),
            len(bars),
        )
        prints = [
            tcbbo((CALL, PUT)[n % 2], opening + (5 * n + 5) * SECOND_NS, 1.0 + n / 100, 1.0, 1.2)
            for n in range(RECORDS)
        ]
        days[OPRA, "tcbbo", day] = (
            file_of(OPRA, "tcbbo", day, NUMBERS_OF_OPTIONS, prints),
            len(prints),
        )
    return DatabentoServer(days=days)
