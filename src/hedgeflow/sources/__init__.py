"""Files and venues' histories, read into tapes; what cannot be used is refused with its reason."""

from __future__ import annotations

from hedgeflow.sources.bars_file import import_bars, parse_column_map
from hedgeflow.sources.ccxt_history import FetchedTape, fetch_ccxt
from hedgeflow.sources.databento import DbnSummary, import_databento, summarize_dbn
from hedgeflow.sources.deribit_file import import_deribit_trades
from hedgeflow.sources.deribit_history import FetchedDay, HistoryProgress, fetch_deribit_history
from hedgeflow.sources.lean import LeanReport, import_lean
from hedgeflow.sources.report import ImportReport
from hedgeflow.sources.tables import import_table
from hedgeflow.sources.tables_map import TableMap, table_map
from hedgeflow.sources.tardis import TardisChoice, import_tardis

__all__ = [
    "DbnSummary",
    "FetchedDay",
    "FetchedTape",
    "HistoryProgress",
    "ImportReport",
    "LeanReport",
    "TableMap",
    "TardisChoice",
    "fetch_ccxt",
    "fetch_deribit_history",
    "import_bars",
    "import_databento",
    "import_deribit_trades",
    "import_lean",
    "import_table",
    "import_tardis",
    "parse_column_map",
    "summarize_dbn",
    "table_map",
]
