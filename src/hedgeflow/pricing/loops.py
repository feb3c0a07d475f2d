"""The compiled loops under the vectorised functions, one per result, written into ``out``."""

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hedgeflow.pricing.implied import implied_vol
from hedgeflow.pricing.kernels import black_delta, black_gamma, black_value, black_vega

Floats: TypeAlias = NDArray[np.float64]
Rights: TypeAlias = NDArray[Any]


@njit(cache=True, error_model="numpy")
def fill_value(
    right: Rights,
    forward: Floats,
    strike: Floats,
    years: Floats,
    vol: Floats,
    discount: Floats,
    out: Floats,
) -> None:
    """Discounted Black-76 values."""
    for i in range(out.size):
        value = black_value(right[i], forward[i], strike[i], years[i], vol[i])
        out[i] = discount[i] * value


@njit(cache=True, error_model="numpy")
def fill_delta(
    right: Rights,
    forward: Floats,
    strike: Floats,
    years: Floats,
    vol: Floats,
    discount: Floats,
    out: Floats,
) -> None:
    """Discounted deltas with respect to the forward."""
    for i in range(out.size):
        delta = black_delta(right[i], forward[i], strike[i], years[i], vol[i])
        out[i] = discount[i] * delta


@njit(cache=True, error_model="numpy")
def fill_gamma(
    forward: Floats, strike: Floats, years: Floats, vol: Floats, discount: Floats, out: Floats
) -> None:
    """Discounted gammas with respect to the forward."""
    for i in range(out.size):
        out[i] = discount[i] * black_gamma(forward[i], strike[i], years[i], vol[i])


@njit(cache=True, error_model="numpy")
def fill_vega(
    forward: Floats, strike: Floats, years: Floats, vol: Floats, discount: Floats, out: Floats
) -> None:
    """Discounted vegas."""
    for i in range(out.size):
        out[i] = discount[i] * black_vega(forward[i], strike[i], years[i], vol[i])


@njit(cache=True, error_model="numpy")
def fill_implied_volatility(
    right: Rights,
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    discount: Floats,
    out: Floats,
) -> None:
    """Volatilities of discounted prices."""
    for i in range(out.size):
        undiscounted = price[i] / discount[i]
        out[i] = implied_vol(right[i], undiscounted, forward[i], strike[i], years[i])


@njit(cache=True, error_model="numpy")
def fill_inverse_value(
    right: Rights, forward: Floats, strike: Floats, years: Floats, vol: Floats, out: Floats
) -> None:
    """Coin values of inverse options."""
    for i in range(out.size):
        out[i] = black_value(right[i], forward[i], strike[i], years[i], vol[i]) / forward[i]


@njit(cache=True, error_model="numpy")
def fill_premium_adjusted_delta(
    right: Rights, forward: Floats, strike: Floats, years: Floats, vol: Floats, out: Floats
) -> None:
    """Black deltas less the coin values."""
    for i in range(out.size):
        premium = black_value(right[i], forward[i], strike[i], years[i], vol[i]) / forward[i]
        out[i] = black_delta(right[i], forward[i], strike[i], years[i], vol[i]) - premium


@njit(cache=True, error_model="numpy")
def fill_inverse_implied_volatility(
    right: Rights, price: Floats, forward: Floats, strike: Floats, years: Floats, out: Floats
) -> None:
    """Volatilities of coin prices."""
    for i in range(out.size):
        quoted = price[i] * forward[i]
        out[i] = implied_vol(right[i], quoted, forward[i], strike[i], years[i])
