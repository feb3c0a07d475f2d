"""The figures of a record: what was earned, how evenly, at what cost, against what was claimed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hedgeflow.evidence.drawdown import Drawdown, drawdown
from hedgeflow.evidence.estimates import Estimate, missing
from hedgeflow.evidence.latency import Latency, latency
from hedgeflow.evidence.manifest import Manifest
from hedgeflow.evidence.performance import (
    AlertCounts,
    EquityPoint,
    Profit,
    Results,
    alert_counts,
    equity,
    profit,
    results,
)
from hedgeflow.evidence.resampling import Resampling, by_session
from hedgeflow.evidence.sharpe import implied_sharpe, implied_win_rate, sharpe_annualised
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import Trades, session_index
from hedgeflow.evidence.verdict import setting


@dataclass(frozen=True, slots=True)
class PerformanceMetrics:
    """What the strategy earned.

    Attributes
    ----------
    trades, sessions, sessions_with_trades : int
        Trades, sessions in which the strategy could trade, and those in which it did.
    first_session, last_session : str or None
        ISO dates; None without sessions.
    sessions_per_year : float
        By which figures are annualised.
    overall : Results
        Results of all trades.
    sharpe_annualised : Estimate
        Of daily net profit, days without trades included.
    sharpe_implied, win_rate_implied : Estimate
        What win rate, payoff and frequency imply for the Sharpe ratio, and the other way round.
    drawdown : Drawdown
        The largest fall of the account.
    profit : Profit
        From gross to net.
    equity : tuple of EquityPoint
        The account after every session.
    execution_latency : Latency
        From detection to entry.
    alerts : AlertCounts
        What became of the alerts.
    """

    trades: int
    sessions: int
    sessions_with_trades: int
    first_session: str | None
    last_session: str | None
    sessions_per_year: float
    overall: Results
    sharpe_annualised: Estimate
    sharpe_implied: Estimate
    win_rate_implied: Estimate
    drawdown: Drawdown
    profit: Profit
    equity: tuple[EquityPoint, ...]
    execution_latency: Latency
    alerts: AlertCounts


def performance_metrics(
    tables: EvidenceTables,
    trades: Trades,
    resampling: Resampling,
    claimed_rate: float,
    manifest: Manifest,
) -> PerformanceMetrics:
    """Return the figures of a record.

    Parameters
    ----------
    tables : EvidenceTables
    trades : Trades
        Those of the tables.
    resampling : Resampling
        Of the tables' sessions, for intervals.
    claimed_rate : float
        The claimed win rate, a share.
    manifest : Manifest
        For the cap of confidence that the run was made with.
    """
    sessions = tables.sessions
    daily = by_session(trades.net_usd, trades.session, len(sessions))
    overall = results(trades, resampling, claimed_rate)
    cap = next(
        (
            found
            for name in ("alert.confidence_cap", "pressure.confidence_cap")
            if isinstance(found := setting(manifest.config, name), float)
        ),
        None,
    )
    per_year = tables.sessions_per_year
    annual = sharpe_annualised(daily, trades.session, resampling, sessions_per_year=per_year)
    of_trade = session_index(tables.trades["session"], sessions).tolist()
    traded = dict(zip(tables.trades["trade_id"].to_list(), of_trade, strict=True))
    fall = drawdown(tables.ledger_entries, traded, resampling)
    implied, implied_rate = _implied(overall, annual, per_year)
    return PerformanceMetrics(
        trades=trades.count,
        sessions=len(sessions),
        sessions_with_trades=int(np.unique(trades.session).size),
        first_session=sessions[0] if sessions else None,
        last_session=sessions[-1] if sessions else None,
        sessions_per_year=per_year,
        overall=overall,
        sharpe_annualised=annual,
        sharpe_implied=implied,
        win_rate_implied=implied_rate,
        drawdown=fall,
        profit=profit(tables),
        equity=equity(sessions, daily, fall.capital_usd) if trades.count else (),
        execution_latency=latency(trades, tables.latency_limit_seconds),
        alerts=alert_counts(tables, cap),
    )


def _implied(overall: Results, annual: Estimate, per_year: float) -> tuple[Estimate, Estimate]:
    methods = (
        "annualised Sharpe of two-outcome trades with this win rate, payoff and frequency",
        "win rate at which this payoff and frequency give the annualised Sharpe",
    )
    win, loss = overall.average_win_usd.value, overall.average_loss_usd.value
    rate, frequency = overall.win_rate.value, overall.trades_per_session.value
    if rate is None or win is None or loss is None or frequency is None:
        reason = "no trades" if overall.trades == 0 else "wins and losses are both needed"
        first, second = (missing(reason, n=overall.trades, method=name) for name in methods)
        return first, second
    sharpe = implied_sharpe(rate, win, loss, frequency, per_year)
    first = Estimate(sharpe, n=overall.trades, method=methods[0])
    if annual.value is None:
        return first, missing(annual.reason, n=overall.trades, method=methods[1])
    back = implied_win_rate(annual.value, win, loss, frequency, per_year)
    return first, Estimate(back, n=overall.trades, method=methods[1])
