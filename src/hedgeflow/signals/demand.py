"""Signed hedge demand of each print: who bought, the delta, and how sure the sign is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numba as nb
import numpy as np

from hedgeflow.market.time import YEAR_NS
from hedgeflow.pricing.kernels import print_delta

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NONE: Final = 0
_AGGRESSOR: Final = 1
_QUOTE: Final = 2
_TICK: Final = 3
_COMPLEX: Final = 4
_ASSUMED: Final = 5

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


@nb.njit(cache=True, error_model="numpy")
def demand_of_prints(
    ts: NDArray[np.int64],
    contract: NDArray[np.int32],
    price: NDArray[np.float64],
    lots: NDArray[np.int64],
    aggressor: NDArray[np.int8],
    iv: NDArray[np.float64],
    spot: NDArray[np.float64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    is_leg: NDArray[np.bool_],
    session: int,
    assume_bought: bool,
    inverse: bool,
    premium_adjusted: bool,
    lot: float,
    probabilities: NDArray[np.float64],
    right: NDArray[np.int8],
    strike: NDArray[np.float64],
    expiry_ns: NDArray[np.int64],
    multiplier: NDArray[np.float64],
    memory: Any,
    demand: NDArray[np.float64],
    expected: NDArray[np.float64],
    variance: NDArray[np.float64],
    unsigned: NDArray[np.float64],
    rules: NDArray[np.uint8],
) -> None:
    """Fill demand, expected demand, sign variance, unsigned q abs(delta) M and rule of each print.

    Demand is s q delta M in underlying units; expected is (2p - 1) times it; variance is
    4p(1-p)(q delta M)^2, zero signs counting as p = 1/2 (precise.md 7). Volatility comes from
    the print, else the contract's last, else the price; only a printed one is remembered
    (precise.md 5).
    """
    for i in range(ts.size):
        c: int = contract[i]
        ticked = tick_sign(memory[c], price[i], session)
        if assume_bought:
            sign, rule = 1, _ASSUMED
        else:
            sign, rule = sign_print(aggressor[i], price[i], bid[i], ask[i], ticked, is_leg[i])
        years = (expiry_ns[c] - ts[i]) / YEAR_NS
        value = price[i] * spot[i] if inverse else price[i]
        delta, _, _ = print_delta(
            right[c], value, spot[i], strike[c], years, iv[i], memory[c].last_iv
        )
        if not np.isnan(iv[i]):
            memory[c].last_iv = iv[i]
        if premium_adjusted and inverse:
            delta -= price[i]
        probability = probabilities[rule]
        exposure = lots[i] * lot * delta * multiplier[c]
        demand[i] = sign * exposure
        expected[i] = (2.0 * probability - 1.0) * sign * exposure
        variance[i] = 4.0 * probability * (1.0 - probability) * exposure * exposure
        unsigned[i] = lots[i] * abs(delta)
        rules[i] = rule
