"""What a download through ccxt did to one tape, in numbers and sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.manifests import Manifest
from hedgeflow.market.time import DAY_NS, instant_ns

if TYPE_CHECKING:
    from hedgeflow.market.tapes import TapeKey


@dataclass(frozen=True, slots=True)
class FetchedTape:
    """What a download did to one tape.

    Attributes
    ----------
    key : TapeKey
    symbol : str
        The exchange's market as ccxt names it.
    first, last : date
        UTC days asked for, both included.
    skipped : int
        Days of them that the catalog covered already.
    empty : tuple of date
        Days of which the exchange gave nothing.
    read, kept, repeats : int
        Rows given; stored; in the tape already.
    rejected : dict of str to int
        Rows by reason.
    coverage : Coverage
        What of the days asked for the catalog covers now.
    needs_acceptance : bool
        More than 0.01 % of a day was rejected: the tape is used only once that is accepted.
    notes : tuple of str
        What was assumed, one sentence each.
    """

    key: TapeKey
    symbol: str
    first: date
    last: date
    skipped: int
    empty: tuple[date, ...]
    read: int
    kept: int
    repeats: int
    rejected: dict[str, int]
    coverage: Coverage
    needs_acceptance: bool
    notes: tuple[str, ...] = ()

    @property
    def rows_rejected(self) -> int:
        """Rejected rows over all reasons."""
        return sum(self.rejected.values())

    @property
    def days(self) -> int:
        """Days asked for."""
        return (self.last - self.first).days + 1

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """What of the days asked for the catalog does not cover, UTC nanoseconds."""
        edges = [day_bounds(self.first)[0]]
        for start, end in self.coverage.intervals:
            edges += [start, end]
        edges.append(day_bounds(self.last)[1])
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return [(start, end) for start, end in pairs if start < end]


@dataclass(slots=True)
class Tally:
    """What the days of one tape came to, while they are stored."""

    empty: list[date] = field(default_factory=list[date])
    made: list[Manifest] = field(default_factory=list[Manifest])
    left_out: int = 0

    @property
    def rejected(self) -> dict[str, int]:
        """Rejected rows by reason."""
        found: dict[str, int] = {}
        for each in self.made:
            for reason, number in each.rejected.items():
                found[reason] = found.get(reason, 0) + number
        return found


def day_bounds(day: date) -> tuple[int, int]:
    """Return the first instant of a UTC day and of the next, nanoseconds."""
    start = instant_ns(datetime(day.year, day.month, day.day, tzinfo=UTC))
    return start, start + DAY_NS


def within(covered: Coverage, first: date, last: date) -> Coverage:
    """Return what of a coverage lies in some days, both included."""
    begin, finish = day_bounds(first)[0], day_bounds(last)[1]
    cut = [(max(start, begin), min(end, finish)) for start, end in covered.intervals]
    return Coverage.of([(start, end) for start, end in cut if start < end])
