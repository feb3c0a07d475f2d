"""Implied volatility: options per second and the largest error, against scalar libraries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from table import Row
from timing import best_of

from hedgeflow.pricing import implied_volatility, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FORWARD = 100.0
QUANTLIB_ACCURACY = 1e-12
SOLVERS_AGREE_WITHIN = 1e-8


@dataclass(frozen=True, slots=True)
class Grid:
    """Out-of-the-money options whose volatility is known, priced by `hedgeflow.pricing.value`."""

    right: NDArray[np.int64]
    strike: NDArray[np.float64]
    years: NDArray[np.float64]
    volatility: NDArray[np.float64]
    price: NDArray[np.float64]

    def sample(self, count: int) -> Grid:
        """Return evenly spread options, for solvers that take one at a time."""
        chosen = np.linspace(0, self.price.size - 1, min(count, self.price.size)).astype(int)
        return Grid(
            self.right[chosen],
            self.strike[chosen],
            self.years[chosen],
            self.volatility[chosen],
            self.price[chosen],
        )


def grid_of(count: int) -> Grid:
    """Return about `count` options: 5 % to 200 %, a day to two years, up to 3 deviations off."""
    side = round(count ** (1 / 3))
    volatility, years, deviations = (
        axis.ravel()
        for axis in np.meshgrid(
            np.geomspace(0.05, 2.0, side),
            np.geomspace(1 / 365, 2.0, side),
            np.linspace(-3.0, 3.0, side),
        )
    )
    strike = FORWARD * np.exp(deviations * volatility * np.sqrt(years))
    right = np.where(strike >= FORWARD, 1, -1)
    return Grid(right, strike, years, volatility, value(right, FORWARD, strike, years, volatility))


def quantlib_solver() -> Callable[[Grid], list[float]]:
    """Return QuantLib's search from its own first guess."""
    import QuantLib as ql  # noqa: N813

    def solve(grid: Grid) -> list[float]:
        kinds = {1: ql.Option.Call, -1: ql.Option.Put}
        own_guess = ql.nullDouble()
        return [
            ql.blackFormulaImpliedStdDev(
                kinds[right], strike, FORWARD, price, 1.0, 0.0, own_guess, QUANTLIB_ACCURACY, 100
            )
            / math.sqrt(years)
            for right, strike, price, years in zip(
                grid.right.tolist(),
                grid.strike.tolist(),
                grid.price.tolist(),
                grid.years.tolist(),
                strict=True,
            )
        ]

    return solve


def lets_be_rational_solver() -> Callable[[Grid], list[float]]:
    """Return Jaeckel's method as ported to Python, called without a layer above it."""
    from lets_be_rational import implied_volatility_from_a_transformed_rational_guess as one

    def solve(grid: Grid) -> list[float]:
        return [
            one(price, FORWARD, strike, years, right)
            for price, strike, years, right in zip(
                grid.price.tolist(),
                grid.strike.tolist(),
                grid.years.tolist(),
                grid.right.tolist(),
                strict=True,
            )
        ]

    return solve


def vollib_solver() -> Callable[[Grid], list[float]]:
    """Return vollib's Black-76 function."""
    from vollib.black.implied_volatility import implied_volatility as one

    def solve(grid: Grid) -> list[float]:
        flags = {1: "c", -1: "p"}
        return [
            one(price, FORWARD, strike, 0.0, years, flags[right])
            for price, strike, years, right in zip(
                grid.price.tolist(),
                grid.strike.tolist(),
                grid.years.tolist(),
                grid.right.tolist(),
                strict=True,
            )
        ]

    return solve


PEERS = {
    "QuantLib": quantlib_solver,
    "lets_be_rational": lets_be_rational_solver,
    "vollib": vollib_solver,
}


def run(options: int, sample: int, runs: int) -> list[Row]:
    """Return a row per solver, ours first."""
    grid = grid_of(options)

    def ours() -> NDArray[np.float64]:
        return implied_volatility(grid.right, grid.price, FORWARD, grid.strike, grid.years)

    ours()
    timing, found = best_of(runs, ours)
    rate = grid.price.size / timing.cpu_seconds
    rows = [Row("hedgeflow, 1 thread", rate / 1e6, "M options/s", 1.0, _note(found, grid))]
    part = grid.sample(sample)
    for name, solver in PEERS.items():
        try:
            solve = solver()
        except ImportError:
            rows.append(Row.missing(name))
            continue
        solve(part.sample(100))
        timing, found = best_of(runs, lambda solve=solve: solve(part))
        error = _error(np.array(found), part)
        assert error < SOLVERS_AGREE_WITHIN, f"{name} finds other volatilities: {error}"
        peer_rate = part.price.size / timing.cpu_seconds
        note = _note(np.array(found), part)
        rows.append(Row(name, peer_rate / 1e6, "M options/s", rate / peer_rate, note))
    return rows


def _error(found: NDArray[np.float64], grid: Grid) -> float:
    return float(np.max(np.abs(found / grid.volatility - 1.0)))


def _note(found: NDArray[np.float64], grid: Grid) -> str:
    return f"largest relative error {_error(found, grid):.1e} over {grid.price.size:,} options"
