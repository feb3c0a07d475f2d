"""The expiration pressure's rules that limit risk, and the settings that switch each off."""

from __future__ import annotations

from typing import Final

from hedgeflow.strategies.claims import RiskControl
from hedgeflow.strategies.shared_controls import FILTERS, UNBOUNDED

CONTROLS: Final[tuple[RiskControl, ...]] = (
    RiskControl("stop", "the stop", {"plan": {"stop": False}}),
    RiskControl("target", "the target", {"plan": {"target": False}}),
    RiskControl(
        "time-limit",
        "the time limit; the exit at two minutes stays",
        {"plan": {"time_limit": False}},
    ),
    RiskControl(
        "danger-exit",
        "the exit at two minutes; positions may be held to expiry itself",
        {"plan": {"danger_minutes": 0.0}},
    ),
    RiskControl(
        "evolution",
        "the evolution to CRISIS, with what it adds and the stop that it tightens",
        {"plan": {"evolution": False}},
    ),
    RiskControl(
        "sizing",
        "sizes by urgency and confidence; one fixed size instead, under the same caps",
        {"plan": {"sizing": "fixed"}},
    ),
    RiskControl(
        "reward-risk",
        "the least reward for a risk",
        {"plan": {"min_reward_risk": 0.0}},
    ),
    RiskControl(
        "fixing",
        "nothing opened or added while the settlement price is averaged",
        {"plan": {"trade_in_fixing": True}},
    ),
    RiskControl(
        "false-signal-filter",
        "no alert of little open interest, far away, early or weak",
        {
            "filter": {
                "oi": 0.0,
                "distance_points": float(UNBOUNDED),
                "minutes": float(UNBOUNDED),
                "pressure": 0.0,
            }
        },
    ),
    RiskControl(
        "trade-cap",
        "the share of the account that a trade may risk",
        {"risk": {"per_trade": 1.0}},
    ),
    RiskControl("daily-limit", "the daily loss limit", {"risk": {"per_day": 1.0}}),
    RiskControl(
        "own-volume",
        "the share of the usual volume that we may be",
        {"risk": {"own_volume_share": 1.0}},
    ),
    *FILTERS,
    RiskControl(
        "one-position",
        "one position an instrument; one an expiry stays",
        {"risk": {"positions": UNBOUNDED, "positions_per_instrument": UNBOUNDED}},
    ),
)
"""Each is switched off alone and the run made again (evidence.md 6).

The filter is part of the scan, so without it the tapes are scanned anew.
"""
