"""A server on a thread of its own that gives out files, and does what a fault says instead."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

PASSING = ("429", "500", "503", "reset", "truncated", "garbage", "silence", "html")
"""What goes wrong in ways that may pass."""


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    form: dict[str, str]
    headers: dict[str, str]


@dataclass
class FileServer(ABC):
    """What `answer` gives, unless a fault is listed for the n-th request of a name."""

    faults: dict[tuple[str, int], str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    """The fault of all requests of a name that are not listed."""
    asked: list[Asked] = field(default_factory=list)
    halfway: threading.Event = field(default_factory=threading.Event)
    """Set when half of a body was sent and the other half will not come."""
    counts: Counter = field(default_factory=Counter)

    def name_of(self, request: web.Request) -> str:
        return request.path

    @abstractmethod
    async def answer(self, asked: Asked) -> web.Response:
        """Return what is given where no fault is listed."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(
            request.method,
            request.path,
            {key: str(value) for key, value in (await request.post()).items()},
            dict(request.headers),
        )
        self.asked.append(asked)
        name = self.name_of(request)
        fault = self.faults.get((name, self.counts[name]), self.after.get(name))
        self.counts[name] += 1
        answer = await self.answer(asked)
        return answer if fault is None else await self.spoiled(fault, request, answer)

    async def spoiled(
        self, fault: str, request: web.Request, answer: web.Response
    ) -> web.StreamResponse:
        if fault.isdigit():
            return web.Response(status=int(fault), text=f"<html>{fault} from a proxy</html>")
        if fault == "html":
            return web.Response(text="<!DOCTYPE html><p>Please log in to this network</p>")
        if fault == "reset":
            request.transport.abort()
            return web.Response()
        body = bytes(answer.body)
        half = len(body) // 2
        if fault == "garbage":
            return web.Response(body=body[: half - 4] + b"\xa5" * 8 + body[half + 4 :])
        stream = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await stream.prepare(request)
        await stream.write(body[:half])
        if fault == "silence":
            self.halfway.set()
            await asyncio.sleep(30)
        request.transport.close()
        return stream


@contextmanager
def serving(server: FileServer):
    """Serve on the loopback and give the URL."""
    running, ready = [], threading.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", server.handle)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stop = asyncio.Event()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        running.append((url, asyncio.get_running_loop(), stop))
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    url, loop, stop = running[0]
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
