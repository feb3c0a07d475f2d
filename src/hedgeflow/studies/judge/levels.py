"""How often tests reject and intervals miss where they should not, against what chance allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.studies.judge.figures import TESTS, TriedTest
from hedgeflow.studies.judge.outcomes import Share
from hedgeflow.studies.judge.worlds import COIN, EFFECT, NULL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LEVELS: Final = (0.01, 0.05, 0.10)
TAIL: Final = 0.025
"""Nominal share of 95 % intervals that lie wholly above the truth."""
BAND: Final = 0.01
"""Chance that any of the counts exceeds its bound though every test keeps its level."""
FEWEST_TRIALS: Final = 20
"""Trials below which a world's truth is not known well enough to speak of coverage."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Events that a nominal rate allows so many of.

    Attributes
    ----------
    what, world : str
        The test or interval, and where it was tried.
    nominal : float
        The rate that is promised.
    count, trials : int
    most : int
        The largest count within the simultaneous band.
    """

    what: str
    world: str
    nominal: float
    count: int
    trials: int
    most: int

    @property
    def above(self) -> bool:
        """Whether the count shows that the promise is not kept."""
        return self.count > self.most


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often an interval of one world lay above the truth, and below it.

    Attributes
    ----------
    too_high : Counted
        Lower bounds above the truth: what could make a gate pass that should not.
    too_low : Share
        Upper bounds below it.
    truth : float
        The figure of all of the world's trials pooled.
    """

    too_high: Counted
    too_low: Share
    truth: float


def most_allowed(trials: int, nominal: float, comparisons: int) -> int:
    """Return the largest count that stays in the band.

    Parameters
    ----------
    trials : int
    nominal : float
    comparisons : int
        Counts that are judged together.

    Notes
    -----
    The exact binomial's upper tail beyond it has at most probability `BAND` / `comparisons`: by
    Bonferroni's inequality no more than `BAND` that any exceeds it, however they depend.
    """
    from scipy.stats import binom

    return int(binom.isf(BAND / comparisons, trials, nominal))


def levels_of_tests(table: pl.DataFrame, tests: Sequence[TriedTest] = TESTS) -> tuple[Counted, ...]:
    """Return how often each test rejected where its own null hypothesis is true.

    Parameters
    ----------
    table : polars.DataFrame
        Results, see `Bench.schema`. A test without any p-value in a world is left out.
    tests : sequence of TriedTest
    """
    found = [
        (test.name, world, values)
        for test in tests
        for world in test.worlds
        if (values := _of(table, world)[f"p:{test.name}"].drop_nulls()).len()
    ]
    comparisons = len(LEVELS) * len(found)
    return tuple(
        Counted(
            name,
            world,
            level,
            int((values <= level).sum()),
            values.len(),
            most_allowed(values.len(), level, comparisons),
        )
        for name, world, values in found
        for level in LEVELS
    )


def coverage_of_intervals(table: pl.DataFrame) -> tuple[Coverage, ...]:
    """Return how often intervals missed the truth, in the worlds that have trials enough.

    The truth is the same figure of all trials of a world pooled, so that it has an error of its
    own, smaller than a trial's by the root of their number.
    """
    tried = [
        (name, world, rows)
        for world, rows in _covered_worlds(table)
        for name in TRUTHS
        if rows[f"lower:{name}"].count() >= FEWEST_TRIALS
    ]
    return tuple(
        coverage
        for name, world, rows in tried
        if (coverage := _coverage(name, world, rows, len(tried))) is not None
    )


def _covered_worlds(table: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    worlds = [(world, _of(table, world)) for world in (NULL, COIN)]
    effects = _of(table, EFFECT)
    return worlds + [
        (f"{EFFECT}, {size:g} bps", effects.filter(pl.col("peak_bps") == size))
        for size in sorted(effects["peak_bps"].unique().to_list())
    ]


def _coverage(name: str, world: str, rows: pl.DataFrame, comparisons: int) -> Coverage | None:
    lower, upper = rows[f"lower:{name}"].drop_nulls(), rows[f"upper:{name}"].drop_nulls()
    sums = {
        column.removeprefix("sum:"): float(rows[column].sum())
        for column in rows.columns
        if column.startswith("sum:")
    } | {"trades": float(rows["trades"].sum())}
    truth = TRUTHS[name](sums, float(rows["sessions_per_year"][0]))
    if truth is None:
        return None
    high = Counted(
        name,
        world,
        TAIL,
        int((lower > truth).sum()),
        lower.len(),
        most_allowed(lower.len(), TAIL, comparisons),
    )
    return Coverage(high, Share(int((upper < truth).sum()), upper.len()), truth)


def _of(table: pl.DataFrame, world: str) -> pl.DataFrame:
    return table.filter(pl.col("world") == world)


def _mean(part: str, whole: str) -> Callable[[Mapping[str, float], float], float | None]:
    return lambda sums, _: sums[part] / sums[whole] if sums[whole] else None


def _sharpe(sums: Mapping[str, float], per_year: float) -> float | None:
    count = sums["sessions"]
    mean = sums["daily"] / count
    variance = sums["daily_squares"] / count - mean**2
    return mean / math.sqrt(variance) * math.sqrt(per_year) if variance > 0.0 else None


def _moments(sums: Mapping[str, float]) -> tuple[float, float, float]:
    count = sums["events"]
    mean_x, mean_y = sums["x"] / count, sums["y"] / count
    return (
        sums["xx"] / count - mean_x**2,
        sums["xy"] / count - mean_x * mean_y,
        sums["yy"] / count - mean_y**2,
    )


def _r_squared(sums: Mapping[str, float], _: float) -> float | None:
    if not sums["events"]:
        return None
    of_x, of_both, of_y = _moments(sums)
    if of_x <= 0.0 or of_y <= 0.0:
        return None
    r = of_both / math.sqrt(of_x * of_y)
    return r * abs(r)


def _slope(sums: Mapping[str, float], _: float) -> float | None:
    if not sums["events"]:
        return None
    of_x, of_both, _of_y = _moments(sums)
    return of_both / of_x if of_x > 0.0 else None


TRUTHS: Final[Mapping[str, Callable[[Mapping[str, float], float], float | None]]] = {
    "win_rate": _mean("wins", "trades"),
    "win_rate_day_clustered": _mean("wins", "trades"),
    "sharpe_annualised": _sharpe,
    "expectancy_bps": _mean("net_bps", "trades"),
    "expectancy_points": _mean("net_points", "trades"),
    "r_squared": _r_squared,
    "slope": _slope,
    "flow_class_accuracy": _mean("classes_right", "classes"),
}
"""How the sums of all trials give the truth of an interval; takes also the sessions of a year."""
