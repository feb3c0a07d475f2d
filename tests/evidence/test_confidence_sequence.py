"""Confidence sequences: published values, and coverage however often and whenever one looks."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import samples
from hedgeflow.evidence.confidence_sequence import (
    log_mixture,
    mean_bounds,
    monitoring,
    rate_bounds,
)
from hedgeflow.evidence.trades import trade_arrays


# confseq, test/uniform_boundaries_unittest.cpp (S. R. Howard, from an R reference): two-sided
# beta-binomial mixture best at intrinsic time 100, g = 0.2, h = 0.8: log supermartingale -0.6941012
# at s = 10, v = 100; the bound at 5 % is s = 31.4308. There v = p(1 − p)n, s = wins − np.
def test_the_mixture_is_that_of_confseq():
    best = 12.60056 - 0.2 * 0.8
    prior = (best / 0.8, best / 0.2)

    def at(excess):
        return float(log_mixture(np.array(125.0 + excess), np.array(625.0), 0.2, prior))

    assert at(10.0) == pytest.approx(-0.6941012, abs=1e-5)
    assert at(31.4308) == pytest.approx(math.log(20.0), abs=1e-5)


# The same file: two-sided normal mixture, bound 30.35209 at v = 100, where it is narrowest. With
# many sessions the t sequence becomes that.
def test_the_sequence_of_means_becomes_the_normal_mixture():
    count = 1_000_000
    values = np.random.default_rng(0).normal(size=count)
    values = (values - values.mean()) / values.std()
    lower, upper = mean_bounds(values, np.ones(count), narrowest_at=count)
    assert upper * math.sqrt(count) == pytest.approx(3.035209, abs=2e-5)
    assert lower == pytest.approx(-upper)


def test_at_its_bounds_the_martingale_of_a_mean_is_twenty():
    generator = np.random.default_rng(5)
    counts = generator.integers(1, 5, 60).astype(np.float64)
    sums = generator.normal(size=60) * counts + counts
    prior = 100 / (2 * math.log(20) + math.log(1 + 2 * math.log(20)))
    for bound in mean_bounds(sums, counts):
        centred = sums - bound * counts
        whole = (60 + prior) * (centred**2).sum()
        wealth = 0.5 * math.log(prior / (60 + prior))
        wealth += 30 * math.log(whole / (whole - centred.sum() ** 2))
        assert wealth == pytest.approx(math.log(20), abs=1e-9)


@given(st.integers(1, 400), st.floats(0.0, 1.0))
def test_at_its_bounds_the_martingale_of_a_rate_is_twenty(trials, share):
    wins = np.array([share * trials])
    (lower,), (upper,) = rate_bounds(wins, np.array([float(trials)]))
    assert 0.0 <= lower <= share <= upper + 1e-12 <= 1.0 + 1e-12
    for bound in (lower, upper):
        if 1e-6 < bound < 1.0 - 1e-6:
            found = log_mixture(wins, np.array([float(trials)]), bound)[0]
            assert found == pytest.approx(math.log(20.0), abs=1e-6)


def wins_of(paths, trials, rate, seed):
    """Wins so far after each trial, one row a path."""
    generator = np.random.default_rng(seed)
    return np.cumsum(generator.random((paths, trials)) < rate, axis=1).astype(np.float64)


def ever_missed(shares, rate):
    """Share of paths whose interval ever misses the rate, looked at after every trial."""
    trials = np.tile(np.arange(1.0, shares.shape[1] + 1.0), (shares.shape[0], 1))
    return (log_mixture(shares, trials, rate) >= math.log(20.0)).any(axis=1).mean()


@pytest.mark.parametrize("rate", [0.3, 0.5, 0.8, 0.95])
def test_looking_after_every_trade_misses_at_most_5_per_cent(rate):
    assert ever_missed(wins_of(4_000, 1_000, rate, 1), rate) <= 0.05


def test_a_fixed_interval_looked_at_as_often_misses_far_more():
    wins = wins_of(2_000, 1_000, 0.8, 2)
    trials = np.arange(1, 1_001)
    error = np.sqrt(0.8 * 0.2 / trials)
    fixed = np.abs(wins / trials - 0.8) > 1.96 * error
    assert fixed[:, 20:].any(axis=1).mean() > 0.3


def test_stopping_when_it_looks_best_misses_at_most_5_per_cent():
    paths, trials, rate = 300, 200, 0.6
    wins = wins_of(paths, trials, rate, 3)
    looks = np.arange(1.0, trials + 1.0)
    missed = 0
    for path in wins:
        lower, _ = rate_bounds(path, looks)
        missed += lower[int(np.argmax(lower))] > rate
    assert missed / paths <= 0.05


# Trades of a session that all win or all lose: over trades the sequence fails, over sessions not.
def test_trades_that_win_together_are_covered_by_session_and_not_by_trade():
    generator = np.random.default_rng(4)
    paths, days, each = 1_500, 80, 6
    won = generator.random((paths, days)) < 0.7
    by_session = ever_missed(np.cumsum(won, axis=1).astype(np.float64), 0.7)
    trades = np.repeat(won, each, axis=1)
    by_trade = ever_missed(np.cumsum(trades, axis=1).astype(np.float64), 0.7)
    assert by_session <= 0.05
    assert by_trade > 0.2


def test_shares_of_sessions_in_which_trades_agree_in_part_are_covered():
    generator = np.random.default_rng(6)
    rate = generator.beta(7.0, 3.0, (2_000, 200))
    shares = generator.binomial(4, rate) / 4.0
    assert ever_missed(np.cumsum(shares, axis=1), 0.7) <= 0.05


def test_wins_whose_number_depends_on_the_past_only_through_chance_are_covered():
    """Trading stops for good after three losses in a row: optional stopping by results."""
    wins = wins_of(3_000, 200, 0.5, 7)
    steps = np.diff(wins, axis=1, prepend=0.0)
    run = (steps[:, 2:] + steps[:, 1:-1] + steps[:, :-2]) == 0.0
    stop = np.where(run.any(axis=1), run.argmax(axis=1) + 3, 200)
    at_stop = wins[np.arange(wins.shape[0]), stop - 1]
    assert (log_mixture(at_stop, stop.astype(float), 0.5) >= math.log(20.0)).mean() <= 0.05


def mean_missed(draw, paths, sessions=200):
    generator = np.random.default_rng(8)
    looks = [*range(2, 40), *range(40, sessions + 1, 8)]
    missed = 0
    for _ in range(paths):
        sums, counts, truth = draw(generator, sessions)
        bounds = (mean_bounds(sums[:look], counts[:look]) for look in looks)
        missed += any(pair is not None and not pair[0] <= truth <= pair[1] for pair in bounds)
    return missed / paths


def normal_sessions(generator, sessions):
    return generator.normal(2.0, 30.0, sessions), np.ones(sessions), 2.0


def unequal_sessions(generator, sessions):
    counts = generator.integers(1, 6, sessions).astype(np.float64)
    return counts * generator.normal(1.5, 4.0, sessions), counts, 1.5


def skewed_sessions(generator, sessions):
    won = generator.random(sessions) < 0.8
    return np.where(won, 15.0, -8.0), np.ones(sessions), 0.8 * 15 - 0.2 * 8


@pytest.mark.parametrize(
    ("draw", "most"), [(normal_sessions, 0.05), (unequal_sessions, 0.05), (skewed_sessions, 0.09)]
)
def test_the_mean_is_covered_at_every_session_at_once(draw, most):
    assert mean_missed(draw, 300) <= most


def test_one_session_or_sessions_that_do_not_vary_bound_no_mean():
    assert mean_bounds(np.array([1.0]), np.array([1.0])) is None
    assert mean_bounds(np.full(50, 3.0), np.ones(50)) is None
    assert mean_bounds(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0])) is None


def test_units_of_a_mean_scale_its_bounds():
    sums, counts = np.random.default_rng(2).normal(size=40), np.ones(40)
    lower, upper = mean_bounds(sums, counts)
    assert mean_bounds(sums * 1e6 + 5e6, counts) == pytest.approx(
        (lower * 1e6 + 5e6, upper * 1e6 + 5e6)
    )


def watched(outcomes, days=60, claimed=0.8):
    tables = samples.tables(outcomes, days=days)
    return monitoring(trade_arrays(tables), tables.sessions, claimed)


def test_a_point_follows_every_session_with_trades():
    found = watched(samples.mixed(129, 25))
    assert len(found.points) == 60
    assert found.points[-1].trades == 154
    assert [point.trades for point in found.points] == sorted(p.trades for p in found.points)
    shares = [point.value for point in found.points]
    assert found.win_rate.value == shares[-1]
    assert found.win_rate.n == 60


def test_over_sessions_the_interval_is_wider_than_over_trades():
    found = watched(samples.mixed(129, 25))
    assert found.win_rate_by_trade.value == pytest.approx(129 / 154)
    wide, narrow = (each.upper - each.lower for each in (found.win_rate, found.win_rate_by_trade))
    assert wide > narrow


def test_a_poor_record_is_decided_below_the_claim_and_a_perfect_one_above():
    poor = watched(samples.mixed(50, 110))
    assert poor.decision == "below"
    assert 0 < poor.decided_after < 160
    perfect = watched([True] * 120)
    assert perfect.decision == "above"
    assert watched(samples.mixed(129, 25)).decision == "open"


def test_without_trades_there_is_a_reason_and_with_one_no_interval_of_the_mean():
    none = watched([])
    assert none.win_rate.reason == none.net_bps.reason == "no trades"
    assert none.points == ()
    one = watched([True])
    assert one.points[0].lower < 1.0
    assert one.net_bps.lower is None
    assert one.net_bps.reason


def test_ten_thousand_looks_take_no_time():
    looks = np.arange(1.0, 10_001.0)
    rate_bounds(looks[:5], looks[:5])
    begun = time.perf_counter()
    rate_bounds(0.6 * looks, looks)
    assert time.perf_counter() - begun < 1.0
