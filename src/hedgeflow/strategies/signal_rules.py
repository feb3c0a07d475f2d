"""From the sections that all strategies share to what the signals read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.implied_move import MoveRules
from hedgeflow.signals.rules import SigningRule

if TYPE_CHECKING:
    from hedgeflow.strategies.settings import Scale, Signing


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


def sign_probabilities(signing: Signing) -> tuple[float, ...]:
    """Return the probability that a sign is right, by `SigningRule`; a guess is worth one half."""
    by_rule = {
        SigningRule.NONE: 0.5,
        SigningRule.AGGRESSOR: signing.aggressor_probability,
        SigningRule.QUOTE: signing.quote_rule_probability,
        SigningRule.TICK: signing.tick_rule_probability,
        SigningRule.COMPLEX: signing.complex_leg_probability,
        SigningRule.ASSUMED: 0.5,
    }
    return tuple(by_rule[rule] for rule in SigningRule)
