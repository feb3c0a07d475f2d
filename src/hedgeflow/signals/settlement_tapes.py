"""Events of an expiration-pressure scan from tapes of bars, open interest, snapshots, prints."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.signals.settlement_events import EventKind, events, merged

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hedgeflow.signals.chain import Chain

SESSION_GAP: Final = timedelta(hours=1)
"""Snapshots of two UTC days with a longer gap between them are of two sessions."""


def price_events(frame: pl.DataFrame, column: str = "close") -> NDArray[Any]:
    """Return the underlying's price from bars, or from another tape that has one in `column`.

    A bar's close is of its end, when it is known (precise.md 2); of several rows known at one
    instant the last counts.
    """
    return events(_instants(frame["known_at"]), EventKind.PRICE, frame[column].to_numpy())


def open_interest_events(frame: pl.DataFrame, chain: Chain) -> NDArray[Any]:
    """Return official figures from an open-interest tape.

    Rows of the hedge instrument itself, and of contracts outside the chain, are left out: such a
    tape names either.
    """
    own = frame.filter(pl.col("contract").is_in(chain.symbols))
    return events(
        _instants(own["known_at"]),
        EventKind.SETTLED,
        own["open_interest"].to_numpy(),
        chain.indices(own["contract"]),
    )


def signed_print_events(
    frame: pl.DataFrame, chain: Chain, sign: ArrayLike, lot: float
) -> NDArray[Any]:
    """Return volume, and customers' signed contracts, from prints.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of an option-trades tape.
    chain : Chain
    sign : array_like of shape (n,)
        Of each print: +1 customers bought, -1 sold, 0 not known; such a print is volume alone.
    lot : float
        Contracts per lot.

    Raises
    ------
    DataError
        A print is of a contract outside the chain, or signs are not one per print.
    """
    signs = np.asarray(sign)
    if signs.shape != (frame.height,):
        raise DataError(f"{signs.size} signs were given for {frame.height} prints")
    known_ns, contract = _instants(frame["known_at"]), chain.indices(frame["contract"])
    contracts = frame["lots"].to_numpy() * lot
    signed = signs != 0
    return merged(
        events(known_ns, EventKind.VOLUME, contracts, contract),
        events(known_ns[signed], EventKind.SIGNED, (signs * contracts)[signed], contract[signed]),
    )


def snapshot_events(frame: pl.DataFrame, chain: Chain) -> NDArray[Any]:
    """Return prices, official figures and volume from snapshots of the chain.

    Prices are of the snapshots' own stamps: where a feed is late, a newer one stays in force.
    A contract's open interest is an official figure when it is first shown, when it changes, and
    in the first snapshot of each session even if it is the same; shown again unchanged it says
    nothing new. Volume so far in the session becomes volume since the snapshot before. A session
    begins where a contract's volume falls, and where its snapshots are of two UTC days and more
    than an hour apart.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of an option-snapshots tape.
    chain : Chain

    Raises
    ------
    DataError
        A contract is not in the chain.
    """
    prices = frame.group_by("known_at").agg(pl.col("ts", "underlying_price").last())
    prices = prices.sort("known_at")
    rows = (
        frame.select("known_at", "contract", "open_interest", "volume")
        .sort("known_at", maintain_order=True)
        .with_columns(
            before=pl.col("known_at").shift().over("contract"),
            shown=pl.col("open_interest").forward_fill().shift().over("contract"),
            traded=pl.col("volume").forward_fill().shift().over("contract"),
        )
        .with_columns(
            opens=pl.col("before").is_null()
            | (pl.col("volume") < pl.col("traded"))
            | (
                (pl.col("known_at").dt.date() != pl.col("before").dt.date())
                & (pl.col("known_at") - pl.col("before") > SESSION_GAP)
            )
        )
        .with_columns(opens=pl.col("opens").fill_null(value=False))
    )
    official = rows.filter(
        pl.col("open_interest").is_not_null()
        & (pl.col("opens") | pl.col("open_interest").ne_missing(pl.col("shown")))
    )
    earlier = pl.when("opens").then(0.0).otherwise(pl.col("traded").fill_null(0.0))
    volume = rows.with_columns(more=pl.col("volume") - earlier).filter(pl.col("more") > 0.0)
    return merged(
        events(
            _instants(prices["known_at"]),
            EventKind.PRICE,
            prices["underlying_price"].to_numpy(),
            observed_ns=_instants(prices["ts"]),
        ),
        events(
            _instants(official["known_at"]),
            EventKind.SETTLED,
            official["open_interest"].to_numpy(),
            chain.indices(official["contract"]),
        ),
        events(
            _instants(volume["known_at"]),
            EventKind.VOLUME,
            volume["more"].to_numpy(),
            chain.indices(volume["contract"]),
        ),
    )


def _instants(column: pl.Series) -> NDArray[np.int64]:
    return column.dt.timestamp("ns").to_numpy()
