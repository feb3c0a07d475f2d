"""What really happened in a simulated market: the tables of truth, which no signal may read."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.tapes import TIME
from hedgeflow.simulate.conforming import conformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hedging import Hedge
    from hedgeflow.simulate.listing import Book
    from hedgeflow.simulate.scenario import Scenario
    from hedgeflow.simulate.shocks import Shock

ORDINARY: Final = -1
"""Origin, in place of a shock's id, of prints and trades that belong to no shock."""

BOOK: Final = -2
"""Origin of dealers' trades for what they hold, as opposed to one shock."""


EXPIRY: Final = -3
"""Origin of their trades in an expiry's last hours, for what expires."""


class TruthTable(StrEnum):
    """The tables of truth; each is a folder of Parquet files in the catalog's ``truth/``."""

    SHOCKS = "shocks"
    PRINTS = "prints"
    HEDGE_TRADES = "hedge_trades"
    POSITIONS = "positions"
    EXPIRIES = "expiries"
    EXPIRY_STRIKES = "expiry_strikes"


Columns = dict[str, pl.DataType | type[pl.DataType]]

TRUTH_SCHEMA: Final[Columns] = {
    "shock_id": pl.Int64,
    "shock_class": pl.String,
    "ts": TIME,
    "last_print": TIME,
    "side": pl.Int8,
    "contract": pl.String,
    "strikes": pl.Int64,
    "option_units": pl.Float64,
    "delta": pl.Float64,
    "hedge_start": TIME,
    "half_time_minutes": pl.Float64,
    "response_minutes": pl.Float64,
    "completion_minutes": pl.Float64,
    "hedge_volume": pl.Float64,
    "impact_bps": pl.Float64,
}
"""One row per shock, see `SimulatedMarket`."""

TRUTH_SCHEMAS: Final[dict[TruthTable, Columns]] = {
    TruthTable.SHOCKS: TRUTH_SCHEMA,
    TruthTable.PRINTS: {
        "trade_id": pl.String,
        "ts": TIME,
        "side": pl.Int8,
        "shock_id": pl.Int64,
    },
    TruthTable.HEDGE_TRADES: {"trade_id": pl.String, "origin": pl.String, "shock_id": pl.Int64},
    TruthTable.POSITIONS: {
        "ts": TIME,
        "contract": pl.String,
        "customer_net": pl.Float64,
        "open_interest": pl.Float64,
        "opened": pl.Float64,
        "closed": pl.Float64,
        "settled": pl.Float64,
    },
    TruthTable.EXPIRIES: {
        "ts": TIME,
        "hedging_start": TIME,
        "index_at_start": pl.Float64,
        "index_at_end": pl.Float64,
        "index_unmoved": pl.Float64,
        "moved_bps": pl.Float64,
        "hedge_gross": pl.Float64,
        "hedge_net": pl.Float64,
        "reversed": pl.Boolean,
    },
    TruthTable.EXPIRY_STRIKES: {
        "ts": TIME,
        "strike": pl.Float64,
        "dealers": pl.Int8,
        "customer_calls": pl.Float64,
        "customer_puts": pl.Float64,
        "open_interest": pl.Float64,
        "dealer_gamma": pl.Float64,
    },
}
"""Columns of each table.

``prints``: of each print of the option tape, the customer's true side (+1 bought, -1 sold)
whatever the tape knows, and the shock it belongs to, null for ordinary flow. ``hedge_trades``: of
each trade of the hedge tape, who traded: ``ordinary``, ``book`` (dealers, for what they hold),
``expiry`` (dealers, in the last hours of what expires) or ``shock`` (dealers, for the shock with
that id). ``positions``: at each session's end, customers'
net position in each contract and its open interest, contracts, and what the session opened, closed
and, at an expiry, settled.

``expiries``, of each expiry at ``ts`` where `expiry.enabled`: when its last hours began; the index
then, at the end, and as it would have ended without what dealers traded in between; the difference,
basis points; those trades, units, gross and signed; and whether a coin had them traded the other
way round. ``expiry_strikes``, of each strike of it: the side that dealers were meant to have (+1
long, -1 short), customers' net in calls and in puts and open interest as it expires, contracts, and
dealers' gamma were the index at that strike as the last hours begin: units in which their delta
changes when the index rises by 1 %.
"""


def hedge_truth(tape: pl.DataFrame, origin: NDArray[np.int64]) -> pl.DataFrame:
    """Return who traded each row of a hedge tape, by origin: a shock's id or a constant above."""
    frame = tape.select("trade_id").with_columns(shock=pl.Series(origin))
    named = (
        pl.when(pl.col("shock") == ORDINARY)
        .then(pl.lit("ordinary"))
        .when(pl.col("shock") == BOOK)
        .then(pl.lit("book"))
        .when(pl.col("shock") == EXPIRY)
        .then(pl.lit("expiry"))
        .otherwise(pl.lit("shock"))
    )
    frame = frame.with_columns(origin=named, shock_id=_id_or_null("shock"))
    return conformed(frame, TRUTH_SCHEMAS[TruthTable.HEDGE_TRADES])


def prints_truth(
    tape: pl.DataFrame, side: NDArray[np.int64], origin: NDArray[np.int64]
) -> pl.DataFrame:
    """Return the truth of each print of an option tape.

    Parameters
    ----------
    tape : DataFrame
    side : ndarray of shape (n,), int64
        True side of each row.
    origin : ndarray of shape (n,), int64
        Id of its shock, or `ORDINARY`.
    """
    frame = tape.select("trade_id", "ts").with_columns(
        side=pl.Series(side), shock=pl.Series(origin)
    )
    frame = frame.with_columns(shock_id=_id_or_null("shock"))
    return conformed(frame, TRUTH_SCHEMAS[TruthTable.PRINTS])


def shocks_truth(
    scenario: Scenario,
    book: Book,
    shocks: list[Shock],
    demands: list[float],
    hedges: list[Hedge],
    first_id: int,
) -> pl.DataFrame:
    """Return what a session's shocks were, and how they were hedged."""
    rows = [
        _shock_row(scenario, book, first_id + i, shock, demand, hedge)
        for i, (shock, demand, hedge) in enumerate(zip(shocks, demands, hedges, strict=True))
    ]
    instants = {name: pl.Int64 for name, dtype in TRUTH_SCHEMA.items() if dtype == TIME}
    table = pl.DataFrame(rows, schema=TRUTH_SCHEMA | instants, orient="row")
    return conformed(table, TRUTH_SCHEMA)


def _shock_row(
    scenario: Scenario, book: Book, number: int, shock: Shock, demand: float, hedge: Hedge
) -> tuple[int | float | str | None, ...]:
    orders = shock.orders
    rows, inverse = np.unique(orders.contract, return_inverse=True)
    lots = np.bincount(inverse, weights=orders.lots)
    return (
        number,
        shock.shock_class.value,
        int(orders.stamp.min()),
        int(orders.stamp.max()),
        int(orders.side[0]),
        str(book.symbol[int(rows[int(np.argmax(lots))])]),
        int(np.unique(book.strike[rows]).size),
        float(lots.sum()) * scenario.chain.lot_units,
        demand,
        hedge.start_ns,
        hedge.half_time_minutes,
        hedge.response_minutes,
        hedge.completion_minutes,
        hedge.volume,
        hedge.impact_bps,
    )


def _id_or_null(column: str) -> pl.Expr:
    return pl.when(pl.col(column) >= 0).then(pl.col(column))
