"""Sharpe ratios, measured with an interval, and implied by win rate, payoff and frequency."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.evidence.resampling import resample_sessions
from hedgeflow.evidence.sharpe import (
    implied_frequency,
    implied_payoff,
    implied_sharpe,
    implied_win_rate,
    sharpe_annualised,
    sharpe_per_trade,
)


def annualised(daily, per_year=252.0, trades_on=None, seed=1, resamples=500):
    daily = np.asarray(daily, dtype=np.float64)
    resampling = resample_sessions(daily, seed=seed, resamples=resamples)
    session = np.arange(daily.size) if trades_on is None else np.asarray(trades_on, dtype=np.int64)
    return sharpe_annualised(daily, session, resampling, sessions_per_year=per_year)


# Flaws C7.
@pytest.mark.parametrize(
    ("rate", "win", "loss", "a_day", "sharpe"),
    [(0.837, 15.0, 8.0, 5.0, 47), (0.817, 11.4, 10.0, 4.0, 29), (0.923, 21.7, 7.0, 2.0, 57)],
)
def test_the_claimed_trades_would_have_sharpe_47_29_and_57(rate, win, loss, a_day, sharpe):
    assert round(implied_sharpe(rate, win, loss, a_day, 252.0)) == sharpe


def test_the_claimed_sharpe_of_2_5_to_4_needs_only_53_to_56_per_cent():
    low = implied_win_rate(2.5, 1.0, 1.0, 5.0, 252.0)
    high = implied_win_rate(4.0, 1.0, 1.0, 5.0, 252.0)
    assert 0.53 <= low <= high <= 0.56
    assert low == pytest.approx(0.535, abs=5e-4)
    assert high == pytest.approx(0.556, abs=5e-4)


@given(
    rate=st.floats(0.05, 0.95),
    win=st.floats(0.5, 50.0),
    loss=st.floats(0.5, 50.0),
    a_day=st.floats(0.1, 20.0),
)
def test_win_rate_payoff_frequency_and_sharpe_imply_each_other(rate, win, loss, a_day):
    sharpe = implied_sharpe(rate, win, loss, a_day, 252.0)
    assert implied_win_rate(sharpe, win, loss, a_day, 252.0) == pytest.approx(rate, abs=1e-6)
    if abs(sharpe) > 1e-6:
        assert implied_frequency(sharpe, rate, win, loss, 252.0) == pytest.approx(a_day)
    assert implied_payoff(sharpe, rate, a_day, 252.0) == pytest.approx(win / loss, rel=1e-6)


def test_impossible_combinations_imply_nothing():
    assert implied_sharpe(1.0, 1.0, 1.0, 1.0, 252.0) is None
    assert implied_frequency(2.0, 0.2, 1.0, 1.0, 252.0) is None
    assert implied_payoff(50.0, 0.5, 1.0, 252.0) is None
    assert implied_payoff(2.0, 1.0, 1.0, 252.0) is None


def test_annualised_sharpe_is_mean_over_deviation_times_the_root_of_sessions():
    daily = [3.0, -1.0, 2.0, 0.0, 4.0, -2.0]
    expected = np.mean(daily) / np.std(daily, ddof=1) * math.sqrt(365)
    assert annualised(daily, 365.0).value == pytest.approx(expected, rel=1e-12)


def test_sessions_without_trades_count_as_zero():
    busy, padded = [2.0, -1.0, 3.0, 1.0, 2.0], [2.0, -1.0, 3.0, 1.0, 2.0, 0.0, 0.0, 0.0]
    assert annualised(padded, trades_on=range(5)).value < annualised(busy).value


def test_profit_without_variation_has_no_sharpe():
    estimate = annualised([0.1] * 30)
    assert estimate.value is None
    assert estimate.reason == "every session had the same result"


def test_one_session_and_no_trades_have_no_sharpe():
    assert annualised([1.0]).reason == "fewer than two sessions"
    assert annualised([0.0] * 20, trades_on=[]).reason == "no trades"


def test_trades_on_few_sessions_have_a_sharpe_without_interval():
    estimate = annualised([5.0, 3.0] + [0.0] * 58, trades_on=[0, 1])
    assert estimate.value is not None
    assert estimate.lower is None
    assert "an interval needs 8" in estimate.reason


def test_the_interval_covers_the_true_sharpe():
    generator = np.random.default_rng(42)
    truth = 0.1 * math.sqrt(252)
    runs = 100
    covered = 0
    for _ in range(runs):
        daily = generator.normal(0.1, 1.0, 120)
        estimate = annualised(daily, resamples=300, seed=int(generator.integers(1 << 30)))
        covered += estimate.lower <= truth <= estimate.upper
    assert 0.88 <= covered / runs <= 0.99


def test_scaling_the_account_changes_no_sharpe():
    daily = np.random.default_rng(3).normal(0.2, 1.0, 40)
    small, large = annualised(daily), annualised(1e6 * daily)
    assert large.value == pytest.approx(small.value, rel=1e-9)
    assert large.lower == pytest.approx(small.lower, rel=1e-9)


def test_sharpe_per_trade_is_mean_over_deviation():
    values = np.random.default_rng(5).normal(1.0, 4.0, 60)
    session = np.repeat(np.arange(20), 3)
    resampling = resample_sessions(np.bincount(session, weights=values), seed=1, resamples=400)
    estimate = sharpe_per_trade(values, session, resampling)
    assert estimate.value == pytest.approx(values.mean() / values.std(ddof=1))
    assert estimate.lower < estimate.value < estimate.upper


def test_one_trade_has_no_sharpe_per_trade():
    resampling = resample_sessions(np.zeros(3), seed=1, resamples=10)
    estimate = sharpe_per_trade(np.array([1.0]), np.array([0]), resampling)
    assert estimate.reason == "fewer than two trades"
