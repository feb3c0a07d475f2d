"""News drives both: what is left of the prediction's part in flow when it is held fixed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api

from evidence import samples
from hedgeflow.evidence.flow_controls import CONTROLS, flow_controls
from hedgeflow.evidence.hedging import flow_correlation
from hedgeflow.evidence.resampling import resample_sessions
from hedgeflow.evidence.tables import FLOW_COLUMNS

DAYS = samples.sessions(40)
RESAMPLING = resample_sessions(np.random.default_rng(0).normal(size=40), seed=1, resamples=400)
EVENTS = 200
SESSION = np.repeat(np.arange(40), 5)


def flow(*, hedge: float, news: float, prior: float = 0.0, seed: int = 2) -> pl.DataFrame:
    """Return events in which news moves price and predicted demand, and flow follows either."""
    rng = np.random.default_rng(seed)
    told = rng.normal(size=EVENTS)
    predicted = 1_000.0 * (told + rng.normal(size=EVENTS))
    return pl.DataFrame(
        {
            "session": [DAYS[day] for day in SESSION],
            "flow_class": ["INSTITUTIONAL_SWEEP"] * EVENTS,
            "predicted": predicted,
            "observed": hedge * predicted + 1_000.0 * news * told + rng.normal(0, 500, EVENTS),
            "predicted_minutes": [5.0] * EVENTS,
            "observed_minutes": [5.0] * EVENTS,
            "return_bps": 10.0 * told,
            "volume": rng.uniform(1e3, 2e3, EVENTS),
            "prior_return_bps": rng.normal(0, 5, EVENTS),
            "prior_flow": prior * predicted + rng.normal(0, 300, EVENTS),
        }
    )


def controlled(frame: pl.DataFrame):
    return flow_controls(frame, SESSION, RESAMPLING)


def test_flow_that_follows_the_news_alone_keeps_no_part_for_the_hedge():
    frame = flow(hedge=0.0, news=1.0)
    plain = flow_correlation(samples.tables([], days=40, flow=frame), RESAMPLING)
    assert plain.p_value.value < 1e-6
    found = plain.controls
    assert found.slope.lower < 0.0 < found.slope.upper
    assert found.p_value.value > 0.05
    assert abs(found.partial_r_squared.value) < 0.05


def test_flow_that_follows_the_hedge_keeps_its_slope():
    found = controlled(flow(hedge=0.8, news=1.0))
    assert found.slope.lower < 0.8 < found.slope.upper
    assert found.slope_clustered.lower < 0.8 < found.slope_clustered.upper
    assert found.p_value_clustered.value < 1e-6
    assert found.partial_r_squared.value > 0.5


def test_the_slope_and_its_errors_are_those_of_statsmodels_in_raw_units():
    frame = flow(hedge=0.3, news=0.5)
    design = statsmodels.api.add_constant(frame.select("predicted", *CONTROLS).to_numpy())
    model = statsmodels.api.OLS(frame["observed"].to_numpy(), design)
    found = controlled(frame)
    robust = model.fit(cov_type="HC3")
    clusters = model.fit(cov_type="cluster", cov_kwds={"groups": SESSION}, use_t=True)
    for estimate, fit in ((found.slope, robust), (found.slope_clustered, clusters)):
        expected = (fit.params[1], *fit.conf_int()[1])
        assert (estimate.value, estimate.lower, estimate.upper) == pytest.approx(expected, rel=1e-6)
    assert found.p_value.value == pytest.approx(robust.pvalues[1], rel=1e-6)
    assert found.p_value_clustered.value == pytest.approx(clusters.pvalues[1], rel=1e-6)


def test_the_partial_r_squared_is_that_of_the_residuals():
    frame = flow(hedge=0.3, news=0.5)
    others = statsmodels.api.add_constant(frame.select(CONTROLS).to_numpy())
    left = [
        statsmodels.api.OLS(frame[name].to_numpy(), others).fit().resid
        for name in ("observed", "predicted")
    ]
    expected = np.corrcoef(*left)[0, 1] ** 2
    assert controlled(frame).partial_r_squared.value == pytest.approx(expected, rel=1e-9)


def test_flow_that_ran_before_the_event_is_a_pre_trend():
    none = controlled(flow(hedge=0.8, news=0.0)).prior_flow_share
    assert none.lower < 0.0 < none.upper
    ahead = controlled(flow(hedge=0.8, news=0.0, prior=0.5)).prior_flow_share
    assert ahead.lower < 0.5 < ahead.upper
    assert ahead.lower > 0.3


def test_events_without_every_control_are_left_out():
    frame = flow(hedge=0.8, news=0.0).with_columns(
        prior_flow=pl.when(pl.int_range(pl.len()) < 50).then(None).otherwise(pl.col("prior_flow"))
    )
    assert controlled(frame).events == 150


def test_too_few_events_give_the_reason():
    frame = flow(hedge=0.8, news=0.0).head(20)
    found = flow_controls(frame, SESSION[:20], RESAMPLING)
    assert found.slope.value is None
    assert found.slope.reason == "20 events with every control known; 30 are needed"


def test_a_table_without_controls_says_so():
    frame = flow(hedge=0.8, news=0.0).select(FLOW_COLUMNS.keys())
    assert "has no return_bps" in controlled(frame).slope.reason
