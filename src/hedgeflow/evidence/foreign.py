"""Coherence of packages made elsewhere, as far as their printed digits allow."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from hedgeflow.evidence.checks import Check, JsonObject, compared, not_checkable, number, section
from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL
from hedgeflow.evidence.rates import binomial_p_value, cohen_h
from hedgeflow.evidence.sharpe import implied_sharpe

SHARPE_FACTOR = 2.0
"""A stated Sharpe ratio further than this factor from the implied one contradicts it."""
P_VALUE_FACTOR = 2.0
NATURAL_NULLS = (0.5, 0.8)
"""Win rates that an unnamed null could mean: a coin flip, and the claim itself."""

_RATE_TEXT = re.compile(r"[Ww]in rate\s+(\d+(?:\.\d+)?)\s*%")
_INTERVAL_TEXT = re.compile(r"CI:?\s*(\d+(?:\.\d+)?)\s*%\s*[-–]\s*(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class Stated:
    """A printed number and one unit of its last digit (it may be rounded or cut off)."""

    value: float
    unit: float


@dataclass(frozen=True, slots=True)
class StatedClass:
    """A class's printed figures."""

    name: str
    rate: Stated | None
    trades: int | None


def foreign_checks(package: JsonObject) -> list[Check]:
    """Check a package of the source's shape.

    Parameters
    ----------
    package : mapping
        Parsed JSON with ``statistical_measures``, ``performance_by_flow_type``, and the win rate
        and its interval as numbers or in a sentence such as "Win rate 83.7% (CI: 78.1%-89.3%)".
    """
    rate, interval = _overall(package)
    classes = _classes(package)
    trades = number(package, "statistical_measures", "sample_size")
    return [
        *_integer_counts(rate, trades, classes),
        _sizes(trades, classes),
        _weighted_mean(rate, classes),
        _interval(rate, trades, interval),
        _p_value(package, rate, trades),
        _effect(package, rate),
        _sharpe(package, rate),
    ]


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in cast("JsonObject", value).values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in cast("list[object]", value) for text in _texts(item)]
    return []


def _printed(value: float, scale: float = 1.0, text: str | None = None) -> Stated:
    digits = (text if text is not None else repr(value)).partition(".")[2]
    return Stated(value * scale, scale * 10.0 ** -len(digits))


def _overall(package: JsonObject) -> tuple[Stated | None, tuple[Stated, Stated] | None]:
    rate: Stated | None = None
    interval: tuple[Stated, Stated] | None = None
    for key in ("overall_win_rate", "win_rate"):
        value = number(package, "performance_metrics", key)
        if value is not None and rate is None:
            rate = _printed(value)
    bounds = section(package, "performance_metrics").get("win_rate_confidence_interval")
    if isinstance(bounds, list):
        ends = [float(end) for end in cast("list[object]", bounds) if isinstance(end, (int, float))]
        if len(ends) == 2:
            interval = _printed(ends[0]), _printed(ends[1])
    for text in _texts(package):
        found, spread = _RATE_TEXT.search(text), _INTERVAL_TEXT.search(text)
        if rate is None and found is not None:
            rate = _printed(float(found[1]), 0.01, found[1])
        if interval is None and spread is not None:
            interval = (
                _printed(float(spread[1]), 0.01, spread[1]),
                _printed(float(spread[2]), 0.01, spread[2]),
            )
    return rate, interval


def _classes(package: JsonObject) -> list[StatedClass]:
    parts = section(package, "performance_by_flow_type")
    found: list[StatedClass] = []
    for name in parts:
        rate, trades = number(parts, name, "win_rate"), number(parts, name, "sample_size")
        found.append(
            StatedClass(
                name,
                None if rate is None else _printed(rate),
                None if trades is None else int(trades),
            )
        )
    return found


def _integer_counts(
    rate: Stated | None, trades: float | None, classes: list[StatedClass]
) -> list[Check]:
    checks: list[Check] = []
    groups: list[tuple[str, Stated | None, int | None]] = [
        ("overall", rate, None if trades is None else int(trades))
    ]
    groups += [(item.name, item.rate, item.trades) for item in classes]
    for name, stated, size in groups:
        label = f"integer-count-{name}"
        if stated is None or not size:
            checks.append(not_checkable(label, f"{name}: no win rate or no sample size"))
            continue
        wins = round(stated.value * size)
        nearest = min(max(0, wins), size)
        gap = abs(nearest / size - stated.value)
        possible = gap <= stated.unit * (1 + 1e-9)
        words = f"is {nearest} wins" if possible else "is no whole number of wins"
        checks.append(
            Check(
                label,
                "HOLDS" if possible else "FAILED",
                f"{name}: {100 * stated.value:g} % of {size} {words} "
                f"({stated.value * size:.2f}; the nearest count gives "
                f"{100 * nearest / size:.2f} %).",
                stated.value,
                nearest / size,
            )
        )
    return checks


def _sizes(trades: float | None, classes: list[StatedClass]) -> Check:
    sizes = [item.trades for item in classes if item.trades is not None]
    if trades is None or not sizes or len(sizes) != len(classes):
        return not_checkable("class-sizes", "sample sizes are not all stated")
    return compared("class-sizes", "trades of all classes", trades, float(sum(sizes)), 0.0)


def _weighted_mean(rate: Stated | None, classes: list[StatedClass]) -> Check:
    parts = [
        (item.rate, item.trades)
        for item in classes
        if item.rate is not None and item.trades is not None
    ]
    if rate is None or not parts or len(parts) != len(classes):
        return not_checkable("weighted-mean", "the classes' rates or sizes are not all stated")
    total = sum(size for _, size in parts)
    mean = sum(stated.value * size for stated, size in parts) / total
    slack = rate.unit + sum(stated.unit * size for stated, size in parts) / total
    return compared("weighted-mean", "win rate from its classes", rate.value, mean, slack)


def _interval(
    rate: Stated | None, trades: float | None, interval: tuple[Stated, Stated] | None
) -> Check:
    from scipy.stats import beta, binomtest, norm

    if rate is None or not trades or interval is None:
        return not_checkable("interval", "no interval, or no counts to recompute it from")
    size = int(trades)
    low, high = interval
    tail = (1.0 - CONFIDENCE_LEVEL) / 2.0
    z = float(norm.ppf(1.0 - tail))
    fits: list[tuple[str, float, float]] = []
    for wins in {math.floor(rate.value * size), math.ceil(rate.value * size)}:
        for method in ("wilson", "wilsoncc", "exact"):
            bounds = binomtest(wins, size).proportion_ci(CONFIDENCE_LEVEL, method=method)
            fits.append((method, float(bounds.low), float(bounds.high)))
        share = wins / size
        half = z * math.sqrt(share * (1.0 - share) / size)
        fits.append(("Wald", share - half, share + half))
        shape = wins + 0.5, size - wins + 0.5
        fits.append(("Jeffreys", float(beta.ppf(tail, *shape)), float(beta.ppf(1 - tail, *shape))))
    fits.sort()
    best = min(fits, key=lambda fit: max(abs(fit[1] - low.value), abs(fit[2] - high.value)))
    agree = abs(best[1] - low.value) <= low.unit and abs(best[2] - high.value) <= high.unit
    words = f"is the {best[0]} interval" if agree else "is no usual interval of its counts"
    return Check(
        "interval",
        "HOLDS" if agree else "FAILED",
        f"win-rate interval: stated {low.value:.3f} to {high.value:.3f} {words} "
        f"(the nearest, {best[0]}, is {best[1]:.4f} to {best[2]:.4f}).",
        low.value,
        best[1],
    )


def _p_value(package: JsonObject, rate: Stated | None, trades: float | None) -> Check:
    stated = number(package, "statistical_measures", "p_value")
    if stated is None or rate is None or not trades:
        return not_checkable("p-value", "no p-value, or no counts to recompute it from")
    size = int(trades)
    wins = round(rate.value * size)
    again = {null: binomial_p_value(wins, size, null) for null in NATURAL_NULLS}
    near = [
        null
        for null, value in again.items()
        if value > 0.0 and 1.0 / P_VALUE_FACTOR <= stated / value <= P_VALUE_FACTOR
    ]
    listed = ", ".join(f"{value:.2g} against {null:.0%}" for null, value in again.items())
    if near:
        text = f"p = {stated:g} fits {wins} of {size} against {near[0]:.0%}."
        return Check("p-value", "HOLDS", text, stated, again[near[0]])
    text = f"p = {stated:g} names no null and fits none of {wins} wins of {size} ({listed})."
    return Check("p-value", "FAILED", text, stated, again[NATURAL_NULLS[0]])


def _effect(package: JsonObject, rate: Stated | None) -> Check:
    stated = number(package, "statistical_measures", "effect_size")
    if stated is None or rate is None:
        return not_checkable("effect-size", "no effect size is stated")
    again = cohen_h(rate.value, 0.5)
    agree = abs(stated - again) <= 0.01
    words = "is" if agree else "is unnamed, and is not"
    return Check(
        "effect-size",
        "HOLDS" if agree else "FAILED",
        f"effect size {stated:g} {words} Cohen's h of the win rate against 50 % ({again:.2f}).",
        stated,
        again,
    )


def _sharpe(package: JsonObject, rate: Stated | None) -> Check:
    metrics = section(package, "performance_metrics")
    stated = number(metrics, "sharpe_ratio")
    win, loss = number(metrics, "average_win_points"), number(metrics, "average_loss_points")
    frequency = number(metrics, "trades_per_session")
    if stated is None or rate is None or win is None or loss is None or frequency is None:
        return not_checkable("sharpe", "win rate, payoff, frequency and Sharpe are not all stated")
    per_year = number(metrics, "sessions_per_year") or 252.0
    implied = implied_sharpe(rate.value, win, abs(loss), frequency, per_year)
    if implied is None:
        return not_checkable("sharpe", "a win rate of 0 or 1 implies no Sharpe ratio")
    ratio = stated / implied if implied else math.inf
    agree = 1.0 / SHARPE_FACTOR <= ratio <= SHARPE_FACTOR
    words = "fits" if agree else "contradicts"
    return Check(
        "sharpe",
        "HOLDS" if agree else "FAILED",
        f"Sharpe {stated:g} {words} the {implied:.1f} that win rate, payoff and frequency imply.",
        stated,
        implied,
    )
