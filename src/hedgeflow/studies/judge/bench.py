"""What the judge is tried with for each strategy: its market, a trial's figures, its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from hedgeflow.studies.strategies import study_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hedgeflow.simulate import Scenario
    from hedgeflow.studies.judge.figures import Row

COMMON: Final[dict[str, type[pl.DataType]]] = {
    "key": pl.String,
    "code_version": pl.String,
    "made": pl.String,
    "scenario": pl.String,
    "world": pl.String,
    "peak_bps": pl.Float64,
    "days": pl.Int64,
    "seed": pl.Int64,
    "seconds": pl.Float64,
}
"""Columns of every trial, whatever is tried."""


@dataclass(frozen=True, slots=True)
class Bench:
    """How one strategy's claim is put on trial.

    Attributes
    ----------
    scenario : str
        Preset of the market with the effect, unless another is named.
    worlds : tuple of str
        Names of the worlds, in the order in which they are shown.
    schema : mapping
        Columns of the results: one row a trial.
    figures_of : callable
        Simulates a scenario, judges the claim on it, and returns the figures of a trial.
    calibration_of : callable
        What a table of results shows.
    page_of : callable
        That as a page.
    """

    scenario: str
    worlds: tuple[str, ...]
    schema: Mapping[str, type[pl.DataType]]
    figures_of: Callable[[Scenario], Row]
    calibration_of: Callable[[pl.DataFrame], Any]
    page_of: Callable[[Any], str]


def bench_of(strategy: str) -> Bench:
    """Return how a strategy is put on trial.

    Raises
    ------
    ConfigError
        There is no such strategy.
    """
    study_named(strategy)
    if strategy == "expiration-pressure":
        from hedgeflow.studies.judge.expiries import calibration_of, page_of
        from hedgeflow.studies.judge.expiries.figures import FIGURES, figures_of
        from hedgeflow.studies.judge.expiries.worlds import WORLDS

        return Bench("expiry-friday", WORLDS, COMMON | FIGURES, figures_of, calibration_of, page_of)
    from hedgeflow.studies.judge import calibration, figures, page, worlds

    return Bench(
        "calibration",
        (*worlds.WITHOUT_EDGE, worlds.EFFECT),
        COMMON | figures.FIGURES,
        figures.figures_of_market,
        calibration.calibration_of,
        page.page_of,
    )
