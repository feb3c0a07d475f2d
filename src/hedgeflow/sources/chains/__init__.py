"""Snapshots of option chains from files: Deribit's, NSE's, and SPX on its day of expiry."""

from __future__ import annotations

from hedgeflow.sources.chains.deribit import import_deribit_chains
from hedgeflow.sources.chains.nse import import_nse_chains
from hedgeflow.sources.chains.spx import import_spx_chains

__all__ = ["import_deribit_chains", "import_nse_chains", "import_spx_chains"]
