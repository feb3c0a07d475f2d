"""Since when strikes are listed, where snapshots of whole chains show it."""

from __future__ import annotations

from typing import Final

import polars as pl

WHOLE_SHARE: Final = 0.75
"""Snapshots show whole chains if contracts, once seen, are in so many of the later ones: in all of
Deribit's and of NSE's chains, in 94 % of SPX's profiles, which end some way from the price, and in
8 % of those of the strike at the money."""


def with_listings(contracts: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return contracts with the first snapshot that shows them as the time of listing.

    Only where snapshots show whole chains: else a contract may have been listed long before it is
    first seen, and the contracts come back as they are. A listing that is known is kept.

    Look-ahead: a contract counts as listed once a snapshot that shows it is known, never before;
    those of the first snapshot from that one on. Whether snapshots show whole chains, a fact of the
    feed, is judged by all of them.

    Parameters
    ----------
    contracts : polars.DataFrame
        As a catalog keeps them.
    rows : polars.DataFrame
        `contract` and `known_at` of all snapshots of them.
    """
    seen = (
        rows.join(contracts.select("contract", "expiry"), on="contract")
        .with_columns(place=pl.col("known_at").rank("dense").over("expiry").cast(pl.Int64))
        .group_by("contract", "expiry")
        .agg(
            first=pl.col("known_at").min(),
            times=pl.col("place").n_unique(),
            since=pl.col("place").min(),
            last=pl.col("place").max(),
        )
        .with_columns(due=pl.col("last").max().over("expiry") - pl.col("since") + 1)
    )
    if int(seen["times"].sum()) < WHOLE_SHARE * int(seen["due"].sum()):
        return contracts
    return (
        contracts.join(
            seen.select("contract", "first"), on="contract", how="left", maintain_order="left"
        )
        .with_columns(listed=pl.coalesce("listed", "first"))
        .drop("first")
    )


def listing_note(contracts: pl.DataFrame) -> str | None:
    """Return what to say where it is not known when some of the contracts were listed.

    Parameters
    ----------
    contracts : polars.DataFrame
        As `with_listings` returned them.
    """
    unknown = contracts["listed"].null_count()
    if not unknown:
        return None
    return (
        f"When {unknown:,} of {contracts.height:,} option contracts were listed is not known: they"
        " count as listed from the start, so a close may stand beside strikes that were listed"
        " after it."
    )
