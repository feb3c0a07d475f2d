"""Division that gives the nearest number, as a slow reader of the same file would find it.

Polars divides by a constant, and by a column that is one, by multiplying with the reciprocal:
29,000 / 10,000 becomes 2.9000000000000004. So does a column of one value, which is a constant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence


def quotient(dividend: pl.Expr, divisor: pl.Expr | float) -> pl.Expr:
    """Return an expression of floats, divided one by one; null where either is null."""
    by = divisor if isinstance(divisor, pl.Expr) else pl.lit(divisor)
    return pl.map_batches([dividend, by], _of_pair, return_dtype=pl.Float64)


def divided(dividend: pl.Series, divisor: pl.Series | float) -> pl.Series:
    """Return a series of floats under the dividend's name; null where either is null."""
    by = divisor if isinstance(divisor, pl.Series) else pl.Series([divisor])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = dividend.cast(pl.Float64).to_numpy() / by.cast(pl.Float64).to_numpy()
    is_null = dividend.is_null().to_numpy() | by.is_null().to_numpy()
    return pl.Series(dividend.name, found).set(pl.Series(is_null), None)


def _of_pair(pair: Sequence[pl.Series]) -> pl.Series:
    dividend, divisor = pair
    return divided(dividend, divisor)
