"""Deribit's trades, from files and from its public history."""

from __future__ import annotations

from hedgeflow.sources.deribit.file import import_deribit_trades
from hedgeflow.sources.deribit.history import FetchedDay, fetch_deribit_history
from hedgeflow.sources.deribit.progress import HistoryProgress

__all__ = ["FetchedDay", "HistoryProgress", "fetch_deribit_history", "import_deribit_trades"]
