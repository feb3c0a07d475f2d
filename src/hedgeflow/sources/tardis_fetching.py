"""Days of Tardis.dev's CSV files into a catalog: downloaded, unpacked to their end, imported."""

from __future__ import annotations

import asyncio
import gzip
import re
import zlib
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from hedgeflow.market.errors import DataError, HedgeflowError
from hedgeflow.sources.download import SHOWN_BYTES, DownloadError, Request
from hedgeflow.sources.fetching import (
    FetchedFiles,
    Stored,
    Told,
    checked_url,
    connected,
    files_kept,
    only_download,
    past_days,
)
from hedgeflow.sources.tardis import TardisChoice, import_tardis
from hedgeflow.sources.tardis_files import DataType

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

    def file_name(self, data_type: DataType, day: date) -> str:
        """Return the name that Tardis's own client gives a file."""
        symbol = re.sub(r"[\\?*<>|\"]", "-", self.file_symbol)
        return f"{self.exchange}_{data_type}_{day}_{symbol}.csv.gz"

    def path(self, data_type: DataType, day: date) -> str:
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
        connected(rate_per_second, rng, patience, told) as connection,
    ):
        folder = downloads / f"tardis-{urlsplit(address).netloc.replace(':', '-')}"
        stored = Stored(catalog, accept_rejects=order.accept_rejects)
        work = _Work(catalog, order, connection, address, key, folder, stored, told)
        with files_kept(folder):
            done = tuple(work.fetch(day) for day in days)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return done


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
class _Work:
    """What every day of a download has in common."""

    catalog: Catalog
    order: TardisOrder
    connection: Connection
    url: str
    key: ApiKey | None
    folder: Path
    stored: Stored
    told: Told

    def fetch(self, day: date) -> FetchedFiles:
        """Return a day that is now in the catalog."""
        order = self.order
        missing = self._missing(day)
        reports = [
            each
            for data_type in order.data_types
            if data_type not in missing
            for each in self._reports(data_type, day)
        ]
        there = [data_type for data_type in missing if self._bring(data_type, day)]
        paths = [self._path(data_type, day) for data_type in there]
        if paths:
            self.told.begins(f"importing {day}")
            for underlying in order.underlyings or (None,):
                reports += import_tardis(
                    paths,
                    self.catalog,
                    replace(order.chosen, underlying=underlying),
                    accept_rejects=order.accept_rejects,
                )
        size = sum(path.stat().st_size for path in paths)
        for data_type in missing:  # not before all tapes of the day are written
            self._path(data_type, day).unlink(missing_ok=True)
        self.told.ends_day()
        empty = tuple(str(data_type) for data_type in missing if data_type not in there)
        return FetchedFiles(str(day), tuple(reports), empty, size)

    def _missing(self, day: date) -> list[DataType]:
        """Return the data types of a day that are to be fetched.

        With the options chain, if trades are: it tells their underlying price.
        """
        types = self.order.data_types
        missing = [
            each for each in types if self._path(each, day).exists() or not self._reports(each, day)
        ]
        chain = DataType.OPTIONS_CHAIN
        is_needed = DataType.TRADES in missing and chain in types and chain not in missing
        return [chain, *missing] if is_needed else missing

    def _reports(self, data_type: DataType, day: date) -> list[ImportReport]:
        """Return what is there of a file, if all that is asked of it is."""
        found: list[ImportReport] = []
        for underlying in self.order.underlyings or (None,):
            of_one = self.stored.reports(self.order.file_name(data_type, day), underlying)
            if not of_one:
                return []
            found += of_one
        return found

    def _bring(self, data_type: DataType, day: date) -> bool:
        """Have a file on disk, whole; say whether it has a row."""
        path = self._path(data_type, day)
        self.told.begins(path.name)
        if path.exists():
            try:
                return self.connection.run(_has_rows(path))
            except DataError:
                path.unlink()  # it was whole once, so the disk has damaged it
        return self.connection.save(
            self._request(data_type, day), path, _has_rows, received=self.told.receives
        )

    def _request(self, data_type: DataType, day: date) -> Request:
        # The files are kept as they are stored, packed; so does Tardis's own client ask.
        headers = {"Accept-Encoding": "gzip"}
        key = "" if self.key is None else self.key.reveal()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        url = f"{self.url}{self.order.path(data_type, day)}"

        def refused(status: int, body: bytes) -> HedgeflowError | None:
            hint = _hint(status, day, has_key=bool(key))
            words = " ".join(body[:SHOWN_BYTES].decode(errors="replace").split())
            what = f"Tardis refuses: {status}{f' ({words})' if words else ''}"
            return DownloadError(what, where=url, hint=hint)

        return Request(url, headers=headers, secrets=(key,) if key else (), refused=refused)

    def _path(self, data_type: DataType, day: date) -> Path:
        return self.folder / self.order.file_name(data_type, day)


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
