"""Implied volatility by contract and instant: level, term structure and smile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.time import DAY_NS, MINUTE_NS, YEAR_NS
from hedgeflow.simulate.hours import option_years

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario

SHORTEST_YEARS: Final = 10 * MINUTE_NS / YEAR_NS
"""Moneyness is standardised over at least 10 minutes: traders ignore strikes out of reach."""

_WIDEST_SMILE: Final = 3.0
_LOWEST_SMILE: Final = 0.2


def implied_volatility(
    scenario: Scenario,
    path: IndexPath,
    strike: NDArray[np.float64],
    expiry_ns: NDArray[np.int64],
    stamps: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the implied volatility of the middle of the market, per root of a 365-day year.

    It is that of a fair price: the variance left is the level's over the index's own time
    (`option_years`), lifted at the short end, bent by the smile. So where the market closes, an
    option that expires today shows a higher one than the level, because most of its calendar time
    is trading time; vendors' figures for such options do the same.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    strike : ndarray of shape (n,)
    expiry_ns, stamps : ndarray of shape (n,), int64
        Expiries, and instants before them in the path's session.
    """
    own_years = option_years(scenario, stamps, expiry_ns)
    at_the_money = _at_the_money(scenario, path, expiry_ns, stamps)
    z = np.log(strike / path.price[path.second(stamps)])
    z /= at_the_money * np.sqrt(np.maximum(own_years, SHORTEST_YEARS))
    bent = smile_factor(scenario, z)
    return at_the_money * bent * np.sqrt(own_years * YEAR_NS / (expiry_ns - stamps))


def smile_factor(scenario: Scenario, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return implied volatility over that at the money, at standardised log-moneyness `z`."""
    smile = scenario.smile
    z = np.clip(z, -_WIDEST_SMILE, _WIDEST_SMILE)
    return np.maximum(1.0 + (smile.skew + smile.curvature * z) * z, _LOWEST_SMILE)


def deviation(
    scenario: Scenario,
    path: IndexPath,
    expiry_ns: NDArray[np.int64],
    stamps: NDArray[np.int64],
    shortest_years: float = SHORTEST_YEARS,
) -> NDArray[np.float64]:
    """Return the standard deviation of the log of the index that is expected until expiry."""
    own_years = np.maximum(option_years(scenario, stamps, expiry_ns), shortest_years)
    return _at_the_money(scenario, path, expiry_ns, stamps) * np.sqrt(own_years)


def _at_the_money(
    scenario: Scenario,
    path: IndexPath,
    expiry_ns: NDArray[np.int64],
    stamps: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return volatility at the money per root of a year of the index's own time."""
    smile = scenario.smile
    premium = np.exp((expiry_ns - stamps) * (-1.0 / (smile.short_end_days * DAY_NS)))
    return path.level[path.second(stamps)] * (1.0 + smile.short_end_premium * premium)
