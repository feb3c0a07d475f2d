"""The trades of one day out of Deribit's history, page by page, and the proof that none is missing.

Pages are asked for by time. What is known of the venue, and not relied on further:

- It returns the trades of a range in the order of their ids, up to the number asked for, but pages
  are not sorted inside; a leg's stamp may be milliseconds behind its neighbours'. So a page begins
  a second before the newest trade of the page before it, and trades are told apart by their ids.
- ``has_more`` has been seen to be false where there was more: a full page is always followed.
- ``trade_seq`` counts the trades of an instrument without a gap. A number that is missing in the
  day, or between the day and the trades on either side of it, is asked for by itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final, Literal

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import DAY_NS, SECOND_NS
from hedgeflow.wire import Trade, TradesPage

MS_NS: Final = SECOND_NS // 1000
DAY_MS: Final = DAY_NS // MS_NS
PAGE_TRADES: Final = 1000
"""Deribit's greatest ``count``."""
OVERLAP_MS: Final = 1000
NEIGHBOURS: Final = 100
"""Trades on either side of a day that bear witness to its completeness."""
NEIGHBOUR_MS: Final = 7 * DAY_MS
"""How far away they are looked for: a coin that nobody trades for a week has no history."""
MOST_PAGES_BY_NUMBER: Final = 200
"""Where more are missing the history is not what it is taken for, and asking on is no repair."""
NUMBERS_ASKED: Final = PAGE_TRADES - 2
"""At once; see `numbered`."""

StreamName = Literal["options", "perpetual"]


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the venue.

    Attributes
    ----------
    method : str
    parameters : tuple of (str, str)
    instruments : tuple of str
        What every trade must be of: an instrument, or beginnings of names that end in - or _.
    start_ms, end_ms : int or None
        Between which every trade must lie, both included; None where ids or numbers are asked for.
    """

    method: str
    parameters: tuple[tuple[str, str], ...]
    instruments: tuple[str, ...]
    start_ms: int | None = None
    end_ms: int | None = None

    @property
    def name(self) -> str:
        """The same for the same question."""
        return json.dumps([self.method, self.parameters])

    def check(self, page: TradesPage) -> None:
        """Refuse a page that cannot be the answer.

        Raises
        ------
        DataError
            A trade is of another instrument or time, or more is promised after no trade at all.
        """
        by_beginning = self.instruments[0].endswith(("-", "_"))
        for trade in page.trades:
            name = trade.instrument_name
            asked = name.startswith(self.instruments) if by_beginning else name in self.instruments
            if not asked:
                raise DataError(
                    f"the answer holds a trade of {name}, asked was {' or '.join(self.instruments)}"
                )
            if self.start_ms is None or self.end_ms is None:
                continue
            if not self.start_ms <= trade.timestamp <= self.end_ms:
                raise DataError(
                    f"the answer holds a trade of {trade.timestamp} ms, outside {self.start_ms} to "
                    f"{self.end_ms}"
                )
        if page.has_more and not page.trades:
            raise DataError("the answer promises more trades and holds none")


Ask = Callable[[Request], Awaitable[TradesPage]]
"""Returns the checked answer to a request."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What is downloaded: all options of a coin, or its perpetual."""

    name: StreamName
    currency: str

    @property
    def instruments(self) -> tuple[str, ...]:
        """The instrument, or what the names of all options begin with (linear ones: BTC_USDC-)."""
        if self.name == "perpetual":
            return (f"{self.currency}-PERPETUAL",)
        return (f"{self.currency}-", f"{self.currency}_")

    def between(
        self,
        start_ms: int,
        end_ms: int,
        *,
        count: int = PAGE_TRADES,
        sorting: Literal["asc", "desc"] = "asc",
    ) -> Request:
        """Return the request for trades from `start_ms` to `end_ms`, both included."""
        by = "currency" if self.name == "options" else "instrument"
        return Request(
            f"public/get_last_trades_by_{by}_and_time",
            (
                *self._named(),
                ("start_timestamp", str(start_ms)),
                ("end_timestamp", str(end_ms)),
                *_common(count, sorting),
            ),
            self.instruments,
            start_ms,
            end_ms,
        )

    def following(self, trade: Trade) -> Request:
        """Return the request for the trades from one on, by its id or number instead of time."""
        if self.name == "options":
            method, start = "public/get_last_trades_by_currency", ("start_id", trade.trade_id)
        else:
            method = "public/get_last_trades_by_instrument"
            start = ("start_seq", str(trade.trade_seq))
        return Request(
            method, (*self._named(), start, *_common(PAGE_TRADES, "asc")), self.instruments
        )

    def _named(self) -> tuple[tuple[str, str], ...]:
        if self.name == "perpetual":
            return (("instrument_name", self.instruments[0]),)
        return (("currency", self.currency), ("kind", "option"))


def numbered(instrument: str, first: int, last: int) -> Request:
    """Return the request for the trades of an instrument by their numbers.

    One more is asked for on either side: the venue has been seen to shift such a range by one.
    """
    return Request(
        "public/get_last_trades_by_instrument",
        (
            ("instrument_name", instrument),
            ("start_seq", str(max(1, first - 1))),
            ("end_seq", str(last + 1)),
            *_common(min(PAGE_TRADES, last - first + 3), "asc"),
        ),
        (instrument,),
    )


def _common(count: int, sorting: str) -> tuple[tuple[str, str], ...]:
    return (("count", str(count)), ("sorting", sorting), ("include_old", "true"))


@dataclass(frozen=True, slots=True)
class DayOfTrades:
    """Every trade of a stream in one UTC day.

    Attributes
    ----------
    trades : tuple of Trade
        By time, equal times by id.
    missing : dict of str to list of (int, int)
        Numbers that the venue gave to trades, as the neighbours show, and does not give out: by
        instrument, from and to, both included.
    """

    trades: tuple[Trade, ...]
    missing: dict[str, list[tuple[int, int]]]

    @property
    def missing_count(self) -> int:
        """How many trades are missing."""
        return sum(last - first + 1 for gaps in self.missing.values() for first, last in gaps)


async def download_day(stream: Stream, start_ms: int, ask: Ask) -> DayOfTrades:
    """Download the trades of the UTC day that begins at `start_ms`.

    Raises
    ------
    DataError
        The history does not reach over the whole day, or contradicts itself.
    """
    end_ms = start_ms + DAY_MS
    before = await ask(
        stream.between(start_ms - NEIGHBOUR_MS, start_ms - 1, count=NEIGHBOURS, sorting="desc")
    )
    after = await ask(stream.between(end_ms, end_ms + NEIGHBOUR_MS, count=NEIGHBOURS))
    for page, side in ((before, "before"), (after, "after")):
        if not page.trades:
            raise DataError(
                f"there is no trade of {stream.name} {side} the day, so that nothing shows that "
                "the history holds all of it",
                hint="history.deribit.com keeps everything from the coin's first days to some"
                " seconds ago, www.deribit.com one day only",
            )
    known: dict[str, Trade] = {}
    await _collect(stream, start_ms, end_ms - 1, ask, known)
    missing = _gaps(before.trades, known.values(), after.trades)
    pages = list(islice(_pages_of(missing), MOST_PAGES_BY_NUMBER + 1))
    if 0 < len(pages) <= MOST_PAGES_BY_NUMBER:
        for page in pages:
            _add((await ask(numbered(*page))).trades, known)
        missing = _gaps(before.trades, known.values(), after.trades)
    inside = [trade for trade in known.values() if start_ms <= trade.timestamp < end_ms]
    inside.sort(key=lambda trade: (trade.timestamp, trade.number))
    return DayOfTrades(tuple(inside), missing)


async def _collect(
    stream: Stream, start_ms: int, end_ms: int, ask: Ask, known: dict[str, Trade]
) -> None:
    """Add the trades of a range: by time, by id where a page does not reach beyond one stamp."""
    at_ms, request = start_ms, stream.between(start_ms, end_ms)
    while True:
        page = await ask(request)
        _add(page.trades, known)
        if len(page.trades) < PAGE_TRADES and not page.has_more:
            return
        newest = max(trade.timestamp for trade in page.trades)
        if newest > end_ms:
            return
        if newest > at_ms:
            at_ms = _next_start(page.trades, at_ms, newest)
            request = stream.between(at_ms, end_ms)
            continue
        following = stream.following(max(page.trades, key=lambda trade: trade.number))
        if following == request:
            raise DataError(
                f"the history repeats its page from {request.parameters[-4][1]} on, so that what "
                "follows cannot be reached"
            )
        request = following


def _next_start(trades: tuple[Trade, ...], at_ms: int, newest: int) -> int:
    """Return where the next page begins: with an overlap where that is not most of the page."""
    overlapping = newest - OVERLAP_MS
    again = sum(trade.timestamp >= overlapping for trade in trades)
    return overlapping if overlapping > at_ms and 2 * again <= len(trades) else newest


def _pages_of(missing: dict[str, list[tuple[int, int]]]) -> Iterator[tuple[str, int, int]]:
    for instrument, gaps in missing.items():
        for first, last in gaps:
            for begin in range(first, last + 1, NUMBERS_ASKED):
                yield instrument, begin, min(last, begin + NUMBERS_ASKED - 1)


def _add(trades: Iterable[Trade], known: dict[str, Trade]) -> None:
    for trade in trades:
        before = known.setdefault(trade.trade_id, trade)
        if _identity(before) != _identity(trade):
            raise DataError(
                f"trade {trade.trade_id} came twice and differently: {_identity(before)} and "
                f"{_identity(trade)}"
            )


def _identity(trade: Trade) -> tuple[str, int, int, float, float, str]:
    return (
        trade.instrument_name,
        trade.trade_seq,
        trade.timestamp,
        trade.price,
        trade.amount,
        trade.direction,
    )


def _gaps(
    before: Iterable[Trade], day: Iterable[Trade], after: Iterable[Trade]
) -> dict[str, list[tuple[int, int]]]:
    """Return the numbers that lie between the first and last known ones and are not known.

    The last number before the day and the first after it count as the day's ends; a trade that was
    asked for by number and proved to be of another day is known.
    """
    numbers: dict[str, set[int]] = defaultdict(set)
    for trade in day:
        numbers[trade.instrument_name].add(trade.trade_seq)
    for trades, outermost in ((before, max), (after, min)):
        sides: dict[str, list[int]] = defaultdict(list)
        for trade in trades:
            sides[trade.instrument_name].append(trade.trade_seq)
        for instrument, side in sides.items():
            numbers[instrument].add(outermost(side))
    found = {
        instrument: [(low + 1, high - 1) for low, high in pairwise(sorted(there)) if high > low + 1]
        for instrument, there in sorted(numbers.items())
    }
    return {instrument: gaps for instrument, gaps in found.items() if gaps}
