"""What the tapes say: signed hedge demand, volume shocks, and what dealers did about them."""

from hedgeflow.signals.alerts import ALERT_SCHEMA, alert_rows
from hedgeflow.signals.chain import Chain, build_chain, chain_of
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
from hedgeflow.signals.settlement import SettlementOutput, SettlementScan
from hedgeflow.signals.settlement_events import EVENT, EventKind
from hedgeflow.signals.settlement_probability import (
    band_probability,
    half_way_marks,
    in_the_money_probability,
    source_probability,
)
from hedgeflow.signals.settlement_rules import (
    CONDITION,
    COUNTS,
    LADDER,
    NOTICE,
    SAMPLE,
    NoticeKind,
    PressureRules,
    SignalClass,
    Urgency,
)
from hedgeflow.signals.settlement_tapes import (
    open_interest_events,
    price_events,
    signed_print_events,
    snapshot_events,
)

__all__ = [
    "ALERT_SCHEMA",
    "CONDITION",
    "COUNTS",
    "EVENT",
    "LADDER",
    "NOTICE",
    "SAMPLE",
    "BarReference",
    "BaselineOrigin",
    "Chain",
    "DealerPositions",
    "EmpiricalModel",
    "EmpiricalTable",
    "EventKind",
    "FlowClass",
    "GammaConvention",
    "GammaProfile",
    "HedgeReference",
    "NoticeKind",
    "PressureRules",
    "ScanOutput",
    "ScanRules",
    "SessionReference",
    "SettlementOutput",
    "SettlementScan",
    "ShockScan",
    "SignalClass",
    "SigningRule",
    "ThresholdRules",
    "Tier",
    "Urgency",
    "alert_rows",
    "band_probability",
    "build_chain",
    "chain_of",
    "dealer_contracts",
    "dollar_gamma",
    "empirical_probability",
    "gamma_profile",
    "half_way_marks",
    "in_the_money_probability",
    "open_interest_events",
    "option_gamma",
    "price_events",
    "signed_print_events",
    "snapshot_events",
    "source_probability",
    "walls",
    "windows_for",
]
