"""The volume shock's rules that limit risk, and the settings under which each does nothing."""

from __future__ import annotations

from typing import Final

from hedgeflow.strategies.claims import RiskControl

_UNBOUNDED: Final = 1_000_000
"""More positions than any account opens."""

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
    RiskControl(
        "volatility-filter",
        "smaller sizes while the volatility index is high",
        {"risk": {"volatility_index_multiplier": 1.0}},
    ),
    RiskControl(
        "volume-filter",
        "the least daily volume of the hedge instrument",
        {"risk": {"daily_volume_contracts": 0.0}},
    ),
    RiskControl("earnings-filter", "no entry near earnings", {"risk": {"earnings_hours": 0.0}}),
    RiskControl("release-filter", "no entry near releases", {"risk": {"release_minutes": 0.0}}),
    RiskControl(
        "flat-before-close",
        "flat before the close; positions may be held to the close itself",
        {"risk": {"flat_before_close_minutes": 0.0}},
    ),
    RiskControl("daily-limit", "the daily loss limit", {"risk": {"per_day": 1.0}}),
    RiskControl(
        "one-position",
        "one position an instrument; as many as alerts and margin allow",
        {"risk": {"positions": _UNBOUNDED, "positions_per_instrument": _UNBOUNDED}},
    ),
)
"""Each is switched off alone and the run made again (evidence.md 6)."""
