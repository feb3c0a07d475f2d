"""When listed options expire, how they are settled, and which expiries were listed on a date."""

from hedgeflow.market.expiries.calendars import trading_day
from hedgeflow.market.expiries.expiry import (
    Expiry,
    expiries_on,
    expiry_of,
    expiry_of_future_option,
    expiry_of_stock_option,
    fixing_minutes,
    next_expiry,
    root_named,
    settlement_kind,
)
from hedgeflow.market.expiries.features import (
    Features,
    features_at,
    features_of,
    is_early_close,
    is_triple_witching,
    session_of,
    standard_expiration,
)
from hedgeflow.market.expiries.pattern import PatternDay, weekly_pattern
from hedgeflow.market.expiries.roots import INDEX_OF_ROOT, NSE_INDICES, ROOTS, Listing, Root
from hedgeflow.market.expiries.rules import Cycle, is_third_friday
from hedgeflow.market.expiries.terms import SettlementKind

__all__ = [
    "INDEX_OF_ROOT",
    "NSE_INDICES",
    "ROOTS",
    "Cycle",
    "Expiry",
    "Features",
    "Listing",
    "PatternDay",
    "Root",
    "SettlementKind",
    "expiries_on",
    "expiry_of",
    "expiry_of_future_option",
    "expiry_of_stock_option",
    "features_at",
    "features_of",
    "fixing_minutes",
    "is_early_close",
    "is_third_friday",
    "is_triple_witching",
    "next_expiry",
    "root_named",
    "session_of",
    "settlement_kind",
    "standard_expiration",
    "trading_day",
    "weekly_pattern",
]
