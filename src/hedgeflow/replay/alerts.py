"""Replays alerts: each is decided with what was known then, and what follows goes to the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import polars as pl

from hedgeflow.fills import CostModel
from hedgeflow.ledger import RoundTrip
from hedgeflow.market.errors import ConfigError, DataError
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.replay.account import Account, ReplayResult, implied_percent, no_hedge_data
from hedgeflow.replay.position import (
    Closed,
    Entry,
    NoEntry,
    fill_entry,
    round_trip,
    trade_row,
)
from hedgeflow.replay.shock_exit import walk
from hedgeflow.replay.tape import HedgeTape
from hedgeflow.risk import Calendar, Decision, Reason, SizedPlan, VolatilityIndex
from hedgeflow.signals.hedge_progress import HedgeDone, HedgeProgress
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.plan import plan_entry

REQUIRED: Final = (
    "alert_id", "event_id", "unit", "triggered_ns", "detected_ns", "underlying", "contract",
    "direction", "demand", "demand_scaled", "pressure", "response_minutes", "urgency",
    "flow_class", "confidence", "point", "sigma", "sigma_source", "scale_volume",
)  # fmt: skip


def replay_alerts(
    alerts: pl.DataFrame,
    hedge: HedgeTape | Mapping[str, HedgeTape],
    config: VolumeShockConfig,
    *,
    calendars: Calendar | None = None,
    volatility_index: VolatilityIndex | None = None,
    hedges: HedgeProgress | None = None,
) -> ReplayResult:
    """Return what the strategy would have done on recorded alerts.

    Parameters
    ----------
    alerts : DataFrame
        The `alerts` table, in any order: it is sorted by detection, pressure descending, trigger
        and contract (precise.md 22).
    hedge : HedgeTape or mapping of underlying to HedgeTape
        One tape for all alerts, or one for each underlying.
    config : VolumeShockConfig
    calendars : Calendar, optional
        Earnings and releases; without one the notes say that neither was tested.
    volatility_index : VolatilityIndex, optional
        Without one an alert's own implied volatility takes its place, where it has one.
    hedges : HedgeProgress, optional
        What shows how much of a hedge is done, for the alerts of one underlying; needed, and
        read, under `plan.exit_when_hedged`.

    Raises
    ------
    ConfigError
        Positions are to end when the hedge is done, which nothing shows.
    DataError
        The alerts lack a column.

    Notes
    -----
    Look-ahead: a decision sees tapes, closed trades and alerts up to its own instant only. The
    fills that follow lie in its future and change no decision before them. Two runs give equal
    tables.
    """
    missing = [name for name in REQUIRED if name not in alerts.columns]
    if missing:
        raise DataError(f"the alerts lack {', '.join(missing)}", where="alerts")
    ordered = alerts.sort(
        ["detected_ns", "pressure", "triggered_ns", "contract", "alert_id"],
        descending=[False, True, False, False, False],
    )
    require_signed_trades(config, known=hedges is not None)
    watched = hedges if config.plan.exit_when_hedged else None
    account = Account(hedge, config, calendars, volatility_index, _own_rules(config))
    replay = _Replay(account, config, watched)
    period = None
    if ordered.height:
        period = (int(ordered["detected_ns"][0]), int(ordered["detected_ns"][-1]))
    account.open_books(ordered["underlying"], period)
    decisions = [replay.take(alert) for alert in ordered.iter_rows(named=True)]
    return account.result(decisions)


def require_signed_trades(config: VolumeShockConfig, *, known: bool) -> None:
    """Refuse a configuration that waits for hedges which nothing shows.

    Raises
    ------
    ConfigError
    """
    if config.plan.exit_when_hedged and not known:
        raise ConfigError(
            "positions cannot end when the hedge is done: no signed trades of the hedge instrument"
            " show it",
            where="plan.exit_when_hedged",
            hint="Switch it off, or import trades of the hedge instrument with their aggressor",
        )


def _own_rules(config: VolumeShockConfig) -> tuple[str, ...]:
    if not config.plan.exit_when_hedged:
        return ()
    sentence = (
        f"Positions also end when {100.0 * config.plan.hedged_share:g} % of the predicted hedge"
        " are seen to be done. Random entries have no hedge to wait for: they end by"
        " target, stop and time alone."
    )
    return (sentence,)


@dataclass(frozen=True, slots=True)
class _Position:
    """A filled plan, followed to its end."""

    alert: Mapping[str, Any]
    tape: HedgeTape
    plan: SizedPlan
    entry: Entry
    closed: Closed
    hedged: HedgeDone | None
    config: VolumeShockConfig

    @property
    def ends_ns(self) -> int:
        return self.closed.at_ns

    def killed(self, killed_ns: int) -> _Position:
        closed = walk(
            self.tape,
            self.plan,
            self.entry,
            self.config,
            killed_ns=killed_ns,
            hedged=self.hedged,
        )
        return replace(self, closed=closed)

    def round_trips(self, costs: CostModel) -> tuple[RoundTrip, ...]:
        return (round_trip(self.tape, self.plan, self.entry, self.closed, costs),)

    def row(self, trips: tuple[RoundTrip, ...], net_usd: float) -> dict[str, object]:
        detected = int(self.alert["detected_ns"])
        return trade_row(detected, self.tape, self.plan, trips, self.closed, net_usd)


@dataclass
class _Replay:
    account: Account
    config: VolumeShockConfig
    hedges: HedgeProgress | None
    planned_events: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    def take(self, alert: Mapping[str, Any]) -> Decision:
        """Decide one alert and, if it is traded, follow its position to the end."""
        now = int(alert["detected_ns"])
        self.account.settle(now)
        decision = self._refuse_repeat(alert, now) or self._decide(alert, now)
        tape = self.account.tape(alert["underlying"])
        if decision.plan is not None and tape is not None:
            return self._trade(alert, tape, decision, decision.plan, now)
        return decision

    def _refuse_repeat(self, alert: Mapping[str, Any], now: int) -> Decision | None:
        """Refuse every alert of an event but its first, whatever became of that (precise.md 25)."""
        event = (str(alert["underlying"]), int(alert["event_id"]))
        if event in self.planned_events:
            return Decision(
                alert["alert_id"],
                now,
                Reason.EVENT_ALREADY_PLANNED,
                f"Event {event[1]} of {event[0]} has had its one plan with its first alert.",
            )
        self.planned_events.add(event)
        return None

    def _decide(self, alert: Mapping[str, Any], now: int) -> Decision:
        account = self.account
        tape = account.tape(alert["underlying"])
        price = tape.price_known_at(now) if tape is not None else None
        if tape is None or price is None:
            return no_hedge_data(alert["alert_id"], alert["underlying"], now)
        account.governor.enter_session(tape.session_date(now))
        plan = plan_entry(
            alert,
            self.config,
            tape.instrument,
            price,
            minutes_per_year=tape.sessions.minutes_per_year,
        )
        implied = implied_percent(alert["sigma"], alert["sigma_source"])
        market = account.market(tape, price, now, implied)
        return account.governor.decide(plan, market, account.calendar, now)

    def _trade(
        self,
        alert: Mapping[str, Any],
        tape: HedgeTape,
        decision: Decision,
        plan: SizedPlan,
        now: int,
    ) -> Decision:
        """Fill a plan and follow it; return the decision, a skip if it never filled."""
        entry = fill_entry(tape, plan.entry.direction, now, self.config)
        if isinstance(entry, NoEntry):
            self.account.give_up(decision.alert_id, tape, entry.known_ns)
            return Decision(decision.alert_id, entry.known_ns, entry.reason, entry.sentence)
        hedged = self._hedged(alert, plan, entry)
        closed = walk(tape, plan, entry, self.config, hedged=hedged)
        position = _Position(alert, tape, plan, entry, closed, hedged, self.config)
        self.account.hold(decision.alert_id, tape, position)
        return decision

    def _hedged(self, alert: Mapping[str, Any], plan: SizedPlan, entry: Entry) -> HedgeDone | None:
        """Return when the predicted hedge was seen to be done, while the position may be open."""
        rules = self.config.plan
        if self.hedges is None or rules.hedge_share == 0.0:
            return None
        return self.hedges.done(
            int(alert["event_id"]),
            float(alert["demand"]) * rules.hedge_share,
            after_ns=entry.at_ns,
            until_ns=entry.at_ns + round(plan.entry.limit_minutes * MINUTE_NS),
            share=rules.hedged_share,
        )
