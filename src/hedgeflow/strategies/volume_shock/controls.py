"""The volume shock's rules that limit risk, and the settings under which each does nothing."""

from __future__ import annotations

from typing import Final

from hedgeflow.strategies.claims import RiskControl
from hedgeflow.strategies.shared_controls import FILTERS, UNBOUNDED

CONTROLS: Final[tuple[RiskControl, ...]] = (
    RiskControl("stop", "the stop", {"plan": {"stop": False}}),
    RiskControl("time-limit", "the time limit", {"plan": {"time_limit": False}}),
    RiskControl("target", "the target", {"plan": {"target": False}}),
    RiskControl(
        "sizing",
        "sizes by class, demand and confidence; one fixed size instead, under the same caps",
        {"plan": {"sizing": "fixed"}},
    ),
    RiskControl(
        "trade-cap",
        "the share of the account that a trade may risk",
        {
            "risk": {
                "per_trade": 1.0,
                "sweep_per_trade": 1.0,
                "emergency_per_trade": 1.0,
                "ambiguous_per_trade": 1.0,
            }
        },
    ),
    *FILTERS,
    RiskControl(
        "flat-before-close",
        "flat before the close; positions may be held to the close itself",
        {"risk": {"flat_before_close_minutes": 0.0}},
    ),
    RiskControl("daily-limit", "the daily loss limit", {"risk": {"per_day": 1.0}}),
    RiskControl(
        "one-position",
        "one position an instrument; as many as alerts and margin allow",
        {"risk": {"positions": UNBOUNDED, "positions_per_instrument": UNBOUNDED}},
    ),
)
"""Each is switched off alone and the run made again (evidence.md 6)."""
