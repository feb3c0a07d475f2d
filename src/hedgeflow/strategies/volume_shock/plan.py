"""The entry plan: from an alert to size, target, stop and time limit, before any risk cap."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from hedgeflow.market.contracts import HedgeInstrument
from hedgeflow.strategies.entry_plan import EntryPlan
from hedgeflow.strategies.exits import NEVER_DUE_NS, OUT_OF_REACH
from hedgeflow.strategies.volume_shock.config import Plan, VolumeShockConfig

Distance = TypeVar("Distance", float, NDArray[np.float64])
Limit = TypeVar("Limit", int, NDArray[np.int64])

BUY: Final = "BUY_FUTURES"
SELL: Final = "SELL_FUTURES"
HIGH: Final = "HIGH"
SWEEP: Final = "INSTITUTIONAL_SWEEP"
EMERGENCY: Final = "GAMMA_EMERGENCY"
AMBIGUOUS: Final = "AMBIGUOUS_SIGNAL"
SCALE_MINUTES: Final = 5.0
"""V5 is a 5-minute volume, so the impact model takes the 5-minute volatility with it."""


@dataclass(frozen=True, slots=True)
class ShockPlan(EntryPlan):
    """The plan of a volume shock (volume-shock.md 6).

    Attributes
    ----------
    expected_hedge_contracts : float
        Standard contracts that the dealers are expected to trade.
    source_target_points : float
        The source's signed rule min(25, D/200), points: negative for every sell.
    impact_distance : float or None
        Price units that the square-root impact model implies; None without sigma or V5.
    """

    expected_hedge_contracts: float
    source_target_points: float
    impact_distance: float | None


def plan_entry(
    alert: Mapping[str, Any],
    config: VolumeShockConfig,
    instrument: HedgeInstrument,
    reference_price: float,
    *,
    minutes_per_year: float = 525_600.0,
) -> ShockPlan:
    """Return the plan that an alert leads to.

    Parameters
    ----------
    alert : Mapping
        A row of the `alerts` table.
    config : VolumeShockConfig
    instrument : HedgeInstrument
        What is traded.
    reference_price : float
        Its last price known at the decision.
    minutes_per_year : float
        Trading minutes of its calendar, for the impact model's 5-minute volatility.

    Notes
    -----
    Look-ahead: sees the alert and the reference price, both known at the decision.
    """
    rules = config.plan
    demand, scaled = float(alert["demand"]), float(alert["demand_scaled"])
    point, urgency, flow_class = float(alert["point"]), alert["urgency"], alert["flow_class"]
    return ShockPlan(
        alert_id=alert["alert_id"],
        event_id=int(alert["event_id"]),
        underlying=alert["underlying"],
        instrument=instrument.symbol,
        flow_class=flow_class,
        urgency=urgency,
        direction=1 if alert["direction"] == BUY else -1,
        size_contracts=planned_contracts(float(alert["confidence"]), flow_class, scaled, rules),
        reference_price=reference_price,
        target_distance=target_points(scaled, rules) * point,
        stop_distance=stop_points(urgency, rules) * point,
        limit_minutes=limit_minutes(flow_class, urgency, float(alert["response_minutes"]), rules),
        point=point,
        expected_hedge_contracts=hedge_contracts(
            demand, instrument.units_per_contract, rules.hedge_share
        ),
        source_target_points=source_target_distance(
            scaled, rules.target_cap_points, rules.demand_per_point
        ),
        impact_distance=_impact_distance(alert, demand, reference_price, minutes_per_year, rules),
    )


def planned_contracts(confidence: float, flow_class: str, demand: float, rules: Plan) -> float:
    """Return 2 x confidence x class multiplier x min(2, abs(D)/2000), standard contracts.

    With ``sizing = fixed`` every class that is traded at all is traded in the base size.

    Parameters
    ----------
    confidence : float
        Between 0 and 0.95.
    flow_class : str
    demand : float
        D or D' (`demand_scaled`); only its size matters.
    rules : Plan
    """
    multiplier = class_multiplier(flow_class, rules)
    if rules.sizing == "fixed":
        return rules.base_contracts if multiplier > 0 else 0.0
    factor = min(rules.demand_multiplier_cap, abs(demand) / rules.demand_reference)
    return rules.base_contracts * confidence * multiplier * factor


def class_multiplier(flow_class: str, rules: Plan) -> float:
    """Return the size multiplier of a flow class: 1.2, 2.0 or 0.5."""
    if flow_class == SWEEP:
        return rules.sweep_multiplier
    return rules.emergency_multiplier if flow_class == EMERGENCY else rules.ambiguous_multiplier


def target_points(demand: float, rules: Plan) -> float:
    """Return the target distance min(25, abs(D)/200), points, positive for buys and sells."""
    return min(rules.target_cap_points, abs(demand) / rules.demand_per_point)


def source_target_distance(
    demand: float, cap_points: float = 25.0, demand_per_point: float = 200.0
) -> float:
    """Return the source's target distance min(25, D/200), points, without the absolute value.

    It is negative for every sell, which puts the target above the entry, where it is hit at once.
    Kept to be compared with `target_points`, never traded.
    """
    return min(cap_points, demand / demand_per_point)


def stop_points(urgency: str, rules: Plan) -> float:
    """Return the stop distance, points: 8 if HIGH, 12 if LOW."""
    return rules.stop_high_points if urgency == HIGH else rules.stop_low_points


def limit_minutes(flow_class: str, urgency: str, response_minutes: float, rules: Plan) -> float:
    """Return the longest holding time, minutes.

    Mode ``urgency``: 8 HIGH, 15 LOW. Mode ``response``: the class's largest expected response
    (sweep 15, emergency 5) plus 3; an ambiguous event takes its own estimate plus 3.
    """
    if rules.limit == "urgency":
        return rules.limit_high_minutes if urgency == HIGH else rules.limit_low_minutes
    if flow_class == SWEEP:
        return rules.sweep_longest_response_minutes + rules.response_buffer_minutes
    if flow_class == EMERGENCY:
        return rules.emergency_longest_response_minutes + rules.response_buffer_minutes
    return response_minutes + rules.response_buffer_minutes


def watched_levels(
    target_distance: Distance, stop_distance: Distance, limit_ns: Limit, rules: Plan
) -> tuple[Distance | float, Distance | float, Limit | int]:
    """Return target, stop and time limit as exits watch them: what is off is out of reach.

    Plans and records keep the distances themselves, since sizes and stated risk rest on them.
    """
    return (
        target_distance if rules.target else OUT_OF_REACH,
        stop_distance if rules.stop else OUT_OF_REACH,
        limit_ns if rules.time_limit else NEVER_DUE_NS,
    )


def hedge_contracts(demand: float, units_per_contract: float, hedge_share: float = 1.0) -> float:
    """Return the expected hedge abs(D) / multiplier x hedge share, contracts.

    Parameters
    ----------
    demand : float
        D, underlying units.
    units_per_contract : float
        Underlying units in one contract of the hedge instrument.
    hedge_share : float
        The part of the demand that is hedged in this instrument.
    """
    return abs(demand) / units_per_contract * hedge_share


def inverse_perpetual_contracts(demand: float, price: float, contract_size_usd: float) -> float:
    """Return D x price / contract size, signed contracts of a coin-settled perpetual."""
    return demand * price / contract_size_usd


def square_root_impact(
    coefficient: float, volatility: float, quantity: float, volume: float
) -> float:
    """Return the relative price move Y x sigma x sqrt(Q / V).

    Parameters
    ----------
    coefficient : float
        Y, of order one.
    volatility : float
        sigma over some horizon, as a fraction of the price.
    quantity : float
        Q, what will be traded; underlying units.
    volume : float
        V, the market's volume over the same horizon; underlying units.
    """
    return coefficient * volatility * math.sqrt(quantity / volume)


def _impact_distance(
    alert: Mapping[str, Any],
    demand: float,
    reference_price: float,
    minutes_per_year: float,
    rules: Plan,
) -> float | None:
    sigma, volume = alert["sigma"], alert["scale_volume"]
    if sigma is None or volume is None or not volume > 0:
        return None
    volatility = float(sigma) * math.sqrt(SCALE_MINUTES / minutes_per_year)
    quantity = abs(demand) * rules.hedge_share
    move = square_root_impact(rules.impact_coefficient, volatility, quantity, float(volume))
    return reference_price * move
