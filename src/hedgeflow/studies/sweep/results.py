"""The record of a sweep: each configuration's figures, and all daily results side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from hedgeflow.evidence.resampling import by_session
from hedgeflow.evidence.verdict import holds
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.trial_ledger import session_sharpe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hedgeflow.evidence.estimates import FloatArray
    from hedgeflow.strategies.claims import Gate
    from hedgeflow.studies.sweep.trying import Tried

Objective = Literal["sharpe", "expectancy"]

OBJECTIVES: Final[dict[str, str]] = {
    "sharpe": "Sharpe ratio of daily net profit",
    "expectancy": "mean net result a trade, bps",
}
"""By what a configuration is chosen."""
FEWEST_TRADES: Final = 10
"""Trades below which a configuration is not chosen, whatever it shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What all configurations of a sweep traded.

    Attributes
    ----------
    tried : tuple of Tried
    sessions : tuple of str
        Dates on which at least one could have traded, ascending.
    daily : ndarray, shape (sessions, configurations)
        Net profit, USD; zero where a configuration did not trade.
    sessions_per_year : float
    """

    tried: tuple[Tried, ...]
    sessions: tuple[str, ...]
    daily: FloatArray
    sessions_per_year: float

    @classmethod
    def of(cls, tried: Sequence[Tried], sessions_per_year: float) -> Record:
        """Return the record of configurations that were tried."""
        sessions = tuple(sorted({date for each in tried for date in each.sessions}))
        columns = [daily_net(each.trades, sessions) for each in tried]
        daily = np.column_stack(columns) if columns else np.zeros((len(sessions), 0))
        return cls(tuple(tried), sessions, daily, sessions_per_year)

    @property
    def sharpes(self) -> tuple[float, ...]:
        """Ratios per session of the configurations whose results vary."""
        found = [session_sharpe(column) for column in self.daily.T]
        return tuple(value for value in found if value is not None)

    def figures(self) -> pl.DataFrame:
        """Return one row a configuration: its settings, its trades and what they earned."""
        year = math.sqrt(self.sessions_per_year)
        rows = [
            {
                "number": each.candidate.number,
                "config_hash": each.config_hash,
                "run_id": each.run_id,
                "scan": each.scan,
                **{key: _plain(value) for key, value in each.candidate.settings.items()},
                **_figures(each, column, year),
            }
            for each, column in zip(self.tried, self.daily.T, strict=True)
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def daily_table(self) -> pl.DataFrame:
        """Return the daily results as a table: the session, then a column a configuration."""
        columns = {
            each.candidate.name: column
            for each, column in zip(self.tried, self.daily.T, strict=True)
        }
        return pl.DataFrame({"session": list(self.sessions), **columns})

    def best(self, objective: Objective) -> int | None:
        """Return the place of the best configuration; the first of several.

        None if none has `FEWEST_TRADES` trades and a figure.
        """
        scores = [
            score(objective, column, each.trades["net_bps"].to_numpy())
            for each, column in zip(self.tried, self.daily.T, strict=True)
        ]
        return highest(scores)


def daily_net(trades: pl.DataFrame, sessions: Sequence[str]) -> FloatArray:
    """Return net profit per session, USD; a trade counts on the session that it was entered in."""
    place = {date: index for index, date in enumerate(sessions)}
    index = np.array([place[date] for date in trades["session"]], dtype=np.int64)
    return by_session(trades["net_usd"].to_numpy().astype(np.float64), index, len(sessions))


def score(objective: Objective, daily: FloatArray, net_bps: FloatArray) -> float | None:
    """Return what a configuration is chosen by; None for too few trades or no figure."""
    if net_bps.size < FEWEST_TRADES:
        return None
    return session_sharpe(daily) if objective == "sharpe" else float(net_bps.mean())


def highest(scores: Sequence[float | None]) -> int | None:
    """Return the place of the highest score, the first of several; None if there is none."""
    known = [(value, -place) for place, value in enumerate(scores) if value is not None]
    return -max(known)[1] if known else None


def could_be_validated(trades: pl.DataFrame, gates: Iterable[Gate]) -> bool:
    """Return whether counts alone leave VALIDATED open: enough trades, and enough of them won.

    A rate's lower bound lies below the rate itself, so whoever misses the gate by the rate misses
    it by the bound.
    """
    count, wins = trades.height, win_count(trades)
    counted = {"trades": float(count), "win_rate": wins / count if count else 0.0}
    return all(holds(gate, counted[gate.statistic]) for gate in gates if gate.statistic in counted)


def win_count(trades: pl.DataFrame) -> int:
    """Return how many trades ended with a profit after costs."""
    return int((trades["net_usd"] > 0).sum())


def _figures(each: Tried, daily: FloatArray, year: float) -> dict[str, object]:
    trades = each.trades
    count, wins = trades.height, win_count(trades)
    ratio = session_sharpe(daily)
    return {
        "trades": count,
        "wins": wins,
        "win_rate": wins / count if count else None,
        "net_usd": float(trades["net_usd"].sum()),
        "expectancy_bps": trades["net_bps"].mean(),
        "sharpe_annualised": None if ratio is None else ratio * year,
        "could_be_validated": could_be_validated(
            trades, study_of(each.candidate.config).declaration.gates
        ),
    }


def _plain(value: object) -> object:
    return str(list(value)) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType]
