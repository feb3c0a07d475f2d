"""The last move beside dealers' gamma: found where it was planted, level kept where it was not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from evidence import expiry_samples, samples
from hedgeflow.evidence.gamma_drift import gamma_drift


def drift(expiries, prices, seed=7):
    return gamma_drift(
        samples.tables([True] * 5, expiries=expiries, expiry_prices=prices), seed=seed
    )


def one_price(price: float, days: int, move: float = 0.5) -> pl.DataFrame:
    return expiry_samples.expiry_prices([(price,) * 4] * days, move)


def test_a_move_to_the_strike_counts_for_long_gamma_and_against_short():
    closes = [200.4] * 6
    expiries = expiry_samples.expiries(
        closes, [True] * 6, heaviest=[200.0] * 6, gamma=[1.0, 1.0, 1.0, 1.0, 1.0, -1.0]
    )
    found = drift(expiries, one_price(201.0, 6))
    at_hour = next(each for each in found.marks if each.mark_minutes == 60)
    bps = 1e4 * 0.6 / 201.0
    assert at_hour.long_bps.value == pytest.approx(bps)
    assert at_hour.short_bps.value == pytest.approx(bps)
    assert found.signed_bps.value == pytest.approx(bps * 4.0 / 6.0)
    assert found.signed_sigmas.value == pytest.approx(0.6 / (0.5 * 60**0.5) * 4.0 / 6.0)


def test_the_strike_above_is_approached_by_rising():
    expiries = expiry_samples.expiries(
        [199.0] * 6, [True] * 6, heaviest=[200.0] * 6, gamma=[1.0] * 5 + [-1.0]
    )
    at_hour = next(each for each in drift(expiries, one_price(198.0, 6)).marks)
    assert at_hour.long_bps.value > 0.0


def collinear(days: int, seed: int, *, drift_sigmas: float, agreeing: float = 0.82):
    """Dealers' gamma that predicts a rise on most days, and prices that rise whatever they hold."""
    rng = np.random.default_rng(seed)
    side = rng.choice([-1.0, 1.0], days)
    gamma = np.where(rng.random(days) < agreeing, side, -side)
    move = 0.2 * 60**0.5
    closes = 200.0 + move * (drift_sigmas + rng.standard_normal(days))
    expiries = expiry_samples.expiries(
        closes, [True] * days, heaviest=200.0 + 1.0 * side, gamma=gamma, basis="call-long"
    )
    return expiries, one_price(200.0, days, 0.2)


def test_a_market_that_rises_is_no_effect_of_gamma_that_mostly_predicts_a_rise():
    trials, rejected = 100, 0
    for seed in range(trials):
        found = drift(*collinear(60, 300 + seed, drift_sigmas=0.25), seed)
        rejected += found.p_value.value <= 0.05
    assert rejected <= binom.ppf(0.999, trials, 0.05)


def test_how_many_days_predict_a_rise_is_told_and_cautioned_of():
    found = drift(*collinear(60, 2, drift_sigmas=0.25))
    assert 0.7 < found.up_share < 0.95
    assert "predicted a rise on" in found.caution
    assert drift(*collinear(200, 2, drift_sigmas=0.25, agreeing=0.5)).caution == ""


def test_gamma_of_one_sign_on_either_side_of_the_price_cannot_be_told_from_drift():
    found = drift(*collinear(60, 2, drift_sigmas=0.25, agreeing=1.0))
    assert found.p_value.value is None
    assert found.compared_days == 0
    assert found.days == 60
    assert found.p_value.reason == (
        "of 60 expiry days none had the strike on a side of the price where dealers were long gamma"
        " on some days and short on others: gamma cannot be told from drift; the test needs 5"
    )
    assert found.slope_bps.value is None
    assert found.up_share == 1.0


def test_a_side_with_one_sign_only_is_left_out():
    closes = [200.0] * 12
    heaviest, gamma = [201.0] * 6 + [199.0] * 6, [1.0] * 6 + [1.0, -1.0] * 3
    expiries = expiry_samples.expiries(closes, [True] * 12, heaviest=heaviest, gamma=gamma)
    found = drift(expiries, one_price(200.1, 12))
    assert (found.days, found.compared_days) == (12, 6)


def test_the_slope_is_half_of_long_less_short_on_the_same_side():
    closes = [199.0, 199.2, 199.1, 200.9, 201.2, 201.4]
    expiries = expiry_samples.expiries(
        closes, [True] * 6, heaviest=[199.0] * 6, gamma=[1.0, 1.0, 1.0, -1.0, -1.0, -1.0]
    )
    found = drift(expiries, one_price(200.0, 6))
    towards = 1e4 * (200.0 - np.array(closes)) / 200.0
    assert found.slope_bps.value == pytest.approx(0.5 * (towards[:3].mean() - towards[3:].mean()))
    assert found.p_value.value == found.smallest == pytest.approx(1 / 20)


def test_a_planted_drift_is_found():
    found = drift(*expiry_samples.market(500, seed=4, gamma_pull_bps=30.0))
    assert found.p_value.value < 0.01
    assert found.signed_bps.value == pytest.approx(30.0, abs=16.0)
    assert found.slope.lower > 0.0


def test_a_pull_whatever_dealers_hold_is_no_effect_of_gamma():
    found = drift(*expiry_samples.market(750, seed=4, pull_bps=40.0))
    assert found.slope.lower < 0.0 < found.slope.upper
    assert found.p_value.value > 0.05


@pytest.mark.parametrize("days", [6, 10])
def test_without_drift_it_is_rejected_as_seldom_as_promised(days):
    trials, rejected = 120, 0
    for seed in range(trials):
        expiries, prices = expiry_samples.market(days, seed=100 + seed, every=1)
        value = drift(expiries, prices, seed).p_value.value
        rejected += value is not None and value <= 0.05
    assert rejected <= binom.ppf(0.999, trials, 0.05)


def test_the_mark_an_hour_before_is_tested_else_the_next_longer_one():
    expiries, prices = expiry_samples.market(60, seed=2, every=1)
    assert drift(expiries, prices).mark_minutes == 60
    later = prices.filter(pl.col("mark_minutes") != 60)
    assert drift(expiries, later).mark_minutes == 180
    assert drift(expiries, later.filter(pl.col("mark_minutes") < 60)).mark_minutes == 30


def test_a_mark_that_few_days_have_is_not_the_one_tested():
    expiries, prices = expiry_samples.market(60, seed=2, every=1)
    few = prices.filter((pl.col("mark_minutes") != 60) | (pl.col("date") < "2020-01-09"))
    assert drift(expiries, few).mark_minutes == 180


def test_strikes_out_of_reach_are_shown_and_not_tested():
    expiries = expiry_samples.expiries(
        [200.5] * 12, [True] * 12, heaviest=[200.0] * 6 + [220.0] * 6, gamma=[1.0] * 12
    )
    found = drift(expiries, one_price(201.0, 12))
    assert found.days == 6
    assert found.left_out == 6
    assert [each.days for each in found.by_distance] == [6, 0, 0, 6]


def test_on_what_gamma_rests_is_counted():
    expiries = expiry_samples.expiries(
        [200.5] * 8, [True] * 8, heaviest=[200.0] * 8, gamma=[1.0] * 8
    ).with_columns(gamma_basis=pl.Series(["signed"] * 3 + ["call-long"] * 5))
    assert drift(expiries, one_price(201.0, 8)).bases == {"call-long": 5, "signed": 3}


def test_days_without_an_expiry_are_no_part_of_it():
    expiries, prices = expiry_samples.market(60, seed=2)
    found = drift(expiries, prices)
    assert found.days + found.left_out == 12


@pytest.mark.parametrize(
    ("expiries", "prices", "reason"),
    [
        (expiry_samples.expiries([], []), None, "no expiry was observed"),
        (
            expiry_samples.expiries([201.0] * 6, [True] * 6, heaviest=[200.0] * 6),
            None,
            "dealers’ gamma is known on no expiry day",
        ),
        (
            expiry_samples.expiries([201.0] * 6, [True] * 6, heaviest=[200.0] * 6, gamma=[1.0] * 6),
            None,
            "no price before the close is known",
        ),
        (
            expiry_samples.expiries([201.0] * 3, [True] * 3, heaviest=[200.0] * 3, gamma=[1.0] * 3),
            one_price(202.0, 3),
            (
                "3 expiry days with dealers’ gamma and a price 60 min before, its strike within 2"
                " expected moves; the test needs 5"
            ),
        ),
    ],
)
def test_what_cannot_be_tested_says_why(expiries, prices, reason):
    found = drift(expiries, prices)
    assert found.p_value.value is None
    assert found.p_value.reason == reason
