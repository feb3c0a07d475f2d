"""Replays expiration pressure: conditions instant by instant, one position an expiry at a time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import polars as pl

from hedgeflow.fills import order_arrival_ns
from hedgeflow.market.errors import DataError
from hedgeflow.market.time import MINUTE_NS, iso
from hedgeflow.replay.account import Account, ReplayResult, implied_percent, no_hedge_data
from hedgeflow.replay.evolving import (
    EVOLVED,
    EvolvingPosition,
    WalkedTape,
    added_contracts_of,
)
from hedgeflow.replay.position import Entry, NoEntry, fill_entry
from hedgeflow.replay.tape import HedgeTape
from hedgeflow.risk import Calendar, Decision, Reason, SizedPlan, VolatilityIndex
from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.plan import (
    ExpirationPlan,
    NoPlan,
    added_contracts,
    plan_entry,
)

READ_OF_ALERTS: Final = ("alert_id", "event_id", "detected_ns", "underlying", "sigma_source")
READ_OF_CONDITIONS: Final = (
    "at_ns", "expiry_ns", "strike", "alert_number", "urgency", "signal_class", "pressure",
    "confidence", "distance", "target_distance", "minutes_left", "dealer_gamma", "dealer_units",
    "price", "price_ns", "oi", "sigma", "point", "scale", "fixing_minutes",
)  # fmt: skip

Condition = Mapping[str, Any]
"""A row of the conditions with its alert's id, underlying and source of volatility."""


def replay_conditions(
    conditions: pl.DataFrame,
    alerts: pl.DataFrame,
    tapes: HedgeTape | Mapping[str, HedgeTape],
    config: ExpirationPressureConfig,
    *,
    calendars: Calendar | None = None,
    volatility_index: VolatilityIndex | None = None,
) -> ReplayResult:
    """Return what the strategy would have done while its alerts' conditions held.

    Parameters
    ----------
    conditions : DataFrame
        Rows of `CONDITION` in any order, with `fixing_minutes` as `plan_entry` reads it: a strike
        at an instant at which its alert's condition holds. Those of alerts that are not in `alerts`
        are left out. Where `alerts` are of several underlyings, a column `underlying` says whose an
        alert number is.
    alerts : DataFrame
        The `alerts` table; `event_id` is the alert number. One that was detected later, or earlier,
        than its first condition is acted on so much later: all its conditions are moved with it,
        and are judged by the price and the time left of then.
    tapes : HedgeTape or mapping of underlying to HedgeTape
        One tape for all alerts, or one for each underlying.
    config : ExpirationPressureConfig
    calendars : Calendar, optional
        Earnings and releases; without one the notes say that neither was tested.
    volatility_index : VolatilityIndex, optional
        Without one an alert's own implied volatility takes its place, where it has one.

    Raises
    ------
    DataError
        A column is missing, two alerts have one number, or an alert has no condition.

    Notes
    -----
    At each instant the strike with the highest pressure plans, of those of its expiry whose alert
    has not been traded yet; ties go to the nearest, then to the lower strike (precise.md 30). It is
    tried again as long as its condition holds. An alert has one decision: the plan that was filled,
    or the last reason why it was not, `decided_ns` being when that reason was given.

    Look-ahead: a plan sees tapes, closed trades and conditions up to its own instant only. That a
    plan was filled, or a reason was the last, is seen afterwards: `known_decisions` says when. Two
    runs give equal tables.
    """
    ordered = _ordered(conditions, alerts)
    account = Account(tapes, config, calendars, volatility_index, _own_rules(config))
    period = None
    if ordered.height:
        period = (int(ordered["at_ns"][0]), int(ordered["at_ns"][-1]))
    account.open_books(alerts["underlying"], period)
    replay = _Replay(account, config)
    for group in _groups(ordered):
        replay.take(group)
    decisions = replay.finish()
    order = alerts.sort("detected_ns", "alert_id")["alert_id"]
    return account.result(decisions[alert_id] for alert_id in order)


def known_decisions(result: ReplayResult, alerts: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions with `known_ns`: from when on an alert's decision is no other any more.

    A plan is its alert's decision from its fill on; a skip may be followed by another attempt until
    expiry, which is `response_minutes` after the alert was detected. What is changed after an
    instant changes no decision that was known by then.
    """
    expiry = pl.col("detected_ns") + (pl.col("response_minutes") * MINUTE_NS).ceil().cast(pl.Int64)
    return (
        result.decisions.join(
            alerts.select("alert_id", expiry_ns=expiry), on="alert_id", maintain_order="left"
        )
        .join(
            result.trades.select("alert_id", "entry_ns"),
            on="alert_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(known_ns=pl.coalesce("entry_ns", "expiry_ns"))
        .drop("entry_ns", "expiry_ns")
    )


def _ordered(conditions: pl.DataFrame, alerts: pl.DataFrame) -> pl.DataFrame:
    """Return conditions with their alerts, in the order in which they are looked at."""
    for name, frame, read in (
        ("conditions", conditions, READ_OF_CONDITIONS),
        ("alerts", alerts, READ_OF_ALERTS),
    ):
        missing = [column for column in read if column not in frame.columns]
        if missing:
            raise DataError(f"the {name} lack {', '.join(missing)}", where=name)
    keys = ["alert_number"]
    if "underlying" in conditions.columns:
        keys.append("underlying")
    of_alerts = alerts.select(
        "alert_id", "underlying", "sigma_source", "detected_ns", alert_number=pl.col("event_id")
    )
    if of_alerts.select(keys).is_duplicated().any():
        raise DataError(
            "two alerts have the same number",
            where="alerts.event_id",
            hint="Give conditions of several underlyings a column underlying",
        )
    joined = conditions.select(*READ_OF_CONDITIONS, *keys[1:]).join(of_alerts, on=keys)
    idle = alerts.filter(~pl.col("alert_id").is_in(joined["alert_id"].unique().to_list()))
    if idle.height:
        raise DataError(
            f"alert {idle['alert_id'][0]} has no condition",
            where="conditions",
            hint="Pass the conditions of the scan that made the alerts",
        )
    late_ns = pl.col("detected_ns") - pl.col("at_ns").min().over("alert_id")
    joined = joined.with_columns(late_ns=late_ns).with_columns(
        pl.col("at_ns") + pl.col("late_ns"),
        pl.col("minutes_left") - pl.col("late_ns") / MINUTE_NS,
    )
    highest = pl.col("pressure").max().over("at_ns", "underlying", "expiry_ns")
    return joined.with_columns(highest=highest).sort(
        ["at_ns", "highest", "underlying", "expiry_ns", "pressure", "distance", "strike"],
        descending=[False, True, False, False, True, False, False],
    )


def _groups(ordered: pl.DataFrame) -> Iterator[list[Condition]]:
    """Yield the strikes of one expiry at one instant, the one that plans first."""
    rows = ordered.iter_rows(named=True)
    for _, group in groupby(rows, key=itemgetter("at_ns", "underlying", "expiry_ns")):
        yield list(group)


def _own_rules(config: ExpirationPressureConfig) -> tuple[str, ...]:
    plan = config.plan
    danger = f"Positions end {plan.danger_minutes:g} minutes before expiry at the latest"
    if not plan.evolution:
        return (f"{danger}; they do not evolve.",)
    whose = "LOW or HIGH" if plan.add_on_high else "LOW"
    evolving = (
        f"{danger}; those that are open {config.clock.crisis_minutes:g} minutes before it evolve"
        f" once: the stop is tightened to {plan.tightened_stop_points:g} points, and to those that"
        f" began as {whose} up to {plan.add_multiple:g} times the size held is added."
    )
    return (evolving,)


@dataclass
class _Replay:
    account: Account
    config: ExpirationPressureConfig
    walked: dict[str, WalkedTape] = field(default_factory=dict[str, WalkedTape])
    last: dict[str, Decision] = field(default_factory=dict[str, Decision])
    """Of each alert, what was decided last."""
    traded: set[str] = field(default_factory=set[str])
    """Alerts whose plan was filled: they plan no more."""
    planning: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    """Of each expiry, the alert that planned last."""
    crossings: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """When open positions go into CRISIS, a heap."""
    implied: dict[str, float | None] = field(default_factory=dict[str, float | None])
    """Of alerts that were traded, the volatility at the decision, percent per year."""
    tried: int = 0

    def take(self, group: list[Condition]) -> None:
        """Decide on the strikes of one expiry at one instant."""
        first = group[0]
        now, underlying = int(first["at_ns"]), str(first["underlying"])
        self._settle(now)
        live = [row for row in group if row["alert_id"] not in self.traded]
        if not live:
            return
        key = (underlying, int(first["expiry_ns"]))
        holder = self.planning.get(key)
        if holder is not None and self.account.plan_of(holder) is not None:
            expiry = iso(key[1])
            for row in live:
                if row["alert_id"] != holder:  # an order on its way has the reason that it ends by
                    self._skip(
                        row,
                        now,
                        Reason.POSITION_OPEN,
                        f"Alert {holder} has an order or a position towards the expiry at {expiry},"
                        " and an expiry carries one at a time.",
                    )
            return
        best, *others = live
        for row in others:
            self._skip(
                row,
                now,
                Reason.OUTRANKED,
                f"Strike {best['strike']:g} pressed with {best['pressure']:.4g}, this one with"
                f" {row['pressure']:.4g}: only the first of an expiry may plan.",
            )
        decision = self._decide(best, now)
        self.last[best["alert_id"]] = decision
        self.planning[key] = best["alert_id"]

    def _skip(self, row: Condition, now: int, reason: Reason, sentence: str) -> None:
        self.last[row["alert_id"]] = Decision(row["alert_id"], now, reason, sentence)

    def _settle(self, now: int | None) -> None:
        """Let everything happen that is due by now, in its order (None: all)."""
        while self.crossings and (now is None or self.crossings[0][0] <= now):
            at_ns, alert_id = heapq.heappop(self.crossings)
            self.account.settle(at_ns)
            self._evolve(alert_id, at_ns)
        self.account.settle(now)

    def _evolve(self, alert_id: str, at_ns: int) -> None:
        """Ask the governor for what the evolution of an open position adds."""
        pending = self.account.plan_of(alert_id)
        held = None if pending is None else pending.held
        if not isinstance(held, EvolvingPosition) or held.evolution is None:
            return  # it has ended, or a kill ends it before
        left = (held.order.expiry_ns - at_ns) / MINUTE_NS
        contracts = added_contracts(held.order, held.plan.size_contracts, left, self.config.plan)
        order = held.addition(contracts)
        if order is None:
            return
        account, tape = self.account, held.walked.tape
        account.governor.enter_session(tape.session_date(at_ns))
        market = account.market(tape, held.evolution.price, at_ns, self.implied[alert_id])
        decision = account.governor.add(order, market, account.calendar, at_ns)
        if decision.plan is not None:
            account.replace(alert_id, replace(held, added=decision.plan))

    def _decide(self, row: Condition, now: int) -> Decision:
        """Plan on a condition and, if it is traded, follow the position to its end."""
        account, alert_id = self.account, str(row["alert_id"])
        tape = account.tape(row["underlying"])
        price = tape.price_known_at(now) if tape is not None else None
        then = tape.price_known_at(int(row["price_ns"])) if tape is not None else None
        if tape is None or price is None or then is None:
            return no_hedge_data(alert_id, row["underlying"], now)
        self.tried += 1
        account.governor.enter_session(tape.session_date(now))
        order = plan_entry(
            row,
            self.config,
            tape.instrument,
            price,
            price_then=then,
            alert_id=alert_id,
            underlying=row["underlying"],
        )
        if isinstance(order, NoPlan):
            return Decision(alert_id, now, Reason(order.reason), order.sentence)
        implied = implied_percent(row["sigma"], row["sigma_source"])
        market = account.market(tape, price, now, implied)
        decision = account.governor.decide(order, market, account.calendar, now)
        if decision.plan is None:
            return decision
        self.implied[alert_id] = implied
        return self._trade(tape, decision, decision.plan, order, now)

    def _trade(
        self,
        tape: HedgeTape,
        decision: Decision,
        plan: SizedPlan,
        order: ExpirationPlan,
        now: int,
    ) -> Decision:
        """Fill a plan and follow it; return the decision, a skip if it never filled."""
        walked = self._walked(tape)
        entry = self._fill(walked, order, now)
        if isinstance(entry, NoEntry):
            self.account.give_up(order.alert_id, tape, entry.known_ns)
            return Decision(order.alert_id, entry.known_ns, entry.reason, entry.sentence)
        held = EvolvingPosition.follow(walked, now, plan, order, entry)
        self.account.hold(order.alert_id, tape, held)
        self.traded.add(order.alert_id)
        if held.evolution is not None:
            heapq.heappush(self.crossings, (held.evolution.at_ns, order.alert_id))
        return decision

    def _fill(self, walked: WalkedTape, order: ExpirationPlan, now: int) -> Entry | NoEntry:
        """Return the entry fill: in time before expiry, and at a price short of the target.

        The order is a limit at the target: beyond it there is nothing left to win.
        """
        config, symbol = self.config, order.instrument
        last_ns = order.expiry_ns - walked.closing_ns
        entry = fill_entry(walked.tape, order.direction, now, config)
        at_ns = entry.known_ns if isinstance(entry, NoEntry) else entry.at_ns
        if order.opens_until_ns <= at_ns and order.opens_until_ns <= last_ns:
            return NoEntry(
                Reason.INSIDE_FIXING,
                f"No price of {symbol} came before {iso(order.opens_until_ns)}, from where on the"
                " settlement price is averaged: the order was good until then.",
                max(now, order.opens_until_ns),
            )
        if at_ns > last_ns:
            arrival = order_arrival_ns(now, config.costs.latency_ms)
            return NoEntry(
                Reason.NO_TIME_LEFT,
                f"No price of {symbol} came between the order's arrival at {iso(arrival)} and"
                f" {walked.closing_ns / MINUTE_NS:g} minutes before expiry.",
                max(now, last_ns),
            )
        if isinstance(entry, Entry) and not order.direction * (order.target - entry.price) > 0.0:
            return NoEntry(
                Reason.REWARD_BELOW_RISK,
                f"When the order was there, {symbol} stood at {entry.price:g}, no longer short of"
                f" the target at {order.target:g}.",
                entry.at_ns,
            )
        return entry

    def _walked(self, tape: HedgeTape) -> WalkedTape:
        symbol = tape.instrument.symbol
        if symbol not in self.walked:
            self.walked[symbol] = WalkedTape.of(tape, self.config)
        return self.walked[symbol]

    def finish(self) -> dict[str, Decision]:
        """Let everything end, and return each alert's decision."""
        self._settle(None)
        if self.last:
            self.account.note(
                f"A plan is tried again while its alert's condition holds: {self.tried:,} times for"
                f" {len(self.last):,} alerts; of those that were not traded the last reason is"
                " given."
            )
        flags = [str(trade["flags"]) for trade in self.account.trades]
        evolved = sum(EVOLVED in each.split(",") for each in flags)
        if evolved:
            self.account.note(
                f"{evolved:,} positions went into CRISIS while they were open; to"
                f" {sum(added_contracts_of(each) > 0 for each in flags):,} of them was added."
            )
        return self.last
