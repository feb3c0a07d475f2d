"""The hedge instrument as a scan may see it: its usual volume, its volatility, past responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.time import HOUR_NS, SLOT_NS
from hedgeflow.signals.hedge_reference import SessionReference
from hedgeflow.signals.implied_move import realised_volatility

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.sessions import Sessions


def slot_volumes(
    start_ns: NDArray[np.int64], volume: NDArray[np.float64], sessions: Sessions
) -> NDArray[np.float64]:
    """Return traded volume per session and 5-minute slot.

    Parameters
    ----------
    start_ns : ndarray of shape (n,)
        Starts of bars no longer than a slot, or stamps of trades.
    volume : ndarray of shape (n,)
        Underlying units.

    Returns
    -------
    ndarray of shape (n_sessions, slots), float64
        Underlying units; zero where nothing traded.
    """
    table = np.zeros((sessions.open_ns.size, sessions.slots))
    index = sessions.index_of(start_ns)
    inside = index >= 0
    slot = (start_ns[inside] - sessions.open_ns[index[inside]]) // SLOT_NS
    np.add.at(table, (index[inside], slot), volume[inside])
    return table


class BarReference:
    """V5, realised volatility and past responses from the hedge instrument's bars.

    Parameters
    ----------
    bars : polars.DataFrame
        The bars schema, sorted; each row is known at its `known_at`.
    interval_ns : int
        Bar length, at most 5 minutes for V5 to be known.
    coverage : Coverage
        What the bars recorded.
    sessions : Sessions
    volume_sessions : int
        10: V5 is over so many previous complete sessions (precise.md 21).
    volume_scale : float
        Multiplies V5 where hedge flow spreads over venues.
    realised_hours : float
        24: the look-back of the realised volatility (precise.md 23).
    """

    def __init__(
        self,
        bars: pl.DataFrame,
        interval_ns: int,
        coverage: Coverage,
        sessions: Sessions,
        *,
        volume_sessions: int,
        volume_scale: float,
        realised_hours: float,
    ) -> None:
        self.interval_ns = interval_ns
        self._sessions = sessions
        self._volume_sessions = volume_sessions
        self._volume_scale = volume_scale
        self._realised_bars = max(1, round(realised_hours * HOUR_NS / interval_ns))
        self._start = bars["ts"].dt.timestamp("ns").to_numpy()
        self._known = bars["known_at"].dt.timestamp("ns").to_numpy()
        self._returns, self._return_known = self._session_returns(bars["close"].to_numpy())
        covered = coverage.slots(sessions)
        begin, end = sessions.slot_bounds()
        exists = begin < end
        self._complete = (covered | ~exists).all(axis=1) & (interval_ns <= SLOT_NS)
        self._volumes = slot_volumes(self._start, bars["volume"].to_numpy(), sessions)
        self._exists = exists
        session = sessions.index_of(self._start)
        self._session_known = np.zeros(sessions.open_ns.size, dtype=np.int64)
        np.maximum.at(self._session_known, session[session >= 0], self._known[session >= 0])

    def scale_volume(self, open_ns: int) -> float | None:
        """Return V5 x scale at a session's open: the median slot of the last complete sessions.

        Look-ahead: reads sessions that closed, and whose bars were all known, at or before
        `open_ns`; None without one.
        """
        over = np.maximum(self._sessions.close_ns, self._session_known) <= open_ns
        before = np.flatnonzero(self._complete & over)
        chosen = before[-self._volume_sessions :]
        if chosen.size == 0:
            return None
        values = self._volumes[chosen][self._exists[chosen]]
        return float(np.median(values)) * self._volume_scale

    def realised_volatility(self, now: int) -> float | None:
        """Return the annual volatility of the last 24 h of trading known at `now`.

        Counted in bars inside sessions; neither a night nor a gap makes a return.
        """
        stop = int(np.searchsorted(self._return_known, now, side="right"))
        return realised_volatility(
            self._returns[max(0, stop - self._realised_bars) : stop],
            self.interval_ns,
            self._sessions.minutes_per_year,
        )

    def _session_returns(
        self, close: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return log returns of adjacent bars of one session, and when each was known."""
        session = self._sessions.index_of(self._start)
        adjacent = (
            (np.diff(self._start) == self.interval_ns)
            & (session[1:] == session[:-1])
            & (session[1:] >= 0)
        )
        if self._sessions.calendar == ALWAYS_OPEN:
            adjacent = np.diff(self._start) == self.interval_ns
        return np.diff(np.log(close))[adjacent], self._known[1:][adjacent]

    def session(self, open_ns: int, closed_events: NDArray[Any]) -> SessionReference:  # noqa: ARG002 - bars alone show no responses
        """Return V5 at a session's start; bars carry no side, so no response is calibrated."""
        return SessionReference(self.scale_volume(open_ns), None)
