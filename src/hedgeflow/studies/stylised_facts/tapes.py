"""The tapes of one underlying, session by session, so that memory is bounded by a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.reading import stored_schema
from hedgeflow.market.sessions import ALWAYS_OPEN, Sessions, calendar_of_venue, sessions_between
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import HOUR_NS, MINUTE_NS
from hedgeflow.studies.markets import describe_resolution
from hedgeflow.studies.stylised_facts.option_rows import priced_prints, priced_quotes, terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.market.catalog import Catalog

BUCKET_NS: Final = 30 * MINUTE_NS
"""Time of day is told in half hours from the session's start."""

_PUBLISHED_BEFORE_NS: Final = 12 * HOUR_NS
"""Open interest that is published so long before a session opens belongs to it."""


@dataclass(frozen=True, slots=True)
class Day:
    """One session's rows of every tape; an empty table where there is none.

    Attributes
    ----------
    number : int
        Place among the calendar's sessions: neighbours differ by 1.
    open_ns, close_ns : int
        Half-open, UTC nanoseconds.
    is_whole : bool
        As long as the calendar's longest: no half day.
    prints : DataFrame
        Option prints with their contracts' terms, `contracts` (quantity), `delta`, and `leg`
        where they belong to a complex order.
    quotes : DataFrame
        The option quote tape with terms, `underlying_price` and `delta`.
    bars, trades, hedge_quotes : DataFrame
        Of the hedge instrument.
    interest : DataFrame
        Each option contract's last open interest, with terms.
    option_coverage, bar_coverage, trade_coverage : Coverage
        What was recorded of option prints, bars and hedge trades.
    """

    number: int
    open_ns: int
    close_ns: int
    is_whole: bool
    prints: pl.DataFrame
    quotes: pl.DataFrame
    bars: pl.DataFrame
    trades: pl.DataFrame
    hedge_quotes: pl.DataFrame
    interest: pl.DataFrame
    option_coverage: Coverage
    bar_coverage: Coverage
    trade_coverage: Coverage

    @property
    def is_empty(self) -> bool:
        """Whether no tape has a row."""
        tables = (
            self.prints, self.quotes, self.bars, self.trades, self.hedge_quotes, self.interest,
        )  # fmt: skip
        return all(table.is_empty() for table in tables)

    def buckets(self, stamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the half hour of the session in which each stamp lies."""
        return (stamps - self.open_ns) // BUCKET_NS

    def counts(
        self, stamps: NDArray[np.int64], scale_ns: int, coverage: Coverage
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return bucket and number of stamps of each interval that was recorded whole."""
        starts, places = self.recorded(scale_ns, coverage)
        length = (self.close_ns - self.open_ns) // scale_ns
        inside = (stamps - self.open_ns) // scale_ns
        found = np.bincount(inside[inside < length], minlength=length).astype(np.float64)
        return self.buckets(starts), found[places]

    def recorded(
        self, scale_ns: int, coverage: Coverage
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return start and place of each interval of a scale that a tape recorded whole."""
        length = (self.close_ns - self.open_ns) // scale_ns
        starts = self.open_ns + np.arange(length, dtype=np.int64) * scale_ns
        if coverage.start_ns.size == 0:
            return starts[:0], starts[:0]
        index = np.searchsorted(coverage.start_ns, starts, side="right") - 1
        whole = (index >= 0) & (coverage.end_ns[np.maximum(index, 0)] >= starts + scale_ns)
        return starts[whole], np.flatnonzero(whole)


@dataclass(frozen=True, slots=True)
class MarketTapes:
    """Which tapes a catalog has of an underlying, and the sessions that they span.

    Attributes
    ----------
    catalog : Catalog
    underlying : str
    options, option_quotes, interest, bars, trades, hedge_quotes : TapeKey or None
    contracts : DataFrame
        Terms of the options.
    sessions : Sessions
    simulated : bool
    """

    catalog: Catalog
    underlying: str
    options: TapeKey | None
    option_quotes: TapeKey | None
    interest: TapeKey | None
    bars: TapeKey | None
    trades: TapeKey | None
    hedge_quotes: TapeKey | None
    contracts: pl.DataFrame
    sessions: Sessions
    simulated: bool

    @property
    def keys(self) -> tuple[TapeKey, ...]:
        """The tapes there are."""
        return tuple(key for key in self._by_kind.values() if key is not None)

    @property
    def closes(self) -> bool:
        """Whether the market closes, so that its day has ends."""
        return self.sessions.calendar != ALWAYS_OPEN

    @property
    def longest_ns(self) -> int:
        """Length of the longest session."""
        return int((self.sessions.close_ns - self.sessions.open_ns).max())

    @property
    def buckets(self) -> int:
        """Half hours in the longest session."""
        return -(-self.longest_ns // BUCKET_NS)

    @property
    def names(self) -> tuple[str, ...]:
        """The tapes in words."""
        return tuple(
            f"{key.kind} of {key.instrument} on {key.venue},"
            f" {describe_resolution(key.resolution_ns)}"
            for key in self.keys
        )

    def days(self) -> Iterator[Day]:
        """Yield every session of which some tape has a row."""
        whole = self.longest_ns
        bounds = zip(self.sessions.open_ns.tolist(), self.sessions.close_ns.tolist(), strict=True)
        listed = terms(self.contracts)
        rows = {kind: _Rows(self.catalog, kind, key) for kind, key in self._by_kind.items()}
        option_coverage, bar_coverage, trade_coverage = (
            self._coverage(key) for key in (self.options, self.bars, self.trades)
        )
        for number, (begin, end) in enumerate(bounds):
            bars = rows[TapeKind.BARS].between(begin, end)
            prints = rows[TapeKind.OPTION_TRADES].between(begin, end)
            quotes = rows[TapeKind.OPTION_QUOTES].between(begin, end)
            day = Day(
                number=number,
                open_ns=begin,
                close_ns=end,
                is_whole=end - begin == whole,
                prints=priced_prints(prints, listed),
                quotes=priced_quotes(quotes, listed, bars, self.bars),
                bars=bars,
                trades=rows[TapeKind.HEDGE_TRADES].between(begin, end),
                hedge_quotes=rows[TapeKind.HEDGE_QUOTES].between(begin, end),
                interest=self._interest(rows[TapeKind.OPEN_INTEREST], begin, end, listed),
                option_coverage=option_coverage,
                bar_coverage=bar_coverage,
                trade_coverage=trade_coverage,
            )
            if not day.is_empty:
                yield day

    @property
    def _by_kind(self) -> dict[TapeKind, TapeKey | None]:
        return {
            TapeKind.OPTION_TRADES: self.options,
            TapeKind.OPTION_QUOTES: self.option_quotes,
            TapeKind.OPEN_INTEREST: self.interest,
            TapeKind.BARS: self.bars,
            TapeKind.HEDGE_TRADES: self.trades,
            TapeKind.HEDGE_QUOTES: self.hedge_quotes,
        }

    def _coverage(self, key: TapeKey | None) -> Coverage:
        return Coverage.of([]) if key is None else self.catalog.coverage(key)

    def _interest(self, rows: _Rows, begin: int, end: int, listed: pl.DataFrame) -> pl.DataFrame:
        """Return each option's last open interest of the session or the hours before it."""
        published = rows.between(begin - _PUBLISHED_BEFORE_NS if self.closes else begin, end)
        last = published.group_by("contract", maintain_order=True).last()
        return last.join(listed, on="contract").filter(pl.col("expiry_ns") > begin)


class _Rows:
    """A tape read forward once, a UTC day at a time, and handed out by session."""

    def __init__(self, catalog: Catalog, kind: TapeKind, key: TapeKey | None) -> None:
        self._left: Iterator[pl.DataFrame] = iter(()) if key is None else catalog.slices(key)
        self._waiting = pl.DataFrame(schema=stored_schema(kind) | {"ts": pl.Int64})
        self._until = -1

    def between(self, begin: int, end: int) -> pl.DataFrame:
        """Return the rows with ``begin <= ts < end``; `begin` never goes back."""
        while self._until < end and (more := next(self._left, None)) is not None:
            added = more.with_columns(pl.col("ts").dt.epoch("ns"))
            self._until = int(added["ts"][-1]) if added.height else self._until
            self._waiting = pl.concat([self._waiting.filter(pl.col("ts") >= begin), added])
        return self._waiting.filter(pl.col("ts").is_between(begin, end, closed="left"))


def open_tapes(catalog: Catalog, underlying: str, calendar: str | None = None) -> MarketTapes:
    """Return the tapes of an underlying: of each kind the finest, of the most traded instrument.

    Parameters
    ----------
    catalog : Catalog
    underlying : str
    calendar : str, optional
        ``24/7`` or a name of exchange_calendars; without it that of the options' venue, or of the
        hedge instrument's.

    Raises
    ------
    CatalogError
        The catalog has no tape of the underlying that facts are measured on, or options of
        several venues.
    ConfigError
        The venue's hours are not known, or there is no such calendar.
    """
    summaries = {
        each.key: each for each in catalog.summaries() if each.key.underlying == underlying
    }
    keys = [key for key, summary in summaries.items() if summary.rows]
    options = _one(catalog, keys, TapeKind.OPTION_TRADES)
    option_quotes = _one(catalog, keys, TapeKind.OPTION_QUOTES)
    of_options = [key for key in keys if key.instrument == underlying]
    interest = _one(catalog, of_options, TapeKind.OPEN_INTEREST)
    bars = _most_traded(catalog, keys)
    trades = _ticks(catalog, keys, TapeKind.HEDGE_TRADES, bars)
    hedge_quotes = _ticks(catalog, keys, TapeKind.HEDGE_QUOTES, bars)
    every = (options, option_quotes, interest, bars, trades, hedge_quotes)
    found = [key for key in every if key is not None]
    if not found:
        there = (
            ", ".join(sorted({each.key.underlying for each in catalog.summaries()})) or "nothing"
        )
        raise CatalogError(
            f"no tape of {underlying} that facts can be measured on",
            where=str(catalog.path),
            hint=f"The catalog holds {there or 'nothing'}",
        )
    stamps = [
        stamp
        for key in found
        for stamp in (summaries[key].first_ns, summaries[key].last_ns)
        if stamp is not None
    ]
    hours = calendar or calendar_of_venue(found[0].venue)
    sessions = sessions_between(hours, min(stamps), max(stamps))
    if not sessions.open_ns.size:
        raise no_rows(catalog, underlying, hours)
    return MarketTapes(
        catalog=catalog,
        underlying=underlying,
        options=options,
        option_quotes=option_quotes,
        interest=interest,
        bars=bars,
        trades=trades,
        hedge_quotes=hedge_quotes,
        contracts=catalog.contracts(found[0].venue, underlying),
        sessions=sessions,
        simulated=any(made.simulated for made in catalog.imports() if made.key in found),
    )


def no_rows(catalog: Catalog, underlying: str, calendar: str) -> CatalogError:
    """Return the refusal of tapes that have no row in any session."""
    return CatalogError(
        f"no row of {underlying} lies in a session of {calendar}",
        where=str(catalog.path),
        hint="Name another calendar, such as 24/7",
    )


def _one(catalog: Catalog, keys: list[TapeKey], kind: TapeKind) -> TapeKey | None:
    """Return the finest tape of a kind; two venues of one kind would be two markets."""
    found = [key for key in keys if key.kind is kind]
    venues = sorted({key.venue for key in found})
    if len(venues) > 1:
        raise CatalogError(
            f"there are {kind} of {', '.join(venues)}: two venues are two markets",
            where=str(catalog.path),
            hint="Keep one option venue of an underlying in a catalog",
        )
    return min(found, key=lambda key: key.resolution_ns) if found else None


def _most_traded(catalog: Catalog, keys: list[TapeKey]) -> TapeKey | None:
    bars = sorted(
        (key for key in keys if key.kind is TapeKind.BARS), key=lambda key: -key.resolution_ns
    )
    finest = {(key.venue, key.instrument): key for key in bars}
    if len(finest) < 2:
        return next(iter(finest.values()), None)
    volume = {
        key: float(catalog.scan(key).select(pl.col("volume").sum()).collect().item())
        for key in finest.values()
    }
    return max(volume, key=lambda key: (volume[key], key.instrument))


def _ticks(
    catalog: Catalog, keys: list[TapeKey], kind: TapeKind, bars: TapeKey | None
) -> TapeKey | None:
    """Return the finest tape of the instrument of the bars; without bars, the longest there is."""
    found = [key for key in keys if key.kind is kind]
    if bars is not None:
        found = [
            key for key in found if (key.venue, key.instrument) == (bars.venue, bars.instrument)
        ]
        return min(found, key=lambda key: key.resolution_ns) if found else None
    return max(found, key=lambda key: catalog.summary(key).rows) if found else None
