"""What alerts said of hedges, against what they were: demand and response time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.hedge_response import observe
from hedgeflow.strategies.volume_shock.rules import observation_rules
from hedgeflow.studies.scoring.figures import Rate, Ratios, ratios
from hedgeflow.studies.scoring.matching import latest_shock
from hedgeflow.studies.scoring.shocks import RESPONSE_MODELS, TIERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.scoring.shocks import Found


_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class DemandScore:
    """Hedge demand against the true one of the shock.

    Attributes
    ----------
    moment : str
        ``at decision`` or ``at close``.
    sign_right : Rate
    ratio : Ratios
        D over the shock's true demand; at the decision not all of the shock has printed.
    """

    moment: str
    sign_right: Rate
    ratio: Ratios


@dataclass(frozen=True, slots=True)
class BandScore:
    """The 95 % band of demand, which holds the doubt about the signs of the prints counted so far.

    Attributes
    ----------
    of_same_prints : Rate
        Alerts whose band holds the true demand of the very prints that they counted.
    of_shock : Rate
        Alerts whose band holds the shock's whole true demand.
    """

    of_same_prints: Rate
    of_shock: Rate


@dataclass(frozen=True, slots=True)
class ResponseScore:
    """A response time over the true one, both from the event's first anomaly to half of the hedge.

    Attributes
    ----------
    source : str
        ``tiers`` and each tier, ``calibrated`` (what alerts expected), or ``observed`` (what the
        hedge instrument's tape showed afterwards).
    ratio : Ratios
        The correlation is of logarithms.
    """

    source: str
    ratio: Ratios


@dataclass(frozen=True, slots=True)
class ResponseScores:
    """Expected and observed responses against the truth.

    Attributes
    ----------
    scores : tuple of ResponseScore
    delay_seconds : float or None
        Median time from a shock's first print to its event's first anomaly, the origin of all.
    observed : Rate
        Events on shocks after which the tape showed a hedge, of those where it can be told; where
        nobody hedged, the rate of false ones.
    """

    scores: tuple[ResponseScore, ...]
    delay_seconds: float | None
    observed: Rate


def demand_scores(
    found: Found, sign_errors: Mapping[tuple[int, int, str], float]
) -> tuple[tuple[DemandScore, ...], BandScore]:
    """Return what demand was said to be, over what it was, and how good its band is.

    Parameters
    ----------
    found : Found
    sign_errors : mapping
        By event, trigger and contract: what the counted prints' true demand is more.
    """
    shocks = found.shocks.select(
        "shock_first_ns", "shock_last_ns", pl.col("demand").alias("true_demand")
    )
    alerts = latest_shock(found.alerts, shocks, found.window_ns)
    events = latest_shock(found.events.filter("decided"), shocks, found.window_ns)
    keys = alerts.select("event_id", "triggered_ns", "contract").rows()
    error = np.array([sign_errors.get((e, t, c), np.nan) for e, t, c in keys])
    low, high = alerts["demand_low"].to_numpy(), alerts["demand_high"].to_numpy()
    slack = 1e-9 * np.maximum(1.0, np.abs(alerts["demand"].to_numpy()))

    def inside(value: NDArray[np.float64]) -> Rate:
        known = np.isfinite(value)
        return Rate.among(((low - slack <= value) & (value <= high + slack))[known])

    scores = tuple(
        _demand_score(moment, frame.filter(pl.col("true_demand").is_not_null()))
        for moment, frame in (("at decision", alerts), ("at close", events))
    )
    true = alerts["true_demand"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return scores, BandScore(inside(alerts["demand"].to_numpy() + error), inside(true))


def response_scores(found: Found, market: Market, config: VolumeShockConfig) -> ResponseScores:
    """Return expected and observed responses over the true ones, from one origin: see the class.

    The estimate is made for a time that begins with the event's first anomaly, because that is
    from when responses are observed; so the truth is counted from there too.
    """
    shocks = found.shocks.select(
        "shock_first_ns", "shock_last_ns", pl.col("response_minutes").alias("true_minutes")
    )
    behind = (pl.col("first_ns") - pl.col("shock_first_ns")) / MINUTE_NS
    alerts = latest_shock(found.alerts, shocks, found.window_ns).with_columns(
        true_minutes=pl.col("true_minutes") - behind
    )
    hedged = alerts.filter(pl.col("true_minutes") > 0.0)
    scores: list[ResponseScore] = []
    for model in RESPONSE_MODELS:
        rows = hedged.filter(pl.col("response_model") == model)
        scores.append(_response_score(model, rows))
        if model == TIERS:
            scores += [
                _response_score(f"{model}, {minutes:g} min", part)
                for (minutes,), part in rows.sort("response_minutes").group_by(
                    "response_minutes", maintain_order=True
                )
            ]
    events = latest_shock(found.events, shocks, found.window_ns).with_columns(
        behind=behind, true_minutes=pl.col("true_minutes") - behind
    )
    events = events.filter(pl.col("behind").is_not_null())
    observed = Rate.out_of(0, 0)
    if market.flow is not None:
        table = observe(
            market.flow,
            events["event_id"].to_numpy(),
            events["first_ns"].to_numpy(),
            observation_rules(config),
        )
        seen = events.select("event_id", "true_minutes").join(
            table.select("event_id", "observed", "response_minutes"), on="event_id", how="inner"
        )
        observed = Rate.among(seen["observed"].drop_nulls().to_numpy())
        timed = seen.filter(pl.col("observed") & (pl.col("true_minutes") > 0.0))
        scores.append(_response_score("observed", timed))
    delay = events.select(pl.col("behind").median() * _SECONDS).item()
    return ResponseScores(tuple(scores), delay, observed)


def _demand_score(moment: str, rows: pl.DataFrame) -> DemandScore:
    demand, true = rows["demand"].to_numpy(), rows["true_demand"].to_numpy()
    return DemandScore(moment, Rate.among(np.sign(demand) == np.sign(true)), ratios(demand, true))


def _response_score(source: str, rows: pl.DataFrame) -> ResponseScore:
    estimate = rows["response_minutes"].to_numpy().astype(np.float64)
    true = rows["true_minutes"].to_numpy().astype(np.float64)
    return ResponseScore(source, ratios(estimate, true, log_correlation=True))
