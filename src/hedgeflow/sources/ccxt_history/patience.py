"""Asking an exchange until it answers, while that may help, and saying why where it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from hedgeflow.market.errors import DataError, HedgeflowError
from hedgeflow.sources.download import DownloadError, retry_after_seconds

Sleep = Callable[[float], object]
"""Called with the seconds to wait."""

ATTEMPTS: Final = 6
FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 300.0
"""An exchange that asks for more patience is left alone."""

LATER_STATUSES: Final = frozenset({408, 418, 425, 429})
"""Refusals (with Binance's 418) after which the same request may succeed later."""

BARRED_STATUSES: Final = frozenset({401, 403, 451})
FIRST_REFUSAL_STATUS: Final = 400
FIRST_SERVER_ERROR_STATUS: Final = 500

LONGEST_QUOTE: Final = 300

Answer = TypeVar("Answer")


class MalformedAnswerError(ValueError):
    """An answer is not of the form that ccxt documents."""


class Answering(Protocol):
    """What ccxt's exchange class says of the last answer."""

    last_json_response: Any
    last_response_headers: Mapping[str, str] | None
    on_rest_response: Callable[..., str]
    """Called by ccxt with the status of HTTP first, and made to be replaced."""


class Patience:
    """Makes requests of one exchange, again with growing pauses where they fail.

    Parameters
    ----------
    name : str
        The exchange, for messages.
    exchange : Answering
    library : module
        ccxt, whose classes of errors tell what may help.
    sleep : callable

    Attributes
    ----------
    repeated : int
        Requests that had to be made again.
    """

    def __init__(self, name: str, exchange: Answering, library: Any, sleep: Sleep) -> None:
        self.repeated = 0
        self._name = name
        self._exchange = exchange
        self._library = library
        self._sleep = sleep
        self._status: int | None = None
        pass_on = exchange.on_rest_response

        def note_status(status: int, *more: object) -> str:
            self._status = status
            return pass_on(status, *more)

        exchange.on_rest_response = note_status

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
            except self._library.BaseError as failure:
                if not self._may_help(failure):
                    raise self._refusal(what, failure) from failure
                trouble: Exception = failure
            except (TypeError, ValueError, LookupError, AttributeError) as malformed:
                # What ccxt's parsers raise on an answer that they do not expect.
                trouble = malformed
            attempt += 1
            if attempt == ATTEMPTS:
                raise self._exhausted(what, trouble) from trouble
            self._sleep(self._pause_seconds(what, attempt))
            self.repeated += 1

    def _once(self, request: Callable[[], Answer]) -> Answer:
        self._status = None
        self._exchange.last_json_response = None
        self._exchange.last_response_headers = None
        answer = request()
        # Of a page that is no JSON many of ccxt's parsers make an empty list.
        if self._exchange.last_json_response is None:
            raise MalformedAnswerError("it is no JSON")
        return answer

    def _may_help(self, failure: Exception) -> bool:
        """Say whether the same request may succeed later."""
        later = (
            self._library.RateLimitExceeded,
            self._library.DDoSProtection,
            self._library.RequestTimeout,
        )
        if isinstance(failure, later) or self._status in LATER_STATUSES:
            return True
        if self._status is None or self._status < FIRST_REFUSAL_STATUS:
            # No answer, or one with a code of the exchange's own, of which ccxt knows the meaning.
            return isinstance(failure, self._library.OperationFailed)
        return self._status >= FIRST_SERVER_ERROR_STATUS

    def _pause_seconds(self, what: str, attempt: int) -> float:
        """Return the back-off, or what the exchange asks for if that is longer."""
        asked = retry_after_seconds(self._exchange.last_response_headers or {})
        growing = FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
        seconds = max(growing, asked or 0.0)
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
        if isinstance(cause, barred) or self._status in BARRED_STATUSES:
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
        if isinstance(cause, self._library.BaseError):
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
