"""Every number of the expiration-pressure strategy, named once, with its unit and its rule."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from hedgeflow.market.settings import Section
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


class Clock(Section):
    """What happens how long before expiry: expiration-pressure.md 1 and 2, real minutes."""

    high_minutes: Positive = 45.0
    """Below it urgency is HIGH, at or above it LOW."""
    crisis_minutes: Positive = 15.0
    """Below it urgency is CRISIS; positions evolve when it is crossed."""
    notice_minutes: tuple[Positive, ...] = (120.0, 45.0, 15.0, 2.0)
    sample_minutes: tuple[Positive, ...] = (
        180.0, 120.0, 90.0, 60.0, 45.0, 30.0, 15.0, 10.0, 5.0, 2.0,
    )  # fmt: skip
    """Minutes left at which the probabilities of all models are kept, to be scored later."""
    oldest_price_minutes: Positive = 5.0
    """An older price of the underlying makes no alert, no sample, no history and no outcome."""

    @model_validator(mode="after")
    def _edges_descend(self) -> Clock:
        if self.crisis_minutes >= self.high_minutes:
            message = (
                f"crisis_minutes {self.crisis_minutes:g} must be below high_minutes"
                f" {self.high_minutes:g}"
            )
            raise ValueError(message)
        for name in ("notice_minutes", "sample_minutes"):
            edges = getattr(self, name)
            if list(edges) != sorted(set(edges), reverse=True):
                message = f"{name} must descend without repeats, was {list(edges)}"
                raise ValueError(message)
        return self


class Pressure(Section):
    """When open interest presses: expiration-pressure.md 2, precise.md 28 to 31."""

    probability: Literal["source", "lognormal", "empirical"] = "lognormal"
    open_interest: Literal["estimated", "settled"] = "estimated"
    time: Literal["real", "session"] = "session"
    session_minutes: Positive = 390.0
    """Under ``session``, pressure's minutes are times this over the session's own length."""
    threshold_rule: Literal["fixed", "quantile"] = "quantile"
    threshold: NonNegative = 10.0
    threshold_quantile: Annotated[float, Field(gt=0, lt=1)] = 0.95
    quantile_expiries: Count = 10
    oi_above: NonNegative = 1_000.0
    confidence: Literal["linear", "rank"] = "rank"
    confidence_divisor: Positive = 1_000.0
    confidence_cap: Annotated[float, Field(gt=0, le=1)] = 0.95
    rearm_minutes: NonNegative = 5.0


class Filter(Section):
    """What is no alert all the same: expiration-pressure.md 2, precise.md 32."""

    oi: NonNegative = 500.0
    distance_points: NonNegative = 50.0
    minutes: NonNegative = 180.0
    pressure: NonNegative = 10.0


class Classes(Section):
    """The named strategies' signatures and the evolution monitor: expiration-pressure.md 2, 4."""

    pin_minutes: Positive = 120.0
    """PIN_RISK_MANAGEMENT is from clock.high_minutes up to this; the source's text says 30-60."""
    pin_oi_above: NonNegative = 2_000.0
    pin_distance_below_points: Positive = 20.0
    panic_oi_above: NonNegative = 1_500.0
    """ASSIGNMENT_RISK_PANIC is below clock.crisis_minutes."""
    panic_distance_below_points: Positive = 8.0
    monitor_minutes: Positive = 15.0
    monitor_distance_points: Positive = 5.0
    monitor_oi: NonNegative = 2_000.0


class Direction(Section):
    """Which side is taken: expiration-pressure.md 3, precise.md 33."""

    model: Literal["steer-away", "pin", "dealer-gamma"] = "dealer-gamma"
    convention: Literal["long-calls-short-puts", "short-all"] = "long-calls-short-puts"
    """What dealers are taken to hold where flow is unsigned."""


class Plan(TradePlan):
    """What is traded and when it ends: expiration-pressure.md 4, precise.md 30 and 34."""

    base_contracts: Positive = 1.5
    low_multiplier: NonNegative = 1.0
    high_multiplier: NonNegative = 2.0
    crisis_multiplier: NonNegative = 3.0
    target_floor_points: Positive = 15.0
    target_multiple: Positive = 1.5
    """Target distance from the strike = max(target_floor_points, this x distance)."""
    stop_low_points: Positive = 15.0
    stop_high_points: Positive = 10.0
    stop_crisis_points: Positive = 6.0
    buffer_low_minutes: NonNegative = 10.0
    buffer_high_minutes: NonNegative = 8.0
    buffer_crisis_minutes: NonNegative = 3.0
    danger_minutes: NonNegative = 2.0
    """With so few minutes left every position ends, whatever else is switched off."""
    min_reward_risk: NonNegative = 1.0
    precedence: Literal["corrected", "source"] = "corrected"
    """Source: evolution is looked at before target and stop, so it adds to a losing position."""
    evolution: bool = True
    add_multiple: NonNegative = 2.0
    """Added at the evolution of a LOW position, times the size held: 2 makes it 3 times as big."""
    add_on_high: bool = False
    tightened_stop_points: Positive = 6.0
    trade_in_fixing: bool = False
    """Off: nothing is opened or added while the settlement price is averaged (flaws 2.D21)."""


class Risk(TradeRisk):
    """What a plan must pass: volume-shock.md 7, with what differs near expiry."""

    flat_before_close_minutes: NonNegative = 0.0
    """Not 30: that would forbid the whole CRISIS window. `plan.danger_minutes` takes its place."""
    own_volume_share: Share = 0.1
    """Most of the hedge instrument's usual volume, over the holding time, that we may be."""


class ExpirationPressureConfig(StrategyConfig):
    """The expiration-pressure strategy's configuration; defaults are the preset ``normalized``."""

    STRATEGY: ClassVar[str] = "expiration-pressure"

    clock: Clock = Clock()
    pressure: Pressure = Pressure()
    filter: Filter = Filter()
    classes: Classes = Classes()
    direction: Direction = Direction()
    # Settings are frozen, so a narrower section breaks nothing; pyright does not see that.
    plan: Plan = Plan()  # pyright: ignore[reportIncompatibleVariableOverride]
    risk: Risk = Risk()  # pyright: ignore[reportIncompatibleVariableOverride]

    @classmethod
    def source(cls) -> ExpirationPressureConfig:
        """Return the source document's own rules and scales."""
        return cls(
            preset="source",
            scale=Scale(demand="absolute", distance="points"),
            pressure=Pressure(
                probability="source", time="real", threshold_rule="fixed", confidence="linear"
            ),
            direction=Direction(model="steer-away"),
            plan=Plan(min_reward_risk=0.0, precedence="source", trade_in_fixing=True),
            risk=Risk(own_volume_share=1.0),
        )
