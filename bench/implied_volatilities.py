"""Implied volatility: options per second and the largest error, against other libraries."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np
from table import Row
from timing import best_of
from volatility_grids import (
    EPSILON,
    FORWARD,
    USUAL,
    WIDE,
    Grid,
    in_the_money,
    inverse,
    out_of_the_money,
    precise_price,
)

from hedgeflow.pricing import implied_volatility, inverse_implied_volatility

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

QUANTLIB_ACCURACY = 1e-12
TYPICALLY_AGREE_WITHIN = 1e-8
PRECISE_OPTIONS = 500


def hedgeflow_solver(grid: Grid) -> NDArray[np.float64]:
    """Return our volatilities."""
    return implied_volatility(grid.right, grid.price, FORWARD, grid.strike, grid.years)


def lbriv_solver() -> Callable[[Grid], NDArray[np.float64]]:
    """Return lbriv: Jaeckel's method in Cython, many strikes of one forward at a time."""
    import lbriv

    def one_side(grid: Grid, right: int) -> NDArray[np.float64]:
        total = lbriv.vectorized_implied_vol_strikes(grid.price, FORWARD, grid.strike, right)
        return total / np.sqrt(grid.years)

    return lambda grid: _by_right(grid, one_side)


def iv_engine_solver() -> Callable[[Grid], NDArray[np.float64]]:
    """Return iv-engine: Jaeckel's method in Rust, one thread."""
    import iv_engine

    def one_side(grid: Grid, right: int) -> NDArray[np.float64]:
        return iv_engine.implied_volatilities(
            grid.price, FORWARD, grid.strike, grid.years, is_call=right > 0, parallel=False
        )

    return lambda grid: _by_right(grid, one_side)


def pyvolr_solver() -> Callable[[Grid], NDArray[np.float64]]:
    """Return pyvolr: Jaeckel's method in Rust; its threads are held to one."""
    os.environ["RAYON_NUM_THREADS"] = "1"
    from pyvolr import black76

    def solve(grid: Grid) -> NDArray[np.float64]:
        flags = np.where(grid.right > 0, "c", "p")
        return black76.implied_vol(
            grid.price, flags, FORWARD, grid.strike, grid.years, 0.0, on_error="ignore"
        )

    return solve


def fast_vollib_solver() -> Callable[[Grid], NDArray[np.float64]]:
    """Return fast-vollib on numpy."""
    import fast_vollib

    def solve(grid: Grid) -> NDArray[np.float64]:
        flags = np.where(grid.right > 0, "c", "p")
        return fast_vollib.fast_implied_volatility_black(
            grid.price,
            FORWARD,
            grid.strike,
            0.0,
            grid.years,
            flags,
            on_error="ignore",
            return_as="numpy",
        )

    return solve


def quantlib_solver() -> Callable[[Grid], NDArray[np.float64]]:
    """Return QuantLib's search from its own first guess."""
    import QuantLib as ql  # noqa: N813

    kinds = {1: ql.Option.Call, -1: ql.Option.Put}
    guess = ql.nullDouble()

    def one(right: int, price: float, strike: float, years: float) -> float:
        deviation = ql.blackFormulaImpliedStdDev(
            kinds[right], strike, FORWARD, price, 1.0, 0.0, guess, QUANTLIB_ACCURACY, 100
        )
        return deviation / math.sqrt(years)

    return lambda grid: _one_by_one(grid, one)


def lets_be_rational_solver() -> Callable[[Grid], NDArray[np.float64]]:
    """Return Jaeckel's method as ported to Python, called without a layer above it."""
    from lets_be_rational import implied_volatility_from_a_transformed_rational_guess as solve

    def one(right: int, price: float, strike: float, years: float) -> float:
        return solve(price, FORWARD, strike, years, right)

    return lambda grid: _one_by_one(grid, one)


def vollib_solver() -> Callable[[Grid], NDArray[np.float64]]:
    """Return vollib's (formerly py_vollib's) Black-76 function."""
    from vollib.black.implied_volatility import implied_volatility as solve

    flags = {1: "c", -1: "p"}

    def one(right: int, price: float, strike: float, years: float) -> float:
        return solve(price, FORWARD, strike, 0.0, years, flags[right])

    return lambda grid: _one_by_one(grid, one)


VECTORISED = {
    "lbriv (Cython)": lbriv_solver,
    "iv-engine (Rust)": iv_engine_solver,
    "pyvolr (Rust)": pyvolr_solver,
    "fast-vollib (numpy)": fast_vollib_solver,
}
SCALAR = {
    "QuantLib": quantlib_solver,
    "lets_be_rational": lets_be_rational_solver,
    "vollib (py_vollib)": vollib_solver,
}


def usual(options: int, sample: int, runs: int) -> list[Row]:
    """Return a row per solver, ours first, where every one of them should find the volatility."""
    grid = out_of_the_money(options, USUAL)
    return _compared(grid, grid.sample(sample), runs, must_agree=True)


def wide(options: int, sample: int, runs: int) -> list[Row]:
    """Return a row per solver, from a minute to ten years and 8 deviations; then our other sides.

    Near its bounds and in the money a price, rounded, no longer tells the volatility exactly:
    errors are counted in roundings of the price too, of which no method can undo the first.
    """
    grid = out_of_the_money(options, WIDE)
    rows = _compared(grid, grid.sample(sample), runs, must_agree=False)
    rows.append(_against_60_digits(grid))
    del grid
    coins = inverse(options, WIDE)

    def solve_coins(part: Grid) -> NDArray[np.float64]:
        return inverse_implied_volatility(part.right, part.price, FORWARD, part.strike, part.years)

    rate, found = _rate(solve_coins, coins, runs)
    rows.append(_row("hedgeflow, prices in coins", rate, 1.0, _note(found, coins)))
    del coins
    inside = in_the_money(options, WIDE)
    rate, found = _rate(hedgeflow_solver, inside, runs)
    rows.append(_row("hedgeflow, in the money", rate, 1.0, _note(found, inside)))
    return rows


def _compared(grid: Grid, part: Grid, runs: int, *, must_agree: bool) -> list[Row]:
    rate, found = _rate(hedgeflow_solver, grid, runs)
    rows = [_row("hedgeflow", rate, 1.0, _note(found, grid))]
    for solvers, options in ((VECTORISED, grid), (SCALAR, part)):
        for name, make in solvers.items():
            try:
                solver = make()
            except ImportError:
                rows.append(Row.missing(name))
                continue
            peer_rate, found = _rate(solver, options, runs)
            if must_agree:
                typical = float(np.nanmedian(options.errors(found)))
                assert typical < TYPICALLY_AGREE_WITHIN, f"{name} finds others: {typical}"
            rows.append(_row(name, peer_rate, rate / peer_rate, _note(found, options)))
    return rows


def _against_60_digits(grid: Grid) -> Row:
    """Return our largest error on prices that 60-digit arithmetic made, not our own function."""
    name = "hedgeflow, on prices of 60 digits"
    try:
        import mpmath  # noqa: F401
    except ImportError:
        return Row.missing(name)
    part = grid.sample(PRECISE_OPTIONS)
    columns = (part.right, part.strike, part.years, part.volatility)
    precise = np.array([precise_price(*option) for option in zip(*map(list, columns), strict=True)])
    exact = Grid(part.right, part.strike, part.years, part.volatility, precise)
    found = hedgeflow_solver(exact)
    off = float(np.max(np.abs(part.price / precise - 1.0)))
    note = f"{_note(found, exact)}; our own prices are off by {off:.1e}"
    return Row(name, part.size, "options", 1.0, note)


def _rate(
    solver: Callable[[Grid], NDArray[np.float64]], grid: Grid, runs: int
) -> tuple[float, NDArray[np.float64]]:
    solver(grid.sample(100))
    timing, found = best_of(runs, lambda: solver(grid))
    return grid.size / timing.cpu_seconds, np.asarray(found, dtype=np.float64)


def _row(name: str, rate: float, ratio: float, note: str) -> Row:
    return Row(name, rate / 1e6, "M options/s", ratio, note)


def _note(found: NDArray[np.float64], grid: Grid) -> str:
    errors = grid.errors(found)
    missing = int(np.isnan(errors).sum())
    lost = f", {missing:,} not found" if missing else ""
    roundings = float(np.nanmax(errors / (EPSILON + grid.price_rounding())))
    return (
        f"largest relative error {np.nanmax(errors):.1e}, {roundings:,.0f} roundings of the price,"
        f" over {grid.size:,} options{lost}"
    )


def _by_right(grid: Grid, solve: Callable[[Grid, int], NDArray[np.float64]]) -> NDArray[np.float64]:
    """Solve calls and puts apart, for libraries that take one right at a time."""
    found = np.empty(grid.size)
    for right in (1, -1):
        chosen = grid.right == right
        found[chosen] = solve(grid.pick(chosen), right)
    return found


def _one_by_one(
    grid: Grid, solve: Callable[[int, float, float, float], float]
) -> NDArray[np.float64]:
    """Solve option by option; one that a library refuses counts as not found."""
    found = np.full(grid.size, np.nan)
    columns = (grid.right, grid.price, grid.strike, grid.years)
    for place, option in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        try:
            found[place] = solve(*option)
        except Exception:  # noqa: BLE001, S112 - each library has its own way to refuse
            continue
    return found
