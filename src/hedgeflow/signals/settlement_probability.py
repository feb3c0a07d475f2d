"""How likely the underlying settles at a strike: the source's steps, and a driftless lognormal law.

Two kinds of question are kept apart. *At the strike* means nearer to this strike than to its
listed neighbours (`band_probability`), which is what a pin is. *In the money* means beyond the
strike on the option's side (`in_the_money_probability`), which is what exercise asks; "assignment"
is its literal name for American options only.

Times are minutes to the expiration instant, fractions kept, and at least a second in every
formula with a square root of time (expiration-pressure.md 1, precise.md 31). `sigma` is annual,
a fraction, per square root of a year of `minutes_per_year` minutes: 525,600 where markets never
close, 252 x 390 otherwise (precise.md 23), and then a day has one session's and no more
(`years_left`).

Drift convention: the price is a martingale, so ln S_T is normal with mean ln S - s*s/2 and
standard deviation s = sigma * sqrt(years left). It is the convention under which
the Black delta and gamma of `hedgeflow.pricing` are written with the price as forward.
"""

from __future__ import annotations

from math import erfc, exp, floor, isnan, nan, pi, sqrt
from typing import TYPE_CHECKING, Final

import numba as nb
import numpy as np

from hedgeflow.market.errors import DataError
from hedgeflow.pricing import norm_cdf
from hedgeflow.pricing.normalised import log_moneyness

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTEST_MINUTES: Final = 1.0 / 60.0
"""Under a second counts as a second (expiration-pressure.md 1)."""

DAY_MINUTES: Final = 1_440.0
CALENDAR_MINUTES: Final = 525_600.0
SESSIONS_PER_YEAR: Final = 252.0

NOWHERE: Final = 9.0
"""Deviations beyond which `band_probabilities` counts nothing: each tail holds 1e-19."""

CELLS: Final = 64
"""Entries of the tables per deviation."""

_TABLE_Z = np.arange(round((NOWHERE + 0.5) * CELLS) + 1) / CELLS
_TAIL = np.array([0.5 * erfc(z * sqrt(0.5)) for z in _TABLE_Z])
_DENSITY = np.exp(-0.5 * _TABLE_Z * _TABLE_Z) / sqrt(2.0 * pi)


@nb.njit(cache=True)
def source_probability(distance_points: float, minutes: float) -> float:
    """Return the source's chance of settling at a strike (expiration-pressure.md 2, flaws 2.D2).

    Kept as it stands: its floors give a strike far away 0.8, 0.5 or 0.2, and as time runs it
    falls and then jumps (at 5 points: 0.83, 0.75, 0.80). A distance of 0 has 1.

    Parameters
    ----------
    distance_points : float
        abs(price - strike) in points of the source, >= 0.
    minutes : float
        Minutes to expiry; fractions are kept.
    """
    if minutes < 15.0:
        return max(0.8, 1.0 - distance_points / 10.0)
    if minutes < 45.0:
        return max(0.5, 1.0 - distance_points / 20.0)
    return max(0.2, 1.0 - distance_points / 30.0)


@nb.njit(cache=True, error_model="numpy")
def band_probability(
    price: float,
    low: float,
    high: float,
    sigma: float,
    minutes: float,
    minutes_per_year: float,
) -> float:
    """Return the chance that the underlying finishes between two prices (model `lognormal`).

    Parameters
    ----------
    price : float
        The underlying's price now, positive.
    low, high : float
        Half-way marks to the neighbouring listed strikes, as `half_way_marks` gives them; a mark
        at or below 0 is one that no price crosses.
    sigma : float
        Annual volatility, a fraction.
    minutes, minutes_per_year : float
        As in the module's docstring.

    Returns
    -------
    float
        In [0, 1], to about 1e-13, in the tails too; NaN where `sigma` is not known (NaN or not
        positive) or a mark is NaN.
    """
    deviation = remaining_deviation(sigma, minutes, minutes_per_year)
    low_z = _standardised(low, price, deviation)
    high_z = _standardised(high, price, deviation)
    return _between(low_z, norm_cdf(-abs(low_z)), high_z, norm_cdf(-abs(high_z)))


@nb.njit(cache=True, error_model="numpy")
def band_probabilities(
    price: float,
    marks: NDArray[np.float64],
    sigma: float,
    minutes: float,
    minutes_per_year: float,
    out: NDArray[np.float64],
) -> None:
    """Write `band_probability` of every strike of an expiry, one normal law a mark.

    Parameters
    ----------
    marks : ndarray of shape (strikes + 1,)
        `half_way_marks` of the strikes: neighbours share one.
    out : ndarray of shape (strikes,)
        Written, to within 1e-15 of `band_probability`: bands wholly beyond 9 deviations get 0.
        The rest as there.
    """
    deviation = remaining_deviation(sigma, minutes, minutes_per_year)
    if not deviation > 0.0 or isnan(marks[0]):
        out[:] = nan
        return
    middle = -0.5 * deviation * deviation
    first = np.searchsorted(marks, price * exp(middle - NOWHERE * deviation))
    last = np.searchsorted(marks, price * exp(middle + NOWHERE * deviation))
    low_z, low_tail = -np.inf, 0.0
    out[: max(first - 1, 0)] = 0.0
    for mark in range(first, last):
        high_z = _standardised(marks[mark], price, deviation)
        high_tail = _tail(high_z)
        if mark > 0:
            out[mark - 1] = _between(low_z, low_tail, high_z, high_tail)
        low_z, low_tail = high_z, high_tail
    if 0 < last < marks.size:
        out[last - 1] = _between(low_z, low_tail, np.inf, 0.0)
    out[last:] = 0.0


@nb.njit(cache=True, error_model="numpy")
def in_the_money_probability(
    right: int,
    price: float,
    strike: float,
    sigma: float,
    minutes: float,
    minutes_per_year: float,
) -> float:
    """Return the chance that an option finishes in the money: N(d2), or N(-d2) for puts.

    Parameters
    ----------
    right : int
        +1 call, -1 put.
    price, strike : float
        Positive, same currency. The rest as in `band_probability`; NaN where `sigma` is unknown.
    """
    deviation = remaining_deviation(sigma, minutes, minutes_per_year)
    return norm_cdf(-right * _standardised(strike, price, deviation))


@nb.njit(cache=True, error_model="numpy")
def distance_in_sigmas(
    price: float, strike: float, sigma: float, minutes: float, minutes_per_year: float
) -> float:
    """Return abs(ln(price/strike)) in standard deviations of the remaining time.

    NaN where `sigma` is unknown. It is the covariate of the empirical model.
    """
    deviation = remaining_deviation(sigma, minutes, minutes_per_year)
    return abs(log_moneyness(price, strike)) / deviation


@nb.njit(cache=True, error_model="numpy")
def remaining_deviation(sigma: float, minutes: float, minutes_per_year: float) -> float:
    """Return the standard deviation of the log price at expiry, floored at one second.

    NaN where `sigma` is NaN or not positive: a volatility of nothing is one that is not known.
    """
    if not sigma > 0.0:
        return nan
    return sigma * sqrt(years_left(minutes, minutes_per_year))


@nb.njit(cache=True, error_model="numpy")
def years_left(minutes: float, minutes_per_year: float) -> float:
    """Return real minutes to expiry as a share of a volatility's year, at least a second's.

    A year of trading minutes has 252 sessions. A night has none of them, so 24 hours hold one
    session at most: 18 hours before an expiry at the open are a day of prices, not 2.7 of them.
    """
    left = max(minutes, SHORTEST_MINUTES)
    if minutes_per_year < CALENDAR_MINUTES:
        session = minutes_per_year / SESSIONS_PER_YEAR
        days = floor(left / DAY_MINUTES)
        left = days * session + min(left - days * DAY_MINUTES, session)
    return left / minutes_per_year


def half_way_marks(strikes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the prices half-way between neighbouring strikes, and one beyond each end.

    The outermost strikes have as much room outside as inside. A strike without any neighbour has
    no band: its marks are NaN, and so is every probability from them.

    Parameters
    ----------
    strikes : ndarray of shape (n,)
        Listed strikes of one expiry, ascending, none twice (precise.md 33).

    Returns
    -------
    ndarray of shape (n + 1,)
        Strike i lies between marks i and i + 1.

    Raises
    ------
    DataError
        If there are no strikes, or they do not ascend.
    """
    gaps = np.diff(strikes)
    if strikes.size == 0 or not bool((gaps > 0.0).all()):
        raise DataError(
            f"{strikes.size} strikes of one expiry must be positive in number and ascend",
            where="strikes",
            hint="Sort them and leave repeats out",
        )
    if strikes.size == 1:
        return np.full(2, np.nan)
    marks = np.empty(strikes.size + 1)
    marks[1:-1] = strikes[:-1] + 0.5 * gaps
    marks[0] = strikes[0] - 0.5 * gaps[0]
    marks[-1] = strikes[-1] + 0.5 * gaps[-1]
    return marks


@nb.njit(cache=True, error_model="numpy")
def _standardised(mark: float, price: float, deviation: float) -> float:
    """Return the z at which the standard normal law equals P(S_T < mark)."""
    if mark <= 0.0:
        return -np.inf
    return log_moneyness(mark, price) / deviation + 0.5 * deviation


@nb.njit(cache=True, error_model="numpy")
def _between(low_z: float, low_tail: float, high_z: float, high_tail: float) -> float:
    """Return the normal mass between two z from their outer tails, without cancelling in them."""
    if low_z > 0.0:
        return low_tail - high_tail
    if high_z < 0.0:
        return high_tail - low_tail
    return 1.0 - low_tail - high_tail


@nb.njit(cache=True, error_model="numpy")
def _tail(z: float) -> float:
    """Return N(-abs(z)) for abs(z) up to `NOWHERE`, in half the time of `norm_cdf`.

    The Taylor series about the nearest entry of a table: with density f and h = abs(z) - entry
    the derivatives of the tail are -f times Hermite polynomials of the entry, the sign turning.
    Five terms leave less than 1e-15, and 2e-10 of the tail.
    """
    size = abs(z)
    cell = int(size * CELLS + 0.5)
    a = cell / CELLS
    h = size - a
    aa = a * a
    series = ((aa - 6.0) * aa + 3.0) / 120.0 * h - (aa - 3.0) * a / 24.0
    series = series * h + (aa - 1.0) / 6.0
    series = series * h - a / 2.0
    series = series * h + 1.0
    return _TAIL[cell] - _DENSITY[cell] * h * series
