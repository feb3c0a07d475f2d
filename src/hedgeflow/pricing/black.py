"""Values, greeks and implied volatility of European options, vectorised.

Black-76 on the forward ("The pricing of commodity contracts", Journal of Financial Economics 3,
1976), times a discount factor that is 1 unless given. Black-Scholes-Merton with rate r and
dividend yield q is the same with ``forward = spot * exp((r - q) * years)`` and
``discount = exp(-r * years)``; its delta and gamma with respect to the spot are these times
``forward/spot`` and ``(forward/spot)**2``.

All functions broadcast their arguments like numpy and return float64 of the broadcast shape (a
scalar where every argument is one); NaN in, NaN out. They raise `PricingInputError`, a ValueError,
for a right other than +1 or -1, a forward, strike or discount that is zero, negative or infinite,
and a negative volatility. Years are 365-day years to the expiration instant; zero or negative:
expired. Volatilities are fractions per square root of a year.
"""

from numpy.typing import ArrayLike

from hedgeflow.pricing import loops
from hedgeflow.pricing.broadcasting import FloatArray, over


def value(
    right: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    discount: ArrayLike = 1.0,
) -> FloatArray:
    """Value of an option, in the currency of forward and strike, per unit of the underlying.

    Parameters
    ----------
    right : array_like of int
        +1 for a call, -1 for a put.
    forward, strike : array_like
        Forward of the option's expiry, and strike; positive, same currency.
    years : array_like
        365-day years to the expiration instant.
    vol : array_like
        Volatility, 0.2 for 20 %; with ``vol`` 0 or no time left: the discounted intrinsic value.
    discount : array_like, default 1
        Present value of one unit of currency at expiry.

    Returns
    -------
    ndarray of float64
        The broadcast shape. Out-of-the-money values keep their relative accuracy down to the
        smallest doubles.

    Raises
    ------
    PricingInputError
        Where an argument is out of its domain.
    """
    return over(
        loops.fill_value,
        right,
        forward=forward,
        strike=strike,
        years=years,
        vol=vol,
        discount=discount,
    )


def delta(
    right: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    discount: ArrayLike = 1.0,
) -> FloatArray:
    """Change of `value` per unit of the forward, signed.

    Undiscounted it is N(d1) for calls, in (0, 1), and N(d1) - 1 for puts, in (-1, 0)
    (volume-shock.md 1, precise.md 5). With ``vol`` 0 or no time left: 1, 1/2 or 0 as the forward
    is above, at or below the strike, minus 1 for puts.

    Parameters
    ----------
    right, forward, strike, years, vol, discount : array_like
        As in `value`.

    Returns
    -------
    ndarray of float64
        Underlying units per option unit, the broadcast shape.

    Raises
    ------
    PricingInputError
        Where an argument is out of its domain.
    """
    return over(
        loops.fill_delta,
        right,
        forward=forward,
        strike=strike,
        years=years,
        vol=vol,
        discount=discount,
    )


def gamma(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    discount: ArrayLike = 1.0,
) -> FloatArray:
    """Change of `delta` per unit of the forward; the same for calls and puts.

    Parameters
    ----------
    forward, strike, years, vol, discount : array_like
        As in `value`. With ``vol`` 0 or no time left: 0, at the strike too.

    Returns
    -------
    ndarray of float64
        Per unit of currency, the broadcast shape.

    Raises
    ------
    PricingInputError
        Where an argument is out of its domain.
    """
    return over(
        loops.fill_gamma,
        None,
        forward=forward,
        strike=strike,
        years=years,
        vol=vol,
        discount=discount,
    )


def vega(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    discount: ArrayLike = 1.0,
) -> FloatArray:
    """Change of `value` per 1.00 of volatility (100 points); the same for calls and puts.

    Parameters
    ----------
    forward, strike, years, vol, discount : array_like
        As in `value`. With no time left: 0; with ``vol`` 0: the limit.

    Returns
    -------
    ndarray of float64
        Currency per unit of volatility, the broadcast shape.

    Raises
    ------
    PricingInputError
        Where an argument is out of its domain.
    """
    return over(
        loops.fill_vega,
        None,
        forward=forward,
        strike=strike,
        years=years,
        vol=vol,
        discount=discount,
    )


def implied_volatility(
    right: ArrayLike,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    discount: ArrayLike = 1.0,
) -> FloatArray:
    """Volatility at which `value` equals a price, to the accuracy the price allows.

    After Jaeckel, "Let's be rational" (2015); `hedgeflow.pricing.implied` says what differs and
    how a rounding error of the price bounds the accuracy of any method.

    Parameters
    ----------
    right, forward, strike, years, discount : array_like
        As in `value`.
    price : array_like
        Discounted price, in the currency of forward and strike, per unit of the underlying.

    Returns
    -------
    ndarray of float64
        The broadcast shape; NaN where the price is at or below intrinsic, at or above its bound
        (discounted forward for calls, strike for puts), or no time is left.

    Raises
    ------
    PricingInputError
        Where an argument other than the price is out of its domain.
    """
    return over(
        loops.fill_implied_volatility,
        right,
        price=price,
        forward=forward,
        strike=strike,
        years=years,
        discount=discount,
    )
