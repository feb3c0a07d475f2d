"""A plan of the volume shock, as the risk rules are shown it."""

from __future__ import annotations

from hedgeflow.strategies.volume_shock.plan import EMERGENCY, ShockPlan

PLAN = ShockPlan(
    alert_id="a1",
    event_id=1,
    underlying="BTC",
    instrument="BTC-PERP",
    flow_class=EMERGENCY,
    urgency="HIGH",
    direction=1,
    size_contracts=1.0,
    reference_price=80_000.0,
    target_distance=400.0,
    stop_distance=160.0,
    limit_minutes=8.0,
    point=20.0,
    expected_hedge_contracts=12.0,
    source_target_points=20.0,
    impact_distance=None,
)
