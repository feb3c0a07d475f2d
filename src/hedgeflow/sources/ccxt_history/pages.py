"""Paging: everything that an exchange has in a range, however much of it one answer holds."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, NamedTuple

MILLISECOND_NS: Final = 1_000_000
"""Exchanges stamp in milliseconds."""


class Row(NamedTuple):
    """One bar, rate or figure, as an exchange stamps it.

    Attributes
    ----------
    stamp_ms : int
        UTC milliseconds since 1970.
    values : tuple of float or None
    """

    stamp_ms: int
    values: tuple[float | None, ...]


Ask = Callable[[int, int], list[Row]]
"""Called with a range in milliseconds; returns some rows of it, perhaps others too."""


def rows_between(ask: Ask, start_ms: int, end_ms: int, *, step_ms: int, page_ms: int) -> list[Row]:
    """Return the rows with ``start_ms <= stamp < end_ms``, by stamp.

    Exchanges answer with fewer rows than were asked for, with the first or the last of them, with
    rows outside the range and with the bar that is still open. So the range is asked for in pages,
    rows outside are dropped, and what an answer leaves open before its first row and behind its
    last is asked for again until the answer is empty: only that is a gap.

    Parameters
    ----------
    ask : callable
    start_ms, end_ms : int
    step_ms : int
        Least distance of two rows; a shorter remainder is not asked for.
    page_ms : int
        Longest range to ask for at once.
    """
    found: list[Row] = []
    open_ranges = [
        (start, min(start + page_ms, end_ms)) for start in range(start_ms, end_ms, page_ms)
    ]
    open_ranges.reverse()
    while open_ranges:
        start, end = open_ranges.pop()
        page = [row for row in ask(start, end) if start <= row.stamp_ms < end]
        if not page:
            continue
        found += page
        first = min(row.stamp_ms for row in page)
        rest = max(row.stamp_ms for row in page) + step_ms
        if rest < end:
            open_ranges.append((rest, end))
        if start + step_ms <= first:
            open_ranges.append((start, first))
    return sorted(found, key=lambda row: row.stamp_ms)


def rows_by_offset(ask: Callable[[int], list[Row]], start_ms: int, end_ms: int) -> list[Row]:
    """Return the rows with ``start_ms <= stamp < end_ms`` of a list that begins with the newest.

    Parameters
    ----------
    ask : callable
        Called with a number of rows to leave out; returns some that follow, none at the end.
    start_ms, end_ms : int
    """
    found: list[Row] = []
    offset = 0
    reached = inf
    while page := ask(offset):
        oldest = min(row.stamp_ms for row in page)
        if oldest >= reached:
            break  # the offset is not obeyed
        found += [row for row in page if start_ms <= row.stamp_ms < end_ms]
        if oldest <= start_ms:
            break
        reached = oldest
        offset += len(page)
    return sorted(found, key=lambda row: row.stamp_ms)
