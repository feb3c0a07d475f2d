"""What the trades earned: rates, results, costs, holding and latency, in all and by flow class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import Estimate, FloatArray, missing
from hedgeflow.evidence.rates import (
    WILSON,
    barrier_implied,
    win_rate,
    win_rate_exact,
    wins_needed,
)
from hedgeflow.evidence.resampling import METHOD, Resampling, by_session, clustered_mean
from hedgeflow.evidence.sharpe import sharpe_per_trade
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import Trades


@dataclass(frozen=True, slots=True)
class WinsNeeded:
    """The fewest wins of so many trades that show a rate by the Wilson lower bound.

    Attributes
    ----------
    threshold : float
        The rate to be shown.
    trades : int
        Of how many.
    wins : int or None
        The fewest wins whose lower bound reaches it; None where not even all would.
    """

    threshold: float
    trades: int
    wins: int | None


@dataclass(frozen=True, slots=True)
class Results:
    """Results of all trades, or of one class; every figure is net of costs unless named gross.

    Attributes
    ----------
    trades, wins, losses, flat : int
        Trades, those that won, lost, and ended at exactly nothing.
    win_rate : Estimate
        Share won, Wilson interval.
    win_rate_exact : Estimate
        The same, Clopper–Pearson interval.
    win_rate_day_clustered : Estimate
        The same, sessions resampled.
    barrier_implied_win_rate : Estimate
        Mean of stop / (stop + target): what a price without drift would give.
    wins_needed : WinsNeeded
        Wins that would show the claimed rate.
    expectancy_usd, expectancy_bps, expectancy_points : Estimate
        Mean net result of a trade: in money, in basis points of what was traded, in price units.
    average_win_points, average_loss_points : Estimate
        Mean of the winners and of the losers, both positive.
    average_win_usd, average_loss_usd : Estimate
        The same in money.
    payoff_ratio : Estimate
        Average win over average loss.
    profit_factor : Estimate
        Sum of wins over sum of losses.
    sharpe_per_trade : Estimate
        Mean over standard deviation of net basis points of a trade.
    hold_minutes : Estimate
        Mean time from entry to exit.
    trades_per_session : Estimate
        Mean over all sessions, those without trades included.
    exit_reasons : dict
        Trades by the reason of their exit.
    """

    trades: int
    wins: int
    losses: int
    flat: int
    win_rate: Estimate
    win_rate_exact: Estimate
    win_rate_day_clustered: Estimate
    barrier_implied_win_rate: Estimate
    wins_needed: WinsNeeded
    expectancy_usd: Estimate
    expectancy_bps: Estimate
    expectancy_points: Estimate
    average_win_points: Estimate
    average_loss_points: Estimate
    average_win_usd: Estimate
    average_loss_usd: Estimate
    payoff_ratio: Estimate
    profit_factor: Estimate
    sharpe_per_trade: Estimate
    hold_minutes: Estimate
    trades_per_session: Estimate
    exit_reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class Profit:
    """Sums over all trades; gross less costs is net, and so is the sum of the ledger's entries.

    Attributes
    ----------
    gross_usd : float or None
        Before costs; None without trades, as all of these.
    fees_usd, spread_usd, slippage_usd : float or None
        What was paid.
    net_usd : float or None
        Gross less those.
    ledger_net_usd : float or None
        The same as the sum of the ledger's entries.
    cost_per_trade_usd : float or None
        Mean cost of a trade.
    costs_note : str
        Which fees, spreads and slippage were charged.
    """

    gross_usd: float | None
    fees_usd: float | None
    spread_usd: float | None
    slippage_usd: float | None
    net_usd: float | None
    ledger_net_usd: float | None
    cost_per_trade_usd: float | None
    costs_note: str


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """One session of the account: its net profit, the account after it, the fall from its peak.

    Attributes
    ----------
    session : str
        ISO date.
    net_usd : float
        Net profit of the session.
    equity_usd : float
        The account after it.
    drawdown : float
        Fall from the peak so far, as a share of that peak.
    """

    session: str
    net_usd: float
    equity_usd: float
    drawdown: float


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """What became of the alerts.

    Attributes
    ----------
    alerts, events : int
        Alerts, and the events that they belong to.
    planned, skipped : int
        Alerts that were planned to be traded, and that were not.
    skip_reasons, by_class : dict
        Skipped alerts by reason code, and alerts by class.
    at_confidence_cap : Estimate
        Share of alerts that carry the largest confidence there is.
    """

    alerts: int
    events: int
    planned: int
    skipped: int
    skip_reasons: dict[str, int]
    by_class: dict[str, int]
    at_confidence_cap: Estimate


def results(trades: Trades, resampling: Resampling, claimed_rate: float) -> Results:
    """Return the results of `trades`, with bounds from resampled sessions.

    Parameters
    ----------
    trades : Trades
        All trades or those of one class.
    resampling : Resampling
        Session draws.
    claimed_rate : float
        The win rate whose proof is counted in `wins_needed`.
    """
    count, wins = trades.count, trades.wins
    won, lost = trades.net_usd > 0, trades.net_usd < 0

    def mean(values: FloatArray, what: str = "mean") -> Estimate:
        return clustered_mean(values, trades.session, resampling, what=what)

    def part(values: FloatArray, rows: np.ndarray, none: str) -> Estimate:
        return clustered_mean(
            np.abs(values[rows]), trades.session[rows], resampling, none=none, what="mean size"
        )

    win_usd = part(trades.net_usd, won, "no winning trades")
    loss_usd = part(trades.net_usd, lost, "no losing trades")
    lost_usd = float(-trades.net_usd[lost].sum())
    return Results(
        trades=count,
        wins=wins,
        losses=int(lost.sum()),
        flat=count - wins - int(lost.sum()),
        win_rate=win_rate(wins, count),
        win_rate_exact=win_rate_exact(wins, count),
        win_rate_day_clustered=mean(won.astype(np.float64), "share of wins"),
        barrier_implied_win_rate=barrier_implied(trades.stop, trades.target),
        wins_needed=WinsNeeded(claimed_rate, count, wins_needed(count, claimed_rate)),
        expectancy_usd=mean(trades.net_usd),
        expectancy_bps=mean(trades.net_bps),
        expectancy_points=mean(trades.net_points),
        average_win_points=part(trades.net_points, won, "no winning trades"),
        average_loss_points=part(trades.net_points, lost, "no losing trades"),
        average_win_usd=win_usd,
        average_loss_usd=loss_usd,
        payoff_ratio=_ratio(win_usd.value, loss_usd.value, count, "average win / average loss"),
        profit_factor=_ratio(
            float(trades.net_usd[won].sum()), lost_usd, count, "sum of wins / sum of losses"
        ),
        sharpe_per_trade=sharpe_per_trade(trades.net_bps, trades.session, resampling),
        hold_minutes=mean(trades.hold_minutes),
        trades_per_session=_frequency(trades, resampling),
        exit_reasons=dict(sorted(Counter(trades.exit_reason).items())),
    )


def _ratio(above: float | None, below: float | None, trades: int, method: str) -> Estimate:
    if trades == 0:
        return missing("no trades", method=method)
    if above is None:
        return missing("no winning trades", n=trades, method=method)
    if not below:
        return missing("no losing trades", n=trades, method=method)
    return Estimate(above / below, n=trades, method=method)


def _frequency(trades: Trades, resampling: Resampling) -> Estimate:
    method = f"trades a session, every session counted, {METHOD}"
    if resampling.sessions == 0:
        return missing("no sessions", method=method)
    if trades.count == 0:
        return missing("no trades", n=resampling.sessions, method=method)
    counts = by_session(np.ones(trades.count), trades.session, resampling.sessions)
    sessions = np.arange(resampling.sessions, dtype=np.int64)
    return clustered_mean(counts, sessions, resampling, what="trades a session")


def profit(tables: EvidenceTables) -> Profit:
    """Return what all trades earned and what they cost; None without trades."""
    if tables.trades.is_empty():
        return Profit(None, None, None, None, None, None, None, tables.costs_note)
    gross, fees, spread, slippage, net = (
        float(tables.trades[column].sum())
        for column in ("gross_usd", "fees_usd", "spread_usd", "slippage_usd", "net_usd")
    )
    entries = tables.ledger_entries.filter(pl.col("kind") != "DEPOSIT")
    return Profit(
        gross,
        fees,
        spread,
        slippage,
        net,
        float(entries["amount_usd"].sum()),
        (gross - net) / tables.trades.height,
        tables.costs_note,
    )


def equity(
    sessions: tuple[str, ...], daily: FloatArray, capital: float | None
) -> tuple[EquityPoint, ...]:
    """Return the account session by session; empty without capital.

    Parameters
    ----------
    sessions : tuple of str
        ISO dates.
    daily : ndarray, shape (sessions,)
        Net profit of each.
    capital : float or None
        What was deposited.
    """
    if capital is None:
        return ()
    account = capital + np.cumsum(daily)
    peak = np.maximum(capital, np.maximum.accumulate(account))
    falls = (peak - account) / peak
    return tuple(
        EquityPoint(session, float(net), float(value), float(fall))
        for session, net, value, fall in zip(sessions, daily, account, falls, strict=True)
    )


def alert_counts(tables: EvidenceTables, confidence_cap: float | None) -> AlertCounts:
    """Return what became of the alerts, and how many carry the capped confidence.

    Parameters
    ----------
    tables : EvidenceTables
        With alerts and decisions.
    confidence_cap : float or None
        The configuration's cap, None where it has none.
    """
    alerts, decisions = tables.alerts, tables.decisions
    skips = decisions.filter(pl.col("kind") == "skip")
    return AlertCounts(
        alerts.height,
        alerts["event_id"].n_unique(),
        int((decisions["kind"] == "plan").sum()),
        skips.height,
        _counted(skips["reason_code"].fill_null("")),
        _counted(alerts["flow_class"]),
        _at_cap(alerts, confidence_cap),
    )


def _at_cap(alerts: pl.DataFrame, cap: float | None) -> Estimate:
    if cap is None or alerts.is_empty():
        reason = "no alerts" if cap is not None else "the configuration names no cap"
        return missing(reason, n=alerts.height, method=WILSON)
    return win_rate(int((alerts["confidence"].cast(pl.Float64) >= cap).sum()), alerts.height)


def _counted(labels: pl.Series) -> dict[str, int]:
    return dict(sorted(Counter(str(label) for label in labels.to_list()).items()))
