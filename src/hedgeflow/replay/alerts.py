"""Replays alerts: each is decided with what was known then, and what follows goes to the record."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import polars as pl

from hedgeflow.fills import CostModel
from hedgeflow.ledger import Books, LedgerEntry, ledger_frame
from hedgeflow.market.errors import ConfigError, DataError
from hedgeflow.market.sessions import ALWAYS_OPEN, minutes_to_close
from hedgeflow.market.time import HOUR_NS, MINUTE_NS, moment_of
from hedgeflow.replay.position import (
    Closed,
    Entry,
    NoEntry,
    fill_entry,
    round_trip,
    trade_row,
    walk,
)
from hedgeflow.replay.tables import DECISION_SCHEMA, TRADE_SCHEMA
from hedgeflow.replay.tape import HedgeTape
from hedgeflow.risk import (
    Calendar,
    CalendarKind,
    Decision,
    Governor,
    MarketState,
    Reason,
    SizedPlan,
    VolatilityIndex,
    calendar_sentence,
    pdt,
)
from hedgeflow.signals.hedge_progress import HedgeDone, HedgeProgress
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.plan import plan_entry

IMPLIED: Final = "implied"
"""A `sigma_source` that contains this word serves as the underlying's own volatility index."""

REQUIRED: Final = (
    "alert_id", "event_id", "unit", "triggered_ns", "detected_ns", "underlying", "contract",
    "direction", "demand", "demand_scaled", "pressure", "response_minutes", "urgency",
    "flow_class", "confidence", "point", "sigma", "sigma_source", "scale_volume",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Everything that a replay decided, traded and booked.

    Attributes
    ----------
    decisions, trades, ledger_entries : DataFrame
        As `DECISION_SCHEMA`, `TRADE_SCHEMA` and the ledger's own; every alert has one decision.
    notes : tuple of str
        What could not be tested, what was assumed, in sentences.
    """

    decisions: pl.DataFrame
    trades: pl.DataFrame
    ledger_entries: pl.DataFrame
    notes: tuple[str, ...]


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
    replay = _Replay(hedge, config, calendars, volatility_index, watched)
    replay.open_books(ordered)
    for alert in ordered.iter_rows(named=True):
        replay.take(alert)
    return replay.finish()


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


@dataclass(frozen=True, slots=True)
class _Position:
    """A filled plan, followed to its end."""

    alert: Mapping[str, Any]
    tape: HedgeTape
    plan: SizedPlan
    entry: Entry
    closed: Closed
    hedged: HedgeDone | None


class _Pending(NamedTuple):
    """A plan whose end lies in the future of the alerts seen so far."""

    at_ns: int
    alert_id: str
    tape: HedgeTape
    position: _Position | None


@dataclass
class _Replay:
    hedge: HedgeTape | Mapping[str, HedgeTape]
    config: VolumeShockConfig
    calendar: Calendar | None
    index: VolatilityIndex | None
    hedges: HedgeProgress | None
    pending: list[_Pending] = field(default_factory=list[_Pending])
    planned_events: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    costs: dict[str, CostModel] = field(default_factory=dict[str, CostModel])
    decisions: list[Decision] = field(default_factory=list[Decision])
    trades: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    notes: dict[str, None] = field(default_factory=dict[str, None])
    asked: int = 0
    known: int = 0
    """Decisions, and those at which the volatility index was known."""
    governor: Governor = field(init=False)
    books: Books | None = None

    def __post_init__(self) -> None:
        self.governor = Governor(self.config, self.config.risk.account_usd)

    def tape(self, underlying: str) -> HedgeTape | None:
        return self.hedge if isinstance(self.hedge, HedgeTape) else self.hedge.get(underlying)

    def open_books(self, ordered: pl.DataFrame) -> None:
        """Deposit the account before anything happens, and note what holds for the whole run."""
        tapes = [self.hedge] if isinstance(self.hedge, HedgeTape) else list(self.hedge.values())
        begins = [tape.first_ns for tape in tapes]
        if ordered.height:
            begins.append(int(ordered["detected_ns"][0]))
        if begins:
            self.books = Books(self.config.risk.account_usd, min(begins))
        self._note_calendars(ordered)
        for tape in tapes:
            model = CostModel.of(self.config.costs, tape.instrument)
            self.costs[tape.instrument.symbol] = model
            self.note(model.sentence)
            self._note_tape(tape)

    def note(self, sentence: str) -> None:
        self.notes[sentence] = None

    def _note_calendars(self, ordered: pl.DataFrame) -> None:
        risk, detected = self.config.risk, ordered["detected_ns"]
        for underlying in sorted(set(ordered["underlying"])):
            for kind, within in (
                (CalendarKind.EARNINGS, risk.earnings_hours * HOUR_NS),
                (CalendarKind.RELEASE, risk.release_minutes * MINUTE_NS),
            ):
                period = (int(detected[0]), int(detected[-1]))
                self.note(calendar_sentence(self.calendar, kind, underlying, round(within), period))

    def _note_tape(self, tape: HedgeTape) -> None:
        symbol, plan = tape.instrument.symbol, self.config.plan
        if not tape.quoted:
            self.note(
                f"{symbol} is replayed on its {'trades' if tape.bars is None else 'bars'}, which"
                " hold no quotes: that an underlying quote is at most "
                f"{plan.oldest_quote_seconds:g} s old could not be tested, and half the spread is "
                "assumed, not measured."
            )
        off = [name for name in ("target", "stop", "time_limit") if not getattr(plan, name)]
        if off:
            self.note(
                f"Switched off: {', '.join(off).replace('_', ' ')}. Sizes and stated risk still"
                " rest on the stop's distance, and the win rate that barriers imply does not apply."
            )
        if plan.exit_when_hedged:
            self.note(
                f"Positions also end when {100.0 * plan.hedged_share:g} % of the predicted hedge"
                " are seen to be done. Random entries have no hedge to wait for: they end by"
                " target, stop and time alone."
            )
        if tape.sessions.calendar == ALWAYS_OPEN:
            self.note(f"{symbol} trades around the clock: flat before the close does not apply.")
        self.note(
            pdt(
                tape.instrument.kind,
                moment_of(tape.first_ns).date(),
                broker_uses_intraday_margin=self.config.risk.broker_uses_intraday_margin,
            ).sentence
        )

    def take(self, alert: Mapping[str, Any]) -> None:
        """Decide one alert and, if it is traded, follow its position to the end."""
        now = int(alert["detected_ns"])
        self._settle(now)
        decision = self._refuse_repeat(alert, now) or self._decide(alert, now)
        tape = self.tape(alert["underlying"])
        if decision.plan is not None and tape is not None:
            decision = self._trade(alert, tape, decision, decision.plan, now)
        self.decisions.append(decision)

    def _settle(self, now: int | None) -> None:
        """Book every position that has ended by now (None: all), and tell the governor."""
        while self.pending and (now is None or self.pending[0].at_ns <= now):
            ended = heapq.heappop(self.pending)
            net = self._book(ended.position) if ended.position is not None else 0.0
            was_killed = self.governor.killed is not None
            self.governor.enter_session(ended.tape.session_date(ended.at_ns))
            self.governor.close(ended.alert_id, ended.at_ns, net)
            if self.governor.killed is not None and not was_killed:
                self._flatten(ended.at_ns)

    def _flatten(self, killed_ns: int) -> None:
        """End every open position at the first price that an order sent now can get."""
        for i, pending in enumerate(self.pending):
            held = pending.position
            if held is None:
                continue
            closed = walk(
                held.tape,
                held.plan,
                held.entry,
                self.config,
                killed_ns=killed_ns,
                hedged=held.hedged,
            )
            position = replace(held, closed=closed)
            self.pending[i] = _Pending(closed.at_ns, pending.alert_id, held.tape, position)
        heapq.heapify(self.pending)

    def _book(self, position: _Position) -> float:
        """Post a closed position, record its row, and return its net profit, USD."""
        tape, plan = position.tape, position.plan
        costs = self.costs[tape.instrument.symbol]
        trade = round_trip(tape, plan, position.entry, position.closed, costs)
        assert self.books is not None  # noqa: S101 - opened with the first alert
        net = self.books.post(trade)
        self.trades.append(trade_row(position.alert, tape, plan, trade, position.closed, net))
        return net

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
        tape = self.tape(alert["underlying"])
        price = tape.price_known_at(now) if tape is not None else None
        if tape is None or price is None:
            return Decision(
                alert["alert_id"],
                now,
                Reason.NO_HEDGE_DATA,
                f"No price of a hedge instrument for {alert['underlying']} was known.",
            )
        self.governor.enter_session(tape.session_date(now))
        plan = plan_entry(
            alert,
            self.config,
            tape.instrument,
            price,
            minutes_per_year=tape.sessions.minutes_per_year,
        )
        market = self._market(alert, tape, price, now)
        return self.governor.decide(plan, market, self.calendar, now)

    def _market(
        self, alert: Mapping[str, Any], tape: HedgeTape, price: float, now: int
    ) -> MarketState:
        volume = tape.previous_volume_contracts(now)
        symbol = tape.instrument.symbol
        if volume is None:
            self.note(
                f"For some alerts no complete earlier session of {symbol} was on the tape: its "
                "daily volume could not be tested."
            )
        index = self._volatility(alert, now)
        self.asked += 1
        self.known += index is not None
        return MarketState(
            instrument=tape.instrument,
            minutes_to_close=minutes_to_close(tape.sessions, now),
            previous_volume_contracts=volume,
            volatility_index=index,
            quote_age_seconds=tape.quote_age_seconds(now),
            cost_per_contract_usd=self.costs[symbol].round_trip_usd(price, at_quotes=tape.quoted),
        )

    def _volatility(self, alert: Mapping[str, Any], now: int) -> float | None:
        if self.index is not None:
            return self.index.at(now)
        sigma, source = alert["sigma"], alert["sigma_source"]
        if sigma is None or source is None or IMPLIED not in str(source):
            return None
        return 100.0 * float(sigma)

    def _note_volatility(self) -> None:
        """Say which volatility was tested against the limit, and at how many decisions."""
        if not self.asked:
            return
        said = (
            "none was named; the alert's own implied volatility took its place, known"
            if self.index is None
            else f"{self.index.name}, known"
        )
        share = f"{self.known:,} of {self.asked:,} decisions ({self.known / self.asked:.1%})"
        unknown = "" if self.known == self.asked else "; at the others sizes were not changed"
        self.note(f"Volatility index: {said} at {share}{unknown}.")

    def _trade(
        self,
        alert: Mapping[str, Any],
        tape: HedgeTape,
        decision: Decision,
        plan: SizedPlan,
        now: int,
    ) -> Decision:
        """Fill a plan and follow it; return the decision, a skip if it never filled."""
        entry = fill_entry(tape, plan, now, self.config)
        if isinstance(entry, NoEntry):
            heapq.heappush(self.pending, _Pending(entry.known_ns, decision.alert_id, tape, None))
            return Decision(decision.alert_id, entry.known_ns, entry.reason, entry.sentence)
        hedged = self._hedged(alert, plan, entry)
        closed = walk(tape, plan, entry, self.config, hedged=hedged)
        position = _Position(alert, tape, plan, entry, closed, hedged)
        heapq.heappush(self.pending, _Pending(closed.at_ns, decision.alert_id, tape, position))
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

    def finish(self) -> ReplayResult:
        """Book what is still open, check the books and return the tables."""
        self._settle(None)
        self._note_volatility()
        self.trades.sort(key=lambda row: (row["entry_ns"], row["trade_id"]))
        entries: tuple[LedgerEntry, ...] = ()
        if self.books is not None:
            self.books.check()
            entries = self.books.entries
        decisions = [
            {
                "alert_id": decision.alert_id,
                "decided_ns": decision.decided_ns,
                "kind": decision.kind,
                "reason_code": decision.reason.value,
                "sentence": decision.sentence,
                "plan_json": decision.plan.to_json() if decision.plan is not None else None,
            }
            for decision in self.decisions
        ]
        return ReplayResult(
            pl.DataFrame(decisions, schema=DECISION_SCHEMA),
            pl.DataFrame(self.trades, schema=TRADE_SCHEMA),
            ledger_frame(entries),
            tuple(self.notes),
        )
