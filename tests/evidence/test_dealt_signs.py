"""Signs dealt out within kinds of days: exact against scipy, least squares against statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import binom, permutation_test

from hedgeflow.evidence.dealt_signs import dealt_p_value, sign_slope, tell_apart

LEVEL = 0.05


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_every_dealing_of_one_kind_gives_what_scipy_gives():
    rng = np.random.default_rng(1)
    moves = rng.normal(0.4, 1.0, 11)
    signs = np.where(np.arange(11) < 4, 1.0, -1.0)
    found, smallest = dealt_p_value(signs[:, None], moves[:, None], np.zeros(11, int), seed=1)
    expected = permutation_test(
        (moves[:4], moves[4:]),
        lambda x, y: x.mean() - y.mean(),
        alternative="greater",
        n_resamples=np.inf,
    )
    assert found.value == pytest.approx(expected.pvalue)
    assert smallest == pytest.approx(1.0 / math.comb(11, 4))


def test_random_dealings_agree_with_every_one(monkeypatch):
    rng = np.random.default_rng(2)
    moves, kinds = rng.normal(0.0, 1.0, (14, 1)), np.arange(14) % 2
    signs = rng.choice([-1.0, 1.0], (14, 1))
    moves += 0.5 * signs
    exact, _ = dealt_p_value(signs, moves, kinds, seed=1)
    assert exact.method.endswith("every dealing")
    monkeypatch.setattr("hedgeflow.evidence.dealt_signs.EVERY_LABELLING", 0)
    drawn, smallest = dealt_p_value(signs, moves, kinds, seed=1)
    assert drawn.value == pytest.approx(exact.value, abs=4.0 * math.sqrt(exact.value / 9_999))
    assert smallest == pytest.approx(1e-4)


def test_what_moves_a_kind_alike_changes_nothing():
    rng = np.random.default_rng(3)
    moves, signs = rng.normal(0.0, 1.0, (20, 1)), rng.choice([-1.0, 1.0], (20, 1))
    kinds = np.arange(20) % 3
    shifted = moves + np.array([5.0, -3.0, 0.0])[kinds][:, None]
    assert dealt_p_value(signs, shifted, kinds, seed=1)[0].value == pytest.approx(
        dealt_p_value(signs, moves, kinds, seed=1)[0].value
    )
    assert sign_slope(signs, shifted, kinds).estimate.upper == pytest.approx(
        sign_slope(signs, moves, kinds).estimate.upper
    )


def test_underlyings_of_a_day_are_dealt_out_together():
    rng = np.random.default_rng(4)
    moves, signs = rng.normal(0.2, 1.0, (9, 1)), rng.choice([-1.0, 1.0], (9, 1))
    kinds = np.zeros(9, dtype=np.int64)
    alone = dealt_p_value(signs, moves, kinds, seed=1)
    copies = [np.hstack([each] * 3) / math.sqrt(3.0) for each in (signs, moves)]
    assert dealt_p_value(*copies, kinds, seed=1) == alone
    single, many = sign_slope(signs, moves, kinds), sign_slope(*copies, kinds)
    assert many.estimate.lower == pytest.approx(single.estimate.lower)


@pytest.mark.parametrize("kinds", [1, 2])
def test_the_slope_is_that_of_least_squares_with_a_level_for_each_kind(kinds):
    rng = np.random.default_rng(5)
    half = np.where(np.arange(12) % 3 == 0, 1.0, -1.0)
    signs = np.concatenate([half] * kinds)
    kind = np.repeat(np.arange(kinds), 12)
    moves = 0.3 * signs + 2.0 * kind + rng.normal(0.0, 1.0, signs.size)
    found = sign_slope(signs[:, None], moves[:, None], kind)
    design = np.column_stack([signs, *(kind == each for each in range(kinds))]).astype(float)
    fitted = sm.OLS(moves, design).fit()
    assert found.estimate.value == pytest.approx(fitted.params[0])
    if kinds == 1:
        lower, upper = fitted.conf_int()[0]
        assert (found.estimate.lower, found.estimate.upper) == pytest.approx((lower, upper))
    assert found.worth == pytest.approx(kinds * 12.0 * (1.0 - (1.0 / 3.0) ** 2))


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, trials, held = np.random.default_rng(6), 400, 0
    kind = np.repeat([0, 1], [20, 12])
    signs = np.concatenate([np.where(np.arange(20) < 16, 1.0, -1.0), [1.0, 1.0, 1.0] + [-1.0] * 9])
    for _ in range(trials):
        moves = 0.4 * signs + kind + rng.normal(0.0, 1.0, 32)
        found = sign_slope(signs[:, None], moves[:, None], kind).estimate
        held += found.lower <= 0.4 <= found.upper
    assert binom.ppf(0.001, trials, 0.95) <= held <= binom.ppf(0.999, trials, 0.95)


def test_a_kind_with_one_sign_tells_nothing():
    signs, kinds = column(1.0, -1.0, 1.0, 1.0, -1.0), np.array([0, 0, 1, 1, 2])
    assert tell_apart(signs, kinds).tolist() == [True, True, False, False, False]
