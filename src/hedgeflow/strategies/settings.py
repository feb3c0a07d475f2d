"""What the configurations of all strategies share: sizes, limits, costs, the null, the market."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from hedgeflow.market.contracts import HedgeKind
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.settings import Section

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Signing(Section):
    """Who bought: volume-shock.md 1, precise.md 8."""

    mode: Literal["aggressor", "assume-bought"] = "aggressor"


class Scale(Section):
    """In what units demand and distances are counted: volume-shock.md 1, precise.md 21 and 23."""

    demand: Literal["absolute", "relative"] = "relative"
    reference_demand: Positive = 100_000.0
    """D' = reference_demand x D / V5: 5,000 is then 5 % of V5."""
    volume_sessions: Count = 10
    hedge_volume_scale: Positive = 1.0
    distance: Literal["points", "bps", "sigma"] = "sigma"
    bps_per_point: Positive = 1.6667
    """One source point in basis points: one index point at 6,000."""
    sigma_points: Positive = 8.0
    """So many points are the expected move over sigma_minutes."""
    sigma_minutes: Positive = 8.0
    sigma_lookback_minutes: Positive = 60.0
    sigma_moneyness: Positive = 0.03
    sigma_days_min: Positive = 1.0
    sigma_days_max: Positive = 30.0
    sigma_prints: Count = 5
    realised_hours: Positive = 24.0


class TradePlan(Section):
    """What every plan has: how it is sized, what ends it, how old what it rests on may be."""

    sizing: Literal["planned", "fixed"] = "planned"
    """Fixed: every class that is traded at all is traded in base_contracts."""
    base_contracts: Positive = 2.0
    target: bool = True
    """Off: no position ends at its target."""
    stop: bool = True
    """Off: no position is stopped; sizes are still made with the stop's distance."""
    time_limit: bool = True
    """Off: positions are held to target or stop, the flat time before the close, or a gap."""
    impact_coefficient: Positive = 1.0
    """Y of the square-root impact model Y x sigma x sqrt(Q / V)."""
    oldest_alert_minutes: Positive = 5.0
    oldest_quote_seconds: Positive = 5.0
    gap_bars: Annotated[float, Field(ge=1)] = 3.0
    """A gap of more than so many bar lengths between starts ends a position (precise.md 24)."""


class TradeRisk(Section):
    """What every plan must pass: volume-shock.md 7."""

    account_usd: Positive = 100_000.0
    policy_minimum_account_usd: NonNegative = 25_000.0
    recommended_account_usd: NonNegative = 100_000.0
    buying_power_usd: Positive = 50_000.0
    per_trade: Share = 0.02
    per_day: Share = 0.05
    positions: Count = 3
    positions_per_instrument: Count = 1
    contracts: Positive = 20.0
    flat_before_close_minutes: NonNegative = 30.0
    daily_volume_contracts: NonNegative = 1_000.0
    volatility_index: str | None = None
    """Name of its bars in the catalog, as in VIX; without one, an alert's own implied volatility.

    Percent per year, like the limit.
    """
    volatility_index_days: Positive = 7.0
    """An older value is not known: the longest holidays are shorter."""
    volatility_index_limit: Positive = 40.0
    volatility_index_multiplier: Share = 0.5
    earnings_hours: NonNegative = 24.0
    release_minutes: NonNegative = 30.0
    margin_utilisation: Share = 0.60
    cash_reserve: Share = 0.20
    initial_margin: Share = 0.10
    """Futures and perpetual initial margin, share of notional."""
    initial_margin_stock: Share = 0.50
    """Stock initial margin, share of notional (Regulation T)."""
    broker_uses_intraday_margin: bool = False
    """During the phase-in from 2026-06-04 to 2027-10-20: the broker has left the old rule."""

    def per_trade_of(self, flow_class: str) -> tuple[float, str]:
        """Return the share of the account that a trade of a class may risk, and the rule's name."""
        del flow_class  # no class has a rule of its own here
        return self.per_trade, "per_trade"


class Costs(Section):
    """What a trade costs and when it fills: precise.md 24 and 27, volume-shock.md 10."""

    fee_profile: str = "auto"
    """Name of a dated fee table, or auto: the hedge venue's own."""
    half_spread_bps_perpetual: NonNegative = 0.5
    half_spread_stock: NonNegative = 0.01
    half_spread_ticks_future: NonNegative = 0.5
    slippage_bps: NonNegative = 0.0
    """Beyond the half spread, a side."""
    latency_ms: NonNegative = 1_000.0
    """From detection to the order at the venue."""
    cost_multiple: NonNegative = 1.0

    def half_spread(self, kind: HedgeKind, tick: float) -> tuple[float, float]:
        """Return half the assumed spread: basis points of the price, and price units on top.

        Raises
        ------
        ConfigError
            It is asked for an index, which nobody trades.
        """
        match kind:
            case HedgeKind.PERPETUAL:
                return self.half_spread_bps_perpetual, 0.0
            case HedgeKind.STOCK:
                return 0.0, self.half_spread_stock
            case HedgeKind.FUTURE:
                return 0.0, self.half_spread_ticks_future * tick
            case HedgeKind.INDEX:
                raise ConfigError("an index is not traded: it has no spread", where="costs")


class Null(Section):
    """The matched random entries that a result is set against: evidence.md 2."""

    match_minutes: Positive = 60.0
    draws_on_bars: Annotated[int, Field(ge=100)] = 10_000
    draws_on_ticks: Annotated[int, Field(ge=100)] = 10_000


class StrategyConfig(Section):
    """What every strategy's configuration has."""

    STRATEGY: ClassVar[str]
    """Name of the strategy, as on the command line."""

    preset: Literal["normalized", "source"] = "normalized"
    hedge_instrument: str | None = None
    """Symbol of the instrument that is traded; without one, the underlying's perpetual or stock."""
    hedge_venue: str | None = None
    """Without one, the venue with the greatest median 5-minute volume in the catalog."""
    calendar: str | None = None
    """24/7 or an exchange_calendars name; without one, the option venue's own."""
    seed: Annotated[int, Field(ge=0)] = 20_250_411
    signing: Signing = Signing()
    scale: Scale = Scale()
    plan: TradePlan = TradePlan()
    risk: TradeRisk = TradeRisk()
    costs: Costs = Costs()
    null: Null = Null()

    @classmethod
    def normalized(cls) -> Self:
        """Return the dimensionless rules: the corrected defaults (precise.md 21, 23 and 28)."""
        return cls()

    @classmethod
    @abstractmethod
    def source(cls) -> Self:
        """Return the source documents' own rules and scales."""
