"""What is traded, when, and the tapes of it: validated at the door, kept in a catalog."""

from __future__ import annotations

from hedgeflow.market.catalog import Catalog
from hedgeflow.market.contracts import (
    HedgeInstrument,
    HedgeKind,
    OptionContract,
    Right,
    Settlement,
    Style,
    hedge_instrument,
    parse_deribit_option,
)
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import (
    CatalogError,
    ConfigError,
    DataError,
    EvidenceError,
    HedgeflowError,
)
from hedgeflow.market.expiries import (
    Expiry,
    SettlementKind,
    expiries_on,
    expiry_of,
    next_expiry,
)
from hedgeflow.market.manifests import Import, Manifest, TapeSummary
from hedgeflow.market.sessions import ALWAYS_OPEN, Sessions, minutes_to_close, sessions_between
from hedgeflow.market.soundness import Finding, Severity
from hedgeflow.market.tapes import COLUMNS, CONTRACT_COLUMNS, TapeKey, TapeKind, tape_schema
from hedgeflow.market.validation import Reason, validate

__all__ = [
    "ALWAYS_OPEN",
    "COLUMNS",
    "CONTRACT_COLUMNS",
    "Catalog",
    "CatalogError",
    "ConfigError",
    "Coverage",
    "DataError",
    "EvidenceError",
    "Expiry",
    "Finding",
    "HedgeInstrument",
    "HedgeKind",
    "HedgeflowError",
    "Import",
    "Manifest",
    "OptionContract",
    "Reason",
    "Right",
    "Sessions",
    "Settlement",
    "SettlementKind",
    "Severity",
    "Style",
    "TapeKey",
    "TapeKind",
    "TapeSummary",
    "expiries_on",
    "expiry_of",
    "hedge_instrument",
    "minutes_to_close",
    "next_expiry",
    "parse_deribit_option",
    "sessions_between",
    "tape_schema",
    "validate",
]
