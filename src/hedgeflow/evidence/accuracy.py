"""How accurate predictions are: direction, magnitude and timing of hedges, and flow classes."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hedgeflow.evidence.estimates import Estimate, missing
from hedgeflow.evidence.hedging import observed_events
from hedgeflow.evidence.predictions import scored
from hedgeflow.evidence.rates import WILSON, win_rate
from hedgeflow.evidence.resampling import Resampling, clustered_mean
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import session_index


@dataclass(frozen=True, slots=True)
class DetectionAccuracy:
    """Direction, magnitude and timing of each prediction against what was observed.

    Attributes
    ----------
    predictions : int
        Events compared; "no hedge observed" counts as a wrong direction and a score of 0.
    direction, magnitude_error, timing_error, score : Estimate
        Errors are relative and capped at 1; score = direction × (1 − magnitude error) ×
        (1 − timing error).
    flow_class : Estimate
        Share of flow classes that were right, where the truth is known.
    class_at_close : Estimate
        Share of alerts whose class was the same when their event was over: what can be said of
        classes where no truth is known. Stable is not right.
    """

    predictions: int
    direction: Estimate
    magnitude_error: Estimate
    timing_error: Estimate
    score: Estimate
    flow_class: Estimate
    class_at_close: Estimate


def detection_accuracy(tables: EvidenceTables, resampling: Resampling) -> DetectionAccuracy:
    """Score each prediction against what was observed, and each flow class against the truth.

    Parameters
    ----------
    tables : EvidenceTables
        With `flow` and, in simulation, `truth`.
    resampling : Resampling
        Session draws for the bounds.
    """
    classes, stable = _class_accuracy(tables), _class_stability(tables.alerts)
    reason, frame = observed_events(tables)
    if frame is None or frame.is_empty():
        gone = missing(reason or "no events")
        return DetectionAccuracy(0, gone, gone, gone, gone, classes, stable)
    frame = frame.filter(pl.col("predicted") != 0)
    if frame.is_empty():
        gone = missing("every prediction was zero")
        return DetectionAccuracy(0, gone, gone, gone, gone, classes, stable)
    session = session_index(frame["session"], tables.sessions)
    rows = scored(frame)

    def mean(column: str) -> Estimate:
        return clustered_mean(rows[column].to_numpy(), session, resampling, none="no events")

    return DetectionAccuracy(
        rows.height,
        win_rate(int(rows["direction_right"].sum()), rows.height),
        mean("magnitude_error"),
        mean("timing_error"),
        mean("score"),
        classes,
        stable,
    )


def _class_stability(alerts: pl.DataFrame) -> Estimate:
    if "flow_class_at_close" not in alerts.columns:
        return missing("alerts do not hold their event's class at its close", method=WILSON)
    both = alerts.select("flow_class", "flow_class_at_close").drop_nulls()
    if both.is_empty():
        return missing("no alerts", method=WILSON)
    same = int((both["flow_class"] == both["flow_class_at_close"]).sum())
    return win_rate(same, both.height)


def _class_accuracy(tables: EvidenceTables) -> Estimate:
    if tables.truth is None:
        return missing("the true class is known only in simulation", method=WILSON)
    joined = tables.alerts.join(tables.truth, on="alert_id", how="inner")
    right = int((joined["flow_class"] == joined["true_class"]).sum())
    return win_rate(right, joined.height) if joined.height else missing("no alerts", method=WILSON)
