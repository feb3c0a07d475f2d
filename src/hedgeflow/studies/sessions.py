"""The sessions that a run is judged on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.market.sessions import session_date
from hedgeflow.studies.strategies import study_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market


def session_dates(
    market: Market, config: StrategyConfig, reached: Iterable[str]
) -> tuple[str, ...]:
    """Return the sessions that could be traded, and those that others of its figures reached."""
    sessions = market.sessions
    tested = {
        session_date(sessions, int(sessions.open_ns[index]))
        for index in study_of(config).tested_sessions(market, config)
    }
    return tuple(sorted(tested.union(reached)))
