"""How a position is managed towards expiry: the rules, one step on a price, and its evolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.settlement_rules import Urgency
from hedgeflow.strategies.exits import NEVER_DUE_NS, OUT_OF_REACH, Exit

if TYPE_CHECKING:
    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
    from hedgeflow.strategies.expiration_pressure.plan import ExpirationPlan

HOLD: Final = int(Exit.CONTINUE_HOLDING)
TIME_LIMIT: Final = int(Exit.EXIT_TIME_LIMIT)
TARGET: Final = int(Exit.EXIT_TARGET_HIT)
STOP: Final = int(Exit.EXIT_STOP_HIT)
GAP: Final = int(Exit.EXIT_GAP)
END_OF_DATA: Final = int(Exit.EXIT_END_OF_DATA)
FLAT: Final = int(Exit.EXIT_FLAT_BEFORE_CLOSE)
DANGER: Final = int(Exit.EXIT_IMMEDIATE_TIME_DANGER)
EVOLVE: Final = -1
"""No exit: the urgency has risen, so stop and time limit change."""

LOW: Final = int(Urgency.LOW)
HIGH: Final = int(Urgency.HIGH)
CRISIS: Final = int(Urgency.CRISIS)
NEVER_NS: Final = int(np.iinfo(np.int64).max)
"""An instant after every other."""


class Management(NamedTuple):
    """The rules that do not differ from position to position, nanoseconds before expiry.

    Attributes
    ----------
    high_ns, crisis_ns : int
        Urgency rises when less than this is left.
    danger_ns : int
        With this much left or less every position ends.
    buffer_high_ns, buffer_crisis_ns : int
        Once urgency has risen, positions end so long before expiry.
    evolves : bool
        Off: urgency stays as it was at entry.
    evolves_first : bool
        The source's precedence: a rise of urgency is looked at before target and stop, which are
        looked at anew with the next price only: the source does one thing a look.
    limited : bool
        Off: no time limit but the danger's.
    """

    high_ns: int
    crisis_ns: int
    danger_ns: int
    buffer_high_ns: int
    buffer_crisis_ns: int
    evolves: bool
    evolves_first: bool
    limited: bool

    @classmethod
    def of(cls, config: ExpirationPressureConfig) -> Management:
        """Return the rules of a configuration."""
        clock, plan = config.clock, config.plan
        return cls(
            high_ns=round(clock.high_minutes * MINUTE_NS),
            crisis_ns=round(clock.crisis_minutes * MINUTE_NS),
            danger_ns=round(plan.danger_minutes * MINUTE_NS),
            buffer_high_ns=round(plan.buffer_high_minutes * MINUTE_NS),
            buffer_crisis_ns=round(plan.buffer_crisis_minutes * MINUTE_NS),
            evolves=plan.evolution,
            evolves_first=plan.precedence == "source",
            limited=plan.time_limit,
        )


class Positions(NamedTuple):
    """Open positions, each with levels of its own; every field is broadcast to those of `entry`.

    Attributes
    ----------
    entry : array_like of int
        Index of the entry bar, at whose open it enters, or of the entry tick.
    direction : array_like
        +1 long, -1 short.
    target : array_like
        Price, wherever the fill was.
    stop_distance, tightened_distance : array_like
        Price units from the fill, and from the price at the crossing into CRISIS.
    limit_ns : array_like of int
        Longest holding time as planned.
    expiry_ns : array_like of int
        UTC nanoseconds.
    urgency : array_like of int
        `Urgency` at the entry.
    flat_ns : array_like of int
        An instant from which it must be flat for another reason, as a kill; `NEVER_NS` if none.
    """

    entry: ArrayLike
    direction: ArrayLike
    target: ArrayLike
    stop_distance: ArrayLike
    tightened_distance: ArrayLike
    limit_ns: ArrayLike
    expiry_ns: ArrayLike
    urgency: ArrayLike
    flat_ns: ArrayLike = NEVER_NS


class ManagedExits(NamedTuple):
    """How each of many positions ended, arrays of the shape of `Positions.entry`.

    Attributes
    ----------
    price, ns, reason, flags
        As in `Exits`.
    evolved : ndarray, int64
        Index of the bar or tick at which it went into CRISIS, -1 if it never did. It happens at
        most once, and at the bar's open.
    evolved_ns : ndarray, int64
        The instant of that, 0 if none.
    evolved_price : ndarray, float64
        The price of that, NaN if none.
    stop : ndarray, float64
        The stop in force at the end.
    """

    price: NDArray[np.float64]
    ns: NDArray[np.int64]
    reason: NDArray[np.int8]
    flags: NDArray[np.int8]
    evolved: NDArray[np.int64]
    evolved_ns: NDArray[np.int64]
    evolved_price: NDArray[np.float64]
    stop: NDArray[np.float64]


def position_of(
    plan: ExpirationPlan,
    config: ExpirationPressureConfig,
    entry: int,
    *,
    flat_ns: int | None = None,
) -> Positions:
    """Return a filled plan as exits watch it: what is switched off is out of reach.

    Parameters
    ----------
    plan : ExpirationPlan
    config : ExpirationPressureConfig
    entry : int
        Index of its entry bar or tick.
    flat_ns : int, optional
        An instant from which it must be flat for another reason.
    """
    rules = config.plan
    return Positions(
        entry=[entry],
        direction=plan.direction,
        target=plan.target_price if rules.target else plan.direction * OUT_OF_REACH,
        stop_distance=plan.stop_distance if rules.stop else OUT_OF_REACH,
        tightened_distance=plan.tightened_distance if rules.stop else OUT_OF_REACH,
        limit_ns=round(plan.limit_minutes * MINUTE_NS) if rules.time_limit else NEVER_DUE_NS,
        expiry_ns=plan.expiry_ns,
        urgency=int(Urgency[plan.urgency]),
        flat_ns=NEVER_NS if flat_ns is None else flat_ns,
    )


@nb.njit(cache=True, nogil=True)
def manage(
    now_ns: int,
    price: float,
    direction: float,
    target: float,
    stop: float,
    deadline_ns: int,
    expiry_ns: int,
    urgency: int,
    rules: Management,
) -> int:
    """Return what to do with a position at one price, in the order of expiration-pressure.md 4.

    Two minutes left; stop; target; a rise of urgency; time limit; else hold. Under the source's
    precedence a rise of urgency comes before stop and target.

    Parameters
    ----------
    now_ns, deadline_ns, expiry_ns : int
        UTC nanoseconds.
    price, target, stop : float
    direction : float
        +1 long, -1 short.
    urgency : int
        `Urgency` that the position is in.
    rules : Management

    Returns
    -------
    int
        A code of `Exit`, or `EVOLVE`: `evolved` then tells what changes, and the same price is
        looked at once more, but for a rise into CRISIS under the source's precedence.
    """
    left = expiry_ns - now_ns
    if left <= rules.danger_ns:
        return DANGER
    rises = rules.evolves and urgency < _urgency_at(left, rules)
    if rises and rules.evolves_first:
        return EVOLVE
    if direction * price <= direction * stop:
        return STOP
    if direction * price >= direction * target:
        return TARGET
    if rises:
        return EVOLVE
    return TIME_LIMIT if now_ns >= deadline_ns else HOLD


@nb.njit(cache=True, nogil=True)
def evolved(
    now_ns: int,
    price: float,
    direction: float,
    stop: float,
    deadline_ns: int,
    expiry_ns: int,
    tightened_distance: float,
    rules: Management,
) -> tuple[int, float, int]:
    """Return urgency, stop and deadline after a rise of urgency (precise.md 34).

    The time limit becomes what is left less the buffer of the new urgency. Into CRISIS the stop is
    tightened to a distance from this price, never loosened.
    """
    urgency = _urgency_at(expiry_ns - now_ns, rules)
    buffer_ns = rules.buffer_crisis_ns if urgency == CRISIS else rules.buffer_high_ns
    if rules.limited:
        deadline_ns = expiry_ns - buffer_ns
    if urgency == CRISIS:
        stop = direction * max(direction * stop, direction * price - tightened_distance)
    return urgency, stop, deadline_ns


@nb.njit(cache=True, nogil=True)
def _urgency_at(left_ns: int, rules: Management) -> int:
    if left_ns < rules.crisis_ns:
        return CRISIS
    return HIGH if left_ns < rules.high_ns else LOW
