"""What a configuration can and cannot do, in words, before any data is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from hedgeflow.ledger.fees import FEE_PROFILES, fee_profile
from hedgeflow.market.contracts import HedgeInstrument, HedgeKind
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.pressure import pressure
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.plan import (
    AMBIGUOUS,
    EMERGENCY,
    HIGH,
    SWEEP,
    planned_contracts,
    stop_points,
)

Level = Literal["info", "warning", "conflict"]
BPS: Final = 1e-4


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
class _Case:
    config: VolumeShockConfig
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


def explain_config(
    config: VolumeShockConfig,
    *,
    price: float | None = None,
    hedge: HedgeInstrument | None = None,
) -> list[Finding]:
    """Return conflicts first, then warnings, then what is merely good to know.

    Parameters
    ----------
    config : VolumeShockConfig
    price : float, optional
        A present price of the hedge instrument; costs and margins cannot be judged without.
    hedge : HedgeInstrument, optional
        What would be traded; lots and products cannot be judged without.
    """
    traded = None if hedge is None or hedge.kind is HedgeKind.INDEX else hedge
    case = _Case(config, price, traded)
    found = [finding for rule in _RULES for finding in rule(case)]
    if hedge is not traded and hedge is not None:
        found.append(_not_tradable(hedge))
    rank = {"conflict": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda finding: rank[finding.level])


def _not_tradable(hedge: HedgeInstrument) -> Finding:
    return Finding(
        "conflict",
        "hedge_instrument",
        f"{hedge.symbol} is an index: it cannot be bought or sold. Alerts can be found, none can "
        "be traded.",
    )


def _tiers(case: _Case) -> Iterator[Finding]:
    """What the tier model's steps make unreachable (volume-shock.md 5, precise.md 20)."""
    response, rules, alert = case.config.response, case.config.classifier, case.config.alert
    tiers = response.model == "tiers"
    when = "The" if tiers else "While too few responses are known to calibrate, the"
    level: Level = "warning" if tiers else "info"
    urgent = response.urgent_minutes
    if rules.emergency_response_below_minutes <= urgent <= rules.sweep_response_above_minutes:
        yield Finding(
            level,
            "classifier",
            f"{when} URGENT tier (exactly {urgent:g} min) is neither above "
            f"{rules.sweep_response_above_minutes:g} nor below "
            f"{rules.emergency_response_below_minutes:g} min, so events between "
            f"{response.urgent_demand:,.0f} and {response.emergency_demand:,.0f} are always "
            "ambiguous.",
        )
    if (
        urgent >= rules.emergency_response_below_minutes
        and response.emergency_demand > rules.emergency_demand_above
    ):
        yield Finding(
            level,
            "classifier.emergency_demand_above",
            f"{when} emergency's demand above {rules.emergency_demand_above:,.0f} never binds: a "
            f"response below {rules.emergency_response_below_minutes:g} min needs more than "
            f"{response.emergency_demand:,.0f} already.",
        )
    ceiling = pressure(response.urgent_demand, response.routine_minutes)
    if alert.pressure_rule == "fixed" and ceiling <= alert.pressure_threshold:
        only = urgent <= rules.sweep_response_above_minutes < response.routine_minutes
        sweep = ", the only tier slow enough for a sweep: no sweep can alert" if only else ""
        yield Finding(
            "conflict" if tiers else level,
            "alert.pressure_threshold",
            f"{when} ROUTINE tier (at most {response.urgent_demand:,.0f} over "
            f"{response.routine_minutes:g} min squared = {ceiling:g}) never exceeds the pressure "
            f"threshold {alert.pressure_threshold:g}{sweep}.",
        )
    if rules.mode == "signature" and rules.sweep_ratio_above <= case.config.anomaly.ratio:
        yield Finding(
            "warning",
            "classifier.sweep_ratio_above",
            f"A sweep's ratio above {rules.sweep_ratio_above:g} never binds: an anomaly needs "
            f"{case.config.anomaly.ratio:g} already.",
        )


def _costs(case: _Case) -> Iterator[Finding]:
    """Whether targets can pay the fees (precise.md 27)."""
    costs, plan, scale = case.config.costs, case.config.plan, case.config.scale
    if costs.cost_multiple == 0:
        yield Finding("warning", "costs.cost_multiple", "Costs are off: results are gross.")
    if case.hedge is None:
        if costs.fee_profile not in {"auto", *FEE_PROFILES}:
            yield _unknown_profile(case)
        return
    try:
        profile = fee_profile(costs.fee_profile, case.hedge)
    except ConfigError:
        yield _unknown_profile(case)
        return
    if profile.name == "conservative" and costs.fee_profile == "auto":
        yield Finding(
            "warning",
            "costs.fee_profile",
            f"No fee table is known for the venue '{case.hedge.venue}': "
            f"{profile.taker_fee_rate / BPS:g} bp a side is assumed.",
        )
    if case.price is None:
        return
    units = case.hedge.multiplier
    fee = profile.fee_usd(case.price * units, 1.0) / units
    spread_bps, spread_price = costs.half_spread(case.hedge.kind, case.hedge.tick)
    spread = case.price * spread_bps * BPS + spread_price
    slippage = case.price * costs.slippage_bps * BPS
    fee = 2 * costs.cost_multiple * (fee + spread + slippage)
    if case.point is not None:
        largest = plan.target_cap_points * case.point
        shares = fee / largest
        if shares >= 0.5:
            yield Finding(
                "conflict" if shares >= 1 else "warning",
                "plan.target_cap_points",
                f"At {case.price:,.0f} the costs of a round trip in {case.hedge.symbol} come to "
                f"{fee:,.2f} a unit against a target of at most {largest:,.2f}: "
                + ("targets cannot pay their costs." if shares >= 1 else "costs eat over half."),
            )
    elif scale.distance == "sigma" and fee > 0:
        minutes = 525_600.0 if case.hedge.kind is HedgeKind.PERPETUAL else 252.0 * 390.0
        points = fee / case.price * scale.sigma_points
        sigma = points / plan.target_cap_points / math.sqrt(scale.sigma_minutes / minutes)
        yield Finding(
            "info",
            "plan.target_cap_points",
            f"The fees of a round trip in {case.hedge.symbol} equal its largest target at a yearly "
            f"volatility of {sigma:.1%}; below that no target pays its costs.",
        )


def _unknown_profile(case: _Case) -> Finding:
    return Finding(
        "conflict",
        "costs.fee_profile",
        f"No fee table is called '{case.config.costs.fee_profile}': use auto or one of "
        f"{', '.join(sorted(FEE_PROFILES))}.",
    )


def _sizes(case: _Case) -> Iterator[Finding]:
    """Sizes that always, or at the threshold, round down to nothing (precise.md 26)."""
    if case.hedge is None:
        return
    config, lot, symbol = case.config, case.hedge.lot, case.hedge.symbol
    ratio = config.anomaly.ratio
    linear = config.alert.confidence == "linear"
    least = (ratio if linear else math.log2(ratio)) / config.alert.confidence_divisor
    least = min(config.alert.confidence_cap, max(0.0, least))
    reference = config.plan.demand_reference
    unlimited = reference * config.plan.demand_multiplier_cap
    for flow_class, key in (
        (SWEEP, "plan.sweep_multiplier"),
        (EMERGENCY, "plan.emergency_multiplier"),
        (AMBIGUOUS, "plan.ambiguous_multiplier"),
    ):
        most = planned_contracts(config.alert.confidence_cap, flow_class, unlimited, config.plan)
        usual = planned_contracts(least, flow_class, reference, config.plan)
        if most == 0:
            yield Finding("info", key, f"{flow_class} is observed, never traded: its size is zero.")
        elif most < lot:
            yield Finding(
                "conflict",
                key,
                f"{flow_class} never reaches one lot of {lot:g} {symbol}: at most {most:.2f} "
                "contracts, which always round down to zero.",
            )
        elif usual < lot:
            yield Finding(
                "warning",
                key,
                f"At ratio {ratio:g} and a demand of {reference:,.0f} the size of {flow_class} is "
                f"{usual:.2f} contracts, which rounds down to zero lots of {lot:g} {symbol}.",
            )


def _one_lot(case: _Case) -> Iterator[Finding]:
    """Whether one lot's stop and margin fit the account (volume-shock.md 7)."""
    if case.hedge is None or case.price is None:
        return
    risk, hedge = case.config.risk, case.hedge
    units = hedge.lot * hedge.units_per_contract
    if case.point is not None:
        loss = units * stop_points(HIGH, case.config.plan) * case.point
        for name, share in _class_shares(case.config):
            allowed = min(share, risk.per_trade) * risk.account_usd
            if loss > allowed:
                yield Finding(
                    "conflict",
                    f"risk.{name}",
                    f"One lot of {hedge.symbol} loses {loss:,.0f} USD at the nearest stop, above "
                    f"the {allowed:,.0f} USD that {name} allows.",
                )
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


def _class_shares(config: VolumeShockConfig) -> tuple[tuple[str, float], ...]:
    risk = config.risk
    return (
        ("sweep_per_trade", risk.sweep_per_trade),
        ("emergency_per_trade", risk.emergency_per_trade),
        ("ambiguous_per_trade", risk.ambiguous_per_trade),
    )


def _limits(case: _Case) -> Iterator[Finding]:
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
    for name, share in _class_shares(case.config):
        if share > risk.per_trade:
            yield Finding(
                "conflict",
                f"risk.{name}",
                f"{name} of {share:.2%} is above per_trade of {risk.per_trade:.2%}, which wins.",
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


def _times(case: _Case) -> Iterator[Finding]:
    """Time rules that exclude each other or do not apply."""
    config = case.config
    plan, costs, anomaly = config.plan, config.costs, config.anomaly
    latency_minutes = costs.latency_ms / 60_000
    if latency_minutes > plan.oldest_alert_minutes:
        yield Finding(
            "conflict",
            "costs.latency_ms",
            f"A latency of {latency_minutes:g} min is above the {plan.oldest_alert_minutes:g} "
            "min that an alert may be old: nothing is traded.",
        )
    sweep = plan.sweep_longest_response_minutes + plan.response_buffer_minutes
    if plan.limit == "response" and sweep > plan.limit_low_minutes:
        yield Finding(
            "info",
            "plan.limit",
            f"By the response rule a sweep is held {sweep:g} min, longer than the "
            f"{plan.limit_low_minutes:g} min of the urgency rule.",
        )
    windows = ", ".join(f"{seconds:g} s" for seconds in anomaly.windows_seconds)
    yield Finding(
        "info",
        "anomaly.windows_seconds",
        f"Windows of {windows} are looked at; on a tape whose stamps are floored to r, those "
        "shorter than 2 r are not.",
    )


def _switches(case: _Case) -> Iterator[Finding]:
    """What stays on when target, stop, time limit or sizing is switched off (evidence.md 6)."""
    plan = case.config.plan
    if not plan.stop:
        yield Finding(
            "warning",
            "plan.stop",
            "No position is stopped: sizes are made with the stop's distance, but nothing bounds "
            "what a trade loses.",
        )
    if not (plan.target or plan.stop or plan.time_limit):
        yield Finding(
            "conflict",
            "plan.time_limit",
            "Neither target nor stop nor time limit ends a position: it is held to the close, a "
            "gap or the end of the data.",
        )
    if plan.sizing == "fixed":
        yield Finding(
            "info",
            "plan.sizing",
            f"Every trade is planned at {plan.base_contracts:g} contracts: confidence, demand and "
            "class decide no size, but a class whose multiplier is 0 is still not traded.",
        )


def _product(case: _Case) -> Iterator[Finding]:
    """What depends on the kind of instrument."""
    if case.hedge is None:
        return
    hedge, risk = case.hedge, case.config.risk
    if hedge.kind is HedgeKind.PERPETUAL:
        yield Finding(
            "info",
            "risk.flat_before_close_minutes",
            f"{hedge.symbol} trades around the clock: flat {risk.flat_before_close_minutes:g} min "
            "before the close does not apply.",
        )
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


_RULES: Final[tuple[Callable[[_Case], Iterator[Finding]], ...]] = (
    _tiers,
    _costs,
    _sizes,
    _one_lot,
    _limits,
    _times,
    _switches,
    _product,
)
