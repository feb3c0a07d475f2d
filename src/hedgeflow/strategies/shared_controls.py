"""Rules that limit the risk of every strategy in the same way, and what switches each off."""

from __future__ import annotations

from typing import Final

from hedgeflow.strategies.claims import RiskControl

UNBOUNDED: Final = 1_000_000
"""More positions, points, minutes or contracts than there ever are."""

FILTERS: Final = (
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
)
"""What the market must be like before anything is entered."""
