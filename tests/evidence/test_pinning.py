"""Closes beside strikes: pins and repulsions that were planted are found, others are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from evidence import expiry_samples, samples
from hedgeflow.evidence.differences import holm
from hedgeflow.evidence.pinning import between_strikes, pinning, pinning_measures
from hedgeflow.market.errors import EvidenceError


def tables(expiries=None, prices=None, **more):
    return samples.tables([True] * 5, expiries=expiries, expiry_prices=prices, **more)


def pinned(expiries, prices=None):
    return pinning(tables(expiries, prices), seed=7)


@pytest.fixture(scope="module")
def nothing():
    return pinned(*expiry_samples.market(300, seed=21))


def test_distance_is_measured_in_spacings_from_the_nearer_strike():
    closes = (100.0, 101.0, 104.0, 102.5)
    rows = between_strikes(expiry_samples.expiries(closes, [True] * 4), None)
    assert rows["nearest"].to_list() == pytest.approx([0.0, 0.2, 0.2, 0.5])


def test_a_close_counts_for_the_interval_that_it_opens():
    with pytest.raises(EvidenceError, match="outside of its two strikes"):
        tables(
            expiry_samples.expiries([105.0], [True]).with_columns(
                strike_below=pl.lit(100.0), strike_above=pl.lit(105.0)
            )
        )


def test_a_market_without_pinning_shows_none(nothing):
    assert min(each for each in after_holm(nothing) if each is not None) > 0.05


def after_holm(found):
    return [
        found.nearest.p_value_holm,
        found.nearest.share_p_value_holm,
        found.heaviest.p_value_holm,
        found.heaviest.share_p_value_holm,
        found.drift.p_value_holm,
    ]


def test_holm_runs_over_every_test_that_could_be_made(nothing):
    own = [
        nothing.nearest.p_value.value,
        nothing.nearest.share_p_value.value,
        nothing.heaviest.p_value.value,
        nothing.heaviest.share_p_value.value,
        nothing.drift.p_value.value,
    ]
    assert nothing.tests == 5
    assert after_holm(nothing) == pytest.approx(holm(own))


def test_a_planted_pin_is_found_and_named():
    found = pinned(*expiry_samples.market(375, seed=5, pull_bps=100.0))
    away = pinned(*expiry_samples.market(375, seed=5, pull_bps=100.0, away=(2, 2)))
    for test in (found.nearest, away.heaviest):
        assert test.direction == "nearer"
        assert test.p_value_holm < 0.01
        assert test.difference.upper < 0.0
    assert found.nearest.law == "control days"
    assert (found.nearest.expiry_days, found.nearest.control_days) == (75, 300)


def test_a_planted_repulsion_is_found_and_named():
    rng = np.random.default_rng(8)
    base = rng.uniform(180.0, 220.0, 300)
    is_expiry = np.arange(300) % 4 == 0
    from_strike = (base + 2.5) % 5.0 - 2.5
    pushed = base + np.where(is_expiry, np.sign(from_strike) * 0.5 * (2.5 - np.abs(from_strike)), 0)
    found = pinned(expiry_samples.expiries(pushed, is_expiry)).nearest
    assert found.direction == "farther"
    assert found.p_value_holm < 0.01
    assert found.difference.lower > 0.0


def test_without_other_days_closes_are_held_against_an_even_spread_and_the_catch_is_said():
    expiries, prices = expiry_samples.market(60, seed=5, every=1)
    found = pinned(expiries, prices)
    assert found.nearest.law == "uniform"
    assert found.nearest.expected.value == 0.25
    assert "round numbers" in found.nearest.caution
    assert found.heaviest.law == "mirror images"


def test_fridays_held_against_other_weekdays_say_so():
    closes, days = np.linspace(180.0, 220.0, 70), np.arange(70)
    fridays = pinned(expiry_samples.expiries(closes, days % 7 == 4)).nearest
    thirds = pinned(expiry_samples.expiries(closes, days % 3 == 0)).nearest
    assert "weekday" in fridays.caution
    assert thirds.caution == ""


def test_mirror_images_find_a_pull_to_the_heaviest_strike_without_other_days():
    found = pinned(*expiry_samples.market(120, seed=5, every=1, pull_bps=60.0)).heaviest
    assert found.direction == "nearer"
    assert found.p_value.value < 0.01


def test_mirror_images_are_those_about_the_price_of_the_earliest_mark():
    expiries = expiry_samples.expiries([101.0] * 6, [True] * 6, heaviest=[100.0] * 6)
    prices = expiry_samples.expiry_prices([(102.0, 107.0, 108.0, 109.0)] * 6, 0.1)
    found = pinned(expiries, prices).heaviest
    assert found.distance.value == pytest.approx(0.2)
    assert found.expected.value == pytest.approx(0.6)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_expiries_are_untestable_in_words(count):
    expiries = expiry_samples.expiries([101.0 + n for n in range(count)], [True] * count)
    found = pinning(tables(expiries, expiries_missing="no expiry was listed"), seed=1)
    reason = found.nearest.p_value.reason
    assert found.nearest.p_value.value is None
    if count:
        noun = "expiry day" if count == 1 else "expiry days"
        assert reason == f"{count} {noun} with a known close; the test needs 5"
    else:
        assert reason == "no expiry was listed"
    assert found.tests == 0


def test_closes_of_hours_before_the_expiry_do_not_count():
    expiries = expiry_samples.expiries(np.linspace(180, 220, 40), [True] * 40, stale=180.0)
    found = pinned(expiries).nearest
    assert found.expiry_days == 0
    assert found.left_out == 40
    assert "at a known price" in found.p_value.reason


def test_unknown_open_interest_is_the_reason_why_the_heaviest_strike_is_not_tested():
    found = pinned(expiry_samples.expiries(np.linspace(180, 220, 40), [True] * 40))
    assert found.nearest.p_value.value is not None
    assert found.heaviest.p_value.reason == (
        "no open interest was known before the close on any expiry day"
    )


def test_one_day_counts_once_however_many_underlyings_expire_on_it():
    one = expiry_samples.market(200, seed=3)[0]
    copies = pl.concat([one, *(one.with_columns(underlying=pl.lit(name)) for name in "YZ")])
    single, many = pinned(one).nearest, pinned(copies).nearest
    assert many.expiry_days == single.expiry_days == 40
    assert many.p_value == single.p_value
    assert many.difference.upper == pytest.approx(single.difference.upper)


def test_underlyings_are_compared_with_their_own_days():
    rng = np.random.default_rng(6)
    near = expiry_samples.expiries(200.0 + rng.uniform(0.0, 0.5, 100), np.arange(100) % 2 == 0)
    far = expiry_samples.expiries(
        202.0 + rng.uniform(0.0, 0.5, 100), np.arange(100) % 10 == 0, underlying="Y"
    ).with_columns(pl.col("date").str.replace("^20", "30"))
    found = pinned(pl.concat([near, far])).nearest
    assert abs(found.difference.value) < 0.02
    assert found.p_value.value > 0.05


def test_the_picture_counts_every_close_once(nothing):
    assert sum(each.expiry_days for each in nothing.distances) == nothing.nearest.expiry_days
    assert sum(each.control_days for each in nothing.distances) == nothing.nearest.control_days
    assert nothing.distances[-1].upper == 0.5


def test_kinds_of_expiry_stand_beside_each_other():
    expiries = expiry_samples.expiries([200.5] * 6 + [202.0] * 6, [True] * 12).with_columns(
        cycle=pl.Series(["weekly"] * 6 + ["monthly"] * 6)
    )
    found = {each.cycle: each.distance.value for each in pinned(expiries).cycles}
    assert found == pytest.approx({"weekly": 0.1, "monthly": 0.4})


def test_the_published_pull_is_in_spacings_of_this_market():
    found = pinned(expiry_samples.market(200, seed=3)[0]).nearest.published
    pull = 16.5e-4 * 200.0 / expiry_samples.SPACING
    assert found.effect == pytest.approx(pull - pull**2, rel=0.02)


def test_claims_can_name_the_p_values_before_and_after_holm(nothing):
    measures = pinning_measures(nothing)
    assert measures["pinning_p_value", ""].estimate == nothing.nearest.p_value
    assert measures["pinning_heaviest_p_value", ""].estimate == nothing.heaviest.p_value
    assert measures["gamma_drift_p_value", ""].estimate == nothing.drift.p_value
    holm_of = measures["pinning_holm_p_value", ""].estimate
    assert holm_of.value == nothing.nearest.p_value_holm
    assert holm_of.method.endswith("Holm")
    assert measures["pinning_p_value", ""].sample_size == 60


def test_runs_that_say_nothing_of_expiries_have_no_pinning():
    assert pinning(samples.tables([True] * 5), seed=1) is None
    assert pinning_measures(None) == {}


def test_the_order_of_rows_changes_nothing():
    expiries, prices = expiry_samples.market(100, seed=2)
    forward = pinning(tables(expiries, prices), seed=3)
    assert pinning(tables(expiries.reverse(), prices.reverse()), seed=3) == forward


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: pl.concat([rows, rows.head(1)]), "is listed twice"),
        (lambda rows: rows.with_columns(cycle=pl.lit("yearly")), "none of daily, weekly"),
        (
            lambda rows: rows.with_columns(stale_minutes=pl.lit(None, pl.Float64)),
            "a close without its age",
        ),
        (lambda rows: rows.with_columns(dealer_gamma=pl.lit(3.0)), "an unnamed basis"),
    ],
)
def test_days_that_cannot_be_are_refused_by_name(change, message):
    rows = expiry_samples.expiries([101.0, 102.0], [True, True])
    with pytest.raises(EvidenceError, match=f"X on 2020-01-06 .*{message}"):
        replace(samples.tables([True] * 5), expiries=change(rows))
