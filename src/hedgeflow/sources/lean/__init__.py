"""QuantConnect Lean data folders: minute files of stocks, indices, futures and their options."""

from __future__ import annotations

from hedgeflow.sources.lean.folder import import_lean
from hedgeflow.sources.lean.report import FileReport, LeanReport, Outcome, Portion

__all__ = ["FileReport", "LeanReport", "Outcome", "Portion", "import_lean"]
