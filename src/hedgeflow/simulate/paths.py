"""The index and its implied-volatility level, second by second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numba import njit

from hedgeflow.simulate.hours import SECONDS_PER_DAY, SECONDS_PER_MINUTE
from hedgeflow.simulate.streams import Component, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.scenario import Scenario

SECONDS_PER_YEAR: Final = 365.0 * SECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class PathState:
    """What the next session's path starts from: log price, and log of the level over its mean."""

    log_price: float
    log_level: float


@dataclass(frozen=True, slots=True)
class IndexPath:
    """One session of the index.

    Attributes
    ----------
    session : Session
    price : ndarray of shape (seconds,)
        Index price from the start of each second, quote currency.
    level : ndarray of shape (seconds,)
        At-the-money implied volatility, fraction per year.
    """

    session: Session
    price: NDArray[np.float64]
    level: NDArray[np.float64]

    def second(self, stamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the second of the session of each stamp.

        Look-ahead: what is read there was known at the start of that second.
        """
        return self.session.second(stamps)


def first_state(scenario: Scenario) -> PathState:
    """Return the state at the first instant: the start price, the level at its mean."""
    return PathState(log_price=float(np.log(scenario.index.start_price)), log_level=0.0)


def index_path(
    scenario: Scenario, session: Session, state: PathState
) -> tuple[IndexPath, PathState]:
    """Return one session of the index, and the state that the next one starts from.

    The level is a log Ornstein-Uhlenbeck process by the minute, the index a geometric Brownian
    motion by the second with that level as its volatility and no drift.
    """
    levels, log_level = reverting_path(
        stream(scenario.seed, Component.VOLATILITY, session.number).standard_normal(
            session.minutes
        ),
        scenario.index.volatility_of_volatility,
        0.5 ** (1.0 / (60.0 * scenario.index.volatility_half_life_hours)),
        state.log_level,
    )
    level = np.repeat(scenario.index.volatility * np.exp(levels), SECONDS_PER_MINUTE)[
        : session.seconds
    ]
    normals = stream(scenario.seed, Component.INDEX, session.number).standard_normal(
        session.seconds
    )
    steps = level * np.sqrt(1.0 / SECONDS_PER_YEAR) * normals - 0.5 * level**2 / SECONDS_PER_YEAR
    log_price = state.log_price + np.cumsum(steps)
    before = np.concatenate(([state.log_price], log_price[:-1]))
    path = IndexPath(session, np.exp(before), level)
    return path, PathState(float(log_price[-1]), log_level)


def reverting_path(
    normals: NDArray[np.float64], deviation: float, keep: float, start: float
) -> tuple[NDArray[np.float64], float]:
    """Return an AR(1) path around zero with a stationary standard deviation, and its last value.

    Parameters
    ----------
    normals : ndarray of shape (n,)
        Standard normal draws.
    deviation : float
        Stationary standard deviation.
    keep : float
        Share of a deviation that is left after one step.
    start : float
        Value before the first step.
    """
    path = decaying_sum(normals * (deviation * np.sqrt(1.0 - keep * keep)), keep, start)
    return path, float(path[-1])


@njit(cache=True)
def decaying_sum(
    increments: NDArray[np.float64], keep: float, start: float
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    """Return x with x[i] = keep * x[i-1] + increments[i], x[-1] = start."""
    out = np.empty_like(increments)
    value = start
    for i in range(increments.size):
        value = keep * value + increments[i]
        out[i] = value
    return out
