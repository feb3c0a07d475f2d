"""How hedges move prices: the index for good, the future's premium for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.time import SECOND_NS
from hedgeflow.simulate.hours import SECONDS_PER_MINUTE
from hedgeflow.simulate.paths import decaying_sum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hedging import Hedge
    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.paths import IndexPath, PathState
    from hedgeflow.simulate.scenario import Scenario
    from hedgeflow.simulate.trades import Trades

_BASIS_POINT: Final = 1e-4


@dataclass(frozen=True, slots=True)
class ImpactState:
    """What a session's hedges leave to the next.

    Attributes
    ----------
    premium : float
        The future's log premium to the index at the session's end.
    end_ns : int
        That end; 0 before the first session.
    ahead : ndarray
        Log moves still to come, by second of trading from the start of the next session.
    """

    premium: float
    end_ns: int
    ahead: NDArray[np.float64]

    @classmethod
    def at_rest(cls) -> ImpactState:
        """Return no impact."""
        return cls(0.0, 0, np.empty(0))


class Moves:
    """The log moves of a session's hedges by second, transient and permanent together.

    Parameters
    ----------
    scenario : Scenario
    session : Session
    state : ImpactState
        What earlier sessions left.
    """

    def __init__(self, scenario: Scenario, session: Session, state: ImpactState) -> None:
        self._scenario = scenario
        self._session = session
        self._state = state
        self._moves = np.zeros(max(session.seconds, state.ahead.size))
        self._moves[: state.ahead.size] = state.ahead

    def add(self, hedge: Hedge) -> None:
        """Add a hedge's moves.

        Each of its trades moves the price from the second after it on, so that the impact of the
        executed share f of the hedge is ``peak * f ** impact.path_exponent``.
        """
        if hedge.impact_bps == 0.0 or hedge.trades.size.size == 0:
            return
        executed = np.cumsum(hedge.trades.size) / hedge.trades.size.sum()
        reached = executed**self._scenario.impact.path_exponent
        self._step(hedge.trades, np.diff(reached, prepend=0.0) * hedge.impact_bps * _BASIS_POINT)

    def add_flow(self, trades: Trades, log_move_per_unit: float) -> None:
        """Add the moves of a flow that goes to and fro, in order of time: linear in what is traded.

        A flow has no size from which a root could be taken, and only a linear impact does not
        depend on how it is cut (Huberman and Stanzl, *Econometrica* 72, 1247-1275, 2004).
        """
        if log_move_per_unit != 0.0 and trades.size.size > 0:
            self._step(trades, trades.sign * trades.size * log_move_per_unit)

    def _step(self, trades: Trades, steps: NDArray[np.float64]) -> None:
        """Add a log move for each trade, in force from the second after it on."""
        second = self._session.second(trades.stamp) + 1
        missing = int(second[-1]) + 1 - self._moves.size
        if missing > 0:
            self._moves = np.concatenate((self._moves, np.zeros(missing)))
        np.add.at(self._moves, second, steps)

    def moved(self, path: IndexPath) -> IndexPath:
        """Return the index with the permanent share of all moves so far."""
        if not self._today.any():
            return path
        share = self._scenario.impact.permanent_share
        return replace(path, price=path.price * np.exp(share * np.cumsum(self._today)))

    def moved_end(self, end: PathState) -> PathState:
        """Return where the index ends with them."""
        share = self._scenario.impact.permanent_share
        return replace(end, log_price=end.log_price + share * float(self._today.sum()))

    def premium(self) -> tuple[NDArray[np.float64], ImpactState]:
        """Return the future's log premium to the index by second, and what is left to the next.

        It decays while the market is closed, too.
        """
        impact = self._scenario.impact
        kept = 0.5 ** (1.0 / (SECONDS_PER_MINUTE * impact.transient_half_life_minutes))
        state = self._state
        closed = (self._session.start_ns - state.end_ns) // SECOND_NS if state.end_ns else 0
        start = state.premium * kept**closed
        path = decaying_sum((1.0 - impact.permanent_share) * self._today, kept, start)
        ahead = self._moves[self._session.seconds :]
        return path, ImpactState(float(path[-1]), self._session.end_ns, ahead)

    @property
    def _today(self) -> NDArray[np.float64]:
        return self._moves[: self._session.seconds]
