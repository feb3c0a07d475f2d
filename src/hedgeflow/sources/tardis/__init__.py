"""Tardis.dev's CSV files, from a folder or downloaded."""

from __future__ import annotations

from hedgeflow.sources.tardis.fetching import TardisOrder, fetch_tardis
from hedgeflow.sources.tardis.importing import TardisChoice, import_tardis

__all__ = ["TardisChoice", "TardisOrder", "fetch_tardis", "import_tardis"]
