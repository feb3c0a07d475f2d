"""Downloads that outlast a bad network: rate limit, retries with back-off, answers checked.

Nothing here knows a venue: what an answer must be is for the caller to say.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from hedgeflow.market.errors import DataError, HedgeflowError
from hedgeflow.sources.spool import keeping

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    import aiohttp

T = TypeVar("T")
Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]
Later = Callable[[int, bytes], bool]
"""Says of an answer's status and body whether the same request may succeed later."""
Waiting = Callable[[str, float], object]
"""Called before a pause with why the last attempt failed and the seconds to wait."""
Received = Callable[[int, int | None], object]
"""Called with the bytes received and, where the server says it, the bytes to receive."""
Refused = Callable[[int, bytes], HedgeflowError | None]
"""Makes a refusal of an answer's status and body, or None where the general words do."""

LATER_STATUSES: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
FIRST_SERVER_ERROR: Final = 500
LONGEST_RETRY_AFTER_SECONDS: Final = 600.0
"""A server that asks for a longer pause is believed, but not waited for."""

SHOWN_BYTES: Final = 200
"""How much of a refusal's body is quoted."""

BLOCK_BYTES: Final = 256 * 1024
PART: Final = ".part"
"""Ends the name of a file that is being downloaded."""


class DownloadError(HedgeflowError):
    """A request that was refused, or that failed too often."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is waited for and how often it is repeated.

    Attributes
    ----------
    attempts : int
    first_wait_seconds, longest_wait_seconds : float
        The pause doubles from the first to the longest; half of it is random, so that clients that
        failed together do not come back together.
    timeout_seconds : float
        For one whole answer.
    connect_seconds : float
        For the connection.
    """

    attempts: int = 8
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 30.0
    timeout_seconds: float = 60.0
    connect_seconds: float = 15.0

    def pause(self, failures: int, rng: Random) -> float:
        """Return the seconds to wait after so many failures of one request."""
        whole = min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** (failures - 1))
        return whole * (0.5 + 0.5 * rng.random())


class TokenBucket:
    """A rate limit: requests may burst, and are spread evenly after that.

    Parameters
    ----------
    rate_per_second : float
        Tokens that come back each second.
    burst : float
        Tokens that the bucket holds; it begins full.
    clock : callable
        Monotonic seconds.
    sleep : callable
        Waits for so many seconds.
    """

    def __init__(
        self,
        rate_per_second: float,
        burst: float,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if not (rate_per_second > 0 and burst >= 1):
            raise DataError(
                f"the rate must be positive and the burst at least 1, were {rate_per_second:g} "
                f"and {burst:g}"
            )
        self._rate = rate_per_second
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._tokens = burst
        self._at = clock()

    async def take(self) -> None:
        """Take one token, waiting until there is one."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        self._tokens -= 1.0
        if self._tokens < 0.0:
            await self._sleep(-self._tokens / self._rate)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a server.

    Attributes
    ----------
    url : str
    parameters : mapping
        Of the query.
    form : mapping, optional
        Fields to post; without it the request is a GET.
    headers : mapping
        May hold a key: they are in no message and not shown.
    secrets : tuple of str
        Are struck out of a server's words before these are quoted.
    accepted : frozenset of int
        Statuses of answers that are what was asked for.
    refused : callable, optional
    """

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    accepted: frozenset[int] = frozenset({HTTPStatus.OK})
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[T]):
    """What an attempt came to: its content, or why there is none."""

    content: tuple[T] | None = None
    reason: str = ""
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after_seconds: float | None


class Downloader:
    """Requests under one rate limit, repeated while they fail in ways that may pass.

    Parameters
    ----------
    session : aiohttp.ClientSession
    bucket : TokenBucket
    rng : random.Random
        For the random part of the pauses.
    patience : Patience, optional
    sleep : callable, optional
        Waits for so many seconds.
    on_wait : callable, optional
        Told of every pause before it begins.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        bucket: TokenBucket,
        rng: Random,
        *,
        patience: Patience | None = None,
        sleep: Sleep = asyncio.sleep,
        on_wait: Waiting | None = None,
    ) -> None:
        self._session = session
        self._bucket = bucket
        self._rng = rng
        self._patience = patience or Patience()
        self._sleep = sleep
        self._on_wait = on_wait

    async def get(
        self,
        url: str,
        parameters: Mapping[str, str],
        read: Callable[[bytes], T],
        *,
        is_later: Later | None = None,
    ) -> T:
        """Return what `read` makes of the answer.

        Repeated are requests that time out, whose connection fails or whose body is cut off,
        answers 408, 425, 429 and 5xx, those that `is_later` tells, and those that `read` refuses
        with a `DataError`: garbage may come from something between here and the server.
        ``Retry-After`` is honoured.

        Parameters
        ----------
        url : str
        parameters : mapping
            Of the query.
        read : callable
            Takes the body and returns its content, or raises `DataError`.
        is_later : callable, optional
            For servers that say "later" in their own way.

        Raises
        ------
        DownloadError
            The server refuses the request for good, or every attempt failed.
        """
        return await self.ask(Request(url, parameters), read, is_later=is_later)

    async def ask(
        self, request: Request, read: Callable[[bytes], T], *, is_later: Later | None = None
    ) -> T:
        """Return what `read` makes of the answer to a request; see `get`.

        Raises
        ------
        DownloadError
            As for `get`; or what `request.refused` makes of a refusal.
        """

        async def attempt() -> _Outcome[T]:
            answer, reason = await self._answer(request)
            if answer is None:
                return _Outcome(reason=reason)
            content, reason = _content(answer, request, read, is_later)
            return _Outcome(content, reason, answer.retry_after_seconds)

        return await self._until_done(request.url, attempt)

    async def save(
        self,
        request: Request,
        path: Path,
        check: Callable[[Path], Awaitable[T]],
        *,
        before: Callable[[], object] | None = None,
        received: Received | None = None,
    ) -> T:
        """Write an answer to a file, as it comes, and return what `check` makes of the file.

        The body is kept as it was sent: an encoding for the transport is not undone. It is written
        aside and renamed, so that the file is there whole and checked or not at all. Repeated are
        the requests that `get` repeats; each time the file begins anew. A server may be silent for
        `Patience.timeout_seconds`, and the whole may take as long as it takes.

        Parameters
        ----------
        request : Request
        path : pathlib.Path
            Its folder is made.
        check : callable
            Takes the path of what was written; raises `DataError` if that is not what it must be.
        before : callable, optional
            Called before each attempt; what it raises ends the download.
        received : callable, optional

        Raises
        ------
        DownloadError
            As for `ask`.
        CatalogError
            The file cannot be written.
        """
        aside = path.with_name(f"{path.name}{PART}")

        async def attempt() -> _Outcome[T]:
            if before is not None:
                before()
            answer, reason = await self._answer(request, aside, received)
            if answer is None:
                return _Outcome(reason=reason)
            reason = _trouble(answer, request)
            if reason:
                return _Outcome(reason=reason, retry_after_seconds=answer.retry_after_seconds)
            try:
                found = await check(aside)
            except DataError as refusal:
                return _Outcome(reason=str(refusal))
            with keeping(path.parent):
                aside.replace(path)
            return _Outcome((found,))

        with keeping(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return await self._until_done(request.url, attempt)
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)

    async def _until_done(self, url: str, attempt: Callable[[], Awaitable[_Outcome[T]]]) -> T:
        outcome: _Outcome[T] = _Outcome()
        for failures in range(1, self._patience.attempts + 1):
            await self._bucket.take()
            outcome = await attempt()
            if outcome.content is not None:
                return outcome.content[0]
            if failures < self._patience.attempts:
                pause = self._pause(outcome.retry_after_seconds, failures, url)
                if self._on_wait is not None:
                    self._on_wait(outcome.reason, pause)
                await self._sleep(pause)
        raise DownloadError(
            f"{self._patience.attempts} attempts failed, the last one because {outcome.reason}",
            where=url,
        )

    async def _answer(
        self, request: Request, into: Path | None = None, received: Received | None = None
    ) -> tuple[_Answer | None, str]:
        """Return the whole answer, or None and why there is none; `into` gets an accepted body."""
        import aiohttp

        patience, url = self._patience, request.url
        timeout = aiohttp.ClientTimeout(
            total=None if into else patience.timeout_seconds,
            sock_read=patience.timeout_seconds,
            sock_connect=patience.connect_seconds,
        )
        try:
            async with self._session.request(
                "GET" if request.form is None else "POST",
                url,
                params=request.parameters,
                data=request.form,
                headers=request.headers,
                timeout=timeout,
                auto_decompress=into is None,
            ) as response:
                body = b""
                if into is not None and response.status in request.accepted:
                    await _write(response, into, received)
                else:
                    body = await response.read()
                return _Answer(response.status, body, retry_after_seconds(response.headers)), ""
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as cause:
            raise DownloadError(
                "this is no URL", where=url, hint="Expected is http:// or https:// and a host"
            ) from cause
        except aiohttp.ConnectionTimeoutError:
            return None, f"there was no connection in {patience.connect_seconds:g} s"
        except TimeoutError:
            wanted = "word from the server" if into else "whole answer"
            return None, f"there was no {wanted} in {patience.timeout_seconds:g} s"
        except aiohttp.ClientPayloadError as trouble:
            return None, f"the answer was cut off ({trouble})"
        except (aiohttp.ClientError, OSError) as trouble:
            return None, f"the connection failed ({trouble or type(trouble).__name__})"

    def _pause(self, asked: float | None, failures: int, url: str) -> float:
        own = self._patience.pause(failures, self._rng)
        if asked is not None and asked > LONGEST_RETRY_AFTER_SECONDS:
            raise DownloadError(
                f"the server asks to come back in {asked:,.0f} s", where=url, hint="Try again then"
            )
        return max(own, asked or 0.0)


async def _write(response: aiohttp.ClientResponse, path: Path, received: Received | None) -> None:
    """Write a body to a file, on disk when this returns."""
    done = 0
    with keeping(path.parent):
        file = path.open("wb")
    try:
        async for block in response.content.iter_chunked(BLOCK_BYTES):
            with keeping(path.parent):
                file.write(block)
            done += len(block)
            if received is not None:
                received(done, response.content_length)
        with keeping(path.parent):
            file.flush()
            os.fsync(file.fileno())
    finally:
        with suppress(OSError):
            file.close()


def _content(
    answer: _Answer, request: Request, read: Callable[[bytes], T], is_later: Later | None
) -> tuple[tuple[T] | None, str]:
    """Return the content of an answer, or None and why it has none that may be used."""
    trouble = _trouble(answer, request, is_later)
    if trouble:
        return None, trouble
    try:
        return (read(answer.body),), ""
    except DataError as refusal:
        return None, str(refusal)


def _trouble(answer: _Answer, request: Request, is_later: Later | None = None) -> str:
    """Return why an answer may be better later, or nothing; raise if it is a refusal for good."""
    told_later = is_later is not None and is_later(answer.status, answer.body)
    if told_later or answer.status in LATER_STATUSES or answer.status >= FIRST_SERVER_ERROR:
        return f"the server answered {_described(answer, request.secrets)}"
    if answer.status in request.accepted:
        return ""
    body = _without(answer.body, request.secrets)
    refusal = None if request.refused is None else request.refused(answer.status, body)
    raise refusal or DownloadError(
        f"the server refuses the request: {_described(answer, request.secrets)}", where=request.url
    )


def _described(answer: _Answer, secrets: tuple[str, ...]) -> str:
    body = _without(answer.body, secrets)
    shown = " ".join(body[:SHOWN_BYTES].decode(errors="replace").split())
    return f"{answer.status} ({shown})" if shown else str(answer.status)


def _without(body: bytes, secrets: tuple[str, ...]) -> bytes:
    for each in secrets:
        body = body.replace(each.encode(), b"(key)")
    return body


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, or None where it cannot be read.

    A date counts from the answer's own.

    Parameters
    ----------
    headers : mapping
        Of an answer, names in any case.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        asked, sent = (parsedate_to_datetime(each) for each in (text, headers.get("Date", "")))
        return max(0.0, (asked - sent).total_seconds())
    except (ValueError, TypeError):
        return None
