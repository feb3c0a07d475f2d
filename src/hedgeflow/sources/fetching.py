"""What downloads of vendors' files share: whole days, one at a time, over one connection."""

from __future__ import annotations

import asyncio
import ipaddress
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from hedgeflow.market.errors import DataError, HedgeflowError
from hedgeflow.market.transactions import locked
from hedgeflow.sources.download import Downloader, TokenBucket
from hedgeflow.sources.report import report_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from datetime import datetime
    from pathlib import Path
    from random import Random

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.manifests import Manifest
    from hedgeflow.sources.download import Patience, Request
    from hedgeflow.sources.report import ImportReport

T = TypeVar("T")

DOWNLOADS: Final = ".downloads"
"""Folder in a catalog where what was downloaded waits until its day is written."""


@dataclass(frozen=True, slots=True)
class FileProgress:
    """Where a download of files is.

    Attributes
    ----------
    name : str
        The file at work, or what is being done.
    days_done, days : int
    bytes : int
        Received of the file.
    total_bytes : int or None
        To receive, where the server says it.
    waiting : str
        Why the next request waits; empty where it does not.
    """

    name: str
    days_done: int
    days: int
    bytes: int = 0
    total_bytes: int | None = None
    waiting: str = ""


@dataclass(frozen=True, slots=True)
class FetchedFiles:
    """What became of one day.

    Attributes
    ----------
    day : str
    reports : tuple of ImportReport
        One a tape; tapes that were there already among them.
    empty : tuple of str
        Schemas or data types of which the vendor has nothing on that day.
    bytes : int
        Of the files that were downloaded for it, now or earlier.
    """

    day: str
    reports: tuple[ImportReport, ...] = ()
    empty: tuple[str, ...] = ()
    bytes: int = 0


class Told:
    """What was told of a download's progress, so that each change tells the whole."""

    def __init__(self, days: int, tell: Callable[[FileProgress], object] | None) -> None:
        self._now = FileProgress("", 0, days)
        self._tell = tell

    def begins(self, name: str) -> None:
        """Tell that a file or another piece of work begins."""
        self._change(FileProgress(name, self._now.days_done, self._now.days))

    def ends_day(self) -> None:
        """Tell that a day is done."""
        self._change(FileProgress("", self._now.days_done + 1, self._now.days))

    def receives(self, done: int, total: int | None) -> None:
        """Tell that bytes have come."""
        self._change(replace(self._now, bytes=done, total_bytes=total, waiting=""))

    def waits(self, reason: str, seconds: float) -> None:
        """Tell that a request is made again after a pause."""
        self._change(replace(self._now, waiting=f"{reason}; again in {seconds:.0f} s"))

    def _change(self, now: FileProgress) -> None:
        self._now = now
        if self._tell is not None:
            self._tell(now)


@dataclass(frozen=True, slots=True)
class FilesOfDays(ABC):
    """Files that wait in a folder until all tapes of their day are written.

    Attributes
    ----------
    catalog : Catalog
    folder : pathlib.Path
    stored : Stored
    told : Told
    """

    catalog: Catalog
    folder: Path
    stored: Stored
    told: Told

    @property
    @abstractmethod
    def kinds(self) -> tuple[str, ...]:
        """What is asked of each day: one file each."""

    @abstractmethod
    def missing(self, day: date) -> list[str]:
        """Return the kinds of a day that are to be fetched."""

    @abstractmethod
    def reports(self, kind: str, day: date) -> list[ImportReport]:
        """Return what is there of a file, if all that is asked of it is."""

    @abstractmethod
    def path(self, kind: str, day: date) -> Path:
        """Return where a file waits."""

    @abstractmethod
    def bring(self, kind: str, day: date) -> bool:
        """Have a file there, whole; say whether there is anything of its kind on the day."""

    @abstractmethod
    def imported(self, paths: list[Path]) -> list[ImportReport]:
        """Import the files of a day."""

    def is_missing(self, kind: str, day: date) -> bool:
        """Say whether a file is to be fetched, or is there and not all of its tapes are written."""
        return self.path(kind, day).exists() or not self.reports(kind, day)

    def fetch(self, day: date) -> FetchedFiles:
        """Return a day that is now in the catalog."""
        missing = self.missing(day)
        reports = [
            each for kind in self.kinds if kind not in missing for each in self.reports(kind, day)
        ]
        there = [kind for kind in missing if self.bring(kind, day)]
        paths = [self.path(kind, day) for kind in there]
        if paths:
            self.told.begins(f"importing {day}")
            reports += self.imported(paths)
        size = sum(path.stat().st_size for path in paths)
        for kind in missing:  # not before all tapes of the day are written
            self.path(kind, day).unlink(missing_ok=True)
        self.told.ends_day()
        empty = tuple(str(kind) for kind in missing if kind not in there)
        return FetchedFiles(str(day), tuple(reports), empty, size)


class Connection:
    """A downloader for code that is not asynchronous; Ctrl-C ends a request at once."""

    def __init__(self, runner: asyncio.Runner, downloader: Downloader) -> None:
        self._runner = runner
        self._downloader = downloader

    def ask(self, request: Request, read: Callable[[bytes], T]) -> T:
        """Return what `read` makes of the answer; as `Downloader.ask`."""
        return self._runner.run(self._downloader.ask(request, read))

    def save(
        self,
        request: Request,
        path: Path,
        check: Callable[[Path], Awaitable[T]],
        *,
        before: Callable[[], object] | None = None,
        received: Callable[[int, int | None], object] | None = None,
    ) -> T:
        """Write an answer to a file and return what `check` says; as `Downloader.save`."""
        saving = self._downloader.save(request, path, check, before=before, received=received)
        return self._runner.run(saving)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what other work comes to."""
        return self._runner.run(work)


@contextmanager
def connected(
    rate_per_second: float, rng: Random, patience: Patience | None, told: Told
) -> Generator[Connection]:
    """Give a connection that keeps to a rate and repeats what fails.

    Parameters
    ----------
    rate_per_second : float
        Requests; a second's worth may come at once.
    rng : random.Random
        For the pauses between attempts.
    patience : Patience, optional
    told : Told
    """
    import aiohttp

    from hedgeflow import __version__

    async def opened() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(headers={"User-Agent": f"hedgeflow/{__version__}"})

    with asyncio.Runner() as runner:
        session = runner.run(opened())
        bucket = TokenBucket(rate_per_second, max(1.0, rate_per_second))
        downloader = Downloader(session, bucket, rng, patience=patience, on_wait=told.waits)
        try:
            yield Connection(runner, downloader)
        finally:
            runner.run(session.close())


def past_days(first: date, last: date, now: datetime) -> list[date]:
    """Return the UTC days from `first` to `last`, both included, all of which must be over.

    Raises
    ------
    DataError
        They end before they begin, or one is not over.
    """
    if first > last:
        raise DataError(f"the days end ({last}) before they begin ({first})", where="--from, --to")
    today = now.astimezone(UTC).date()
    if last >= today:
        raise DataError(
            f"{max(first, today)} is not over: it is {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            where="--to",
            hint=f"Only whole days are written; the last one is {today - timedelta(days=1)}",
        )
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def checked_url(url: str, example: str, *, with_key: bool) -> str:
    """Return a server's address without a slash at its end.

    Raises
    ------
    DataError
        It is none, or a key would go to it unencrypted; to the own machine it may.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise DataError(
            f"'{url}' is no address of a server", where="--url", hint=f"As in {example}"
        )
    if parts.username is not None or parts.password is not None:
        raise DataError(
            "the address holds a name or a password", where="--url", hint=f"As in {example}"
        )
    if with_key and parts.scheme == "http" and not _is_own_machine(parts.hostname):
        raise DataError(
            f"the key would go to {parts.hostname} unencrypted", where="--url", hint="Use https://"
        )
    return url.rstrip("/")


def _is_own_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def only_download(catalog: Catalog) -> Generator[Path]:
    """Hold the lock that downloads into one catalog share, and give the folder for their files."""
    folder = catalog.path / DOWNLOADS
    folder.mkdir(exist_ok=True)
    with locked(folder, "download into this catalog is at work"):
        yield folder


class Stored:
    """What a catalog held when a download began, by the names of the files it came from.

    Parameters
    ----------
    catalog : Catalog
    accept_rejects : bool
        Rejects of what is there are accepted from now on.
    """

    def __init__(self, catalog: Catalog, *, accept_rejects: bool) -> None:
        self._catalog = catalog
        self._accept_rejects = accept_rejects
        self._made: dict[str, list[Manifest]] = {}
        self._reports: dict[tuple[str, str | None], list[ImportReport]] = {}
        for each in catalog.imports():
            self._made.setdefault(each.source, []).append(each)

    def reports(self, source: str, underlying: str | None = None) -> list[ImportReport]:
        """Return what was imported from a file, as long as all of it is intact.

        Parameters
        ----------
        source : str
            The file's name.
        underlying : str, optional
            Only tapes on it count.
        """
        asked = (source, underlying)
        if asked not in self._reports:
            self._reports[asked] = self._looked_up(source, underlying)
        return self._reports[asked]

    def _looked_up(self, source: str, underlying: str | None) -> list[ImportReport]:
        made = [
            each for each in self._made.get(source, []) if underlying in {None, each.key.underlying}
        ]
        if not all(self._catalog.is_intact(each) for each in made):
            return []
        if self._accept_rejects:
            made = [self._accepted(each) for each in made]
        return [report_of(each, [], already_imported=True) for each in made]

    def _accepted(self, made: Manifest) -> Manifest:
        return self._catalog.accept(made.id) if made.needs_acceptance else made


@contextmanager
def folder_of_files(downloads: Path, source: str, url: str) -> Generator[Path]:
    """Give the folder for a server's files; a refusal says that what is in it stays.

    Parameters
    ----------
    downloads : pathlib.Path
    source : str
    url : str
        Files of another server are not taken for this one's.
    """
    folder = downloads / f"{source}-{urlsplit(url).netloc.replace(':', '-')}"
    try:
        yield folder
    except HedgeflowError as refusal:
        kept = sum(1 for each in folder.glob("*") if each.is_file())
        if not kept:
            raise
        words = f"{kept} file(s) are kept in {folder}; the same command goes on from there"
        hint = f"{refusal.hint}. {words}" if refusal.hint else words
        raise type(refusal)(refusal.what, where=refusal.where, hint=hint) from refusal
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
