"""Venues' messages, decoded and checked; history and live clients share them."""

from __future__ import annotations

from hedgeflow.wire.deribit import (
    DeribitError,
    Notification,
    Quote,
    Ticker,
    Trade,
    TradesPage,
    VolatilityIndex,
    decode_error,
    decode_notification,
    decode_trades_page,
)

__all__ = [
    "DeribitError",
    "Notification",
    "Quote",
    "Ticker",
    "Trade",
    "TradesPage",
    "VolatilityIndex",
    "decode_error",
    "decode_notification",
    "decode_trades_page",
]
