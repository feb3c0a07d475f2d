"""The class that alerts were given, against the class of the shock behind each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.signals.rules import FlowClass
from hedgeflow.studies.scoring.figures import Rate, f_score
from hedgeflow.studies.scoring.matching import latest_shock
from hedgeflow.studies.scoring.shocks import RESPONSE_MODELS

if TYPE_CHECKING:
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.scoring.shocks import Found

SWEEP: Final = FlowClass.INSTITUTIONAL_SWEEP.name
EMERGENCY: Final = FlowClass.GAMMA_EMERGENCY.name
NO_SHOCK: Final = "no shock"
AMBIGUOUS: Final = FlowClass.AMBIGUOUS_SIGNAL.name
ASSIGNED: Final = (SWEEP, EMERGENCY, AMBIGUOUS)
TRUE: Final = (SWEEP, EMERGENCY, NO_SHOCK)

CLEAR_FACTOR: Final = 1.25
"""How far from its bounds a clear case lies, as a factor."""

FACTORS: Final = (1.0, CLEAR_FACTOR, 1.5, 2.0)
EVERY_MODEL: Final = "any"


@dataclass(frozen=True, slots=True)
class ClassRow:
    """The alerts of one true class.

    Attributes
    ----------
    true_class : str
        That of the shock, or ``no shock``.
    assigned : dict of str to int
        Alerts by the class that they were given.
    precision : Rate or None
        Of the alerts that were given this class, those to which it belongs; None for ``no shock``,
        which is no class that a classifier gives.
    recall : Rate
        Of the alerts of this class, those that were given it; AMBIGUOUS_SIGNAL for ``no shock``.
    f1 : float or None
    """

    true_class: str
    assigned: dict[str, int]
    precision: Rate | None
    recall: Rate
    f1: float | None


@dataclass(frozen=True, slots=True)
class ClearCases:
    """Alerts on shocks that are clear cases of their class, see `is_clear`.

    Attributes
    ----------
    factor : float
        How far from its bounds a case lies.
    response_model : str
        What the expected response was made by: ``tiers``, ``calibrated`` or ``any``.
    accuracy : Rate
        Of these alerts, those given the class of their shock.
    """

    factor: float
    response_model: str
    accuracy: Rate


@dataclass(frozen=True, slots=True)
class Confusion:
    """True classes against assigned ones.

    Attributes
    ----------
    moment : str
        ``at decision`` or ``at close``, when the event was over.
    rows : tuple of ClassRow
    accuracy : Rate
        Of all alerts, those given the class of their shock, AMBIGUOUS_SIGNAL where there is none.
    accuracy_of_shocks : Rate
        The same among alerts that overlap a shock.
    clear : tuple of ClearCases
        By factor and response model.
    """

    moment: str
    rows: tuple[ClassRow, ...]
    accuracy: Rate
    accuracy_of_shocks: Rate
    clear: tuple[ClearCases, ...]


def confusions(found: Found, config: VolumeShockConfig) -> tuple[Confusion, ...]:
    """Return the confusion of classes at decision and at close."""
    clear = {_clear_column(factor): is_clear(config, factor) for factor in FACTORS}
    shocks = found.shocks.with_columns(**clear).select(
        "shock_class", *clear, "shock_first_ns", "shock_last_ns"
    )
    alerts = latest_shock(found.alerts, shocks, found.window_ns).with_columns(
        pl.col("shock_class").fill_null(NO_SHOCK), pl.col(*clear).fill_null(value=False)
    )
    return (
        confusion("at decision", alerts, "flow_class"),
        confusion("at close", alerts, "flow_class_at_close"),
    )


def is_clear(config: VolumeShockConfig, factor: float = CLEAR_FACTOR) -> pl.Expr:
    """Return which shocks are clear cases of their class, from their truth alone.

    The classifier's own bounds are applied to what really happened: strikes, concentration, minutes
    from the first print to half of the hedge, scaled demand. A sweep is clear if all bounds of a
    sweep hold and its response is longer than `factor` times the bound; an emergency if all of an
    emergency hold, its response is shorter than the bound over `factor` and its demand greater than
    `factor` times the bound. What nobody hedged is not clear. Concentration has a bound under the
    classifier ``concentration`` only, and needs no factor: shocks lie far from it.
    """
    rules = config.classifier
    response, demand = pl.col("response_minutes"), pl.col("demand_scaled").abs()
    sweep = (pl.col("shock_class") == SWEEP) & (pl.col("strikes") >= rules.sweep_strikes)
    sweep &= response > factor * rules.sweep_response_above_minutes
    emergency = (pl.col("shock_class") == EMERGENCY) & (
        response < rules.emergency_response_below_minutes / factor
    )
    emergency &= demand > factor * rules.emergency_demand_above
    if rules.mode == "concentration":
        sweep &= pl.col("concentration") < rules.sweep_concentration_below
        emergency &= pl.col("concentration") > rules.emergency_concentration_above
    return (sweep | emergency).fill_null(value=False)


def confusion(moment: str, alerts: pl.DataFrame, column: str) -> Confusion:
    """Return the confusion of alerts by a column of classes.

    Parameters
    ----------
    moment : str
    alerts : polars.DataFrame
        With `shock_class`, ``no shock`` where there is none, `response_model`, and whether the
        shock is clear by each factor.
    column : str
    """
    pairs = list(zip(alerts["shock_class"].to_list(), alerts[column].to_list(), strict=True))
    counts = {each: {given: pairs.count((each, given)) for given in ASSIGNED} for each in TRUE}
    right = [given == (AMBIGUOUS if true == NO_SHOCK else true) for true, given in pairs]
    judged = alerts.with_columns(right=pl.Series(right, dtype=pl.Boolean))
    return Confusion(
        moment=moment,
        rows=tuple(_row(each, counts) for each in TRUE),
        accuracy=_accuracy(judged),
        accuracy_of_shocks=_accuracy(judged.filter(pl.col("shock_class") != NO_SHOCK)),
        clear=tuple(
            ClearCases(factor, model, _accuracy(judged.filter(_clear_column(factor), by_model)))
            for factor in FACTORS
            for model, by_model in _models()
        ),
    )


def _models() -> list[tuple[str, pl.Expr]]:
    return [
        (EVERY_MODEL, pl.lit(value=True)),
        *((model, pl.col("response_model") == model) for model in RESPONSE_MODELS),
    ]


def _clear_column(factor: float) -> str:
    return f"clear_{factor:g}"


def _accuracy(judged: pl.DataFrame) -> Rate:
    return Rate.among(judged["right"].to_numpy())


def _row(true_class: str, counts: dict[str, dict[str, int]]) -> ClassRow:
    own = counts[true_class]
    every = sum(own.values())
    if true_class == NO_SHOCK:
        recall = Rate.out_of(own[AMBIGUOUS], every)
        return ClassRow(true_class, own, None, recall, None)
    given = sum(row[true_class] for row in counts.values())
    precision = Rate.out_of(own[true_class], given)
    recall = Rate.out_of(own[true_class], every)
    return ClassRow(true_class, own, precision, recall, f_score(precision, recall))
