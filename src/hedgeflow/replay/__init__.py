"""Drives alerts through risk, fills and books over recorded tapes of the hedge instrument."""

from hedgeflow.replay.account import ReplayResult
from hedgeflow.replay.alerts import replay_alerts, require_signed_trades
from hedgeflow.replay.expiration import known_decisions, replay_conditions
from hedgeflow.replay.tables import DECISION_SCHEMA, TRADE_SCHEMA
from hedgeflow.replay.tape import HedgeTape, Ticks

__all__ = [
    "DECISION_SCHEMA",
    "TRADE_SCHEMA",
    "HedgeTape",
    "ReplayResult",
    "Ticks",
    "known_decisions",
    "replay_alerts",
    "replay_conditions",
    "require_signed_trades",
]
