"""The governor: holds what one account has open, lost today, and whether trading is stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hedgeflow.market.errors import HedgeflowError
from hedgeflow.risk.calendars import Calendar
from hedgeflow.risk.decision import Decision
from hedgeflow.risk.limits import AccountState, MarketState, OpenPosition, decide
from hedgeflow.strategies.entry_plan import EntryPlan
from hedgeflow.strategies.settings import StrategyConfig


@dataclass(frozen=True, slots=True)
class Kill:
    """Trading is stopped: everything is flattened and nothing opens.

    Attributes
    ----------
    at_ns : int
    why : str
        A clause, without full stop.
    until_next_session : bool
        A breached daily limit ends with its day; a person's kill is released by a person.
    """

    at_ns: int
    why: str
    until_next_session: bool


class Governor:
    """One account's limits, above every strategy.

    Parameters
    ----------
    config : StrategyConfig
    equity_usd : float
        The account before the first trade.
    """

    def __init__(self, config: StrategyConfig, equity_usd: float) -> None:
        self._config = config
        self._equity = equity_usd
        self._day_start = equity_usd
        self._realised_today = 0.0
        self._session = ""
        self._open: dict[str, OpenPosition] = {}
        self._kill: Kill | None = None

    @property
    def equity_usd(self) -> float:
        """Deposit plus the net profit of closed trades, USD."""
        return self._equity

    @property
    def killed(self) -> Kill | None:
        """Why trading is stopped; None if it is not."""
        return self._kill

    @property
    def open_positions(self) -> tuple[OpenPosition, ...]:
        """Open positions, oldest first: what a kill must flatten."""
        return tuple(self._open.values())

    def enter_session(self, session: str) -> None:
        """Begin a session named by its ISO date: the day's account starts anew.

        A session that is not later than the present one changes nothing.
        """
        if session > self._session:
            self._session = session
            self._day_start = self._equity
            self._realised_today = 0.0
            if self._kill is not None and self._kill.until_next_session:
                self._kill = None

    def account(self, instrument: str) -> AccountState:
        """Return the account as limits see it, for one instrument."""
        positions = self._open.values()
        return AccountState(
            equity_usd=self._equity,
            day_start_equity_usd=self._day_start,
            realised_today_usd=self._realised_today,
            open_risk_usd=sum(position.risk_usd for position in positions),
            open_margin_usd=sum(position.margin_usd for position in positions),
            positions=len(positions),
            positions_here=sum(position.instrument == instrument for position in positions),
            killed=self._kill.why if self._kill is not None else "",
        )

    def decide(
        self, plan: EntryPlan, market: MarketState, calendar: Calendar | None, at_ns: int
    ) -> Decision:
        """Return the decision on a plan; a plan that passes is open from now on."""
        account = self.account(market.instrument.symbol)
        decision = decide(plan, account, market, calendar, self._config, at_ns)
        if decision.plan is not None:
            self._open[plan.alert_id] = OpenPosition(
                plan.alert_id,
                market.instrument.symbol,
                decision.plan.size_contracts,
                decision.plan.risk_usd,
                decision.plan.margin_usd,
            )
        return decision

    def add(
        self, plan: EntryPlan, market: MarketState, calendar: Calendar | None, at_ns: int
    ) -> Decision:
        """Return the decision on adding to the open position of the plan's alert.

        What passes belongs to the position from now on, with its risk and its margin; no risk that
        was stated before is taken back, whatever its stop has become.

        Raises
        ------
        HedgeflowError
            No position of that alert is open.
        """
        held = self._open.get(plan.alert_id)
        if held is None:
            raise HedgeflowError(f"no position '{plan.alert_id}' is open")
        account = self.account(market.instrument.symbol)
        decision = decide(plan, account, market, calendar, self._config, at_ns, held=held)
        if decision.plan is not None:
            self._open[plan.alert_id] = replace(
                held,
                contracts=held.contracts + decision.plan.size_contracts,
                risk_usd=held.risk_usd + decision.plan.risk_usd,
                margin_usd=held.margin_usd + decision.plan.margin_usd,
            )
        return decision

    def close(self, position_id: str, at_ns: int, net_usd: float) -> None:
        """Book a position's end; a loss that breaches the daily limit stops trading.

        Parameters
        ----------
        position_id : str
            The alert of its plan.
        at_ns : int
            UTC nanoseconds.
        net_usd : float
            Net profit; 0 for a plan that was never filled.
        """
        if self._open.pop(position_id, None) is None:
            raise HedgeflowError(f"no position '{position_id}' is open")
        self._equity += net_usd
        self._realised_today += net_usd
        limit = self._config.risk.per_day * self._day_start
        if self._kill is None and -self._realised_today >= limit > 0:
            self.kill(
                at_ns,
                f"today's loss of {-self._realised_today:,.0f} USD has reached the daily limit of "
                f"{limit:,.0f} USD",
                until_next_session=True,
            )

    def kill(self, at_ns: int, why: str, *, until_next_session: bool = False) -> None:
        """Stop trading. `open_positions` says what the caller must flatten."""
        self._kill = Kill(at_ns, why, until_next_session)

    def release(self) -> None:
        """Allow trading again."""
        self._kill = None
