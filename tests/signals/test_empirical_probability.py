"""How often past expiries settled at a strike, by distance in sigmas and minutes left."""

from __future__ import annotations

from math import exp, isnan, log, sqrt

import numba as nb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hedgeflow.market.errors import DataError
from hedgeflow.signals.empirical_probability import (
    BAND_EDGES_MINUTES,
    FEWEST_FINISHES,
    UNFITTED,
    EmpiricalModel,
    empirical_probabilities,
    empirical_probability,
)
from hedgeflow.signals.settlement_probability import (
    band_probabilities,
    band_probability,
    distance_in_sigmas,
    half_way_marks,
)

DAYS_OF_TRADING = 252.0 * 390.0
ONE_BAND = (0.0, 60.0)


def isotonic_by_definition(frequency, weight):
    """The non-increasing fit as the max-min of means, which is its definition (Barlow 1972)."""
    count = len(frequency)

    def mean(first, last):
        parts = slice(first, last + 1)
        return float(np.average(frequency[parts], weights=weight[parts]))

    return [
        max(min(mean(first, last) for first in range(at + 1)) for last in range(at, count))
        for at in range(count)
    ]


def fitted(samples, edges=BAND_EDGES_MINUTES, fewest=1):
    model = EmpiricalModel(edges, fewest)
    model.add(*zip(*samples, strict=True))
    return model.fitted()


# (distance in steps of 0.02, minutes, inside): some finishes in every band.
SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 150).map(lambda step: 0.02 * step + 0.01),
        st.floats(0.5, 239.0),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
).map(
    lambda drawn: [*drawn, *((0.01, minutes, True) for minutes in (3.0, 15.0, 40.0, 80.0, 200.0))]
)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5), st.integers(0, 5)), min_size=1),
)
@example([(0, 2, 2), (1, 2, 2), (4, 2, 1), (6, 3, 0), (8, 1, 0), (9, 2, 0)])
def test_each_step_of_a_band_is_the_isotonic_fit_by_its_definition(counts):
    cells = {cell: (tried, min(inside, tried)) for cell, tried, inside in counts}
    tried, inside = cells.get(0, (0, 0))
    cells[0] = (tried + 1, inside + 1)
    model = EmpiricalModel(ONE_BAND, fewest_finishes=1)
    for cell, (tried, inside) in cells.items():
        model.add(0.02 * cell + 0.01, 30.0, np.arange(tried) < inside)
    table = model.fitted()

    order = sorted(cells)
    distance = np.array([0.02 * cell + 0.01 for cell in order])
    weight = np.array([cells[cell][0] for cell in order], dtype=float)
    frequency = np.array([cells[cell][1] for cell in order]) / weight
    reference = np.array(isotonic_by_definition(frequency, weight))
    for level in np.unique(reference.round(12)):
        step = np.isclose(reference, level, rtol=0.0, atol=1e-10)
        if level == 0.0:
            centre = distance[step][0]
        elif level == 1.0:
            centre = distance[step][-1]
        else:
            centre = np.average(distance[step], weights=weight[step])
        found = empirical_probability(float(centre), 30.0, table)
        assert found == pytest.approx(level, abs=1e-9)


@settings(max_examples=60)
@given(SAMPLES, st.floats(0.0, 12.0), st.floats(0.0, 12.0), st.floats(0.01, 239.0))
def test_the_probability_never_rises_with_the_distance(samples, one, other, minutes):
    table = fitted(samples)
    near, far = sorted((one, other))
    assert empirical_probability(far, minutes, table) <= empirical_probability(near, minutes, table)


@settings(max_examples=60)
@given(SAMPLES, st.floats(0.0, 5.0), st.floats(0.01, 239.0), st.floats(0.01, 239.0))
def test_the_probability_is_continuous_in_time(samples, distance, one, other):
    table = fitted(samples)
    fastest = 1.0 / float(np.diff(table.log_minutes).min())
    moved = empirical_probability(distance, one, table)
    moved -= empirical_probability(distance, other, table)
    assert abs(moved) <= fastest * abs(log(one / other)) + 1e-12


@settings(max_examples=60)
@given(SAMPLES, st.floats(0.0, 5.0), st.floats(0.0, 0.1), st.floats(0.01, 239.0))
def test_the_probability_is_continuous_in_the_distance(samples, distance, step, minutes):
    table = fitted(samples)
    fastest = 1.0 / 0.02  # samples stand 0.02 apart, so the centres of steps do at the least
    moved = empirical_probability(distance, minutes, table)
    moved -= empirical_probability(distance + step, minutes, table)
    assert abs(moved) <= fastest * step + 1e-12


def test_a_band_needs_its_minimum_of_finishes():
    model = EmpiricalModel()
    model.add(0.2, 30.0, np.ones(FEWEST_FINISHES - 1, dtype=bool))
    model.add(np.linspace(0.5, 9.0, 5_000), 30.0, inside=False)
    assert model.fitted() is None
    model.add(0.2, 30.0, inside=True)
    assert model.fitted() is not None


def test_nothing_is_known_beyond_the_bands_that_have_enough():
    table = fitted([(0.1, 10.0, True), (0.1, 40.0, True)])
    assert table.span.tolist() == [7.5, 52.5]
    assert empirical_probability(0.1, 7.5, table) == 1.0
    assert empirical_probability(0.1, 52.5, table) == 1.0
    assert isnan(empirical_probability(0.1, 7.4, table))
    assert isnan(empirical_probability(0.1, 52.6, table))
    assert isnan(empirical_probability(float("nan"), 10.0, table))
    assert isnan(empirical_probability(0.1, 10.0, UNFITTED))


def test_the_nearest_band_reaches_to_the_last_second():
    table = fitted([(0.1, 5.0, True)])
    assert empirical_probability(0.1, 0.0, table) == 1.0


def test_samples_outside_every_band_are_not_counted():
    assert fitted([(0.1, 500.0, True), (0.1, 0.0, True), (0.1, -1.0, True)]) is None


def test_later_samples_do_not_change_a_table_given_before():
    model = EmpiricalModel(ONE_BAND, 1)
    model.add([0.1, 1.0], 30.0, [True, False])
    before = model.fitted()
    shown = empirical_probability(0.5, 30.0, before)
    model.add(np.full(50, 0.5), 30.0, inside=True)
    assert empirical_probability(0.5, 30.0, before) == shown
    assert empirical_probability(0.5, 30.0, model.fitted()) > shown


def test_samples_one_by_one_are_samples_together():
    rng = np.random.default_rng(7)
    distance, minutes = rng.exponential(1.0, 300), rng.uniform(1.0, 200.0, 300)
    inside = rng.random(300) < np.exp(-distance)
    together = EmpiricalModel(fewest_finishes=1)
    together.add(distance, minutes, inside)
    singly = EmpiricalModel(fewest_finishes=1)
    for sample in zip(distance, minutes, inside, strict=True):
        singly.add(*sample)
    for one, other in zip(together.fitted(), singly.fitted(), strict=True):
        assert one == pytest.approx(other, abs=1e-12)


def test_all_strikes_at_once_are_the_strikes_one_by_one():
    table = fitted([(0.1, 10.0, True), (1.0, 10.0, False), (0.5, 40.0, True), (2.0, 40.0, False)])
    distances = np.array([0.0, 0.3, 0.7, 1.5, 9.0, np.nan])

    @nb.njit
    def inside_a_kernel(distance, minutes, table):
        return empirical_probability(distance, minutes, table)

    for minutes in (8.0, 20.0, 50.0, 100.0):
        together = np.zeros(distances.size)
        empirical_probabilities(distances, minutes, table, together)
        singly = [inside_a_kernel(distance, minutes, table) for distance in distances]
        assert together.tolist() == pytest.approx(singly, abs=0.0, nan_ok=True)


@pytest.mark.parametrize(
    ("distance", "minutes"),
    [(-0.1, 10.0), (float("nan"), 10.0), (float("inf"), 10.0), (0.1, np.nan)],
)
def test_a_sample_of_unknown_distance_is_refused(distance, minutes):
    with pytest.raises(DataError, match="distance"):
        EmpiricalModel().add(distance, minutes, inside=True)


@pytest.mark.parametrize("edges", [(), (5.0,), (0.0, 10.0, 10.0)])
def test_edges_must_ascend(edges):
    with pytest.raises(DataError, match="edges"):
        EmpiricalModel(edges)


def test_a_band_without_a_finish_cannot_be_asked_for():
    with pytest.raises(DataError, match="0 finishes"):
        EmpiricalModel(fewest_finishes=0)


def expiries(rng, count, minutes, spacing):
    """Samples of so many expiries of a driftless lognormal price at 7,500 with 1 % a day."""
    sigma = 0.01 * sqrt(252.0)
    deviation = 0.01 * sqrt(minutes / 390.0)
    strikes = np.arange(7_300.0, 7_700.0, spacing)
    for _ in range(count):
        price = 7_500.0 + rng.uniform(-2.5, 2.5)
        finish = price * exp(deviation * rng.standard_normal() - 0.5 * deviation**2)
        distances = [distance_in_sigmas(price, k, sigma, minutes, DAYS_OF_TRADING) for k in strikes]
        yield np.array(distances), np.abs(finish - strikes) < 0.5 * spacing


def test_frequencies_of_a_lognormal_market_come_near_the_lognormal_probability():
    rng = np.random.default_rng(11)
    minutes, sigma = 60.0, 0.01 * sqrt(252.0)
    model = EmpiricalModel((45.0, 75.0))
    for distances, inside in expiries(rng, 4_000, minutes, 5.0):
        model.add(distances, minutes, inside)
    table = model.fitted()
    deviation = 0.01 * sqrt(minutes / 390.0)
    for distance in (0.25, 0.5, 1.0, 1.5, 2.0, 2.5):
        strike = 7_500.0 * exp(distance * deviation)
        expected = band_probability(
            7_500.0, strike - 2.5, strike + 2.5, sigma, minutes, DAYS_OF_TRADING
        )
        found = empirical_probability(distance, minutes, table)
        # 4,000 finishes over some 25 strikes; the seed is fixed and the tolerance is of two
        # standard errors of the frequency in a stretch of a quarter sigma.
        assert found == pytest.approx(expected, abs=0.012)


def test_different_spacings_are_averaged_which_is_what_the_model_leaves_out():
    rng = np.random.default_rng(12)
    minutes, sigma = 60.0, 0.01 * sqrt(252.0)
    model = EmpiricalModel((45.0, 75.0))
    for spacing in (5.0, 25.0):
        for distances, inside in expiries(rng, 2_000, minutes, spacing):
            model.add(distances, minutes, inside)
    found = empirical_probability(0.3, minutes, model.fitted())
    at = np.array([7_475.0, 7_500.0, 7_525.0])
    chances = np.empty(3)
    band_probabilities(7_500.0, half_way_marks(at), sigma, minutes, DAYS_OF_TRADING, chances)
    narrow = band_probability(7_500.0, 7_497.5, 7_502.5, sigma, minutes, DAYS_OF_TRADING)
    assert narrow * 1.3 < found < chances[1] * 0.7
