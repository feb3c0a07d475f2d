"""Sweep, emergency or neither: the two classifiers of the source documents."""

from __future__ import annotations

from typing import Any

import numba as nb

AMBIGUOUS = 0
SWEEP = 1
EMERGENCY = 2


@nb.njit(cache=True)
def classify_by_concentration(
    strikes: int, concentration: float, response: float, demand: float, rules: Any
) -> int:
    """Return the class by the later source document, the default (volume-shock.md 5).

    Parameters
    ----------
    strikes : int
        (expiry, strike) pairs with an anomaly.
    concentration : float
        Largest single-strike volume / total.
    response : float
        Response estimate, minutes.
    demand : float
        Net demand in the units of the thresholds; its absolute value counts.
    rules : record
        `SHOCK_PARAMS`.
    """
    if (
        strikes >= rules.sweep_strikes
        and concentration < rules.sweep_concentration_below
        and response > rules.sweep_response_above
    ):
        return SWEEP
    if (
        concentration > rules.emergency_concentration_above
        and response < rules.emergency_response_below
        and abs(demand) > rules.emergency_demand_above
    ):
        return EMERGENCY
    return AMBIGUOUS


@nb.njit(cache=True)
def classify_by_signature(
    strikes: int, ratio: float, response: float, demand: float, rules: Any
) -> int:
    """Return the class by the earlier source document's signature (volume-shock.md 5)."""
    if (
        strikes >= rules.sweep_strikes
        and ratio > rules.sweep_ratio_above
        and response > rules.sweep_response_above
    ):
        return SWEEP
    if (
        ratio > rules.emergency_ratio_above
        and abs(demand) > rules.emergency_demand_above
        and response < rules.emergency_response_below
    ):
        return EMERGENCY
    return AMBIGUOUS


@nb.njit(cache=True)
def classify(
    strikes: int, concentration: float, ratio: float, response: float, demand: float, rules: Any
) -> int:
    """Return the class by the classifier that the rules name."""
    if rules.classify_by_signature:
        return classify_by_signature(strikes, ratio, response, demand, rules)
    return classify_by_concentration(strikes, concentration, response, demand, rules)
