"""Every estimator of stylised facts gives what is known: by theory, by other libraries, by hand."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from scipy.stats import kurtosis as scipy_kurtosis
from scipy.stats import pearsonr
from statsmodels.tsa.stattools import acf

from hedgeflow.studies.stylised_facts.comparing import NO, NOISY, UNKNOWN, YES, alike
from hedgeflow.studies.stylised_facts.estimators import (
    autocorrelation,
    autocorrelation_sums,
    bucket_sums,
    correlation,
    correlation_sums,
    dispersion,
    dispersion_sums,
    gap_variation,
    hill,
    hill_threshold,
    jump_share,
    kurtosis,
    moment_sums,
    quantile,
    ratio,
    standard_error,
    top_share,
    variation_sums,
)
from hedgeflow.studies.stylised_facts.records import Alike, Definition, Fact, Group
from hedgeflow.studies.stylised_facts.session_sums import Histogram, pieces


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def counted(values):
    distinct, counts = np.unique(values, return_counts=True)
    return distinct, counts.astype(float)


# --- tails --------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [1.5, 2.5, 4.0])
def test_hill_finds_the_exponent_of_a_pareto_sample(rng, exponent):
    values, counts = counted(3.0 * (1.0 + rng.pareto(exponent, 200_000)))
    threshold = hill_threshold(counts, values, 0.05, step=0.0)
    tail = int(counts[values > threshold].sum())
    assert tail == pytest.approx(10_000, abs=2)
    error = exponent / math.sqrt(tail)
    assert float(hill(counts, values, threshold)) == pytest.approx(exponent, abs=4 * error)


def test_hill_over_whole_lots_stands_by_half_a_lot(rng):
    sizes = np.maximum(np.round(4.0 * (1.0 + rng.pareto(2.0, 400_000))), 1.0)
    values, counts = counted(sizes)
    threshold = hill_threshold(counts, values, 0.10, step=1.0)
    corrected = float(hill(counts, values, threshold))
    assert corrected == pytest.approx(2.0, abs=0.06)
    assert abs(float(hill(counts, values, threshold - 0.5)) - 2.0) > 2 * abs(corrected - 2.0)


def test_hill_s_error_over_independent_sessions_is_the_exponent_over_the_root_of_the_tail(rng):
    histogram = Histogram()
    for _ in range(80):
        histogram.add(1.0 + rng.pareto(2.0, 100))
    values, counts = histogram.table()
    found = standard_error(counts, partial(hill, values=values, threshold=2.0))
    tail = counts[:, values > 2.0].sum()
    assert found == pytest.approx(2.0 / math.sqrt(tail), rel=0.25)


def test_ties_at_the_threshold_make_the_tail_smaller_never_larger():
    values, counts = np.array([1.0, 10.0, 20.0]), np.array([90.0, 8.0, 2.0])
    assert hill_threshold(counts, values, 0.05, step=1.0) == 10.5
    assert hill_threshold(counts, values, 0.10, step=1.0) == 1.5


def test_the_largest_percent_holds_its_share_of_the_sum():
    values, counts = counted(np.array([1.0] * 99 + [101.0]))
    assert float(top_share(counts, values, 0.01)) == 101.0 / 200.0
    assert float(top_share(counts, values, 0.02)) == 102.0 / 200.0
    assert float(top_share(counts, values, 1.0)) == 1.0


@pytest.mark.parametrize("level", [0.0, 0.1, 0.5, 0.9, 0.99, 1.0])
def test_quantiles_are_numpy_s_inverted_distribution(rng, level):
    sample = rng.integers(1, 30, 1_000).astype(float)
    values, counts = counted(sample)
    expected = np.quantile(sample, level, method="inverted_cdf")
    assert float(quantile(counts, values, level)) == expected


def test_a_histogram_by_percent_keeps_quantiles_within_a_percent(rng):
    sample = rng.lognormal(-6.0, 2.0, 10_000)
    histogram = Histogram(by_percent=True)
    histogram.add(np.append(sample, [0.0, -1.0]))
    values, counts = histogram.table()
    assert histogram.observations == 10_002
    assert (values[0], counts[0, 0]) == (0.0, 2.0)
    assert float(quantile(counts.sum(axis=0), values, 0.5)) == pytest.approx(
        np.median(sample), rel=0.01
    )


# --- dependence ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [1, 5, 40])
def test_autocorrelation_is_that_of_statsmodels(rng, lag):
    x = rng.standard_normal(500).cumsum() + 100.0
    expected = acf(x, nlags=lag, adjusted=True, fft=False)[lag]
    assert float(autocorrelation(autocorrelation_sums([x], lag))) == pytest.approx(expected)


def test_autocorrelation_of_an_autoregression_is_its_power(rng):
    noise, x = rng.standard_normal(200_000), np.empty(200_000)
    x[0] = 0.0
    for i in range(1, x.size):
        x[i] = 0.6 * x[i - 1] + noise[i]
    for lag in (1, 3):
        found = float(autocorrelation(autocorrelation_sums([x], lag)))
        assert found == pytest.approx(0.6**lag, abs=0.01)


def test_no_pair_straddles_two_pieces():
    one, other = np.array([1.0, 2.0, 4.0]), np.array([-1.0, 0.0])
    count, total, squares, pairs, products, early, late = autocorrelation_sums([one, other], 1)
    assert (count, total, squares) == (5, 6, 22)
    assert (pairs, products, early, late) == (3, 10, 2, 6)


def test_series_are_cut_where_a_step_is_missing():
    cut = pieces(np.arange(5.0), np.array([0, 10, 30, 40, 70]), 10)
    assert [piece.tolist() for piece in cut] == [[0.0, 1.0], [2.0, 3.0], [4.0]]


def test_correlation_is_that_of_scipy(rng):
    x = rng.standard_normal(300)
    y = 0.4 * x + rng.standard_normal(300) + 7.0
    assert float(correlation(correlation_sums(x, y))) == pytest.approx(pearsonr(x, y).statistic)


def test_kurtosis_is_that_of_scipy(rng):
    x = rng.standard_t(5, 1_000) + 0.5
    assert float(kurtosis(moment_sums(x))) == pytest.approx(scipy_kurtosis(x, fisher=False))


def test_bipower_variation_leaves_jumps_only(rng):
    returns = 0.001 * rng.standard_normal((250, 288))
    smooth = sum(variation_sums([day]) for day in returns)
    assert float(jump_share(smooth)) == pytest.approx(0.0, abs=0.01)
    returns[np.arange(250), rng.integers(1, 287, 250)] += 0.012
    jumpy = sum(variation_sums([day]) for day in returns)
    diffusion, jumps = 288 * 0.001**2, 0.012**2
    beside = math.pi * math.sqrt(2.0 / math.pi) * 0.001 * 0.012  # products of a jump's neighbours
    expected = 1.0 - (diffusion + beside) / (diffusion + jumps)
    assert float(jump_share(jumpy)) == pytest.approx(expected, abs=0.01)


# --- arrivals -----------------------------------------------------------------------------------


def test_counts_of_a_poisson_process_have_a_fano_factor_of_1_whatever_the_time_of_day(rng):
    bucket = np.tile(np.repeat(np.arange(48), 30), 60)
    rate = 1.0 + 9.0 * (bucket / 47.0)
    counts = rng.poisson(rate).astype(float)
    assert float(dispersion(bucket_sums(bucket, counts, 48))) == pytest.approx(1.0, abs=0.02)
    assert counts.var() / counts.mean() > 2.0


def test_prints_that_come_in_groups_of_known_size_have_the_group_s_fano_factor(rng):
    bucket = np.repeat(np.arange(10), 5_000)
    groups = rng.poisson(2.0, bucket.size).astype(float)
    assert float(dispersion(bucket_sums(bucket, 3.0 * groups, 10))) == pytest.approx(3.0, abs=0.1)


def test_few_intervals_a_bucket_do_not_bias_the_fano_factor(rng):
    bucket = np.repeat(np.arange(20_000), 3)
    counts = rng.poisson(4.0, bucket.size).astype(float)
    assert float(dispersion(bucket_sums(bucket, counts, 20_000))) == pytest.approx(1.0, abs=0.03)


def test_busy_and_quiet_sessions_are_no_clustering_within_their_own_half_hours(rng):
    bucket = np.repeat(np.arange(48), 30)
    days = [rng.poisson(level, bucket.size).astype(float) for level in np.linspace(1.0, 20.0, 40)]
    sums = np.stack([bucket_sums(bucket, counts, 48) for counts in days])
    own = sum(dispersion_sums(each) for each in sums)
    assert float(ratio(own)) == pytest.approx(1.0, abs=0.02)
    assert float(dispersion(sums.sum(axis=0))) > 3.0


def test_gaps_of_a_poisson_process_vary_by_1_and_of_a_clock_by_0(rng):
    bucket = np.repeat(np.arange(4), 20_000)
    gaps = rng.exponential(1.0 + bucket)
    assert float(gap_variation(bucket_sums(bucket, gaps, 4))) == pytest.approx(1.0, abs=0.02)
    regular = (1.0 + bucket).astype(float)
    assert float(gap_variation(bucket_sums(bucket, regular, 4))) == pytest.approx(0.0, abs=1e-6)


# --- errors and comparison ----------------------------------------------------------------------


def test_the_error_of_a_mean_is_the_sessions_deviation_over_the_root_of_their_number(rng):
    sums = np.stack([rng.normal(5.0, 2.0, 40), np.ones(40)], axis=-1)
    expected = sums[:, 0].std() / math.sqrt(40)
    assert standard_error(sums, ratio, resamples=5_000) == pytest.approx(expected, rel=0.05)


def test_there_is_no_error_with_fewer_than_five_sessions_or_of_what_seldom_exists():
    assert standard_error(np.ones((4, 2)), ratio) is None
    assert standard_error(np.stack([np.ones(6), np.eye(6)[0]], axis=-1), ratio) is None


def test_the_same_sessions_give_the_same_error(rng):
    sums = np.stack([rng.normal(5.0, 2.0, 12), np.ones(12)], axis=-1)
    assert standard_error(sums, ratio) == standard_error(sums.copy(), ratio)


WITHIN_HALF = Alike("factor", 1.5)


def fact(value, error=None, rule=WITHIN_HALF):
    return Fact(Definition("k", Group.SIZES, "name", "number", "text", rule), value, error)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (fact(2.0), fact(2.9), YES),
        (fact(2.9), fact(2.0), YES),
        (fact(2.0), fact(3.1), NO),
        (fact(2.0, 0.3), fact(3.1, 0.4), NOISY),
        (fact(2.0, 0.1), fact(3.1, 0.1), NO),
        (fact(2.0, 0.3), fact(3.1), NO),
        (fact(-1.0), fact(-1.0), NO),
        (fact(None), fact(1.0), UNKNOWN),
        (fact(1.0, rule=Alike("scale")), fact(1.0, rule=Alike("scale")), UNKNOWN),
        (fact(0.10, rule=Alike("difference", 0.05)), fact(0.14), YES),
        (fact(23.0, rule=Alike("cycle", 2.0)), fact(0.5), YES),
        (fact(21.0, rule=Alike("cycle", 2.0)), fact(0.5), NO),
    ],
)  # fmt: skip
def test_two_values_are_alike_by_the_fact_s_rule(one, other, expected):
    assert alike(one, other) == expected
