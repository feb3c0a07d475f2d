"""How good three models' probabilities of finishing at a strike are: Brier scores, day by day."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import BoolArray, Estimate, FloatArray, IntArray, Measure, missing
from hedgeflow.evidence.rates import win_rate
from hedgeflow.evidence.reliability import ReliabilityCurve, reliability_curve
from hedgeflow.evidence.resampling import (
    RESAMPLED,
    Resampling,
    by_session,
    clustered_mean,
    resample_sessions,
    too_few_sessions,
    with_bounds,
)
from hedgeflow.evidence.tables import EvidenceTables

MODELS = ("source", "lognormal", "empirical")
REFERENCE = "lognormal"
FAR_SIGMAS = 3.0
"""A strike that far away is reached once in some hundred times."""
OUTCOME = "the price finished at the strike"


@dataclass(frozen=True, slots=True)
class ModelScore:
    """One model's probabilities against what happened.

    Attributes
    ----------
    model : str
        ``source``, ``lognormal`` or ``empirical``.
    statements, days : int
        Probabilities that it stated, and the expiry days they were about.
    curve : ReliabilityCurve
        Stated against what came, its Brier score and its parts; bounds by resampled days.
    skill_climatology : Estimate
        1 − Brier score / that of the one rate that all outcomes have: above 0 it says more than
        that. The rate is that of these very outcomes, which no forecaster knows beforehand.
    skill_lognormal : Estimate
        1 − Brier score / the lognormal model's, over what both stated.
    """

    model: str
    statements: int
    days: int
    curve: ReliabilityCurve
    skill_climatology: Estimate
    skill_lognormal: Estimate


@dataclass(frozen=True, slots=True)
class FarStrikes:
    """What the source's floor says of strikes that the price does not reach.

    Attributes
    ----------
    sigmas : float
        Strikes at least so many expected moves away.
    statements : int
        Probabilities that the source's model stated of them.
    stated, largest : float or None
        Their mean, and the largest.
    came : Estimate
        Share at which the price finished.
    """

    sigmas: float
    statements: int
    stated: float | None
    largest: float | None
    came: Estimate


@dataclass(frozen=True, slots=True)
class StrikeProbabilities:
    """Three models of the probability that the price finishes at a strike.

    Attributes
    ----------
    models : tuple of ModelScore
        The source's, the lognormal and the empirical one.
    far : FarStrikes
        The source's floor, as a finding.
    """

    models: tuple[ModelScore, ...]
    far: FarStrikes


def strike_probabilities(tables: EvidenceTables, *, seed: int) -> StrikeProbabilities | None:
    """Score the models; None where the tables say nothing of strikes' probabilities.

    All strikes and minutes of one expiry day move together, so whole days are resampled.

    Parameters
    ----------
    tables : EvidenceTables
        With `strike_probabilities`.
    seed : int
        Of the draws.

    References
    ----------
    G. W. Brier, *Monthly Weather Review* 78 (1950) 1–3; A. H. Murphy, *Journal of Applied
    Meteorology* 12 (1973) 595–600.
    """
    frame = tables.strike_probabilities
    if frame is None:
        return None
    frame = frame.sort("date", "underlying", "mark_minutes", "strike")
    none = tables.strike_probabilities_missing
    return StrikeProbabilities(
        tuple(_scored(model, frame, none, seed) for model in MODELS), _far(frame, none, seed)
    )


def probability_measures(found: StrikeProbabilities | None) -> dict[tuple[str, str], Measure]:
    """Return what claims can name of the models; nothing where none is scored."""
    measures: dict[tuple[str, str], Measure] = {}
    for score in () if found is None else found.models:
        name = f"brier_{score.model}"
        measures[name, ""] = Measure(score.curve.brier, score.days)
        measures[f"{name}_skill", ""] = Measure(score.skill_climatology, score.days)
        if score.model != REFERENCE:
            over = f"{name}_over_{REFERENCE}_skill"
            measures[over, ""] = Measure(score.skill_lognormal, score.days)
    return measures


@dataclass(frozen=True, slots=True, eq=False)
class _Stated:
    """What one model stated, what happened, and on which of how many days."""

    probability: FloatArray
    inside: BoolArray
    day: IntArray
    days: int

    @classmethod
    def of(cls, rows: pl.DataFrame, model: str) -> _Stated:
        dates, day = np.unique(rows["date"].to_numpy(), return_inverse=True)
        return cls(
            rows[model].to_numpy().astype(np.float64),
            rows["inside"].to_numpy().astype(np.bool_),
            day.astype(np.int64),
            int(dates.size),
        )

    @property
    def squares(self) -> FloatArray:
        return (self.probability - self.inside) ** 2

    def resampled(self, values: FloatArray, seed: int) -> Resampling:
        return resample_sessions(by_session(values, self.day, self.days), seed=seed)


def _scored(model: str, frame: pl.DataFrame, none: str, seed: int) -> ModelScore:
    own = _Stated.of(frame.drop_nulls(model), model)
    if not own.probability.size:
        reason = none if frame.is_empty() else f"the {model} model stated no probability"
        gone = missing(reason)
        curve = reliability_curve(OUTCOME, own.probability, own.inside, reason)
        return ModelScore(model, 0, 0, curve, gone, gone)
    days = own.resampled(own.squares, seed)

    def rate(of: BoolArray) -> Estimate:
        return _share(own.inside[of], own.day[of], days)

    curve = reliability_curve(OUTCOME, own.probability, own.inside, none, rate)
    score = clustered_mean(own.squares, own.day, days, what=curve.brier.method)
    base = (own.inside.mean() - own.inside) ** 2
    return ModelScore(
        model,
        int(own.probability.size),
        own.days,
        replace(curve, brier=replace(score, n=own.days)),
        _skill(own, base, "the one rate of all outcomes", seed),
        _over_reference(model, frame, seed),
    )


def _over_reference(model: str, frame: pl.DataFrame, seed: int) -> Estimate:
    if model == REFERENCE:
        return missing(f"the {REFERENCE} model is what others are held against")
    both = frame.drop_nulls([model, REFERENCE])
    if both.is_empty():
        return missing(f"the {REFERENCE} model stated nothing of the same strikes")
    reference = _Stated.of(both, REFERENCE).squares
    return _skill(_Stated.of(both, model), reference, f"the {REFERENCE} model", seed)


def _skill(own: _Stated, reference: FloatArray, name: str, seed: int) -> Estimate:
    """Return 1 − Σ squares / Σ those of the reference, with bounds from resampled days."""
    method = f"1 − Brier score / that of {name}; {RESAMPLED}"
    ours, theirs = (by_session(each, own.day, own.days) for each in (own.squares, reference))
    if float(theirs.sum()) <= 0.0:
        return missing(f"{name} was never wrong", n=own.days, method=method)
    value = 1.0 - float(ours.sum() / theirs.sum())
    reason = too_few_sessions(own.day)
    if reason:
        return Estimate(value, n=own.days, method=method, reason=reason)
    days = own.resampled(reference - own.squares, seed)
    below = theirs[days.draws].sum(axis=1)
    above = ours[days.draws].sum(axis=1)
    drawn = 1.0 - np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0.0)
    blocks = days.blocks(own.day)
    return with_bounds(value, drawn, n=own.days, method=method, blocks=blocks)


def _far(frame: pl.DataFrame, none: str, seed: int) -> FarStrikes:
    rows = frame.drop_nulls("source").filter(pl.col("distance_sigmas") >= FAR_SIGMAS)
    far = _Stated.of(rows, "source")
    if not far.probability.size:
        reason = none if frame.is_empty() else "no strike was so far away"
        return FarStrikes(FAR_SIGMAS, 0, None, None, missing(reason))
    days = far.resampled(far.inside.astype(np.float64), seed)
    return FarStrikes(
        FAR_SIGMAS,
        int(far.inside.size),
        float(far.probability.mean()),
        float(far.probability.max()),
        _share(far.inside, far.day, days),
    )


def _share(inside: BoolArray, day: IntArray, resampling: Resampling) -> Estimate:
    """Return how many finished at their strike, with bounds by day.

    Where none did, or all, resampling them shows no doubt: then the bounds are those of as many
    independent statements as there are days.
    """
    came = int(inside.sum())
    if 0 < came < inside.size:
        values = inside.astype(np.float64)
        return clustered_mean(values, day, resampling, none="no statements", what="share")
    days = int(np.unique(day).size)
    by_day = win_rate(days if came else 0, days)
    return replace(by_day, n=int(inside.size), method=f"{by_day.method}, a day counted once")
