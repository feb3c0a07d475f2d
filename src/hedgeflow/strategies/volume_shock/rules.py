"""From the configuration to the rules that the scan's kernels read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.signals.alerts import AlertTerms
from hedgeflow.signals.hedge_response import ObservationRules
from hedgeflow.signals.rules import (
    SHOCK_PARAMS,
    BaselineRules,
    PrintRules,
    SigningRule,
    record,
)
from hedgeflow.signals.scan_rules import ScanRules, ThresholdRules
from hedgeflow.strategies.signal_rules import move_rules

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from hedgeflow.market.contracts import HedgeInstrument
    from hedgeflow.strategies.volume_shock.config import Signing, VolumeShockConfig


def scan_rules(config: VolumeShockConfig, lot: float) -> ScanRules:
    """Return the scan's rules for contracts of a lot size, thresholds counted in lots.

    Parameters
    ----------
    config : VolumeShockConfig
    lot : float
        Smallest tradable quantity of the option contracts, contracts (precise.md 4).
    """
    scale, alert = config.scale, config.alert
    return ScanRules(
        prints=PrintRules(
            assume_bought=config.signing.mode == "assume-bought",
            probabilities=_probabilities(config.signing),
            complex=config.tape.complex,
            exclude_conditions=config.tape.exclude_conditions,
            premium_adjusted=config.tape.premium_adjusted,
            institutional_contracts=config.tape.institutional_contracts,
        ),
        baselines=BaselineRules(
            sessions=config.anomaly.baseline_sessions,
            history_sessions=config.anomaly.history_sessions,
            quantile=config.anomaly.volume_quantile,
            moneyness_edges=config.anomaly.moneyness_edges,
            days_edges=config.anomaly.days_edges,
        ),
        shock=_shock_params(config, lot),
        windows_ns=tuple(round(seconds * SECOND_NS) for seconds in config.anomaly.windows_seconds),
        threshold=ThresholdRules(
            fixed=alert.pressure_threshold,
            quantile=alert.pressure_quantile if alert.pressure_rule == "quantile" else None,
            events_needed=alert.quantile_events,
            sessions=alert.quantile_sessions,
        ),
        move=move_rules(scale),
        reference_demand=scale.reference_demand if scale.demand == "relative" else None,
    )


def alert_terms(
    config: VolumeShockConfig,
    underlying: str,
    hedge: HedgeInstrument,
    minutes_per_year: float,
) -> AlertTerms:
    """Return what turns a decision of the scan into an alert for one hedge instrument."""
    return AlertTerms(
        underlying=underlying,
        unit=config.alert.unit,
        minutes_per_year=minutes_per_year,
        high_urgency_minutes=config.alert.high_urgency_minutes,
        log_confidence=config.alert.confidence == "log2",
        confidence_divisor=config.alert.confidence_divisor,
        confidence_cap=config.alert.confidence_cap,
        distance=config.scale.distance,
        bps_per_point=config.scale.bps_per_point,
        emergency_demand=config.response.emergency_demand,
        urgent_demand=config.response.urgent_demand,
        units_per_contract=hedge.units_per_contract,
        hedge_share=config.plan.hedge_share,
    )


def observation_rules(config: VolumeShockConfig) -> ObservationRules:
    """Return what counts as a hedge."""
    return ObservationRules(**config.observation.model_dump())


def _shock_params(config: VolumeShockConfig, lot: float) -> NDArray[Any]:
    anomaly, response, alert = config.anomaly, config.response, config.alert
    classifier = config.classifier
    return record(
        SHOCK_PARAMS,
        ratio=anomaly.ratio,
        fixed_floor_lots=round(anomaly.volume_contracts / lot),
        baseline_floor_lots=anomaly.baseline_floor_contracts / lot,
        floor_is_quantile=anomaly.volume_floor == "quantile",
        floor_is_bucket=anomaly.baseline_floor == "bucket",
        skip_without_history=anomaly.no_history == "skip",
        unit_is_event=alert.unit == "event",
        event_gap_ns=round(alert.event_gap_minutes * MINUTE_NS),
        event_length_ns=round(alert.event_length_minutes * MINUTE_NS),
        emergency_demand=response.emergency_demand,
        urgent_demand=response.urgent_demand,
        emergency_minutes=response.emergency_minutes,
        urgent_minutes=response.urgent_minutes,
        routine_minutes=response.routine_minutes,
        shortest_minutes=response.shortest_minutes,
        longest_minutes=response.longest_minutes,
        classify_by_signature=classifier.mode == "signature",
        sweep_strikes=classifier.sweep_strikes,
        sweep_concentration_below=classifier.sweep_concentration_below,
        sweep_ratio_above=classifier.sweep_ratio_above,
        sweep_response_above=classifier.sweep_response_above_minutes,
        emergency_concentration_above=classifier.emergency_concentration_above,
        emergency_ratio_above=classifier.emergency_ratio_above,
        emergency_demand_above=classifier.emergency_demand_above,
        emergency_response_below=classifier.emergency_response_below_minutes,
    )


def _probabilities(signing: Signing) -> tuple[float, ...]:
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
