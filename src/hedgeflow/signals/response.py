"""How long dealers take to hedge: the source's tiers, and a model calibrated on the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numba as nb
import numpy as np

from hedgeflow.signals.rules import Tier

if TYPE_CHECKING:
    from numpy.typing import NDArray


FEWEST_POINTS: Final = 3
"""A line through fewer has no standard error."""


@nb.njit(cache=True)
def tier_response_minutes(
    demand: float,
    emergency_demand: float,
    urgent_demand: float,
    emergency_minutes: float,
    urgent_minutes: float,
    routine_minutes: float,
) -> float:
    """Return the source's response estimate: 2, 5 or 10 minutes by the size of the demand.

    The exposure's thresholds are exclusive: abs(D) > 5,000 is 2 minutes, > 2,000 is 5
    (volume-shock.md 3). The 5-minute tier is neither above nor below 5, so events in it can be
    neither sweep nor emergency; that hole is the source's.
    """
    size = abs(demand)
    if size > emergency_demand:
        return emergency_minutes
    if size > urgent_demand:
        return urgent_minutes
    return routine_minutes


@nb.njit(cache=True)
def calibrated_response_minutes(
    demand: float, a: float, b: float, shortest: float, longest: float
) -> float:
    """Return exp(a + b log abs(D)), clamped to [shortest, longest] minutes (precise.md 20)."""
    if demand == 0.0:
        return longest
    return min(longest, max(shortest, np.exp(a + b * np.log(abs(demand)))))


@nb.njit(cache=True)
def response_minutes(demand: float, rules: Any, session: Any) -> float:
    """Return the estimate in force: the calibrated one where the session has it, else the tiers.

    A fit in which larger demands took longer says nothing of demands smaller than it has seen:
    those are taken to be as slow as the smallest.
    """
    if session.calibrated:
        size = abs(demand)
        if session.response_b > 0.0 and demand != 0.0:
            size = max(size, session.smallest_demand)
        return calibrated_response_minutes(
            size,
            session.response_a,
            session.response_b,
            rules.shortest_minutes,
            rules.longest_minutes,
        )
    return tier_response_minutes(
        demand,
        rules.emergency_demand,
        rules.urgent_demand,
        rules.emergency_minutes,
        rules.urgent_minutes,
        rules.routine_minutes,
    )


def tier_of(demand: float, emergency_demand: float, urgent_demand: float) -> Tier:
    """Return the tier's own label, which is not the flow class (volume-shock.md 3)."""
    if abs(demand) > emergency_demand:
        return Tier.GAMMA_EMERGENCY
    return Tier.INSTITUTIONAL_SWEEP if abs(demand) > urgent_demand else Tier.ROUTINE_HEDGING


@dataclass(frozen=True, slots=True)
class CalibratedResponse:
    """log response = a + b log abs(D), fitted to observed responses.

    Attributes
    ----------
    a, b : float
        Intercept and slope; minutes and the units of D.
    residual_error : float
        Standard error of the regression, log minutes.
    slope_error : float
        Standard error of b.
    observations : int
    smallest_demand : float
        Smallest absolute demand among them.
    """

    a: float
    b: float
    residual_error: float
    slope_error: float
    observations: int
    smallest_demand: float


def fit_response(
    demands: NDArray[np.float64], minutes: NDArray[np.float64], needed: int
) -> CalibratedResponse | None:
    """Fit the calibrated model, or return None under `needed` usable observations.

    Parameters
    ----------
    demands : ndarray of shape (n,)
        Net demand of past events, in the units of the tiers.
    minutes : ndarray of shape (n,)
        Observed response of each; "no hedge observed" is left out by the caller.
    needed : int
        30 by default (precise.md 20).

    Notes
    -----
    Look-ahead: the caller passes only observations that were complete at the decision.
    """
    usable = (np.abs(demands) > 0) & (minutes > 0) & np.isfinite(minutes)
    count = int(usable.sum())
    if count < max(needed, FEWEST_POINTS):
        return None
    x, y = np.log(np.abs(demands[usable])), np.log(minutes[usable])
    spread = float(((x - x.mean()) ** 2).sum())
    if spread <= 0.0:
        return None
    b = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    a = float(y.mean()) - b * float(x.mean())
    error = float(np.sqrt(((y - a - b * x) ** 2).sum() / (count - 2)))
    smallest = float(np.abs(demands[usable]).min())
    return CalibratedResponse(a, b, error, error / float(np.sqrt(spread)), count, smallest)


def hedge_to_come(demand: float, elapsed_minutes: float, response: float) -> float:
    """Return the part of a hedge still to be traded: D x 0.5^(elapsed / response).

    `response` is the time by which half is done; this is the form used before a response curve
    has been fitted (precise.md 16).
    """
    return demand * 0.5 ** (max(0.0, elapsed_minutes) / response)
