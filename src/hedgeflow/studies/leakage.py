"""Poisons the future and looks whether the past noticed: the leakage test (evidence.md 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import polars as pl

from hedgeflow.evidence import Compared, Leakage, LeakageCut
from hedgeflow.market.time import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Seen = TypeVar("Seen")


class Output(NamedTuple):
    """A table that a run puts out, and when each of its rows was known.

    Attributes
    ----------
    rows : polars.DataFrame
        In the order in which they became known.
    known_ns : str
        Column of UTC nanoseconds.
    lag_ns : int
        Rows rest on what was stamped by `known_ns` and known so much later.
    """

    rows: pl.DataFrame
    known_ns: str
    lag_ns: int = 0


def leakage(
    run: Callable[[Seen], Mapping[str, Output]],
    market: Seen,
    cuts: Sequence[int],
    poison: Callable[[Seen, int], Seen],
) -> Leakage:
    """Return whether anything that was known by a cut depends on what came after it.

    The run is made once on the market as it is, and once for each cut on a market whose future
    from then on is another. Whatever it had put out by the cut must be the same, row for row.

    Parameters
    ----------
    run : callable
        From a market to the tables it puts out, by name; of any strategy.
    market
        As `run` takes it.
    cuts : sequence of int
        UTC nanoseconds. An instant at which something was decided shows the smallest leak.
    poison : callable
        From a market and a cut to a market with the same past and another future.
    """
    honest = run(market)
    found: list[LeakageCut] = []
    for cut in cuts:
        other = run(poison(market, cut))
        compared: list[Compared] = []
        differences: list[str] = []
        for name, output in honest.items():
            mine, theirs = (_known_by(each, cut) for each in (output, other[name]))
            compared.append(Compared(name, mine.height))
            difference = _first_difference(name, output.known_ns, mine, theirs)
            if difference:
                differences.append(difference)
        found.append(LeakageCut(iso(cut), tuple(compared), " ".join(differences)))
    return Leakage(
        passed=bool(found) and not any(each.difference for each in found),
        words=_words(found),
        cuts=tuple(found),
    )


def _known_by(output: Output, cut_ns: int) -> pl.DataFrame:
    return output.rows.filter(pl.col(output.known_ns) <= cut_ns - output.lag_ns)


def _first_difference(name: str, known_ns: str, mine: pl.DataFrame, theirs: pl.DataFrame) -> str:
    """Return the first row that differs, in words; empty where all are the same."""
    if mine.equals(theirs):
        return ""
    for place, (own, other) in enumerate(
        zip(mine.iter_rows(named=True), theirs.iter_rows(named=True), strict=False)
    ):
        changed = [column for column in mine.columns if not _same(own[column], other[column])]
        if changed:
            column = changed[0]
            more = f" and {len(changed) - 1} more columns" if len(changed) > 1 else ""
            return (
                f"{name}: row {place + 1}, known at {iso(own[known_ns])}, has {column}"
                f" {own[column]!r}, with another future {other[column]!r}{more}."
            )
    return f"{name}: {mine.height:,} rows, with another future {theirs.height:,}."


def _same(own: object, other: object) -> bool:
    both_nan = own != own and other != other  # noqa: PLR0124 - only NaN differs from itself
    return both_nan or own == other


def _words(cuts: Sequence[LeakageCut]) -> str:
    if not cuts:
        return "No instant was given, so nothing was tested."
    rows = sum(each.rows for cut in cuts for each in cut.compared)
    said = f"The future of {len(cuts)} instants was changed. {rows:,} rows that were known by then"
    leaks = sum(bool(cut.difference) for cut in cuts)
    if not leaks:
        return f"{said} are the same as without."
    return f"{said} were compared, and at {leaks} of the instants they are not the same."
