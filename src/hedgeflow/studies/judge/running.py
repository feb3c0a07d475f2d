"""Trials run in parallel processes, kept in a file as they finish, and never run twice."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.strategies.volume_shock.claims import GATES
from hedgeflow.studies.backtesting import code_version
from hedgeflow.studies.judge.figures import INTERVALS, SUMS, TESTS, figures_of
from hedgeflow.studies.processes import results_of
from hedgeflow.studies.scenario_settings import config_of
from hedgeflow.studies.simulated_markets import judged_in_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hedgeflow.studies.judge.figures import Row
    from hedgeflow.studies.judge.worlds import Trial

SECONDS_BETWEEN_WRITES: Final = 30.0

SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "key": pl.String,
    "code_version": pl.String,
    "made": pl.String,
    "scenario": pl.String,
    "world": pl.String,
    "peak_bps": pl.Float64,
    "days": pl.Int64,
    "seed": pl.Int64,
    "seconds": pl.Float64,
    "verdict": pl.String,
    "source_verdict": pl.String,
    "coherent": pl.Boolean,
    "trades": pl.Int64,
    "sessions_per_year": pl.Float64,
    "barrier_rate": pl.Float64,
    **{f"gate:{gate.id}": pl.String for gate in GATES},
    **{f"p:{test.name}": pl.Float64 for test in TESTS},
    **{f"{end}:{name}": pl.Float64 for name in INTERVALS for end in ("value", "lower", "upper")},
    **{f"sum:{name}": pl.Float64 for name in SUMS},
}
"""Columns of the results: one row a trial."""


def run_trial(trial: Trial, made: str) -> Row:
    """Simulate one trial's market, judge the claim on it and return the row of its figures.

    Parameters
    ----------
    trial : Trial
    made : str
        Date of the run; handed in, and part of the row.
    """
    begun = time.process_time()
    scenario = trial.scenario
    validation = judged_in_memory(scenario, config_of(scenario))
    return {
        "key": trial.key,
        "code_version": code_version(),
        "made": made,
        "scenario": trial.base,
        "world": trial.world,
        "peak_bps": trial.peak_bps,
        "days": scenario.days,
        "seed": scenario.seed,
        **figures_of(validation, scenario.seed),
        "seconds": time.process_time() - begun,
    }


def run_trials(
    wanted: Sequence[Trial],
    *,
    workers: int,
    made: str,
    results: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Return the rows of all trials, in their order; what the file holds already is not run again.

    Parameters
    ----------
    wanted : sequence of Trial
    workers : int
        Processes, of one thread each; the figures do not depend on it.
    made : str
        Date of the run, for the rows.
    results : Path, optional
        Parquet file that finished trials are added to every half minute, at the end, and when the
        run is stopped; it is replaced whole, so that it is never half-written.
    progress : callable, optional
        Called with trials finished and trials to be had.

    Raises
    ------
    DataError
        The file holds something else.
    HedgeflowError
        A process was ended from outside.
    """
    known = read_results(results) if results is not None and results.exists() else _table([])
    keys = [trial.key for trial in wanted]
    done = set(known["key"].to_list())
    waiting = [trial for trial, key in zip(wanted, keys, strict=True) if key not in done]
    rows: list[Row] = []
    saved = time.monotonic()
    try:
        work = partial(run_trial, made=made)
        for row in results_of(work, waiting, workers=workers, what="a trial"):
            rows.append(row)
            if progress is not None:
                progress(len(wanted) - len(waiting) + len(rows), len(wanted))
            if time.monotonic() - saved > SECONDS_BETWEEN_WRITES:
                _save(known, rows, results)
                saved = time.monotonic()
    finally:
        if rows:
            _save(known, rows, results)
    order = pl.DataFrame({"key": keys}, schema={"key": pl.String})
    return order.join(pl.concat([known, _table(rows)]), on="key", how="left", maintain_order="left")


def read_results(path: Path) -> pl.DataFrame:
    """Return the trials that a file holds.

    Raises
    ------
    DataError
        It cannot be read, or holds something else.
    """
    hint = "Name the file that an earlier calibration wrote, or a new one"
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as cause:
        raise DataError(
            "cannot be read as results of a calibration", where=str(path), hint=hint
        ) from cause
    if table.schema != pl.Schema(SCHEMA):
        raise DataError(
            "holds no results of a calibration, or another version's", where=str(path), hint=hint
        )
    return table


def _table(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _save(known: pl.DataFrame, rows: list[Row], path: Path | None) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    pl.concat([known, _table(rows)]).write_parquet(fresh)
    fresh.replace(path)
