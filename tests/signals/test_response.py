"""Response time: the tiers, the calibrated model, pressure, and the hedge still to come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hedgeflow.market.pressure import pressure
from hedgeflow.signals import FlowClass, Tier
from hedgeflow.signals.flow_class import classify
from hedgeflow.signals.response import (
    calibrated_response_minutes,
    fit_response,
    hedge_to_come,
    response_minutes,
    tier_of,
    tier_response_minutes,
)
from hedgeflow.signals.rules import SESSION_PARAMS
from hedgeflow.strategies.volume_shock.rules import scan_rules
from signals.tapes import config

RULES = scan_rules(config("source"), 0.1).shock[0]
TIERS = (5_000.0, 2_000.0, 2.0, 5.0, 10.0)


def session(*, calibrated: bool, a: float = 0.0, b: float = 0.0) -> np.ndarray:
    filled = np.zeros(1, SESSION_PARAMS)[0]
    filled["calibrated"], filled["response_a"], filled["response_b"] = calibrated, a, b
    return filled


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("demand", "minutes", "tier"),
    [
        (5_000.1, 2.0, Tier.GAMMA_EMERGENCY),
        (5_000.0, 5.0, Tier.INSTITUTIONAL_SWEEP),
        (2_000.1, 5.0, Tier.INSTITUTIONAL_SWEEP),
        (2_000.0, 10.0, Tier.ROUTINE_HEDGING),
        (0.0, 10.0, Tier.ROUTINE_HEDGING),
    ],
)
def test_the_tiers_are_2_minutes_over_5000_5_over_2000_and_10_else(demand, minutes, tier, side):
    assert tier_response_minutes(side * demand, *TIERS) == minutes
    assert response_minutes(side * demand, RULES, session(calibrated=False)) == minutes
    assert tier_of(side * demand, 5_000.0, 2_000.0) is tier


@given(
    st.floats(2_000.0, 5_000.0, exclude_min=True),
    st.integers(1, 9),
    st.floats(0.0, 1.0),
    st.sampled_from([1, -1]),
)
def test_under_tiers_an_event_between_2000_and_5000_is_always_ambiguous(
    demand, strikes, concentration, side
):
    """Flaw B1: 5 minutes are neither above 5 nor below, so this tier has no class."""
    minutes = response_minutes(side * demand, RULES, session(calibrated=False))
    assert classify(strikes, concentration, 9.0, minutes, side * demand, RULES) == (
        FlowClass.AMBIGUOUS_SIGNAL
    )


@pytest.mark.parametrize(
    ("demand", "strikes", "concentration", "expected"),
    [
        (2_100.0, 3, 0.4, FlowClass.INSTITUTIONAL_SWEEP),
        (4_900.0, 1, 1.0, FlowClass.GAMMA_EMERGENCY),
    ],
)
def test_under_the_calibrated_model_the_tiers_hole_is_gone(
    demand, strikes, concentration, expected
):
    b = -2.0
    fitted = session(calibrated=True, a=float(np.log(5.5) - b * np.log(2_100.0)), b=b)
    minutes = response_minutes(demand, RULES, fitted)
    assert classify(strikes, concentration, 9.0, minutes, demand, RULES) == expected


def test_under_tiers_a_sweep_can_never_pass_the_sources_threshold_of_20():
    """precise.md 20: ROUTINE is at most 2,000, and 2,000 / 10² is exactly 20."""
    assert pressure(2_000.0, tier_response_minutes(2_000.0, *TIERS)) == 20.0


@pytest.mark.parametrize(
    ("exposure", "minutes", "expected"),
    [
        (5_000.0, 2.0, 1_250.0),
        (-2_000.0, 10.0, 20.0),
        (500.0, 1.0, 500.0),
        (500.0, 0.5, 500.0),
        (-500.0, 0.0, 500.0),
        (0.0, 3.0, 0.0),
    ],
)
def test_pressure_is_the_exposures_size_over_minutes_squared_flat_within_the_last_minute(
    exposure, minutes, expected
):
    assert pressure(exposure, minutes) == expected


def observations(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    demands = rng.choice([-1.0, 1.0], count) * np.exp(rng.normal(7.0, 1.0, count))
    minutes = np.exp(4.0 - 0.4 * np.log(np.abs(demands)) + rng.normal(0.0, 0.3, count))
    return demands, minutes


def test_the_calibrated_model_is_the_least_squares_line_of_the_logarithms():
    demands, minutes = observations(80)
    fitted = fit_response(demands, minutes, 30)
    line = stats.linregress(np.log(np.abs(demands)), np.log(minutes))
    residual = np.log(minutes) - line.intercept - line.slope * np.log(np.abs(demands))
    assert fitted is not None
    assert fitted.a == pytest.approx(line.intercept, rel=1e-10)
    assert fitted.b == pytest.approx(line.slope, rel=1e-10)
    assert fitted.slope_error == pytest.approx(line.stderr, rel=1e-10)
    assert fitted.residual_error == pytest.approx(np.sqrt((residual**2).sum() / 78), rel=1e-10)
    assert fitted.observations == 80


def test_the_calibrated_model_needs_30_observations():
    demands, minutes = observations(30)
    assert fit_response(demands[:29], minutes[:29], 30) is None
    assert fit_response(demands, minutes, 30) is not None


@pytest.mark.parametrize(
    ("demand", "minute"), [(0.0, 3.0), (np.nan, 3.0), (5.0, np.nan), (5.0, 0.0), (5.0, np.inf)]
)
def test_an_unusable_observation_does_not_count_towards_the_30(demand, minute):
    demands, minutes = observations(30)
    demands[4], minutes[4] = demand, minute
    assert fit_response(demands, minutes, 30) is None


def test_observations_of_one_size_give_no_slope_and_so_no_model():
    assert fit_response(np.full(40, 100.0), np.linspace(1, 9, 40), 30) is None


def test_two_observations_leave_no_error_to_estimate_and_so_give_no_model():
    assert fit_response(np.array([10.0, 100.0]), np.array([3.0, 5.0]), 1) is None


@pytest.mark.parametrize(
    ("demand", "minutes"), [(1e-9, 30.0), (0.0, 30.0), (1e12, 0.5), (np.e, np.exp(2.0 - 0.5))]
)
def test_the_calibrated_estimate_is_clamped_to_between_0_5_and_30_minutes(demand, minutes):
    assert calibrated_response_minutes(demand, 2.0, -0.5, 0.5, 30.0) == pytest.approx(minutes)


def test_the_sources_rules_carry_the_clamp():
    fitted = session(calibrated=True, a=2.0, b=-0.5)
    assert response_minutes(1e12, RULES, fitted) == 0.5
    assert response_minutes(-1e-12, RULES, fitted) == 30.0


@pytest.mark.parametrize(("elapsed", "share"), [(0.0, 1.0), (4.0, 0.5), (8.0, 0.25), (-1.0, 1.0)])
def test_the_hedge_still_to_come_halves_with_each_response_time(elapsed, share):
    assert hedge_to_come(-600.0, elapsed, 4.0) == -600.0 * share


@pytest.mark.parametrize(
    ("b", "demand", "size"),
    [
        (0.5, 50.0, 100.0),
        (0.5, -50.0, 100.0),
        (0.5, 200.0, 200.0),
        (-0.5, 50.0, 50.0),
    ],
)
def test_where_larger_takes_longer_a_demand_smaller_than_any_seen_is_as_slow_as_the_smallest(
    b, demand, size
):
    fitted = session(calibrated=True, a=0.5, b=b)
    fitted["smallest_demand"] = 100.0
    expected = np.clip(np.exp(0.5 + b * np.log(size)), 0.5, 30.0)
    assert response_minutes(demand, RULES, fitted) == pytest.approx(expected)


def test_the_fit_remembers_the_smallest_demand_it_has_seen():
    demands, minutes = observations(40)
    fitted = fit_response(demands, minutes, 30)
    assert fitted is not None
    assert fitted.smallest_demand == np.abs(demands).min()
