"""Sessions are resampled, not trades: seeded, in blocks, and wider where a day's trades agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.evidence.resampling import (
    by_session,
    clustered_mean,
    expanded_tail,
    percentile_bounds,
    resample_sessions,
    resampled_rows,
)


def test_the_same_seed_draws_the_same_sessions():
    daily = np.random.default_rng(0).normal(size=50)
    first, again = (resample_sessions(daily, seed=9, resamples=50) for _ in range(2))
    other = resample_sessions(daily, seed=10, resamples=50)
    assert np.array_equal(first.draws, again.draws)
    assert not np.array_equal(first.draws, other.draws)


# The stationary bootstrap of Politis and Romano (1994) as arch applies it to the statistic itself.
def test_bounds_are_quantiles_of_archs_stationary_bootstrap():
    from arch.bootstrap import StationaryBootstrap

    daily = np.random.default_rng(3).normal(0.2, 1.0, 80)
    daily[1:] += 0.6 * daily[:-1].copy()
    resampling = resample_sessions(daily, seed=12, resamples=500)
    assert resampling.block_length > 1
    library = StationaryBootstrap(resampling.block_length, daily, seed=np.random.default_rng(12))
    means = library.apply(np.mean, reps=500)[:, 0]
    tail = expanded_tail(0.025, 80 / resampling.block_length)
    found = clustered_mean(daily, np.arange(80), resampling)
    assert (found.lower, found.upper) == pytest.approx(np.quantile(means, [tail, 1.0 - tail]))


def test_blocks_have_the_mean_length_that_was_asked_for():
    daily = np.random.default_rng(1).normal(size=300)
    daily[1:] += 0.8 * daily[:-1].copy()
    resampling = resample_sessions(daily, seed=2, resamples=400)
    continued = np.diff(resampling.draws, axis=1) % 300 == 1
    # A block ends with chance 1 / length, and the next one follows on by chance once in 300.
    assert 1.0 / (1.0 - continued.mean()) == pytest.approx(resampling.block_length, rel=0.05)


def test_dependent_days_are_drawn_in_longer_blocks():
    generator = np.random.default_rng(1)
    noise = generator.normal(size=400)
    waves = noise.copy()
    for day in range(1, 400):
        waves[day] += 0.9 * waves[day - 1]
    assert resample_sessions(waves, seed=1, resamples=2).block_length > 5
    assert resample_sessions(noise, seed=1, resamples=2).block_length <= 5


@given(
    session=st.lists(st.integers(0, 6), max_size=40),
    seed=st.integers(0, 1000),
)
def test_resampled_rows_are_every_row_of_each_drawn_session(session, seed):
    index = np.array(session, dtype=np.int64)
    resampling = resample_sessions(np.arange(7.0), seed=seed, resamples=3)
    for draw, rows in zip(resampling.draws, resampled_rows(index, resampling), strict=True):
        expected = [row for day in draw for row in np.flatnonzero(index == day)]
        assert rows.tolist() == expected


def test_sums_per_session_match_a_loop():
    session = np.array([0, 2, 2, 4])
    assert by_session(np.array([1.0, 2.0, 3.0, 4.0]), session, 5).tolist() == [1, 0, 5, 0, 4]


def test_clustered_bounds_are_wider_when_a_days_trades_agree_and_they_cover():
    generator = np.random.default_rng(7)
    session = np.repeat(np.arange(50), 8)
    covered = naive_covered = 0
    runs = 120
    for _ in range(runs):
        values = np.repeat(generator.normal(size=50), 8) + 0.3 * generator.normal(size=400)
        daily = by_session(values, session, 50)
        resampling = resample_sessions(daily, seed=int(generator.integers(1 << 30)), resamples=300)
        estimate = clustered_mean(values, session, resampling)
        covered += estimate.lower <= 0.0 <= estimate.upper
        half = 1.96 * values.std(ddof=1) / np.sqrt(values.size)
        naive_covered += abs(values.mean()) <= half
    assert 0.87 <= covered / runs <= 0.99
    assert naive_covered / runs < 0.7


def test_observations_on_one_session_have_a_mean_but_no_interval():
    resampling = resample_sessions(np.arange(10.0), seed=1, resamples=20)
    estimate = clustered_mean(np.array([1.0, 3.0]), np.array([4, 4]), resampling)
    assert estimate.value == 2.0
    assert estimate.lower is None
    assert estimate.reason.startswith("1 session")


def test_nothing_observed_has_its_own_reason():
    resampling = resample_sessions(np.arange(10.0), seed=1, resamples=20)
    estimate = clustered_mean(np.zeros(0), np.zeros(0, dtype=np.int64), resampling, none="no wins")
    assert estimate.value is None
    assert estimate.reason == "no wins"


def test_percentiles_need_most_resamples_to_be_defined():
    mostly = np.where(np.arange(100) < 10, np.nan, np.arange(100.0))
    assert percentile_bounds(mostly) is None
    assert percentile_bounds(np.arange(101.0)) == pytest.approx((2.5, 97.5))


# Hesterberg (2015), table of adjusted tails for nominal 2.5 %.
@pytest.mark.parametrize(("blocks", "tail"), [(5, 0.0010), (10, 0.0086), (20, 0.0159)])
def test_few_blocks_leave_out_less_on_each_side(blocks, tail):
    assert expanded_tail(0.025, blocks) == pytest.approx(tail, abs=5e-5)


def test_with_many_blocks_the_bounds_are_the_plain_percentiles():
    assert expanded_tail(0.025, 1e6) == pytest.approx(0.025, abs=1e-5)


def test_lower_bounds_of_few_sessions_exceed_the_truth_about_as_often_as_they_promise():
    """Fifteen independent sessions: plain percentiles are too high for one package in fourteen."""
    generator = np.random.default_rng(11)
    session = np.repeat(np.arange(15), 9)
    runs, high, plain = 400, 0, 0
    for _ in range(runs):
        values = np.repeat(generator.normal(size=15), 9) + generator.normal(size=session.size)
        daily = by_session(values, session, 15)
        resampling = resample_sessions(daily, seed=int(generator.integers(1 << 30)), resamples=400)
        high += clustered_mean(values, session, resampling).lower > 0.0
        plain += percentile_bounds(daily[resampling.draws].sum(axis=1))[0] > 0.0
    assert plain / runs > 0.05
    assert high / runs < 0.05


def test_no_sessions_at_all_resample_to_nothing():
    assert resample_sessions(np.zeros(0), seed=1).sessions == 0


# The calibration of the judge: 11 sessions with observed hedges in 16. Of each bound 2.5 % may be
# on the wrong side of the truth; over 300 bounds 5 % is within what chance allows.
def test_bounds_hold_where_dependence_is_guessed_from_few_sessions():
    generator = np.random.default_rng(3)
    session, runs, wrong, fewest = np.arange(5, 16), 150, 0, np.inf
    for _ in range(runs):
        values = generator.normal(size=16)
        resampling = resample_sessions(values, seed=int(generator.integers(1 << 30)), resamples=500)
        fewest = min(fewest, resampling.blocks(session))
        found = clustered_mean(values[session], session, resampling)
        wrong += (found.lower > 0.0) + (found.upper < 0.0)
    assert 2.0 < fewest < 3.0
    assert wrong / (2 * runs) <= 0.05


def test_seven_sessions_have_no_interval_and_eight_have_one():
    resampling = resample_sessions(np.random.default_rng(1).normal(size=60), seed=1, resamples=200)
    values = np.random.default_rng(2).normal(size=8)
    seven = clustered_mean(values[:7], np.arange(7), resampling)
    assert seven.lower is None
    assert seven.reason == "7 sessions with observations; an interval needs 8"
    assert clustered_mean(values, np.arange(8), resampling).lower is not None


def test_sessions_that_make_fewer_than_two_blocks_have_no_interval():
    values = np.zeros(60)
    generator = np.random.default_rng(4)
    for row in range(1, 60):
        values[row] = 0.97 * values[row - 1] + generator.normal()
    resampling = resample_sessions(values, seed=1, resamples=200)
    session = np.arange(20, 30)
    assert resampling.blocks(session) < 2.0
    found = clustered_mean(values[session], session, resampling)
    assert found.value is not None
    assert found.lower is None
    assert "independent blocks" in found.reason
