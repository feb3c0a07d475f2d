"""Any CSV or Parquet table as a tape, by a map of its columns."""

from __future__ import annotations

from hedgeflow.sources.tables.columns import TableMap, table_map
from hedgeflow.sources.tables.importing import import_table

__all__ = ["TableMap", "import_table", "table_map"]
