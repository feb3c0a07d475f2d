"""Days of Tardis.dev's CSV files into a catalog: downloaded, unpacked to their end, imported."""

from __future__ import annotations

import asyncio
import gzip
import re
import zlib
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from hedgeflow.market.errors import DataError, HedgeflowError
from hedgeflow.sources.download import SHOWN_BYTES, DownloadError, Request
from hedgeflow.sources.fetching import (
    FetchedFiles,
    FilesOfDays,
    Stored,
    Told,
    checked_url,
    connected,
    folder_of_files,
    only_download,
    past_days,
)
from hedgeflow.sources.tardis.files import DataType
from hedgeflow.sources.tardis.importing import TardisChoice, import_tardis

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from pathlib import Path
    from random import Random

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.sources.download import Patience
    from hedgeflow.sources.fetching import Connection, FileProgress
    from hedgeflow.sources.keys import ApiKey
    from hedgeflow.sources.report import ImportReport

TARDIS_URL: Final = "https://datasets.tardis.dev"
GROUPED: Final = ("OPTIONS", "PERPETUALS", "FUTURES", "SPOT")
"""Symbols of files that hold many instruments, of all coins."""

RATE_PER_SECOND: Final = 5.0
"""Files a second; Tardis states no limit."""

CHECKED_BYTES: Final = 4 * 1024 * 1024
"""So much text is unpacked at once."""


@dataclass(frozen=True, slots=True)
class TardisOrder:
    """What to fetch.

    Attributes
    ----------
    exchange : str
        By Tardis's name, as in ``binance-futures``.
    data_types : tuple of DataType
    symbol : str
        An instrument, or one of `GROUPED`.
    first, last : datetime.date
        UTC, both included.
    underlyings : tuple of str
        What to import of a grouped file.
    chosen : TardisChoice
        As for `import_tardis`; its `underlying` is not used.
    accept_rejects : bool
        Use tapes although more than 0.01 % of a day is rejected.
    """

    exchange: str
    data_types: tuple[DataType, ...]
    symbol: str
    first: date
    last: date
    underlyings: tuple[str, ...] = ()
    chosen: TardisChoice = field(default_factory=TardisChoice)
    accept_rejects: bool = False

    @property
    def file_symbol(self) -> str:
        """The symbol as it stands in addresses and file names."""
        return re.sub(r"[:/]", "-", self.symbol).upper()

    def file_name(self, data_type: str, day: date) -> str:
        """Return the name that Tardis's own client gives a file."""
        symbol = re.sub(r"[\\?*<>|\"]", "-", self.file_symbol)
        return f"{self.exchange}_{data_type}_{day}_{symbol}.csv.gz"

    def path(self, data_type: str, day: date) -> str:
        """Return the path of a file on the server."""
        return (
            f"/v1/{quote(self.exchange, safe='')}/{data_type}/{day:%Y/%m/%d}"
            f"/{quote(self.file_symbol, safe='')}.csv.gz"
        )


def fetch_tardis(
    catalog: Catalog,
    order: TardisOrder,
    *,
    key: ApiKey | None,
    clock: Callable[[], datetime],
    rng: Random,
    url: str = TARDIS_URL,
    rate_per_second: float = RATE_PER_SECOND,
    patience: Patience | None = None,
    progress: Callable[[FileProgress], object] | None = None,
) -> tuple[FetchedFiles, ...]:
    """Download days of Tardis's files and import them, one after the other.

    A file is imported when it is unpacked to its end, checksum and all; until then, and until all
    tapes of its day are written, it stays in the catalog's folder. A file without a row, which
    Tardis gives for a day without data, is passed over and told.

    Parameters
    ----------
    catalog : Catalog
    order : TardisOrder
    key : ApiKey or None
        Without one Tardis gives away the first day of each month.
    clock : callable
        Returns now; days that are not over are refused.
    rng : random.Random
        For the pauses between attempts.
    url : str
        Scheme and host.
    rate_per_second : float
        Requests; a second's worth may come at once.
    patience : Patience, optional
    progress : callable, optional

    Raises
    ------
    DataError
        The order cannot be, or a day's files make no tape.
    DownloadError
        Tardis refuses, or too many attempts failed.
    CatalogError
        Another download into the catalog is at work, or the disk is full.
    """
    days = past_days(order.first, order.last, clock())
    address = checked_url(url, TARDIS_URL, with_key=key is not None)
    _check(order)
    told = Told(len(days), progress)
    with (
        only_download(catalog) as downloads,
        folder_of_files(downloads, "tardis", address) as folder,
        connected(rate_per_second, rng, patience, told) as connection,
    ):
        stored = Stored(catalog, accept_rejects=order.accept_rejects)
        work = _Work(catalog, folder, stored, told, order, connection, address, key)
        return tuple(work.fetch(day) for day in days)


def _check(order: TardisOrder) -> None:
    if not re.fullmatch(r"[a-z0-9-]+", order.exchange):
        raise DataError(
            f"'{order.exchange}' is no exchange",
            where="--exchange",
            hint="By Tardis's name, as in deribit or binance-futures",
        )
    if not order.file_symbol or "." in order.file_symbol[:1]:
        raise DataError(f"'{order.symbol}' is no symbol", where="--symbol")
    if len(set(order.data_types)) < len(order.data_types):
        raise DataError("a data type is named twice", where="--type")
    if order.file_symbol in GROUPED and not order.underlyings:
        raise DataError(
            f"{order.file_symbol} holds all coins of the exchange",
            where="--underlying",
            hint="Say which to import, as in --underlying BTC; it may be repeated",
        )


@dataclass(frozen=True, slots=True)
class _Work(FilesOfDays):
    """Days of data types, each a file on the server."""

    order: TardisOrder
    connection: Connection
    url: str
    key: ApiKey | None

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.order.data_types

    def missing(self, day: date) -> list[str]:
        missing = [each for each in self.kinds if self.is_missing(each, day)]
        chain = DataType.OPTIONS_CHAIN
        is_needed = DataType.TRADES in missing and chain in self.kinds and chain not in missing
        # The chain tells the underlying price of trades: it comes along.
        return [chain, *missing] if is_needed else missing

    def reports(self, kind: str, day: date) -> list[ImportReport]:
        found: list[ImportReport] = []
        for underlying in self.order.underlyings or (None,):
            of_one = self.stored.reports(self.order.file_name(kind, day), underlying)
            if not of_one:
                return []
            found += of_one
        return found

    def path(self, kind: str, day: date) -> Path:
        return self.folder / self.order.file_name(kind, day)

    def bring(self, kind: str, day: date) -> bool:
        path = self.path(kind, day)
        self.told.begins(path.name)
        if path.exists():
            try:
                return self.connection.run(_has_rows(path))
            except DataError:
                path.unlink()  # it was whole once, so the disk has damaged it
        return self.connection.save(
            self._request(kind, day), path, _has_rows, received=self.told.receives
        )

    def imported(self, paths: list[Path]) -> list[ImportReport]:
        return [
            each
            for underlying in self.order.underlyings or (None,)
            for each in import_tardis(
                paths,
                self.catalog,
                replace(self.order.chosen, underlying=underlying),
                accept_rejects=self.order.accept_rejects,
            )
        ]

    def _request(self, kind: str, day: date) -> Request:
        # The files are kept as they are stored, packed; so does Tardis's own client ask.
        headers = {"Accept-Encoding": "gzip"}
        key = "" if self.key is None else self.key.reveal()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        url = f"{self.url}{self.order.path(kind, day)}"

        def refused(status: int, body: bytes) -> HedgeflowError | None:
            hint = _hint(status, day, has_key=bool(key))
            words = " ".join(body[:SHOWN_BYTES].decode(errors="replace").split())
            what = f"Tardis refuses: {status}{f' ({words})' if words else ''}"
            return DownloadError(what, where=url, hint=hint)

        return Request(url, headers=headers, secrets=(key,) if key else (), refused=refused)


def _hint(status: int, day: date, *, has_key: bool) -> str:
    """Return what to do about a refusal."""
    if status == HTTPStatus.UNAUTHORIZED and not has_key:
        is_free = "is free, so this is odd" if day.day == 1 else "is not the first of a month"
        return (
            f"Without a key Tardis gives away the first day of each month; {day} {is_free}."
            " Set TARDIS_API_KEY"
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return "The key is not valid: see TARDIS_API_KEY"
    if status in {HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN}:
        return "The key's subscription has not this exchange, data type or day"
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
        return (
            "See --exchange, --type, --symbol and the day: which there are, and since when, says"
            " https://api.tardis.dev/v1/exchanges/ followed by the exchange"
        )
    return ""


async def _has_rows(path: Path) -> bool:
    """Unpack a file to its end, and say whether a row follows its header.

    Raises
    ------
    DataError
        It is no gzip file, cut off or damaged; its checksum and length are compared.
    """
    line_ends, ends_with = 0, b"\n"
    try:
        with gzip.open(path) as file:
            while text := file.read(CHECKED_BYTES):
                line_ends += text.count(b"\n")
                ends_with = text[-1:]
                await asyncio.sleep(0)  # so that Ctrl-C comes through
    except (OSError, EOFError, zlib.error) as cause:
        raise DataError(f"the gzip file is cut off or damaged ({cause})") from cause
    lines = line_ends + (ends_with != b"\n")
    return lines > 1
