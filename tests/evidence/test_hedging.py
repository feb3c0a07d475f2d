"""Prediction against observed flow: R², response times and accuracy, with planted answers."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom, binomtest

from evidence import samples
from hedgeflow.evidence.accuracy import detection_accuracy
from hedgeflow.evidence.hedging import flow_correlation, response_correlation
from hedgeflow.evidence.rates import wilson_bounds
from hedgeflow.evidence.resampling import resample_sessions
from hedgeflow.evidence.tables import (
    ALERT_COLUMNS,
    FLOW_COLUMNS,
    SHOCK_ALERT_COLUMNS,
    TRUTH_COLUMNS,
)

DAYS = samples.sessions(40)
RESAMPLING = resample_sessions(np.random.default_rng(0).normal(size=40), seed=1, resamples=400)
FEW = resample_sessions(np.random.default_rng(0).normal(size=40), seed=1, resamples=20)


def with_flow(flow, **changes):
    return samples.tables([], days=40, flow=flow, **changes)


def rows(predicted, observed, *, minutes=None, expected=5.0):
    count = len(predicted)
    return pl.DataFrame(
        {
            "session": [DAYS[number * 40 // count] for number in range(count)],
            "flow_class": ["INSTITUTIONAL_SWEEP"] * count,
            "predicted": [float(value) for value in predicted],
            "observed": [float(value) for value in observed],
            "predicted_minutes": [expected] * count,
            "observed_minutes": minutes if minutes is not None else [expected] * count,
        },
        schema=FLOW_COLUMNS,
    )


def test_without_a_signed_tape_every_figure_has_the_reason():
    tables = samples.tables([True] * 5, flow_untestable_reason="only bars are recorded")
    flow = flow_correlation(tables, RESAMPLING)
    assert flow.events == 0
    for estimate in (flow.r, flow.r_squared, flow.slope, flow.p_value, flow.sign_agreement):
        assert estimate.value is None
        assert estimate.reason == "only bars are recorded"


def test_a_planted_slope_and_r_squared_are_found():
    flow = flow_correlation(with_flow(samples.flow_table(DAYS, noise=0.8)), RESAMPLING)
    assert flow.slope.lower < 0.8 < flow.slope.upper
    assert flow.r_squared.lower < 0.5 < flow.r_squared.upper
    assert flow.r_squared_out_of_sample.value == pytest.approx(0.5, abs=0.15)
    assert flow.p_value.value < 1e-6


def test_r_squared_is_the_regressions():
    table = samples.flow_table(DAYS, noise=0.5)
    flow = flow_correlation(with_flow(table), RESAMPLING)
    expected = np.corrcoef(table["predicted"], table["observed"])[0, 1]
    assert flow.r.value == pytest.approx(expected, rel=1e-9)
    assert flow.r_squared.value == pytest.approx(expected**2, rel=1e-9)


def test_flow_the_wrong_way_has_a_negative_r_squared():
    table = samples.flow_table(DAYS, noise=0.1).with_columns(-pl.col("observed"))
    flow = flow_correlation(with_flow(table), RESAMPLING)
    assert flow.r_squared.value < -0.9
    assert flow.r_squared.upper < 0
    assert flow.sign_agreement.value < 0.1


def test_unrelated_flow_has_no_out_of_sample_r_squared():
    generator = np.random.default_rng(3)
    table = rows(generator.normal(size=120), generator.normal(size=120))
    flow = flow_correlation(with_flow(table), RESAMPLING)
    assert flow.r_squared_out_of_sample.value < 0.02
    assert flow.r_squared.lower < 0.05


def test_constant_flow_has_no_correlation():
    flow = flow_correlation(with_flow(rows([5.0] * 9, range(9))), RESAMPLING)
    assert flow.r.value is None
    assert "does not vary" in flow.r.reason


def test_units_of_flow_do_not_matter():
    table = samples.flow_table(DAYS, noise=0.5)
    scaled = table.with_columns(pl.col("predicted") * 1e8, pl.col("observed") * 1e-6)
    plain, large = (flow_correlation(with_flow(each), RESAMPLING) for each in (table, scaled))
    assert large.r_squared.lower == pytest.approx(plain.r_squared.lower, rel=1e-6)


def test_larger_exposures_answered_faster_correlate_negatively():
    size = np.linspace(100.0, 5_000.0, 80)
    minutes = [float(value) for value in 3_000.0 / size]
    found = response_correlation(with_flow(rows(size, size, minutes=minutes)), RESAMPLING)
    assert found.spearman.value == pytest.approx(-1.0)
    assert found.pearson_of_logs.value == pytest.approx(-1.0)
    assert found.events == 80


def test_events_without_an_observed_hedge_have_no_response_time():
    minutes = [None] * 40 + [float(value) for value in range(1, 41)]
    table = rows(range(1, 81), range(1, 81), minutes=minutes)
    found = response_correlation(with_flow(table), RESAMPLING)
    assert found.events == 40
    assert found.spearman.value == pytest.approx(1.0)


def test_a_perfect_prediction_scores_one_and_no_hedge_scores_zero():
    perfect = detection_accuracy(with_flow(rows([1000.0] * 40, [1000.0] * 40)), RESAMPLING)
    assert perfect.score.value == 1.0
    assert perfect.direction.value == 1.0
    none = rows([1000.0] * 40, [1000.0] * 40, minutes=[None] * 40)
    unseen = detection_accuracy(with_flow(none), RESAMPLING)
    assert unseen.score.value == 0.0
    assert unseen.direction.value == 0.0


def test_the_score_multiplies_direction_magnitude_and_timing():
    table = rows([1000.0] * 40, [750.0] * 40, minutes=[6.0] * 40, expected=5.0)
    found = detection_accuracy(with_flow(table), RESAMPLING)
    assert found.magnitude_error.value == pytest.approx(0.25)
    assert found.timing_error.value == pytest.approx(0.2)
    assert found.score.value == pytest.approx(0.75 * 0.8)


def test_without_a_truth_classes_have_their_stability():
    alerts = pl.DataFrame(
        {
            "alert_id": ["A", "B", "C", "D"],
            "event_id": [1, 2, 3, 4],
            "flow_class": ["S", "S", "G", "G"],
            "flow_class_at_close": ["S", "G", "G", None],
            "demand": [1.0] * 4,
            "response_minutes": [1.0] * 4,
            "confidence": [0.5] * 4,
        }
    )
    found = detection_accuracy(samples.tables([], days=40, alerts=alerts), RESAMPLING)
    assert (found.class_at_close.value, found.class_at_close.n) == (pytest.approx(2 / 3), 3)
    bare = detection_accuracy(samples.tables([], days=40), RESAMPLING)
    assert "do not hold" in bare.class_at_close.reason


def test_errors_are_capped_at_one():
    table = rows([10.0] * 40, [-5_000.0] * 40, minutes=[500.0] * 40)
    found = detection_accuracy(with_flow(table), RESAMPLING)
    assert (found.magnitude_error.value, found.timing_error.value) == (1.0, 1.0)


def test_class_accuracy_needs_the_truth():
    alerts = pl.DataFrame(
        {
            "alert_id": ["A", "B", "C", "D"],
            "event_id": [1, 2, 3, 4],
            "flow_class": ["S", "S", "G", "G"],
            "demand": [1.0] * 4,
            "response_minutes": [1.0] * 4,
            "confidence": [0.5] * 4,
        },
        schema=ALERT_COLUMNS | SHOCK_ALERT_COLUMNS,
    )
    truth = pl.DataFrame(
        {"alert_id": ["A", "B", "C", "D"], "true_class": ["S", "G", "G", "G"]},
        schema=TRUTH_COLUMNS,
    )
    known = samples.tables([], days=40, alerts=alerts, truth=truth)
    assert detection_accuracy(known, RESAMPLING).flow_class.value == 0.75
    unknown = samples.tables([], days=40, alerts=alerts)
    assert "only in simulation" in detection_accuracy(unknown, RESAMPLING).flow_class.reason


def test_the_rank_correlation_is_scipys_with_ties():
    from scipy.stats import spearmanr

    size = np.round(np.random.default_rng(4).normal(5.0, 1.0, 80), 1)
    minutes = np.round(10.0 - size + np.random.default_rng(5).uniform(0.0, 3.0, 80), 1)
    table = rows(size, size, minutes=[float(value) for value in minutes])
    found = response_correlation(with_flow(table), RESAMPLING)
    assert found.spearman.value == pytest.approx(spearmanr(size, minutes).statistic, rel=1e-12)
    assert found.spearman.lower < found.spearman.value < found.spearman.upper


def test_no_hedge_observed_is_a_share_with_an_interval_and_counts_against():
    minutes = [5.0] * 30 + [None] * 10
    table = rows([1000.0] * 20 + [-1000.0] * 20, [900.0] * 20 + [-900.0] * 20, minutes=minutes)
    found = flow_correlation(with_flow(table), RESAMPLING)
    assert found.hedges_observed.value == 0.75
    assert (found.hedges_observed.lower, found.hedges_observed.upper) == pytest.approx(
        wilson_bounds(30, 40)
    )
    accuracy = detection_accuracy(with_flow(table), RESAMPLING)
    assert accuracy.direction.value == 0.75
    assert accuracy.score.value == pytest.approx(0.75 * 0.9)


def test_the_sign_test_is_the_exact_one_against_a_coin():
    table = rows([1.0] * 20 + [2.0] * 20, [1.0] * 30 + [-1.0] * 10)
    found = flow_correlation(with_flow(table), RESAMPLING)
    assert found.sign_agreement.value == 0.75
    assert found.sign_p_value.value == pytest.approx(binomtest(30, 40, 0.5, "greater").pvalue)


def test_a_slope_against_the_prediction_supports_nothing():
    table = samples.flow_table(DAYS, noise=0.5)
    right = flow_correlation(with_flow(table), RESAMPLING)
    wrong = flow_correlation(with_flow(table.with_columns(-pl.col("observed"))), RESAMPLING)
    assert right.correlation_p_value.value < 0.001
    assert wrong.correlation_p_value.value > 0.999
    assert wrong.p_value.value == pytest.approx(right.p_value.value)


def test_the_level_of_the_correlation_holds_where_days_move_together():
    """Flow and demand each share their day's own level: HC3 takes that for a correlation."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(150):
        days = rng.normal(size=(2, 40))[:, np.repeat(np.arange(40), 3)]
        demand, flow = days + 0.5 * rng.normal(size=(2, 120))
        found.append(flow_correlation(with_flow(rows(demand, flow)), FEW))
    for level in (0.05, 0.01):
        clustered = sum(each.correlation_p_value.value <= level for each in found)
        assert clustered <= binom.ppf(0.999, 150, level)
    assert sum(each.p_value.value <= 0.05 for each in found) > binom.ppf(0.999, 150, 0.05)


def test_faster_hedges_of_larger_exposures_have_a_small_p_value_and_slower_ones_a_large():
    size = np.linspace(100.0, 5_000.0, 80)
    for sign, low, high in ((-1, 0.0, 0.001), (1, 0.999, 1.0)):
        minutes = [float(value) for value in 5.0 + sign * size / 1_250.0]
        found = response_correlation(with_flow(rows(size, size, minutes=minutes)), RESAMPLING)
        assert low <= found.rank_p_value.value <= high


def test_out_of_sample_folds_hold_whole_sessions_out_with_an_embargo():
    rng = np.random.default_rng(6)
    table = samples.flow_table(DAYS, noise=0.3)
    found = flow_correlation(with_flow(table), RESAMPLING)
    assert "embargo of one" in found.r_squared_out_of_sample.method
    assert found.r_squared_out_of_sample.value < found.r_squared.value
    shuffled = table.with_columns(observed=pl.Series(rng.permutation(table["observed"])))
    assert flow_correlation(with_flow(shuffled), RESAMPLING).r_squared_out_of_sample.value < 0.05
