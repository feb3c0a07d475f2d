"""The folds of a walk-forward: which sessions, which trades are known in time, what is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.evidence.cross_validation import walk_forward_sessions
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.sessions import session_date
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.sweep.results import Objective, daily_net, score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market


@dataclass(frozen=True, slots=True)
class Scheme:
    """How folds are cut.

    Attributes
    ----------
    train, test : int
        Sessions of a fold.
    anchored : bool
        Train on all sessions before the test.
    embargo_minutes : float
        Before a test; a trade that ends later is not trained on.
    objective : str
        By what a configuration is chosen.
    """

    train: int
    test: int
    anchored: bool = False
    embargo_minutes: float = 0.0
    objective: Objective = "sharpe"

    def __post_init__(self) -> None:
        """Refuse an embargo that lies in the test."""
        if not 0.0 <= self.embargo_minutes < float("inf"):
            raise ConfigError(
                f"an embargo of {self.embargo_minutes:g} minutes is none",
                where="--embargo-minutes",
                hint="Write 0 or more",
            )


@dataclass(frozen=True, slots=True)
class Session:
    """One session that could be traded: its date and its instants, UTC ns."""

    date: str
    open_ns: int
    close_ns: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The sessions of one fold.

    Attributes
    ----------
    train, test : tuple of Session
    known_ns : int
        What ends later is not trained on: the test's first instant, less the embargo.
    """

    train: tuple[Session, ...]
    test: tuple[Session, ...]
    known_ns: int

    def known(self, trades: pl.DataFrame) -> pl.DataFrame:
        """Return trades of the training sessions that were over in time."""
        return self.entered(trades).filter(pl.col("exit_ns") < self.known_ns)

    def entered(self, trades: pl.DataFrame) -> pl.DataFrame:
        """Return trades of the training sessions."""
        return trades.filter(pl.col("session").is_in(dates(self.train)))

    def score(self, trades: pl.DataFrame, objective: Objective) -> float | None:
        """Return what a configuration with these trades, in all, is chosen by."""
        known = self.known(trades)
        return score(objective, daily_net(known, dates(self.train)), known["net_bps"].to_numpy())

    def scores(self, every: Iterable[pl.DataFrame], objective: Objective) -> list[float | None]:
        """Return what each configuration, with its trades in all, is chosen by."""
        return [self.score(trades, objective) for trades in every]


def dates(sessions: Iterable[Session]) -> list[str]:
    """Return the dates of sessions."""
    return [each.date for each in sessions]


def tradable_sessions(market: Market, config: StrategyConfig) -> tuple[Session, ...]:
    """Return the sessions that a configuration could have traded, in order."""
    sessions = market.sessions
    return tuple(
        Session(
            session_date(sessions, int(sessions.open_ns[index])),
            int(sessions.open_ns[index]),
            int(sessions.close_ns[index]),
        )
        for index in study_of(config).tested_sessions(market, config)
    )


def cuts(sessions: Sequence[Session], scheme: Scheme) -> tuple[Cut, ...]:
    """Return the folds of sessions.

    Raises
    ------
    DataError
        There are too few for one fold, or a fold has none.
    """
    folds = walk_forward_sessions(
        len(sessions), train=scheme.train, test=scheme.test, anchored=scheme.anchored
    )
    embargo_ns = round(scheme.embargo_minutes * MINUTE_NS)
    found: list[Cut] = []
    for fold in folds:
        train, test = (
            tuple(sessions[int(place)] for place in part) for part in (fold.train, fold.test)
        )
        found.append(Cut(train, test, test[0].open_ns - embargo_ns))
    return tuple(found)
