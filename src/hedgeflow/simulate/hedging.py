"""Dealers' hedges in the perpetual: when, how much, in what pieces, and how its price responds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.paths import decaying_sum
from hedgeflow.simulate.perpetual import SIZE_STEP, Trades, trade_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.scenario import Scenario

_HALF_TIMES: Final = 2.0
"""A hedge is worked at an even pace, and so done after this many half-times."""

_TIMING_SIGMA: Final = 0.25
_LASTING_HALF_LIFE_HOURS: Final = 8.0
_HALF_TIME_RANGE_MINUTES: Final = (0.25, 8.0)
_BASIS_POINT: Final = 1e-4
_SECONDS_PER_HOUR: Final = 3600.0
_SECONDS_PER_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Hedge:
    """The hedge of one shock, as it will be traded.

    Attributes
    ----------
    start_ns : int
        No trade is earlier, UTC nanoseconds.
    half_time_minutes : float
        Half of it is expected to be done after this.
    volume : float
        Signed, underlying units: positive when dealers buy.
    impact_bps : float
        Signed peak impact if nothing decayed.
    trades : Trades
        In order of time; signs are those of `volume`, or random where dealers do not hedge.
    """

    start_ns: int
    half_time_minutes: float
    volume: float
    impact_bps: float
    trades: Trades


def hedge_of(
    scenario: Scenario,
    session: Session,
    shock: tuple[int, int],
    demand: float,
    rng: np.random.Generator,
    sign_rng: np.random.Generator,
) -> Hedge:
    """Return the hedge of a shock's demand.

    The half-time is ``dealers.half_time_minutes * (reference / abs(D)) ** exponent`` with a random
    factor; trades are spread evenly over twice that time, as an order worked to a schedule is.
    Peak impact is ``impact.peak_bps * sqrt(volume / reference)``.

    Parameters
    ----------
    scenario : Scenario
    session : Session
    shock : (int, int)
        The shock's id, and its first print.
    demand : float
        Signed hedge demand D, underlying units.
    rng : Generator
        Draws times and sizes.
    sign_rng : Generator
        Draws the random signs of a market without hedging; unused with it.
    """
    exposure = abs(demand) / scenario.dealers.reference_units
    lag_factor, speed_factor = np.exp(_TIMING_SIGMA * rng.standard_normal(2)).tolist()
    lag_ns = int(scenario.dealers.lag_seconds * lag_factor * SECOND_NS)
    number, shock_start_ns = shock
    start_ns = shock_start_ns + lag_ns - lag_ns % RESOLUTION_NS
    half_time = scenario.dealers.half_time_minutes * speed_factor
    half_time *= max(exposure, 1e-6) ** -scenario.dealers.half_time_exponent
    half_time = float(np.clip(half_time, *_HALF_TIME_RANGE_MINUTES))
    total = round(scenario.dealers.share * abs(demand) / SIZE_STEP) * SIZE_STEP
    size = _pieces(scenario, session, total, rng)
    delay = (rng.random(size.size) * _HALF_TIMES * half_time * MINUTE_NS).astype(np.int64)
    stamp = np.sort(start_ns + delay - delay % RESOLUTION_NS)
    direction = 1 if demand >= 0.0 else -1
    if scenario.dealers.hedging == "demand":
        sign = np.full(size.size, direction, dtype=np.int64)
    else:
        sign = 2 * sign_rng.integers(0, 2, size.size) - 1
    moves = scenario.dealers.hedging == "demand" and scenario.impact.enabled
    peak = (
        scenario.impact.peak_bps * np.sqrt(total / scenario.dealers.reference_units)
        if moves
        else 0.0
    )
    return Hedge(
        start_ns=start_ns,
        half_time_minutes=half_time,
        volume=direction * total if scenario.dealers.hedging == "demand" else 0.0,
        impact_bps=float(direction * peak),
        trades=Trades.of(stamp, size, sign, number),
    )


@dataclass(frozen=True, slots=True)
class PremiumState:
    """The perpetual's premium at the end of a session, log price, and the impact still to come.

    Attributes
    ----------
    transient, lasting : float
        The two parts of the premium.
    ahead : ndarray
        Increments by second from the start of the next session.
    """

    transient: float
    lasting: float
    ahead: NDArray[np.float64]

    @classmethod
    def at_rest(cls) -> PremiumState:
        """Return no premium."""
        return cls(0.0, 0.0, np.empty(0))


def premium_path(
    scenario: Scenario, session: Session, hedges: list[Hedge], state: PremiumState
) -> tuple[NDArray[np.float64], PremiumState]:
    """Return the perpetual's log premium to the index by second of a session, and the next state.

    Each hedge trade moves the price in the second after it, so that the impact of the executed
    share f of a hedge is ``peak * f ** impact_path_exponent``; the transient and the lasting part
    of every move decay at their own half-lives.
    """
    moves = _increments(scenario, session, hedges, state.ahead)
    today, ahead = moves[: session.seconds], moves[session.seconds :]
    transient = decaying_sum(
        (1.0 - scenario.impact.permanent_share) * today,
        0.5 ** (1.0 / (_SECONDS_PER_MINUTE * scenario.impact.transient_half_life_minutes)),
        state.transient,
    )
    lasting = decaying_sum(
        scenario.impact.permanent_share * today,
        0.5 ** (1.0 / (_SECONDS_PER_HOUR * _LASTING_HALF_LIFE_HOURS)),
        state.lasting,
    )
    return transient + lasting, PremiumState(float(transient[-1]), float(lasting[-1]), ahead)


def _increments(
    scenario: Scenario, session: Session, hedges: list[Hedge], ahead: NDArray[np.float64]
) -> NDArray[np.float64]:
    seconds = [session.second(hedge.trades.stamp) + 1 for hedge in hedges]
    last = max((int(second[-1]) for second in seconds if second.size), default=0)
    moves = np.zeros(max(session.seconds, last + 1, ahead.size))
    moves[: ahead.size] += ahead
    for hedge, second in zip(hedges, seconds, strict=True):
        if hedge.trades.size.size == 0 or hedge.impact_bps == 0.0:
            continue
        executed = np.cumsum(hedge.trades.size) / hedge.trades.size.sum()
        reached = executed**scenario.impact.path_exponent
        steps = np.diff(reached, prepend=0.0) * hedge.impact_bps * _BASIS_POINT
        np.add.at(moves, second, steps)
    return moves


def _pieces(
    scenario: Scenario, session: Session, total: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return sizes as ordinary trades have them that add up to a total."""
    if total <= 0.0:
        return np.empty(0)
    drawn: list[NDArray[np.float64]] = []
    reached = 0.0
    while reached < total:
        drawn.append(trade_sizes(scenario, session, rng, 64))
        reached += float(drawn[-1].sum())
    size = np.concatenate(drawn)
    cumulative = np.cumsum(size)
    last = int(np.searchsorted(cumulative, total))
    out = size[: last + 1].copy()
    out[last] -= cumulative[last] - total
    out = np.round(out / SIZE_STEP) * SIZE_STEP
    return out[out > 0.0]
