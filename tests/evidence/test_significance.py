"""Tests against chance, effect sizes, power and the effective number of trades."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import samples
from hedgeflow.evidence import NullDraws
from hedgeflow.evidence.nulls import matched_p_value
from hedgeflow.evidence.rates import barrier_implied
from hedgeflow.evidence.significance import (
    power_of_rate,
    significance,
    trades_needed,
)
from hedgeflow.evidence.trades import trade_arrays
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.claims import NullKind


def rate_with_h(effect, null=0.5):
    """The rate whose Cohen's h against `null` is `effect`."""
    return math.sin((effect + 2 * math.asin(math.sqrt(null))) / 2) ** 2


BOTH = (NullKind.MATCHED_ENTRIES, NullKind.DIRECTIONS)


def found(tables, kinds=BOTH):
    trades = trade_arrays(tables)
    barrier = barrier_implied(trades.stop, trades.target)
    return significance(tables, trades, barrier, kinds, claimed_rate=0.8, alpha=0.01)


# Davison and Hinkley (1997), 4.2: (1 + reached) / (1 + draws).
def test_the_p_value_counts_the_observed_result_among_the_draws():
    draws = np.arange(99, dtype=np.float64)
    assert matched_p_value(95.0, draws) == (0.05, 4)
    assert matched_p_value(1e9, draws) == (0.01, 0)
    assert matched_p_value(-1.0, draws) == (1.0, 99)


def test_ties_count_against_the_strategy():
    assert matched_p_value(0.1 + 0.2, np.array([0.3, 0.0, 0.0]))[1] == 1


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=50), st.floats(-100, 100))
def test_the_p_value_is_never_zero_and_never_above_one(draws, observed):
    p_value, _ = matched_p_value(observed, np.array(draws))
    assert 1.0 / (1 + len(draws)) <= p_value <= 1.0


def test_under_the_null_the_p_value_is_uniform():
    generator = np.random.default_rng(0)
    values = [
        matched_p_value(float(generator.normal()), generator.normal(size=99))[0]
        for _ in range(2_000)
    ]
    assert np.mean(np.array(values) <= 0.05) == pytest.approx(0.05, abs=0.015)


# Cohen (1988), exercises 6.5 and 6.8, two-sided 5 % and so one-sided 2.5 %.
def test_power_and_sample_size_are_cohens():
    assert power_of_rate(60, rate_with_h(0.5), 0.5, 0.025) == pytest.approx(0.9721272, abs=1e-6)
    assert trades_needed(rate_with_h(0.2), 0.5, power=0.95, alpha=0.025) == 325


def test_the_trades_needed_have_the_power_and_one_fewer_has_not():
    needed = trades_needed(0.8, 0.55, alpha=0.01)
    assert power_of_rate(needed, 0.8, 0.55, 0.01) >= 0.8
    assert power_of_rate(needed - 1, 0.8, 0.55, 0.01) < 0.8


def test_a_rate_below_its_null_can_never_be_shown():
    assert trades_needed(0.5, 0.75, alpha=0.01) is None


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_trade_give_reasons_instead_of_figures(count):
    tests = found(samples.tables([True] * count))
    assert tests.effect_size_d.value is None
    assert tests.effect_size_d.reason == "fewer than two trades"
    assert (tests.p_value.value is None) == (count == 0)


def test_without_null_draws_significance_says_why():
    tests = found(samples.tables([True] * 60, nulls={}, nulls_missing="bars are too coarse"))
    assert tests.p_value.value is None
    assert tests.p_value.reason == "bars are too coarse"


def draws_reached_by(tables, share):
    """Return directions' draws of which a share earn more than the trades did."""
    mean, rate = tables.trades["net_bps"].mean(), (tables.trades["net_usd"] > 0).mean()
    better = np.arange(200) < round(200 * share)
    return NullDraws(
        "directions dealt out again",
        "",
        np.where(better, mean + 1.0, mean - 1.0),
        np.where(better, 1.0, 0.0),
        mean,
        rate,
    )


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_p_value_is_the_larger_of_both_nulls(share):
    tables = samples.tables(samples.mixed(40, 20))
    drawn = samples.nulls(tables.trades, DIRECTIONS=draws_reached_by(tables, share))
    tests = found(replace(tables, nulls=drawn))
    both = tuple(null.p_value for null in tests.nulls)
    assert both[1] == pytest.approx((1 + 200 * share) / 201)
    assert tests.p_value.value == max(both)
    assert tests.p_value.lower <= tests.p_value.value <= tests.p_value.upper
    assert tests.p_value.n == 200
    assert tests.p_value_win_rate.value >= tests.nulls[1].p_value_win_rate


def test_a_strategy_that_declares_one_null_is_judged_by_that_one():
    tests = found(samples.tables(samples.mixed(40, 20)), kinds=(NullKind.DIRECTIONS,))
    assert [null.kind for null in tests.nulls] == ["directions"]
    assert tests.p_value.value == tests.nulls[0].p_value


def test_a_declared_null_that_was_not_drawn_leaves_no_p_value():
    tables = samples.tables(samples.mixed(40, 20), nulls_missing="no directions were drawn")
    only = {NullKind.MATCHED_ENTRIES: tables.nulls[NullKind.MATCHED_ENTRIES]}
    tests = found(replace(tables, nulls=only))
    assert tests.nulls[0].p_value is not None
    assert tests.p_value.value is None
    assert tests.p_value.reason == "no directions were drawn"


def test_a_strategy_without_a_null_has_no_p_value():
    tests = found(samples.tables(samples.mixed(40, 20)), kinds=())
    assert tests.p_value.reason == "the strategy declares no null"


def test_d_against_the_null_is_the_lift_over_its_mean():
    tables = samples.tables(samples.mixed(40, 20))
    tests = found(tables)
    values = tables.trades["net_bps"].to_numpy()
    lift = values.mean() - tables.nulls[NullKind.MATCHED_ENTRIES].mean_net_bps.mean()
    assert tests.effect_size_d_null.value == pytest.approx(lift / values.std(ddof=1))
    assert tests.effect_size_d.value == pytest.approx(values.mean() / values.std(ddof=1))


def test_the_histogram_holds_every_draw():
    tests = found(samples.tables([True] * 10))
    bins = tests.nulls[0].histogram_mean_net_bps
    assert sum(each.count for each in bins) == tests.nulls[0].draws == 1_000


def test_null_draws_that_are_not_numbers_are_refused():
    draws = np.array([0.0, np.nan])
    with pytest.raises(EvidenceError, match="not finite"):
        NullDraws("null", "", draws, draws, 0.0, 0.0)
    with pytest.raises(EvidenceError, match="shapes"):
        NullDraws("null", "", np.zeros(3), np.zeros(2), 0.0, 0.0)
