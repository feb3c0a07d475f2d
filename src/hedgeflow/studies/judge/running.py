"""Trials run in parallel processes, kept in a file as they finish, and never run twice."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import DataError, HedgeflowError
from hedgeflow.studies.backtesting import code_version
from hedgeflow.studies.judge.bench import bench_of
from hedgeflow.studies.processes import results_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hedgeflow.studies.judge.figures import Row
    from hedgeflow.studies.judge.worlds import Trial

SECONDS_BETWEEN_WRITES: Final = 30.0


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
    return {
        "key": trial.key,
        "code_version": code_version(),
        "made": made,
        "scenario": trial.base,
        "world": trial.world,
        "peak_bps": trial.peak_bps,
        "days": scenario.days,
        "seed": scenario.seed,
        **bench_of(scenario.strategy).figures_of(scenario),
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
        At least one; all of one strategy.
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
        A process was ended from outside, or the code was changed meanwhile.
    """
    strategy = wanted[0].scenario.strategy
    known = _table([], strategy)
    if results is not None and results.exists():
        known = read_results(results, strategy)
    keys = [trial.key for trial in wanted]
    done = set(known["key"].to_list())
    waiting = [trial for trial, key in zip(wanted, keys, strict=True) if key not in done]
    unknown = set(keys) - done
    rows: list[Row] = []
    saved = time.monotonic()
    try:
        work = partial(run_trial, made=made)
        for row in results_of(work, waiting, workers=workers, what="a trial"):
            if row["key"] not in unknown:
                raise HedgeflowError(
                    "the code was changed while trials ran, so that they are not of one version",
                    hint="Run them again; trials of another version are not taken from the file",
                )
            rows.append(row)
            if progress is not None:
                progress(len(wanted) - len(waiting) + len(rows), len(wanted))
            if time.monotonic() - saved > SECONDS_BETWEEN_WRITES:
                _save(pl.concat([known, _table(rows, strategy)]), results)
                saved = time.monotonic()
    finally:
        if rows:
            _save(pl.concat([known, _table(rows, strategy)]), results)
    order = pl.DataFrame({"key": keys}, schema={"key": pl.String})
    every = pl.concat([known, _table(rows, strategy)])
    return order.join(every, on="key", how="left", maintain_order="left")


def read_results(path: Path, strategy: str = "volume-shock") -> pl.DataFrame:
    """Return the trials of a strategy that a file holds.

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
    if table.schema != pl.Schema(bench_of(strategy).schema):
        raise DataError(
            f"holds no results of a calibration of {strategy}, or another version's",
            where=str(path),
            hint=hint,
        )
    return table


def _table(rows: list[Row], strategy: str) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=bench_of(strategy).schema, orient="row")


def _save(table: pl.DataFrame, path: Path | None) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    table.write_parquet(fresh)
    fresh.replace(path)
