"""What runs many rooms together: scans, backtests, null draws, and the way to a verdict."""

from hedgeflow.studies.backtesting import Backtest, backtest, scan_to_journal
from hedgeflow.studies.explaining import Explanation, explain_alert
from hedgeflow.studies.leakage import Output, leakage
from hedgeflow.studies.markets import Market, load_market
from hedgeflow.studies.scanning import ScanResult, scan_market
from hedgeflow.studies.validation import Validation, check_out, validate, write_validation

__all__ = [
    "Backtest",
    "Explanation",
    "Market",
    "Output",
    "ScanResult",
    "Validation",
    "backtest",
    "check_out",
    "explain_alert",
    "leakage",
    "load_market",
    "scan_market",
    "scan_to_journal",
    "validate",
    "write_validation",
]
