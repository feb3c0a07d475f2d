"""Does the calibrated response foretell anything: its errors on hedges that came after its fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.evidence.cross_validation import held_out, out_of_sample_r_squared, walk_forward
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.hedge_response import observe
from hedgeflow.signals.response import (
    calibrated_response_minutes,
    fit_response,
    tier_response_minutes,
)
from hedgeflow.signals.trade_reference import can_calibrate
from hedgeflow.strategies.volume_shock.rules import observation_rules

if TYPE_CHECKING:
    import polars as pl

    from hedgeflow.evidence.estimates import FloatArray, IntArray
    from hedgeflow.strategies.volume_shock.config import Response, VolumeShockConfig
    from hedgeflow.studies.markets import Market

TESTED_TOGETHER: Final = 10
"""Hedges between one fit and the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Hedges:
    """Hedges that could be told from ordinary flow, in the order in which they began.

    Attributes
    ----------
    demand : ndarray, shape (n,)
        In the units of the tiers.
    minutes : ndarray, shape (n,)
        Observed response.
    start_ns, known_ns : ndarray, shape (n,)
        When the event began, and when its response was known.
    """

    demand: FloatArray
    minutes: FloatArray
    start_ns: IntArray
    known_ns: IntArray


@dataclass(frozen=True, slots=True)
class ResponseFit:
    """Errors of three forecasts of the response, on hedges that none of them was fitted on.

    Attributes
    ----------
    hedges : int
        That could be told from ordinary flow.
    tested : int
        Of them, those that came after a fit.
    calibrated, tiers, constant : float
        Mean absolute errors, log minutes: of the calibrated model, of the source's tiers, and of
        the mean of what was fitted on.
    r_squared, r_squared_tiers : float or None
        1 - squared errors / squared errors of the constant; below zero the constant was better.
    """

    hedges: int
    tested: int
    calibrated: float
    tiers: float
    constant: float
    r_squared: float | None
    r_squared_tiers: float | None

    @property
    def sentence(self) -> str:
        """All of it in words."""
        better = self.calibrated < min(self.tiers, self.constant)
        return (
            f"Out of sample, on {self.tested:,} hedges that came after the fit (walk-forward,"
            " purged, with the observation window as embargo), the calibrated response was off by"
            f" {self.calibrated:.2f} log minutes on average, the tiers by {self.tiers:.2f}, the"
            f" mean of the past by {self.constant:.2f}"
            f"{_ratio(self.r_squared)}: {'the best' if better else 'not the best'} of the three."
        )


def response_fit(
    market: Market, config: VolumeShockConfig, events: pl.DataFrame
) -> ResponseFit | None:
    """Return how well the calibrated response foretells, None where there is too little to say.

    Parameters
    ----------
    market : Market
    config : VolumeShockConfig
    events : polars.DataFrame
        The scan's, as they stood when they closed.

    Notes
    -----
    Look-ahead: each fit knows hedges that were over more than the observation window before the
    first of those it is tested on began.
    """
    found = hedges_of(market, config, events)
    if found is None:
        return None
    window_ns = round(config.observation.window_minutes * MINUTE_NS)
    return forecast_errors(found, config.response, window_ns)


def response_notes(market: Market, config: VolumeShockConfig, events: pl.DataFrame) -> list[str]:
    """Return what a package says of the calibrated response, where it is in use and can be told."""
    if config.response.model != "calibrated":
        return []
    found = response_fit(market, config, events)
    return [] if found is None else [found.sentence]


def hedges_of(market: Market, config: VolumeShockConfig, events: pl.DataFrame) -> Hedges | None:
    """Return the hedges that the model is calibrated on; None without signed trades."""
    if market.flow is None:
        return None
    ordered = events.sort("event_id")
    event = ordered["event_id"].to_numpy()
    seen = observe(market.flow, event, ordered["first_ns"].to_numpy(), observation_rules(config))
    place = np.searchsorted(event, seen["event_id"].to_numpy())
    usable = can_calibrate(seen, ordered["demand"].to_numpy()[place])
    kept = seen.filter(usable)
    return Hedges(
        ordered["scaled"].to_numpy()[place][usable],
        kept["response_minutes"].to_numpy(),
        ordered["first_ns"].to_numpy()[place][usable],
        kept["known_ns"].to_numpy(),
    )


def forecast_errors(hedges: Hedges, rules: Response, embargo_ns: int) -> ResponseFit | None:
    """Return the errors of three forecasts by walk-forward; None for fewer hedges than two parts.

    Parameters
    ----------
    hedges : Hedges
    rules : Response
        The tiers, the limits of the model and how many hedges it needs.
    embargo_ns : int
        Between the end of what is fitted on and the test.
    """
    usable = (np.abs(hedges.demand) > 0) & (hedges.minutes > 0) & np.isfinite(hedges.minutes)
    demand, minutes = hedges.demand[usable], hedges.minutes[usable]
    needed, count = rules.calibration_observations, int(usable.sum())
    if count <= needed:
        return None
    folds = walk_forward(
        hedges.start_ns[usable],
        hedges.known_ns[usable],
        train=needed,
        test=TESTED_TOGETHER,
        embargo=embargo_ns,
    )
    observed = np.log(minutes)

    def calibrated(train: IntArray, test: IntArray) -> FloatArray:
        fit = fit_response(demand[train], minutes[train], needed)
        if fit is None:
            return np.full(test.size, np.nan)
        # As `response_minutes`: where larger demands took longer, smaller ones than seen count as
        # the smallest.
        least = fit.smallest_demand if fit.b > 0.0 else 0.0
        sizes = np.maximum(np.abs(demand[test]), least)
        limits = rules.shortest_minutes, rules.longest_minutes
        forecast = [calibrated_response_minutes(size, fit.a, fit.b, *limits) for size in sizes]
        return np.log(np.array(forecast))

    def constant(train: IntArray, test: IntArray) -> FloatArray:
        mean = observed[train].mean() if train.size >= needed else np.nan
        return np.full(test.size, mean)

    model = held_out(folds, count, calibrated)
    mean = held_out(folds, count, constant)
    tiers = np.log(np.array([_tier(each, rules) for each in demand]))
    tested = np.isfinite(model) & np.isfinite(mean)
    if not tested.any():
        return None

    def error(forecast: FloatArray) -> float:
        return float(np.abs(forecast[tested] - observed[tested]).mean())

    tiers_tested = np.where(tested, tiers, np.nan)
    return ResponseFit(
        hedges=count,
        tested=int(tested.sum()),
        calibrated=error(model),
        tiers=error(tiers),
        constant=error(mean),
        r_squared=out_of_sample_r_squared(observed, model, mean),
        r_squared_tiers=out_of_sample_r_squared(observed, tiers_tested, mean),
    )


def _tier(demand: float, rules: Response) -> float:
    return tier_response_minutes(
        demand,
        rules.emergency_demand,
        rules.urgent_demand,
        rules.emergency_minutes,
        rules.urgent_minutes,
        rules.routine_minutes,
    )


def _ratio(r_squared: float | None) -> str:
    return "" if r_squared is None else f" (R² against that mean {r_squared:.2f})"
