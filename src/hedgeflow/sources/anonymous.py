"""Trades without an id: kept, never told from repeats, and counted."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from hedgeflow.market.validation import ROW


class Anonymous(NamedTuple):
    """How many rows have no trade id, and how many of them equal an earlier one."""

    rows: int
    identical: int


def count_anonymous(rows: pl.DataFrame) -> Anonymous:
    """Return the count of a tape's rows without an id; of a tape without ids, none."""
    if "trade_id" not in rows.columns:
        return Anonymous(0, 0)
    found = rows.filter(pl.col("trade_id").is_null()).drop(ROW)
    return Anonymous(found.height, found.height - found.unique().height)
