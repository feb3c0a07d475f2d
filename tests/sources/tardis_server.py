"""A server that answers as Tardis's datasets do: packed files by day, first days of months free.

Written after the pages on Tardis's datasets and its own Python client; it shares no code with the
client of hedgeflow.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field

from aiohttp import web

from sources.file_server import Asked, FileServer

KEY = "TD.0123456789abcdef"
NOT_KNOWN = '{"code": 104, "message": "Unknown symbol or data type"}'
NOT_ALLOWED = '{"code": 101, "message": "API key {} is not valid"}'


@dataclass
class TardisServer(FileServer):
    """Gives out files by exchange, data type, day and symbol, as `deribit/trades/2020/03/01/X`."""

    files: dict[str, bytes] = field(default_factory=dict)
    elsewhere: str = ""
    """Another server, to which all requests are sent on."""

    async def answer(self, asked: Asked) -> web.Response:
        place = asked.path.removeprefix("/v1/").removesuffix(".csv.gz")
        if self.elsewhere:
            return web.Response(status=302, headers={"Location": self.elsewhere + asked.path})
        sent = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        is_free = place.split("/")[-2] == "01"
        if sent != KEY and not (is_free and not sent):
            return web.Response(status=401, text=NOT_ALLOWED.replace("{}", sent or "(none)"))
        if place not in self.files:
            return web.Response(status=400, text=NOT_KNOWN)
        return web.Response(body=self.files[place], content_type="application/gzip")


def packed(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)
