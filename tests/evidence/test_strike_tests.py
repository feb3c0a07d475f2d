"""The strike with the most open interest, held against mirror images and other days' ones."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from evidence import expiry_samples
from hedgeflow.evidence.pinning import between_strikes
from hedgeflow.evidence.strike_tests import heaviest_test


def heaviest(expiries, prices, seed=7):
    count = expiries.filter("is_expiry").height
    return heaviest_test(
        between_strikes(expiries, prices), expiries=count, none="no close", seed=seed
    )


@pytest.mark.parametrize("days", [5, 20])
def test_open_interest_that_builds_towards_the_money_is_no_pinning(days):
    trials, rejected = 60, np.zeros(2)
    for seed in range(trials):
        market = expiry_samples.market(5 * days, seed=500 + seed, away=(1, 3))
        found = heaviest(*market, seed)
        rejected += [found.p_value.value <= 0.05, found.share_p_value.value <= 0.05]
    assert (rejected <= binom.ppf(0.999, trials, 0.05)).all()


def test_it_is_the_mirror_images_of_both_kinds_of_days_that_are_compared():
    rows = between_strikes(*expiry_samples.market(100, seed=3, away=(2, 2)))
    found = heaviest(*expiry_samples.market(100, seed=3, away=(2, 2)))
    image = (2.0 * rows["mark_price"] - rows["close"] - rows["heaviest_strike"]).abs() / 5.0
    gain = (rows["heaviest"] - image).to_numpy()
    expires = rows["is_expiry"].to_numpy()
    assert found.law == "mirror images beside control days"
    assert found.control_difference.value == pytest.approx(gain[~expires].mean())
    assert found.difference.value == pytest.approx(gain[expires].mean() - gain[~expires].mean())
    assert found.difference.value == pytest.approx(
        found.distance.value - found.expected.value - found.control_difference.value
    )
    assert (found.expiry_days, found.control_days) == (20, 80)


def test_a_planted_pull_is_found_where_the_strike_stood_away_from_the_price():
    found = heaviest(*expiry_samples.market(375, seed=5, pull_bps=100.0, away=(2, 2)))
    assert found.direction == "nearer"
    assert found.p_value.value < 0.01
    assert found.difference.upper < 0.0


def test_other_days_that_move_towards_the_strike_as_well_leave_nothing():
    drawn = expiry_samples.market(120, seed=5, every=1, pull_bps=60.0, away=(2, 2))
    alone = heaviest(*drawn)
    assert alone.law == "mirror images"
    assert alone.p_value.value < 0.01
    half = drawn[0].with_columns(is_expiry=pl.int_range(pl.len()) % 2 == 0)
    beside = heaviest(half, drawn[1])
    assert beside.p_value.value > 0.05


def test_a_strike_between_the_close_and_its_mirror_image_shows_no_pull():
    closes = [200.5, 199.5] * 3
    at_the_money = expiry_samples.expiries(closes, [True] * 6, heaviest=[200.0] * 6)
    found = heaviest(at_the_money, expiry_samples.expiry_prices([(200.0,) * 4] * 6, 0.2))
    assert found.difference.value == 0.0
    assert found.published.effect == 0.0
    assert found.published.days_needed is None


def test_days_without_a_price_before_the_last_move_are_left_out_with_words():
    expiries, _ = expiry_samples.market(60, seed=2)
    found = heaviest(expiries, None)
    assert found.p_value.value is None
    assert found.p_value.reason == (
        "the price before the last move is known on too few expiry days"
    )
    assert found.left_out == 12


def test_strikes_on_other_sides_of_the_price_let_drift_in_and_say_so():
    expiries, prices = expiry_samples.market(100, seed=3)
    above = pl.when("is_expiry").then(pl.lit(240.0)).otherwise(pl.lit(160.0))
    apart = heaviest(expiries.with_columns(heaviest_strike=above), prices)
    assert apart.caution == (
        "the strike stood above the price on 100.0 % of the expiry days and on 0.0 % of the"
        " others, so a drift of prices does not cancel between them"
    )
    alike = heaviest(expiries.with_columns(heaviest_strike=pl.lit(240.0)), prices)
    assert alike.caution == ""
