"""What became of each prediction: errors and score by hand."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.evidence.predictions import scored

SCHEMA = {
    "predicted": pl.Float64,
    "observed": pl.Float64,
    "predicted_minutes": pl.Float64,
    "observed_minutes": pl.Float64,
}
RIGHT, MAGNITUDE, TIMING, SCORE = "direction_right", "magnitude_error", "timing_error", "score"


def score(*values: float | None) -> dict:
    frame = pl.DataFrame([dict(zip(SCHEMA, values, strict=True))], schema=SCHEMA)
    return scored(frame).row(0, named=True)


def test_a_prediction_that_came_true_scores_one():
    row = score(-800.0, -800.0, 5.0, 5.0)
    assert (row["observed_direction"], row[RIGHT], row[SCORE]) == (-1, True, 1.0)


def test_the_score_multiplies_what_is_left_of_each_error():
    row = score(1_000.0, 1_250.0, 5.0, 4.0)
    assert (row[MAGNITUDE], row[TIMING]) == (0.25, pytest.approx(0.2))
    assert row[SCORE] == pytest.approx(0.75 * 0.8)


def test_a_hedge_the_other_way_scores_nothing():
    row = score(1_000.0, -1_000.0, 5.0, 5.0)
    assert (row["observed_direction"], row[RIGHT], row[MAGNITUDE], row[SCORE]) == (
        -1,
        False,
        1.0,
        0,
    )


def test_no_hedge_observed_is_wrong_though_flow_leant_the_right_way():
    row = score(1_000.0, 900.0, 5.0, None)
    assert (row["observed_direction"], row[RIGHT], row[TIMING], row[SCORE]) == (0, False, 1.0, 0.0)
    assert row[MAGNITUDE] == pytest.approx(0.1)


def test_what_could_not_be_told_is_null_and_not_wrong():
    row = score(1_000.0, None, 5.0, None)
    names = ("observed_direction", RIGHT, MAGNITUDE, TIMING, SCORE)
    assert [row[name] for name in names] == [None] * 5


@given(
    st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3),
    st.floats(-1e9, 1e9),
    st.floats(0.5, 30.0),
    st.none() | st.floats(0.01, 15.0),
)
def test_errors_and_scores_lie_between_0_and_1(predicted, observed, minutes, seen):
    row = score(predicted, observed, minutes, seen)
    for name in (MAGNITUDE, TIMING, SCORE):
        assert 0.0 <= row[name] <= 1.0
    assert (row[SCORE] > 0.0) <= bool(row[RIGHT])
