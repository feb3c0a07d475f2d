"""What a search of the volume-shock strategy varies by itself, and what a scan of it reads."""

from __future__ import annotations

from typing import Final

from hedgeflow.strategies.search import Choices, ScanReads, Span

SEARCH_SPACE: Final[tuple[Span | Choices, ...]] = (
    Span("anomaly.ratio", 2.0, 8.0, log=True),
    Span("anomaly.volume_quantile", 0.95, 0.995),
    Span("alert.pressure_threshold", 2.0, 40.0, log=True),
    Span("alert.event_gap_minutes", 2.0, 10.0),
    Choices("classifier.mode", ("concentration", "signature")),
    Choices("response.model", ("calibrated", "tiers")),
    Span("plan.target_cap_points", 5.0, 40.0),
    Span("plan.demand_per_point", 20.0, 4_000.0, log=True),
    Span("plan.stop_high_points", 3.0, 40.0, log=True),
    Span("plan.stop_low_points", 3.0, 40.0, log=True),
    Choices("plan.limit", ("urgency", "response")),
    Span("plan.limit_high_minutes", 3.0, 60.0, log=True),
    Span("plan.limit_low_minutes", 5.0, 120.0, log=True),
    Span("plan.sweep_multiplier", 0.0, 2.0),
    Span("plan.emergency_multiplier", 0.0, 3.0),
    Span("plan.ambiguous_multiplier", 0.0, 1.0),
)
"""Around the defaults, as far as somebody might go: what is noticed, what is traded, when it ends.
Targets reach down to where almost every trade wins a little, which is what a search for win rates
finds. Costs, limits of risk and the null are no choices."""

SCAN_READS: Final = ScanReads(
    unread=("plan", "risk", "costs", "null", "seed"),
    read_all_the_same=(
        ("plan", "hedge_share"),
        ("risk", "volatility_index"),
        ("risk", "volatility_index_days"),
    ),
)
