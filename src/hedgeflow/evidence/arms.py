"""The same record run another way: costs, delays, placebos, controls off, wild days, our size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import Estimate, missing
from hedgeflow.evidence.rates import win_rate
from hedgeflow.evidence.resampling import Resampling, by_session, clustered_mean
from hedgeflow.evidence.sharpe import sharpe_annualised
from hedgeflow.evidence.tables import EvidenceTables, session_index


class ArmGroup(StrEnum):
    """What is varied."""

    COST = "cost"
    LATENCY = "latency"
    PLACEBO = "placebo"
    RISK_CONTROL = "risk-control"
    STRESS = "stress"
    CAPACITY = "capacity"


ARM_COLUMNS = {
    "alert_id": pl.String,
    "session": pl.String,
    "net_usd": pl.Float64,
    "net_bps": pl.Float64,
    "hold_minutes": pl.Float64,
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
    """

    group: ArmGroup
    id: str
    words: str
    parameter: float | None
    trades: pl.DataFrame
    sessions: tuple[str, ...] | None = None
    reference: bool = False


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What an arm earned, and how that differs from the run itself.

    Attributes
    ----------
    group, id, words, parameter, reference
        As in `Arm`.
    trades, wins : int
    win_rate, expectancy_bps, sharpe_annualised : Estimate
    net_usd : float
    return_on_time_bps : Estimate
        Net basis points an hour of capital in the market.
    difference_usd : Estimate
        Net profit a session less that of the run itself on the same sessions, with the bounds of
        the same resampled sessions.
    """

    group: ArmGroup
    id: str
    words: str
    parameter: float | None
    reference: bool
    trades: int
    wins: int
    win_rate: Estimate
    expectancy_bps: Estimate
    sharpe_annualised: Estimate
    net_usd: float
    return_on_time_bps: Estimate
    difference_usd: Estimate


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
    own = _daily(tables.trades, tables.sessions)
    return tuple(_result(arm, own, tables, resampling) for arm in arms)


def _result(arm: Arm, own: np.ndarray, tables: EvidenceTables, resampling: Resampling) -> ArmResult:
    trades = arm.trades
    session = session_index(trades["session"], tables.sessions)
    net_bps = trades["net_bps"].to_numpy().astype(np.float64)
    daily = _daily(trades, tables.sessions)
    wins = int((trades["net_usd"] > 0).sum())
    about = np.ones(daily.size, dtype=bool)
    if arm.sessions is not None:
        about = np.isin(np.array(tables.sessions), np.array(arm.sessions))
    rows = np.flatnonzero(about)
    hours = float(trades["hold_minutes"].sum()) / 60.0
    return ArmResult(
        arm.group,
        arm.id,
        arm.words,
        arm.parameter,
        arm.reference,
        trades.height,
        wins,
        win_rate(wins, trades.height) if trades.height else missing("no trades"),
        clustered_mean(net_bps, session, resampling),
        sharpe_annualised(daily, session, resampling, sessions_per_year=tables.sessions_per_year)
        if arm.sessions is None
        else missing("some sessions only", n=int(rows.size)),
        float(trades["net_usd"].sum()),
        Estimate(float(net_bps.sum()) / hours, n=trades.height, method="Σ net bps / Σ hours held")
        if hours > 0.0
        else missing("no time in the market", n=trades.height),
        clustered_mean((daily - own)[rows], rows.astype(np.int64), resampling, none="no sessions"),
    )


def _daily(trades: pl.DataFrame, sessions: tuple[str, ...]) -> np.ndarray:
    net = trades["net_usd"].to_numpy().astype(np.float64)
    return by_session(net, session_index(trades["session"], sessions), len(sessions))
