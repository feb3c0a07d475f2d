"""Bars, funding, open interest and ratios of perpetual swaps on many exchanges, through ccxt.

ccxt itself loads only when something is fetched.
"""

from __future__ import annotations

from hedgeflow.sources.ccxt_history.fetching import fetch_ccxt
from hedgeflow.sources.ccxt_history.report import FetchedTape
from hedgeflow.sources.ccxt_history.venues import KINDS

__all__ = ["KINDS", "FetchedTape", "fetch_ccxt"]
