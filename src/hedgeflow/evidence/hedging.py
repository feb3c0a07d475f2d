"""Did dealers hedge as predicted: observed signed flow, response time and accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import Estimate, FloatArray, IntArray, missing
from hedgeflow.evidence.rates import WILSON, win_rate
from hedgeflow.evidence.resampling import (
    METHOD,
    Resampling,
    by_session,
    clustered_mean,
    resampled_rows,
    too_few_sessions,
    with_bounds,
)
from hedgeflow.evidence.tables import EvidenceTables, session_index

EVENTS_FOR_REGRESSION = 3


@dataclass(frozen=True, slots=True)
class FlowCorrelation:
    """Predicted hedge against observed signed flow.

    Attributes
    ----------
    events : int
        Events with an observation, "no hedge observed" included.
    r, r_squared : Estimate
        Pearson correlation, and its square carrying r's sign: a hedge that runs the wrong way
        supports nothing.
    r_squared_out_of_sample : Estimate
        Each session predicted from a line fitted to all others.
    slope, p_value : Estimate
        Observed on predicted, with heteroskedasticity-robust (HC3) bounds and p-value.
    sign_agreement : Estimate
        Share of events whose flow had the predicted sign.
    """

    events: int
    r: Estimate
    r_squared: Estimate
    r_squared_out_of_sample: Estimate
    slope: Estimate
    p_value: Estimate
    sign_agreement: Estimate


@dataclass(frozen=True, slots=True)
class ResponseCorrelation:
    """Size of the exposure against the response time observed."""

    events: int
    spearman: Estimate
    pearson_of_logs: Estimate


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
    """

    predictions: int
    direction: Estimate
    magnitude_error: Estimate
    timing_error: Estimate
    score: Estimate
    flow_class: Estimate


def flow_correlation(tables: EvidenceTables, resampling: Resampling) -> FlowCorrelation:
    """Regress the observed signed flow on the predicted hedge.

    Parameters
    ----------
    tables : EvidenceTables
        With `flow`, or the reason why there is none.
    resampling : Resampling
        Session draws for the bounds of r and R².

    Notes
    -----
    Robust errors HC3: J. G. MacKinnon and H. White, *Journal of Econometrics* 29 (1985) 305–325.
    """
    reason, frame = _observed(tables)
    if frame is None or frame.height < EVENTS_FOR_REGRESSION:
        events = 0 if frame is None else frame.height
        gone = missing(reason or f"{events} event(s) observed", n=events)
        return FlowCorrelation(events, gone, gone, gone, gone, gone, gone)
    predicted, observed = _floats(frame, "predicted"), _floats(frame, "observed")
    session = session_index(frame["session"], tables.sessions)
    events = frame.height
    agreement = win_rate(int((predicted * observed > 0).sum()), events)
    if float(np.ptp(predicted)) == 0.0 or float(np.ptp(observed)) == 0.0:
        gone = missing("predicted or observed flow does not vary", n=events)
        return FlowCorrelation(events, gone, gone, gone, gone, gone, agreement)
    r, r_squared = _correlation(predicted, observed, session, resampling)
    slope, p_value = _slope(predicted, observed)
    ahead = _out_of_sample(predicted, observed, session)
    return FlowCorrelation(events, r, r_squared, ahead, slope, p_value, agreement)


def _observed(tables: EvidenceTables) -> tuple[str, pl.DataFrame | None]:
    if tables.flow is None:
        return tables.flow_untestable_reason, None
    return "", tables.flow


def _floats(frame: pl.DataFrame, column: str) -> FloatArray:
    return frame[column].cast(pl.Float64).to_numpy().astype(np.float64)


def _correlation(
    x: FloatArray, y: FloatArray, session: IntArray, resampling: Resampling
) -> tuple[Estimate, Estimate]:
    method = f"Pearson, {METHOD}"
    events = int(x.size)
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    r = float((x * y).mean())
    reason = too_few_sessions(session)
    if reason:
        return (
            Estimate(r, n=events, method=method, reason=reason),
            Estimate(r * abs(r), n=events, method=f"r·|r|, {method}", reason=reason),
        )
    parts = (np.ones_like(x), x, y, x * y, x * x, y * y)
    n, sx, sy, sxy, sxx, syy = (
        by_session(part, session, resampling.sessions)[resampling.draws].sum(axis=1)
        for part in parts
    )
    spread = (n * sxx - sx**2) * (n * syy - sy**2)
    usable = (n >= EVENTS_FOR_REGRESSION) & (spread > 1e-12)
    covariance = n * sxy - sx * sy
    drawn = np.divide(
        covariance,
        np.sqrt(np.where(usable, spread, 1.0)),
        out=np.full_like(covariance, np.nan),
        where=usable,
    )
    blocks = resampling.blocks(session)
    signed = drawn * np.abs(drawn)
    return (
        with_bounds(r, drawn, n=events, method=method, blocks=blocks),
        with_bounds(r * abs(r), signed, n=events, method=f"r·|r|, {method}", blocks=blocks),
    )


def _slope(predicted: FloatArray, observed: FloatArray) -> tuple[Estimate, Estimate]:
    import statsmodels.regression.linear_model

    library: Any = statsmodels.regression.linear_model

    events = int(predicted.size)
    scale_x, scale_y = float(predicted.std()), float(observed.std())
    design = np.column_stack([np.ones(events), predicted / scale_x])
    with np.errstate(all="ignore"):
        fit = library.OLS(observed / scale_y, design).fit(cov_type="HC3")
        slope = float(fit.params[1])
        lower, upper = (float(bound) for bound in fit.conf_int()[1])
        p_value = float(fit.pvalues[1])
    method = "least squares of observed on predicted, HC3"
    if not np.isfinite([slope, lower, upper, p_value]).all():
        gone = missing("robust errors do not exist for these events", n=events, method=method)
        return gone, gone
    unit = scale_y / scale_x
    return (
        Estimate(slope * unit, lower * unit, upper * unit, events, method),
        Estimate(p_value, n=events, method=method),
    )


def _out_of_sample(predicted: FloatArray, observed: FloatArray, session: IntArray) -> Estimate:
    method = "each session from a line fitted to all others: 1 − Σ error² / Σ (observed − mean)²"
    errors = total = 0.0
    for day in np.unique(session):
        held, rest = session == day, session != day
        if int(rest.sum()) < EVENTS_FOR_REGRESSION or float(np.ptp(predicted[rest])) == 0.0:
            continue
        centre = float(predicted[rest].mean())
        mean = float(observed[rest].mean())
        deviation = predicted[rest] - centre
        slope = float((deviation * observed[rest]).sum() / (deviation**2).sum())
        errors += float(((observed[held] - mean - slope * (predicted[held] - centre)) ** 2).sum())
        total += float(((observed[held] - mean) ** 2).sum())
    if total == 0.0:
        return missing("no session could be predicted from others", method=method)
    return Estimate(1.0 - errors / total, n=int(predicted.size), method=method)


def response_correlation(tables: EvidenceTables, resampling: Resampling) -> ResponseCorrelation:
    """Correlate the size of the predicted hedge with the response time that was observed.

    Parameters
    ----------
    tables : EvidenceTables
        With `flow`; events without an observed hedge have no response time and are left out.
    resampling : Resampling
        Session draws for the bounds.
    """
    reason, frame = _observed(tables)
    if frame is not None:
        frame = frame.filter(
            pl.col("observed_minutes").is_not_null()
            & (pl.col("observed_minutes") > 0)
            & (pl.col("predicted") != 0)
        )
    if frame is None or frame.height < EVENTS_FOR_REGRESSION:
        events = 0 if frame is None else frame.height
        gone = missing(reason or f"{events} event(s) with an observed response", n=events)
        return ResponseCorrelation(events, gone, gone)
    size, minutes = np.abs(_floats(frame, "predicted")), _floats(frame, "observed_minutes")
    session = session_index(frame["session"], tables.sessions)
    return ResponseCorrelation(
        frame.height,
        _rank_correlation(size, minutes, session, resampling),
        _log_correlation(size, minutes, session, resampling),
    )


def _log_correlation(
    size: FloatArray, minutes: FloatArray, session: IntArray, resampling: Resampling
) -> Estimate:
    if float(np.ptp(size)) == 0.0 or float(np.ptp(minutes)) == 0.0:
        return missing("exposure or response does not vary", n=int(size.size))
    return _correlation(np.log(size), np.log(minutes), session, resampling)[0]


def _rank_correlation(
    size: FloatArray, minutes: FloatArray, session: IntArray, resampling: Resampling
) -> Estimate:
    codes = tuple(np.unique(values, return_inverse=True)[1] for values in (size, minutes))

    def correlate(rows: IntArray) -> float:
        x, y = (_midranks(code[rows]) for code in codes)
        spread = float((x * x).sum() * (y * y).sum())
        return float((x * y).sum()) / math.sqrt(spread) if spread > 0.0 else math.nan

    events = int(size.size)
    method = f"Spearman, {METHOD}"
    value = correlate(np.arange(events))
    if not np.isfinite(value):
        return missing("exposure or response does not vary", n=events, method=method)
    reason = too_few_sessions(session)
    if reason:
        return Estimate(value, n=events, method=method, reason=reason)
    drawn = [
        correlate(rows) if rows.size >= EVENTS_FOR_REGRESSION else np.nan
        for rows in resampled_rows(session, resampling)
    ]
    blocks = resampling.blocks(session)
    return with_bounds(value, np.array(drawn), n=events, method=method, blocks=blocks)


def _midranks(codes: IntArray) -> FloatArray:
    """Return centred ranks, ties sharing theirs, of values numbered in ascending order."""
    counts = np.bincount(codes)
    ranks = (np.cumsum(counts) - 0.5 * (counts - 1))[codes]
    return ranks - ranks.mean()


def detection_accuracy(tables: EvidenceTables, resampling: Resampling) -> DetectionAccuracy:
    """Score each prediction against what was observed, and each flow class against the truth.

    Parameters
    ----------
    tables : EvidenceTables
        With `flow` and, in simulation, `truth`.
    resampling : Resampling
        Session draws for the bounds.
    """
    classes = _class_accuracy(tables)
    reason, frame = _observed(tables)
    if frame is None or frame.is_empty():
        gone = missing(reason or "no events")
        return DetectionAccuracy(0, gone, gone, gone, gone, classes)
    frame = frame.filter(pl.col("predicted") != 0)
    if frame.is_empty():
        gone = missing("every prediction was zero")
        return DetectionAccuracy(0, gone, gone, gone, gone, classes)
    session = session_index(frame["session"], tables.sessions)
    predicted, observed = _floats(frame, "predicted"), _floats(frame, "observed")
    timed = frame["observed_minutes"].is_not_null() & frame["predicted_minutes"].is_not_null()
    right = (predicted * observed > 0) & timed.to_numpy()
    magnitude = np.minimum(1.0, np.abs(observed - predicted) / np.abs(predicted))
    late = frame.select(
        ((pl.col("observed_minutes") - pl.col("predicted_minutes")).abs())
        / pl.col("predicted_minutes")
    ).to_series()
    timing = np.minimum(1.0, late.fill_null(1.0).to_numpy().astype(np.float64))
    score = right * (1.0 - magnitude) * (1.0 - timing)

    def mean(values: FloatArray) -> Estimate:
        return clustered_mean(values, session, resampling, none="no events")

    direction = win_rate(int(right.sum()), frame.height)
    return DetectionAccuracy(
        frame.height, direction, mean(magnitude), mean(timing), mean(score), classes
    )


def _class_accuracy(tables: EvidenceTables) -> Estimate:
    if tables.truth is None:
        return missing("the true class is known only in simulation", method=WILSON)
    joined = tables.alerts.join(tables.truth, on="alert_id", how="inner")
    right = int((joined["flow_class"] == joined["true_class"]).sum())
    return win_rate(right, joined.height) if joined.height else missing("no alerts", method=WILSON)
