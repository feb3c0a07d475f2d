"""The limits: one pure decision on one plan, from what is known of account and market."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from hedgeflow.market.contracts import HedgeInstrument
from hedgeflow.market.time import HOUR_NS, MINUTE_NS, SECOND_NS, moment_of
from hedgeflow.risk.calendars import Calendar, CalendarKind, ScheduledEvent
from hedgeflow.risk.decision import Decision, SizedPlan
from hedgeflow.risk.pattern_day_trader import pdt
from hedgeflow.risk.reasons import Reason
from hedgeflow.risk.sizing import MARGIN_CAPS, Sizing, size_plan
from hedgeflow.strategies.entry_plan import EntryPlan
from hedgeflow.strategies.settings import StrategyConfig


@dataclass(frozen=True, slots=True)
class AccountState:
    """The account as the governor knows it.

    Attributes
    ----------
    equity_usd : float
        Deposit plus the net profit of closed trades.
    day_start_equity_usd : float
        Equity when the session began: what the daily limit is a share of.
    realised_today_usd : float
        Net profit of the trades closed in this session.
    open_risk_usd, open_margin_usd : float
        Of open positions.
    positions : int
    positions_here : int
        In the instrument in question.
    killed : str
        Why trading is stopped; empty if it is not.
    """

    equity_usd: float
    day_start_equity_usd: float
    realised_today_usd: float
    open_risk_usd: float
    open_margin_usd: float
    positions: int
    positions_here: int
    killed: str = ""


@dataclass(frozen=True, slots=True)
class MarketState:
    """The hedge instrument's market as known at the decision.

    Attributes
    ----------
    instrument : HedgeInstrument
    minutes_to_close : float
        Infinity where markets never close, 0 outside sessions.
    previous_volume_contracts : float or None
        The previous complete session's volume, standard contracts; None if there was none.
    volatility_index : float or None
        Percent per year; None if not known.
    quote_age_seconds : float or None
        None where the tape has no quotes: then it cannot be tested.
    cost_per_contract_usd : float
        In and out, one standard contract.
    """

    instrument: HedgeInstrument
    minutes_to_close: float
    previous_volume_contracts: float | None
    volatility_index: float | None
    quote_age_seconds: float | None
    cost_per_contract_usd: float


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """A position from its plan to its exit (precise.md 25).

    Attributes
    ----------
    position_id : str
        The alert of its plan.
    instrument : str
    contracts : float
        Standard contracts.
    risk_usd, margin_usd : float
        As stated when it was planned and when it was added to.
    """

    position_id: str
    instrument: str
    contracts: float
    risk_usd: float
    margin_usd: float


@dataclass(frozen=True, slots=True)
class _Case:
    plan: EntryPlan
    account: AccountState
    market: MarketState
    calendar: Calendar | None
    config: StrategyConfig
    at_ns: int
    held: OpenPosition | None


_Refusal = tuple[Reason, str]


def decide(
    plan: EntryPlan,
    account: AccountState,
    market: MarketState,
    calendar: Calendar | None,
    config: StrategyConfig,
    at_ns: int,
    *,
    held: OpenPosition | None = None,
) -> Decision:
    """Return the sized plan, or the first limit that refuses it (volume-shock.md 7).

    Parameters
    ----------
    plan : EntryPlan
    account : AccountState
    market : MarketState
    calendar : Calendar or None
        None where the user brought none: then earnings and releases are not tested, and whoever
        calls says so.
    config : StrategyConfig
    at_ns : int
        The decision, UTC nanoseconds.
    held : OpenPosition, optional
        The position that the plan adds to: it is no new one, so that the number of positions is no
        matter, and the caps of one trade hold for both together. Its size has been through the
        volatility index already, which scales an addition no second time.

    Notes
    -----
    Look-ahead: none; calendars list what is scheduled beforehand.
    """
    case = _Case(plan, account, market, calendar, config, at_ns, held)
    for limit in _LIMITS:
        refusal = limit(case)
        if refusal is not None:
            return Decision(plan.alert_id, at_ns, *refusal)
    return _sized(case)


def _killed(case: _Case) -> _Refusal | None:
    if case.account.killed:
        return Reason.KILLED, f"Trading is stopped: {case.account.killed}."
    return None


def _account(case: _Case) -> _Refusal | None:
    rules, equity = case.config.risk, case.account.equity_usd
    if equity < rules.policy_minimum_account_usd:
        return Reason.ACCOUNT_TOO_SMALL, (
            f"The account holds {equity:,.0f} USD, below the policy's minimum of "
            f"{rules.policy_minimum_account_usd:,.0f} USD."
        )
    rule = pdt(
        case.market.instrument.kind,
        _date(case.at_ns),
        broker_uses_intraday_margin=rules.broker_uses_intraday_margin,
    )
    if rule.applies and equity < rule.minimum_equity_usd:
        return Reason.PATTERN_DAY_TRADER, f"{rule.sentence} The account holds {equity:,.0f} USD."
    return None


def _positions(case: _Case) -> _Refusal | None:
    if case.held is not None:
        return None
    rules, account = case.config.risk, case.account
    symbol = case.market.instrument.symbol
    if account.positions_here >= rules.positions_per_instrument:
        return Reason.POSITION_OPEN, (
            f"A position in {symbol} is still open, and one instrument carries at most "
            f"{rules.positions_per_instrument}."
        )
    if account.positions >= rules.positions:
        return Reason.POSITIONS_FULL, (
            f"{account.positions} positions are open, at most {rules.positions} are allowed."
        )
    return None


def _close(case: _Case) -> _Refusal | None:
    minutes, limit = case.market.minutes_to_close, case.config.risk.flat_before_close_minutes
    symbol = case.market.instrument.symbol
    if minutes <= 0:
        return Reason.MARKET_CLOSED, f"The market of {symbol} is closed."
    if minutes <= limit:
        return Reason.NEAR_CLOSE, (
            f"{minutes:.1f} minutes are left to the close of {symbol}; "
            f"positions are flat {limit:g} minutes before it."
        )
    return None


def _quote(case: _Case) -> _Refusal | None:
    age, limit = case.market.quote_age_seconds, case.config.plan.oldest_quote_seconds
    if age is not None and age > limit:
        return Reason.QUOTE_TOO_OLD, (
            f"The last quote of {case.market.instrument.symbol} is {age:.1f} s old, "
            f"older than {limit:g} s."
        )
    return None


def _liquidity(case: _Case) -> _Refusal | None:
    volume, least = case.market.previous_volume_contracts, case.config.risk.daily_volume_contracts
    if volume is not None and volume < least:
        return Reason.THIN_MARKET, (
            f"{case.market.instrument.symbol} traded {volume:,.0f} contracts in the previous "
            f"session, below {least:,.0f}."
        )
    return None


def _schedule(case: _Case) -> _Refusal | None:
    if case.calendar is None:
        return None
    rules, underlying = case.config.risk, case.plan.underlying

    def near(calendar: Calendar, kind: CalendarKind, within_ns: float) -> ScheduledEvent | None:
        if not within_ns:
            return None
        return calendar.near(case.at_ns, kind, underlying, round(within_ns))

    earnings = near(case.calendar, CalendarKind.EARNINGS, rules.earnings_hours * HOUR_NS)
    if earnings is not None:
        return Reason.EARNINGS, (
            f"Earnings of {underlying} ({earnings.name}) are within {rules.earnings_hours:g} hours."
        )
    release = near(case.calendar, CalendarKind.RELEASE, rules.release_minutes * MINUTE_NS)
    if release is not None:
        return Reason.RELEASE, (
            f"The release '{release.name}' is within {rules.release_minutes:g} minutes."
        )
    return None


def _day(case: _Case) -> _Refusal | None:
    if day_risk_left_usd(case.account, case.config) > 0:
        return None
    account, limit = case.account, case.config.risk.per_day * case.account.day_start_equity_usd
    return Reason.DAILY_RISK, (
        f"Today's realised result of {account.realised_today_usd:+,.0f} USD and open risk of "
        f"{account.open_risk_usd:,.0f} USD leave nothing of the day's {limit:,.0f} USD."
    )


_LIMITS: tuple[Callable[[_Case], _Refusal | None], ...] = (
    _killed,
    _account,
    _positions,
    _close,
    _quote,
    _liquidity,
    _schedule,
    _day,
)


def day_risk_left_usd(account: AccountState, config: StrategyConfig) -> float:
    """Return what the daily limit leaves for one more trade, USD.

    5 % of the equity that the session began with, less today's realised net loss, less open risk.
    """
    limit = config.risk.per_day * account.day_start_equity_usd
    return limit - max(0.0, -account.realised_today_usd) - account.open_risk_usd


def _sized(case: _Case) -> Decision:
    plan, account, market = case.plan, case.account, case.market
    rules = case.config.risk
    index = market.volatility_index
    halved = index is not None and index >= rules.volatility_index_limit and case.held is None
    sizing = size_plan(
        plan,
        market.instrument,
        rules,
        equity_usd=account.equity_usd,
        day_risk_left_usd=day_risk_left_usd(account, case.config),
        open_margin_usd=account.open_margin_usd,
        cost_per_contract_usd=market.cost_per_contract_usd,
        size_multiplier=rules.volatility_index_multiplier if halved else 1.0,
        held_contracts=0.0 if case.held is None else case.held.contracts,
        held_risk_usd=0.0 if case.held is None else case.held.risk_usd,
    )
    if sizing.contracts <= 0:
        return Decision(plan.alert_id, case.at_ns, *_no_size(case, sizing))
    sized = SizedPlan(
        entry=plan,
        size_contracts=sizing.contracts,
        units=sizing.contracts * market.instrument.units_per_contract,
        risk_usd=sizing.risk_usd,
        margin_usd=sizing.margin_usd,
        bound_by=sizing.bound_by,
    )
    sentence = _plan_sentence(sized, market.instrument)
    if halved and index is not None:
        sentence += f" The volatility index of {index:.1f} scaled the size."
    return Decision(plan.alert_id, case.at_ns, Reason.PLANNED, sentence, sized)


def _no_size(case: _Case, sizing: Sizing) -> _Refusal:
    if sizing.bound_by in MARGIN_CAPS:
        reason = Reason.MARGIN
    else:
        reason = Reason.DAILY_RISK if sizing.bound_by == "per_day" else Reason.SIZE_ZERO
    source = "the plan itself" if sizing.bound_by == "plan" else f"the cap {sizing.bound_by}"
    instrument = case.market.instrument
    return reason, (
        f"The size of {sizing.before_rounding:.4g} contracts, set by {source}, rounds down to zero "
        f"lots of {instrument.lot:g} {instrument.symbol}."
    )


def _plan_sentence(sized: SizedPlan, instrument: HedgeInstrument) -> str:
    entry = sized.entry
    verb = "Buy" if entry.direction > 0 else "Sell"
    bound = "" if sized.bound_by == "plan" else f", capped by {sized.bound_by}"
    return (
        f"{verb} {sized.size_contracts:g} {instrument.symbol} near "
        f"{entry.reference_price:g}{bound}: "
        f"target {entry.target:g}, stop {entry.stop:g}, at most {entry.limit_minutes:g} minutes, "
        f"{sized.risk_usd:,.0f} USD at risk."
    )


def _date(at_ns: int) -> date:
    return moment_of(at_ns - at_ns % SECOND_NS).date()
