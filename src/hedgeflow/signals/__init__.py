"""What the tapes say: signed hedge demand, volume shocks, and what dealers did about them."""

from hedgeflow.signals.alerts import ALERT_SCHEMA, alert_rows
from hedgeflow.signals.dealer_gamma import (
    GammaConvention,
    dealer_contracts,
    dollar_gamma,
    option_gamma,
)
from hedgeflow.signals.empirical_probability import (
    EmpiricalModel,
    EmpiricalTable,
    empirical_probability,
)
from hedgeflow.signals.gamma_profile import DealerPositions, GammaProfile, gamma_profile, walls
from hedgeflow.signals.hedge_reference import HedgeReference, SessionReference
from hedgeflow.signals.hedge_volume import BarReference
from hedgeflow.signals.outputs import ScanOutput
from hedgeflow.signals.rules import BaselineOrigin, FlowClass, SigningRule, Tier
from hedgeflow.signals.scan import ShockScan, windows_for
from hedgeflow.signals.scan_rules import ScanRules, ThresholdRules
from hedgeflow.signals.settlement_probability import (
    band_probability,
    half_way_marks,
    in_the_money_probability,
    source_probability,
)

__all__ = [
    "ALERT_SCHEMA",
    "BarReference",
    "BaselineOrigin",
    "DealerPositions",
    "EmpiricalModel",
    "EmpiricalTable",
    "FlowClass",
    "GammaConvention",
    "GammaProfile",
    "HedgeReference",
    "ScanOutput",
    "ScanRules",
    "SessionReference",
    "ShockScan",
    "SigningRule",
    "ThresholdRules",
    "Tier",
    "alert_rows",
    "band_probability",
    "dealer_contracts",
    "dollar_gamma",
    "empirical_probability",
    "gamma_profile",
    "half_way_marks",
    "in_the_money_probability",
    "option_gamma",
    "source_probability",
    "walls",
    "windows_for",
]
