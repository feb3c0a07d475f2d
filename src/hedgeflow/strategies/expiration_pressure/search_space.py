"""What a search of the expiration pressure varies by itself, and what a scan of it reads."""

from __future__ import annotations

from typing import Final

from hedgeflow.strategies.search import Choices, ScanReads, Span

SEARCH_SPACE: Final[tuple[Span | Choices, ...]] = (
    Choices("pressure.probability", ("lognormal", "empirical", "source")),
    Span("pressure.threshold_quantile", 0.80, 0.99),
    Span("pressure.oi_above", 100.0, 5_000.0, log=True),
    Choices("direction.model", ("dealer-gamma", "pin", "steer-away")),
    Span("plan.target_floor_points", 5.0, 40.0, log=True),
    Span("plan.target_multiple", 1.1, 3.0),
    Span("plan.stop_low_points", 4.0, 40.0, log=True),
    Span("plan.stop_high_points", 3.0, 30.0, log=True),
    Span("plan.stop_crisis_points", 2.0, 20.0, log=True),
    Span("plan.buffer_low_minutes", 2.0, 30.0),
    Span("plan.buffer_high_minutes", 2.0, 12.0),
    Span("plan.buffer_crisis_minutes", 2.0, 8.0),
    Span("plan.low_multiplier", 0.0, 3.0),
    Span("plan.high_multiplier", 0.0, 3.0),
    Span("plan.crisis_multiplier", 0.0, 4.0),
    Span("plan.min_reward_risk", 0.0, 2.0),
    Choices("plan.evolution", (True, False)),
    Span("plan.add_multiple", 0.0, 2.0),
)
"""Around the defaults, as far as somebody might go: what presses, which side, when it ends. Costs,
limits of risk and the null are no choices; neither is the source's precedence, which is wrong."""

SCAN_READS: Final = ScanReads(
    unread=("plan", "risk", "costs", "null", "seed"),
    read_all_the_same=(
        ("plan", "target_floor_points"),
        ("plan", "target_multiple"),
        ("risk", "volatility_index"),
        ("risk", "volatility_index_days"),
    ),
)
"""Target distances are part of what a scan records, and an alert says which side it points to."""
