"""Days of Databento's history into a catalog: priced first, bought once, whole or not at all."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.sources.databento.definitions import CME, venue_of
from hedgeflow.sources.databento.historical import (
    Historical,
    UnresolvedError,
    Wanted,
    bounds_ns,
)
from hedgeflow.sources.databento.importing import import_databento
from hedgeflow.sources.databento.schemas import (
    DEFINITION,
    TRADES,
    kinds_of,
    refusal_of,
    resolution_ns,
)
from hedgeflow.sources.download import DownloadError
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path
    from random import Random

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.manifests import Manifest
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.sources.download import Patience
    from hedgeflow.sources.fetching import FileProgress
    from hedgeflow.sources.keys import ApiKey
    from hedgeflow.sources.report import ImportReport

DATABENTO_URL: Final = "https://hist.databento.com"
STYPES: Final = ("raw_symbol", "parent", "instrument_id")
"""Kinds of symbols that name instruments; a continuous contract names a rule."""

MOST_SYMBOLS: Final = 2000
"""A request takes no more."""

RATE_PER_SECOND: Final = 10.0
"""Databento allows 20 requests a second for metadata, 100 for records."""

OPTIONS: Final = frozenset({TapeKind.OPTION_TRADES, TapeKind.OPTION_QUOTES})
HEDGES: Final = frozenset({TapeKind.HEDGE_TRADES, TapeKind.HEDGE_QUOTES})
"""Tapes whose rows carry no id here, so that a catalog takes each moment once."""
PARENTS: Final = {"OPT": OPTIONS, "FUT": HEDGES}
"""What the children of a parent symbol become, by its ending."""

CENT: Final = 0.01
ROUNDING_USD: Final = 1e-6
"""The cost of days one by one may differ so much from that of all at once."""


@dataclass(frozen=True, slots=True)
class DatabentoOrder:
    """What to fetch.

    Attributes
    ----------
    dataset : str
    schemas : tuple of str
    symbols : tuple of str
    stype_in : str
        Of `STYPES`.
    first, last : datetime.date
        UTC, both included.
    definitions, underlying_from : optional
        As for `import_databento`.
    accept_rejects : bool
        Use tapes although more than 0.01 % of a day is rejected.
    """

    dataset: str
    schemas: tuple[str, ...]
    symbols: tuple[str, ...]
    stype_in: str
    first: date
    last: date
    definitions: Path | None = None
    underlying_from: str | None = None
    accept_rejects: bool = False

    def file_name(self, schema: str, day: date) -> str:
        """Return the name of a day's file, under which the catalog lists its tapes."""
        label = "-".join(self.symbols)
        if len(label) > 40 or not re.fullmatch(r"[\w.-]+", label):
            digest = hashlib.sha256(",".join(self.symbols).encode()).hexdigest()[:12]
            label = f"{len(self.symbols)}-symbols-{digest}"
        kind = "" if self.stype_in in STYPES[:2] else f"{self.stype_in}-"
        return f"{self.dataset}_{schema}_{day}_{kind}{label}.dbn.zst"


@dataclass(frozen=True, slots=True)
class DatabentoQuote:
    """What Databento asks for what is missing, before anything is bought.

    Attributes
    ----------
    cost_usd : float
    files : int
        Days of schemas that are missing; some may turn out to be empty.
    bound_usd : float
        What may be spent.
    """

    cost_usd: float
    files: int
    bound_usd: float


@dataclass(frozen=True, slots=True)
class DatabentoFetch:
    """What a download did.

    Attributes
    ----------
    days : tuple of FetchedFiles
    quote : DatabentoQuote
    spent_usd : float
        The quoted cost of every download that began, those that broke off among them.
    """

    days: tuple[FetchedFiles, ...]
    quote: DatabentoQuote
    spent_usd: float


class Budget:
    """What may be spent, and what was: each attempt that begins to receive counts whole."""

    def __init__(self, bound_usd: float) -> None:
        self.bound_usd = bound_usd
        self.spent_usd = 0.0

    def check(self, cost_usd: float, name: str) -> None:
        """Raise unless a file may be bought, perhaps once more, within the bound."""
        if self.spent_usd + cost_usd > self.bound_usd + ROUNDING_USD:
            raise DownloadError(
                f"the download may cost {cost_usd:.4f} USD, and {self.spent_usd:.4f} of"
                f" {self.bound_usd:.2f} USD are spent; one that broke off counts whole",
                where=name,
                hint="Say a larger --max-cost",
            )

    def spend(self, cost_usd: float) -> None:
        """Count what a file costs."""
        self.spent_usd += cost_usd


def fetch_databento(
    catalog: Catalog,
    order: DatabentoOrder,
    *,
    key: ApiKey,
    clock: Callable[[], datetime],
    rng: Random,
    url: str = DATABENTO_URL,
    max_cost_usd: float = 0.0,
    rate_per_second: float = RATE_PER_SECOND,
    patience: Patience | None = None,
    progress: Callable[[FileProgress], object] | None = None,
    quoted: Callable[[DatabentoQuote], object] | None = None,
) -> DatabentoFetch:
    """Download days of Databento's history and import them, one after the other.

    A day's schema is one file. It is imported when it is decoded to its end and holds as many
    records as Databento counts; until then, and until all tapes of its day are written, it stays
    in the catalog's folder, so that nothing is bought twice. A day on which none of the symbols
    exists, or without a record, is passed over and told.

    Parameters
    ----------
    catalog : Catalog
    order : DatabentoOrder
    key : ApiKey
    clock : callable
        Returns now; days that are not over are refused.
    rng : random.Random
        For the pauses between attempts.
    url : str
        Scheme and host.
    max_cost_usd : float
        Nothing is bought if Databento's quote is higher, and no download is repeated beyond it.
    rate_per_second : float
        Requests; a second's worth may come at once.
    patience : Patience, optional
    progress : callable, optional
    quoted : callable, optional
        Called once with the quote, before anything is bought or refused.

    Raises
    ------
    DataError
        The order cannot be, costs more than it may, or a day's file makes no tape.
    DownloadError
        Databento refuses, or too many attempts failed.
    CatalogError
        Another download into the catalog is at work, or the disk is full.
    """
    days = past_days(order.first, order.last, clock())
    address = checked_url(url, DATABENTO_URL, with_key=True)
    _check(order, max_cost_usd)
    told = Told(len(days), progress)
    wanted = Wanted(order.dataset, order.symbols, order.stype_in)
    with (
        only_download(catalog) as downloads,
        folder_of_files(downloads, "databento", address) as folder,
        connected(rate_per_second, rng, patience, told) as connection,
    ):
        stored = Stored(catalog, accept_rejects=order.accept_rejects)
        api = Historical(connection, address, key, wanted)
        work = _Work(catalog, folder, stored, told, order, api, Budget(max_cost_usd))
        work.check_overlaps(days)
        quote = work.quote(days)
        if quoted is not None:
            quoted(quote)
        _check_affordable(quote)
        done = tuple(work.fetch(day) for day in days)
    return DatabentoFetch(done, quote, work.budget.spent_usd)


def _check(order: DatabentoOrder, max_cost_usd: float) -> None:
    """Refuse an order that Databento or the importer would refuse, before anything is bought."""
    if not (math.isfinite(max_cost_usd) and max_cost_usd >= 0):
        raise DataError(f"{max_cost_usd} is no amount of money", where="--max-cost")
    if order.stype_in not in STYPES:
        raise DataError(
            f"'{order.stype_in}' is no kind of symbols",
            where="--stype-in",
            hint=f"There are {', '.join(STYPES)}",
        )
    if not order.symbols or not all(order.symbols):
        raise DataError("a symbol is empty", where="--symbols", hint="As in AAPL.OPT,MSFT.OPT")
    if len(order.symbols) > MOST_SYMBOLS:
        raise DataError(
            f"{len(order.symbols):,} symbols are more than a request takes ({MOST_SYMBOLS:,})",
            where="--symbols",
        )
    for schema in order.schemas:
        refused = refusal_of(order.dataset, schema, where="--dataset, --schema")
        if refused is not None:
            raise refused
    alike = [schema for schema in order.schemas if schema in TRADES]
    if len(alike) > 1 or len(set(order.schemas)) < len(order.schemas):
        raise DataError(
            f"the same trades would be bought twice: {', '.join(alike or order.schemas)}",
            where="--schema",
            hint="Choose one; tcbbo and tbbo have quotes, trades has not",
        )


def _check_affordable(quote: DatabentoQuote) -> None:
    if quote.cost_usd > quote.bound_usd + ROUNDING_USD:
        enough = math.ceil(quote.cost_usd / CENT) * CENT
        raise DataError(
            f"Databento asks {quote.cost_usd:.4f} USD for what is missing, up to {quote.files}"
            f" files, and {quote.bound_usd:.2f} may be spent",
            where="--max-cost",
            hint=f"Nothing was bought; say --max-cost {enough:.2f} to buy it",
        )


@dataclass(frozen=True, slots=True)
class _Work(FilesOfDays):
    """Days of schemas, each with its price."""

    order: DatabentoOrder
    api: Historical
    budget: Budget

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.order.schemas

    def missing(self, day: date) -> list[str]:
        missing = [schema for schema in self.kinds if self.is_missing(schema, day)]
        needed = missing and self.order.dataset == CME and DEFINITION in self.kinds
        # Only definitions tell what options on futures are: they come along.
        return missing if DEFINITION in missing or not needed else [DEFINITION, *missing]

    def reports(self, kind: str, day: date) -> list[ImportReport]:
        return self.stored.reports(self.order.file_name(kind, day))

    def path(self, kind: str, day: date) -> Path:
        return self.folder / self.order.file_name(kind, day)

    def bring(self, kind: str, day: date) -> bool:
        path = self.path(kind, day)
        self.told.begins(path.name)
        records = self.api.record_count(kind, day)
        if not records:
            return False
        if path.exists():
            try:
                self.api.check(path, kind, day, records)
            except (DataError, DownloadError):
                path.unlink()  # it was whole once, so the disk has damaged it
            else:
                return True
        cost_usd = self.api.cost_usd(kind, day, day)
        attempt = _Attempt(self.budget, cost_usd, path.name, self.told)
        self.api.download(
            kind, day, path, records, before=attempt.begins, received=attempt.receives
        )
        return True

    def imported(self, paths: list[Path]) -> list[ImportReport]:
        return import_databento(
            paths,
            self.catalog,
            definitions=self.order.definitions,
            underlying_from=self.order.underlying_from,
            accept_rejects=self.order.accept_rejects,
        )

    def check_overlaps(self, days: list[date]) -> None:
        """Refuse to buy what the catalog would refuse to hold twice.

        Raises
        ------
        DataError
            Trades or quotes of a symbol are there already, on a day that is missing.
        """
        venue = venue_of(self.order.dataset, where="--dataset")
        held = [each for each in self.catalog.imports() if each.key.venue == venue]
        for schema in self.kinds:
            kinds = frozenset(kinds_of(self.order.dataset, schema))
            resolution = resolution_ns(schema)
            alike = [
                each
                for each in held
                if each.key.resolution_ns == resolution
                and any(_would_be(symbol, kinds, each.key) for symbol in self.order.symbols)
            ]
            for day in days:
                if self.is_missing(schema, day):
                    _check_overlap(alike, day, self.order.file_name(schema, day))

    def quote(self, days: list[date]) -> DatabentoQuote:
        """Return the cost of all that is missing; a run of days is asked for at once.

        Raises
        ------
        UnresolvedError
            None of the symbols exists on any day.
        """
        total, files, is_known = 0.0, 0, False
        unresolved: list[UnresolvedError] = []
        for schema in self.order.schemas:
            self.told.begins(f"cost of {schema}")
            missing = [
                day
                for day in days
                if schema in self.missing(day) and not self.path(schema, day).exists()
            ]
            is_known = is_known or len(missing) < len(days)
            for first, last in _runs(missing):
                try:
                    total += self.api.cost_usd(schema, first, last)
                except UnresolvedError as refusal:
                    unresolved.append(refusal)
                else:
                    is_known = True
                    files += (last - first).days + 1
        if unresolved and not is_known:
            raise unresolved[0]
        return DatabentoQuote(total, files, self.budget.bound_usd)


def _would_be(symbol: str, kinds: frozenset[TapeKind], key: TapeKey) -> bool:
    """Say whether trades or quotes of a symbol would go into a tape, as far as its name tells."""
    name, _, ending = symbol.partition(".")
    root = name.partition(" ")[0]  # of an option's own symbol, as in AAPL  250221C00245000
    taken = kinds & PARENTS.get(ending, OPTIONS | HEDGES)
    return key.kind in taken and root in {key.underlying, key.instrument}


def _check_overlap(held: list[Manifest], day: date, file_name: str) -> None:
    start_ns, end_ns = bounds_ns(day, day)
    for each in held:
        is_covered = any(
            begin < end_ns and end > start_ns for begin, end in each.coverage.intervals
        )
        if is_covered and each.source != file_name:
            raise DataError(
                f"{each.key.kind} of {each.key.underlying} on {day} are in the catalog already,"
                f" from {each.source}",
                where="--symbols, --schema",
                hint="Nothing was bought; leave them out, or name another catalog",
            )


class _Attempt:
    """The attempts at one file: each is paid for when its first byte comes."""

    def __init__(self, budget: Budget, cost_usd: float, name: str, told: Told) -> None:
        self._budget = budget
        self._cost_usd = cost_usd
        self._name = name
        self._told = told
        self._is_paid = False

    def begins(self) -> None:
        self._budget.check(self._cost_usd, self._name)
        self._is_paid = False

    def receives(self, done: int, total: int | None) -> None:
        if not self._is_paid:
            self._budget.spend(self._cost_usd)
            self._is_paid = True
        self._told.receives(done, total)


def _runs(days: Iterable[date]) -> list[tuple[date, date]]:
    """Return first and last day of each run of days that follow each other."""
    runs: list[tuple[date, date]] = []
    for _, same in groupby(enumerate(days), lambda pair: pair[1] - timedelta(days=pair[0])):
        following = [day for _, day in same]
        runs.append((following[0], following[-1]))
    return runs
