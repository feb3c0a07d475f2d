"""Downloads that outlast a bad network: rate limit, retries with back-off, answers checked.

Nothing here knows a venue: what an answer must be is for the caller to say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from hedgeflow.market.errors import DataError, HedgeflowError

if TYPE_CHECKING:
    from random import Random

    import aiohttp

T = TypeVar("T")
Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]
Later = Callable[[int, bytes], bool]
"""Says of an answer's status and body whether the same request may succeed later."""
Waiting = Callable[[str, float], object]
"""Called before a pause with why the last attempt failed and the seconds to wait."""

LATER_STATUSES: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
FIRST_SERVER_ERROR: Final = 500
LONGEST_RETRY_AFTER_SECONDS: Final = 600.0
"""A server that asks for a longer pause is believed, but not waited for."""

SHOWN_BYTES: Final = 200
"""How much of a refusal's body is quoted."""


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
class _Answer:
    status: int
    body: bytes
    retry_after_seconds: float | None


class Downloader:
    """GET requests under one rate limit, repeated while they fail in ways that may pass.

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
        reason = ""
        for failures in range(1, self._patience.attempts + 1):
            await self._bucket.take()
            answer, reason = await self._answer(url, parameters)
            if answer is not None:
                content, reason = _content(answer, url, read, is_later)
                if content is not None:
                    return content[0]
            if failures < self._patience.attempts:
                pause = self._pause(answer, failures, url)
                if self._on_wait is not None:
                    self._on_wait(reason, pause)
                await self._sleep(pause)
        raise DownloadError(
            f"{self._patience.attempts} attempts failed, the last one because {reason}", where=url
        )

    async def _answer(self, url: str, parameters: Mapping[str, str]) -> tuple[_Answer | None, str]:
        """Return the whole answer, or None and why there is none."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(
            total=self._patience.timeout_seconds, sock_connect=self._patience.connect_seconds
        )
        try:
            async with self._session.get(url, params=parameters, timeout=timeout) as response:
                body = await response.read()
                return _Answer(response.status, body, _retry_after(response.headers)), ""
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as cause:
            raise DownloadError(
                "this is no URL", where=url, hint="Expected is http:// or https:// and a host"
            ) from cause
        except aiohttp.ConnectionTimeoutError:
            return None, f"there was no connection in {self._patience.connect_seconds:g} s"
        except TimeoutError:
            return None, f"there was no whole answer in {self._patience.timeout_seconds:g} s"
        except aiohttp.ClientPayloadError as trouble:
            return None, f"the answer was cut off ({trouble})"
        except (aiohttp.ClientError, OSError) as trouble:
            return None, f"the connection failed ({trouble or type(trouble).__name__})"

    def _pause(self, answer: _Answer | None, failures: int, url: str) -> float:
        own = self._patience.pause(failures, self._rng)
        asked = None if answer is None else answer.retry_after_seconds
        if asked is not None and asked > LONGEST_RETRY_AFTER_SECONDS:
            raise DownloadError(
                f"the server asks to come back in {asked:,.0f} s", where=url, hint="Try again then"
            )
        return max(own, asked or 0.0)


def _content(
    answer: _Answer, url: str, read: Callable[[bytes], T], is_later: Later | None
) -> tuple[tuple[T] | None, str]:
    """Return the content of an answer, or None and why it has none that may be used."""
    told_later = is_later is not None and is_later(answer.status, answer.body)
    if told_later or answer.status in LATER_STATUSES or answer.status >= FIRST_SERVER_ERROR:
        return None, f"the server answered {_described(answer)}"
    if answer.status != HTTPStatus.OK:
        raise DownloadError(f"the server refuses the request: {_described(answer)}", where=url)
    try:
        return (read(answer.body),), ""
    except DataError as refusal:
        return None, str(refusal)


def _described(answer: _Answer) -> str:
    shown = " ".join(answer.body[:SHOWN_BYTES].decode(errors="replace").split())
    return f"{answer.status} ({shown})" if shown else str(answer.status)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``Retry-After`` asks for; a date counts from the answer's own."""
    text = headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        asked, sent = (parsedate_to_datetime(each) for each in (text, headers.get("Date", "")))
        return max(0.0, (asked - sent).total_seconds())
    except (ValueError, TypeError):
        return None
