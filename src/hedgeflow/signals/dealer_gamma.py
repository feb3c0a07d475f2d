"""Dealers' gamma at a strike: whose it is by signed flow or by convention, and in which units.

Signs. A customer who buys an option, call or put, leaves a dealer short gamma. Dealers long gamma
sell into a rise and buy a fall, which holds the price; dealers short gamma do the opposite.

Units. Net gamma is in underlying units per 1 of price: so much delta do dealers gain when the
price rises by 1. Vendors print the dollars of delta gained over 1 %: `dollar_gamma`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numba as nb

from hedgeflow.pricing import black_gamma
from hedgeflow.signals.settlement_probability import years_left


class GammaConvention(IntEnum):
    """Whose side dealers are taken to be on (expiration-pressure.md 3, precise.md 33)."""

    SIGNED_FLOW = 0
    """Seen: customers' signed contracts, turned round. No assumption but the tape's signs."""

    LONG_CALLS_SHORT_PUTS = 1
    """Assumed: customers sell calls for income and buy puts for protection."""

    SHORT_ALL = 2
    """Assumed: customers are long every option, so dealers are short gamma at every strike."""


_SIGNED_FLOW: Final = int(GammaConvention.SIGNED_FLOW)
_LONG_CALLS_SHORT_PUTS: Final = int(GammaConvention.LONG_CALLS_SHORT_PUTS)


@nb.njit(cache=True)
def dealer_contracts(convention: int, calls: float, puts: float) -> float:
    """Return the contracts that dealers are long at a strike, negative where short.

    Parameters
    ----------
    convention : int
        A `GammaConvention`.
    calls, puts : float
        Under SIGNED_FLOW customers' signed contracts, + where they bought; else open interest.
    """
    if convention == _SIGNED_FLOW:
        return -(calls + puts)
    if convention == _LONG_CALLS_SHORT_PUTS:
        return calls - puts
    return -(calls + puts)


@nb.njit(cache=True, error_model="numpy")
def option_gamma(
    price: float, strike: float, sigma: float, minutes: float, minutes_per_year: float
) -> float:
    """Return the Black gamma of one option on one unit, the same for calls and puts, per price.

    Parameters
    ----------
    price, strike : float
        Positive, same currency; the price stands for the forward, so near expiry it is one.
    sigma : float
        Annual volatility, a fraction. NaN in, NaN out; 0 or less gives 0.
    minutes, minutes_per_year : float
        Minutes to the expiration instant, a second at least, and in the year of `sigma`.
    """
    return black_gamma(price, strike, years_left(minutes, minutes_per_year), sigma)


@nb.njit(cache=True)
def dollar_gamma(gamma: float, price: float) -> float:
    """Return the worth of the delta gained over a rise of 1 %, as vendors print gamma exposure.

    `gamma` in underlying units per 1 of price; the result in the price's currency.
    """
    return gamma * price * price * 0.01
