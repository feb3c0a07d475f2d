"""Signed hedge demand of each print: who bought, the delta, and how sure the sign is."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.market.time import YEAR_NS
from hedgeflow.pricing.kernels import print_delta
from hedgeflow.signals.fold_arrays import Entries

_NONE: Final = 0
_AGGRESSOR: Final = 1
_QUOTE: Final = 2
_TICK: Final = 3
_COMPLEX: Final = 4

PRINT_STATE: Final = np.dtype(
    [("last_iv", "f8"), ("last_price", "f8"), ("tick_sign", "i1"), ("tick_session", "i8")]
)
"""What signing and delta remember of a contract."""


def print_state(capacity: int) -> NDArray[Any]:
    """Return the memory of `capacity` contracts that have not traded yet."""
    state = np.zeros(capacity, PRINT_STATE)
    state["last_iv"] = np.nan
    state["last_price"] = np.nan
    state["tick_session"] = -1
    return state


@nb.njit(cache=True)
def tick_sign(memory: Any, price: float, session: int) -> int:
    """Return the tick test's sign and remember the price.

    Against the contract's previous print of another price; an unchanged price keeps the
    previous sign; the first print of a session is 0 (precise.md 8).
    """
    if memory.tick_session != session:
        memory.tick_session = session
        memory.last_price = price
        memory.tick_sign = 0
        return 0
    if price > memory.last_price:
        memory.tick_sign = 1
    elif price < memory.last_price:
        memory.tick_sign = -1
    memory.last_price = price
    return memory.tick_sign


@nb.njit(cache=True)
def sign_print(
    aggressor: int, price: float, bid: float, ask: float, ticked: int, is_leg: bool
) -> tuple[int, int]:
    """Return (sign, rule) of one print: aggressor, else quote rule, else tick test.

    The quote rule needs 0 < bid <= ask and a price off the middle; a price at the middle goes
    to the tick test. A leg of a complex order without a flag keeps that sign under the rule
    COMPLEX, whose probability is lower (volume-shock.md 1, precise.md 7).
    """
    if aggressor != 0:
        return aggressor, _AGGRESSOR
    sign = ticked
    rule = _TICK if ticked != 0 else _NONE
    if 0.0 < bid <= ask:
        middle = 0.5 * (bid + ask)
        if price > middle:
            sign, rule = 1, _QUOTE
        elif price < middle:
            sign, rule = -1, _QUOTE
    if is_leg and sign != 0:
        rule = _COMPLEX
    return sign, rule


class DemandTerms(NamedTuple):
    """What turns a signed print into demand.

    Attributes
    ----------
    right, strike, expiry_ns, multiplier : ndarray of shape (contracts,)
        Terms by contract index.
    probabilities : ndarray of shape (rules,), float64
        Probability that a sign is right, by `SigningRule`.
    lot : float
    inverse, premium_adjusted : bool
    """

    right: NDArray[np.int8]
    strike: NDArray[np.float64]
    expiry_ns: NDArray[np.int64]
    multiplier: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    lot: float
    inverse: bool
    premium_adjusted: bool


@nb.njit(cache=True)
def volatility_at_hand(memory: Any, iv: float) -> float:
    """Return the print's volatility, else the contract's last; NaN where it must be solved.

    Only a printed one is remembered (precise.md 5).
    """
    if not np.isnan(iv):
        memory.last_iv = iv
    return memory.last_iv


@nb.njit(cache=True, error_model="numpy")
def delta_of_print(
    ts: int, c: int, price: float, spot: float, volatility: float, terms: DemandTerms
) -> float:
    """Return the delta of a print, less its premium where that is asked for (precise.md 5, 6)."""
    years = (terms.expiry_ns[c] - ts) / YEAR_NS
    value = price * spot if terms.inverse else price
    delta, _, _ = print_delta(
        terms.right[c], value, spot, terms.strike[c], years, volatility, np.nan
    )
    if terms.premium_adjusted and terms.inverse:
        delta -= price
    return delta


@nb.njit(cache=True, error_model="numpy")
def demand_of_print(
    sign: int, rule: int, lots: int, delta: float, c: int, terms: DemandTerms
) -> tuple[float, float, float]:
    """Return demand, expected demand and sign variance of a print.

    Demand is s q delta M in underlying units; expected is (2p - 1) times it; variance is
    4p(1-p)(q delta M)^2, zero signs counting as p = 1/2 (precise.md 7).
    """
    probability = terms.probabilities[rule]
    exposure = lots * terms.lot * delta * terms.multiplier[c]
    return (
        sign * exposure,
        (2.0 * probability - 1.0) * sign * exposure,
        4.0 * probability * (1.0 - probability) * exposure * exposure,
    )


@nb.njit(cache=True, error_model="numpy")
def put_demand(entries: Entries, i: int, terms: DemandTerms) -> float:
    """Write the demand of an entry beside it; return its delta."""
    c = int(entries.contract[i])
    delta = delta_of_print(
        entries.ts[i], c, entries.price[i], entries.spot[i], entries.volatility[i], terms
    )
    entries.demand[i], entries.expected[i], entries.variance[i] = demand_of_print(
        entries.sign[i], entries.rule[i], entries.lots[i], delta, c, terms
    )
    entries.settled[i] = True
    return delta


@nb.njit(cache=True)
def settle(entries: Entries, i: int, terms: DemandTerms) -> None:
    """Make sure that the demand of an entry is known."""
    if not entries.settled[i]:
        put_demand(entries, i, terms)


@nb.njit(cache=True)
def put_demands(
    entries: Entries,
    places: NDArray[np.int64],
    terms: DemandTerms,
    weight: NDArray[np.float64],
) -> None:
    """Write the demand of some entries beside them, and fill q abs(delta) of each."""
    for k in range(places.size):
        delta = put_demand(entries, places[k], terms)
        weight[k] = entries.lots[places[k]] * abs(delta)
