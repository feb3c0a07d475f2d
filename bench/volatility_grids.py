"""Options whose volatility is known: grids to recover it from, and how far a price can tell it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.pricing import inverse_value, value, vega

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORWARD = 100.0
MINUTE = 1.0 / 525_600.0
EPSILON = float(np.finfo(np.float64).eps)
FURTHEST = 1_000.0
"""No strike is more than so many times the forward, or so small a part of it."""

TELLING = 1e-2
"""A price whose rounding moves the volatility by more than this share does not tell it."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What a grid spans: volatilities, years to expiry, and standard deviations off the strike."""

    volatility: tuple[float, float]
    years: tuple[float, float]
    deviations: float


USUAL = Axes(volatility=(0.05, 2.0), years=(1 / 365, 2.0), deviations=3.0)
WIDE = Axes(volatility=(0.02, 4.0), years=(MINUTE, 10.0), deviations=8.0)


@dataclass(frozen=True, slots=True)
class Grid:
    """Options priced by `hedgeflow.pricing`, one element each.

    Attributes
    ----------
    right : ndarray of int64
    strike, years, volatility, price : ndarray of float64
        Forward 100; the price in units of `price_unit`.
    price_unit : float
        Currency in one unit of price: 1, or the forward where prices are in coins.
    """

    right: NDArray[np.int64]
    strike: NDArray[np.float64]
    years: NDArray[np.float64]
    volatility: NDArray[np.float64]
    price: NDArray[np.float64]
    price_unit: float = 1.0

    @property
    def size(self) -> int:
        """Options in the grid."""
        return self.price.size

    def pick(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Grid:
        """Return some of the options."""
        return Grid(
            self.right[chosen],
            self.strike[chosen],
            self.years[chosen],
            self.volatility[chosen],
            self.price[chosen],
            self.price_unit,
        )

    def sample(self, count: int) -> Grid:
        """Return evenly spread options, for solvers that take one at a time."""
        return self.pick(np.linspace(0, self.size - 1, min(count, self.size)).astype(np.int64))

    def errors(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return relative errors of volatilities; NaN where none was found."""
        return np.abs(found / self.volatility - 1.0)

    def price_rounding(self) -> NDArray[np.float64]:
        """Return by what share one rounding of the price moves the volatility.

        ``epsilon * price / (vega * volatility)``: no method can do better than about half of it.
        """
        with np.errstate(divide="ignore", over="ignore"):
            slope = vega(FORWARD, self.strike, self.years, self.volatility) * self.volatility
            return EPSILON * self.price * self.price_unit / slope


def out_of_the_money(count: int, axes: Axes) -> Grid:
    """Return about `count` out-of-the-money options whose price is below its bound."""
    right, strike, years, volatility = _points(count, axes)
    grid = Grid(right, strike, years, volatility, value(right, FORWARD, strike, years, volatility))
    return grid.pick(grid.price < np.minimum(FORWARD, strike) * (1.0 - 1e-6))


def in_the_money(count: int, axes: Axes) -> Grid:
    """Return about `count` in-the-money options whose price still tells the volatility."""
    right, strike, years, volatility = _points(count, axes)
    price = value(-right, FORWARD, strike, years, volatility)
    grid = Grid(-right, strike, years, volatility, price)
    return grid.pick(grid.price_rounding() < TELLING)


def inverse(count: int, axes: Axes) -> Grid:
    """Return about `count` out-of-the-money options priced in coins, as Deribit's are."""
    grid = out_of_the_money(count, axes)
    coins = inverse_value(grid.right, FORWARD, grid.strike, grid.years, grid.volatility)
    return Grid(grid.right, grid.strike, grid.years, grid.volatility, coins, FORWARD)


def precise_price(right: int, strike: float, years: float, volatility: float) -> float:
    """Return an out-of-the-money price by 60-digit arithmetic, rounded once."""
    from mpmath import mp

    with mp.workdps(60):
        s = mp.mpf(volatility) * mp.sqrt(years)
        d1 = mp.log(mp.mpf(FORWARD) / strike) / s + s / 2
        near = mp.erfc(-right * d1 / mp.sqrt(2)) / 2
        far = mp.erfc(-right * (d1 - s) / mp.sqrt(2)) / 2
        return float(right * (FORWARD * near - mp.mpf(strike) * far))


def _points(count: int, axes: Axes) -> tuple[NDArray[np.int64], *tuple[NDArray[np.float64], ...]]:
    side = round(count ** (1 / 3))
    volatility, years, deviations = (
        axis.ravel()
        for axis in np.meshgrid(
            np.geomspace(*axes.volatility, side),
            np.geomspace(*axes.years, side),
            np.linspace(-axes.deviations, axes.deviations, math.ceil(count / side**2)),
        )
    )
    logarithm = deviations * volatility * np.sqrt(years)
    near = np.abs(logarithm) <= math.log(FURTHEST)
    strike = FORWARD * np.exp(logarithm[near])
    return np.where(strike >= FORWARD, 1, -1), strike, years[near], volatility[near]
