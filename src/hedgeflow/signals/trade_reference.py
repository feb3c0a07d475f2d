"""The hedge instrument with signed trades: its volume, and responses that were really observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hedgeflow.signals.hedge_reference import SessionReference
from hedgeflow.signals.hedge_response import ObservationRules, SignedFlow, observe
from hedgeflow.signals.response import CalibratedResponse, fit_response

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from hedgeflow.signals.hedge_volume import BarReference


class TradeReference:
    """A `BarReference` whose sessions carry a response calibrated on earlier events.

    Parameters
    ----------
    bars : BarReference
    flow : SignedFlow
        Of the hedge instrument's trades.
    rules : ObservationRules
    observations_needed : int
        30 (precise.md 20).
    """

    def __init__(
        self,
        bars: BarReference,
        flow: SignedFlow,
        rules: ObservationRules,
        *,
        observations_needed: int,
    ) -> None:
        self._bars = bars
        self._flow = flow
        self._rules = rules
        self._needed = observations_needed
        self._seen = 0
        self._demand = np.empty(0)
        self._minutes = np.empty(0)
        self._known_at = np.empty(0, np.int64)
        self.response: CalibratedResponse | None = None
        """The model in force, or None while observations are too few."""

    def realised_volatility(self, now: int) -> float | None:
        """Return the annual volatility of the last 24 h of trading known at `now`."""
        return self._bars.realised_volatility(now)

    def session(self, open_ns: int, closed_events: NDArray[Any]) -> SessionReference:
        """Return V5 and the response model known when a session opens.

        Look-ahead: only observations that were complete by `open_ns` enter the fit.
        """
        self._observe(closed_events[self._seen :])
        self._seen = closed_events.size
        known = self._known_at <= open_ns
        self.response = fit_response(self._demand[known], self._minutes[known], self._needed)
        return SessionReference(self._bars.scale_volume(open_ns), self.response)

    def _observe(self, events: NDArray[Any]) -> None:
        if events.size == 0:
            return
        table = observe(self._flow, events["event"], events["first_ns"], self._rules)
        place = np.searchsorted(events["event"], table["event_id"].to_numpy())
        usable = can_calibrate(table, events["demand"][place])
        seen = table.filter(usable)
        self._demand = np.append(self._demand, events["scaled"][place][usable])
        self._minutes = np.append(self._minutes, seen["response_minutes"].to_numpy())
        self._known_at = np.append(self._known_at, seen["known_ns"].to_numpy())


def can_calibrate(observations: pl.DataFrame, demand: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which observations say how long dealers took over a demand.

    A hedge must have been observed, it must go the way of the demand, and the demand must be at
    least the placebo windows' own standard deviation: what is smaller than ordinary flow cannot
    be told from it, and the "response" of chance flow would be fitted instead.

    Parameters
    ----------
    observations : polars.DataFrame
        As `observe` returns them.
    demand : ndarray of shape (n,)
        Net demand of the same events, underlying units.
    """
    observed = observations["observed"].fill_null(False).to_numpy()
    direction = observations["direction"].to_numpy()
    deviation = observations["placebo_deviation"].fill_null(np.inf).to_numpy()
    return observed & (direction == np.sign(demand)) & (np.abs(demand) >= deviation)
