"""What the tapes say: signed hedge demand, volume shocks, and what dealers did about them."""

from hedgeflow.signals.alerts import ALERT_SCHEMA, alert_rows
from hedgeflow.signals.hedge_volume import BarReference
from hedgeflow.signals.rules import BaselineOrigin, FlowClass, SigningRule, Tier
from hedgeflow.signals.scan import ScanOutput, ScanRules, SessionReference, ShockScan, windows_for

__all__ = [
    "ALERT_SCHEMA",
    "BarReference",
    "BaselineOrigin",
    "FlowClass",
    "ScanOutput",
    "ScanRules",
    "SessionReference",
    "ShockScan",
    "SigningRule",
    "Tier",
    "alert_rows",
    "windows_for",
]
