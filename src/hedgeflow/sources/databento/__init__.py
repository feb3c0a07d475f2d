"""Databento's DBN files: decoded, resolved to instruments, and made into tapes."""

from __future__ import annotations

from hedgeflow.sources.databento.decoding import DbnFile, DbnHeader, read_dbn, read_header
from hedgeflow.sources.databento.fetching import (
    DatabentoFetch,
    DatabentoOrder,
    DatabentoQuote,
    fetch_databento,
)
from hedgeflow.sources.databento.importing import import_databento
from hedgeflow.sources.databento.summary import DbnSummary, summarize_dbn

__all__ = [
    "DatabentoFetch",
    "DatabentoOrder",
    "DatabentoQuote",
    "DbnFile",
    "DbnHeader",
    "DbnSummary",
    "fetch_databento",
    "import_databento",
    "read_dbn",
    "read_header",
    "summarize_dbn",
]
