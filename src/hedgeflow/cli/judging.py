"""The command that puts the judge on trial: verdicts on markets whose right verdict is known."""

from __future__ import annotations

import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hedgeflow.cli.clock import moment
from hedgeflow.cli.options import (
    JsonOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bar

if TYPE_CHECKING:
    import polars as pl

    from hedgeflow.studies.judge import Calibration, Trial
    from hedgeflow.studies.judge.outcomes import Share


def calibrate_judge(
    scenario: Annotated[
        str, typer.Option(metavar="SCENARIO", help="The market with the effect: preset or TOML.")
    ] = "calibration",
    days: Annotated[int | None, typer.Option(min=1, help="Sessions of a trial.")] = None,
    null_seeds: Annotated[
        int, typer.Option(min=1, help="Trials of the null market and of the coin's.")
    ] = 400,
    side_seeds: Annotated[
        int, typer.Option(min=1, help="Trials of the trap and of the fair barriers.")
    ] = 100,
    effect_seeds: Annotated[
        int, typer.Option(min=1, help="Trials of each size of the effect.")
    ] = 40,
    effects: Annotated[
        str, typer.Option(metavar="BPS,BPS,…", help="Sizes: peak impacts, basis points.")
    ] = "0,2,5,10,18,30,45,60",
    first_seed: Annotated[int, typer.Option(min=0, help="Each world's first seed.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; else one for each processor.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE.parquet", help="Keep finished trials there; go on from them."),
    ] = None,
    page_only: Annotated[
        bool, typer.Option("--page-only", help="Show what --results holds; run nothing.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Write a page of Markdown there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put the judge on trial: false verdicts, levels of its tests, power. SIMULATED throughout."""
    from hedgeflow.studies.judge import MARK, calibration_of, latest_run, page_of, read_results
    from hedgeflow.studies.pages import check_page, write_page

    sizes = _sizes(effects)
    if page_only and results is None:
        raise typer.BadParameter("name the results with --results", param_hint="'--page-only'")
    if out is not None:
        check_page(out, MARK)
    if page_only and results is not None:
        table = latest_run(read_results(results), str(results))
    else:
        wanted = _wanted(scenario, days, (null_seeds, side_seeds, effect_seeds), sizes, first_seed)
        table = _run(wanted, workers or os.cpu_count() or 1, results, quiet=as_json)
    found = calibration_of(table)
    if out is not None:
        write_page(out, page_of(found), MARK)
    if as_json:
        print_json(_document(found))
        return
    _print(found)
    for what, path in (("results", results), ("page", out)):
        if path is not None:
            typer.echo(f"{what}: {path}")


def _sizes(text: str) -> list[float]:
    try:
        sizes = [float(part) for part in text.split(",")]
    except ValueError:
        sizes = []
    if not sizes or not all(math.isfinite(size) and size >= 0.0 for size in sizes):
        raise typer.BadParameter(
            "name sizes of at least 0 with commas between them, as in 0,10,45",
            param_hint="'--effects'",
        )
    return sizes


def _wanted(
    named: str,
    days: int | None,
    seeds: tuple[int, int, int],
    sizes: list[float],
    first_seed: int,
) -> tuple[Trial, ...]:
    from hedgeflow.simulate import load_scenario
    from hedgeflow.studies.judge import trials_of, worlds_of
    from hedgeflow.studies.scenario_settings import config_of

    base = load_scenario(named, [] if days is None else [f"days={days}"])
    config_of(base)
    null_seeds, side_seeds, effect_seeds = seeds
    worlds = worlds_of(
        base,
        null_seeds=null_seeds,
        side_seeds=side_seeds,
        effect_seeds=effect_seeds,
        effects=sizes,
    )
    return trials_of(worlds, first_seed)


def _run(
    wanted: tuple[Trial, ...], workers: int, results: Path | None, *, quiet: bool
) -> pl.DataFrame:
    from hedgeflow.studies.judge import run_trials

    made = moment().date().isoformat()
    if not quiet:
        typer.echo(f"SIMULATED: {len(wanted):,} trials on {workers} processes", err=True)
    with progress_bar("Trials", quiet=quiet) as progress:
        return run_trials(wanted, workers=workers, made=made, results=results, progress=progress)


def _document(found: Calibration) -> dict[str, Any]:
    return {
        "simulated": True,
        **asdict(found),
        "oversized": [asdict(each) for each in found.oversized],
        "overconfident": [asdict(each) for each in found.overconfident],
    }


def _print(found: Calibration) -> None:
    from hedgeflow.studies.judge import coverage_verdict, levels_verdict

    print_simulated(simulated=True)
    typer.echo(
        f"{found.trials:,} trials of scenario {found.scenario}, {found.days} sessions each, in"
        f" {found.seconds / 60.0:,.1f} minutes of processor time"
    )
    columns = (
        "world", "peak bps", "trials", "trades", "win rate %", "net bps", "p below 0.01",
        "VALIDATED",
    )  # fmt: skip
    print_table(
        columns,
        [
            (
                each.world,
                each.peak_bps,
                each.trials,
                each.median_trades,
                None if each.win_rate is None else 100.0 * each.win_rate,
                each.net_bps,
                each.significant.count,
                _share(each.validated),
            )
            for each in found.outcomes
        ],
        numeric=columns[1:],
    )
    typer.echo(f"Tests at their levels: {levels_verdict(found).replace('*', '')}")
    typer.echo(f"Intervals: {coverage_verdict(found).replace('*', '')}")


def _share(share: Share) -> str:
    low, high = share.bounds
    return f"{share.count} ({100.0 * low:.2f} to {100.0 * high:.2f} %)"
