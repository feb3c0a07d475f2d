"""Win rates: published intervals, the counts a claim needs, the rate the barriers imply."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgeflow.evidence import wins_needed
from hedgeflow.evidence.rates import (
    barrier_implied,
    barrier_rates,
    binomial_p_value,
    cohen_h,
    exact_bounds,
    wilson_bounds,
    win_rate,
    win_rate_exact,
)
from hedgeflow.market.errors import EvidenceError

# R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I.
NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("wins", "trades", "wilson", "exact"), NEWCOMBE)
def test_wilson_and_exact_bounds_are_newcombes(wins, trades, wilson, exact):
    assert wilson_bounds(wins, trades) == pytest.approx(wilson, abs=5e-5)
    assert exact_bounds(wins, trades) == pytest.approx(exact, abs=5e-5)


def test_wilson_bounds_agree_with_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    expected = proportion_confint(129, 154, method="wilson")
    assert wilson_bounds(129, 154) == pytest.approx(expected, rel=1e-12)


def test_129_of_154_is_77_1_to_88_8_per_cent():
    lower, upper = wilson_bounds(129, 154)
    assert (round(100 * lower, 1), round(100 * upper, 1)) == (77.1, 88.8)


@pytest.mark.parametrize(("trades", "wins"), [(50, 46), (100, 88), (154, 133)])
def test_80_per_cent_needs_46_of_50_88_of_100_133_of_154(trades, wins):
    assert wins_needed(trades, 0.80) == wins


def test_few_trades_can_show_nothing():
    assert wins_needed(15, 0.80) is None
    assert wins_needed(16, 0.80) == 16
    assert wins_needed(0, 0.80) is None


@settings(max_examples=30)
@given(trades=st.integers(1, 400), threshold=st.floats(0.05, 0.95))
def test_wins_needed_is_the_smallest_count_that_reaches_the_threshold(trades, threshold):
    wins = wins_needed(trades, threshold)
    if wins is None:
        assert wilson_bounds(trades, trades)[0] < threshold
    else:
        assert wilson_bounds(wins, trades)[0] >= threshold
        assert wins == 0 or wilson_bounds(wins - 1, trades)[0] < threshold


@settings(max_examples=40)
@given(st.data())
def test_both_intervals_hold_the_rate_and_stay_between_0_and_1(data):
    trades = data.draw(st.integers(1, 500))
    wins = data.draw(st.integers(0, trades))
    for estimate in (win_rate(wins, trades), win_rate_exact(wins, trades)):
        assert 0.0 <= estimate.lower <= estimate.value + 1e-12
        assert estimate.value <= estimate.upper + 1e-12
        assert estimate.upper <= 1.0


def test_no_trades_have_no_rate_but_a_reason():
    estimate = win_rate(0, 0)
    assert (estimate.value, estimate.lower, estimate.upper) == (None, None, None)
    assert estimate.reason == "no trades"


def test_more_wins_than_trades_are_refused():
    with pytest.raises(EvidenceError, match="5 wins of 4 trades"):
        win_rate(5, 4)


# Flaws C3: 129 of 154 against a coin is about 2e-18, against 80 % one-sided 0.14.
def test_129_of_154_against_a_coin_and_against_the_claim():
    assert 1e-18 < binomial_p_value(129, 154, 0.5) < 4e-18
    assert binomial_p_value(129, 154, 0.8) == pytest.approx(0.14, abs=0.005)


def test_binomial_p_value_is_the_tail_sum():
    tail = sum(math.comb(10, k) for k in range(8, 11)) / 2**10
    assert binomial_p_value(8, 10, 0.5) == pytest.approx(tail, rel=1e-12)


@pytest.mark.parametrize(("target", "stop", "rate"), [(25, 8, 0.24), (10, 12, 0.55), (5, 15, 0.75)])
def test_barriers_25_8_imply_24_10_12_imply_55_5_15_imply_75_per_cent(target, stop, rate):
    implied = barrier_rates(np.array([float(stop)]), np.array([float(target)]))
    assert round(float(implied[0]), 2) == rate


def test_mean_barrier_rate_is_over_trades():
    estimate = barrier_implied(np.array([8.0, 15.0]), np.array([25.0, 5.0]))
    assert estimate.value == pytest.approx((8 / 33 + 0.75) / 2)
    assert estimate.n == 2


def test_a_barrier_at_no_distance_is_refused():
    with pytest.raises(EvidenceError, match="not positive"):
        barrier_rates(np.array([0.0]), np.array([5.0]))


# Cohen (1988), table 6.2.2: phi(.80) = 2.214, phi(.50) = 1.571.
def test_cohens_h_is_the_difference_of_his_transforms():
    assert cohen_h(0.8, 0.5) == pytest.approx(2.214 - 1.571, abs=1e-3)
    assert cohen_h(0.5, 0.8) == -cohen_h(0.8, 0.5)
