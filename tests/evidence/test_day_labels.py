"""Labels dealt out again and even spreads keep their level; bounds and power are the textbook's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, permutation_test, ttest_1samp, ttest_ind
from statsmodels.stats.power import NormalIndPower

from hedgeflow.evidence.day_labels import (
    difference_of_days,
    label_p_values,
    mean_of_days,
    published_effect,
    uniform_p_values,
)

WITHIN = 0.125
LEVEL = 0.05


def labels(expiries: int, controls: int) -> np.ndarray:
    return np.arange(expiries + controls) < expiries


def test_every_labelling_gives_what_scipy_gives():
    rng = np.random.default_rng(3)
    values = rng.uniform(0.0, 0.5, 11)
    is_expiry = labels(4, 7)
    (found,), smallest = label_p_values(values[:, None], is_expiry, seed=1)
    expected = permutation_test(
        (values[is_expiry], values[~is_expiry]),
        lambda x, y: abs(x.mean() - y.mean()),
        alternative="greater",
        n_resamples=np.inf,
    )
    assert found.value == pytest.approx(expected.pvalue)
    assert found.n == math.comb(11, 4)
    assert smallest == pytest.approx(1.0 / math.comb(11, 4))


def test_two_groups_of_one_size_have_each_labelling_twice():
    values = np.array([[0.0], [0.1], [0.2], [5.0], [6.0], [7.0]])
    (found,), smallest = label_p_values(values, labels(3, 3), seed=1)
    assert found.value == smallest == pytest.approx(2.0 / math.comb(6, 3))


def test_random_labellings_agree_with_every_one():
    rng = np.random.default_rng(5)
    values = rng.uniform(0.0, 0.5, (18, 1))
    values[:6] *= 0.6
    (drawn,), smallest = label_p_values(values, labels(6, 12), seed=1, draws=4_999)
    (exact,) = [
        permutation_test(
            (values[:6, 0], values[6:, 0]),
            lambda x, y: abs(x.mean() - y.mean()),
            alternative="greater",
            n_resamples=np.inf,
        ).pvalue
    ]
    assert drawn.value == pytest.approx(exact, abs=4.0 * math.sqrt(exact / 4_999))
    assert smallest == pytest.approx(1.0 / 5_000)


def test_days_that_are_all_alike_have_a_p_value_of_one():
    (found,), _ = label_p_values(np.full((9, 1), 0.2), labels(4, 5), seed=1)
    assert found.value == 1.0


def irwin_hall(mean: float, days: int) -> float:
    """P(mean of uniforms on 0..1 <= mean): J. O. Irwin and P. Hall, Biometrika 19 (1927)."""
    total = mean * days
    terms = (
        (-1) ** k * math.comb(days, k) * (total - k) ** days for k in range(math.floor(total) + 1)
    )
    return sum(terms) / math.factorial(days)


@pytest.mark.parametrize("days", [5, 10])
def test_the_mean_of_an_even_spread_has_the_law_of_irwin_and_hall(days):
    distances = np.full(days, 0.17)
    (found, _), _ = uniform_p_values(distances, np.zeros(days), WITHIN, seed=2)
    expected = 2.0 * irwin_hall(2.0 * 0.17, days)
    assert found.value == pytest.approx(expected, abs=4.0 * math.sqrt(expected / 9_999))


def test_the_share_of_an_even_spread_is_binomial():
    days, near = 20, 9
    shares = (np.arange(days) < near).astype(float)
    (_, found), _ = uniform_p_values(np.full(days, 0.2), shares, WITHIN, seed=2)
    off = abs(near - 0.25 * days)
    expected = sum(binom.pmf(k, days, 0.25) for k in range(days + 1) if abs(k - 5.0) >= off)
    assert found.value == pytest.approx(expected, abs=4.0 * math.sqrt(expected / 9_999))


def spread(kind: str, rng: np.random.Generator, days: int) -> np.ndarray:
    """Closes without pinning; clustered ones like strikes on every day, as round numbers are."""
    distances = rng.uniform(0.0, 0.5, days)
    if kind == "clustered":
        round_numbers = rng.random(days) < 0.3
        distances[round_numbers] = np.abs(rng.normal(0.0, 0.02, int(round_numbers.sum())))
    return np.minimum(distances, 0.5)


def most(trials: int) -> float:
    """Share of rejections that a test of the right level exceeds once in a thousand times."""
    return float(binom.ppf(0.999, trials, LEVEL)) / trials


@pytest.mark.parametrize("kind", ["uniform", "clustered"])
@pytest.mark.parametrize("days", [5, 10, 20, 75])
def test_expiry_days_like_all_others_are_rejected_as_seldom_as_promised(kind, days):
    rng, trials = np.random.default_rng(days), 250
    rejected = np.zeros(2)
    for seed in range(trials):
        distances = spread(kind, rng, 5 * days)
        both = np.column_stack((distances, distances <= WITHIN))
        found, _ = label_p_values(both, labels(days, 4 * days), seed=seed, draws=99)
        rejected += [each.value <= LEVEL for each in found]
    assert (rejected / trials <= most(trials)).all()


@pytest.mark.parametrize("days", [5, 10, 20, 75])
def test_an_even_spread_is_rejected_as_seldom_as_promised(days):
    rng, trials = np.random.default_rng(days), 250
    rejected = np.zeros(2)
    for seed in range(trials):
        distances = spread("uniform", rng, days)
        near = (distances <= WITHIN).astype(float)
        found, _ = uniform_p_values(distances, near, WITHIN, seed=seed, draws=199)
        rejected += [each.value <= LEVEL for each in found]
    assert (rejected / trials <= most(trials)).all()


def test_without_other_days_round_numbers_look_like_pinning():
    rng = np.random.default_rng(1)
    rejected = 0
    for seed in range(40):
        distances = spread("clustered", rng, 75)
        near = (distances <= WITHIN).astype(float)
        (found, _), _ = uniform_p_values(distances, near, WITHIN, seed=seed, draws=199)
        rejected += found.value <= LEVEL
    assert rejected > 35


def test_a_planted_pull_is_found_as_often_as_the_stated_power_says():
    pull, days, trials = 0.06, 75, 250
    rng = np.random.default_rng(11)
    found = []
    for seed in range(trials):
        distances = rng.uniform(0.0, 0.5, 5 * days)
        distances[:days] = np.maximum(0.0, distances[:days] - pull)
        (p_value,), _ = label_p_values(
            distances[:, None], labels(days, 4 * days), seed=seed, draws=199
        )
        found.append(p_value.value <= LEVEL)
    distances = rng.uniform(0.0, 0.5, 100_000)
    stated = published_effect(pull - pull**2, distances[:days], distances[days : 5 * days])
    assert np.mean(found) == pytest.approx(stated.power, abs=0.1)


def test_power_and_days_needed_are_those_of_two_normal_means():
    rng = np.random.default_rng(2)
    values, controls = rng.normal(0.0, 1.0, 40), rng.normal(0.0, 1.0, 160)
    found = published_effect(0.4, values, controls)
    pooled = math.sqrt((39 * values.var(ddof=1) + 159 * controls.var(ddof=1)) / 198)
    library = NormalIndPower()
    assert found.power == pytest.approx(
        library.power(0.4 / pooled, 40, 0.05, ratio=4.0, alternative="two-sided"), abs=1e-4
    )
    needed = library.solve_power(0.4 / pooled, power=0.8, alpha=0.05, ratio=4.0)
    assert found.days_needed == pytest.approx(needed, abs=2.0)


def test_bounds_are_students_and_welchs():
    rng = np.random.default_rng(4)
    values, controls = rng.normal(0.2, 0.1, 8), rng.normal(0.25, 0.2, 30)
    own, both = mean_of_days(values, ""), difference_of_days(values, controls, "")
    one = ttest_1samp(values, 0.0).confidence_interval()
    two = ttest_ind(values, controls, equal_var=False).confidence_interval()
    assert (own.lower, own.upper) == pytest.approx((one.low, one.high))
    assert (both.lower, both.upper) == pytest.approx((two.low, two.high))


def test_four_days_have_a_mean_but_no_bounds():
    found = mean_of_days(np.array([0.1, 0.2, 0.3, 0.4]), "")
    assert found.value == pytest.approx(0.25)
    assert found.lower is None
    assert found.reason == "4 days; an interval needs 5"
