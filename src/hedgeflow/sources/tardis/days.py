"""What the rows of a day's Tardis files have in common: when they were recorded, what was odd."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hedgeflow.market.coverage import SPLIT_AT_GAP_NS, Coverage
from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS
from hedgeflow.sources.tardis.streams import RESOLUTION_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class RecordedDay:
    """The rows of files that arrived on one UTC day, as they are read.

    Attributes
    ----------
    early, out_of_order : int
        Rows that arrived before they were sent, and those stamped before the row above.
    most_early_ns : int
    left_out : dict of str to (int, str)
        Rows that make no tape by what they are, with an example.
    """

    early: int = 0
    most_early_ns: int = 0
    out_of_order: int = 0
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict[str, "tuple[int, str]"])
    _first_arrival_ns: int = 2**62
    _last_arrival_ns: int = 0
    _stamps: list[NDArray[np.int64]] = field(default_factory=list["NDArray[np.int64]"])

    def add(self, batch: pl.DataFrame) -> None:
        """Add rows, in the order of the file."""
        stamps = batch["timestamp"].to_numpy() * 1_000
        arrivals = batch["local_timestamp"].to_numpy() * 1_000
        early = stamps - arrivals
        self.early += int((early > 0).sum())
        self.most_early_ns = max(self.most_early_ns, int(early.max()))
        self.out_of_order += int((np.diff(stamps) < 0).sum())
        self._first_arrival_ns = min(self._first_arrival_ns, int(arrivals.min()))
        self._last_arrival_ns = max(self._last_arrival_ns, int(arrivals.max()))
        self._stamps.append(_ends_of_minutes(np.sort(stamps)))

    def leave_out(self, what: str, symbol: str, rows: int) -> None:
        """Count rows that make no tape."""
        before, example = self.left_out.get(what, (0, symbol))
        self.left_out[what] = (before + rows, example)

    @property
    def bounds_ns(self) -> tuple[int, int]:
        """Start and end of the UTC days on which the rows arrived."""
        last = self._last_arrival_ns // DAY_NS * DAY_NS
        return self._first_arrival_ns // DAY_NS * DAY_NS, last + DAY_NS

    @property
    def coverage(self) -> Coverage:
        """When the files were recorded: split at gaps of over 20 minutes, also to the day's ends.

        A file of Tardis's is of a whole day, so that its silence up to midnight is silence.
        """
        start, end = self.bounds_ns
        stamps = np.unique(np.concatenate(self._stamps))
        inside = stamps[(stamps >= start) & (stamps < end)]
        found = Coverage.from_stamps(inside, RESOLUTION_NS).intervals
        if not found:
            return Coverage.of([])
        if found[0][0] - start <= SPLIT_AT_GAP_NS:
            found[0] = (start, found[0][1])
        if end - found[-1][1] <= SPLIT_AT_GAP_NS:
            found[-1] = (found[-1][0], end)
        return Coverage.of(found)

    def within(self, rows: pl.DataFrame, movable: pl.Expr) -> tuple[pl.DataFrame, list[str]]:
        """Return rows with `_ts` moved into the day, and a sentence if any was.

        Files are cut by arrival: a row stamped just before midnight lies in the file of the day
        after. Rows without an id there could not be told from those of the other file.
        """
        start, end = self.bounds_ns
        stamp = pl.col("_ts").dt.epoch("ns")
        inside = stamp.clip(start, end - RESOLUTION_NS)
        moved = rows.select(pl.when(movable).then(inside - stamp).otherwise(0).alias("by"))["by"]
        count = int((moved != 0).sum())
        if not count:
            return rows, []
        furthest = int(np.abs(moved.to_numpy()).max())
        note = (
            f"{count:,} rows without an id were stamped outside the day on which they arrived, by"
            f" up to {furthest / SECOND_NS:g} s: they stand at its edge."
        )
        return rows.with_columns(pl.col("_ts") + moved.cast(pl.Duration("ns"))), [note]

    def notes(self) -> list[str]:
        """Return what was noticed, one sentence each."""
        said = ["Stamps are the exchange's; a row is known when Tardis received it."]
        if self.early:
            said.append(
                f"{self.early:,} rows of the files arrived before they were sent, by up to"
                f" {self.most_early_ns / SECOND_NS:g} s (clocks differ): each is known 1 µs after"
                " its stamp."
            )
        if self.out_of_order:
            said.append(
                f"{self.out_of_order:,} rows of the files arrived after later ones; tapes are in"
                " the order of stamps."
            )
        said += [
            f"{count:,} rows of {what}, such as {example}, were left out."
            for what, (count, example) in sorted(self.left_out.items())
        ]
        return said


def _ends_of_minutes(stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first and last of each minute's stamps: gaps over a minute stay what they are."""
    changes = np.flatnonzero(np.diff(stamps // MINUTE_NS)) + 1
    starts = np.concatenate(([0], changes))
    ends = np.concatenate((changes, [stamps.size])) - 1
    return np.unique(stamps[np.concatenate((starts, ends))])
