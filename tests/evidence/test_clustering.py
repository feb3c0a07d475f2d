"""The effective number of trades when those of one session move together."""

from __future__ import annotations

import numpy as np
import pytest

from hedgeflow.evidence.clustering import clustering


# Kish (1965), 8.2: 1 + (m - 1) rho.
def test_trades_that_repeat_each_other_count_once():
    values = np.repeat(np.random.default_rng(1).normal(size=30), 5)
    correlation, effect, effective = clustering(values, np.repeat(np.arange(30), 5))
    assert correlation.value == pytest.approx(1.0)
    assert effect.value == pytest.approx(5.0)
    assert effective.value == pytest.approx(30.0)


def test_independent_trades_count_fully():
    values = np.random.default_rng(2).normal(size=3_000)
    correlation, effect, effective = clustering(values, np.repeat(np.arange(600), 5))
    assert abs(correlation.value) < 0.03
    assert effect.value == pytest.approx(1.0, abs=0.12)
    assert effective.value > 2_600


# Donner (1986): the analysis-of-variance estimate for unequal groups, worked by hand here.
def test_the_intraday_correlation_of_unequal_days():
    values, session = np.array([1.0, 3.0, 6.0, 8.0, 10.0]), np.array([0, 0, 1, 1, 1])
    between = 2 * (2 - 5.6) ** 2 + 3 * (8 - 5.6) ** 2
    within = (1 + 1 + 4 + 4) / 3
    size = 5 - (4 + 9) / 5
    expected = (between - within) / (between + (size - 1) * within)
    assert clustering(values, session)[0].value == pytest.approx(expected)


def test_one_trade_a_session_has_no_clustering_to_correct():
    correlation, effect, effective = clustering(np.arange(9.0), np.arange(9))
    assert correlation.value is None
    assert (effect.value, effective.value) == (1.0, 9.0)


def test_trades_on_one_session_say_nothing_about_clustering():
    for estimate in clustering(np.arange(5.0), np.zeros(5, dtype=np.int64)):
        assert estimate.value is None
        assert estimate.reason == "trades on one session only"
