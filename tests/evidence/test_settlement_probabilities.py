"""Probabilities of finishing at a strike: scored as a loop scores them, days taken whole."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence import expiry_samples, samples
from hedgeflow.evidence.settlement_probabilities import probability_measures, strike_probabilities


def scored(frame, **more):
    return strike_probabilities(
        samples.tables([True] * 5, strike_probabilities=frame, **more), seed=5
    )


@pytest.fixture(scope="module")
def frame():
    return expiry_samples.probabilities(60, seed=4)


@pytest.fixture(scope="module")
def found(frame):
    return scored(frame)


def of(found, name):
    return next(each for each in found.models if each.model == name)


def test_brier_scores_and_skills_are_what_a_loop_finds(frame, found):
    for name in ("source", "lognormal", "empirical"):
        rows = [row for row in frame.to_dicts() if row[name] is not None]
        base = sum(row["inside"] for row in rows) / len(rows)
        ours = sum((row[name] - row["inside"]) ** 2 for row in rows)
        one_rate = sum((base - row["inside"]) ** 2 for row in rows)
        theirs = sum((row["lognormal"] - row["inside"]) ** 2 for row in rows)
        model = of(found, name)
        assert model.curve.brier.value == pytest.approx(ours / len(rows))
        assert model.skill_climatology.value == pytest.approx(1.0 - ours / one_rate)
        if name != "lognormal":
            assert model.skill_lognormal.value == pytest.approx(1.0 - ours / theirs)


def test_the_right_model_has_skill_and_the_source_has_none(found):
    assert of(found, "lognormal").skill_climatology.lower > 0.0
    assert of(found, "source").skill_climatology.upper < 0.0
    assert of(found, "source").skill_lognormal.upper < 0.0


def test_models_are_compared_over_what_both_stated(frame, found):
    assert of(found, "empirical").days == 50
    assert of(found, "empirical").skill_lognormal.n == 50
    assert of(found, "lognormal").statements == frame.height


def test_copies_of_a_day_narrow_nothing(frame, found):
    more = pl.concat(
        [frame, *(frame.with_columns(mark_minutes=pl.lit(mark, pl.Int64)) for mark in (30, 15, 10))]
    )
    once, often = of(found, "lognormal"), of(scored(more), "lognormal")
    assert often.statements == 4 * once.statements
    assert often.skill_climatology.lower == pytest.approx(once.skill_climatology.lower)
    assert often.curve.brier.upper == pytest.approx(once.curve.brier.upper)


def test_the_floor_of_the_source_is_a_finding(frame, found):
    far = [row for row in frame.to_dicts() if row["distance_sigmas"] >= 3.0]
    assert found.far.statements == len(far)
    assert found.far.stated == pytest.approx(np.mean([row["source"] for row in far]))
    assert found.far.largest == max(row["source"] for row in far)
    assert found.far.came.upper < found.far.stated


def test_strikes_that_were_never_reached_leave_as_much_doubt_as_there_are_days(frame):
    far = frame.filter(pl.col("distance_sigmas") >= 3.0, ~pl.col("inside"))
    came = scored(far).far.came
    days = far["date"].n_unique()
    assert came.value == 0.0
    assert came.upper == pytest.approx(1.96**2 / (days + 1.96**2), rel=1e-3)


def test_few_days_have_scores_and_no_bounds(frame):
    few = scored(frame.filter(pl.col("date") < expiry_samples.date_of(4)))
    model = of(few, "lognormal")
    assert model.days == 4
    assert model.skill_climatology.value is not None
    assert model.skill_climatology.lower is None
    assert "an interval needs" in model.skill_climatology.reason
    assert of(few, "empirical").curve.reason == "the empirical model stated no probability"


def test_nothing_recorded_is_said_with_its_reason(frame):
    found = scored(frame.head(0), strike_probabilities_missing="no expiry was reached")
    assert of(found, "source").skill_climatology.reason == "no expiry was reached"
    assert scored(None) is None


def test_claims_can_name_the_skills(found):
    measures = probability_measures(found)
    for name in ("source", "lognormal", "empirical"):
        measure = measures[f"brier_{name}_skill", ""]
        assert measure.estimate == of(found, name).skill_climatology
        assert measure.sample_size == of(found, name).days
    over = measures["brier_empirical_over_lognormal_skill", ""].estimate
    assert over == of(found, "empirical").skill_lognormal
    assert probability_measures(None) == {}
