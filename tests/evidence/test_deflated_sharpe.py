"""The probabilistic and the deflated Sharpe ratio, by the numbers of the papers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import samples
from hedgeflow.evidence import assess
from hedgeflow.evidence.deflated_sharpe import (
    deflated_sharpe,
    effective_trials,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
)
from hedgeflow.strategies.volume_shock.claims import DECLARATION


# Bailey and López de Prado (2012), section 4: a fund with a monthly ratio of 0.458 over two years;
# 0.982 if its returns were normal, 0.913 with their skewness -2.448 and kurtosis 10.164.
@pytest.mark.parametrize(
    ("skewness", "kurtosis", "published"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)]
)
def test_the_probabilistic_ratio_of_a_two_year_record(skewness, kurtosis, published):
    found = probabilistic_sharpe(0.458, 0.0, 24, skewness, kurtosis)
    assert found == pytest.approx(published, abs=5e-4)


# The same paper, section 5: years needed to show an annual ratio of 2 to be above 1 at 95 %, from
# normal returns a day, a week and a month; and a month with skewness -0.72 and kurtosis 5.78.
@pytest.mark.parametrize(
    ("a_year", "skewness", "kurtosis", "years"),
    [(252, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_the_track_record_that_a_ratio_needs(a_year, skewness, kurtosis, years):
    root = math.sqrt(a_year)
    found = minimum_track_record(2 / root, 1 / root, skewness, kurtosis, 0.95)
    assert found / a_year == pytest.approx(years, abs=5e-3)


@given(
    st.floats(0.01, 0.5),
    st.floats(-1.0, 1.0),
    st.floats(3.0, 9.0),
)
def test_after_the_track_record_needed_the_probability_is_95_per_cent(ratio, skewness, kurtosis):
    needed = minimum_track_record(ratio, 0.0, skewness, kurtosis, 0.95)
    assert probabilistic_sharpe(ratio, 0.0, math.ceil(needed), skewness, kurtosis) >= 0.95 - 1e-9


def test_a_ratio_below_its_reference_needs_for_ever():
    assert minimum_track_record(0.1, 0.1, 0.0, 3.0, 0.95) is None


# Bailey and López de Prado (2014), numerical example: 2.5 a year over five years of 250 days,
# variance 1/2 of the trials' annual ratios; the benchmark is 0.1132 a day at 100 trials. 0.9004;
# with 46 trials 0.9505; with 88 and normal returns 0.9505.
@pytest.mark.parametrize(
    ("trials", "skewness", "kurtosis", "published"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_papers_deflated_ratio(trials, skewness, kurtosis, published):
    luck = expected_maximum_sharpe(math.sqrt(0.5 / 250), trials)
    if trials == 100:
        assert luck == pytest.approx(0.1132, abs=5e-5)
    found = probabilistic_sharpe(2.5 / math.sqrt(250), luck, 1250, skewness, kurtosis)
    assert found == pytest.approx(published, abs=5e-5)


# aifinhub.io, "Deflated Sharpe in low-trial regimes": 1.8 a year over 504 days, skewness -0.6,
# kurtosis 4.5, trials' annual ratios of variance 1: benchmark and probability by trials.
@pytest.mark.parametrize(
    ("trials", "benchmark", "published"),
    [(1, 0.0, 0.993), (40, 2.189, 0.298), (100, 2.531, 0.160), (1000, 3.255, 0.024)],
)
def test_forty_trials_take_a_ratio_of_1_8_from_0_993_to_0_298(trials, benchmark, published):
    luck = expected_maximum_sharpe(1.0, trials)
    assert luck == pytest.approx(benchmark, abs=6e-4)
    year = math.sqrt(252)
    found = probabilistic_sharpe(1.8 / year, luck / year, 504, -0.6, 4.5)
    assert found == pytest.approx(published, abs=6e-4)


def test_the_expected_maximum_is_that_of_normal_draws():
    draws = np.random.default_rng(0).normal(0.0, 0.3, (4_000, 100)).max(axis=1)
    assert expected_maximum_sharpe(0.3, 100) == pytest.approx(draws.mean(), rel=0.02)


def daily(sessions=250, mean=0.1, seed=1):
    return np.random.default_rng(seed).normal(mean, 1.0, sessions)


def deflated(values, configurations=1, sharpes=()):
    return deflated_sharpe(
        values,
        configurations=configurations,
        sharpes=sharpes,
        sessions_per_year=252.0,
        claimed=2.5,
    )


def test_one_configuration_is_deflated_by_nothing():
    found = deflated(daily())
    assert found.deflated.value == found.probabilistic.value
    assert found.expected_maximum.value == 0.0


def test_moments_are_scipys():
    from scipy.stats import kurtosis, skew

    values = daily() ** 3
    found = deflated(values)
    assert found.skewness.value == pytest.approx(skew(values))
    assert found.kurtosis.value == pytest.approx(kurtosis(values, fisher=False))


@given(st.integers(1, 5_000), st.integers(1, 5_000))
def test_more_configurations_never_raise_the_probability(first, second):
    fewer, more = sorted((first, second))
    values = daily()
    assert deflated(values, more).deflated.value <= deflated(values, fewer).deflated.value


def test_the_trials_own_spread_is_used_when_all_are_known():
    known = (0.10, 0.02, -0.05)
    found = deflated(daily(), 3, known)
    spread = float(np.std(known, ddof=1))
    assert found.expected_maximum.value == pytest.approx(
        expected_maximum_sharpe(spread, 3) * math.sqrt(252)
    )
    assert found.sharpes_known == 3


def test_fewer_than_ten_trials_that_are_alike_are_spread_as_chance_spreads_them():
    few, many = (deflated(daily(), count, (0.1, 0.1001) * (count // 2)) for count in (8, 10))
    assert few.expected_maximum.value > 10.0 * many.expected_maximum.value


def test_a_few_known_ratios_that_are_alike_do_not_deflate_less():
    alike = (0.1, 0.1001)
    found = deflated(daily(), 100, alike)
    assert found.expected_maximum.value == deflated(daily(), 100).expected_maximum.value
    assert "estimate of zero" in found.expected_maximum.method
    apart = (0.5, -0.5)
    assert deflated(daily(), 100, apart).deflated.value < found.deflated.value


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros(0), "fewer than four sessions"),
        (np.ones(3), "fewer than four sessions"),
        (np.full(50, 2.5), "no variation"),
        (np.zeros(50), "no variation"),
    ],
)
def test_what_has_no_ratio_says_why(values, reason):
    found = deflated(values)
    assert found.deflated.value is None
    assert found.deflated.reason == reason


def test_of_the_best_of_many_without_an_edge_the_probability_is_rarely_95_per_cent():
    generator = np.random.default_rng(3)
    passed = 0
    for _ in range(100):
        tried = generator.normal(0.0, 1.0, (200, 40))
        ratios = tried.mean(axis=0) / tried.std(axis=0, ddof=1)
        best = tried[:, int(np.argmax(ratios))]
        passed += deflated(best, 40, tuple(ratios.tolist())).deflated.value >= 0.95
    assert passed <= 5
    # Without deflation nearly every best looks certain.
    assert deflated(best).deflated.value > 0.95


# Bailey and López de Prado (2014), appendix 3: ρ + (1 − ρ) M.
@pytest.mark.parametrize(
    ("correlation", "trials", "expected"),
    [(0.0, 100, 100.0), (1.0, 100, 1.0), (0.5, 99, 50.0), (-0.2, 10, 10.0)],
)
def test_correlated_trials_amount_to_fewer(correlation, trials, expected):
    assert effective_trials(correlation, trials) == pytest.approx(expected)


def test_a_package_of_many_trials_is_not_validated_where_one_of_few_is():
    tables = samples.tables(samples.mixed(100, 8), flow_noise=0.2, days=40)
    few = assess(tables, DECLARATION, samples.manifest(trials=1))
    gates = {gate.id: gate.status for gate in few.gates}
    assert gates["deflated-sharpe"] == "PASSED"
    many = assess(tables, DECLARATION, samples.manifest(trials=10**9, trial_sharpes=(5.0, -5.0)))
    gates = {gate.id: gate.status for gate in many.gates}
    assert gates["deflated-sharpe"] == "FAILED"
    assert many.decision.verdict == "REJECTED"
    assert many.decision.source_verdict == few.decision.source_verdict == "VALIDATED"
