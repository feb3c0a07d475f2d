"""Bars of an index whose level is known at instants only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.manifests import Import
from hedgeflow.market.tapes import TapeKey, TapeKind, tape_schema
from hedgeflow.market.validation import ROW, validate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.sources.chains.snapshots import ChainFile


def level_bars(
    instants: NDArray[np.int64], levels: NDArray[np.float64], length_ns: int
) -> pl.DataFrame:
    """Return bars from levels: one for each interval that a level lies in, its end included.

    A bar opens at the last level of the bar before it, where there is one, else at its own first;
    its extremes are those of the levels that it knows, its volume is 0.

    Look-ahead: a level belongs to the bar that ends at or after it, and is known at that end.

    Parameters
    ----------
    instants : array
        UTC nanoseconds, ascending, each once.
    levels : array
        Positive.
    length_ns : int
        Bars start at whole multiples of it since 1970.
    """
    starts = (instants - 1) // length_ns * length_ns
    first = np.flatnonzero(np.diff(starts, prepend=np.int64(-1)))
    last = np.append(first[1:], starts.size)[: first.size] - 1
    bar = starts[first]
    follows = np.append(False, np.diff(bar) == length_ns)[: bar.size]
    opens = np.where(follows, levels[first - 1], levels[first])
    highs = np.maximum(opens, np.maximum.reduceat(levels, first))
    lows = np.minimum(opens, np.minimum.reduceat(levels, first))
    schema = tape_schema(TapeKind.BARS)
    return pl.DataFrame(
        {
            "ts": bar,
            "known_at": bar + length_ns,
            "open": opens,
            "high": highs,
            "low": lows,
            "close": levels[last],
            "volume": np.zeros(bar.size),
        },
        schema_overrides={"ts": pl.Int64, "known_at": pl.Int64},
    ).cast({"ts": schema["ts"], "known_at": schema["known_at"]})


def prepare_levels(
    levels: pl.DataFrame, file: ChainFile, *, venue: str, index: str, length_ns: int
) -> Import:
    """Return the bars of an index as an import.

    Parameters
    ----------
    levels : polars.DataFrame
        `ts` and `level`, by time, each time once; not empty.
    file : ChainFile
    venue, index : str
    length_ns : int
    """
    instants = levels["ts"].to_physical().to_numpy()
    bars = level_bars(instants, levels["level"].to_numpy(), length_ns)
    bars = bars.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
    checked = validate(bars, TapeKind.BARS, where=file.name)
    starts = bars["ts"].to_physical().to_numpy()
    return Import(
        key=TapeKey(TapeKind.BARS, venue, index, index, length_ns),
        rows=checked.rows,
        rejects=checked.rejects,
        read=bars.height,
        null_ids=0,
        identical_without_id=0,
        source=file.name,
        source_sha256=file.sha256,
        coverage=Coverage.from_stamps(starts, length_ns, split_ns=length_ns),
    )
