"""A file is downloaded aside, checked and renamed: it is there whole, or not at all."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from builders.fetched import HASTY
from hedgeflow.market import CatalogError, DataError
from hedgeflow.sources.download import Downloader, DownloadError, Request, TokenBucket
from sources.file_server import FileServer, serving

BODY = bytes(range(256)) * 4_000


class OneFile(FileServer):
    """Gives out one body, whatever is asked."""

    async def answer(self, asked):
        return web.Response(body=BODY)


async def whole(path: Path) -> int:
    """Take a file that holds the body, and return its length."""
    return length_of_body(path)


def length_of_body(path: Path) -> int:
    content = path.read_bytes()
    if content != BODY:
        raise DataError("these are other bytes")
    return len(content)


def save(server, path, *, check=whole, **options):
    """Return what a download comes to, and what it slept."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def run(url):
        async with aiohttp.ClientSession() as session:
            downloader = Downloader(
                session, TokenBucket(1e4, 1e4), random.Random(1), patience=HASTY, sleep=sleep
            )
            return await downloader.save(Request(f"{url}/file"), path, check, **options)

    with serving(server) as url:
        return asyncio.run(run(url)), slept


def test_a_file_is_under_its_name_once_it_is_checked(tmp_path):
    path = tmp_path / "new" / "file"
    seen = []

    async def check(aside):
        seen.append((aside.name, path.exists()))
        return await whole(aside)

    found, _ = save(OneFile(), path, check=check)
    assert found == len(BODY)
    assert seen == [("file.part", False)]
    assert path.read_bytes() == BODY
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_bytes_are_told_as_they_come(tmp_path):
    told = []
    save(OneFile(), tmp_path / "file", received=lambda *now: told.append(now))
    assert len(told) > 2
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (len(BODY), len(BODY))
    assert {total for _, total in told} == {len(BODY)}


@pytest.mark.parametrize("fault", ["truncated", "garbage", "silence", "500"])
def test_a_spoiled_body_is_asked_for_again_from_its_begin(tmp_path, fault):
    server = OneFile(faults={("/file", 0): fault})
    found, slept = save(server, tmp_path / "file")
    assert found == len(BODY)
    assert len(slept) == 1


def test_what_stays_spoiled_leaves_no_file(tmp_path):
    server = OneFile(after={"/file": "garbage"})
    with pytest.raises(DownloadError, match=r"4 attempts failed.*these are other bytes"):
        save(server, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_each_attempt_may_be_refused_before_it_begins(tmp_path):
    calls = []

    def before():
        calls.append(1)
        if len(calls) == 2:
            raise DownloadError("that is enough")

    server = OneFile(after={"/file": "truncated"})
    with pytest.raises(DownloadError, match="that is enough"):
        save(server, tmp_path / "file", before=before)
    assert len(server.asked) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_no_failure_of_the_network(tmp_path):
    (tmp_path / "file.part").symlink_to("/dev/full")
    server = OneFile()
    told = r"what was downloaded cannot be kept \(No space left on device\)"
    with pytest.raises(CatalogError, match=told):
        save(server, tmp_path / "file")
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_is_packed_for_its_transport_is_kept_as_it_was_sent(tmp_path):
    class Packed(FileServer):
        async def answer(self, asked):
            return web.Response(body=BODY, headers={"Content-Encoding": "gzip"})

    found, _ = save(Packed(), tmp_path / "file")
    assert found == len(BODY)
