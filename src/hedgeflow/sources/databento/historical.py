"""Databento's historical API over HTTP: what days cost, how many records they have, their files."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NoReturn

from hedgeflow.market.errors import DataError, HedgeflowError
from hedgeflow.market.time import instant_ns, iso
from hedgeflow.sources.databento.decoding import read_dbn
from hedgeflow.sources.download import DownloadError, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hedgeflow.sources.fetching import Connection
    from hedgeflow.sources.keys import ApiKey

API_VERSION: Final = 0
ACCEPTED: Final = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})
"""Databento answers 206 when only some of the symbols exist."""

UNRESOLVED: Final = "symbology_invalid_request"
"""Case of the refusal when no symbol exists on the days asked for, as on a Saturday."""

HINTS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "The key is not valid: see DATABENTO_API_KEY",
    HTTPStatus.PAYMENT_REQUIRED: "See the account's payment and credits on Databento's portal",
    HTTPStatus.FORBIDDEN: "The key may not have this: see the account's licences and plan",
    HTTPStatus.NOT_FOUND: "See --dataset, --schema, --symbols and --url",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Ask for other days, symbols or another schema",
}


class UnresolvedError(DownloadError):
    """None of the symbols exists on the days asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for of each day.

    Attributes
    ----------
    dataset : str
    symbols : tuple of str
    stype_in : str
        Databento's name of the kind of symbols, as in ``parent``.
    """

    dataset: str
    symbols: tuple[str, ...]
    stype_in: str


@dataclass(frozen=True, slots=True)
class Historical:
    """Requests for one choice of symbols.

    Sources: databento-python, `historical/api/metadata.py` and `timeseries.py`; Databento's pages
    "Errors" and "Rate limits" of the historical API.

    Attributes
    ----------
    connection : Connection
    url : str
        Scheme and host.
    key : ApiKey
        User name of the basic authentication, with an empty password.
    wanted : Wanted
    """

    connection: Connection
    url: str
    key: ApiKey
    wanted: Wanted

    def cost_usd(self, schema: str, first: date, last: date) -> float:
        """Return what days cost, US dollars; asking is free.

        Raises
        ------
        UnresolvedError
            None of the symbols exists on any of the days.
        DownloadError
            Databento refuses, or does not answer.
        """
        form = self._form(schema, first, last) | {"stype_out": "instrument_id"}
        return self.connection.ask(self._request("metadata.get_cost", form), _cost)

    def record_count(self, schema: str, day: date) -> int:
        """Return how many records a day has; 0 if none of the symbols exists on it.

        Databento counts exactly where a range begins and ends with a UTC day.
        """
        request = self._request("metadata.get_record_count", self._form(schema, day, day))
        try:
            return self.connection.ask(request, _count)
        except UnresolvedError:
            return 0

    def download(
        self,
        schema: str,
        day: date,
        path: Path,
        records: int,
        *,
        before: Callable[[], object],
        received: Callable[[int, int | None], object],
    ) -> None:
        """Write a day's records to a file: this is what costs.

        Parameters
        ----------
        schema : str
        day : datetime.date
        path : pathlib.Path
        records : int
            How many there must be.
        before : callable
            Called before each attempt; what it raises ends the download.
        received : callable
            Called with the bytes received.
        """
        form = self._form(schema, day, day) | {
            "stype_out": "instrument_id",
            "encoding": "dbn",
            "compression": "zstd",
        }

        async def check(file: Path) -> None:
            self.check(file, schema, day, records)

        request = self._request("timeseries.get_range", form)
        self.connection.save(request, path, check, before=before, received=received)

    def check(self, path: Path, schema: str, day: date, records: int) -> None:
        """Decode a file to its end and compare it with what was asked for.

        Raises
        ------
        DataError
            It is damaged or cut off.
        DownloadError
            It is whole and not what was asked for: another day or schema, or not all records.
            Databento would sell the same again, so that this is not repeated.
        """
        file = read_dbn(path)
        header = file.header
        start_ns, end_ns = bounds_ns(day, day)
        asked = (self.wanted.dataset, schema, start_ns, end_ns)
        if (header.dataset, header.schema, header.start_ns, header.end_ns) != asked:
            end = "an open end" if header.end_ns is None else iso(header.end_ns)
            raise DownloadError(
                f"the answer is {header.schema} of {header.dataset} from {iso(header.start_ns)} to"
                f" {end}; asked was {schema} of {self.wanted.dataset} on {day}",
                where=path.name,
            )
        if file.records.size != records:
            raise DownloadError(
                f"the answer holds {file.records.size:,} records; Databento counts {records:,}",
                where=path.name,
                hint="Nothing of it is kept; try again later",
            )

    def _form(self, schema: str, first: date, last: date) -> dict[str, str]:
        start_ns, end_ns = bounds_ns(first, last)
        return {
            "dataset": self.wanted.dataset,
            "symbols": ",".join(self.wanted.symbols),
            "schema": schema,
            "start": str(start_ns),
            "end": str(end_ns),
            "stype_in": self.wanted.stype_in,
        }

    def _request(self, method: str, form: dict[str, str]) -> Request:
        key = self.key.reveal()
        credentials = base64.b64encode(f"{key}:".encode()).decode()
        return Request(
            f"{self.url}/v{API_VERSION}/{method}",
            form=form,
            headers={
                "Authorization": f"Basic {credentials}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
            secrets=(key, credentials),
            accepted=ACCEPTED,
            refused=lambda status, body: _refusal(status, body, method),
        )


def bounds_ns(first: date, last: date) -> tuple[int, int]:
    """Return begin and end (exclusive) of days: as numbers, so that nothing is filled in."""
    start, end = (
        datetime(day.year, day.month, day.day, tzinfo=UTC)
        for day in (first, last + timedelta(days=1))
    )
    return instant_ns(start), instant_ns(end)


def _cost(body: bytes) -> float:
    cost = _json(body)
    if not isinstance(cost, int | float) or isinstance(cost, bool):
        _not(body, "a cost")
    if not (math.isfinite(cost) and cost >= 0.0):
        _not(body, "a cost")
    return float(cost)


def _count(body: bytes) -> int:
    count = _json(body)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        _not(body, "a number of records")
    return count


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        _not(body, "JSON")


def _not(body: bytes, wanted: str) -> NoReturn:
    raise DataError(f"the answer is not {wanted} ({body[:80].decode(errors='replace')})")


def _refusal(status: int, body: bytes, method: str) -> HedgeflowError | None:
    """Return a refusal in Databento's words: an envelope with a case and a message, or a text."""
    try:
        detail: Any = json.loads(body)["detail"]
        is_plain = isinstance(detail, str)
        case, message = ("", detail) if is_plain else (detail["case"], detail["message"])
    except (ValueError, KeyError, TypeError):
        return None
    what = f"Databento refuses: {message} ({status}{f' {case}' if case else ''})"
    kind = UnresolvedError if case == UNRESOLVED else DownloadError
    return kind(what.replace(". (", " ("), where=method, hint=HINTS.get(status, ""))
