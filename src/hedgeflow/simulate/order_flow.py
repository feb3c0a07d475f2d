"""The future's ordinary order flow: when trades come, how large they are, on which side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np
from numba import njit

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.time import SECOND_NS
from hedgeflow.simulate.hours import (
    FULL_SESSION_SECONDS,
    SECONDS_PER_MINUTE,
    activity,
    shape_of_day,
)
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.paths import reverting_path
from hedgeflow.simulate.trades import Trades
from hedgeflow.simulate.truth import ORDINARY
from hedgeflow.simulate.venue import venue_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.scenario import Scenario

_SLOT_SECONDS: Final = 300
_OPEN_SECONDS: Final = 52_200
"""New York opens at 14:30 UTC in winter."""

_MILLISECONDS_PER_SECOND: Final = 1000
_ACTIVITY_HALF_LIFE_MINUTES: Final = 20.0
_QUANTILES: Final = 99
_TRIAL_SEED: Final = 20_250_106
_TRIAL_TRADES: Final = 600_000
_TRIAL_WIDEST: Final = 40.0
"""Beyond so many trades' sizes the imbalance looks the same on every scale."""
_HALVINGS: Final = 14
_SCALE_HALVINGS: Final = 60
_NARROWEST_BOUND: Final = 0.05
_BOUND_PER_DEVIATION: Final = 8.0
_LONGEST_RUN: Final = 1e9


@dataclass(frozen=True, slots=True)
class FlowState:
    """What a session's ordinary flow leaves to the next.

    Attributes
    ----------
    log_activity : float
        Log of the slowly varying activity.
    imbalance : float
        Cumulative signed volume, mean trade sizes.
    direction, left : int
        Side of the run under way, and how many of its trades are still to come.
    """

    log_activity: float = 0.0
    imbalance: float = 0.0
    direction: int = 1
    left: int = 0


@dataclass(frozen=True, slots=True)
class OrdinaryFlow:
    """A session's ordinary trades.

    Attributes
    ----------
    trades : Trades
    pace : ndarray of shape (seconds,)
        Slowly varying activity, mean 1, without the time of day.
    after : FlowState
    """

    trades: Trades
    pace: NDArray[np.float64]
    after: FlowState


def ordinary_trades(
    scenario: Scenario, session: Session, rng: np.random.Generator, state: FlowState
) -> OrdinaryFlow:
    """Return a session of ordinary flow.

    Arrivals are Poisson by the second around the time-of-day profile times a slowly varying log
    activity. Signs come in runs, as they do where orders are split: a run keeps its side for a
    number of trades with a Pareto tail, from which signs have a slowly decaying autocorrelation
    (F. Lillo, S. Mike and J. D. Farmer, *Physical Review E* 71, 066122, 2005). A new run leans
    against the cumulative signed volume, and a run ends that carries it out of bounds, so that it
    reverts to zero with the standard deviation `imbalance_units`: takers who come and go, not one
    who accumulates.

    Raises
    ------
    ConfigError
        The trades would be smaller than the venue's step.
    """
    future = scenario.future
    sigma = future.activity_sigma
    levels, log_activity = reverting_path(
        rng.standard_normal(session.minutes),
        sigma,
        0.5 ** (1.0 / _ACTIVITY_HALF_LIFE_MINUTES),
        state.log_activity,
    )
    pace = np.repeat(np.exp(levels - 0.5 * sigma * sigma), SECONDS_PER_MINUTE)[: session.seconds]
    rate = future.trades_per_day / FULL_SESSION_SECONDS[scenario.hours]
    counts = rng.poisson(rate * pace * activity(scenario, session))
    second = np.repeat(np.arange(session.seconds, dtype=np.int64), counts)
    stamp = session.start_ns + second * SECOND_NS
    stamp += rng.integers(0, _MILLISECONDS_PER_SECOND, stamp.size) * RESOLUTION_NS
    stamp.sort()
    size = trade_sizes(scenario, rng, stamp.size)
    mean = mean_size(scenario)
    scale = _run_scale(future.run_trades, future.run_exponent)
    bound = _bound(
        future.imbalance_units / mean,
        mean / venue_of(scenario).hedge_step - 1.0,
        future.size_sigma,
        scale,
        future.run_exponent,
    )
    sign, imbalance, direction, left = _signs(
        rng.random((stamp.size, 2)),
        size / mean,
        bound,
        scale,
        future.run_exponent,
        (state.imbalance, state.direction, state.left),
    )
    after = FlowState(log_activity, imbalance, direction, left)
    return OrdinaryFlow(Trades.of(stamp, size, sign, ORDINARY), pace, after)


def mean_size(scenario: Scenario) -> float:
    """Return the mean size of a trade, underlying units: what `volume_units` leaves to each.

    Raises
    ------
    ConfigError
        It is less than the venue's step.
    """
    future = scenario.future
    typical = _typical_activity(scenario.day_shape, scenario.hours, future.activity_sigma)
    trades = future.trades_per_day * _SLOT_SECONDS / FULL_SESSION_SECONDS[scenario.hours] * typical
    size = future.volume_units / trades
    step = venue_of(scenario).hedge_step
    if size < step:
        raise ConfigError(
            f"{future.volume_units:g} units in 5 minutes are not enough for about {trades:.0f}"
            f" trades of at least {step:g}",
            where="future.volume_units",
            hint="Raise it, or lower future.trades_per_day",
        )
    return size


def trade_sizes(scenario: Scenario, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return trade sizes in underlying units, whole multiples of the venue's step.

    Every trade has one step; what is more is lognormal, rounded at random so that the mean holds.
    """
    step = venue_of(scenario).hedge_step
    more = mean_size(scenario) / step - 1.0
    return _steps(rng, count, more, scenario.future.size_sigma) * step


def pieces(
    scenario: Scenario, totals: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return orders cut into trades of the sizes that ordinary ones have.

    Parameters
    ----------
    scenario : Scenario
    totals : ndarray of shape (n_orders,), float64
        Underlying units, not negative; each is rounded to the venue's step.
    rng : Generator

    Returns
    -------
    size : ndarray of shape (n,), float64
        Underlying units; those of one order add up to its total.
    order : ndarray of shape (n,), int64
        To which order each belongs, ascending.
    """
    step = venue_of(scenario).hedge_step
    wanted = np.rint(totals / step).astype(np.int64)
    mean = mean_size(scenario) / step
    drawn = np.empty(0, dtype=np.int64)
    while True:
        missing = (wanted.sum() - drawn.sum()) / mean
        count = 8 + wanted.size + int(1.5 * max(missing, 0.0))
        steps = _steps(rng, count, mean - 1.0, scenario.future.size_sigma)
        drawn = np.concatenate((drawn, steps.astype(np.int64)))
        size, order, is_enough = _cut(drawn, wanted)
        if is_enough:
            return np.multiply(size, step, dtype=np.float64), order


def _steps(rng: np.random.Generator, count: int, more: float, sigma: float) -> NDArray[np.float64]:
    """Return trade sizes in steps, with mean 1 + more."""
    drawn = np.exp(sigma * rng.standard_normal(count) - 0.5 * sigma * sigma)
    return 1.0 + np.floor(more * drawn + rng.random(count))


@lru_cache(maxsize=16)
def _typical_activity(shape: str, hours: str, sigma: float) -> float:
    """Return the median activity of 5-minute slots: time of day times lognormal slow activity."""
    offset = 0 if hours == ALWAYS_OPEN else _OPEN_SECONDS
    seconds = FULL_SESSION_SECONDS[hours]
    profile = shape_of_day(shape, offset, seconds).reshape(-1, _SLOT_SECONDS).mean(axis=1)
    places = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    slow = [sigma * NormalDist().inv_cdf(place) - 0.5 * sigma * sigma for place in places]
    return float(np.median(np.multiply.outer(profile, np.exp(slow))))


@lru_cache(maxsize=16)
def _run_scale(mean: float, exponent: float) -> float:
    """Return the scale of the Pareto law of run lengths that gives a mean length.

    A length is a Lomax variable rounded up: P(length > n) = (1 + n / scale) ** -exponent, whose
    sum over n is 1 + scale ** exponent * zeta(exponent, 1 + scale).
    """
    from scipy.special import zeta

    low, high = 0.0, mean * exponent
    for _ in range(_SCALE_HALVINGS):
        scale = 0.5 * (low + high)
        reached = 1.0 + scale**exponent * float(zeta(exponent, 1.0 + scale))
        low, high = (scale, high) if reached < mean else (low, scale)
    return low


@lru_cache(maxsize=16)
def _bound(deviation: float, more: float, sigma: float, scale: float, exponent: float) -> float:
    """Return the bound of the imbalance at which its standard deviation is the one that is wanted.

    There is no formula for runs with a heavy tail, so it is found by bisection on a trial stream
    of signs, always the same one. Where trades are too large for so little, it is the narrowest.

    Parameters
    ----------
    deviation : float
        Wanted, mean trade sizes.
    more, sigma : float
        Law of sizes, see `_steps`.
    scale, exponent : float
        Law of run lengths.
    """
    wanted = min(deviation, _TRIAL_WIDEST)
    rng = np.random.Generator(np.random.PCG64(_TRIAL_SEED))
    size = _steps(rng, _TRIAL_TRADES, more, sigma) / (1.0 + more)
    draws = rng.random((_TRIAL_TRADES, 2))

    def reached(bound: float) -> float:
        sign, *_ = _signs(draws, size, bound, scale, exponent, (0.0, 1, 0))
        return float(np.cumsum(sign * size)[_TRIAL_TRADES // 20 :].std())

    low, high = _NARROWEST_BOUND, _BOUND_PER_DEVIATION * wanted
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if reached(middle) < wanted else (low, middle)
    return (low * high) ** 0.5 * deviation / wanted


@njit(cache=True)
def _signs(
    draws: NDArray[np.float64],
    size: NDArray[np.float64],
    bound: float,
    scale: float,
    exponent: float,
    state: tuple[float, int, int],
) -> tuple[NDArray[np.int64], float, int, int]:  # pragma: no cover - compiled
    """Return the side of each trade, and the state after: imbalance, direction, run left."""
    sign = np.empty(size.size, dtype=np.int64)
    imbalance, direction, left = state
    for i in range(size.size):
        if left <= 0 or direction * imbalance > bound:
            lean = min(1.0, max(-1.0, imbalance / bound))
            direction = 1 if draws[i, 0] < 0.5 * (1.0 - lean) else -1
            length = scale * ((1.0 - draws[i, 1]) ** (-1.0 / exponent) - 1.0)
            left = int(np.ceil(min(max(length, 1.0), _LONGEST_RUN)))
        sign[i] = direction
        imbalance += direction * size[i]
        left -= 1
    return sign, imbalance, direction, left


@njit(cache=True)
def _cut(
    drawn: NDArray[np.int64], wanted: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:  # pragma: no cover - compiled
    """Return drawn sizes one after the other, the last of each order cut to fit its total."""
    size = np.empty(drawn.size, dtype=np.int64)
    order = np.empty(drawn.size, dtype=np.int64)
    used = 0
    for k in range(wanted.size):
        left = wanted[k]
        while left > 0:
            if used == drawn.size:
                return size, order, False
            size[used] = min(left, drawn[used])
            order[used] = k
            left -= size[used]
            used += 1
    return size[:used], order[:used], True
