"""Inverse options, quoted and settled in the coin they are written on (Deribit), vectorised.

One option on one coin pays ``max(S - K, 0) / S`` coins (a put ``max(K - S, 0) / S``) at expiry,
S being the settlement price (Deribit, "Inverse options", contract specifications). Deribit marks
it at the Black-76 value in quote currency divided by the forward. Arguments, shapes and errors are
those of `hedgeflow.pricing.black`; there is no discount factor, premium and payoff being in coin.
"""

from numpy.typing import ArrayLike

from hedgeflow.pricing import loops
from hedgeflow.pricing.broadcasting import FloatArray, over


def inverse_value(
    right: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike
) -> FloatArray:
    """Premium in coins per coin of underlying: the undiscounted Black-76 value / forward.

    Parameters
    ----------
    right, forward, strike, years, vol : array_like
        As in `hedgeflow.pricing.value`.

    Returns
    -------
    ndarray of float64
        Coins, the broadcast shape.

    Raises
    ------
    PricingInputError
        Where an argument is out of its domain.
    """
    return over(
        loops.fill_inverse_value, right, forward=forward, strike=strike, years=years, vol=vol
    )


def premium_adjusted_delta(
    right: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike
) -> FloatArray:
    """Black delta minus the premium in coins per unit (precise.md 6).

    What a dealer hedges who keeps accounts in coins: ``forward * d inverse_value / d forward``.

    Parameters
    ----------
    right, forward, strike, years, vol : array_like
        As in `hedgeflow.pricing.value`.

    Returns
    -------
    ndarray of float64
        Coins per option unit, the broadcast shape; below -1 for puts far in the money.

    Raises
    ------
    PricingInputError
        Where an argument is out of its domain.
    """
    return over(
        loops.fill_premium_adjusted_delta,
        right,
        forward=forward,
        strike=strike,
        years=years,
        vol=vol,
    )


def inverse_implied_volatility(
    right: ArrayLike, price: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike
) -> FloatArray:
    """Volatility at which `inverse_value` equals a price in coins.

    Parameters
    ----------
    right, forward, strike, years : array_like
        As in `hedgeflow.pricing.value`.
    price : array_like
        Coins per coin of underlying.

    Returns
    -------
    ndarray of float64
        The broadcast shape; NaN where the price is at or below intrinsic, at or above its bound
        (1 for calls, strike / forward for puts), or no time is left.

    Raises
    ------
    PricingInputError
        Where an argument other than the price is out of its domain.
    """
    return over(
        loops.fill_inverse_implied_volatility,
        right,
        price=price,
        forward=forward,
        strike=strike,
        years=years,
    )
