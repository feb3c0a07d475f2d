"""The calibration of the judge: everything that its trials show, from one table of results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.studies.judge.levels import (
    Counted,
    Coverage,
    coverage_of_intervals,
    levels_of_tests,
)
from hedgeflow.studies.judge.outcomes import Outcome, outcomes
from hedgeflow.studies.judge.worlds import EFFECT, WITHOUT_EDGE

if TYPE_CHECKING:
    from collections.abc import Sequence


Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class TrialsOf(Generic[Kind]):
    """What the trials of any strategy's judge show.

    Attributes
    ----------
    scenario : str
        Name of the market with the effect, from which the worlds were made.
    days : int
        Its sessions.
    code_version : str
    made : tuple of str
        First and last date on which trials were run.
    first_seed : int
    trials : int
    seconds : float
        Processor time of all of them.
    outcomes : tuple
        One a world.
    levels : tuple of Counted
        Tests, where their own null is true.
    """

    scenario: str
    days: int
    code_version: str
    made: tuple[str, str]
    first_seed: int
    trials: int
    seconds: float
    outcomes: tuple[Kind, ...]
    levels: tuple[Counted, ...]

    @property
    def oversized(self) -> tuple[Counted, ...]:
        """Tests that reject more often than they promise, beyond chance."""
        return tuple(each for each in self.levels if each.above)


@dataclass(frozen=True, slots=True)
class Calibration(TrialsOf[Outcome]):
    """What the trials of a judge show.

    Attributes
    ----------
    coverage : tuple of Coverage
        Intervals.
    """

    coverage: tuple[Coverage, ...]

    @property
    def without_edge(self) -> tuple[Outcome, ...]:
        """The worlds in which VALIDATED is false."""
        return tuple(each for each in self.outcomes if each.world in WITHOUT_EDGE)

    @property
    def with_edge(self) -> tuple[Outcome, ...]:
        """The sizes of the effect, ascending."""
        found = [each for each in self.outcomes if each.world not in WITHOUT_EDGE]
        return tuple(sorted(found, key=lambda each: each.peak_bps))

    @property
    def overconfident(self) -> tuple[Counted, ...]:
        """Intervals whose lower bounds exceed the truth more often than they promise."""
        return tuple(each.too_high for each in self.coverage if each.too_high.above)


def calibration_of(table: pl.DataFrame) -> Calibration:
    """Return what a table of results shows.

    Parameters
    ----------
    table : polars.DataFrame
        See `Bench.schema`; of one version of the code, one scenario and one length, as
        `latest_run` gives it.
    """
    return Calibration(
        **run_facts(table),
        outcomes=outcomes(table),
        levels=levels_of_tests(table),
        coverage=coverage_of_intervals(table),
    )


def run_facts(table: pl.DataFrame) -> dict[str, Any]:
    """Return what was run, by the names that a calibration of any strategy gives it."""
    return {
        "scenario": str(table["scenario"][0]),
        "days": int(table["days"][0]),
        "code_version": str(table["code_version"][0]),
        "made": (min(table["made"].to_list()), max(table["made"].to_list())),
        "first_seed": min(table["seed"].to_list()),
        "trials": table.height,
        "seconds": float(table["seconds"].sum()),
    }


def latest_run(
    table: pl.DataFrame, where: str, worlds: Sequence[str] = (*WITHOUT_EDGE, EFFECT)
) -> pl.DataFrame:
    """Return the results with the code, scenario and length of the last trial in a file.

    A seed that was tried twice, because the scenario of that name was edited between, counts as it
    was tried last.

    Raises
    ------
    DataError
        It holds no trial.
    """
    if table.is_empty():
        raise DataError("holds no trial", where=where, hint="Run the calibration first")
    same = [pl.col(name) == table[name][-1] for name in ("code_version", "scenario", "days")]
    order = {name: place for place, name in enumerate(worlds)}
    last = table.filter(*same).unique(["world", "peak_bps", "seed"], keep="last")
    return last.sort(pl.col("world").replace_strict(order, default=len(order)), "peak_bps", "seed")
