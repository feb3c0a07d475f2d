"""What evidence reads of expiries: closes beside strikes, prices before them, probabilities."""

from __future__ import annotations

import polars as pl

from hedgeflow.market.errors import EvidenceError

FRESH_MINUTES = 5.0
"""A close that is older at the instant is not that day's: prices pin in the last minutes or not."""

EXPIRY_COLUMNS = {
    "underlying": pl.String,
    "date": pl.String,
    "is_expiry": pl.Boolean,
    "cycle": pl.String,
    "instant_ns": pl.Int64,
    "close": pl.Float64,
    "stale_minutes": pl.Float64,
    "strike_below": pl.Float64,
    "strike_above": pl.Float64,
    "heaviest_strike": pl.Float64,
    "heaviest_open_interest": pl.Float64,
    "dealer_gamma": pl.Float64,
    "gamma_basis": pl.String,
}
"""One row an underlying and day, days without an expiry among them. A date counts once: where
options expire at its open and others at its close, as SPX's on third Fridays, the close is meant.

==========================  =======================================================================
``underlying``              As everywhere.
``date``                    ISO date of the expiry; of a control day its own.
``is_expiry``               Whether options on the underlying expire that day; the others are the
                            control days.
``cycle``                   ``daily``, ``weekly``, ``monthly`` or ``quarterly``; of a control day
                            null, or ``daily`` where options expire every day.
``instant_ns``              The expiration instant; of a control day the same time of its day.
``close``                   The settlement price, else the last known price at the instant; null
                            where there is none.
``stale_minutes``           From the last known price to the instant; 0 for a settlement or for the
                            bar that ends with it, null without a close.
``strike_below``,           The strikes listed by then that enclose the close, below ≤ close <
``strike_above``            above: of the contracts that expire, on a control day of the next
                            expiry; null where the close lies outside of them.
``heaviest_strike``         Strike with the most open interest among the ten next below and the ten
                            next above the price of the day's earliest mark, chosen of what was
                            known at that mark; of the same contracts; null where no open interest
                            was known.
``heaviest_open_interest``  Its open interest, calls and puts, contracts.
``dealer_gamma``            Dealers' net gamma at that strike as known at the earliest mark: what
                            they must sell, in underlying units, per price unit of a rise; negative:
                            buy. Null where unknown.
``gamma_basis``             ``signed``, the name of the convention, or null without `dealer_gamma`.
==========================  =======================================================================
"""

EXPIRY_REQUIRED = frozenset({"underlying", "date", "is_expiry", "instant_ns"})
"""Columns of `EXPIRY_COLUMNS` in which nothing may be null."""

EXPIRY_PRICE_COLUMNS = {
    "underlying": pl.String,
    "date": pl.String,
    "mark_minutes": pl.Int64,
    "minutes_before": pl.Float64,
    "price": pl.Float64,
    "expected_move": pl.Float64,
}
"""One row an underlying, day (of `EXPIRY_COLUMNS`) and fixed mark before its instant.

==================  ===============================================================================
``underlying``      As everywhere.
``date``            As in `EXPIRY_COLUMNS`.
``mark_minutes``    The mark: 180, 60, 30 or 15; of snapshots that end earlier any other that all
                    days share.
``minutes_before``  From the time of the price to the instant: the mark, or the last snapshot
                    before it. A mark without a price has no row.
``price``           The underlying's price then.
``expected_move``   Price × annual volatility × √(minutes before / minutes per year), as known then,
                    where a day has one session's minutes at most: one sigma in price units. Null
                    where no volatility was known.
==================  ===============================================================================
"""

STRIKE_PROBABILITY_COLUMNS = {
    "underlying": pl.String,
    "date": pl.String,
    "mark_minutes": pl.Int64,
    "strike": pl.Float64,
    "distance_sigmas": pl.Float64,
    "source": pl.Float64,
    "lognormal": pl.Float64,
    "empirical": pl.Float64,
    "inside": pl.Boolean,
}
"""One row an expiry, minute mark and strike: what three models said, and what happened.

===================  ==============================================================================
``underlying``       As everywhere.
``date``             ISO date of the expiry.
``mark_minutes``     Minutes left when the probability was stated.
``strike``           Price units.
``distance_sigmas``  abs(price − strike) over the expected move of the time left; null where no
                     volatility was known.
``source``,          Probability that the price finishes nearer to this strike than half-way to its
``lognormal``,       listed neighbours, by each model; null where a model could not say.
``empirical``
``inside``           Whether it did.
===================  ==============================================================================
"""

PROBABILITY_REQUIRED = frozenset({"underlying", "date", "mark_minutes", "strike", "inside"})
"""Columns of `STRIKE_PROBABILITY_COLUMNS` in which nothing may be null."""


CYCLES = ("daily", "weekly", "monthly", "quarterly")
"""Kinds of expiry, the least first."""


def fresh_closes(expiries: pl.DataFrame) -> pl.DataFrame:
    """Return the days whose close was known at most five minutes before the instant."""
    return expiries.filter(pl.col("close").is_not_null(), pl.col("stale_minutes") <= FRESH_MINUTES)


def check_expiries(expiries: pl.DataFrame) -> None:
    """Refuse days that cannot be: twice the same, or a close outside of its two strikes.

    Parameters
    ----------
    expiries : polars.DataFrame
        With the columns of `EXPIRY_COLUMNS`.

    Raises
    ------
    EvidenceError
        Naming the first such day.
    """
    impossible = {
        "is listed twice": pl.struct("underlying", "date").is_duplicated(),
        "has a close outside of its two strikes": (pl.col("close") < pl.col("strike_below"))
        | (pl.col("close") >= pl.col("strike_above")),
        "has a close without its age": pl.col("close").is_not_null()
        & pl.col("stale_minutes").is_null(),
        f"has a cycle that is none of {', '.join(CYCLES)}": ~pl.col("cycle").is_in(CYCLES),
        "has dealer gamma of an unnamed basis": pl.col("dealer_gamma").is_not_null()
        & pl.col("gamma_basis").is_null(),
    }
    for words, which in impossible.items():
        found = expiries.filter(which)
        if found.height:
            first = found.row(0, named=True)
            raise EvidenceError(
                f"{first['underlying']} on {first['date']} {words}",
                where="expiries",
                hint="The columns are described at hedgeflow.evidence.expiry_tables; a date has one"
                " row, that of its last expiry.",
            )
