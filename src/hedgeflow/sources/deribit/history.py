"""Deribit's public history, day by day: every option trade and every trade of the perpetual, free.

A day is downloaded whole, proved complete and written, or it is not written. Answers are kept in
the catalog's folder until their day is written, so that a download that was stopped anywhere goes
on where it ended, and leaves the same catalog as one that was never stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import instant_ns, iso
from hedgeflow.sources.deribit.pages import MS_NS, Request, Stream, download_day
from hedgeflow.sources.deribit.progress import HistoryProgress, Told
from hedgeflow.sources.deribit.tapes import option_import, perpetual_imports, tape_keys
from hedgeflow.sources.download import Downloader, DownloadError, TokenBucket
from hedgeflow.sources.fetching import DOWNLOADS, checked_url, only_download, past_days
from hedgeflow.sources.report import import_into, report_of
from hedgeflow.sources.spool import Spool
from hedgeflow.wire import decode_error, decode_trades_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    import aiohttp

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.manifests import Import, Manifest
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.sources.deribit.pages import DayOfTrades, StreamName
    from hedgeflow.sources.download import Patience
    from hedgeflow.sources.report import ImportReport
    from hedgeflow.wire import TradesPage

HISTORY_URL: Final = "https://history.deribit.com"
CURRENCIES: Final = ("BTC", "ETH")
"""Coins with inverse options."""

RATE_PER_SECOND: Final = 20.0
"""Deribit's default for public requests: 500 credits each, 10,000 come back a second."""

KINDS: Final[dict[StreamName, tuple[TapeKind, ...]]] = {
    "options": (TapeKind.OPTION_TRADES,),
    "perpetual": (TapeKind.HEDGE_TRADES, TapeKind.BARS),
}
"""The tapes that each stream makes, in the order in which they are written."""


@dataclass(frozen=True, slots=True)
class FetchedDay:
    """What became of one day.

    Attributes
    ----------
    day : str
    reports : tuple of ImportReport
        One a tape.
    missing : int
        Trades that the venue numbered and does not give out, accepted.
    linear : int
        Trades of linear options, which are left out.
    """

    day: str
    reports: tuple[ImportReport, ...]
    missing: int = 0
    linear: int = 0


@dataclass(frozen=True, slots=True)
class _Work:
    """What every day of a download has in common."""

    catalog: Catalog
    currency: str
    url: str
    downloader: Downloader
    accept_rejects: bool
    accept_gaps: bool
    told: Told

    def spool(self, day: str, stream: StreamName) -> Spool:
        name = f"deribit-{self.currency}-{day}-{stream}"
        return Spool(self.catalog.path / DOWNLOADS / name)


async def fetch_deribit_history(
    catalog: Catalog,
    session: aiohttp.ClientSession,
    *,
    currency: str,
    first: date,
    last: date,
    clock: Callable[[], datetime],
    rng: Random,
    only: Literal["options", "perpetual"] | None = None,
    url: str = HISTORY_URL,
    rate_per_second: float = RATE_PER_SECOND,
    patience: Patience | None = None,
    accept_rejects: bool = False,
    accept_gaps: bool = False,
    progress: Callable[[HistoryProgress], object] | None = None,
) -> list[FetchedDay]:
    """Download whole UTC days of a coin's option and perpetual trades into a catalog.

    Days that are there already are not downloaded again; the others are written in their order,
    each as soon as it is complete. An hour without trades is silence, not a gap: every day is
    covered from midnight to midnight.

    Parameters
    ----------
    catalog : Catalog
    session : aiohttp.ClientSession
    currency : str
        ``BTC`` or ``ETH``.
    first, last : datetime.date
        UTC, both included.
    clock : callable
        Returns now; days that are not over are refused.
    rng : random.Random
        For the pauses between attempts.
    only : str, optional
        ``options`` or ``perpetual`` alone.
    url : str
        Scheme and host.
    rate_per_second : float
        Requests; a second's worth may come at once.
    patience : Patience, optional
    accept_rejects : bool
        Use tapes although more than 0.01 % of a day is rejected.
    accept_gaps : bool
        Write a day although the venue does not give out every trade that it numbered.
    progress : callable, optional

    Raises
    ------
    DataError
        The coin or a day cannot be had, or a day is not complete.
    DownloadError
        The venue refuses a request, or too many attempts failed.
    CatalogError
        Another download into the catalog is at work.
    """
    if currency not in CURRENCIES:
        raise DataError(
            f"'{currency}' has no inverse options on Deribit",
            where="--currency",
            hint=f"There are {' and '.join(CURRENCIES)}; linear options cannot be read so far",
        )
    url = checked_url(url, HISTORY_URL, with_key=False)
    days = past_days(first, last, clock())
    told = Told(len(days), progress)
    downloader = Downloader(
        session,
        TokenBucket(rate_per_second, max(1.0, rate_per_second)),
        rng,
        patience=patience,
        on_wait=told.waits,
    )
    work = _Work(catalog, currency, url, downloader, accept_rejects, accept_gaps, told)
    names: list[StreamName] = [only] if only else ["options", "perpetual"]
    done: list[FetchedDay] = []
    with only_download(catalog):
        for day in days:
            told.begins(str(day), len(done))
            try:
                done.append(await _fetch_day(work, day, names))
            except DownloadError as trouble:
                raise _with_what_is_kept(trouble, work, day, names, len(done)) from trouble
        told.begins("", len(done))
    return done


async def _fetch_day(work: _Work, day: date, names: list[StreamName]) -> FetchedDay:
    keys = tape_keys(work.currency)
    day_ns = instant_ns(datetime(day.year, day.month, day.day, tzinfo=UTC))
    reports: list[ImportReport] = []
    missing = linear = 0
    waiting: list[tuple[list[Import], Spool]] = []
    stored = {name: _stored(work, [keys[kind] for kind in KINDS[name]], day_ns) for name in names}
    for name in names:
        spool = work.spool(str(day), name)
        if stored[name]:
            spool.clear()
            reports += [report_of(each, [], already_imported=True) for each in stored[name]]
            continue
        found = await _download(work, Stream(name, work.currency), day_ns, spool)
        missing += found.missing_count
        imports, left_out = _imports(work, name, found, keys, day_ns)
        linear += left_out
        waiting.append((imports, spool))
    for imports, spool in waiting:
        reports += [import_into(work.catalog, each, [], None) for each in imports]
        spool.clear()
    return FetchedDay(str(day), tuple(reports), missing, linear)


def _stored(work: _Work, keys: list[TapeKey], day_ns: int) -> list[Manifest]:
    """Return the records of a day that was fetched before into all of some tapes, else nothing.

    Raises
    ------
    DataError
        It was fetched from another server.
    """
    found: list[Manifest] = []
    for made in work.catalog.imports():
        if made.key not in keys or not made.source.startswith(source_name(day_ns)):
            continue
        if made.source.partition(",")[0] != source_name(day_ns, url=work.url):
            raise DataError(
                f"the day was fetched from another server ({made.source})",
                where=str(work.catalog.path),
                hint="Name another catalog, or the same --url",
            )
        if work.catalog.imported(made.id) is not None:
            found.append(made)
    if {made.key for made in found} != set(keys):
        return []
    if work.accept_rejects:
        return [work.catalog.accept(each.id) if each.needs_acceptance else each for each in found]
    return found


async def _download(work: _Work, stream: Stream, day_ns: int, spool: Spool) -> DayOfTrades:
    """Return a stream's day, its answers from the spool where they are there already."""

    async def ask(request: Request) -> TradesPage:
        def read(body: bytes) -> tuple[TradesPage, bytes]:
            page = decode_trades_page(body)
            request.check(page)
            return page, body

        address = f"{work.url}/api/v2/{request.method}"
        name = f"{address} {request.name}"  # another server's answers are not this one's
        kept = spool.read(name)
        if kept is None:
            parameters = dict(request.parameters)
            page, body = await work.downloader.get(address, parameters, read, is_later=_is_later)
            spool.keep(name, body)
        else:
            page, _ = read(kept)
        work.told.receives(len(page.trades))
        return page

    try:
        found = await download_day(stream, day_ns // MS_NS, ask)
        if found.missing and not work.accept_gaps:
            raise _incomplete(found)
    except DataError as refusal:
        spool.clear()  # what was answered is in doubt: the next run asks again
        raise DataError(
            refusal.what, where=f"{stream.name} of {_date(day_ns)}", hint=refusal.hint
        ) from refusal
    return found


def _is_later(status: int, body: bytes) -> bool:  # noqa: ARG001 - Deribit says it in the body
    error = decode_error(body)
    return error is not None and error.is_transient


def _incomplete(found: DayOfTrades) -> DataError:
    instrument, gaps = next(iter(found.missing.items()))
    first, last = gaps[0]
    numbers = f"number {first}" if first == last else f"numbers {first} to {last}"
    return DataError(
        f"the venue does not give out {found.missing_count:,} trade(s) that it numbered, the first"
        f" {instrument} {numbers}",
        hint="Try again later; --accept-gaps writes the day without them and says so",
    )


def _imports(
    work: _Work,
    name: StreamName,
    found: DayOfTrades,
    keys: dict[TapeKind, TapeKey],
    day_ns: int,
) -> tuple[list[Import], int]:
    """Return what a stream's day becomes, and how many trades of linear options it leaves out."""
    source = source_name(day_ns, url=work.url, missing=found.missing_count)
    if name == "perpetual":
        pair = (keys[TapeKind.HEDGE_TRADES], keys[TapeKind.BARS])
        made = perpetual_imports(
            found.trades, pair, day_ns, source=source, accept_rejects=work.accept_rejects
        )
        return list(made), 0
    inverse = [
        each for each in found.trades if each.instrument_name.startswith(f"{work.currency}-")
    ]
    made = option_import(
        inverse,
        keys[TapeKind.OPTION_TRADES],
        day_ns,
        source=source,
        accept_rejects=work.accept_rejects,
    )
    return [made], len(found.trades) - len(inverse)


def source_name(day_ns: int, *, url: str = HISTORY_URL, missing: int = 0) -> str:
    """Return what lists and reports show: the day, another server, trades that are missing."""
    host = urlsplit(url).hostname
    origin = "" if url == HISTORY_URL else f" from {host}"
    gaps = f", {missing:,} trades missing" if missing else ""
    return f"Deribit history {_date(day_ns)}{origin}{gaps}"


def _date(day_ns: int) -> str:
    return iso(day_ns)[:10]


def _with_what_is_kept(
    trouble: DownloadError, work: _Work, day: date, names: list[StreamName], stored: int
) -> DownloadError:
    kept = sum(len(work.spool(str(day), name)) for name in names)
    return DownloadError(
        trouble.what,
        where=trouble.where,
        hint=f"{stored} of {work.told.days} days are written and {kept} answers of {day} are kept;"
        " the same command goes on from there",
    )
