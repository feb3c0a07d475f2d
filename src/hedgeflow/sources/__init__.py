"""Files and venues' histories, read into tapes; what cannot be used is refused with its reason."""

from __future__ import annotations

from hedgeflow.sources.bars_file import import_bars, parse_column_map
from hedgeflow.sources.ccxt_history import FetchedTape, fetch_ccxt
from hedgeflow.sources.chains import (
    import_deribit_chains,
    import_nse_chains,
    import_spx_chains,
)
from hedgeflow.sources.databento import (
    DatabentoFetch,
    DatabentoOrder,
    DatabentoQuote,
    DbnSummary,
    fetch_databento,
    import_databento,
    summarize_dbn,
)
from hedgeflow.sources.deribit import (
    FetchedDay,
    HistoryProgress,
    fetch_deribit_history,
    import_deribit_trades,
)
from hedgeflow.sources.fetching import FetchedFiles, FileProgress
from hedgeflow.sources.lean import LeanReport, import_lean
from hedgeflow.sources.report import ImportReport
from hedgeflow.sources.tables import TableMap, import_table, table_map
from hedgeflow.sources.tardis import TardisChoice, TardisOrder, fetch_tardis, import_tardis

__all__ = [
    "DatabentoFetch",
    "DatabentoOrder",
    "DatabentoQuote",
    "DbnSummary",
    "FetchedDay",
    "FetchedFiles",
    "FetchedTape",
    "FileProgress",
    "HistoryProgress",
    "ImportReport",
    "LeanReport",
    "TableMap",
    "TardisChoice",
    "TardisOrder",
    "fetch_ccxt",
    "fetch_databento",
    "fetch_deribit_history",
    "fetch_tardis",
    "import_bars",
    "import_databento",
    "import_deribit_chains",
    "import_deribit_trades",
    "import_lean",
    "import_nse_chains",
    "import_spx_chains",
    "import_table",
    "import_tardis",
    "parse_column_map",
    "summarize_dbn",
    "table_map",
]
