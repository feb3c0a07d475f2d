"""A day of an exchange's rows as a tape: what each kind's columns are, and what the day covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import COLUMNS, TIME, TapeKey, TapeKind
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, iso
from hedgeflow.market.validation import ROW
from hedgeflow.sources.ccxt_history.pages import MILLISECOND_NS, Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

FUNDING_CONTEXT_NS: Final = 2 * DAY_NS
"""How far before a day its settlements' distances are looked at."""

JITTER_NS: Final = MINUTE_NS
"""How far a settlement may be from whole hours after the one before; stamps jitter by milliseconds.
"""

HOLE_RATIO: Final = 1.5
"""A distance more than this many times the usual one leaves out settlements."""

VALUES: Final = {
    TapeKind.BARS: ("open", "high", "low", "close", "volume"),
    TapeKind.FUNDING: ("rate",),
    TapeKind.OPEN_INTEREST: ("open_interest",),
    TapeKind.LONG_SHORT_RATIO: ("ratio",),
}
"""Columns that a row's values go to."""


def day_tape(key: TapeKey, rows: Sequence[Row], day_ns: int) -> tuple[pl.DataFrame, Coverage]:
    """Return one UTC day as a table with the tape's columns and `row`, and what it covers.

    Parameters
    ----------
    key : TapeKey
    rows : sequence of Row
        By stamp: those of the day, for funding with those of `FUNDING_CONTEXT_NS` before it.
    day_ns : int
        The day's first instant.

    Returns
    -------
    polars.DataFrame
        Bars in which nothing was traded, which some exchanges send without prices, repeat the
        close before them, with no volume; before the day's first price they are left out.
    Coverage
        Bars and figures: the lengths of those that are there. Funding: between settlements that
        follow each other at the usual distance.

    Raises
    ------
    DataError
        A bar does not begin at a whole multiple of its length.

    Notes
    -----
    Look-ahead: a bar is known at its end; open interest and ratios, whose stamp may be the start
    of the period that they are for, one period after it; a rate one millisecond after it was paid.
    The hours of a rate are told from settlements before it alone.
    """
    everything = np.array([row.stamp_ms * MILLISECOND_NS for row in rows], dtype=np.int64)
    inside = (everything >= day_ns) & (everything < day_ns + DAY_NS)
    stamps = everything[inside]
    if key.kind is TapeKind.BARS:
        _check_grid(stamps, key)
    values = [row.values for row, belongs in zip(rows, inside.tolist(), strict=True) if belongs]
    names = VALUES[key.kind]
    frame = pl.DataFrame(values, schema=dict.fromkeys(names, pl.Float64), orient="row")
    frame = frame.with_columns(
        pl.Series("ts", stamps).cast(TIME),
        pl.Series("known_at", stamps + key.resolution_ns).cast(TIME),
    )
    if key.kind is TapeKind.FUNDING:
        hours = settlement_hours(everything)[inside]
        frame = frame.with_columns(pl.Series("hours", hours, nan_to_null=True))
        covered = settlement_coverage(everything, day_ns)
    else:
        covered = Coverage.from_stamps(stamps, key.resolution_ns, split_ns=key.resolution_ns)
        if covered.start_ns.size and covered.end_ns[-1] > day_ns + DAY_NS:
            covered = Coverage.of([(a, min(b, day_ns + DAY_NS)) for a, b in covered.intervals])
    if key.kind is TapeKind.OPEN_INTEREST:
        frame = frame.with_columns(pl.lit(key.instrument).alias("contract"))
    if key.kind is TapeKind.BARS:
        frame = _with_quiet_bars(frame)
    ordered = frame.select(*(column.name for column in COLUMNS[key.kind]))
    numbered = ordered.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
    return numbered, covered


def settlement_hours(stamps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the hours that each settlement's rate is for; NaN where that is not known.

    It is the distance from the settlement before, where that is whole hours and the same as the
    distance before it: else the interval has just changed, or a settlement is missing.
    """
    distances = np.diff(stamps)
    hours = np.round(distances / HOUR_NS)
    whole = (np.abs(distances - hours * HOUR_NS) <= JITTER_NS) & (hours >= 1)
    found = np.full(stamps.size, np.nan)
    same = whole[1:] & whole[:-1] & (hours[1:] == hours[:-1])
    found[2:] = np.where(same, hours[1:], np.nan)
    return found


def settlement_coverage(stamps: NDArray[np.int64], day_ns: int) -> Coverage:
    """Return the parts of a day in which every settlement is there.

    Parameters
    ----------
    stamps : ndarray of int64
        Those of the day and of some time before it, ascending.
    day_ns : int
    """
    end_ns = day_ns + DAY_NS
    if not ((stamps >= day_ns) & (stamps < end_ns)).any():
        return Coverage.of([])
    hole = _is_hole(np.diff(np.append(stamps, end_ns)))
    ends = np.append(stamps[1:], end_ns)
    whole = [
        (max(int(start), day_ns), min(int(end), end_ns))
        for start, end, is_hole in zip(stamps, ends, hole, strict=True)
        if not is_hole and end > day_ns
    ]
    # A settlement beside a hole is known all the same.
    own = [(int(stamp), int(stamp) + MILLISECOND_NS) for stamp in stamps if stamp >= day_ns]
    return Coverage.of([*whole, *own])


def _is_hole(distances: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which distances leave out settlements.

    Those that are longer than the most frequent one, unless one beside is as long: then the
    interval has changed. The last distance is the way to the day's end and no settlement's.
    """
    lengths = np.round(distances / JITTER_NS)
    if lengths.size == 1:
        return np.ones(1, dtype=np.bool_)
    values, counts = np.unique(lengths[:-1], return_counts=True)
    longer = lengths > HOLE_RATIO * values[np.argmax(counts)]
    same = np.abs(np.diff(lengths)) <= 1
    return longer & ~(np.append(same, False) | np.append(False, same))


def _check_grid(stamps: NDArray[np.int64], key: TapeKey) -> None:
    off = stamps % key.resolution_ns != 0
    if off.any():
        raise DataError(
            f"a bar begins at {iso(int(stamps[off][0]))}, not at a whole multiple of "
            f"{key.resolution_ns / SECOND_NS:g} s",
            where=key.venue,
            hint="Use another timeframe",
        )


def _with_quiet_bars(frame: pl.DataFrame) -> pl.DataFrame:
    """Fill bars without prices and volume from the close before them, as exchanges do."""
    prices = ("open", "high", "low", "close")
    missing = pl.all_horizontal(pl.col(name).is_null() for name in prices)
    quiet = missing & (pl.col("volume").is_null() | (pl.col("volume") == 0.0))
    before = pl.col("close").forward_fill()
    filled = frame.with_columns(
        quiet.alias("_quiet"),
        *(pl.when(quiet).then(before).otherwise(pl.col(name)).alias(name) for name in prices),
        pl.when(quiet).then(0.0).otherwise(pl.col("volume")).alias("volume"),
    )
    return filled.filter(~(pl.col("_quiet") & pl.col("close").is_null())).drop("_quiet")
