"""The command that puts the judge on trial: verdicts on markets whose right verdict is known."""

from __future__ import annotations

import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from hedgeflow.cli.clock import moment
from hedgeflow.cli.options import JsonOption, StrategyOption
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bar

if TYPE_CHECKING:
    import polars as pl

    from hedgeflow.simulate import Scenario
    from hedgeflow.studies.judge import Calibration, World
    from hedgeflow.studies.judge.expiries import ExpiryCalibration
    from hedgeflow.studies.judge.outcomes import Share

EXPIRATIONS: Final = "expiration-pressure"
SIZES: Final = (0.0, 2.0, 5.0, 10.0, 18.0, 30.0, 45.0, 60.0)
"""Peak impacts of a shock's typical hedge, basis points."""


def calibrate_judge(
    strategy: StrategyOption = "volume-shock",
    scenario: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="The market with the effect: preset or TOML."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Sessions of a trial.")] = None,
    null_seeds: Annotated[
        int | None, typer.Option(min=1, help="Trials of the null market and of the coin's.")
    ] = None,
    side_seeds: Annotated[
        int | None, typer.Option(min=1, help="Trials of the trap and of the fair barriers.")
    ] = None,
    effect_seeds: Annotated[
        int | None, typer.Option(min=1, help="Trials of each world, or size, with the effect.")
    ] = None,
    effects: Annotated[
        str | None,
        typer.Option(metavar="BPS,BPS,…", help="Sizes: peak impacts, basis points."),
    ] = None,
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
    from hedgeflow.studies.judge import MARK, bench_of, latest_run, read_results
    from hedgeflow.studies.pages import check_page, write_page

    bench = bench_of(strategy)
    seeds = _Seeds(null_seeds, side_seeds, effect_seeds)
    sizes = None if effects is None else _sizes(effects)
    if strategy == EXPIRATIONS:
        _refuse_of_shocks(side_seeds, sizes)
    if page_only and results is None:
        raise typer.BadParameter("name the results with --results", param_hint="'--page-only'")
    if out is not None:
        check_page(out, MARK)
    if page_only and results is not None:
        table = latest_run(read_results(results, strategy), str(results), bench.worlds)
    else:
        base = _market(scenario or bench.scenario, days, strategy)
        worlds = _worlds(base, seeds, sizes)
        table = _run(worlds, first_seed, workers or os.cpu_count() or 1, results, quiet=as_json)
    found = bench.calibration_of(table)
    if out is not None:
        write_page(out, bench.page_of(found), MARK)
    if as_json:
        print_json(_document(found))
        return
    _print(found)
    for what, path in (("results", results), ("page", out)):
        if path is not None:
            typer.echo(f"{what}: {path}")


class _Seeds(NamedTuple):
    """Trials of each kind of world, where they were named."""

    null: int | None
    side: int | None
    effect: int | None


def _refuse_of_shocks(side_seeds: int | None, sizes: list[float] | None) -> None:
    for hint, given in (("'--side-seeds'", side_seeds), ("'--effects'", sizes)):
        if given is not None:
            raise typer.BadParameter(
                f"only volume-shock has such worlds; {EXPIRATIONS} has pin, repel and mixed, each"
                " at two sizes",
                param_hint=hint,
            )


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


def _market(named: str, days: int | None, strategy: str) -> Scenario:
    from hedgeflow.simulate import load_scenario
    from hedgeflow.studies.scenario_settings import config_of

    base = load_scenario(named, [] if days is None else [f"days={days}"])
    if base.strategy != strategy:
        from hedgeflow.market.errors import ConfigError

        raise ConfigError(
            f"the market is made to judge {base.strategy}, not {strategy}",
            where=named,
            hint=f"Name another one with --scenario, or --strategy {base.strategy}",
        )
    config_of(base)
    return base


def _worlds(base: Scenario, seeds: _Seeds, sizes: list[float] | None) -> tuple[World, ...]:
    if base.strategy == EXPIRATIONS:
        from hedgeflow.studies.judge.expiries import expiry_worlds_of

        return expiry_worlds_of(base, null_seeds=seeds.null or 100, effect_seeds=seeds.effect or 20)
    from hedgeflow.studies.judge import worlds_of

    return worlds_of(
        base,
        null_seeds=seeds.null or 400,
        side_seeds=seeds.side or 100,
        effect_seeds=seeds.effect or 40,
        effects=sizes or SIZES,
    )


def _run(
    worlds: tuple[World, ...],
    first_seed: int,
    workers: int,
    results: Path | None,
    *,
    quiet: bool,
) -> pl.DataFrame:
    from hedgeflow.studies.judge import run_trials, trials_of

    wanted = trials_of(worlds, first_seed)
    made = moment().date().isoformat()
    if not quiet:
        typer.echo(f"SIMULATED: {len(wanted):,} trials on {workers} processes", err=True)
    with progress_bar("Trials", quiet=quiet) as progress:
        return run_trials(wanted, workers=workers, made=made, results=results, progress=progress)


def _document(found: Calibration | ExpiryCalibration) -> dict[str, Any]:
    from hedgeflow.studies.judge import Calibration

    document = {
        "simulated": True,
        **asdict(found),
        "oversized": [asdict(each) for each in found.oversized],
    }
    if isinstance(found, Calibration):
        document["overconfident"] = [asdict(each) for each in found.overconfident]
    return document


def _print(found: Calibration | ExpiryCalibration) -> None:
    from hedgeflow.studies.judge import Calibration

    print_simulated(simulated=True)
    typer.echo(
        f"{found.trials:,} trials of scenario {found.scenario}, {found.days} sessions each, in"
        f" {found.seconds / 60.0:,.1f} minutes of processor time"
    )
    if isinstance(found, Calibration):
        _print_shocks(found)
    else:
        _print_expiries(found)


def _print_shocks(found: Calibration) -> None:
    from hedgeflow.studies.judge import coverage_verdict, levels_verdict

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
                _percent(each.win_rate),
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


def _print_expiries(found: ExpiryCalibration) -> None:
    from hedgeflow.studies.judge.expiries import levels_verdict, power_words, sides_words

    columns = (
        "world", "trials", "trades", "right side %", "dealer-gamma bps", "pin bps",
        "steer-away bps", "p below 0.01", "VALIDATED",
    )  # fmt: skip
    print_table(
        columns,
        [
            (
                each.world,
                each.trials,
                each.median_trades,
                _percent(each.sides.traded.rate) if each.sides.traded.trials else None,
                *(each.directions[name].net_bps for name in ("dealer-gamma", "pin", "steer-away")),
                each.significant.count,
                _share(each.validated),
            )
            for each in found.outcomes
        ],
        numeric=columns[1:],
    )
    typer.echo(f"Right side: {sides_words(found.outcomes)}")
    typer.echo(f"Power: {power_words(found.with_edge)}")
    typer.echo(f"Tests at their levels: {levels_verdict(found).replace('*', '')}")


def _percent(rate: float | None) -> float | None:
    return None if rate is None else 100.0 * rate


def _share(share: Share) -> str:
    low, high = share.bounds
    return f"{share.count} ({100.0 * low:.2f} to {100.0 * high:.2f} %)"
