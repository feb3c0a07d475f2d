"""The strategy against draws in which it knows nothing: p-values, and what the draws earned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hedgeflow.evidence.estimates import Estimate, FloatArray, missing
from hedgeflow.evidence.rates import exact_bounds
from hedgeflow.evidence.tables import NullDraws
from hedgeflow.evidence.trades import Trades
from hedgeflow.strategies.claims import NullKind

NAMES = {
    NullKind.MATCHED_ENTRIES: "matched random entries",
    NullKind.DIRECTIONS: "directions dealt out again",
    NullKind.SESSION_DIRECTIONS: "directions of whole sessions turned",
    NullKind.PERMUTED_BARS: "bars permuted by blocks of days",
    NullKind.BLOCK_PROFIT: "daily profit drawn in blocks about zero",
    NullKind.SHIFTED_FILLS: "fills shifted in time",
}
"""What each null is called where no draws bring a name of their own."""

HISTOGRAM_BINS = 40
_TIE = 1e-9
"""Draws that are so near are as good: the same trades, added up in another way."""


@dataclass(frozen=True, slots=True)
class HistogramBin:
    """How many null draws fell between two edges.

    Attributes
    ----------
    lower, upper : float
        Edges, basis points.
    count : int
        Draws between them.
    """

    lower: float
    upper: float
    count: int


@dataclass(frozen=True, slots=True)
class NullResult:
    """The strategy against its null draws.

    Attributes
    ----------
    kind : NullKind
        Which null.
    name, description, draws
        The null in words and how often it was drawn.
    distinct : int or None
        How many equally likely draws there are at all, where that limits the p-value.
    p_value, p_value_win_rate : float or None
        (1 + draws that reached the figure) / (1 + draws), of the mean and of the win rate.
    observed_mean_net_bps, observed_win_rate : float or None
        The strategy's own trades, followed once more by the code that follows the draws;
        coherence holds them against what the trades earned, on which the exceedances are counted.
    exceedances_mean, exceedances_win_rate : int or None
        Draws that reached the trades' figure.
    null_mean_net_bps, null_win_rate : Estimate
        Mean and central 95 % of the draws.
    histogram_mean_net_bps : tuple of HistogramBin
        All draws.
    reason : str
        Why there are none.
    """

    kind: NullKind
    name: str
    description: str
    draws: int
    distinct: int | None
    p_value: float | None
    p_value_win_rate: float | None
    observed_mean_net_bps: float | None
    observed_win_rate: float | None
    exceedances_mean: int | None
    exceedances_win_rate: int | None
    null_mean_net_bps: Estimate
    null_win_rate: Estimate
    histogram_mean_net_bps: tuple[HistogramBin, ...]
    reason: str


def matched_p_value(observed: float, draws: FloatArray) -> tuple[float, int]:
    """Return the Monte Carlo p-value of `observed` and the number of draws that reach it.

    Parameters
    ----------
    observed : float
        The strategy's statistic; larger is better.
    draws : ndarray, shape (draws,)
        The statistic under the null.

    Notes
    -----
    (1 + #{draw ≥ observed}) / (1 + draws), which is valid at any number of draws:
    A. C. Davison and D. V. Hinkley, *Bootstrap Methods and their Application* (1997), 4.2;
    B. Phipson and G. K. Smyth, *Stat. Appl. Genet. Mol. Biol.* 9 (2010) 39. Ties count against
    the strategy.
    """
    slack = _TIE * max(1.0, abs(observed))
    exceedances = int((draws >= observed - slack).sum())
    return (1 + exceedances) / (1 + int(draws.size)), exceedances


def against(kind: NullKind, null: NullDraws | None, trades: Trades, reason: str) -> NullResult:
    """Return the strategy's mean and win rate against a null's draws.

    Parameters
    ----------
    kind : NullKind
    null : NullDraws or None
    trades : Trades
    reason : str
        Why there are no draws.
    """
    if null is None or trades.count == 0 or null.mean_net_bps.size == 0:
        name = NAMES[kind] if null is None else null.name
        description = "" if null is None else null.description
        reason = reason if trades.count else "no trades"
        gone = missing(reason)
        return NullResult(
            kind,
            name,
            description,
            0,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            gone,
            gone,
            (),
            reason,
        )
    p_mean, over_mean = matched_p_value(float(trades.net_bps.mean()), null.mean_net_bps)
    p_rate, over_rate = matched_p_value(trades.wins / trades.count, null.win_rate)
    return NullResult(
        kind,
        null.name,
        null.description,
        int(null.mean_net_bps.size),
        null.distinct,
        p_mean,
        p_rate,
        null.observed_mean_net_bps,
        null.observed_win_rate,
        over_mean,
        over_rate,
        _null_estimate(null.mean_net_bps),
        _null_estimate(null.win_rate),
        _histogram(null),
        "",
    )


def largest(
    nulls: tuple[NullResult, ...], what: str, found: list[tuple[float | None, int | None]]
) -> Estimate:
    """Return the largest of p-values and of the bounds of their Monte Carlo error.

    Parameters
    ----------
    nulls : tuple of NullResult
    what : str
        The figure that is compared.
    found : list
        Its p-value and the draws that reached it, for each null.

    Returns
    -------
    Estimate
        `n` is the fewest draws of any null, or different draws beside the strategy itself, if those
        are fewer: they decide how small a p-value could have been.
    """
    larger = ", the largest p-value" if len(nulls) > 1 else ""
    method = (
        f"{what} against {', and against '.join(null.name for null in nulls)}{larger}:"
        " (1 + draws reached) / (1 + draws); bounds are the Monte Carlo error"
    )
    if not nulls:
        return missing("the strategy declares no null", method=method)
    values: list[float] = []
    bounds: list[tuple[float, float]] = []
    for null, (value, reached) in zip(nulls, found, strict=True):
        if value is None or reached is None:
            return missing(null.reason, method=method)
        values.append(value)
        bounds.append(exact_bounds(reached, null.draws))
    value = max(values)
    return Estimate(
        value,
        min(value, max(low for low, _ in bounds)),
        max(value, *(high for _, high in bounds)),
        min(_telling(null) for null in nulls),
        method,
    )


def _telling(null: NullResult) -> int:
    return null.draws if null.distinct is None else min(null.draws, null.distinct - 1)


def _null_estimate(draws: FloatArray) -> Estimate:
    lower, upper = np.quantile(draws, [0.025, 0.975])
    method = "mean of the null draws; bounds are their 2.5 and 97.5 % quantiles"
    return Estimate(float(draws.mean()), float(lower), float(upper), int(draws.size), method)


def _histogram(null: NullDraws) -> tuple[HistogramBin, ...]:
    counts, edges = np.histogram(null.mean_net_bps, bins=HISTOGRAM_BINS)
    return tuple(
        HistogramBin(float(lower), float(upper), int(count))
        for lower, upper, count in zip(edges[:-1], edges[1:], counts, strict=True)
    )
