"""Tardis.dev's CSV files: options and what hedges them, one import for each day and tape."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import HedgeKind
from hedgeflow.market.errors import DataError
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.market.validation import ROW
from hedgeflow.sources.catalog_prices import until_stale, with_price_of_bars
from hedgeflow.sources.prevailing import with_underlying_price
from hedgeflow.sources.report import ImportReport, check_usable, import_into
from hedgeflow.sources.tardis.days import RecordedDay
from hedgeflow.sources.tardis.files import BATCH_BYTES, DataType, TardisFile, batches, recognize
from hedgeflow.sources.tardis.streams import Stream, forwards, timed
from hedgeflow.sources.tardis.symbols import LeftOut, Listed, Size, named_by
from hedgeflow.sources.tardis.tapes import Origin, imports_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.manifests import Import
    from hedgeflow.market.writing import Progress

FORWARD_MAX_AGE_NS: Final = 5 * MINUTE_NS
"""An option trade takes its expiry's forward from the chain if it is not older than this."""

ORDER: Final = (
    DataType.QUOTES,
    DataType.OPTIONS_CHAIN,
    DataType.TRADES,
    DataType.DERIVATIVE_TICKER,
)
"""Within a day: quotes spare the chain's own, and trades need the chain's forwards."""

OPTIONS_EXCHANGE: Final = "deribit"


@dataclass(frozen=True, slots=True)
class TardisChoice:
    """What was said of the files.

    Attributes
    ----------
    underlying : str or None
        Only what is on it is imported.
    instrument : str or None
        The hedge instrument that the files' one symbol is.
    size : Size or None
        What an amount of one is worth, where the symbol does not tell.
    data_type : DataType or None
        ``trades`` where neither names nor folders tell trades from liquidations.
    """

    underlying: str | None = None
    instrument: str | None = None
    size: Size | None = None
    data_type: DataType | None = None


def import_tardis(
    paths: Sequence[Path | str],
    catalog: Catalog,
    chosen: TardisChoice | None = None,
    *,
    prices: Catalog | None = None,
    accept_rejects: bool = False,
    progress: Progress | None = None,
    batch_bytes: int = BATCH_BYTES,
) -> tuple[ImportReport, ...]:
    """Import files of Tardis.dev's, day by day; what was committed of earlier days stays.

    A row's `ts` is the exchange's stamp and its `known_at` when Tardis received it, never before
    the stamp; both resolve a microsecond. Files of one day and data type make one import a tape.
    Memory is bounded by what a day's files of one data type keep, not by their text.

    Parameters
    ----------
    paths : sequence of path
        CSV or gzipped CSV of any of `DataType`, in any order.
    catalog : Catalog
    chosen : TardisChoice, optional
    prices : Catalog, optional
        Where the underlying's price of option trades comes from without an options chain of the
        same day: the closes of its bars. Without it, `catalog`.
    accept_rejects : bool
        Use the tapes although more than 0.01 % is rejected.
    progress : callable, optional
        Called with the bytes read and the bytes to read.
    batch_bytes : int
        Text to hold at once; it changes nothing in the tapes.

    Returns
    -------
    tuple of ImportReport

    Raises
    ------
    DataError
        A file is damaged, of another data type, of several exchanges or in other units of time;
        or an instrument's contract size is not known.
    """
    chosen = chosen or TardisChoice()
    files = [recognize(Path(path), chosen.data_type) for path in paths]
    _check_twice(files)
    files.sort(key=lambda each: (each.day_ns, each.exchange, ORDER.index(each.data_type)))
    reading = _Reading(chosen, prices or catalog, _Bytes(files, progress), batch_bytes)
    reports: list[ImportReport] = []
    for _, same in groupby(files, lambda each: (each.day_ns, each.exchange, each.data_type)):
        made = reading.imports(list(same), accept_rejects=accept_rejects)
        reports += [import_into(catalog, new, notes, None) for new, notes in made]
    return tuple(reports)


def _check_twice(files: list[TardisFile]) -> None:
    first: dict[str, TardisFile] = {}
    for each in files:
        other = first.setdefault(each.sha256, each)
        if other is not each:
            raise DataError(
                f"it holds the same as {other.path.name}",
                where=each.path.name,
                hint="Give each file once",
            )


class _Bytes:
    """Progress over several files, in bytes."""

    def __init__(self, files: list[TardisFile], progress: Progress | None) -> None:
        self._progress = progress
        self._total = sum(each.path.stat().st_size for each in files)
        self._before = 0

    def of(self, file: TardisFile) -> Callable[[int], object]:
        """Return what to call with the bytes read of a file."""
        before = self._before
        self._before += file.path.stat().st_size

        def told(done: int) -> None:
            if self._progress is not None:
                self._progress(before + done, self._total)

        return told


class _Reading:
    """Files on their way to tapes, with what a day's earlier files have said."""

    def __init__(
        self, chosen: TardisChoice, prices: Catalog, done: _Bytes, batch_bytes: int
    ) -> None:
        self.chosen = chosen
        self.prices = prices
        self.done = done
        self.batch_bytes = batch_bytes
        self.day_ns = 0
        self.forwards: dict[tuple[str, str], list[pl.DataFrame]] = {}
        self.quoted: set[tuple[str, str]] = set()

    def imports(
        self, files: list[TardisFile], *, accept_rejects: bool
    ) -> list[tuple[Import, list[str]]]:
        """Return what files of one day, exchange and data type make, each with its notes."""
        if files[0].day_ns != self.day_ns:
            self.day_ns = files[0].day_ns
            self.forwards.clear()
            self.quoted.clear()
        day = RecordedDay()
        streams = self._streams(files, day)
        names = sorted(each.path.name for each in files)
        source = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        sha256 = _hash(files)
        made: list[tuple[Import, list[str]]] = []
        for stream in streams:
            origin = Origin(source, sha256, self._arguments(stream), accept_rejects)
            made += imports_of(stream, day, origin, self._priced)
        if not made:
            raise DataError("no row makes a tape", where=source, hint=" ".join(day.notes()[1:]))
        for new, _ in made:
            check_usable(new)
        return made

    def _streams(self, files: list[TardisFile], day: RecordedDay) -> list[Stream]:
        """Return what files of one exchange and data type say, by underlying and instrument."""
        data_type = files[0].data_type
        streams: list[Stream] = []
        place: dict[str, int] = {}
        rows = 0
        for file in files:
            for batch in batches(file, rows, self.done.of(file), self.batch_bytes):
                rows += batch.height
                day.add(batch)
                counts = batch["symbol"].fill_null("").value_counts().sort("symbol")
                for symbol, count in counts.iter_rows():
                    listed = self._named(file, symbol)
                    if isinstance(listed, LeftOut):
                        day.leave_out(listed.what, symbol, count)
                    elif symbol not in place:
                        place[symbol] = _add(streams, listed, file.path.name)
                for number, part in _by_stream(timed(batch), place):
                    self._add(streams[number], part, data_type)
        if data_type is DataType.QUOTES:
            self.quoted |= {(each.venue, each.underlying) for each in streams if each.of_options}
        return streams

    def _add(self, stream: Stream, part: pl.DataFrame, data_type: DataType) -> None:
        whose = (stream.venue, stream.underlying)
        stream.add(part, data_type, with_quotes=whose not in self.quoted)
        if data_type is DataType.OPTIONS_CHAIN:
            self.forwards.setdefault(whose, []).append(forwards(part, stream))

    def _named(self, file: TardisFile, symbol: str) -> Listed | LeftOut:
        if not symbol:
            return LeftOut(symbol, "no symbol")
        data_type, chosen = file.data_type, self.chosen
        if data_type is DataType.OPTIONS_CHAIN and file.exchange != OPTIONS_EXCHANGE:
            raise DataError(
                f"the contract sizes of options on {file.exchange} are not known",
                where=file.path.name,
                hint=f"Only those of {OPTIONS_EXCHANGE} can be imported so far",
            )
        listed = named_by(file.exchange, symbol, instrument=chosen.instrument, size=chosen.size)
        if isinstance(listed, LeftOut):
            return listed
        if chosen.underlying not in {None, listed.underlying}:
            return LeftOut(symbol, "other underlyings")
        if data_type is DataType.DERIVATIVE_TICKER and listed.kind is not HedgeKind.PERPETUAL:
            return LeftOut(symbol, "tickers of what is no perpetual")
        if data_type is DataType.OPTIONS_CHAIN and listed.contract is None:
            return LeftOut(symbol, "what is no option in an options chain")
        return listed

    def _priced(self, prints: pl.DataFrame, stream: Stream) -> tuple[pl.DataFrame, str]:
        """Return option trades with the price of their expiry's forward, else of the bars."""
        known = self.forwards.get((stream.venue, stream.underlying))
        if not known:
            return with_price_of_bars(
                prints,
                self.prices,
                stream.underlying,
                stream.venue,
                where="trades",
                instead="Give the options_chain file of the same day too",
            )
        chain = pl.concat(known).sort("known_at", maintain_order=True)
        parts: list[pl.DataFrame] = []
        for (expiry,), part in prints.group_by("expiry", maintain_order=True):
            prices = chain.filter(pl.col("expiry") == expiry).select("known_at", "price")
            parts.append(with_underlying_price(part, until_stale(prices, FORWARD_MAX_AGE_NS)))
        priced = pl.concat(parts).sort("ts", ROW)
        return (
            priced.with_columns(pl.col("underlying_price").fill_nan(None)),
            "Underlying prices are the forwards of the options chain, by expiry and second.",
        )

    def _arguments(self, stream: Stream) -> str:
        size = self.chosen.size
        if size is None or stream.of_options:
            return ""
        return f"an amount of 1 as {size.number:.12g} {size.unit}"


def _add(streams: list[Stream], listed: Listed, where: str) -> int:
    """Return the place of a symbol's stream among the streams, which has it added."""
    names = (listed.venue, listed.underlying, listed.instrument)
    for number, stream in enumerate(streams):
        if (stream.venue, stream.underlying, stream.instrument) == names:
            if listed.contract is None:
                raise DataError(
                    f"both {next(iter(stream.listed))} and {listed.symbol} would be"
                    f" {listed.instrument} on {listed.venue}",
                    where=where,
                    hint="Import them apart, each with its --instrument",
                )
            stream.listed[listed.symbol] = listed
            return number
    streams.append(Stream(*names, listed={listed.symbol: listed}))
    return len(streams) - 1


def _by_stream(batch: pl.DataFrame, place: dict[str, int]) -> list[tuple[int, pl.DataFrame]]:
    """Return the rows of each stream, in the order of the batch."""
    table = pl.DataFrame(
        {"symbol": list(place), "_stream": list(place.values())},
        schema={"symbol": pl.String, "_stream": pl.Int64},
    )
    joined = batch.join(table, on="symbol", maintain_order="left")
    parts = joined.partition_by("_stream", maintain_order=True)
    return [(int(part["_stream"][0]), part.drop("_stream")) for part in parts]


def _hash(files: list[TardisFile]) -> str:
    """Return the hash of one file, or of several whatever their order."""
    hashes = sorted(each.sha256 for each in files)
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
