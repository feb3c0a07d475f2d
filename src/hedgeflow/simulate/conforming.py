"""Tables put into exactly the columns, order and types of a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping


def conformed(
    frame: pl.DataFrame, columns: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    """Return a table's columns as a schema names, orders and types them; integers become times."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items())
