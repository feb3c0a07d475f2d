"""Black-76 for one option, compiled, and the delta of one print, for use inside other kernels.

Formulas: Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976),
undiscounted. ``right`` is +1 for a call and -1 for a put; ``forward`` and ``strike`` are positive
and in the same currency, ``years`` are 365-day years to the expiration instant, ``vol`` is per
square root of such a year (0.65 is 65 %). Nothing is validated here.
"""

from math import exp, isnan, nan, sqrt

import numpy as np
from numba import njit

from hedgeflow.pricing.implied import implied_vol
from hedgeflow.pricing.normalised import (
    INV_SQRT_TWO_PI,
    SQRT_HALF,
    erfcx,
    log_moneyness,
    value_over_vega,
)

# Where the volatility of a print came from.
SOURCE_NONE = np.int8(0)
SOURCE_PRINT = np.int8(1)
SOURCE_LAST = np.int8(2)
SOURCE_SOLVED = np.int8(3)

# Beyond this many standard deviations a normal tail is below the smallest double.
TAIL_UNDERFLOWS_AT = 38.6
VELTKAMP = 134217729.0


@njit(cache=True, error_model="numpy")
def print_delta(
    right: int,
    price: float,
    forward: float,
    strike: float,
    years: float,
    print_iv: float,
    last_iv: float,
) -> tuple[float, float, np.int8]:
    """Delta of one print (precise.md 5), the volatility it rests on, and where that came from.

    The volatility is the print's own, else the contract's last, else solved from the price. A
    given volatility <= 0 is not looked behind, and one that cannot be solved (price at or below
    intrinsic, or not below its bound) leaves none: then the delta is 1, 1/2 or 0 by moneyness,
    minus 1 for puts. The price matters only when it must be solved.

    Parameters
    ----------
    right
        +1 call, -1 put.
    price
        In the currency of forward and strike, per unit (a coin price times the forward).
    print_iv, last_iv
        Volatility given by this print, and by the contract's last print that gave one; NaN: none.

    Returns
    -------
    tuple of float, float, int8
        Delta; the volatility used, 0 where none; source: ``SOURCE_PRINT``, ``SOURCE_LAST``,
        ``SOURCE_SOLVED`` or ``SOURCE_NONE``. Always ``delta == black_delta(..., volatility)``.
        The caller carries ``print_iv``, never a solved volatility, to the contract's next print.
    """
    if not isnan(print_iv):
        vol, source = print_iv, SOURCE_PRINT
    elif not isnan(last_iv):
        vol, source = last_iv, SOURCE_LAST
    else:
        vol, source = implied_vol(right, price, forward, strike, years), SOURCE_SOLVED
    if not vol > 0.0:
        vol, source = 0.0, SOURCE_NONE
    return black_delta(right, forward, strike, years, vol), vol, source


@njit(cache=True, error_model="numpy")
def black_value(right: int, forward: float, strike: float, years: float, vol: float) -> float:
    """Undiscounted Black-76 value, in the currency of forward and strike, per unit.

    The intrinsic value plus the out-of-the-money option of the same strike, which is computed
    without cancellation however small it is. With ``vol <= 0`` or ``years <= 0``: intrinsic.
    """
    intrinsic = max(right * (forward - strike), 0.0)
    if vol <= 0.0 or years <= 0.0:
        return intrinsic
    s = vol * sqrt(years)
    x = abs(log_moneyness(forward, strike))
    h = 0.0 if x == 0.0 else x / s
    if h > TAIL_UNDERFLOWS_AT:
        return intrinsic
    t = 0.5 * s
    if t > TAIL_UNDERFLOWS_AT:
        return intrinsic + min(forward, strike)
    ratio = value_over_vega(h, t)
    scaled = ratio * sqrt(forward * strike) * INV_SQRT_TWO_PI * exp(-0.5 * (h * h + t * t))
    return intrinsic + (scaled if ratio > 0.0 else min(forward, strike) + scaled)


@njit(cache=True, error_model="numpy")
def black_delta(right: int, forward: float, strike: float, years: float, vol: float) -> float:
    """Signed undiscounted delta: N(d1) for a call, in (0, 1); N(d1) - 1 for a put, in (-1, 0).

    With ``vol <= 0`` or ``years <= 0``: 1, 1/2 or 0 as the forward is above, at or below the
    strike, minus 1 for puts.
    """
    if vol <= 0.0 or years <= 0.0:
        return moneyness_delta(right, forward, strike)
    d1 = _d1(forward, strike, vol * sqrt(years))
    return right * norm_cdf(right * d1)


@njit(cache=True, error_model="numpy")
def black_gamma(forward: float, strike: float, years: float, vol: float) -> float:
    """Change of delta per unit of the forward, the same for calls and puts.

    With ``vol <= 0`` or ``years <= 0``: 0, also exactly at the strike, where the limit is
    infinite: an expired option asks for no further hedging.
    """
    if vol <= 0.0 or years <= 0.0:
        return 0.0
    s = vol * sqrt(years)
    return _norm_pdf(_d1(forward, strike, s)) / (forward * s)


@njit(cache=True, error_model="numpy")
def black_vega(forward: float, strike: float, years: float, vol: float) -> float:
    """Change of value per 1.00 of volatility (per 100 points), the same for calls and puts.

    With ``vol <= 0`` the limit: 0 away from the strike; with ``years <= 0``: 0.
    """
    if years <= 0.0:
        return 0.0
    root_years = sqrt(years)
    if vol <= 0.0:
        return forward * root_years * INV_SQRT_TWO_PI if forward == strike else 0.0
    return forward * root_years * _norm_pdf(_d1(forward, strike, vol * root_years))


@njit(cache=True, error_model="numpy")
def moneyness_delta(right: int, forward: float, strike: float) -> float:
    """Delta without a volatility: 1, 1/2 or 0 by moneyness, minus 1 for puts."""
    if forward > strike:
        call = 1.0
    elif forward < strike:
        call = 0.0
    elif forward == strike:
        call = 0.5
    else:
        call = nan
    return call if right > 0 else call - 1.0


@njit(cache=True, error_model="numpy")
def norm_cdf(x: float) -> float:
    """Standard normal distribution function, relative error below 1e-15 in both tails.

    ``N(-z) = exp(-z*z/2) erfcx(z/sqrt 2) / 2`` for z >= 0. The rounding error of ``z*z``, which a
    plain ``erfc(z/sqrt 2)`` magnifies by half of z squared, is recovered with Veltkamp's splitting
    (Dekker, Numer. Math. 18, 1971).
    """
    z = abs(x)
    if z > TAIL_UNDERFLOWS_AT:
        tail = 0.0
    else:
        square = z * z
        scaled = VELTKAMP * z
        high = scaled - (scaled - z)
        low = z - high
        rest = ((high * high - square) + 2.0 * high * low) + low * low
        tail = 0.5 * exp(-0.5 * square) * (1.0 - 0.5 * rest) * erfcx(z * SQRT_HALF)
    return 1.0 - tail if x > 0.0 else tail


@njit(cache=True, error_model="numpy")
def _d1(forward: float, strike: float, s: float) -> float:
    x = log_moneyness(forward, strike)
    return 0.5 * s if x == 0.0 else x / s + 0.5 * s


@njit(cache=True, error_model="numpy")
def _norm_pdf(x: float) -> float:
    return INV_SQRT_TWO_PI * exp(-0.5 * x * x)
