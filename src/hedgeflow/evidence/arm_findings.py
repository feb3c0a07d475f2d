"""What a group of arms says as a whole: break-even costs, the price of delay, room to grow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hedgeflow.evidence.arms import Arm, ArmGroup, SessionFigures
from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL, Estimate, FloatArray, IntArray, missing
from hedgeflow.evidence.latency import LAST_BUCKET, LATENCY_BUCKETS
from hedgeflow.evidence.resampling import (
    RESAMPLED,
    SESSIONS_FOR_INTERVAL,
    Resampling,
    clustered_mean,
    too_few_sessions,
    with_bounds,
)
from hedgeflow.evidence.sign_flips import Sides, sign_flip_p_value
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import session_index

SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class ArmFinding:
    """One figure about a whole group of arms.

    Attributes
    ----------
    group : ArmGroup
        What is varied.
    id, words : str
        Short stable name, unique in its group, and what the figure is.
    unit : str
        Of the figure.
    figure : Estimate
        With its bounds.
    """

    group: ArmGroup
    id: str
    words: str
    unit: str
    figure: Estimate


def arm_findings(
    arms: Sequence[Arm], tables: EvidenceTables, resampling: Resampling
) -> tuple[ArmFinding, ...]:
    """Return what the groups of arms say as wholes; nothing of a group that has no arms.

    Parameters
    ----------
    arms : sequence of Arm
    tables : EvidenceTables
        Of the run itself.
    resampling : Resampling
        Session draws, those of the arms' own figures.
    """
    found: list[ArmFinding] = []
    for group, about in _GROUPS:
        members = [arm for arm in arms if arm.group is group]
        if members:
            found += about(members, tables, resampling)
    return tuple(found)


def _costs(arms: Sequence[Arm], tables: EvidenceTables, resampling: Resampling) -> list[ArmFinding]:
    """Return the cost multiple at which the expectancy is nil: linear through 0 and the run."""
    own = next((arm for arm in arms if arm.reference), None)
    free = next((arm for arm in arms if arm.parameter == 0.0), None)
    charged = 0.0 if own is None or own.parameter is None else own.parameter
    words = "cost multiple at which the expectancy is nil"
    method = "linear in the multiple, through the run without costs and the run itself"
    if own is None or free is None or charged <= 0.0:
        figure = missing("the run was charged no costs", method=method)
    else:

        def crossing(without: FloatArray, with_costs: FloatArray) -> FloatArray:
            taken = without - with_costs
            usable = (without > 0.0) & (taken > 0.0)
            return np.divide(charged * without, taken, out=np.zeros_like(taken), where=usable)

        figure = _of_two(
            free, own, crossing, "loses even without costs", method, tables, resampling
        )
    return [ArmFinding(ArmGroup.COST, "break-even", words, "times the costs", figure)]


def _capacity(
    arms: Sequence[Arm], tables: EvidenceTables, resampling: Resampling
) -> list[ArmFinding]:
    """Return the size at which impact takes the whole expectancy: it grows with its root."""
    arm = next((arm for arm in arms if arm.parameter), None)
    words = "size at which the expectancy is nil"
    method = "impact grows with the root of size, so (expectancy / impact at our size)²"
    if arm is None or arm.parameter is None:
        figure = missing("no size was tried", method=method)
    else:
        tried = arm.parameter

        def size(own: FloatArray, larger: FloatArray) -> FloatArray:
            taken = own - larger
            usable = (own > 0.0) & (taken > 0.0)
            ratio = np.divide(own, taken, out=np.zeros_like(taken), where=usable)
            return tried * ratio**2

        run = Arm(arm.group, "run", "", None, tables.trades)
        reason = "loses at any size, before impact"
        figure = _of_two(run, arm, size, reason, method, tables, resampling)
    return [ArmFinding(ArmGroup.CAPACITY, "largest-size", words, "times our size", figure)]


def _of_two(
    first: Arm,
    second: Arm,
    statistic: Callable[[FloatArray, FloatArray], FloatArray],
    nil: str,
    method: str,
    tables: EvidenceTables,
    resampling: Resampling,
) -> Estimate:
    """Return a statistic of two arms' expectancies; nil is the reason where it does not exist."""
    one, other = (SessionFigures.of(arm.trades, tables.sessions) for arm in (first, second))
    count = int(other.count.sum())
    if not one.count.any() or not other.count.any():
        return missing("no trades", method=method)
    rows = np.arange(resampling.sessions, dtype=np.int64)[np.newaxis]
    value = float(statistic(one.expectancy_bps(rows), other.expectancy_bps(rows))[0])
    if value <= 0.0:
        return missing(nil, n=count, method=method)
    reason = too_few_sessions(other.session)
    if reason:
        return Estimate(value, n=count, method=method, reason=reason)
    drawn = statistic(one.expectancy_bps(resampling.draws), other.expectancy_bps(resampling.draws))
    blocks = resampling.blocks(other.session)
    return with_bounds(value, drawn, n=count, method=f"{method}; {RESAMPLED}", blocks=blocks)


def _latency(
    arms: Sequence[Arm], tables: EvidenceTables, resampling: Resampling
) -> list[ArmFinding]:
    """Return what a minute of delay costs, and results by the time from alert to fill.

    The delay was given to every alert alike, so that it cannot depend on what an alert is worth.
    Of delays that lead to the same fills, because the tape cannot tell them apart, one counts.
    """
    trades = pl.concat(
        arm.trades.with_columns(delay_minutes=pl.lit((arm.parameter or 0.0) / SECONDS_PER_MINUTE))
        for place, arm in enumerate(arms)
        if place == 0 or not _same_fills(arm, arms[place - 1])
    )
    session = session_index(trades["session"], tables.sessions)
    delay = trades["delay_minutes"].to_numpy().astype(np.float64)
    earned = trades["net_bps"].to_numpy().astype(np.float64)
    won = (trades["net_usd"].to_numpy() > 0).astype(np.float64)
    slope, p_value = _slope(delay, earned, session)
    wins, _ = _slope(delay, won, session)
    found = [
        ArmFinding(
            ArmGroup.LATENCY,
            "slope",
            "expectancy lost or won with every minute of delay",
            "bps a minute",
            slope,
        ),
        ArmFinding(
            ArmGroup.LATENCY,
            "slope-wins",
            "win rate lost or won with every minute of delay",
            "share a minute",
            wins,
        ),
        ArmFinding(
            ArmGroup.LATENCY,
            "trend-p-value",
            "that the expectancy does not fall with delay",
            "p-value",
            p_value,
        ),
    ]
    age = trades["age_seconds"].to_numpy().astype(np.float64)
    edges = (*LATENCY_BUCKETS, (LAST_BUCKET, LATENCY_BUCKETS[-1][2], np.inf))
    for name, lower, upper in edges:
        rows = (age >= lower) & (age < upper)
        for kind, values, unit in (("expectancy", earned, "bps"), ("win rate", won, "share")):
            figure = clustered_mean(values[rows], session[rows], resampling)
            words = f"{kind} of fills {name} after detection, all delays together"
            found.append(ArmFinding(ArmGroup.LATENCY, f"{kind} {name}", words, unit, figure))
    return found


def _same_fills(arm: Arm, other: Arm) -> bool:
    return arm.trades.drop("age_seconds").equals(other.trades.drop("age_seconds"))


def _slope(x: FloatArray, y: FloatArray, session: IntArray) -> tuple[Estimate, Estimate]:
    """Return the slope of y on x with session-clustered bounds, and its one-sided p-value.

    References
    ----------
    A. C. Cameron and D. L. Miller, *Journal of Human Resources* 50 (2015) 317–372: clustered
    errors with Student's t of as many degrees of freedom as clusters less one.
    """
    import statsmodels.regression.linear_model

    method = "least squares on the delay, errors clustered by session, Student's t"
    clusters = int(np.unique(session).size)
    if np.unique(x).size < 2:
        none = missing("fewer than two delays traded", n=int(x.size), method=method)
        return none, none
    library: Any = statsmodels.regression.linear_model
    design = np.column_stack((np.ones_like(x), x))
    if clusters < SESSIONS_FOR_INTERVAL:
        value = float(library.OLS(y, design).fit().params[1])
        return Estimate(
            value, n=int(x.size), method=method, reason=too_few_sessions(session)
        ), missing(too_few_sessions(session), n=int(x.size), method=method)
    fit = library.OLS(y, design).fit(
        cov_type="cluster", cov_kwds={"groups": session, "use_correction": True}, use_t=True
    )
    value, variance = float(fit.params[1]), float(fit.cov_params()[1, 1])
    error = math.sqrt(max(0.0, variance))
    if error == 0.0:
        none = missing("every delay had the same outcome", n=int(x.size), method=method)
        return none, none
    from scipy.stats import t

    reach = float(t.ppf(0.5 + CONFIDENCE_LEVEL / 2.0, clusters - 1)) * error
    slope = Estimate(value, value - reach, value + reach, int(x.size), method)
    p_value = float(t.cdf(value / error, clusters - 1))
    return slope, Estimate(p_value, n=int(x.size), method=f"{method}, one-sided")


def _placebos(
    arms: Sequence[Arm], tables: EvidenceTables, resampling: Resampling
) -> list[ArmFinding]:
    """Return how many placebos did at least as well as the run, and what they earned together."""
    traded = [arm for arm in arms if not arm.reference and arm.trades.height]
    run = tables.trades["net_bps"].mean()
    method = "placebos whose expectancy is at least the run's / placebos that traded"
    if not traded or not isinstance(run, float):
        share = missing("no placebo traded", method=method)
        together = missing("no placebo traded")
    else:
        earned = [float(arm.trades["net_bps"].to_numpy().mean()) for arm in traded]
        as_good = sum(value >= run for value in earned)
        share = Estimate(as_good / len(traded), n=len(traded), method=method)
        rows = pl.concat(arm.trades for arm in traded)
        session = session_index(rows["session"], tables.sessions)
        values = rows["net_bps"].to_numpy().astype(np.float64)
        together = clustered_mean(values, session, resampling)
    return [
        ArmFinding(
            ArmGroup.PLACEBO,
            "share-as-good",
            "placebos that did at least as well as the run",
            "share of placebos",
            share,
        ),
        ArmFinding(
            ArmGroup.PLACEBO,
            "expectancy",
            "expectancy of all placebo trades together",
            "bps",
            together,
        ),
    ]


def _directions(
    arms: Sequence[Arm], tables: EvidenceTables, resampling: Resampling
) -> list[ArmFinding]:
    """Return what the choice of the direction is worth: pin less steer, and gamma over a blind one.

    The same alerts are traded both ways, so the differences are of whole sessions; who knows
    nothing takes either side half of the time.
    """
    by_id = {arm.id: SessionFigures.of(arm.trades, tables.sessions).net_usd for arm in arms}
    pin, steer, gamma = (by_id.get(name) for name in ("pin", "steer-away", "dealer-gamma"))
    found: list[ArmFinding] = []
    if pin is not None and steer is not None:
        words = ("pin less steer-away", "that pin and steer-away earn alike")
        found += _worth("pin-less-steer", words, pin - steer, "two-sided", resampling)
        if gamma is not None:
            blind = gamma - 0.5 * (pin + steer)
            words = (
                "dealer-gamma less the mean of pin and steer-away",
                "that dealer-gamma earns no more than the mean of pin and steer-away",
            )
            found += _worth("gamma-over-blind", words, blind, "greater", resampling)
    return found


def _worth(
    name: str, words: tuple[str, str], usd: FloatArray, sides: Sides, resampling: Resampling
) -> list[ArmFinding]:
    """Return a difference of sessions, and the p-value of there being none, each in its words."""
    session = np.flatnonzero(usd)
    none = "no session came out differently"
    worth = clustered_mean(usd[session], session, resampling, none=none)
    flipped = sign_flip_p_value(usd[session], session, seed=resampling.seed, sides=sides, none=none)
    return [
        ArmFinding(ArmGroup.DIRECTION, name, words[0], "USD a session that differs", worth),
        ArmFinding(ArmGroup.DIRECTION, f"{name}-p-value", words[1], "p-value", flipped),
    ]


_GROUPS: tuple[
    tuple[ArmGroup, Callable[[Sequence[Arm], EvidenceTables, Resampling], list[ArmFinding]]],
    ...,
] = (
    (ArmGroup.COST, _costs),
    (ArmGroup.LATENCY, _latency),
    (ArmGroup.PLACEBO, _placebos),
    (ArmGroup.CAPACITY, _capacity),
    (ArmGroup.DIRECTION, _directions),
)
