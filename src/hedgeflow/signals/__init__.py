"""What the tapes say: signed hedge demand, volume shocks, and what dealers did about them."""

from hedgeflow.signals.alerts import ALERT_SCHEMA, alert_rows
from hedgeflow.signals.hedge_reference import HedgeReference, SessionReference
from hedgeflow.signals.hedge_volume import BarReference
from hedgeflow.signals.outputs import ScanOutput
from hedgeflow.signals.rules import BaselineOrigin, FlowClass, SigningRule, Tier
from hedgeflow.signals.scan import ShockScan, windows_for
from hedgeflow.signals.scan_rules import ScanRules, ThresholdRules

__all__ = [
    "ALERT_SCHEMA",
    "BarReference",
    "BaselineOrigin",
    "FlowClass",
    "HedgeReference",
    "ScanOutput",
    "ScanRules",
    "SessionReference",
    "ShockScan",
    "SigningRule",
    "ThresholdRules",
    "Tier",
    "alert_rows",
    "windows_for",
]
