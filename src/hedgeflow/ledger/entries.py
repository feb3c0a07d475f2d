"""Ledger entries: signed amounts of money, each with its instant, kind and one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl


class EntryKind(StrEnum):
    """What an entry of the ledger is for."""

    DEPOSIT = "DEPOSIT"
    TRADE_PNL = "TRADE_PNL"
    FEE = "FEE"
    SPREAD = "SPREAD"
    SLIPPAGE = "SLIPPAGE"


class SideCosts(NamedTuple):
    """What one side of a trade costs, USD, each part non-negative (precise.md 27)."""

    fee_usd: float
    spread_usd: float
    slippage_usd: float

    @property
    def total_usd(self) -> float:
        """Fee, half spread and slippage together, USD."""
        return self.fee_usd + self.spread_usd + self.slippage_usd


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One change of equity.

    Attributes
    ----------
    entry_id : str
        Unique and the same on every run.
    trade_id : str or None
        The trade it belongs to; None for deposits.
    at_ns : int
        When it happened, UTC nanoseconds.
    kind : EntryKind
    amount_usd : float
        Signed: costs are negative.
    sentence : str
        The reason, in words.
    """

    entry_id: str
    trade_id: str | None
    at_ns: int
    kind: EntryKind
    amount_usd: float
    sentence: str


LEDGER_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "entry_id": pl.String,
    "trade_id": pl.String,
    "at_ns": pl.Int64,
    "kind": pl.String,
    "amount_usd": pl.Float64,
    "sentence": pl.String,
}


def ledger_frame(entries: Iterable[LedgerEntry]) -> pl.DataFrame:
    """Return entries as the `ledger_entries` table, in time order; ties keep their order."""
    rows = [
        (
            entry.entry_id,
            entry.trade_id,
            entry.at_ns,
            entry.kind.value,
            entry.amount_usd,
            entry.sentence,
        )
        for entry in sorted(entries, key=lambda entry: entry.at_ns)
    ]
    return pl.DataFrame(rows, schema=LEDGER_SCHEMA, orient="row")


def equity_usd(entries: Iterable[LedgerEntry], at_ns: int | None = None) -> float:
    """Return equity: the exact sum of all entries up to and including an instant, USD."""
    return math.fsum(entry.amount_usd for entry in entries if at_ns is None or entry.at_ns <= at_ns)


def attribution(entries: Iterable[LedgerEntry]) -> dict[EntryKind, float]:
    """Return what each kind of entry adds to equity, USD; every kind is present."""
    amounts: dict[EntryKind, list[float]] = {kind: [] for kind in EntryKind}
    for entry in entries:
        amounts[entry.kind].append(entry.amount_usd)
    return {kind: math.fsum(values) for kind, values in amounts.items()}


def equity_curve(entries: pl.DataFrame) -> pl.DataFrame:
    """Return equity after each instant at which it changed.

    Parameters
    ----------
    entries : DataFrame
        A `ledger_entries` table.

    Returns
    -------
    DataFrame
        Columns `at_ns` (Int64, ascending, unique) and `equity_usd` (Float64): the sum of every
        entry up to and including that instant.
    """
    return (
        entries.group_by("at_ns")
        .agg(pl.col("amount_usd").sum())
        .sort("at_ns")
        .select("at_ns", equity_usd=pl.col("amount_usd").cum_sum())
    )
