"""Dealers' hedges of shocks in the future: when, how much, in what pieces, on which side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.order_flow import pieces
from hedgeflow.simulate.trades import Trades

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.scenario import Scenario

_HALF_TIMES: Final = 2.0
"""A hedge is worked at an even pace, and so done after this many half-times."""

_TIMING_SIGMA: Final = 0.25
_HALF_TIME_RANGE_MINUTES: Final = (0.25, 8.0)
_HALF_DONE: Final = 0.5
_MOSTLY_DONE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Hedge:
    """The hedge of one shock, as it will be traded.

    Attributes
    ----------
    start_ns : int
        No trade is earlier, UTC nanoseconds.
    half_time_minutes : float
        Half of it is expected to be done after this.
    response_minutes, completion_minutes : float or None
        From the shock's first print to when half and 90 % of it are done, in time of trading;
        None where nothing is hedged.
    volume : float
        Signed, underlying units: positive when dealers buy; 0 where they do not hedge.
    wanted : float
        What dealers who hedge would trade: signed like the demand, as large as `trades`.
    impact_bps : float
        Signed peak impact if nothing decayed.
    trades : Trades
        In order of time.
    """

    start_ns: int
    half_time_minutes: float
    response_minutes: float | None
    completion_minutes: float | None
    volume: float
    wanted: float
    impact_bps: float
    trades: Trades


def hedge_of(
    scenario: Scenario,
    shock: tuple[int, int],
    demand: float,
    rng: np.random.Generator,
    sign_rng: np.random.Generator,
) -> Hedge:
    """Return the hedge of a shock's demand.

    The half-time is ``dealers.half_time_minutes * (reference / abs(D)) ** exponent`` with a random
    factor. Over twice that time trades follow an even pace of volume, as a scheduled order does.
    Peak impact is ``impact.peak_bps * sqrt(volume / reference)`` (square-root law, e.g. B. Toth and
    others, *Physical Review X* 1, 021006, 2011).

    Parameters
    ----------
    scenario : Scenario
    shock : (int, int)
        The shock's id, and its first print.
    demand : float
        Signed hedge demand D, underlying units.
    rng : Generator
        Draws times and sizes.
    sign_rng : Generator
        Draws sides where dealers do not hedge; unused where they do.
    """
    dealers = scenario.dealers
    exposure = abs(demand) / dealers.reference_units
    lag_factor, speed_factor = np.exp(_TIMING_SIGMA * rng.standard_normal(2)).tolist()
    number, first_print_ns = shock
    lag_ns = int(dealers.lag_seconds * lag_factor * SECOND_NS)
    start_ns = first_print_ns + lag_ns - lag_ns % RESOLUTION_NS
    half_time = dealers.half_time_minutes * speed_factor
    half_time *= max(exposure, 1e-6) ** -dealers.half_time_exponent
    half_time = float(np.clip(half_time, *_HALF_TIME_RANGE_MINUTES))
    size, order = pieces(scenario, np.array([dealers.share * abs(demand)]), rng)
    total = float(size.sum())
    done = np.cumsum(size) - size * rng.random(size.size)
    delay = (done / max(total, 1e-9) * _HALF_TIMES * half_time * MINUTE_NS).astype(np.int64)
    stamp = start_ns + delay - delay % RESOLUTION_NS
    direction = 1 if demand >= 0.0 else -1
    sign = sides(scenario, np.array([direction]), order, sign_rng)
    hedged = dealers.hedging != "none" and size.size > 0
    volume = float((sign * size).sum()) if hedged else 0.0
    moves = hedged and scenario.impact.enabled
    peak = scenario.impact.peak_bps * np.sqrt(total / dealers.reference_units) if moves else 0.0
    return Hedge(
        start_ns=start_ns,
        half_time_minutes=half_time,
        response_minutes=_minutes(first_print_ns, stamp, size, _HALF_DONE) if hedged else None,
        completion_minutes=_minutes(first_print_ns, stamp, size, _MOSTLY_DONE) if hedged else None,
        volume=volume,
        wanted=direction * total,
        impact_bps=float(np.sign(volume) * peak),
        trades=Trades.of(stamp, size, sign, number),
    )


def sides(
    scenario: Scenario,
    direction: NDArray[np.int64],
    order: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the sides of dealers' trades.

    Parameters
    ----------
    scenario : Scenario
        `dealers.hedging` decides: the direction, one coin for an order, or a coin for each trade.
    direction : ndarray of shape (n_orders,), int64
        Side on which each order hedges.
    order : ndarray of shape (n,), int64
        Order of each trade.
    rng : Generator
        Throws the coins.
    """
    match scenario.dealers.hedging:
        case "demand":
            return direction[order]
        case "coin":
            return (2 * rng.integers(0, 2, direction.size) - 1)[order]
        case "none":
            return 2 * rng.integers(0, 2, order.size) - 1


def _minutes(
    from_ns: int, stamp: NDArray[np.int64], size: NDArray[np.float64], share: float
) -> float:
    """Return the minutes until a share of the volume of trades is done."""
    done = np.cumsum(size, dtype=np.float64)
    at = int(np.searchsorted(done, share * float(done[-1])))
    return float(stamp[at] - from_ns) / MINUTE_NS
