"""What plans of an expiration-pressure configuration can and cannot do: rewards, costs, time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hedgeflow.market.expiries import ROOTS
from hedgeflow.signals.settlement_rules import Urgency
from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.plan import buffer_minutes, stop_points
from hedgeflow.strategies.feasibility import Case, Finding, round_trip

ExpirationCase = Case[ExpirationPressureConfig]


def rewards(case: ExpirationCase) -> Iterator[Finding]:
    """How near targets are to the price, and what that makes of a win rate (flaws 2.D7)."""
    plan = case.config.plan
    nearest = nearest_target(plan.target_floor_points, plan.target_multiple)
    at = plan.target_floor_points / plan.target_multiple
    stops = [stop_points(urgency, plan) for urgency in Urgency]
    if plan.min_reward_risk * max(stops) <= nearest:
        rates = "/".join(f"{100 * stop / (stop + nearest):.0f}" for stop in stops)
        words = "/".join(f"{stop:g}" for stop in stops)
        yield Finding(
            "warning",
            "plan.min_reward_risk",
            f"Steering away from a strike {at:g} points off, the target is {nearest:g} points "
            f"away against stops of {words}: a price without any drift wins {rates} %. A win rate "
            "says nothing here; look at what a trade earns.",
        )
        return
    for urgency in Urgency:
        yield from _allowed_distances(urgency, case.config)


def nearest_target(floor: float, multiple: float) -> float:
    """Return the least distance of price and target when steering away, points.

    The target is max(floor, multiple x d) beyond a strike d points behind the price: so it is
    nearest where both are equal.
    """
    return floor - floor / multiple


def refused_distances(
    urgency: Urgency, config: ExpirationPressureConfig
) -> tuple[float, float] | None:
    """Return between which distances from the strike steering away is refused, points.

    Everything at and outside of the two is allowed; None if nothing is refused.
    """
    plan = config.plan
    risk = plan.min_reward_risk * stop_points(urgency, plan)
    if risk <= nearest_target(plan.target_floor_points, plan.target_multiple):
        return None
    beyond = math.inf if plan.target_multiple <= 1.0 else risk / (plan.target_multiple - 1.0)
    return plan.target_floor_points - risk, beyond


def _allowed_distances(urgency: Urgency, config: ExpirationPressureConfig) -> Iterator[Finding]:
    found = refused_distances(urgency, config)
    if found is None:
        return
    near, far = found
    stop = stop_points(urgency, config.plan)
    risk = config.plan.min_reward_risk * stop
    inside = f"at most {near:g} or " if near > 0.0 else ""
    limit = {
        Urgency.LOW: config.classes.pin_distance_below_points,
        Urgency.CRISIS: config.classes.panic_distance_below_points,
    }.get(urgency, math.inf)
    name = {Urgency.LOW: "PIN_RISK_MANAGEMENT", Urgency.CRISIS: "ASSIGNMENT_RISK_PANIC"}
    sentence = (
        f"With a reward of at least {config.plan.min_reward_risk:g} times a stop of {stop:g}, "
        f"{urgency.name} steers away only from strikes {inside}at least {far:g} points off, and "
        f"pins only to strikes at least {risk:g} points off"
    )
    never = [
        words
        for words, is_never in (
            ("steers away", near <= 0.0 and limit <= far),
            ("pins", limit <= risk),
        )
        if urgency in name and is_never
    ]
    if never:
        sentence += f": {name[urgency]}, nearer than {limit:g}, never {' nor '.join(never)}"
    yield Finding("warning" if never else "info", "plan.min_reward_risk", f"{sentence}.")


def target_costs(case: ExpirationCase) -> Iterator[Finding]:
    """Whether targets can pay the costs (precise.md 27)."""
    costs, plan, scale = round_trip(case), case.config.plan, case.config.scale
    if costs is None or costs.price == 0.0:
        return
    usual = plan.target_floor_points
    if case.point is not None:
        share = costs.price / (usual * case.point)
        if share >= 0.5:
            yield Finding(
                "conflict" if share >= 1 else "warning",
                "plan.target_floor_points",
                f"{costs.words} against the {usual:g} points from strike to target, "
                f"{usual * case.point:,.2f}: "
                + ("such targets cannot pay their costs." if share >= 1 else "over half."),
            )
    elif scale.distance == "sigma":
        yield Finding(
            "info",
            "plan.target_floor_points",
            f"The fees of a round trip in {costs.hedge.symbol} equal the {usual:g} points from "
            f"strike to target at a yearly volatility of {costs.volatility_of(usual, scale):.1%}.",
        )


def one_lot(case: ExpirationCase) -> Iterator[Finding]:
    """Whether one lot's stop fits what a trade may risk."""
    if case.hedge is None or case.point is None:
        return
    risk, hedge = case.config.risk, case.hedge
    allowed = risk.per_trade * risk.account_usd
    for urgency in Urgency:
        points = stop_points(urgency, case.config.plan)
        loss = hedge.lot * hedge.units_per_contract * points * case.point
        if loss > allowed:
            yield Finding(
                "conflict",
                "risk.per_trade",
                f"One lot of {hedge.symbol} loses {loss:,.0f} USD at the stop of {urgency.name}, "
                f"above the {allowed:,.0f} USD that a trade may risk.",
            )


def holding(case: ExpirationCase) -> Iterator[Finding]:
    """What time is left to hold anything, and which clock ends it (flaws 2.D11, precise.md 34)."""
    clock, plan = case.config.clock, case.config.plan
    ends = {
        Urgency.LOW: case.config.filter.minutes,
        Urgency.HIGH: clock.high_minutes,
        Urgency.CRISIS: clock.crisis_minutes,
    }
    for urgency in Urgency:
        buffer = max(buffer_minutes(urgency, plan), plan.danger_minutes)
        key = f"plan.buffer_{urgency.name.lower()}_minutes"
        begins = (clock.high_minutes, clock.crisis_minutes, 0.0)[urgency]
        if buffer >= ends[urgency]:
            yield Finding(
                "conflict",
                key,
                f"{urgency.name} can never trade: it begins {ends[urgency]:g} min before expiry, "
                f"and its positions end {buffer:g} min before it.",
            )
        elif buffer > begins:
            yield Finding(
                "info",
                key,
                f"{urgency.name} with {buffer:g} min left or less is refused (NO_TIME_LEFT): "
                "nothing could be held.",
            )
    buffers = (plan.buffer_low_minutes, plan.buffer_high_minutes, plan.buffer_crisis_minutes)
    if plan.danger_minutes == 0.0:
        yield Finding("warning", "plan.danger_minutes", "Positions may be held to expiry itself.")
    elif plan.time_limit and min(buffers) > plan.danger_minutes:
        yield Finding(
            "info",
            "plan.danger_minutes",
            f"With buffers of {'/'.join(f'{each:g}' for each in buffers)} min the exit at "
            f"{plan.danger_minutes:g} min never comes first: it guards against late fills only.",
        )


def flat(case: ExpirationCase) -> Iterator[Finding]:
    """What being flat before the close forbids here (flaws 2.D12)."""
    clock, minutes_flat = case.config.clock, case.config.risk.flat_before_close_minutes
    closed = [
        name
        for name, minutes in (("CRISIS", clock.crisis_minutes), ("HIGH", clock.high_minutes))
        if minutes_flat >= minutes
    ]
    if closed:
        yield Finding(
            "conflict",
            "risk.flat_before_close_minutes",
            f"Flat {minutes_flat:g} min before the close forbids all of {' and '.join(closed)} "
            f"where options expire at it. The exit at {case.config.plan.danger_minutes:g} min is "
            "there for that: set 0.",
        )
    elif minutes_flat == 0.0:
        yield Finding(
            "info",
            "risk.flat_before_close_minutes",
            "The volume shock is flat 30 min before the close, which would forbid CRISIS and a "
            f"third of HIGH here: the exit at {case.config.plan.danger_minutes:g} min takes its "
            "place.",
        )


def evolution(case: ExpirationCase) -> Iterator[Finding]:
    """What evolving does, and whether it is ever reached."""
    clock, plan = case.config.clock, case.config.plan
    if not plan.evolution:
        return
    if plan.precedence == "source":
        yield Finding(
            "warning",
            "plan.precedence",
            "A rise of urgency is looked at before target and stop: a position at its stop is "
            "added to, once, and stopped at the next price; on bars the order to add would"
            " fill where the stop ends the position, and so does not.",
        )
    if plan.time_limit and plan.buffer_high_minutes >= clock.crisis_minutes:
        yield Finding(
            "warning",
            "plan.buffer_high_minutes",
            f"Positions end {plan.buffer_high_minutes:g} min before expiry, before they could "
            f"evolve at {clock.crisis_minutes:g}.",
        )
    if plan.add_multiple > 0.0:
        yield Finding(
            "info",
            "plan.add_multiple",
            f"The evolution adds {plan.add_multiple:g} times what is held, which makes it "
            f"{1 + plan.add_multiple:g} times as big, as far as every cap allows: per_trade of "
            f"{case.config.risk.per_trade:.2%} is of the whole position.",
        )


def fixing(case: ExpirationCase) -> Iterator[Finding]:
    """What happens while settlement prices are averaged (flaws 2.D21)."""
    plan, clock = case.config.plan, case.config.clock
    averaged = {
        root.venue: root.terms.fixing_minutes
        for root in ROOTS.values()
        if root.terms.fixing_minutes > plan.danger_minutes
        and (case.hedge is None or root.underlying == case.hedge.underlying)
    }
    if not averaged:
        return
    where = " and ".join(f"{venue} ({minutes:g} min)" for venue, minutes in averaged.items())
    key = "plan.trade_in_fixing"
    if plan.trade_in_fixing:
        yield Finding(
            "warning",
            key,
            "Orders to open and to add are sent while the settlement price is averaged before"
            f" expiry, on {where}: there they move the price that options settle on, for which"
            " venues and supervisors may want a reason.",
        )
        return
    shortest = min(averaged.values())
    never = [
        name
        for name, minutes in (("HIGH", clock.high_minutes), ("CRISIS", clock.crisis_minutes))
        if minutes <= shortest
    ]
    told = f": {' and '.join(never)} can never trade there" if never else ""
    if plan.evolution and clock.crisis_minutes <= shortest:
        told += ", nor does the evolution add anything"
    yield Finding(
        "info",
        key,
        "Nothing is opened or added (INSIDE_FIXING) while the settlement price is averaged before"
        f" expiry, on {where}{told}.",
    )


def switches(case: ExpirationCase) -> Iterator[Finding]:
    """What stays on when a rule is switched off (evidence.md 6)."""
    plan, latency = case.config.plan, case.config.costs.latency_ms / 60_000
    if latency > plan.oldest_alert_minutes:
        yield Finding(
            "conflict",
            "costs.latency_ms",
            f"A latency of {latency:g} min is above the {plan.oldest_alert_minutes:g} min that an "
            "alert may be old: nothing is traded.",
        )
    if not plan.stop:
        yield Finding(
            "warning",
            "plan.stop",
            "No position is stopped: sizes are made with the stop's distance, but nothing bounds "
            "what a trade loses.",
        )
    if plan.sizing == "fixed":
        yield Finding(
            "info",
            "plan.sizing",
            f"Every trade is planned at {plan.base_contracts:g} contracts: urgency and confidence "
            "decide no size, but an urgency whose multiplier is 0 is still not traded.",
        )
