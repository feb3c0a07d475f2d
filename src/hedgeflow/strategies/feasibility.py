"""What any strategy's configuration can and cannot do, in words, before any data is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar

from hedgeflow.ledger.fees import FEE_PROFILES, fee_profile
from hedgeflow.market.contracts import HedgeInstrument, HedgeKind
from hedgeflow.market.errors import ConfigError
from hedgeflow.strategies.settings import Scale, StrategyConfig

Level = Literal["info", "warning", "conflict"]
BPS: Final = 1e-4
ConfigT_co = TypeVar("ConfigT_co", bound=StrategyConfig, covariant=True)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a configuration.

    Attributes
    ----------
    level : str
        ``info``; ``warning``: a rule never binds, or costs weigh; ``conflict``: the configuration
        cannot do what it says.
    key : str
        The setting, as section.name.
    sentence : str
    """

    level: Level
    key: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Case(Generic[ConfigT_co]):
    """A configuration, and what is known of what would be traded.

    Attributes
    ----------
    config : StrategyConfig
    price : float or None
        A present price of the hedge instrument.
    hedge : HedgeInstrument or None
        None where it is not known, or is an index, which nobody trades.
    """

    config: ConfigT_co
    price: float | None
    hedge: HedgeInstrument | None

    @property
    def point(self) -> float | None:
        """Price units in a source point, where that needs no data."""
        scale = self.config.scale
        if scale.distance == "points":
            return 1.0
        if scale.distance == "bps" and self.price is not None:
            return scale.bps_per_point * BPS * self.price
        return None


@dataclass(frozen=True, slots=True)
class RoundTripCosts:
    """What it costs to buy and sell again.

    Attributes
    ----------
    hedge : HedgeInstrument
    at : float
        The price that it was reckoned at.
    price : float
        Fees, half spreads and slippage of both sides, price units.
    """

    hedge: HedgeInstrument
    at: float
    price: float

    @property
    def words(self) -> str:
        """The same as the beginning of a sentence."""
        return (
            f"At {self.at:,.0f} the costs of a round trip in {self.hedge.symbol} come to "
            f"{self.price:,.2f} a unit"
        )

    def volatility_of(self, points: float, scale: Scale) -> float:
        """Return the annual volatility at which so many points of ``sigma`` are just the costs."""
        minutes = 525_600.0 if self.hedge.kind is HedgeKind.PERPETUAL else 252.0 * 390.0
        moved = self.price / self.at * scale.sigma_points
        return moved / points / math.sqrt(scale.sigma_minutes / minutes)


def explained(
    config: ConfigT_co,
    rules: Sequence[Callable[[Case[ConfigT_co]], Iterator[Finding]]],
    *,
    price: float | None,
    hedge: HedgeInstrument | None,
) -> list[Finding]:
    """Return what rules find: conflicts first, then warnings, then what is merely good to know."""
    traded = None if hedge is None or hedge.kind is HedgeKind.INDEX else hedge
    case = Case(config, price, traded)
    found = [finding for rule in rules for finding in rule(case)]
    if hedge is not None and hedge is not traded:
        found.append(
            Finding(
                "conflict",
                "hedge_instrument",
                f"{hedge.symbol} is an index: it cannot be bought or sold. Alerts can be found, "
                "none can be traded.",
            )
        )
    rank = {"conflict": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda finding: rank[finding.level])


def fee_tables(case: Case[Any]) -> Iterator[Finding]:
    """Whether costs are on, and whose fee table they follow (precise.md 27)."""
    costs = case.config.costs
    if costs.cost_multiple == 0:
        yield Finding("warning", "costs.cost_multiple", "Costs are off: results are gross.")
    known = costs.fee_profile in {"auto", *FEE_PROFILES}
    if not known:
        yield Finding(
            "conflict",
            "costs.fee_profile",
            f"No fee table is called '{costs.fee_profile}': use auto or one of "
            f"{', '.join(sorted(FEE_PROFILES))}.",
        )
    if case.hedge is None or not known or costs.fee_profile != "auto":
        return
    profile = fee_profile(costs.fee_profile, case.hedge)
    if profile.name == "conservative":
        yield Finding(
            "warning",
            "costs.fee_profile",
            f"No fee table is known for the venue '{case.hedge.venue}': "
            f"{profile.taker_fee_rate / BPS:g} bp a side is assumed.",
        )


def round_trip(case: Case[Any]) -> RoundTripCosts | None:
    """Return what a round trip costs; None where price, instrument or fee table is not known."""
    if case.hedge is None or case.price is None:
        return None
    costs = case.config.costs
    try:
        profile = fee_profile(costs.fee_profile, case.hedge)
    except ConfigError:
        return None
    units = case.hedge.multiplier
    fee = profile.fee_usd(case.price * units, 1.0) / units
    spread_bps, spread_price = costs.half_spread(case.hedge.kind, case.hedge.tick)
    spread = case.price * spread_bps * BPS + spread_price
    slippage = case.price * costs.slippage_bps * BPS
    total = 2 * costs.cost_multiple * (fee + spread + slippage)
    return RoundTripCosts(case.hedge, case.price, total)


def margins(case: Case[Any]) -> Iterator[Finding]:
    """Whether one lot's margin fits the account (volume-shock.md 7)."""
    if case.hedge is None or case.price is None:
        return
    risk, hedge = case.config.risk, case.hedge
    units = hedge.lot * hedge.units_per_contract
    rate = risk.initial_margin_stock if hedge.kind is HedgeKind.STOCK else risk.initial_margin
    margin = units * case.price * rate
    allowed = min(
        risk.buying_power_usd,
        risk.margin_utilisation * risk.account_usd,
        (1 - risk.cash_reserve) * risk.account_usd,
    )
    if margin > allowed:
        yield Finding(
            "conflict",
            "risk.buying_power_usd",
            f"One lot of {hedge.symbol} needs {margin:,.0f} USD of margin, above the "
            f"{allowed:,.0f} USD that may be used.",
        )


def limits(case: Case[Any]) -> Iterator[Finding]:
    """Limits that contradict or outlaw each other (volume-shock.md 7)."""
    risk = case.config.risk
    if risk.per_trade > risk.per_day:
        yield Finding(
            "conflict",
            "risk.per_trade",
            f"One trade may risk {risk.per_trade:.2%} but a whole day only {risk.per_day:.2%}.",
        )
    elif risk.positions * risk.per_trade > risk.per_day:
        yield Finding(
            "info",
            "risk.per_day",
            f"{risk.positions} positions of {risk.per_trade:.2%} exceed the day's "
            f"{risk.per_day:.2%}: the last is cut to what is left.",
        )
    if risk.account_usd < risk.policy_minimum_account_usd:
        yield Finding(
            "conflict",
            "risk.account_usd",
            f"The account of {risk.account_usd:,.0f} USD is below the policy's minimum of "
            f"{risk.policy_minimum_account_usd:,.0f}: nothing is traded.",
        )
    elif risk.account_usd < risk.recommended_account_usd:
        yield Finding(
            "warning",
            "risk.account_usd",
            f"The account of {risk.account_usd:,.0f} USD is below the recommended "
            f"{risk.recommended_account_usd:,.0f}.",
        )
    usable = risk.margin_utilisation * risk.account_usd
    if risk.buying_power_usd > usable:
        yield Finding(
            "conflict",
            "risk.buying_power_usd",
            f"Buying power of {risk.buying_power_usd:,.0f} USD is above the {usable:,.0f} USD that "
            f"{risk.margin_utilisation:.0%} margin utilisation of the account allows, which wins.",
        )
    if risk.margin_utilisation + risk.cash_reserve > 1:
        yield Finding(
            "conflict",
            "risk.cash_reserve",
            f"{risk.margin_utilisation:.0%} margin utilisation leaves less than the reserve of "
            f"{risk.cash_reserve:.0%}, which wins.",
        )
    if risk.volatility_index is None:
        yield Finding(
            "info",
            "risk.volatility_index",
            f"No volatility index is named: for the limit of {risk.volatility_index_limit:g} % the "
            "alert's own implied volatility takes its place.",
        )
    if risk.positions_per_instrument > risk.positions:
        yield Finding(
            "warning",
            "risk.positions_per_instrument",
            f"{risk.positions_per_instrument} positions an instrument never bind: "
            f"{risk.positions} are allowed in all.",
        )


def product(case: Case[Any]) -> Iterator[Finding]:
    """What depends on the kind of instrument."""
    if case.hedge is None:
        return
    hedge, risk = case.hedge, case.config.risk
    if hedge.kind is HedgeKind.PERPETUAL:
        yield Finding(
            "info",
            "risk.volatility_index_limit",
            f"Coins' implied volatility is often above {risk.volatility_index_limit:g}: sizes are "
            f"then multiplied by {risk.volatility_index_multiplier:g}.",
        )
    if hedge.kind is HedgeKind.STOCK:
        yield Finding(
            "info",
            "risk.policy_minimum_account_usd",
            "Stocks fall under the pattern-day-trader rule until intraday margin replaces it "
            "(from 2026-06-04, everywhere from 2027-10-20).",
        )
    else:
        yield Finding(
            "info",
            "risk.policy_minimum_account_usd",
            f"The pattern-day-trader rule does not apply to a {hedge.kind.value}; the minimum of "
            f"{risk.policy_minimum_account_usd:,.0f} USD is our own policy.",
        )
