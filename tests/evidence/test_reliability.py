"""Confidence against outcomes: bins, Brier score and its decomposition, by hand and by a loop."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence import samples
from hedgeflow.evidence.reliability import reliability
from hedgeflow.evidence.tables import ALERT_COLUMNS, PREDICTION_COLUMNS, SHOCK_ALERT_COLUMNS

DAYS = samples.sessions(20)


def curve(confidence, won):
    """Return the curve of trades of one alert each."""
    trades = samples.trades_table(DAYS, [bool(each) for each in won])
    alerts = pl.DataFrame(
        {
            "alert_id": trades["alert_id"],
            "event_id": trades["event_id"],
            "flow_class": trades["flow_class"],
            "demand": [1.0] * trades.height,
            "response_minutes": [5.0] * trades.height,
            "confidence": [float(each) for each in confidence],
        },
        schema=ALERT_COLUMNS | SHOCK_ALERT_COLUMNS,
    )
    built = samples.tables([], days=20, alerts=alerts, trades=trades)
    return reliability(built).trades


def test_bins_hold_counts_means_and_rates():
    found = curve([0.22, 0.28, 0.3, 0.95, 1.0], [False, True, True, True, True])
    assert [(each.lower, each.upper, each.count) for each in found.bins] == [
        (0.2, 0.3, 2),
        (0.3, 0.4, 1),
        (0.9, 1.0, 2),
    ]
    assert found.bins[0].mean_confidence == pytest.approx(0.25)
    assert found.bins[0].rate.value == 0.5
    assert found.bins[0].rate.lower == pytest.approx(0.0945, abs=5e-5)  # Wilson, 1 of 2


def test_murphys_example_of_a_constant_forecast():
    """Always the base rate: perfectly reliable, no resolution, Brier score p (1 - p)."""
    found = curve([0.4] * 10, [True] * 4 + [False] * 6)
    assert found.brier.value == pytest.approx(0.24)
    assert found.reliability == pytest.approx(0.0)
    assert found.resolution == pytest.approx(0.0)
    assert found.uncertainty == pytest.approx(0.24)


def test_confidence_that_is_always_right_resolves_everything():
    found = curve([1.0] * 5 + [0.0] * 5, [True] * 5 + [False] * 5)
    assert found.brier.value == 0.0
    assert found.resolution == pytest.approx(found.uncertainty)


def test_the_parts_add_up_to_the_score_and_are_what_a_loop_finds():
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.05, 0.95, 200)
    won = rng.random(200) < confidence
    found = curve(confidence, won)
    groups = {}
    for stated, true in zip(confidence, won, strict=True):
        groups.setdefault(int(stated * 10), []).append((stated, float(true)))
    base = won.mean()
    off = sum(
        len(group) * (np.mean([s for s, _ in group]) - np.mean([t for _, t in group])) ** 2
        for group in groups.values()
    )
    apart = sum(len(g) * (np.mean([t for _, t in g]) - base) ** 2 for g in groups.values())
    assert found.reliability == pytest.approx(off / 200)
    assert found.resolution == pytest.approx(apart / 200)
    assert found.brier.value == pytest.approx(np.mean((confidence - won) ** 2))
    parts = found.reliability - found.resolution + found.uncertainty + found.within_bins
    assert parts == pytest.approx(found.brier.value)


def test_directions_count_predictions_that_could_be_told():
    trades = samples.trades_table(DAYS, [True] * 4)
    alerts = samples.alerts_table(trades)
    predictions = pl.DataFrame(
        {name: [None] * 4 for name in PREDICTION_COLUMNS}
        | {
            "run_id": ["r"] * 4,
            "alert_id": alerts["alert_id"],
            "session": trades["session"],
            "flow_class": alerts["flow_class"],
            "direction_right": [True, None, False, True],
        },
        schema=PREDICTION_COLUMNS,
    )
    found = reliability(samples.tables([], days=20, alerts=alerts, predictions=predictions))
    assert found.directions.count == 3
    assert found.directions.rate.value == pytest.approx(2 / 3)


def test_without_signed_trades_directions_have_the_reason():
    found = reliability(samples.tables([True] * 5, flow_untestable_reason="only bars"))
    assert (found.directions.count, found.directions.reason) == (0, "only bars")
    assert found.directions.brier.value is None
    assert found.trades.count == 5
