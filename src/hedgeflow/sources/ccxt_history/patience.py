"""Asking an exchange until it answers, while that may help, and saying why where it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from hedgeflow.market.errors import DataError, HedgeflowError
from hedgeflow.sources.download import DownloadError

Sleep = Callable[[float], object]
"""Called with the seconds to wait."""

ATTEMPTS: Final = 6
FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 300.0
"""An exchange that asks for more patience is left alone."""

HOPELESS_STATUS: Final = re.compile(r" (400|401|403|404|405|410|451) ")
BARRED_STATUS: Final = re.compile(r" (401|403|451) ")
"""How ccxt's messages carry a status of HTTP that no repetition changes."""

LONGEST_QUOTE: Final = 300

Answer = TypeVar("Answer")


class MalformedAnswerError(ValueError):
    """An answer is not of the form that ccxt documents."""


class LastAnswer(Protocol):
    """What ccxt's exchange class remembers of the last answer."""

    last_json_response: Any
    last_response_headers: Mapping[str, str] | None


class Patience:
    """Makes requests of one exchange, again with growing pauses where they fail.

    Parameters
    ----------
    name : str
        The exchange, for messages.
    exchange : LastAnswer
    library : module
        ccxt, whose classes of errors tell what may help.
    sleep : callable

    Attributes
    ----------
    repeated : int
        Requests that had to be made again.
    """

    def __init__(self, name: str, exchange: LastAnswer, library: Any, sleep: Sleep) -> None:
        self.repeated = 0
        self._name = name
        self._exchange = exchange
        self._library = library
        self._sleep = sleep

    def ask(self, what: str, request: Callable[[], Answer]) -> Answer:
        """Return what a request returns.

        Parameters
        ----------
        what : str
            What is asked for, for messages.
        request : callable
            Makes one request through ccxt and reads the answer; what it cannot read raises
            `MalformedAnswerError` or what Python raises.

        Raises
        ------
        DataError
            The exchange refuses, or what it answers cannot be read, however often it is asked.
        DownloadError
            It does not answer, asks for a long pause, or does not serve this address.
        """
        attempt = 0
        while True:
            try:
                return self._once(request)
            except self._library.OperationFailed as failure:
                trouble: Exception = failure
                if HOPELESS_STATUS.search(str(failure)):
                    raise self._refusal(what, failure) from failure
            except self._library.BaseError as refusal:
                raise self._refusal(what, refusal) from refusal
            except (TypeError, ValueError, LookupError, AttributeError) as malformed:
                # What ccxt's parsers raise on an answer that they do not expect.
                trouble = malformed
            attempt += 1
            if attempt == ATTEMPTS:
                raise self._exhausted(what, trouble) from trouble
            self._sleep(self._pause_seconds(what, attempt))
            self.repeated += 1

    def _once(self, request: Callable[[], Answer]) -> Answer:
        self._exchange.last_json_response = None
        self._exchange.last_response_headers = None
        answer = request()
        # Of a page that is no JSON many of ccxt's parsers make an empty list.
        if self._exchange.last_json_response is None:
            raise MalformedAnswerError("it is no JSON")
        return answer

    def _pause_seconds(self, what: str, attempt: int) -> float:
        """Return the back-off, or what the exchange asks for if that is longer."""
        asked = (self._exchange.last_response_headers or {}).get("Retry-After", "")
        growing = FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
        seconds = max(growing, float(asked) if asked.isdecimal() else 0.0)
        if seconds > LONGEST_WAIT_SECONDS:
            raise DownloadError(
                f"the exchange asks for {seconds:,.0f} s without requests (about {what})",
                where=self._name,
                hint="What was stored stays; try again after that time",
            )
        return seconds

    def _refusal(self, what: str, cause: Exception) -> HedgeflowError:
        text = f"the exchange refuses to give {what} ({_quoted(cause)})"
        barred = (self._library.AuthenticationError, self._library.RestrictedLocation)
        if isinstance(cause, barred) or BARRED_STATUS.search(str(cause)):
            return DownloadError(
                text,
                where=self._name,
                hint="It does not serve this address, or asks for an account: use another "
                "exchange, or --url with an address of it that serves you",
            )
        return DataError(
            text,
            where=self._name,
            hint="What was stored stays. Some exchanges keep only weeks of open interest and "
            "ratios, or lack the timeframe",
        )

    def _exhausted(self, what: str, cause: Exception) -> HedgeflowError:
        if isinstance(cause, self._library.OperationFailed):
            return DownloadError(
                f"no answer about {what} in {ATTEMPTS} attempts ({_quoted(cause)})",
                where=self._name,
                hint="What was stored stays; the same command goes on from there",
            )
        return DataError(
            f"the answer about {what} is not of the form that the exchange documents, in "
            f"{ATTEMPTS} attempts ({_quoted(cause)})",
            where=self._name,
            hint="What was stored stays; try again later, or with a newer ccxt",
        )


def _quoted(cause: Exception) -> str:
    text = f"{type(cause).__name__}: {' '.join(str(cause).split())}"
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
