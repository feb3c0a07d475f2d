"""Books that add up: every figure of profit is a sum of ledger entries."""

from hedgeflow.ledger.books import Books, LedgerError, RoundTrip
from hedgeflow.ledger.entries import (
    EntryKind,
    LedgerEntry,
    SideCosts,
    attribution,
    equity_curve,
    equity_usd,
    ledger_frame,
)
from hedgeflow.ledger.fees import FEE_PROFILES, FeeProfile, fee_profile
from hedgeflow.ledger.pnl import InversePnl, inverse_pnl, linear_pnl_usd

__all__ = [
    "FEE_PROFILES",
    "Books",
    "EntryKind",
    "FeeProfile",
    "InversePnl",
    "LedgerEntry",
    "LedgerError",
    "RoundTrip",
    "SideCosts",
    "attribution",
    "equity_curve",
    "equity_usd",
    "fee_profile",
    "inverse_pnl",
    "ledger_frame",
    "linear_pnl_usd",
]
