"""What was known at a print: the underlying's price, and the best quote of the option."""

from __future__ import annotations

import polars as pl


def with_underlying_price(prints: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Return prints with `underlying_price`, the last price known when the print was known.

    A minute bar's print takes the underlying's close of the same minute: both are known at the
    minute's end. Null before the first price.

    Look-ahead: prices with ``known_at`` up to the print's own, never later ones.

    Parameters
    ----------
    prints : polars.DataFrame
        With `known_at`, in any order, which is kept.
    prices : polars.DataFrame
        `known_at` and `price`, such as bars' closes.
    """
    known = prices.select("known_at", pl.col("price").alias("underlying_price"))
    return _joined(prints, known.drop_nulls(), on="known_at", by=None)


def with_quotes(prints: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    """Return prints with `bid` and `ask`, the contract's quote known before the print began.

    A quote that became known at the print's own stamp counts: the bar before ended there. A later
    one may answer the print and does not (the quote rule wants the prevailing quote).

    Look-ahead: quotes with ``known_at`` up to the print's ``ts``.

    Parameters
    ----------
    prints : polars.DataFrame
        With `ts` and `contract`, in any order, which is kept.
    quotes : polars.DataFrame
        `known_at`, `contract`, `bid`, `ask`.
    """
    known = quotes.select(pl.col("known_at").alias("ts"), "contract", "bid", "ask")
    return _joined(prints, known, on="ts", by="contract")


def _joined(prints: pl.DataFrame, known: pl.DataFrame, *, on: str, by: str | None) -> pl.DataFrame:
    ordered = prints.with_row_index("_order").sort(on, maintain_order=True)
    found = ordered.join_asof(
        known.sort(on, maintain_order=True),
        on=on,
        by=by,
        strategy="backward",
        check_sortedness=False,
    )
    return found.sort("_order").drop("_order")
