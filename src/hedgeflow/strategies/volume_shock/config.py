"""Every number of the volume-shock strategy, named once, with its unit and its rule."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from hedgeflow.market.settings import Section
from hedgeflow.strategies import settings
from hedgeflow.strategies.settings import (
    Count,
    NonNegative,
    Positive,
    Scale,
    Share,
    StrategyConfig,
    TradePlan,
    TradeRisk,
)


class Signing(settings.Signing):
    """Who bought, and how sure that is: volume-shock.md 1, precise.md 7 and 8."""

    aggressor_probability: Annotated[float, Field(ge=0.5, le=1)] = 1.00
    quote_rule_probability: Annotated[float, Field(ge=0.5, le=1)] = 0.80
    tick_rule_probability: Annotated[float, Field(ge=0.5, le=1)] = 0.75
    complex_leg_probability: Annotated[float, Field(ge=0.5, le=1)] = 0.50


class Tape(Section):
    """Which prints count, and how: precise.md 6 and 9."""

    complex: Literal["net", "include", "exclude"] = "net"
    exclude_conditions: tuple[Literal["open", "cross", "roll"], ...] = ()
    premium_adjusted: bool = False
    institutional_contracts: Positive = 10.0
    """A print of at least this many contracts is institutional, a smaller one retail."""


class Anomaly(Section):
    """When volume is unusual: volume-shock.md 2, precise.md 11 to 16."""

    windows_seconds: tuple[Positive, ...] = (5.0, 60.0, 300.0)
    ratio: Positive = 4.0
    volume_contracts: NonNegative = 100.0
    volume_floor: Literal["fixed", "quantile"] = "quantile"
    volume_quantile: Annotated[float, Field(gt=0, lt=1)] = 0.99
    baseline_sessions: Count = 10
    """10 is the default profile, 30 the source protocol's."""
    history_sessions: Count = 3
    baseline_floor_contracts: Positive = 1.0
    baseline_floor: Literal["one", "bucket"] = "bucket"
    no_history: Literal["floor", "skip"] = "skip"
    moneyness_edges: tuple[Positive, ...] = (0.80, 0.90, 0.97, 1.03, 1.10, 1.20)
    days_edges: tuple[Annotated[int, Field(ge=0)], ...] = (0, 1, 2, 8, 31, 91)

    @model_validator(mode="after")
    def _edges_ascend(self) -> Anomaly:
        for name in ("moneyness_edges", "days_edges", "windows_seconds"):
            edges = getattr(self, name)
            if not edges or list(edges) != sorted(set(edges)):
                message = f"{name} must ascend without repeats, was {list(edges)}"
                raise ValueError(message)
        return self


class Response(Section):
    """How long dealers take: volume-shock.md 3, precise.md 20."""

    model: Literal["tiers", "calibrated"] = "calibrated"
    emergency_demand: Positive = 5_000.0
    urgent_demand: Positive = 2_000.0
    emergency_minutes: Positive = 2.0
    urgent_minutes: Positive = 5.0
    routine_minutes: Positive = 10.0
    calibration_observations: Count = 30
    shortest_minutes: Positive = 0.5
    longest_minutes: Positive = 30.0


class Observation(Section):
    """What counts as a hedge: volume-shock.md 8."""

    window_minutes: Positive = 15.0
    half_done: Annotated[float, Field(gt=0, le=1)] = 0.5
    mostly_done: Annotated[float, Field(gt=0, le=1)] = 0.9
    placebo_sessions: Count = 10
    fewest_placebos: Annotated[int, Field(ge=2)] = 5
    placebo_band: Positive = 1.96
    acceleration_minutes: Positive = 5.0
    """Half-width of the second difference of the price around the completion of a hedge."""


class Alert(Section):
    """When an exposure becomes an alert: volume-shock.md 3 and 4, precise.md 14, 17, 20."""

    unit: Literal["event", "contract"] = "event"
    pressure_rule: Literal["fixed", "quantile"] = "fixed"
    pressure_threshold: NonNegative = 10.0
    pressure_quantile: Annotated[float, Field(gt=0, lt=1)] = 0.90
    quantile_events: Count = 30
    quantile_sessions: Count = 10
    confidence: Literal["linear", "log2"] = "log2"
    confidence_divisor: Positive = 10.0
    confidence_cap: Annotated[float, Field(gt=0, le=1)] = 0.95
    high_urgency_minutes: Positive = 5.0
    """Urgency is HIGH if the response estimate is below this, else LOW."""
    event_gap_minutes: Positive = 5.0
    event_length_minutes: Positive = 30.0


class Classifier(Section):
    """Sweep, emergency or neither: volume-shock.md 5."""

    mode: Literal["concentration", "signature"] = "concentration"
    sweep_strikes: Count = 3
    sweep_concentration_below: Share = 0.6
    sweep_ratio_above: Positive = 3.0
    sweep_response_above_minutes: Positive = 5.0
    emergency_concentration_above: Share = 0.8
    emergency_ratio_above: Positive = 8.0
    emergency_demand_above: Positive = 3_000.0
    emergency_response_below_minutes: Positive = 5.0


class Plan(TradePlan):
    """What is traded and when it ends: volume-shock.md 6."""

    sweep_multiplier: NonNegative = 1.2
    emergency_multiplier: NonNegative = 2.0
    ambiguous_multiplier: NonNegative = 0.5
    demand_reference: Positive = 2_000.0
    demand_multiplier_cap: Positive = 2.0
    target_cap_points: Positive = 25.0
    demand_per_point: Positive = 200.0
    stop_high_points: Positive = 8.0
    stop_low_points: Positive = 12.0
    exit_when_hedged: bool = False
    """On: a position also ends when the predicted hedge is seen to be done."""
    hedged_share: Annotated[float, Field(gt=0, le=1)] = 0.9
    """That much of it; ordinary signed flow of these minutes is taken off."""
    limit: Literal["urgency", "response"] = "urgency"
    limit_high_minutes: Positive = 8.0
    limit_low_minutes: Positive = 15.0
    sweep_longest_response_minutes: Positive = 15.0
    emergency_longest_response_minutes: Positive = 5.0
    response_buffer_minutes: NonNegative = 3.0
    hedge_share: Share = 1.0


class Risk(TradeRisk):
    """What a plan must pass, with a share at risk for each class: volume-shock.md 7."""

    sweep_per_trade: Share = 0.015
    emergency_per_trade: Share = 0.02
    ambiguous_per_trade: Share = 0.005

    def per_trade_of(self, flow_class: str) -> tuple[float, str]:
        """Return the tighter of the 2 % of any trade and the class's cap, and its name."""
        name = {
            "INSTITUTIONAL_SWEEP": "sweep_per_trade",
            "GAMMA_EMERGENCY": "emergency_per_trade",
        }.get(flow_class, "ambiguous_per_trade")
        share: float = getattr(self, name)
        return (share, name) if share < self.per_trade else (self.per_trade, "per_trade")


class VolumeShockConfig(StrategyConfig):
    """The volume-shock strategy's configuration; defaults are the preset ``normalized``."""

    STRATEGY: ClassVar[str] = "volume-shock"

    # Settings are frozen, so a narrower section breaks nothing; pyright does not see that.
    signing: Signing = Signing()  # pyright: ignore[reportIncompatibleVariableOverride]
    tape: Tape = Tape()
    anomaly: Anomaly = Anomaly()
    response: Response = Response()
    alert: Alert = Alert()
    classifier: Classifier = Classifier()
    plan: Plan = Plan()  # pyright: ignore[reportIncompatibleVariableOverride]
    risk: Risk = Risk()  # pyright: ignore[reportIncompatibleVariableOverride]
    observation: Observation = Observation()

    @classmethod
    def source(cls) -> VolumeShockConfig:
        """Return the source documents' own rules and scales."""
        return cls(
            preset="source",
            anomaly=Anomaly(
                windows_seconds=(300.0,),
                volume_floor="fixed",
                baseline_floor="one",
                no_history="floor",
            ),
            response=Response(model="tiers"),
            scale=Scale(demand="absolute", distance="points"),
            alert=Alert(unit="contract", pressure_threshold=20.0, confidence="linear"),
        )
