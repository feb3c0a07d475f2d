"""Is it the hedge or the news: observed flow on the prediction, with what else moves flow fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import Estimate, FloatArray, IntArray, missing
from hedgeflow.evidence.resampling import (
    METHOD,
    Resampling,
    by_session,
    too_few_sessions,
    with_bounds,
)

CONTROLS = ("return_bps", "volume", "prior_return_bps", "prior_flow")
CONTROL_WORDS = "return and volume meanwhile, return and flow before"
EVENTS_A_TERM = 5
"""Events that each coefficient of the regression must have behind it."""


@dataclass(frozen=True, slots=True)
class FlowControls:
    """The prediction's own part in observed flow, and what ran before the event.

    News moves options, the price and the flow together, so that predicted and observed flow may
    agree without any hedging. The return meanwhile is held fixed although hedging itself moves
    the price: what is left is a lower bound of the hedge's part, not an estimate of all of it.

    Attributes
    ----------
    events : int
        Events for which every control is known.
    slope, p_value : Estimate
        Observed on predicted and the controls; HC3 bounds, two-sided p-value.
    slope_clustered, p_value_clustered : Estimate
        The same with errors clustered by session, Student's t of sessions − 1.
    partial_r_squared : Estimate
        Share of what the controls leave unexplained that the prediction explains, with the sign of
        its slope.
    prior_flow_share : Estimate
        Abnormal flow before the event in the direction of the later hedge, as a share of that
        hedge as predicted: a pre-trend, which a hedge cannot cause, must be near 0.
    """

    events: int
    slope: Estimate
    p_value: Estimate
    slope_clustered: Estimate
    p_value_clustered: Estimate
    partial_r_squared: Estimate
    prior_flow_share: Estimate


def without_controls(gone: Estimate) -> FlowControls:
    """Return that nothing could be computed, and why."""
    return FlowControls(0, gone, gone, gone, gone, gone, gone)


def flow_controls(frame: pl.DataFrame, session: IntArray, resampling: Resampling) -> FlowControls:
    """Regress observed on predicted flow and the controls.

    Parameters
    ----------
    frame : polars.DataFrame
        `predicted` and `observed`, and `CONTROLS`, null where not known.
    session : ndarray, shape (events,)
        Index of each event's session.
    resampling : Resampling
        Session draws for the bounds of the pre-trend.

    References
    ----------
    HC3: J. G. MacKinnon and H. White, *Journal of Econometrics* 29 (1985) 305–325. Clusters:
    K.-Y. Liang and S. L. Zeger, *Biometrika* 73 (1986) 13–22, as statsmodels has them. Few
    clusters make those errors too small, so that the p-value by sign flips stands beside them.
    """
    absent = [name for name in CONTROLS if name not in frame.columns]
    if absent:
        return without_controls(missing(f"the table of flow has no {', '.join(absent)}"))
    known = frame.select(
        pl.all_horizontal(pl.col(name).is_not_null() for name in CONTROLS)
    ).to_series()
    rows, days = frame.filter(known), session[known.to_numpy()]
    prior = _prior_share(rows, days, resampling)
    columns = {name: _floats(rows, name) for name in ("observed", "predicted", *CONTROLS)}
    varied = [name for name in CONTROLS if rows.height and float(np.ptp(columns[name])) > 0.0]
    needed = EVENTS_A_TERM * (2 + len(varied))
    reason = ""
    if rows.height < needed:
        reason = f"{rows.height} events with every control known; {needed} are needed"
    elif min(float(np.ptp(columns[name])) for name in ("observed", "predicted")) == 0.0:
        reason = "predicted or observed flow does not vary"
    if reason:
        gone = missing(reason, n=rows.height)
        return FlowControls(rows.height, gone, gone, gone, gone, gone, prior)
    y, x = columns["observed"], columns["predicted"]
    others = [_standard(columns[name]) for name in varied]
    design = np.column_stack([np.ones(y.size), _standard(x), *others])
    unit = float(y.std()) / float(x.std())
    slope, p_value = _fitted(_standard(y), design, unit, None)
    clustered, p_clustered = _fitted(_standard(y), design, unit, days)
    partial = _partial(_standard(y), design, slope.value)
    return FlowControls(rows.height, slope, p_value, clustered, p_clustered, partial, prior)


def _floats(frame: pl.DataFrame, column: str) -> FloatArray:
    return frame[column].cast(pl.Float64).to_numpy().astype(np.float64)


def _standard(values: FloatArray) -> FloatArray:
    return (values - values.mean()) / values.std()


def _fitted(
    y: FloatArray, design: FloatArray, unit: float, clusters: IntArray | None
) -> tuple[Estimate, Estimate]:
    """Return the slope on the second column with its bounds, and its p-value."""
    import statsmodels.regression.linear_model

    library: Any = statsmodels.regression.linear_model
    errors = "HC3" if clusters is None else "clustered by session"
    method = f"least squares of observed on predicted, {CONTROL_WORDS}; {errors}"
    events = int(y.size)
    if clusters is not None and (reason := too_few_sessions(clusters)):
        gone = missing(reason, n=events, method=method)
        return gone, gone
    options: dict[str, Any] = {"cov_type": "HC3"}
    if clusters is not None:
        options = {"cov_type": "cluster", "cov_kwds": {"groups": clusters}, "use_t": True}
    with np.errstate(all="ignore"):
        fit = library.OLS(y, design).fit(**options)
        slope, p_value = float(fit.params[1]), float(fit.pvalues[1])
        lower, upper = (float(bound) for bound in fit.conf_int()[1])
    if not np.isfinite([slope, lower, upper, p_value]).all():
        gone = missing("robust errors do not exist for these events", n=events, method=method)
        return gone, gone
    return (
        Estimate(slope * unit, lower * unit, upper * unit, events, method),
        Estimate(p_value, n=events, method=f"{method}, two-sided"),
    )


def _partial(y: FloatArray, design: FloatArray, slope: float | None) -> Estimate:
    method = f"share of what is left by {CONTROL_WORDS}, with the slope's sign"
    events = int(y.size)

    def unexplained(columns: FloatArray) -> float:
        fit = np.linalg.lstsq(columns, y, rcond=None)[0]
        return float(((y - columns @ fit) ** 2).sum())

    left = unexplained(np.delete(design, 1, axis=1))
    if slope is None or left <= 0.0:
        return missing("the controls explain everything", n=events, method=method)
    value = 1.0 - unexplained(design) / left
    return Estimate(float(np.sign(slope)) * value, n=events, method=method)


def _prior_share(rows: pl.DataFrame, session: IntArray, resampling: Resampling) -> Estimate:
    method = f"Σ flow before, in the predicted direction / Σ abs(predicted), {METHOD}"
    events = rows.height
    predicted, prior = _floats(rows, "predicted"), _floats(rows, "prior_flow")
    size = float(np.abs(predicted).sum())
    if size == 0.0:
        return missing("no event with every control known", method=method)
    along, weight = np.sign(predicted) * prior, np.abs(predicted)
    value = float(along.sum()) / size
    reason = too_few_sessions(session)
    if reason:
        return Estimate(value, n=events, method=method, reason=reason)
    above, below = (
        by_session(part, session, resampling.sessions)[resampling.draws].sum(axis=1)
        for part in (along, weight)
    )
    drawn = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
    return with_bounds(value, drawn, n=events, method=method, blocks=resampling.blocks(session))
