"""A live expiry seen at one instant: its ladder, its pressures, and what the models say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.market.expiries.clock import minutes_left
from hedgeflow.market.pressure import pressure
from hedgeflow.market.time import DAY_NS
from hedgeflow.signals.dealer_gamma import option_gamma
from hedgeflow.signals.settlement_fold import point_size, risk_unit
from hedgeflow.signals.settlement_models import MODELS, probabilities
from hedgeflow.signals.settlement_probability import distance_in_sigmas
from hedgeflow.signals.settlement_rules import LADDER, SAMPLE

if TYPE_CHECKING:
    from hedgeflow.signals.open_interest_state import StrikeInterest
    from hedgeflow.signals.settlement_state import LiveExpiry


def rungs(
    now_ns: int, live: LiveExpiry, strikes: StrikeInterest, market: Any, rules: Any
) -> NDArray[Any]:
    """Return the listed strikes of the live expiry, `LADDER`; empty where there is no pressure."""
    if not (0 < live.expiry_ns - now_ns <= DAY_NS and market["price"] > 0.0):
        return np.zeros(0, LADDER)
    minutes, per_year = minutes_left(live.expiry_ns, now_ns), float(rules["minutes_per_year"])
    price, sigma = float(market["price"]), float(market["sigma"])
    rows = np.zeros(live.places.size, LADDER)
    rows["strike"] = live.strikes
    for name in ("settled", "estimated"):
        rows[f"{name}_oi"] = getattr(strikes, name)[live.places]
    rows["settled_ns"] = strikes.settled_ns[live.places]
    rows["oi_low"], rows["oi_high"] = strikes.low[live.places], strikes.high[live.places]
    rows["oi"] = strikes.used[live.places]
    rows["distance"] = np.abs(price - live.strikes)
    for name in MODELS:
        rows[name] = _probabilities(name, minutes, live, market, rules)
    unit, chosen = risk_unit(market, rules), list(MODELS)[int(rules["model"])]
    risk = rows["oi"] * unit * rows[chosen]
    rows["pressure"] = _pressures(risk, minutes * live.time_factor)
    rows["dealer_units"] = strikes.dealers[live.places]
    rows["gamma_basis"] = strikes.basis[live.places]
    gammas, _ = _gammas_and_distances(price, live.strikes, sigma, minutes, per_year)
    rows["dealer_gamma"] = rows["dealer_units"] * gammas
    return rows


def pressures(
    now_ns: int, live: LiveExpiry, strikes: StrikeInterest, market: Any, rules: Any
) -> NDArray[np.float64]:
    """Return the pressures of all strikes with open interest that are known."""
    minutes = minutes_left(live.expiry_ns, now_ns)
    oi = strikes.used[live.places]
    model = list(MODELS)[int(rules["model"])]
    risk = oi * risk_unit(market, rules) * _probabilities(model, minutes, live, market, rules)
    found = _pressures(risk[oi > 0.0], minutes * live.time_factor)
    return found[np.isfinite(found)]


def samples(
    now_ns: int, live: LiveExpiry, strikes: StrikeInterest, market: Any, rules: Any
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return what each model says of every strike with open interest, and those strikes' bands."""
    minutes, per_year = minutes_left(live.expiry_ns, now_ns), float(rules["minutes_per_year"])
    price, sigma = float(market["price"]), float(market["sigma"])
    chosen = np.flatnonzero(strikes.used[live.places] > 0.0)
    rows = np.zeros(chosen.size, SAMPLE)
    rows["expiry_ns"], rows["at_ns"], rows["minutes_left"] = live.expiry_ns, now_ns, minutes
    rows["strike"] = live.strikes[chosen]
    rows["oi"] = strikes.used[live.places][chosen]
    rows["price"], rows["sigma"] = price, sigma
    rows["distance"] = np.abs(price - rows["strike"])
    _, away = _gammas_and_distances(price, live.strikes, sigma, minutes, per_year)
    rows["distance_sigmas"] = away[chosen]
    for name in MODELS:
        rows[name] = _probabilities(name, minutes, live, market, rules)[chosen]
    return rows, np.column_stack((live.marks[:-1][chosen], live.marks[1:][chosen]))


def _probabilities(
    model: str, minutes: float, live: LiveExpiry, market: Any, rules: Any
) -> NDArray[np.float64]:
    out = np.empty(live.places.size)
    probabilities(
        MODELS[model],
        float(market["price"]),
        live.strikes,
        live.marks,
        float(market["sigma"]),
        minutes,
        float(rules["minutes_per_year"]),
        point_size(market, rules),
        live.table,
        out,
    )
    return out


@nb.njit(cache=True, error_model="numpy")
def _pressures(risk: NDArray[np.float64], minutes: float) -> NDArray[np.float64]:
    out = np.empty(risk.size)
    for j in range(risk.size):
        out[j] = pressure(risk[j], minutes)
    return out


@nb.njit(cache=True, error_model="numpy")
def _gammas_and_distances(
    price: float,
    strikes: NDArray[np.float64],
    sigma: float,
    minutes: float,
    minutes_per_year: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return an option's gamma at each strike, and how many sigmas away it is."""
    gammas, distances = np.empty(strikes.size), np.empty(strikes.size)
    for j in range(strikes.size):
        strike = strikes[j]
        gammas[j] = option_gamma(price, strike, sigma, minutes, minutes_per_year)
        distances[j] = distance_in_sigmas(price, strike, sigma, minutes, minutes_per_year)
    return gammas, distances
