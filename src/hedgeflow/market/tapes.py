"""The tapes' schemas: one documented table each, times in UTC ns, a `known_at` on each row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

TIME: Final = pl.Datetime("ns", "UTC")


class TapeKind(StrEnum):
    """The kinds of tape that a catalog holds."""

    OPTION_TRADES = "option_trades"
    BARS = "bars"
    HEDGE_TRADES = "hedge_trades"
    HEDGE_QUOTES = "hedge_quotes"
    OPTION_QUOTES = "option_quotes"
    OPTION_DAYS = "option_days"
    OPTION_SNAPSHOTS = "option_snapshots"
    OPTION_DEFINITIONS = "option_definitions"
    OPEN_INTEREST = "open_interest"
    FUNDING = "funding"
    LONG_SHORT_RATIO = "long_short_ratio"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a tape: its type, unit, meaning, and what a row may not be."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    unit: str
    meaning: str
    nullable: bool = False
    positive: bool = False
    not_negative: bool = False


_TS: Final = Column("ts", TIME, "UTC ns", "the venue's stamp, floored to the tape's resolution")
_KNOWN_AT: Final = Column(
    "known_at", TIME, "UTC ns", "nothing may read the row before this instant"
)

_CONTRACT: Final = Column(
    "contract", pl.String, "", "the venue's symbol; its terms are in the contracts table"
)
_TRADE_ID: Final = Column(
    "trade_id", pl.String, "", "the venue's id; null where it gave none", nullable=True
)
_AGGRESSOR: Final = Column("aggressor", pl.Int8, "", "+1 the taker bought, -1 sold, 0 not known")


def _maybe(name: str, unit: str, meaning: str, *, not_negative: bool = True) -> Column:
    return Column(name, pl.Float64, unit, meaning, nullable=True, not_negative=not_negative)


COLUMNS: Final[dict[TapeKind, tuple[Column, ...]]] = {
    TapeKind.OPTION_TRADES: (
        _TS,
        _KNOWN_AT,
        _CONTRACT,
        Column(
            "price",
            pl.Float64,
            "quote currency, or coin where inverse, per unit",
            "trade price",
            positive=True,
        ),
        Column("lots", pl.Int64, "lots", "quantity in units of the contract's lot", positive=True),
        _AGGRESSOR,
        Column(
            "iv",
            pl.Float64,
            "fraction per year",
            "implied volatility printed by the venue",
            nullable=True,
        ),
        Column(
            "underlying_price",
            pl.Float64,
            "quote currency per unit",
            "underlying at the print",
            positive=True,
        ),
        Column("bid", pl.Float64, "as price", "prevailing best bid at the print", nullable=True),
        Column("ask", pl.Float64, "as price", "prevailing best ask at the print", nullable=True),
        Column(
            "combo_id", pl.String, "", "complex order that the print is a leg of", nullable=True
        ),
        Column("block_id", pl.String, "", "block trade that the print belongs to", nullable=True),
        Column("condition", pl.String, "", "open, cross, roll or null", nullable=True),
        _TRADE_ID,
    ),
    TapeKind.BARS: (
        _TS,
        _KNOWN_AT,
        Column("open", pl.Float64, "quote currency", "first price", positive=True),
        Column("high", pl.Float64, "quote currency", "highest price", positive=True),
        Column("low", pl.Float64, "quote currency", "lowest price", positive=True),
        Column("close", pl.Float64, "quote currency", "last price", positive=True),
        Column("volume", pl.Float64, "underlying units", "traded volume, zero allowed"),
    ),
    TapeKind.HEDGE_TRADES: (
        _TS,
        _KNOWN_AT,
        Column("price", pl.Float64, "quote currency", "trade price", positive=True),
        Column("size", pl.Float64, "underlying units", "quantity", positive=True),
        _AGGRESSOR,
        _TRADE_ID,
    ),
    TapeKind.HEDGE_QUOTES: (
        _TS,
        _KNOWN_AT,
        Column("bid", pl.Float64, "quote currency", "best bid", positive=True),
        Column("ask", pl.Float64, "quote currency", "best ask", positive=True),
    ),
    TapeKind.OPTION_QUOTES: (
        _TS,
        _KNOWN_AT,
        _CONTRACT,
        _maybe("bid", "as price", "best bid; null where nobody bids"),
        _maybe("ask", "as price", "best ask; null where nobody offers"),
        _maybe("bid_size", "contracts", "quantity at the bid"),
        _maybe("ask_size", "contracts", "quantity at the ask"),
    ),
    TapeKind.OPTION_DAYS: (
        _TS,
        _KNOWN_AT,
        _CONTRACT,
        Column("lots", pl.Int64, "lots", "volume of the session, zero allowed", not_negative=True),
        _maybe("open_interest", "contracts", "open contracts as published for the session"),
        _maybe("close", "as price", "last price, or middle of the quote, of the session"),
        _maybe("iv", "fraction per year", "implied volatility at the session's end"),
        _maybe("delta", "", "delta at the session's end", not_negative=False),
    ),
    TapeKind.OPTION_SNAPSHOTS: (
        Column("ts", TIME, "UTC ns", "the snapshot's instant, one for all of its rows"),
        _KNOWN_AT,
        _CONTRACT,
        _maybe("open_interest", "contracts", "open contracts as the venue showed them"),
        _maybe("volume", "contracts", "contracts traded so far in the session; null if not shown"),
        _maybe("iv", "fraction per year", "implied volatility that the venue showed"),
        _maybe("price", "quote currency, or coin where inverse, per unit", "mark or last price"),
        Column(
            "underlying_price",
            pl.Float64,
            "quote currency per unit",
            "underlying in the snapshot",
            positive=True,
        ),
    ),
    TapeKind.OPTION_DEFINITIONS: (_TS, _KNOWN_AT, _CONTRACT),
    TapeKind.OPEN_INTEREST: (
        _TS,
        _KNOWN_AT,
        Column("contract", pl.String, "", "an option's symbol, or the instrument's own"),
        Column(
            "open_interest",
            pl.Float64,
            "contracts of options and futures; underlying units of perpetuals",
            "open positions, one side",
            not_negative=True,
        ),
    ),
    TapeKind.FUNDING: (
        _TS,
        _KNOWN_AT,
        Column("rate", pl.Float64, "fraction of notional", "paid by longs to shorts at `ts`"),
        _maybe("hours", "hours", "length of the interval that the rate is for"),
    ),
    TapeKind.LONG_SHORT_RATIO: (
        _TS,
        _KNOWN_AT,
        Column("ratio", pl.Float64, "", "accounts that are long over short ones", positive=True),
    ),
}
"""For bars `ts` is the start of the bar and `known_at` its end (precise.md 2).

An option day's `ts` is its session's open and `known_at` its close or later; a definition's `ts`
is the instant at which the venue published it. The rows of a snapshot share one `ts` and one
`known_at`: nothing of it is known before the whole of it.
"""

NAMES_CONTRACTS: Final = frozenset(
    {
        TapeKind.OPTION_TRADES,
        TapeKind.OPTION_QUOTES,
        TapeKind.OPTION_DAYS,
        TapeKind.OPTION_SNAPSHOTS,
        TapeKind.OPTION_DEFINITIONS,
    }
)
"""Kinds whose every `contract` must be in the contracts table."""

CONTRACT_COLUMNS: Final[tuple[Column, ...]] = (
    Column("contract", pl.String, "", "the venue's symbol"),
    Column("venue", pl.String, "", "where it is listed"),
    Column("underlying", pl.String, "", "what it is on"),
    Column("right", pl.String, "", "C or P"),
    Column("strike", pl.Float64, "quote currency per unit", "strike", positive=True),
    Column("expiry", TIME, "UTC ns", "the expiration instant"),
    Column(
        "multiplier",
        pl.Float64,
        "underlying units per contract",
        "contract multiplier",
        positive=True,
    ),
    Column("lot", pl.Float64, "contracts", "smallest tradable quantity", positive=True),
    Column("style", pl.String, "", "european or american"),
    Column("settlement", pl.String, "", "cash or physical"),
    Column("inverse", pl.Boolean, "", "premium and profit are paid in coin"),
    Column("listed", TIME, "UTC ns", "listing instant where known", nullable=True),
)


def schema(columns: tuple[Column, ...]) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Return the polars schema of a tape's columns."""
    return {column.name: column.dtype for column in columns}


def tape_schema(kind: TapeKind) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Return the polars schema of a kind of tape."""
    return schema(COLUMNS[kind])


@dataclass(frozen=True, slots=True)
class TapeKey:
    """What names one tape in a catalog.

    Attributes
    ----------
    kind : TapeKind
    venue, underlying : str
    instrument : str
        Symbol of the hedge instrument; for option trades the underlying again.
    resolution_ns : int
        The stamps' resolution r; for bars the bar length.
    """

    kind: TapeKind
    venue: str
    underlying: str
    instrument: str
    resolution_ns: int
