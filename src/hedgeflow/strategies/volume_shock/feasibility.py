"""What a configuration can and cannot do, in words, before any data is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

from hedgeflow.market.contracts import HedgeInstrument, HedgeKind
from hedgeflow.market.pressure import pressure
from hedgeflow.strategies.feasibility import (
    Case,
    Finding,
    Level,
    explained,
    fee_tables,
    limits,
    margins,
    product,
    round_trip,
)
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.plan import (
    AMBIGUOUS,
    EMERGENCY,
    HIGH,
    SWEEP,
    planned_contracts,
    stop_points,
)


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
    return explained(config, _RULES, price=price, hedge=hedge)


def _tiers(case: Case[VolumeShockConfig]) -> Iterator[Finding]:
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


def _costs(case: Case[VolumeShockConfig]) -> Iterator[Finding]:
    """Whether targets can pay the fees (precise.md 27)."""
    plan, scale = case.config.plan, case.config.scale
    costs = round_trip(case)
    if costs is None:
        return
    if case.point is not None:
        largest = plan.target_cap_points * case.point
        shares = costs.price / largest
        if shares >= 0.5:
            yield Finding(
                "conflict" if shares >= 1 else "warning",
                "plan.target_cap_points",
                f"{costs.words} against a target of at most {largest:,.2f}: "
                + ("targets cannot pay their costs." if shares >= 1 else "costs eat over half."),
            )
    elif scale.distance == "sigma" and costs.price > 0:
        sigma = costs.volatility_of(plan.target_cap_points, scale)
        yield Finding(
            "info",
            "plan.target_cap_points",
            f"The fees of a round trip in {costs.hedge.symbol} equal its largest target at a "
            f"yearly volatility of {sigma:.1%}; below that no target pays its costs.",
        )


def _sizes(case: Case[VolumeShockConfig]) -> Iterator[Finding]:
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


def _one_lot(case: Case[VolumeShockConfig]) -> Iterator[Finding]:
    """Whether one lot's stop fits what each class may risk (volume-shock.md 7)."""
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


def _class_shares(config: VolumeShockConfig) -> tuple[tuple[str, float], ...]:
    risk = config.risk
    return (
        ("sweep_per_trade", risk.sweep_per_trade),
        ("emergency_per_trade", risk.emergency_per_trade),
        ("ambiguous_per_trade", risk.ambiguous_per_trade),
    )


def _class_limits(case: Case[VolumeShockConfig]) -> Iterator[Finding]:
    """Limits of classes that the limit of any trade makes void."""
    risk = case.config.risk
    for name, share in _class_shares(case.config):
        if share > risk.per_trade:
            yield Finding(
                "conflict",
                f"risk.{name}",
                f"{name} of {share:.2%} is above per_trade of {risk.per_trade:.2%}, which wins.",
            )


def _times(case: Case[VolumeShockConfig]) -> Iterator[Finding]:
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


def _switches(case: Case[VolumeShockConfig]) -> Iterator[Finding]:
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


def _flat(case: Case[VolumeShockConfig]) -> Iterator[Finding]:
    """Whether there is a close to be flat before."""
    if case.hedge is not None and case.hedge.kind is HedgeKind.PERPETUAL:
        yield Finding(
            "info",
            "risk.flat_before_close_minutes",
            f"{case.hedge.symbol} trades around the clock: flat "
            f"{case.config.risk.flat_before_close_minutes:g} min before the close does not apply.",
        )


_RULES: Final[tuple[Callable[[Case[VolumeShockConfig]], Iterator[Finding]], ...]] = (
    _tiers,
    fee_tables,
    _costs,
    _sizes,
    _one_lot,
    margins,
    limits,
    _class_limits,
    _times,
    _switches,
    product,
    _flat,
)
