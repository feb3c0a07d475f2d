"""One account in a replay: what is open, decided, booked and noted, whichever strategy asks."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import polars as pl

from hedgeflow.fills import CostModel
from hedgeflow.ledger import Books, LedgerEntry, RoundTrip, ledger_frame
from hedgeflow.market.sessions import ALWAYS_OPEN, minutes_to_close
from hedgeflow.market.time import HOUR_NS, MINUTE_NS, moment_of
from hedgeflow.replay.tables import DECISION_SCHEMA, TRADE_SCHEMA
from hedgeflow.replay.tape import HedgeTape
from hedgeflow.risk import (
    Calendar,
    CalendarKind,
    Decision,
    Governor,
    MarketState,
    Reason,
    VolatilityIndex,
    calendar_sentence,
    pdt,
)
from hedgeflow.strategies.settings import StrategyConfig

IMPLIED: Final = "implied"
"""A `sigma_source` that contains this word serves as the underlying's own volatility index."""


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


class Held(Protocol):
    """A filled plan, followed to its end, which lies in the future of the decisions seen so far."""

    @property
    def ends_ns(self) -> int:
        """When it ends, UTC nanoseconds."""
        ...

    def killed(self, killed_ns: int) -> Held:
        """Return it ended by the first price that an order sent at an instant can get."""
        ...

    def round_trips(self, costs: CostModel) -> tuple[RoundTrip, ...]:
        """Return what the books take."""
        ...

    def row(self, trips: tuple[RoundTrip, ...], net_usd: float) -> dict[str, object]:
        """Return its row of the `trades` table."""
        ...


class Pending(NamedTuple):
    """A plan whose end lies in the future; without a position it was never filled."""

    at_ns: int
    alert_id: str
    tape: HedgeTape
    held: Held | None


@dataclass
class Account:
    """The governor, the books and the record of one account.

    Parameters
    ----------
    hedge : HedgeTape or mapping of underlying to HedgeTape
    config : StrategyConfig
    calendar : Calendar or None
    index : VolatilityIndex or None
    rules : tuple of str
        What the strategy has to say of its own ways out, noted for each tape.

    Notes
    -----
    Look-ahead: positions are followed to their end when they open, and nobody is told of it before
    `settle` has come to that instant.
    """

    hedge: HedgeTape | Mapping[str, HedgeTape]
    config: StrategyConfig
    calendar: Calendar | None
    index: VolatilityIndex | None
    rules: tuple[str, ...] = ()
    pending: list[Pending] = field(default_factory=list[Pending])
    costs: dict[str, CostModel] = field(default_factory=dict[str, CostModel])
    trades: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    notes: dict[str, None] = field(default_factory=dict[str, None])
    asked: int = 0
    known: int = 0
    """Decisions, and those at which the volatility index was known."""
    governor: Governor = field(init=False)
    books: Books | None = None

    def __post_init__(self) -> None:
        """Begin with the whole account and nothing open."""
        self.governor = Governor(self.config, self.config.risk.account_usd)

    def tape(self, underlying: str) -> HedgeTape | None:
        """Return what is traded for an underlying."""
        return self.hedge if isinstance(self.hedge, HedgeTape) else self.hedge.get(underlying)

    def open_books(self, underlyings: Iterable[str], period: tuple[int, int] | None) -> None:
        """Deposit the account before anything happens, and note what holds for the whole run.

        Parameters
        ----------
        underlyings : iterable of str
            Those of the alerts.
        period : tuple of int or None
            First and last detection, UTC nanoseconds; None without alerts.
        """
        tapes = [self.hedge] if isinstance(self.hedge, HedgeTape) else list(self.hedge.values())
        begins = [tape.first_ns for tape in tapes]
        if period is not None:
            begins.append(period[0])
            self._note_calendars(underlyings, period)
        if begins:
            self.books = Books(self.config.risk.account_usd, min(begins))
        for tape in tapes:
            model = CostModel.of(self.config.costs, tape.instrument)
            self.costs[tape.instrument.symbol] = model
            self.note(model.sentence)
            self._note_tape(tape)

    def note(self, sentence: str) -> None:
        """Keep a sentence for the reader; one that is there stays where it is."""
        self.notes[sentence] = None

    def _note_calendars(self, underlyings: Iterable[str], period: tuple[int, int]) -> None:
        risk = self.config.risk
        for underlying in sorted(set(underlyings)):
            for kind, within in (
                (CalendarKind.EARNINGS, risk.earnings_hours * HOUR_NS),
                (CalendarKind.RELEASE, risk.release_minutes * MINUTE_NS),
            ):
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
        for sentence in self.rules:
            self.note(sentence)
        if tape.sessions.calendar == ALWAYS_OPEN:
            self.note(f"{symbol} trades around the clock: flat before the close does not apply.")
        self.note(
            pdt(
                tape.instrument.kind,
                moment_of(tape.first_ns).date(),
                broker_uses_intraday_margin=self.config.risk.broker_uses_intraday_margin,
            ).sentence
        )

    def settle(self, now: int | None) -> None:
        """Book every position that has ended by now (None: all), and tell the governor."""
        while self.pending and (now is None or self.pending[0].at_ns <= now):
            ended = heapq.heappop(self.pending)
            net = self._book(ended.held, ended.tape) if ended.held is not None else 0.0
            was_killed = self.governor.killed is not None
            self.governor.enter_session(ended.tape.session_date(ended.at_ns))
            self.governor.close(ended.alert_id, ended.at_ns, net)
            if self.governor.killed is not None and not was_killed:
                self._flatten(ended.at_ns)

    def _flatten(self, killed_ns: int) -> None:
        """End every open position at the first price that an order sent now can get."""
        for i, pending in enumerate(self.pending):
            if pending.held is not None:
                held = pending.held.killed(killed_ns)
                self.pending[i] = pending._replace(at_ns=held.ends_ns, held=held)
        heapq.heapify(self.pending)

    def _book(self, held: Held, tape: HedgeTape) -> float:
        """Post a closed position, record its row, and return its net profit, USD."""
        trips = held.round_trips(self.costs[tape.instrument.symbol])
        assert self.books is not None  # noqa: S101 - opened with the first alert
        net = sum(self.books.post(trip) for trip in trips)
        self.trades.append(held.row(trips, net))
        return net

    def hold(self, alert_id: str, tape: HedgeTape, held: Held) -> None:
        """Follow a plan that was filled to its end."""
        heapq.heappush(self.pending, Pending(held.ends_ns, alert_id, tape, held))

    def give_up(self, alert_id: str, tape: HedgeTape, known_ns: int) -> None:
        """Keep a plan that never fills open until that is known."""
        heapq.heappush(self.pending, Pending(known_ns, alert_id, tape, None))

    def plan_of(self, alert_id: str) -> Pending | None:
        """Return the open plan of an alert; None if it has none, or has ended."""
        return next((each for each in self.pending if each.alert_id == alert_id), None)

    def replace(self, alert_id: str, held: Held) -> None:
        """Follow the open position of an alert as something else that ends at the same instant."""
        for i, pending in enumerate(self.pending):
            if pending.alert_id == alert_id:
                self.pending[i] = pending._replace(held=held)

    def market(
        self, tape: HedgeTape, price: float, now: int, implied_percent: float | None
    ) -> MarketState:
        """Return the market as known now.

        Parameters
        ----------
        tape : HedgeTape
        price : float
            The last one known.
        now : int
            UTC nanoseconds.
        implied_percent : float or None
            What takes the volatility index's place where none was named, percent per year.
        """
        volume = tape.previous_volume_contracts(now)
        symbol = tape.instrument.symbol
        if volume is None:
            self.note(
                f"For some alerts no complete earlier session of {symbol} was on the tape: its "
                "daily volume could not be tested."
            )
        index = implied_percent if self.index is None else self.index.at(now)
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

    def result(self, decisions: Iterable[Decision]) -> ReplayResult:
        """Book what is still open, check the books and return the tables."""
        self.settle(None)
        self._note_volatility()
        self.trades.sort(key=lambda row: (row["entry_ns"], row["trade_id"]))
        entries: tuple[LedgerEntry, ...] = ()
        if self.books is not None:
            self.books.check()
            entries = self.books.entries
        return ReplayResult(
            pl.DataFrame([_decision_row(each) for each in decisions], schema=DECISION_SCHEMA),
            pl.DataFrame(self.trades, schema=TRADE_SCHEMA),
            ledger_frame(entries),
            tuple(self.notes),
        )


def implied_percent(sigma: float | None, source: str | None) -> float | None:
    """Return an alert's own implied volatility, percent per year; None if it has none."""
    if sigma is None or source is None or IMPLIED not in source:
        return None
    return 100.0 * sigma


def no_hedge_data(alert_id: str, underlying: str, now: int) -> Decision:
    """Return the decision on an alert of an underlying that nothing could be traded for."""
    sentence = f"No price of a hedge instrument for {underlying} was known."
    return Decision(alert_id, now, Reason.NO_HEDGE_DATA, sentence)


def _decision_row(decision: Decision) -> dict[str, Any]:
    return {
        "alert_id": decision.alert_id,
        "decided_ns": decision.decided_ns,
        "kind": decision.kind,
        "reason_code": decision.reason.value,
        "sentence": decision.sentence,
        "plan_json": decision.plan.to_json() if decision.plan is not None else None,
    }
