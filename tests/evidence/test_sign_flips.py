"""Sign flips by session: exact figures by hand, and the level on tapes without any effect."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom, permutation_test

from hedgeflow.evidence.sign_flips import RANDOM_FLIPS, sign_flip_p_value, smallest_p_value


def p_of(values, session, sides="greater", seed=1) -> float:
    found = sign_flip_p_value(
        np.asarray(values, dtype=np.float64), np.asarray(session), seed=seed, sides=sides, none=""
    )
    assert found.value is not None
    return found.value


def test_every_pattern_is_counted_as_a_loop_counts_them():
    rng = np.random.default_rng(2)
    values, session = rng.normal(0.3, 1.0, 40), rng.integers(0, 9, 40)
    sums = [values[session == day].sum() for day in np.unique(session)]
    totals = [
        sum(sign * each for sign, each in zip(signs, sums, strict=True))
        for signs in product((1, -1), repeat=len(sums))
    ]
    above = sum(total >= sum(sums) - 1e-12 for total in totals)
    beyond = sum(abs(total) >= abs(sum(sums)) - 1e-12 for total in totals)
    assert p_of(values, session) == above / len(totals)
    assert p_of(values, session, "two-sided") == beyond / len(totals)


def test_one_observation_a_session_is_scipys_test_of_one_sample():
    values = np.array([1.2, 0.4, -0.3, 2.0, 0.9, 0.1, -0.8, 1.1])
    expected = permutation_test(
        (values,), np.mean, permutation_type="samples", alternative="greater", n_resamples=np.inf
    )
    assert p_of(values, np.arange(8)) == pytest.approx(expected.pvalue)


def test_observations_of_a_session_are_one_unit():
    """Ten copies of each of five sessions are no more evidence than one of each."""
    values = np.array([1.0, 0.8, -0.2, 0.7, 0.9])
    assert p_of(np.repeat(values, 10), np.repeat(np.arange(5), 10)) == p_of(values, np.arange(5))


def test_no_effect_is_below_the_smallest_p_value():
    for sessions in (3, 8, 12):
        ones = np.ones(sessions)
        assert p_of(ones, np.arange(sessions)) == smallest_p_value(sessions, "greater")
        assert p_of(ones, np.arange(sessions), "two-sided") == smallest_p_value(
            sessions, "two-sided"
        )
    assert smallest_p_value(7, "two-sided") > 0.01 > smallest_p_value(8, "two-sided")
    assert p_of(np.ones(40), np.arange(40)) == 1.0 / (1 + RANDOM_FLIPS)


def test_nothing_but_zeros_proves_nothing():
    assert p_of(np.zeros(9), np.arange(9)) == 1.0


def test_many_sessions_are_drawn_by_the_seed():
    values, session = np.random.default_rng(5).normal(0.2, 1.0, 60), np.arange(60) // 2
    assert p_of(values, session, seed=3) == p_of(values, session, seed=3)
    assert p_of(values, session, seed=3) == pytest.approx(p_of(values, session, seed=4), abs=0.02)


def test_the_level_holds_where_days_differ_a_thousandfold_in_volatility():
    """1,500 markets without an effect: rejections at 5 and 1 % lie within binomial bounds."""
    rng = np.random.default_rng(8)
    session = np.repeat(np.arange(11), 6)
    p_values = []
    for _ in range(1_500):
        scale = np.exp(rng.uniform(-3.5, 3.5, 11))
        common = rng.normal(size=11)
        values = scale[session] * (common[session] + rng.standard_t(3, 66))
        p_values.append(p_of(values, session, "two-sided"))
    for level in (0.05, 0.01):
        rejected = sum(value <= level for value in p_values)
        assert binom.ppf(0.001, 1_500, level) <= rejected <= binom.ppf(0.999, 1_500, level)


def test_without_observations_the_reason_is_given():
    found = sign_flip_p_value(np.empty(0), np.empty(0, int), seed=1, sides="greater", none="no one")
    assert (found.value, found.reason) == (None, "no one")
