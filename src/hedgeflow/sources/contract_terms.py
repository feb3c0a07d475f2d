"""Terms of option contracts as the table that a catalog keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.market.tapes import CONTRACT_COLUMNS, TIME, schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hedgeflow.market.contracts import OptionContract


def contracts_table(contracts: Iterable[OptionContract]) -> pl.DataFrame:
    """Return contracts as a table with `CONTRACT_COLUMNS`, one row each."""
    rows = [
        {
            "contract": each.symbol,
            "venue": each.venue,
            "underlying": each.underlying,
            "right": each.right.value,
            "strike": each.strike,
            "expiry": each.expiry_ns,
            "multiplier": each.multiplier,
            "lot": each.lot,
            "style": each.style.value,
            "settlement": each.settlement.value,
            "inverse": each.inverse,
            "listed": each.listed_ns,
        }
        for each in contracts
    ]
    columns = schema(CONTRACT_COLUMNS)
    whole = columns | {"expiry": pl.Int64, "listed": pl.Int64}
    return pl.DataFrame(rows, schema=whole).cast({"expiry": TIME, "listed": TIME})
