"""What values cover that are published, or were asked for, at intervals of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.market.coverage import SPLIT_AT_GAP_NS, Coverage

if TYPE_CHECKING:
    import polars as pl


def sampled_coverage(stamps: pl.Series, resolution_ns: int) -> Coverage:
    """Return when samples were taken: a gap is more than two of their usual distances.

    Parameters
    ----------
    stamps : polars.Series
        UTC nanoseconds, as integers, in any order.
    resolution_ns : int
        How long after the last stamp of an interval it ends.
    """
    instants = stamps.unique().sort()
    typical = instants.diff().median()
    gap_ns = 2 * round(typical) if isinstance(typical, (int, float)) else 0
    return Coverage.from_stamps(
        instants.to_numpy(), resolution_ns, split_ns=max(SPLIT_AT_GAP_NS, gap_ns)
    )
