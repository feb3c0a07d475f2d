"""The books: posts trades as entries and checks that they explain the change in equity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from hedgeflow.ledger.entries import EntryKind, LedgerEntry, SideCosts, attribution, equity_usd
from hedgeflow.ledger.pnl import linear_pnl_usd
from hedgeflow.market.errors import HedgeflowError

RELATIVE_TOLERANCE: Final = 1e-9
"""Of the money that moved: floating point, nothing else, may separate the two sums."""


class LedgerError(HedgeflowError):
    """The entries do not add up to the change in equity."""

    exit_code = 8


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A position opened and closed, as its two fills happened.

    Attributes
    ----------
    trade_id, instrument : str
    direction : int
        +1 long, -1 short.
    units : float
        Underlying units.
    entry_ns, exit_ns : int
        UTC nanoseconds.
    entry_price, exit_price : float
        USD per unit, before the costs below.
    entry_costs, exit_costs : SideCosts
    part : str
        Which part of the trade, as in ``addition``; empty for what it began with.
    """

    trade_id: str
    instrument: str
    direction: int
    units: float
    entry_ns: int
    entry_price: float
    exit_ns: int
    exit_price: float
    entry_costs: SideCosts
    exit_costs: SideCosts
    part: str = ""


class Books:
    """A ledger of one account whose entries always sum to its equity.

    Money is counted twice, independently: as attributed entries, and as the cash that each fill
    moves. Every posting compares the two.

    Parameters
    ----------
    deposit_usd : float
    at_ns : int
        When the deposit is booked, UTC nanoseconds.
    """

    def __init__(self, deposit_usd: float, at_ns: int) -> None:
        self._cash = deposit_usd
        self._moved = abs(deposit_usd)
        self._entries: list[LedgerEntry] = [
            LedgerEntry(
                "deposit",
                None,
                at_ns,
                EntryKind.DEPOSIT,
                deposit_usd,
                f"Deposited {deposit_usd:,.2f} USD to trade with.",
            )
        ]

    @property
    def entries(self) -> tuple[LedgerEntry, ...]:
        """Every entry, in the order posted."""
        return tuple(self._entries)

    def post(self, trade: RoundTrip) -> float:
        """Post a closed trade and return its net profit, USD.

        Raises
        ------
        LedgerError
            The entries do not sum to the cash that the two fills moved.
        """
        entries = _trade_entries(trade)
        paid = trade.direction * trade.units * trade.entry_price
        received = trade.direction * trade.units * trade.exit_price
        cash = received - trade.exit_costs.total_usd - (paid + trade.entry_costs.total_usd)
        net = equity_usd(entries)
        self._cash += cash
        self._moved += abs(paid) + abs(received)
        _require_equal(net, cash, abs(paid) + abs(received), f"trade {trade.trade_id}")
        self._entries.extend(entries)
        return net

    def check(self) -> None:
        """Check the whole ledger: attribution sums to equity, equity to cash.

        Raises
        ------
        LedgerError
            They differ.
        """
        total = math.fsum(attribution(self._entries).values())
        _require_equal(total, equity_usd(self._entries), self._moved, "attribution")
        _require_equal(total, self._cash, self._moved, "equity")


def _require_equal(explained: float, actual: float, moved: float, where: str) -> None:
    if not abs(explained - actual) <= RELATIVE_TOLERANCE * max(1.0, moved):
        raise LedgerError(
            f"entries explain {explained:.6f} USD of a change of {actual:.6f} USD",
            where=where,
            hint="This is an error in the program, not in the data: please report it",
        )


def _trade_entries(trade: RoundTrip) -> list[LedgerEntry]:
    """Return a trade's entries: both sides' costs, zero ones left out, and its profit."""
    side = "long" if trade.direction > 0 else "short"
    gross = linear_pnl_usd(trade.direction, trade.units, trade.entry_price, trade.exit_price)
    profit = LedgerEntry(
        f"{_entry_prefix(trade)}:exit:{EntryKind.TRADE_PNL}",
        trade.trade_id,
        trade.exit_ns,
        EntryKind.TRADE_PNL,
        gross,
        f"The {side} of {trade.units:g} units of {trade.instrument} from {trade.entry_price:g} to "
        f"{trade.exit_price:g} made {gross:+,.2f} USD before costs.",
    )
    return [
        *_cost_entries(trade, "entry", trade.entry_ns, trade.entry_costs),
        profit,
        *_cost_entries(trade, "exit", trade.exit_ns, trade.exit_costs),
    ]


def _entry_prefix(trade: RoundTrip) -> str:
    return f"{trade.trade_id}:{trade.part}" if trade.part else trade.trade_id


def _cost_entries(trade: RoundTrip, side: str, at_ns: int, costs: SideCosts) -> list[LedgerEntry]:
    parts = (
        (EntryKind.FEE, costs.fee_usd, "fee"),
        (EntryKind.SPREAD, costs.spread_usd, "half spread"),
        (EntryKind.SLIPPAGE, costs.slippage_usd, "slippage"),
    )
    return [
        LedgerEntry(
            f"{_entry_prefix(trade)}:{side}:{kind}",
            trade.trade_id,
            at_ns,
            kind,
            -amount,
            f"The {name} at the {side} of {trade.units:g} units of {trade.instrument} cost "
            f"{amount:,.2f} USD.",
        )
        for kind, amount, name in parts
        if amount != 0.0
    ]
