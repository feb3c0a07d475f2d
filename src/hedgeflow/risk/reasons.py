"""Every reason for which an alert is traded or not, named once."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The reason codes of the `decisions` table."""

    PLANNED = "PLANNED"
    EVENT_ALREADY_PLANNED = "EVENT_ALREADY_PLANNED"
    NO_HEDGE_DATA = "NO_HEDGE_DATA"
    ALERT_TOO_OLD = "ALERT_TOO_OLD"
    QUOTE_TOO_OLD = "QUOTE_TOO_OLD"
    KILLED = "KILLED"
    ACCOUNT_TOO_SMALL = "ACCOUNT_TOO_SMALL"
    PATTERN_DAY_TRADER = "PATTERN_DAY_TRADER"
    MARKET_CLOSED = "MARKET_CLOSED"
    NEAR_CLOSE = "NEAR_CLOSE"
    POSITION_OPEN = "POSITION_OPEN"
    OUTRANKED = "OUTRANKED"
    NEAR_EXPIRY = "NEAR_EXPIRY"
    POSITIONS_FULL = "POSITIONS_FULL"
    THIN_MARKET = "THIN_MARKET"
    EARNINGS = "EARNINGS"
    RELEASE = "RELEASE"
    DAILY_RISK = "DAILY_RISK"
    MARGIN = "MARGIN"
    SIZE_ZERO = "SIZE_ZERO"
