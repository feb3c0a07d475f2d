"""The best of many configurations against luck: reality check, SPA, stepwise test."""

from __future__ import annotations

import numpy as np
import pytest

from hedgeflow.evidence.resampling import mean_block_length
from hedgeflow.evidence.snooping import _flipped, snooping
from hedgeflow.market.errors import EvidenceError


def named(count):
    return tuple(f"c{number}" for number in range(count))


def against_luck(daily, **options):
    return snooping(daily, named(daily.shape[1]), seed=1, **({"resamples": 400} | options))


def noise(sessions, count, seed=0):
    return np.random.default_rng(seed).normal(size=(sessions, count))


# Hansen (2005), 2.1 to 2.4, written out: draws, centring and statistic, one resample at a time.
def by_hand(daily, block, resamples):
    from arch.bootstrap import StationaryBootstrap

    sessions, count = daily.shape
    stay = 1.0 - 1.0 / block
    deviation = []
    for column in range(count):
        x = daily[:, column] - daily[:, column].mean()
        variance = (x * x).sum() / sessions
        for lag in range(1, sessions):
            weight = (sessions - lag) / sessions * stay**lag
            weight += lag / sessions * stay ** (sessions - lag)
            variance += 2.0 * weight * (x[: sessions - lag] * x[lag:]).sum() / sessions
        deviation.append(variance**0.5)
    deviation = np.array(deviation)
    mean = daily.mean(axis=0)
    root = np.sqrt(sessions)
    observed = max(root * mean / deviation)
    kept = root * mean / deviation >= -np.sqrt(2.0 * np.log(np.log(sessions)))
    draws = StationaryBootstrap(block, np.arange(sessions), seed=np.random.default_rng(1))
    reached = {"lower": 0, "consistent": 0, "upper": 0}
    for (rows,), _ in draws.bootstrap(resamples):
        drawn = daily[rows].mean(axis=0)
        centres = {
            "lower": np.maximum(mean, 0.0),
            "consistent": np.where(kept, mean, 0.0),
            "upper": mean,
        }
        for name, centre in centres.items():
            reached[name] += max(root * (drawn - centre) / deviation) > observed
    return {name: (1 + count) / (1 + resamples) for name, count in reached.items()}


@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_the_studentised_test_is_hansens(scale):
    daily = noise(120, 4) * np.array([1.0, scale, 1.0, 1.0]) + np.array([0.12, 0.0, -0.6, 0.05])
    daily[1:] += 0.5 * daily[:-1].copy()
    found = against_luck(daily)
    assert found.block_length > 1
    expected = by_hand(daily, found.block_length, 400)
    assert found.spa_p_value_lower.value == pytest.approx(expected["lower"], abs=0.003)
    assert found.spa_p_value.value == pytest.approx(expected["consistent"], abs=0.003)
    assert found.spa_p_value_upper.value == pytest.approx(expected["upper"], abs=0.003)


def test_the_reality_check_is_archs_upper_p_value():
    from arch.bootstrap import RealityCheck

    daily = noise(100, 6) + 0.05
    found = against_luck(daily)
    library = RealityCheck(
        np.zeros(100),
        -daily,
        block_size=found.block_length,
        reps=400,
        seed=np.random.default_rng(1),
    )
    library.compute()
    upper = float(library.pvalues["upper"])
    assert found.reality_check_p_value.value == pytest.approx((1 + 400 * upper) / 401)


def test_a_wild_configuration_hides_no_steady_one_from_the_studentised_test():
    daily = noise(200, 20)
    daily[:, 3] += 0.4
    daily[:, 7] *= 100.0
    found = against_luck(daily)
    assert found.superior == ("c3",)
    assert found.spa_p_value.value < 0.01
    assert found.reality_check_p_value.value > 0.05


def test_of_noise_alone_the_p_value_is_below_a_tenth_in_about_a_tenth_of_cases():
    low = [
        against_luck(noise(60, 5, seed), resamples=199).spa_p_value.value <= 0.10
        for seed in range(80)
    ]
    assert 0.02 <= np.mean(low) <= 0.20


def test_p_values_are_never_zero_and_ordered():
    found = against_luck(noise(100, 3) + 5.0)
    assert found.spa_p_value.value == pytest.approx(1 / 401)
    many = against_luck(noise(100, 10, seed=5) - 0.05)
    three = [many.spa_p_value_lower, many.spa_p_value, many.spa_p_value_upper]
    assert [each.value for each in three] == sorted(each.value for each in three)


# Hansen (2005), 2.1: the statistic is the larger of 0 and the largest studentised mean.
def test_where_none_earned_more_than_the_benchmark_nothing_speaks_for_any():
    daily = noise(100, 3)
    found = against_luck(daily - daily.mean(axis=0) - 0.01)
    assert found.spa_p_value.value == found.spa_p_value_lower.value == 1.0
    assert found.superior == ()


def test_a_benchmark_is_taken_off_every_column():
    daily, benchmark = noise(100, 4), noise(100, 1, seed=9)[:, 0]
    against = against_luck(daily, benchmark=benchmark, benchmark_name="as published")
    assert against.spa_p_value == against_luck(daily - benchmark[:, None]).spa_p_value
    assert against.benchmark == "as published"


def test_the_benchmark_itself_among_the_columns_is_left_out_and_counted():
    daily = noise(100, 4)
    found = against_luck(daily, benchmark=daily[:, 2])
    assert found.unvaried == 1
    assert "c2" not in found.superior
    assert 0.0 < found.spa_p_value.value <= 1.0


@pytest.mark.parametrize(
    ("daily", "reason"),
    [
        (np.zeros((50, 3)), "differ"),
        (np.ones((50, 3)), "differ"),
        (noise(19, 3), "19 sessions, and the test needs 20"),
        (np.zeros((50, 0)), "no configurations"),
        (np.zeros((0, 2)), "0 sessions"),
    ],
)
def test_what_cannot_be_tested_says_why(daily, reason):
    found = against_luck(daily)
    assert reason in found.reason
    assert found.spa_p_value.value is None
    assert found.superior == ()


def test_equal_configurations_amount_to_one_and_unrelated_ones_to_all():
    one = noise(300, 1)
    same = against_luck(np.tile(one, (1, 8)))
    assert same.average_correlation.value == pytest.approx(1.0)
    assert same.effective_configurations.value == pytest.approx(1.0)
    apart = against_luck(noise(300, 8))
    assert apart.effective_configurations.value == pytest.approx(8.0, abs=0.5)
    pairs = np.corrcoef(noise(300, 8).T)[np.triu_indices(8, 1)]
    assert apart.average_correlation.value == pytest.approx(pairs.mean())


def test_the_same_seed_gives_the_same_result_and_another_not():
    daily = noise(100, 5)
    assert against_luck(daily) == against_luck(daily)
    assert snooping(daily, named(5), seed=2, resamples=400) != against_luck(daily)


def test_dependence_sets_the_block_length():
    daily = noise(400, 2)
    for row in range(1, 400):
        daily[row] += 0.8 * daily[row - 1]
    assert against_luck(daily).block_length >= mean_block_length(daily[:, 0]) > 5


def test_misshapen_tables_are_refused():
    with pytest.raises(EvidenceError, match="shape"):
        snooping(np.zeros((5, 2)), named(3), seed=1)
    with pytest.raises(EvidenceError, match="benchmark"):
        snooping(np.zeros((5, 2)), named(2), seed=1, benchmark=np.zeros(4))
    with pytest.raises(EvidenceError, match="finite"):
        snooping(np.full((5, 2), np.nan), named(2), seed=1)


def test_configurations_that_are_all_above_zero_are_all_found():
    daily = 5.0 + noise(40, 6)
    assert against_luck(daily).superior == named(6)


def test_signs_of_sessions_keep_their_level_over_few_sessions():
    """Where Hansen's test rejects a quarter of the time, the signs of sessions reject 5 %."""
    rng = np.random.default_rng(5)
    rejected = 0
    for seed in range(300):
        common, own = rng.normal(size=(23, 1)), rng.normal(size=(23, 40))
        rejected += _flipped((common + own) / np.sqrt(2.0), 200, seed) <= 0.05
    assert 3 <= rejected <= 27  # 15 expected, three deviations of 3.8


def test_signs_of_sessions_find_a_configuration_that_is_better():
    daily = noise(23, 40, seed=3)
    daily[:, 7] += 1.5
    assert against_luck(daily).sign_flip_p_value.value < 0.01
