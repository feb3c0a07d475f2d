"""When an order fills and what it costs: one model for replay and paper."""

from hedgeflow.fills.costs import CostModel
from hedgeflow.fills.latency import first_index_at_or_after, order_arrival_ns
from hedgeflow.ledger.entries import SideCosts
from hedgeflow.ledger.fees import FEE_PROFILES, FeeProfile, fee_profile

__all__ = [
    "FEE_PROFILES",
    "CostModel",
    "FeeProfile",
    "SideCosts",
    "fee_profile",
    "first_index_at_or_after",
    "order_arrival_ns",
]
