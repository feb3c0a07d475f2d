"""The index and its implied-volatility level, second by second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numba import njit

from hedgeflow.market.time import HOUR_NS, MINUTE_NS
from hedgeflow.simulate.hours import (
    FULL_SESSION_SECONDS,
    SECONDS_PER_MINUTE,
    SESSIONS_PER_YEAR,
    activity,
)
from hedgeflow.simulate.streams import Component, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.scenario import Scenario

_BASIS_POINT: Final = 1e-4


@dataclass(frozen=True, slots=True)
class PathState:
    """What the next session's path starts from.

    Attributes
    ----------
    log_price : float
    log_level : float
        Log of the volatility's level over its long-run mean.
    end_ns : int
        When the last session ended; 0 before the first.
    """

    log_price: float
    log_level: float
    end_ns: int = 0


@dataclass(frozen=True, slots=True)
class IndexPath:
    """One session of the index.

    Attributes
    ----------
    session : Session
    price : ndarray of shape (seconds,)
        Index price from the start of each second, quote currency.
    level : ndarray of shape (seconds,)
        The index's volatility, fraction per year; implied volatility moves with it.
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

    The level is a log Ornstein-Uhlenbeck process by the minute. The index is a martingale by the
    second: a diffusion whose variance follows the level and the day's activity, jumps at instants
    of a Poisson process, and where the market closes one step between sessions. All of it together
    has the variance that the level says: jumps and nights are no addition to it.
    """
    index = scenario.index
    start, log_level = _after_the_night(scenario, session, state)
    levels, log_level = reverting_path(
        stream(scenario.seed, Component.VOLATILITY, session.number).standard_normal(
            session.minutes
        ),
        index.volatility_of_volatility,
        _kept(scenario, MINUTE_NS),
        log_level,
    )
    level = np.repeat(index.volatility * np.exp(levels), SECONDS_PER_MINUTE)[: session.seconds]
    shape = activity(scenario, session) ** index.intraday_volatility
    variance = level**2 * shape * (_diffusive_share(scenario) / shape.mean())
    variance *= _variance_per_second(scenario)
    rng = stream(scenario.seed, Component.INDEX, session.number)
    steps = np.sqrt(variance) * rng.standard_normal(session.seconds) - 0.5 * variance
    steps += _jumps(scenario, session)
    log_price = start + np.cumsum(steps)
    path = IndexPath(session, np.exp(np.concatenate(([start], log_price[:-1]))), level)
    return path, PathState(float(log_price[-1]), log_level, session.end_ns)


def _after_the_night(scenario: Scenario, session: Session, state: PathState) -> tuple[float, float]:
    """Return log price and log level at a session's start; both moved while the market was shut."""
    gap_ns = session.start_ns - state.end_ns
    if state.end_ns == 0 or gap_ns == 0:
        return state.log_price, state.log_level
    normals = stream(scenario.seed, Component.NIGHTS, session.number).standard_normal(2)
    variance = _level(scenario, state.log_level) ** 2 * scenario.index.overnight_share
    variance /= SESSIONS_PER_YEAR
    price = state.log_price + np.sqrt(variance) * normals[0] - 0.5 * variance
    _, level = reverting_path(
        normals[1:],
        scenario.index.volatility_of_volatility,
        _kept(scenario, gap_ns),
        state.log_level,
    )
    return float(price), level


def _jumps(scenario: Scenario, session: Session) -> NDArray[np.float64]:
    """Return the log jump of each second, without drift: mostly zero; fewer on a half day."""
    rng = stream(scenario.seed, Component.JUMPS, session.number)
    share = session.seconds / FULL_SESSION_SECONDS[scenario.hours]
    count = int(rng.poisson(share * scenario.index.jumps_per_day))
    size = scenario.index.jump_bps * _BASIS_POINT
    jumps = np.zeros(session.seconds)
    seconds = rng.integers(0, session.seconds, count)
    np.add.at(jumps, seconds, size * rng.standard_normal(count) - 0.5 * size * size)
    return jumps


def _diffusive_share(scenario: Scenario) -> float:
    """Return the share of a session's variance that jumps leave to the diffusion."""
    index = scenario.index
    return 1.0 - index.jump_variance / (index.volatility**2 * scenario.session_share)


def _variance_per_second(scenario: Scenario) -> float:
    """Return the share of a year's variance in one second of an average session."""
    return scenario.session_share / FULL_SESSION_SECONDS[scenario.hours]


def _level(scenario: Scenario, log_level: float) -> float:
    return scenario.index.volatility * float(np.exp(log_level))


def _kept(scenario: Scenario, span_ns: int) -> float:
    """Return the share of a deviation of the level that is left after a span."""
    return 0.5 ** (span_ns / (scenario.index.volatility_half_life_hours * HOUR_NS))


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
