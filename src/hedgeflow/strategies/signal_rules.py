"""From the sections that all strategies share to what the signals read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.implied_move import MoveRules

if TYPE_CHECKING:
    from hedgeflow.strategies.settings import Scale


def move_rules(scale: Scale) -> MoveRules:
    """Return what a point is under ``sigma``, and which prints tell volatility (precise.md 23)."""
    return MoveRules(
        lookback_ns=round(scale.sigma_lookback_minutes * MINUTE_NS),
        moneyness=scale.sigma_moneyness,
        days_min=scale.sigma_days_min,
        days_max=scale.sigma_days_max,
        prints=scale.sigma_prints,
        points=scale.sigma_points,
        minutes=scale.sigma_minutes,
    )
