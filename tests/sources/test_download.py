"""Requests are spread, repeated while that may help, and given up with the reason."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from hedgeflow.market import DataError
from hedgeflow.sources.download import Downloader, DownloadError, Patience, TokenBucket


class Time:
    """A clock that only a sleep moves, and that remembers its sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Highest(random.Random):
    """A generator whose pauses are the longest."""

    def random(self) -> float:
        return 1.0


class Lowest(random.Random):
    """A generator whose pauses are the shortest."""

    def random(self) -> float:
        return 0.0


@asynccontextmanager
async def answering(*answers):
    """Serve each of some answers once, the last one for ever; give the URL and what was asked."""
    asked = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(dict(request.query))
        return answers[min(len(asked), len(answers)) - 1]()

    app = web.Application()
    app.router.add_get("/data", handle)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/data", asked
    finally:
        await runner.cleanup()


def get(*answers, read=bytes, is_later=None, rng=None, patience=None, waits=None):
    """Return what a downloader gets from a server, the times it slept, and what was asked."""
    time = Time()

    async def run():
        bucket = TokenBucket(1000.0, 1000.0, clock=time.clock, sleep=time.sleep)
        async with answering(*answers) as (url, asked), aiohttp.ClientSession() as session:
            downloader = Downloader(
                session, bucket, rng or Lowest(), patience=patience, sleep=time.sleep,
                on_wait=None if waits is None else lambda *told: waits.append(told),
            )  # fmt: skip
            found = await downloader.get(url, {"a": "1"}, read, is_later=is_later)
            return found, time.slept, asked

    return asyncio.run(run())


def ok(body=b"good", **options):
    return lambda: web.Response(body=body, **options)


def failing(status, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.Response(status=status, text="busy", headers=named)


# --- the rate -----------------------------------------------------------------------------------


def test_a_bucket_lets_a_burst_through_and_spreads_the_rest():
    time = Time()
    bucket = TokenBucket(10.0, 5.0, clock=time.clock, sleep=time.sleep)

    async def take(count):
        for _ in range(count):
            await bucket.take()

    asyncio.run(take(5))
    assert time.slept == []
    asyncio.run(take(20))
    assert time.now == pytest.approx(102.0)
    time.now += 60.0
    before = len(time.slept)
    asyncio.run(take(5))
    assert len(time.slept) == before
    asyncio.run(take(1))
    assert len(time.slept) == before + 1


def test_requests_at_once_share_the_rate():
    async def run():
        loop = asyncio.get_running_loop()
        bucket = TokenBucket(200.0, 1.0, clock=loop.time)
        begun = loop.time()
        await asyncio.gather(*(bucket.take() for _ in range(41)))
        return loop.time() - begun

    assert 0.2 <= asyncio.run(run()) < 0.5


@pytest.mark.parametrize(("rate", "burst"), [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.5)])
def test_a_rate_that_lets_nothing_through_is_refused(rate, burst):
    with pytest.raises(DataError, match="rate must be positive and the burst at least 1"):
        TokenBucket(rate, burst)


# --- repeating ----------------------------------------------------------------------------------


def test_a_good_answer_needs_one_request():
    found, slept, asked = get(ok(), read=lambda body: body.decode())
    assert (found, slept, asked) == ("good", [], [{"a": "1"}])


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_an_answer_that_means_later_is_repeated(status):
    found, slept, asked = get(failing(status), failing(status), ok())
    assert (found, len(slept), len(asked)) == (b"good", 2, 3)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_for_good_is_told_at_once(status):
    with pytest.raises(DownloadError, match=rf"refuses the request: {status} \(busy\)"):
        get(failing(status), ok())


def test_pauses_double_up_to_the_longest_and_half_of_each_is_random():
    patience = Patience(attempts=8, first_wait_seconds=0.5, longest_wait_seconds=10.0)
    for rng, share in ((Highest(), 1.0), (Lowest(), 0.5)):
        failures = [failing(500)] * 7
        _, slept, _ = get(*failures, ok(), rng=rng, patience=patience)
        assert slept == [share * whole for whole in (0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0)]


def test_too_many_failures_are_told_with_the_last_reason():
    waits = []
    with pytest.raises(DownloadError, match=r"/data: 8 attempts failed.*answered 503 \(busy\)"):
        get(failing(503), waits=waits)
    assert [reason for reason, _ in waits] == ["the server answered 503 (busy)"] * 7


def test_retry_after_is_waited_for():
    _, slept, _ = get(failing(429, Retry_After="7"), ok())
    assert slept == [7.0]


def test_retry_after_as_a_date_counts_from_the_servers_own_clock():
    _, slept, _ = get(
        failing(
            503,
            Retry_After="Wed, 21 Oct 2015 07:28:09 GMT",
            Date="Wed, 21 Oct 2015 07:28:00 GMT",
        ),
        ok(),
    )
    assert slept == [9.0]


@pytest.mark.parametrize("text", ["soon", "", "-5", "Wed, 99 Oct 2015 07:28:09 GMT"])
def test_a_retry_after_that_says_nothing_leaves_the_usual_pause(text):
    _, slept, _ = get(failing(429, Retry_After=text), ok())
    assert slept == [0.25]


def test_a_pause_of_hours_is_told_instead_of_waited_for():
    with pytest.raises(DownloadError, match=r"asks to come back in 7,200 s.*Try again then"):
        get(failing(429, Retry_After="7200"), ok())


def test_a_server_may_say_later_in_its_own_way():
    found, slept, _ = get(
        ok(b"wait"), ok(), is_later=lambda status, body: status == 200 and body == b"wait"
    )
    assert (found, len(slept)) == (b"good", 1)


def test_content_that_cannot_be_is_asked_for_again():
    def read(body):
        if body != b"good":
            raise DataError("these are no data")
        return body

    found, slept, _ = get(ok(b"<html>"), ok(), read=read)
    assert (found, len(slept)) == (b"good", 1)
    with pytest.raises(DownloadError, match="last one because these are no data"):
        get(ok(b"<html>"), read=read)


def test_an_error_of_the_reader_itself_is_not_hidden():
    def read(body):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        get(ok(), read=read)


def test_what_is_no_url_is_told():
    async def run(url):
        async with aiohttp.ClientSession() as session:
            bucket = TokenBucket(10.0, 10.0)
            await Downloader(session, bucket, random.Random(1)).get(url, {}, bytes)

    for url in ("nowhere", "http://", "ftp://127.0.0.1/"):
        with pytest.raises(DownloadError, match="this is no URL"):
            asyncio.run(run(url))
