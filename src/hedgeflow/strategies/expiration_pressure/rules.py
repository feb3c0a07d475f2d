"""From the configuration to the rules that the expiration-pressure scan reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.signals.dealer_gamma import GammaConvention
from hedgeflow.signals.settlement_rules import PressureRules
from hedgeflow.strategies.signal_rules import move_rules

if TYPE_CHECKING:
    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig

_CONVENTIONS: Final = {
    "long-calls-short-puts": GammaConvention.LONG_CALLS_SHORT_PUTS,
    "short-all": GammaConvention.SHORT_ALL,
}


def pressure_rules(config: ExpirationPressureConfig, minutes_per_year: float) -> PressureRules:
    """Return the scan's rules.

    Parameters
    ----------
    config : ExpirationPressureConfig
    minutes_per_year : float
        Trading minutes of the hedge instrument's calendar (precise.md 23).
    """
    clock, pressure, chosen = config.clock, config.pressure, config.filter
    classes, plan, scale = config.classes, config.plan, config.scale
    return PressureRules(
        probability=pressure.probability,
        open_interest=pressure.open_interest,
        gamma_convention=_CONVENTIONS[config.direction.convention],
        threshold=pressure.threshold,
        quantile=pressure.threshold_quantile if pressure.threshold_rule == "quantile" else None,
        quantile_expiries=pressure.quantile_expiries,
        oi_above=pressure.oi_above,
        filter_oi=chosen.oi,
        filter_distance=chosen.distance_points,
        filter_minutes=chosen.minutes,
        filter_pressure=chosen.pressure,
        crisis_minutes=clock.crisis_minutes,
        high_minutes=clock.high_minutes,
        pin_minutes=classes.pin_minutes,
        pin_oi_above=classes.pin_oi_above,
        pin_distance_below=classes.pin_distance_below_points,
        panic_oi_above=classes.panic_oi_above,
        panic_distance_below=classes.panic_distance_below_points,
        confidence=pressure.confidence,
        confidence_divisor=pressure.confidence_divisor,
        confidence_cap=pressure.confidence_cap,
        target_floor=plan.target_floor_points,
        target_multiple=plan.target_multiple,
        rearm_minutes=pressure.rearm_minutes,
        monitor_minutes=classes.monitor_minutes,
        monitor_distance=classes.monitor_distance_points,
        monitor_oi=classes.monitor_oi,
        notice_minutes=clock.notice_minutes,
        distance=scale.distance,
        bps_per_point=scale.bps_per_point,
        move=move_rules(scale),
        minutes_per_year=minutes_per_year,
        reference_risk=scale.reference_demand if scale.demand == "relative" else None,
        session_minutes=pressure.session_minutes if pressure.time == "session" else None,
        sample_minutes=clock.sample_minutes,
        oldest_price_minutes=clock.oldest_price_minutes,
    )
