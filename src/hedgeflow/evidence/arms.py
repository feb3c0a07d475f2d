"""The same record run another way: costs, delays, placebos, controls off, wild days, our size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import Estimate, FloatArray, IntArray, missing
from hedgeflow.evidence.rates import win_rate
from hedgeflow.evidence.resampling import (
    RESAMPLED,
    Resampling,
    by_session,
    clustered_mean,
    too_few_sessions,
    with_bounds,
)
from hedgeflow.evidence.sharpe import sharpe_annualised
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import session_index


class ArmGroup(StrEnum):
    """What is varied."""

    COST = "cost"
    LATENCY = "latency"
    PLACEBO = "placebo"
    RISK_CONTROL = "risk-control"
    STRESS = "stress"
    CAPACITY = "capacity"
    DIRECTION = "direction"


ARM_COLUMNS = {
    "alert_id": pl.String,
    "session": pl.String,
    "exit_ns": pl.Int64,
    "net_usd": pl.Float64,
    "net_bps": pl.Float64,
    "hold_minutes": pl.Float64,
    "age_seconds": pl.Float64,
}
"""What evidence reads of an arm's trades."""


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """One other run of the same alerts.

    Attributes
    ----------
    group : ArmGroup
    id, words : str
        Short name, unique in its group, and what was done in words.
    parameter : float or None
        What the group's curve is drawn over: cost multiple, seconds of delay, times our size.
    trades : polars.DataFrame
        As `ARM_COLUMNS`; empty where the arm does not trade.
    sessions : tuple of str or None
        The sessions that it is about; None: those of the run.
    reference : bool
        Whether this arm is the run itself, as it stands in the group's curve.
    note : str
        What a reader must know of it, in sentences; empty if nothing.
    """

    group: ArmGroup
    id: str
    words: str
    parameter: float | None
    trades: pl.DataFrame
    sessions: tuple[str, ...] | None = None
    reference: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What an arm earned, and how that differs from the run itself.

    Attributes
    ----------
    group : ArmGroup
        What is varied.
    id, words : str
        Short name, unique in its group, and what was done in words.
    parameter : float or None
        What the group's curve is drawn over: cost multiple, seconds of delay, times our size.
    reference : bool
        Whether this arm is the run itself.
    note : str
        What a reader must know of it; empty if nothing.
    trades, wins : int
        Of the arm.
    win_rate, expectancy_bps, sharpe_annualised : Estimate
        As those of the run itself.
    payoff : Estimate
        Average win over average loss, USD.
    net_usd : float
        Net profit in all.
    drawdown_usd : Estimate
        Largest fall of cumulated net profit from its peak, trade by trade in order of exit.
    return_on_time_bps : Estimate
        Net basis points an hour of capital in the market.
    median_age_seconds : float or None
        From detection to entry.
    difference_usd : Estimate
        Net profit a session less that of the run itself on the same sessions, with the bounds of
        the same resampled sessions.
    difference_bps, difference_drawdown_usd : Estimate
        Expectancy and drawdown less those of the run itself, bounds as before.
    """

    group: ArmGroup
    id: str
    words: str
    parameter: float | None
    reference: bool
    note: str
    trades: int
    wins: int
    win_rate: Estimate
    expectancy_bps: Estimate
    payoff: Estimate
    sharpe_annualised: Estimate
    net_usd: float
    drawdown_usd: Estimate
    return_on_time_bps: Estimate
    median_age_seconds: float | None
    difference_usd: Estimate
    difference_bps: Estimate
    difference_drawdown_usd: Estimate


def arm_trades(arms: Sequence[Arm]) -> pl.DataFrame | None:
    """Return the trades of all arms with the name of each, for the package; None without arms."""
    if not arms:
        return None
    return pl.concat(
        arm.trades.select(
            pl.lit(str(arm.group)).alias("group"),
            pl.lit(arm.id).alias("arm"),
            *(pl.col(name).cast(kind) for name, kind in ARM_COLUMNS.items()),
        )
        for arm in arms
    )


def arm_results(
    arms: Sequence[Arm], tables: EvidenceTables, resampling: Resampling
) -> tuple[ArmResult, ...]:
    """Return what every arm earned.

    Parameters
    ----------
    arms : sequence of Arm
    tables : EvidenceTables
        Of the run itself.
    resampling : Resampling
        Session draws, shared by all arms, so that differences are of like with like.
    """
    if not arms:
        return ()
    own = SessionFigures.of(tables.trades, tables.sessions)
    return tuple(_result(arm, own, tables, resampling) for arm in arms)


@dataclass(frozen=True, slots=True, eq=False)
class SessionFigures:
    """Trades summed by session, all that resampled sessions need.

    Attributes
    ----------
    session : ndarray, shape (trades,)
        Index of each trade's session.
    count, net_bps, net_usd : ndarray, shape (sessions,)
    highest, lowest, fall : ndarray, shape (sessions,)
        Of the net profit cumulated within the session from nil: its peak, its low, and its largest
        fall from a peak, USD.
    """

    session: IntArray
    count: FloatArray
    net_bps: FloatArray
    net_usd: FloatArray
    highest: FloatArray
    lowest: FloatArray
    fall: FloatArray

    @classmethod
    def of(cls, trades: pl.DataFrame, sessions: tuple[str, ...]) -> SessionFigures:
        """Return the figures of trades with ``session``, ``exit_ns``, ``net_usd``, ``net_bps``."""
        ordered = trades.sort("exit_ns", maintain_order=True)
        session = session_index(ordered["session"], sessions)
        net = ordered["net_usd"].to_numpy().astype(np.float64)
        bps = ordered["net_bps"].to_numpy().astype(np.float64)
        size = len(sessions)
        highest, lowest, fall = (np.zeros(size) for _ in range(3))
        for index in np.unique(session).tolist():
            path = np.concatenate(([0.0], np.cumsum(net[session == index])))
            highest[index], lowest[index] = path.max(), path.min()
            fall[index] = (np.maximum.accumulate(path) - path).max()
        return cls(
            session,
            by_session(np.ones_like(net), session, size),
            by_session(bps, session, size),
            by_session(net, session, size),
            highest,
            lowest,
            fall,
        )

    def expectancy_bps(self, draws: IntArray) -> FloatArray:
        """Return the mean net result a trade of each row of sessions; NaN without trades."""
        count = self.count[draws].sum(axis=1)
        total = self.net_bps[draws].sum(axis=1)
        return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)

    def drawdown_usd(self, draws: IntArray) -> FloatArray:
        """Return the largest fall of cumulated net profit over each row of sessions, in order."""
        equity, peak, fall = (np.zeros(draws.shape[0]) for _ in range(3))
        for index in draws.T:
            fall = np.maximum(
                fall, np.maximum(self.fall[index], peak - equity - self.lowest[index])
            )
            peak = np.maximum(peak, equity + self.highest[index])
            equity += self.net_usd[index]
        return fall


def _result(
    arm: Arm, own: SessionFigures, tables: EvidenceTables, resampling: Resampling
) -> ArmResult:
    trades = arm.trades
    here = SessionFigures.of(trades, tables.sessions)
    net = trades["net_usd"].to_numpy().astype(np.float64)
    wins = int((net > 0).sum())
    hours = float(trades["hold_minutes"].sum()) / 60.0
    session = session_index(trades["session"], tables.sessions)
    bps = trades["net_bps"].to_numpy().astype(np.float64)
    age = trades["age_seconds"].median() if trades.height else None
    whole = arm.sessions is None
    usd, expectancy, fall = _differences(here, own, resampling, partial=not whole)
    return ArmResult(
        arm.group,
        arm.id,
        arm.words,
        arm.parameter,
        arm.reference,
        arm.note,
        trades.height,
        wins,
        win_rate(wins, trades.height) if trades.height else missing("no trades"),
        clustered_mean(bps, session, resampling),
        _payoff(net),
        sharpe_annualised(
            here.net_usd, session, resampling, sessions_per_year=tables.sessions_per_year
        )
        if whole
        else missing("some sessions only", n=trades.height),
        float(net.sum()),
        _drawdown(here, resampling),
        Estimate(float(bps.sum()) / hours, n=trades.height, method="Σ net bps / Σ hours held")
        if hours > 0.0
        else missing("no time in the market", n=trades.height),
        float(age) if isinstance(age, int | float) else None,
        usd,
        expectancy,
        fall,
    )


def _payoff(net_usd: FloatArray) -> Estimate:
    won, lost = net_usd[net_usd > 0], net_usd[net_usd < 0]
    method = "average win / average loss"
    if not won.size or not lost.size:
        reason = "wins and losses are both needed" if net_usd.size else "no trades"
        return missing(reason, n=int(net_usd.size), method=method)
    return Estimate(float(-won.mean() / lost.mean()), n=int(net_usd.size), method=method)


def _in_order(sessions: int) -> IntArray:
    return np.arange(sessions, dtype=np.int64)[np.newaxis]


def _drawdown(here: SessionFigures, resampling: Resampling) -> Estimate:
    method = f"largest fall of cumulated net profit; bounds: {RESAMPLED}"
    trades = int(here.count.sum())
    if not trades:
        return missing("no trades", method=method)
    value = float(here.drawdown_usd(_in_order(resampling.sessions))[0])
    reason = too_few_sessions(here.session)
    if reason:
        return Estimate(value, n=trades, method=method, reason=reason)
    return with_bounds(
        value,
        here.drawdown_usd(resampling.draws),
        n=trades,
        method=method,
        blocks=resampling.blocks(here.session),
    )


def _differences(
    here: SessionFigures, own: SessionFigures, resampling: Resampling, *, partial: bool
) -> tuple[Estimate, Estimate, Estimate]:
    """Return profit a session, expectancy and drawdown, each less that of the run itself."""
    if partial:
        none = missing("a part of the run itself", n=int(here.count.sum()))
        return none, none, none
    rows = _in_order(resampling.sessions)
    usd = clustered_mean(here.net_usd - own.net_usd, rows[0], resampling, none="no sessions")
    if not here.count.any() or not own.count.any():
        none = missing("no trades")
        return usd, none, none
    session = np.concatenate((here.session, own.session))
    reason, blocks = too_few_sessions(session), resampling.blocks(session)

    def difference(statistic: str, name: str) -> Estimate:
        first, second = getattr(here, statistic), getattr(own, statistic)
        value = float((first(rows) - second(rows))[0])
        count, method = int(here.count.sum()), f"{name} less the run's; bounds: {RESAMPLED}"
        if reason:
            return Estimate(value, n=count, method=method, reason=reason)
        drawn = first(resampling.draws) - second(resampling.draws)
        return with_bounds(value, drawn, n=count, method=method, blocks=blocks)

    return (
        usd,
        difference("expectancy_bps", "expectancy"),
        difference("drawdown_usd", "drawdown"),
    )
