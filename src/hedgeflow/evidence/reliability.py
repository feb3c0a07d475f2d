"""Does stated confidence mean anything: how often alerts of each confidence came true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import BoolArray, Estimate, FloatArray, missing
from hedgeflow.evidence.rates import win_rate
from hedgeflow.evidence.tables import EvidenceTables

BINS = 10
"""Bins of equal width between confidence 0 and 1."""


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """Alerts of about one confidence.

    Attributes
    ----------
    lower, upper : float
        Confidence from, and up to but not including (1 is in the last bin).
    count : int
        Alerts in it.
    mean_confidence : float
        That they stated.
    rate : Estimate
        Share that came true; Wilson interval, or by day where many are of one day.
    """

    lower: float
    upper: float
    count: int
    mean_confidence: float
    rate: Estimate


@dataclass(frozen=True, slots=True)
class ReliabilityCurve:
    """Confidence against one outcome; perfectly reliable when every rate equals its confidence.

    Attributes
    ----------
    outcome : str
        What came true or not, in words.
    count : int
        Alerts in all.
    bins : tuple of ConfidenceBin
        Those that hold any alert, ascending.
    mean_confidence, rate : Estimate
        Over all of them.
    brier : Estimate
        Mean squared difference of confidence and outcome; 0.25 is a constant 0.5.
    reliability, resolution, uncertainty, within_bins : float or None
        brier = reliability − resolution + uncertainty + within_bins. Reliability: how far rates
        lie from confidences (0 is best); resolution: how far rates differ between bins; uncertainty
        that of the outcome itself; within_bins: what confidences that differ within a bin add.
        Confidence that says nothing has a resolution near 0.
    reason : str
        Why there is none.
    """

    outcome: str
    count: int
    bins: tuple[ConfidenceBin, ...]
    mean_confidence: Estimate
    rate: Estimate
    brier: Estimate
    reliability: float | None
    resolution: float | None
    uncertainty: float | None
    within_bins: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Reliability:
    """Stated confidence against what happened.

    Attributes
    ----------
    trades : ReliabilityCurve
        Against trades won after all costs.
    directions : ReliabilityCurve
        Against hedges observed in the predicted direction.
    """

    trades: ReliabilityCurve
    directions: ReliabilityCurve


def reliability(tables: EvidenceTables) -> Reliability:
    """Return both curves.

    Parameters
    ----------
    tables : EvidenceTables
        Alerts, trades and, for directions, predictions that could be told right or wrong.
    """
    stated = tables.alerts.select("alert_id", "confidence").unique("alert_id", keep="first")
    won = tables.trades.select("alert_id", true=pl.col("net_usd") > 0)
    trades = stated.join(won, on="alert_id", how="inner").sort("alert_id")
    directions = stated.head(0).with_columns(true=pl.lit(None, pl.Boolean))
    reason = tables.flow_untestable_reason if tables.flow is None else "no prediction could be told"
    if tables.predictions is not None:
        told = tables.predictions.select("alert_id", true="direction_right").drop_nulls()
        directions = stated.join(told, on="alert_id", how="inner").sort("alert_id")
    return Reliability(
        _curve("the trade was won after all costs", trades, "no trades"),
        _curve("a hedge was observed in the predicted direction", directions, reason),
    )


def _curve(outcome: str, frame: pl.DataFrame, none: str) -> ReliabilityCurve:
    stated = frame["confidence"].to_numpy().astype(np.float64)
    return reliability_curve(outcome, stated, frame["true"].to_numpy().astype(np.bool_), none)


def reliability_curve(
    outcome: str,
    stated: FloatArray,
    true: BoolArray,
    none: str,
    rate: Callable[[BoolArray], Estimate] | None = None,
) -> ReliabilityCurve:
    """Return how often what was stated with each probability came true.

    Parameters
    ----------
    outcome : str
        What came true or not, in words.
    stated : ndarray, shape (statements,)
        Probabilities.
    true : ndarray of bool, shape (statements,)
        Whether each came true.
    none : str
        Reason to give without statements.
    rate : callable, optional
        Returns the share that came true among the statements of a mask, with its bounds; without
        it statements are taken as independent.
    """
    if not stated.size:
        gone = missing(none)
        return ReliabilityCurve(outcome, 0, (), gone, gone, gone, None, None, None, None, none)

    def independent(of: BoolArray) -> Estimate:
        return win_rate(int(true[of].sum()), int(of.sum()))

    rate = rate or independent
    place = np.minimum((stated * BINS + 1e-9).astype(np.int64), BINS - 1)
    bins = tuple(_bin(int(number), stated, place == number, rate) for number in np.unique(place))
    brier = (stated - true) ** 2
    parts = _decomposed(bins, float(true.mean()))
    size = int(true.size)
    return ReliabilityCurve(
        outcome,
        size,
        bins,
        Estimate(float(stated.mean()), n=size, method="mean"),
        rate(np.ones(size, dtype=np.bool_)),
        Estimate(float(brier.mean()), n=size, method="Brier score: mean (confidence − outcome)²"),
        *parts,
        float(brier.mean()) - parts[0] + parts[1] - parts[2],
        "",
    )


def _bin(
    number: int, stated: FloatArray, of: BoolArray, rate: Callable[[BoolArray], Estimate]
) -> ConfidenceBin:
    return ConfidenceBin(
        number / BINS, (number + 1) / BINS, int(of.sum()), float(stated[of].mean()), rate(of)
    )


def _decomposed(bins: tuple[ConfidenceBin, ...], rate: float) -> tuple[float, float, float]:
    """Return reliability, resolution and uncertainty of the Brier score.

    References
    ----------
    A. H. Murphy, "A new vector partition of the probability score", *Journal of Applied
    Meteorology* 12 (1973) 595–600; what remains within bins: D. B. Stephenson, C. A. S. Coelho
    and I. T. Jolliffe, *Weather and Forecasting* 23 (2008) 752–757.
    """
    size = sum(each.count for each in bins)
    own = [each.rate.value if each.rate.value is not None else 0.0 for each in bins]
    pairs = list(zip(bins, own, strict=True))
    off = sum(each.count * (each.mean_confidence - value) ** 2 for each, value in pairs) / size
    apart = sum(each.count * (value - rate) ** 2 for each, value in pairs) / size
    return off, apart, rate * (1.0 - rate)
