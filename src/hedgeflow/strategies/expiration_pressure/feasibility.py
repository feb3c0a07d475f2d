"""What an expiration-pressure configuration can and cannot do, in words, before data is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

from hedgeflow.market.contracts import HedgeInstrument, HedgeKind
from hedgeflow.signals.settlement_rules import STANDARD_MULTIPLIER, Urgency
from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.plan import buffer_minutes, planned_contracts
from hedgeflow.strategies.expiration_pressure.plan_feasibility import (
    ExpirationCase,
    evolution,
    fixing,
    flat,
    holding,
    one_lot,
    rewards,
    switches,
    target_costs,
)
from hedgeflow.strategies.feasibility import (
    Finding,
    explained,
    fee_tables,
    limits,
    margins,
    product,
)

APPLE_OPEN_INTEREST: Final = 267_806
"""Contracts open at all strikes together in AAPL's expiry of 2014-06-06.

The 200,794 of precise.md 28 are what was traded of them on that day.
"""
MOST_COINS: Final = {"BTC": 12_521, "ETH": 80_248}
"""Most coins open at one strike, calls and puts, in Deribit's chains of 2026-01 to 2026-04."""
HALF: Final = 0.5
"""A probability beside 1: it asks for twice the open interest."""
LATER_MINUTES: Final = (60.0, 120.0)
"""Minutes left at which LOW's needs are told besides its own last minute."""


def explain_config(
    config: ExpirationPressureConfig,
    *,
    price: float | None = None,
    hedge: HedgeInstrument | None = None,
) -> list[Finding]:
    """Return conflicts first, then warnings, then what is merely good to know.

    Parameters
    ----------
    config : ExpirationPressureConfig
    price : float, optional
        A present price of the hedge instrument; costs and margins cannot be judged without.
    hedge : HedgeInstrument, optional
        What would be traded; without one, sizes are judged as of a future of whole contracts.
    """
    return explained(config, _RULES, price=price, hedge=hedge)


def soonest_minutes(urgency: Urgency, config: ExpirationPressureConfig) -> float:
    """Return the fewest minutes left of an urgency at which a position can still be held.

    Its pressure is greatest there, so nothing needs less open interest than this moment does.
    """
    clock, plan = config.clock, config.plan
    begins = (clock.high_minutes, clock.crisis_minutes, 0.0)[urgency]
    return max(begins, buffer_minutes(urgency, plan), plan.danger_minutes)


def needed_open_interest(
    pressure: float, minutes: float, probability: float, config: ExpirationPressureConfig
) -> float:
    """Return the open interest beyond which a strike has a pressure, and alerts at all."""
    return max(config.pressure.oi_above, pressure * max(1.0, minutes * minutes) / probability)


def pressure_for_a_lot(urgency: Urgency, config: ExpirationPressureConfig, lot: float) -> float:
    """Return the pressure from which a plan is one lot at least; infinite if none is enough."""
    pressure, plan = config.pressure, config.plan
    if planned_contracts(pressure.confidence_cap, urgency, plan) < lot:
        return math.inf
    if plan.sizing == "fixed":
        return pressure.threshold
    full = planned_contracts(1.0, urgency, plan)
    return max(pressure.threshold, pressure.confidence_divisor * lot / full)


def _urgencies(case: ExpirationCase) -> Iterator[Finding]:
    """Which urgencies can never trade, and what the others need (flaws 2.D4)."""
    config, lot, of_lot = case.config, *_lot(case)
    is_linear = config.pressure.threshold_rule == "fixed" and config.pressure.confidence == "linear"
    for urgency in Urgency:
        key = f"plan.{urgency.name.lower()}_multiplier"
        most = planned_contracts(config.pressure.confidence_cap, urgency, config.plan)
        if most == 0:
            yield Finding("info", key, f"{urgency.name} is observed, never traded: its size is 0.")
        elif most < lot:
            yield Finding(
                "conflict",
                key,
                f"{urgency.name} can never trade: its size is at most {most:.3g} contracts, which "
                f"rounds down to zero {of_lot}.",
            )
        elif is_linear:
            yield _needs(urgency, case, lot, of_lot)


def _needs(urgency: Urgency, case: ExpirationCase, lot: float, of_lot: str) -> Finding:
    """Say what an urgency needs to alert, and what to trade a lot, at its best moment."""
    config = case.config
    rules, name = config.pressure, urgency.name
    key, soonest = f"plan.{name.lower()}_multiplier", soonest_minutes(urgency, config)

    def needs(pressure: float, minutes: float, probability: float = 1.0) -> str:
        return f"{needed_open_interest(pressure, minutes, probability, config):,.0f}"

    coin, first = _coin(case), needed_open_interest(rules.threshold, soonest, 1.0, config)
    is_relative = config.scale.demand == "relative"  # then units are no contracts
    coins = "" if coin is None or is_relative else f" ({first * STANDARD_MULTIPLIER:,.0f} {coin})"
    sentence = (
        f"{name} with {soonest:g} min left needs over {needs(rules.threshold, soonest)} "
        f"{_unit(case)}{coins} at the strike to alert if the probability is 1, "
        f"{needs(rules.threshold, soonest, HALF)} if it is {HALF:g}"
    )
    later = [minutes for minutes in LATER_MINUTES if minutes > soonest]
    if urgency is Urgency.LOW and later:
        told = " and ".join(f"{needs(rules.threshold, each)} with {each:g} min" for each in later)
        sentence += f" ({told})"
    enough = pressure_for_a_lot(urgency, config, lot)
    if enough <= rules.threshold:
        return Finding("info", key, f"{sentence}; whatever alerts is at least a lot.")
    pressed = first / max(1.0, soonest**2)
    least = min(rules.confidence_cap, pressed / rules.confidence_divisor)
    size = planned_contracts(least, urgency, config.plan)
    sentence += (
        f"; confidence is then {least:.3g} and the size {size:.3g} contracts, which rounds down to "
        f"zero {of_lot}; one lot needs {needs(enough, soonest)}"
    )
    if (
        config.scale.demand == "absolute"
        and needed_open_interest(enough, soonest, 1.0, config) > APPLE_OPEN_INTEREST
    ):
        return Finding(
            "conflict",
            key,
            f"{sentence}, more than the {APPLE_OPEN_INTEREST:,} of all strikes together in AAPL's "
            f"expiry of 2014-06-06: {name} can never trade.",
        )
    if urgency is not Urgency.LOW:
        begins = (config.clock.high_minutes, config.clock.crisis_minutes)[urgency - 1]
        sentence += f", and {needs(enough, begins)} when it begins with {begins:g} min"
    return Finding("warning", key, f"{sentence}.")


def _unit(case: ExpirationCase) -> str:
    config, coin = case.config, _coin(case)
    unit = "contracts" if coin is None else f"contracts of {STANDARD_MULTIPLIER:g} {coin}"
    if config.scale.demand == "relative":
        unit = "reference units"
    if config.pressure.time == "session":
        unit += f" (in a session of {config.pressure.session_minutes:g} min)"
    return unit


def _coin(case: ExpirationCase) -> str | None:
    """Return the coin that is traded; None of what has contracts of 100 of its own."""
    is_coin = case.hedge is not None and case.hedge.kind is HedgeKind.PERPETUAL
    return case.hedge.underlying if is_coin and case.hedge is not None else None


def _coins(case: ExpirationCase) -> Iterator[Finding]:
    """How much open interest an alert needs at least, in coins, and whether that was ever seen."""
    coin, floor = _coin(case), case.config.pressure.oi_above
    if coin is None:
        return
    coins = floor * STANDARD_MULTIPLIER
    sentence = (
        f"An alert needs more open interest than {floor:,.10g} contracts of"
        f" {STANDARD_MULTIPLIER:g} {coin} at one strike, which is {coins:,.10g} {coin}"
    )
    most = MOST_COINS.get(coin)
    if most is None:
        yield Finding("info", "pressure.oi_above", f"{sentence}.")
        return
    seen = f"the most in Deribit's chains of January to April 2026 was {most:,}"
    if coins >= most:
        yield Finding(
            "conflict", "pressure.oi_above", f"{sentence}; {seen}: nothing could alert there."
        )
    else:
        yield Finding("info", "pressure.oi_above", f"{sentence}; {seen}.")


def _lot(case: ExpirationCase) -> tuple[float, str]:
    if case.hedge is None:
        return 1.0, "contracts of a future that trades in whole ones"
    return case.hedge.lot, f"lots of {case.hedge.lot:g} {case.hedge.symbol}"


def _layers(case: ExpirationCase) -> Iterator[Finding]:
    """Lines of filter and classes that others make void (precise.md 32, flaws 2.D20)."""
    config = case.config
    pressure, chosen, classes = config.pressure, config.filter, config.classes
    if chosen.oi <= pressure.oi_above:
        yield Finding(
            "warning",
            "filter.oi",
            f"The filter's open interest of {chosen.oi:,.0f} never binds: an alert needs more than "
            f"{pressure.oi_above:,.0f} already.",
        )
    if pressure.threshold_rule == "fixed" and chosen.pressure <= pressure.threshold:
        yield Finding(
            "warning",
            "filter.pressure",
            f"The filter's pressure of {chosen.pressure:g} never binds: an alert needs more than "
            f"{pressure.threshold:g} already.",
        )
    if pressure.threshold_rule == "fixed" and config.scale.demand == "absolute":
        least = needed_open_interest(pressure.threshold, config.clock.high_minutes, 1.0, config)
        if classes.pin_oi_above < least:
            yield Finding(
                "warning",
                "classes.pin_oi_above",
                f"PIN_RISK_MANAGEMENT's open interest above {classes.pin_oi_above:,.0f} never "
                f"binds: a LOW alert needs over {least:,.0f} already.",
            )
    if classes.pin_minutes > chosen.minutes:
        yield Finding(
            "warning",
            "classes.pin_minutes",
            f"PIN_RISK_MANAGEMENT begins {classes.pin_minutes:g} min before expiry, but there is "
            f"no alert earlier than {chosen.minutes:g}.",
        )


def _history(case: ExpirationCase) -> Iterator[Finding]:
    """What the quantile's history means for alerts and sizes (precise.md 28)."""
    pressure = case.config.pressure
    if pressure.threshold_rule != "quantile":
        return
    yield Finding(
        "info",
        "pressure.quantile_expiries",
        f"There is no alert before {pressure.quantile_expiries} earlier expiries are known "
        "(NO_HISTORY).",
    )
    if pressure.confidence == "rank" and pressure.threshold_quantile >= pressure.confidence_cap:
        yield Finding(
            "warning",
            "pressure.confidence",
            f"An alert's rank is at least the {pressure.threshold_quantile:g} quantile that it "
            f"exceeded, so confidence is always at its cap of {pressure.confidence_cap:g}: sizes "
            "go by urgency alone.",
        )


def _probability(case: ExpirationCase) -> Iterator[Finding]:
    """What the source's probability does (flaws 2.D2)."""
    if case.config.pressure.probability == "source":
        yield Finding(
            "warning",
            "pressure.probability",
            "The source's probability is at least 0.8, 0.5 or 0.2 however far the strike, so "
            "distance hardly matters near expiry; as time runs it falls and then jumps (5 points "
            "away: 0.83, 0.75, 0.80).",
        )


_RULES: Final[tuple[Callable[[ExpirationCase], Iterator[Finding]], ...]] = (
    _urgencies,
    _coins,
    _layers,
    _history,
    _probability,
    rewards,
    fee_tables,
    target_costs,
    one_lot,
    margins,
    limits,
    holding,
    flat,
    evolution,
    fixing,
    switches,
    product,
)
