"""hedgeflow from Python: the main job's steps as functions, whose results show themselves.

What is run, counted and journalled is what the commands of the same names run, count and journal.
"""

from __future__ import annotations

from hedgeflow.notebook.results import Backtest, Package, Scan, Validation
from hedgeflow.notebook.running import backtest, load_package, scan, validate

__all__ = [
    "Backtest",
    "Package",
    "Scan",
    "Validation",
    "backtest",
    "load_package",
    "scan",
    "validate",
]
