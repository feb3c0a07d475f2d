"""Prices of an underlying, from the bars that a catalog holds of what hedges it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import CatalogError, DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.sources.prevailing import with_underlying_price

if TYPE_CHECKING:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.tapes import TapeKey

LEAST_MAX_AGE_NS: Final = 5 * MINUTE_NS
"""A bar's close serves for two bar lengths, and for this long at least."""


def with_price_of_bars(
    prints: pl.DataFrame,
    catalog: Catalog,
    underlying: str,
    venue: str,
    *,
    where: str,
    instead: str = "Name a column with underlying_price=COLUMN",
) -> tuple[pl.DataFrame, str]:
    """Return prints with `underlying_price` from a catalog's bars, and a sentence on which bars.

    Bars of the prints' own venue come first, then the shortest. Null where the last close is older
    than two bars and five minutes, and before the first.

    Look-ahead: closes with ``known_at`` up to the print's own.

    Parameters
    ----------
    prints : polars.DataFrame
        With `ts` and `known_at`.
    catalog : Catalog
    underlying, venue : str
    where : str
        File name, for messages.
    instead : str
        What else could be done where there are no bars.

    Raises
    ------
    DataError
        The catalog holds no bars of the underlying, or several that serve as well.
    """
    key = _bars_key(catalog, underlying, venue, where, instead)
    max_age_ns = max(2 * key.resolution_ns, LEAST_MAX_AGE_NS)
    stamps = prints["known_at"].drop_nulls().to_physical()
    low, high = stamps.min(), stamps.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return prints.with_columns(pl.lit(None, dtype=pl.Float64).alias("underlying_price")), ""
    bars = catalog.read(key, low - max_age_ns - key.resolution_ns, high + 1)
    closes = bars.select("known_at", price="close")
    found = with_underlying_price(prints, until_stale(closes, max_age_ns))
    note = f"Underlying prices are closes of the {key.resolution_ns / SECOND_NS:g} s bars of"
    return (
        found.with_columns(pl.col("underlying_price").fill_nan(None)),
        f"{note} {key.instrument} on {key.venue}.",
    )


def until_stale(prices: pl.DataFrame, max_age_ns: int) -> pl.DataFrame:
    """Return prices with NaN at the instants at which the last one has become too old.

    Parameters
    ----------
    prices : polars.DataFrame
        `known_at` and `price`, sorted.
    max_age_ns : int
    """
    stale_at = pl.col("known_at") + pl.duration(nanoseconds=max_age_ns)
    following = pl.col("known_at").shift(-1)
    stale = prices.filter(following.is_null() | (following > stale_at)).select(
        stale_at, price=pl.lit(float("nan"))
    )
    return pl.concat([prices, stale]).sort("known_at", maintain_order=True)


def _bars_key(catalog: Catalog, underlying: str, venue: str, where: str, instead: str) -> TapeKey:
    try:
        found = catalog.find(TapeKind.BARS, underlying)
    except CatalogError as cause:
        raise DataError(
            f"the price of {underlying} is not known: {cause.what}",
            where=where,
            hint=f"{instead}, or import bars of what hedges it first",
        ) from cause
    own = [key for key in found if key.venue == venue] or found
    shortest = min(key.resolution_ns for key in own)
    same = [key for key in own if key.resolution_ns == shortest]
    if len(same) > 1:
        names = ", ".join(f"{key.instrument} on {key.venue}" for key in same)
        raise DataError(
            f"the price of {underlying} could come from the bars of {names}",
            where=where,
            hint="Import into a catalog that holds the bars of one of them",
        )
    return same[0]
