"""The probability of backtest overfitting, against a slow reference and published cases."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

from hedgeflow.evidence.overfitting import overfitting, selections
from hedgeflow.market.errors import EvidenceError


def obvious(results, blocks):
    """Bailey et al. (2017), 2.2, step by step: one combination at a time, no algebra saved."""
    periods = results.shape[0]
    edges = [round(block * periods / blocks) for block in range(blocks + 1)]
    parts = [np.arange(edges[block], edges[block + 1]) for block in range(blocks)]
    rows = []
    for half in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[block] for block in half])
        outside = np.setdiff1d(np.arange(results.shape[0]), inside)
        ratios = [
            results[lines].mean(axis=0) / results[lines].std(axis=0, ddof=1)
            for lines in (inside, outside)
        ]
        best = int(np.argmax(ratios[0]))
        rank = 1 + int((ratios[1] < ratios[1][best]).sum())
        rows.append((ratios[0][best], ratios[1][best], rank, ratios[1].mean()))
    return np.array(rows).T


def r_normals(seed, count):
    """R's rnorm after set.seed(seed): Mersenne twister, inversion (R 1.7 and later)."""
    from scipy.special import ndtri

    words, state = [], seed
    for _ in range(50):
        state = (69069 * state + 1) % 2**32
    for _ in range(625):
        state = (69069 * state + 1) % 2**32
        words.append(state)
    twister = np.random.MT19937()
    key = np.array(words[1:], dtype=np.uint64).astype(np.uint32)
    twister.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": 624}}
    uniform = twister.random_raw(2 * count) * 2.3283064365386963e-10
    big = 134217728.0
    return ndtri((np.floor(big * uniform[0::2]) + uniform[1::2]) / big)


def excess(results):
    """Results over the vignette's interest of 3 % a year."""
    return results - 0.03 / 252


def test_rs_generator_is_rs():
    # What R 4 prints of three normals after seed 123.
    assert r_normals(123, 3) == pytest.approx([-0.56047565, -0.23017749, 1.55870831], abs=1e-8)


@pytest.mark.parametrize(("periods", "blocks", "seed"), [(60, 6, 0), (67, 8, 1), (40, 10, 2)])
def test_selections_are_those_of_the_obvious_way(periods, blocks, seed):
    results = np.random.default_rng(seed).normal(0.02, 1.0, (periods, 7))
    found, expected = selections(results, blocks), obvious(results, blocks)
    for name, values in zip(("in_sample", "out_of_sample", "rank", "every"), expected, strict=True):
        assert getattr(found, name) == pytest.approx(values, abs=1e-10)


# The vignette of the R package pbo (M. Barry): 100 recentred series of 2,400 normals, 8 blocks:
# summary p_bo 1, ar^2 0.97, p_loss 1, and the intercept of in sample on out of sample -0.003046.
def test_the_vignette_of_the_r_package_is_reproduced():
    results = r_normals(765, 100 * 2400).reshape(100, 2400).T
    results = results / results.std(axis=0, ddof=1) / np.sqrt(252.0)
    results = excess(results - results.mean(axis=0))
    summary = overfitting(results, most_blocks=8)
    assert summary.probability.value == 1.0
    assert summary.probability_of_loss.value == 1.0
    found = selections(results, 8)
    slope, intercept = np.polyfit(found.out_of_sample, found.in_sample, 1)
    assert intercept == pytest.approx(-0.003046, abs=5e-7)
    residual = found.in_sample - slope * found.out_of_sample - intercept
    r_squared = 1.0 - residual.var() / found.in_sample.var()
    assert 1.0 - (1.0 - r_squared) * 69 / 68 == pytest.approx(0.97, abs=0.005)


# The same package's own test (tests/test_pbo_function.R): 40 series of 200 normals, 4 blocks; phi
# in (0.49, 0.51), intercept in (0.19, 0.20), adjusted R² in (-0.24, -0.22), below 0 in (0.49, 0.51)
def test_the_own_test_of_the_r_package_is_reproduced():
    results = excess(r_normals(852, 200 * 40).reshape(200, 40))
    found = selections(results, 4)
    share = found.rank / 41
    assert (share <= 0.5).mean() == 0.5
    assert (found.out_of_sample < 0).mean() == 0.5
    slope, intercept = np.polyfit(found.out_of_sample, found.in_sample, 1)
    assert 0.19 < intercept < 0.20
    residual = found.in_sample - slope * found.out_of_sample - intercept
    r_squared = 1.0 - residual.var() / found.in_sample.var()
    assert -0.24 < 1.0 - (1.0 - r_squared) * 5 / 4 < -0.22


# E. Soloviov, "How overfit is your search?" (2026): T = 1000, N = 200, S = 16, means over 60
# matrices: noise 0.476 (deviation 0.137), an edge of 0.15 a period in 20 of 200 gives 0.001.
def test_noise_gives_about_a_half_and_an_edge_next_to_nothing():
    generator = np.random.default_rng(4)
    noise = [
        overfitting(generator.normal(size=(1000, 200)), most_blocks=10).probability.value
        for _ in range(12)
    ]
    assert np.mean(noise) == pytest.approx(0.476, abs=3 * 0.137 / np.sqrt(12))
    edged = generator.normal(size=(1000, 200)) + 0.15 * (np.arange(200) < 20)
    found = overfitting(edged)
    assert found.probability.value < 0.02
    assert found.out_of_sample.value == pytest.approx(0.15, abs=0.04)
    assert found.second_order_dominance


def test_sixteen_blocks_make_12870_combinations_and_every_one_counts():
    found = overfitting(np.random.default_rng(0).normal(size=(160, 5)))
    assert found.combinations == 12_870 == comb(16, 8)
    assert sum(each.count for each in found.logits) == 12_870


def test_the_more_it_promised_the_less_it_kept_when_all_are_the_same():
    results = np.random.default_rng(3).normal(size=(400, 50))
    found = overfitting(results - results.mean(axis=0))
    assert found.probability.value == 1.0
    assert found.degradation_slope.value == pytest.approx(-1.0, abs=0.1)
    assert not found.first_order_dominance


def test_copies_of_one_configuration_are_a_choice_of_nothing():
    one = np.random.default_rng(1).normal(0.3, 1.0, 96)
    found = overfitting(np.tile(one[:, None], (1, 9)))
    assert found.probability.value == 1.0
    assert found.median_logit.value == pytest.approx(0.0, abs=1e-12)
    assert found.first_order_dominance is False


def test_a_configuration_that_never_trades_has_ratio_zero_and_breaks_nothing():
    results = np.column_stack([np.zeros(96), np.random.default_rng(2).normal(-0.5, 1.0, (96, 3))])
    found = overfitting(results)
    assert found.probability.value == 0.0
    assert found.degradation_slope.value is None or found.degradation_slope.value <= 0.0
    assert found.in_sample.value >= 0.0


def test_units_change_nothing():
    results = np.random.default_rng(8).normal(size=(96, 6))
    scaled = overfitting(results * np.array([1.0, 1e-6, 1e6, 3.0, 2.0, 1.0]))
    assert scaled.probability == overfitting(results).probability


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((100, 1), "fewer than two configurations"), ((17, 5), "17 sessions, and 18 are needed")],
)
def test_too_little_gives_a_reason_and_no_figure(shape, reason):
    found = overfitting(np.random.default_rng(0).normal(size=shape))
    assert reason in found.reason
    assert found.probability.value is None


def test_few_sessions_take_fewer_blocks():
    assert overfitting(np.random.default_rng(0).normal(size=(30, 4))).blocks == 10
    assert overfitting(np.random.default_rng(0).normal(size=(18, 4))).blocks == 6


def test_what_is_no_table_of_numbers_is_refused():
    with pytest.raises(EvidenceError, match="finite"):
        overfitting(np.array([[np.nan, 1.0]]))
    with pytest.raises(EvidenceError, match="halved"):
        overfitting(np.zeros((90, 3)), most_blocks=7)
