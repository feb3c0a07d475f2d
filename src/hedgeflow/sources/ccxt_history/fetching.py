"""Fetching a swap's history day by day: what is missing is asked for, each day is one import."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import DataError
from hedgeflow.market.manifests import Import, union
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import DAY_NS, HOUR_NS
from hedgeflow.market.validation import validate
from hedgeflow.market.writing import content_sha256
from hedgeflow.sources.ccxt_history.client import CcxtHistory, Swap, connected
from hedgeflow.sources.ccxt_history.pages import MILLISECOND_NS, Row
from hedgeflow.sources.ccxt_history.patience import Sleep
from hedgeflow.sources.ccxt_history.report import FetchedTape, Tally, day_bounds, within
from hedgeflow.sources.ccxt_history.tapes import FUNDING_CONTEXT_NS, day_tape
from hedgeflow.sources.ccxt_history.venues import KINDS, check_gives

if TYPE_CHECKING:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.writing import Progress

SETTLED_AFTER: Final = timedelta(minutes=10)
"""A day is over for us this long after its end: exchanges finish its last bar, clocks differ."""

BARS_TIMEFRAME: Final = "1m"
FIGURES_TIMEFRAME: Final = "5m"
"""Open interest and ratios are published every five minutes at the finest."""

WINDOW_ROWS: Final = 5_000
"""About so many rows are held before their days are stored."""

SOURCE: Final = "ccxt"
SOURCE_WORDS: Final = 4
"""An import's source is `SOURCE`, exchange, symbol and day, with spaces between."""


@dataclass(frozen=True, slots=True)
class _Order:
    """One tape of one swap, to be fetched over some days."""

    key: TapeKey
    swap: Swap
    timeframe: str
    days: tuple[date, ...]
    accept_rejects: bool


def fetch_ccxt(
    catalog: Catalog,
    exchange: str,
    symbol: str,
    *,
    first: date,
    last: date,
    now: Callable[[], datetime],
    kinds: Sequence[TapeKind] = (TapeKind.BARS,),
    timeframe: str | None = None,
    instrument: str | None = None,
    url: str | None = None,
    accept_rejects: bool = False,
    sleep: Sleep = time.sleep,
    progress: Progress | None = None,
) -> list[FetchedTape]:
    """Download the history of a perpetual swap into a catalog, day by day.

    Each day of each tape is one import, whole or not at all; days that the catalog covers are not
    asked for again, so a download that was stopped goes on where it was.

    Parameters
    ----------
    catalog : Catalog
    exchange : str
        ccxt's name of the exchange, which is also the venue.
    symbol : str
        ccxt's unified symbol of a perpetual swap, as in ``BTC/USDT:USDT``.
    first, last : date
        UTC days, both included.
    now : callable
        The clock; only days that are over are fetched.
    kinds : sequence of TapeKind
        Of `KINDS`.
    timeframe : str, optional
        Length of the bars and period of the figures; without it a minute and five minutes.
    instrument : str, optional
        Name of the swap in the catalog; without it the coin and ``-PERP``.
    url : str, optional
        Takes the place of scheme and host in the exchange's addresses.
    accept_rejects : bool
        Use the tapes although more than 0.01 % of their rows is rejected.
    sleep : callable
        Waits some seconds, between attempts.
    progress : callable, optional
        Called with the days done and the days to do, over all tapes.

    Returns
    -------
    list of FetchedTape
        One a kind, in the order of `KINDS`.

    Raises
    ------
    DataError
        Exchange, market, kind, timeframe or days are not to be had; the exchange refuses.
    DownloadError
        The exchange does not answer.
    CatalogError
        The catalog cannot be written.
    """
    days = _days(first, last, now())
    chosen = [kind for kind in KINDS if kind in kinds]
    if timeframe is not None and chosen == [TapeKind.FUNDING]:
        raise DataError("funding has no timeframe", where="--timeframe", hint="Leave it out")
    with connected(exchange, url=url, sleep=sleep) as history:
        steps: dict[TapeKind, int] = {}
        for kind in chosen:
            history.check_kind(kind)
            steps[kind] = _resolution_ns(history, kind, _timeframe(kind, timeframe))
        swap = history.swap(symbol)
        name = instrument or f"{swap.underlying}-PERP"
        _check_instrument(name, swap, exchange)
        _check_same_swap(name, swap, exchange, catalog)
        orders: list[_Order] = []
        for kind in chosen:
            check_gives(exchange, kind, swap.sub_type)
            key = TapeKey(kind, exchange, swap.underlying, name, steps[kind])
            orders.append(_Order(key, swap, _timeframe(kind, timeframe), days, accept_rejects))
        done: list[FetchedTape] = []
        for order in orders:
            count = _Count(progress, len(done) * len(days), len(orders) * len(days))
            done.append(_fetch(history, order, catalog, count))
    return done


@dataclass(frozen=True, slots=True)
class _Count:
    """The days done and to do over all tapes, told to whoever shows them."""

    progress: Progress | None
    before: int
    total: int

    def tell(self, done: int) -> None:
        if self.progress is not None:
            self.progress(self.before + done, self.total)


def _fetch(history: CcxtHistory, order: _Order, catalog: Catalog, count: _Count) -> FetchedTape:
    """Store the days of one tape that the catalog does not cover yet."""
    key, first, last = order.key, order.days[0], order.days[-1]
    if order.accept_rejects:
        _accept_earlier(catalog, key)
    covered = _covered(catalog, key, first, last)
    missing = [day for day in order.days if not covered.contains(*day_bounds(day))]
    skipped = done = len(order.days) - len(missing)
    repeated = history.repeated
    tally = Tally()
    count.tell(done)
    for window in _windows(missing, key):
        rows = _rows(history, order, window)
        for day in window:
            _store(catalog, order, rows, day, tally)
            done += 1
            count.tell(done)
    recorded = _covered(catalog, key, first, last)
    if not recorded.intervals:
        raise DataError(
            f"the exchange gave no {key.kind.value.replace('_', ' ')} of {order.swap.symbol} from "
            f"{first} to {last}",
            where=key.venue,
            hint="Its history may not reach so far back (open interest and ratios: weeks), or the "
            "market may be younger",
        )
    return FetchedTape(
        key=key,
        symbol=order.swap.symbol,
        first=first,
        last=last,
        skipped=skipped,
        empty=tuple(tally.empty),
        read=sum(each.read for each in tally.made),
        kept=sum(each.kept for each in tally.made),
        repeats=sum(each.repeats for each in tally.made),
        rejected=tally.rejected,
        coverage=recorded,
        needs_acceptance=catalog.summary(key).needs_acceptance,
        notes=tuple(_notes(order, tally.left_out, history.repeated - repeated)),
    )


def _store(catalog: Catalog, order: _Order, rows: Sequence[Row], day: date, tally: Tally) -> None:
    """Commit one day, unless the exchange gave nothing of it."""
    start_ns, end_ns = day_bounds(day)
    context_ns = FUNDING_CONTEXT_NS if order.key.kind is TapeKind.FUNDING else 0
    first, start, end = (
        bisect_left(rows, instant // MILLISECOND_NS, key=_stamp_ms)
        for instant in (start_ns - context_ns, start_ns, end_ns)
    )
    if start == end:
        tally.empty.append(day)
        return
    frame, covered = day_tape(order.key, rows[first:end], start_ns)
    source = _source(order.key.venue, order.swap.symbol, day)
    checked = validate(frame, order.key.kind, where=source)
    made = catalog.commit(
        Import(
            key=order.key,
            rows=checked.rows,
            rejects=checked.rejects,
            read=frame.height,
            null_ids=0,
            identical_without_id=0,
            source=source,
            source_sha256=content_sha256(frame, covered),
            coverage=covered,
            accept_rejects=order.accept_rejects,
        )
    )
    tally.made.append(made)
    tally.left_out += end - start - frame.height


def _rows(history: CcxtHistory, order: _Order, window: Sequence[date]) -> list[Row]:
    kind = order.key.kind
    start_ns = day_bounds(window[0])[0]
    if kind is TapeKind.FUNDING:
        start_ns -= FUNDING_CONTEXT_NS
    end_ns = day_bounds(window[-1])[1]
    return history.rows(
        kind, order.swap, order.timeframe, start_ns // MILLISECOND_NS, end_ns // MILLISECOND_NS
    )


def _windows(days: Sequence[date], key: TapeKey) -> list[list[date]]:
    """Return days that follow each other in groups of about `WINDOW_ROWS` rows."""
    step_ns = HOUR_NS if key.kind is TapeKind.FUNDING else key.resolution_ns
    longest = max(1, WINDOW_ROWS * step_ns // DAY_NS)
    runs: list[list[date]] = []
    for _, run in groupby(enumerate(days), key=lambda pair: pair[1].toordinal() - pair[0]):
        following = [day for _, day in run]
        runs += [following[at : at + longest] for at in range(0, len(following), longest)]
    return runs


def _days(first: date, last: date, moment: datetime) -> tuple[date, ...]:
    """Return the days asked for, all of which must be over."""
    if last < first:
        raise DataError(f"{last} lies before {first}", where="--to", hint="Both are included")
    over = (moment.astimezone(UTC) - SETTLED_AFTER).date() - timedelta(days=1)
    if last > over:
        raise DataError(
            f"{last} (UTC) is not over: only whole days are fetched",
            where="--to",
            hint=f"The last whole day is {over}",
        )
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def _timeframe(kind: TapeKind, given: str | None) -> str:
    return given or (BARS_TIMEFRAME if kind is TapeKind.BARS else FIGURES_TIMEFRAME)


def _resolution_ns(history: CcxtHistory, kind: TapeKind, timeframe: str) -> int:
    """Return the resolution of a tape's stamps: settlements are stamped to the millisecond."""
    return MILLISECOND_NS if kind is TapeKind.FUNDING else history.step_ns(timeframe)


def _check_instrument(name: str, swap: Swap, exchange: str) -> None:
    hedge = hedge_instrument(name, exchange)
    if hedge.kind is not HedgeKind.PERPETUAL or hedge.underlying != swap.underlying:
        raise DataError(
            f"'{name}' does not name a perpetual swap on {swap.underlying}",
            where="--instrument",
            hint=f"Write {swap.underlying}-PERP, or {swap.underlying}-{swap.quote}-PERP beside "
            "another one",
        )


def _check_same_swap(name: str, swap: Swap, exchange: str, catalog: Catalog) -> None:
    """Refuse to give two swaps on one coin, which differ in quote currency, the same name."""
    for each in catalog.imports():
        words = each.source.split(" ")
        ours = len(words) == SOURCE_WORDS and words[:2] == [SOURCE, exchange]
        if ours and each.key.instrument == name and words[2] != swap.symbol:
            raise DataError(
                f"{name} on {exchange} is {words[2]} in this catalog, not {swap.symbol}",
                where=str(catalog.path),
                hint="Give this one another name with --instrument "
                f"{swap.underlying}-{swap.quote}-PERP",
            )


def _source(exchange: str, symbol: str, day: date) -> str:
    return f"{SOURCE} {exchange} {symbol} {day}"


def _accept_earlier(catalog: Catalog, key: TapeKey) -> None:
    for each in catalog.imports():
        if each.key == key and each.needs_acceptance:
            catalog.accept(each.id)


def _covered(catalog: Catalog, key: TapeKey, first: date, last: date) -> Coverage:
    """Return what the catalog holds of some days; files that were damaged since do not count."""
    of_days = [
        each
        for each in catalog.imports()
        if each.key == key and within(each.coverage, first, last).intervals
    ]
    intact = [each for each in of_days if catalog.imported(each.id) is not None]
    return within(union(intact), first, last)


def _stamp_ms(row: Row) -> int:
    return row.stamp_ms


def _notes(order: _Order, left_out: int, repeated: int) -> list[str]:
    key, swap = order.key, order.swap
    notes = [f"{swap.symbol} is kept as {key.instrument}; it is quoted in {swap.quote}."]
    if key.kind is TapeKind.BARS:
        notes.append("Volumes are in underlying units; a bar is known at its end.")
    elif key.kind is not TapeKind.FUNDING:
        notes.append(f"A figure is taken as known {order.timeframe} after its stamp.")
    if left_out:
        notes.append(
            f"{left_out:,} bars before the first trade of their day have no price: they are "
            "covered, without a row."
        )
    if repeated:
        notes.append(f"{repeated:,} requests were made again after errors or refusals.")
    return notes
