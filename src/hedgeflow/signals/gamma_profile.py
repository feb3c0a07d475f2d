"""Dealers' net gamma over prices: where it turns, its walls, and what hedging it asks for.

One expiry at one moment: time stands still and each strike keeps its volatility while the price
is moved ("sticky strike"). Signs and units as in `hedgeflow.signals.dealer_gamma`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numba as nb
import numpy as np

from hedgeflow.market.errors import DataError
from hedgeflow.pricing import delta, gamma
from hedgeflow.signals.dealer_gamma import option_gamma
from hedgeflow.signals.settlement_probability import remaining_deviation, years_left

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRICES_PER_STRIKE: Final = 8
"""The flip is looked for at each strike and at 7 prices up to the next: gamma cannot turn
unseen between them, however narrow its peaks are, as every peak stands at a strike."""

MOST_PRICES: Final = 4_096
"""Long chains are looked at in fewer steps, a strike at the least."""

NO_GAMMA: Final = 40.0
"""Deviations beyond which gamma is below the smallest double."""

MOVE: Final = 0.01
"""The move whose hedging a profile states."""


@dataclass(frozen=True, slots=True)
class DealerPositions:
    """What dealers hold at every strike of one expiry at one moment.

    Attributes
    ----------
    strikes : ndarray of shape (n,)
        Ascending, positive.
    units : ndarray of shape (n,)
        Options that dealers are long, calls and puts together, times the multiplier; negative
        where short. `dealer_contracts` times the multiplier.
    sigma : ndarray of shape (n,)
        Annual volatility of each strike, a fraction.
    minutes, minutes_per_year : float
        Minutes to the expiration instant (a second at least counts), and in the year of `sigma`.

    Raises
    ------
    DataError
        If there are no strikes, they do not ascend, or a number is missing or out of its domain.
    """

    strikes: NDArray[np.float64]
    units: NDArray[np.float64]
    sigma: NDArray[np.float64]
    minutes: float
    minutes_per_year: float

    def __post_init__(self) -> None:
        shapes = {self.strikes.shape, self.units.shape, self.sigma.shape}
        if len(shapes) > 1 or self.strikes.ndim != 1 or self.strikes.size == 0:
            raise DataError(
                f"strikes, units and sigma have shapes {sorted(shapes)}",
                where="dealers' positions",
                hint="Give one of each for every strike, and at least one strike",
            )
        if not (bool((np.diff(self.strikes) > 0.0).all()) and self.strikes[0] > 0.0):
            raise DataError(
                "strikes must be positive and ascend, none twice",
                where="dealers' positions",
                hint="Sort them and sum the contracts of a strike",
            )
        known = np.isfinite(self.units) & np.isfinite(self.sigma) & (self.sigma > 0.0)
        if not bool(known.all()):
            at = int(np.argmin(known))
            raise DataError(
                f"units {self.units[at]:g} with volatility {self.sigma[at]:g}",
                where=f"dealers' positions at strike {self.strikes[at]:g}",
                hint="Units must be finite and volatility positive; leave unknown strikes out",
            )

    def gamma_by_strike(self, price: float) -> NDArray[np.float64]:
        """Return each strike's part of the net gamma at a price, underlying units per 1."""
        return self.units * gamma(price, self.strikes, self._years(), self.sigma)

    def net_gamma(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return dealers' net gamma were the price elsewhere, underlying units per 1."""
        out = np.empty(prices.size)
        _net_gamma(
            prices, self.strikes, self.units, self.sigma, self.minutes, self.minutes_per_year, out
        )
        return out

    def hedge_flow(self, price: float, to: float) -> float:
        """Return what dealers buy (+) or sell (-) to stay hedged when the price moves.

        The whole change of delta, not gamma times the move: minutes before expiry gamma is gone
        before the move is over. Underlying units; dealers are taken to be hedged at `price`.
        """
        years = self._years()
        # A put's delta is its call's less 1, so that both change alike.
        before = delta(1, price, self.strikes, years, self.sigma)
        after = delta(1, to, self.strikes, years, self.sigma)
        return -float(np.sum(self.units * (after - before)))

    def _years(self) -> float:
        return years_left(self.minutes, self.minutes_per_year)


@dataclass(frozen=True, slots=True)
class GammaProfile:
    """Dealers' net gamma now and were the price elsewhere.

    Attributes
    ----------
    price : float
        The underlying's price now.
    prices, net_gamma : ndarray of shape (m,)
        The curve: underlying units per 1 of price at each price.
    by_strike : ndarray of shape (n,)
        Each strike's part of `total`.
    total : float
        Net gamma at `price`.
    flip : float or None
        The price nearest to `price` at which net gamma changes sign; None where it does not
        between the lowest and the highest strike.
    call_wall, put_wall : float or None
        Strike with the largest positive and the largest negative part (ties: the nearer, then
        the lower); None where no part has that sign.
    flow_up, flow_down : float
        What dealers buy (+) or sell (-) over a rise and a fall of 1 %, underlying units.
    """

    price: float
    prices: NDArray[np.float64]
    net_gamma: NDArray[np.float64]
    by_strike: NDArray[np.float64]
    total: float
    flip: float | None
    call_wall: float | None
    put_wall: float | None
    flow_up: float
    flow_down: float


def gamma_profile(positions: DealerPositions, price: float) -> GammaProfile:
    """Return the profile of one expiry over the prices from its lowest to its highest strike.

    Raises
    ------
    DataError
        If the price is not positive and finite.
    """
    if not 0.0 < price < math.inf:
        raise DataError(
            f"price is {price:g}",
            where="gamma profile",
            hint="Give the underlying's price, positive and finite",
        )
    prices = _between_strikes(positions.strikes)
    curve = positions.net_gamma(prices)
    by_strike = positions.gamma_by_strike(price)
    call_wall, put_wall = walls(positions.strikes, by_strike, price)
    return GammaProfile(
        price=price,
        prices=prices,
        net_gamma=curve,
        by_strike=by_strike,
        total=float(by_strike.sum()),
        flip=_flip(positions, prices, curve, price),
        call_wall=call_wall,
        put_wall=put_wall,
        flow_up=positions.hedge_flow(price, price * (1.0 + MOVE)),
        flow_down=positions.hedge_flow(price, price * (1.0 - MOVE)),
    )


def walls(
    strikes: NDArray[np.float64], by_strike: NDArray[np.float64], price: float
) -> tuple[float | None, float | None]:
    """Return the strikes with the most positive and the most negative part of net gamma.

    Ties go to the strike nearer to the price, then to the lower; None where no part has the sign.
    """
    order = np.lexsort((strikes, np.abs(strikes - price)))
    call = order[np.argmax(by_strike[order])]
    put = order[np.argmin(by_strike[order])]
    return (
        float(strikes[call]) if by_strike[call] > 0.0 else None,
        float(strikes[put]) if by_strike[put] < 0.0 else None,
    )


def _between_strikes(strikes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the strikes and evenly many prices between each and the next."""
    steps = max(1, min(PRICES_PER_STRIKE, MOST_PRICES // strikes.size))
    at = np.arange((strikes.size - 1) * steps + 1)
    return np.interp(at / steps, np.arange(strikes.size), strikes)


def _flip(
    positions: DealerPositions,
    prices: NDArray[np.float64],
    curve: NDArray[np.float64],
    price: float,
) -> float | None:
    """Return the zero of net gamma nearest to the price, refined within its bracket.

    Prices at which every option's gamma is too small to be a number are passed over: net gamma
    has no sign there.
    """
    from scipy.optimize import brentq

    signed = np.flatnonzero(curve)
    turns = np.flatnonzero(np.diff(np.sign(curve[signed])))
    low, high = prices[signed[turns]], prices[signed[turns + 1]]
    away = np.maximum(0.0, np.maximum(low - price, price - high))

    def net_gamma_at(price: float) -> float:
        return float(positions.net_gamma(np.array([price]))[0])

    nearest: float | None = None
    for at in np.argsort(away, kind="stable"):
        if nearest is not None and away[at] >= abs(nearest - price):
            break
        zero = brentq(net_gamma_at, float(low[at]), float(high[at]))
        if nearest is None or abs(zero - price) < abs(nearest - price):
            nearest = zero
    return nearest


@nb.njit(cache=True, error_model="numpy")
def _net_gamma(
    prices: NDArray[np.float64],
    strikes: NDArray[np.float64],
    units: NDArray[np.float64],
    sigma: NDArray[np.float64],
    minutes: float,
    minutes_per_year: float,
    out: NDArray[np.float64],
) -> None:
    widest = float(np.max(sigma))
    reach = math.exp(NO_GAMMA * remaining_deviation(widest, minutes, minutes_per_year))
    for step in range(prices.size):
        price = float(prices[step])
        total = 0.0
        first = int(np.searchsorted(strikes, price / reach))
        end = int(np.searchsorted(strikes, price * reach))
        for at in range(first, end):
            gamma = option_gamma(price, strikes[at], sigma[at], minutes, minutes_per_year)
            total += units[at] * gamma
        out[step] = total
