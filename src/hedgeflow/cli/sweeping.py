"""The commands that try many configurations: sweep, and walk-forward."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hedgeflow.cli.clock import now, now_ns
from hedgeflow.cli.naming import check_strategy, named_day, named_market
from hedgeflow.cli.options import (
    CatalogOption,
    ConfigOption,
    JournalOption,
    JsonOption,
    PresetOption,
    SetOption,
    StrategyArgument,
    UnderlyingOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.sweep.candidates import Search
    from hedgeflow.studies.sweep.results import Objective
    from hedgeflow.studies.sweep.sweeping import Effort, Sweep
    from hedgeflow.studies.sweep.trying import CatalogGround
    from hedgeflow.studies.sweep.walking import WalkForward


OutOption = Annotated[Path, typer.Option("--out", metavar="OUT", help="Folder of the result.")]
GridOption = Annotated[
    list[str] | None,
    typer.Option("--grid", metavar="KEY=A,B,…", help="Values of a setting; may be repeated."),
]
RandomOption = Annotated[
    int | None,
    typer.Option("--random", metavar="N", help="Draw so many configurations at random."),
]
SpaceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--space",
        metavar="KEY=LOW:HIGH[:log]",
        help="Draw a setting from there; without any, the strategy's own space.",
    ),
]
ScansOption = Annotated[
    int | None,
    typer.Option("--scans", metavar="N", help="Draw so many scans; else one for each 25."),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Of the draws.")]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Processes; else one for each processor.")
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="Trade from this UTC date on.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="DATE", help="Know nothing from this UTC date on.")
]
ObjectiveOption = Annotated[
    str, typer.Option("--objective", help="Choose by sharpe (daily, net) or expectancy (bps).")
]
Found = TypeVar("Found", "Sweep", "WalkForward")

SHOWN = 10
WALK_FORWARD = "walk_forward"


def sweep(
    strategy: StrategyArgument,
    catalog: CatalogOption,
    underlying: UnderlyingOption,
    out: OutOption,
    grid: GridOption = None,
    draws: RandomOption = None,
    space: SpaceOption = None,
    scans: ScansOption = None,
    seed: SeedOption = 1,
    objective: ObjectiveOption = "sharpe",
    from_date: FromOption = None,
    until_date: UntilOption = None,
    jobs: JobsOption = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    journal: JournalOption = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE.md", help="Write a page of Markdown there, too."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try many configurations, count every one, and say what the best is worth."""
    from hedgeflow.studies.pages import check_page, write_page
    from hedgeflow.studies.sweep.page import MARK, sweep_html, sweep_markdown
    from hedgeflow.studies.sweep.sweeping import sweep as run_sweep
    from hedgeflow.studies.sweep.writing import check_folder, write_folder

    check_strategy(strategy)
    chosen_by = _objective(objective)
    check_folder(out, "sweep")
    if page is not None:
        check_page(page, MARK)
    _, base = named_market(strategy, catalog, underlying, preset, config, settings)
    ground = _ground(catalog, underlying, journal, from_date, until_date)
    search = _search(base, grid, draws, space, scans, seed)
    name = "Sweep"
    with progress_bars([name], quiet=as_json) as progress:
        found = run_sweep(
            ground,
            base,
            search,
            jobs=_jobs(jobs),
            timestamp=now(),
            objective=chosen_by,
            progress=lambda stage, done, total: progress(name, stage, done, total),
        )
    tables = {"configurations": found.configurations, "daily_net": found.record.daily_table()}
    simulated = found.document.simulated
    html = write_folder(
        out, "sweep", found.document, tables, sweep_html(found), simulated=simulated
    )
    if page is not None:
        title = f"{search.kind.capitalize()} search on {underlying} ({catalog.name})"
        write_page(page, sweep_markdown(found, title), MARK)
    _print_found(found, html, _print_best, as_json=as_json)


def walk_forward(
    strategy: StrategyArgument,
    catalog: CatalogOption,
    underlying: UnderlyingOption,
    out: OutOption,
    train_sessions: Annotated[
        int, typer.Option("--train-sessions", min=1, help="Sessions to choose on.")
    ] = 20,
    test_sessions: Annotated[
        int, typer.Option("--test-sessions", min=1, help="Sessions to trade the choice in.")
    ] = 5,
    anchored: Annotated[
        bool, typer.Option("--anchored", help="Choose on all that came before.")
    ] = False,
    embargo_minutes: Annotated[
        float,
        typer.Option("--embargo-minutes", help="Leave out trades that end so shortly before."),
    ] = 60.0,
    grid: GridOption = None,
    draws: RandomOption = None,
    space: SpaceOption = None,
    scans: ScansOption = None,
    seed: SeedOption = 1,
    objective: ObjectiveOption = "sharpe",
    from_date: FromOption = None,
    until_date: UntilOption = None,
    jobs: JobsOption = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose a configuration on some sessions, trade it on the next, again and again."""
    from hedgeflow.studies.sweep.folds import Scheme
    from hedgeflow.studies.sweep.page import walk_forward_html
    from hedgeflow.studies.sweep.walking import walk_forward as run_walk_forward
    from hedgeflow.studies.sweep.writing import check_folder, write_folder

    check_strategy(strategy)
    check_folder(out, WALK_FORWARD)
    scheme = Scheme(train_sessions, test_sessions, anchored, embargo_minutes, _objective(objective))
    _, base = named_market(strategy, catalog, underlying, preset, config, settings)
    ground = _ground(catalog, underlying, journal, from_date, until_date)
    search = _search(base, grid, draws, space, scans, seed)
    name = "Walk-forward"
    with progress_bars([name], quiet=as_json) as progress:
        found = run_walk_forward(
            ground,
            base,
            search,
            scheme,
            jobs=_jobs(jobs),
            timestamp=now(),
            progress=lambda stage, done, total: progress(name, stage, done, total),
        )
    document = found.document
    tables = {"trades": found.trades, "daily_net": found.record.daily_table()}
    html = write_folder(
        out,
        WALK_FORWARD,
        document,
        tables,
        walk_forward_html(found),
        simulated=document.simulated,
    )
    _print_found(found, html, _print_folds, as_json=as_json)


def _print_folds(found: WalkForward) -> None:
    columns = (
        "fold", "tested from", "to", "chosen", "in sample: bps", "Sharpe", "out of sample: bps",
        "Sharpe", "trades",
    )  # fmt: skip
    print_table(
        columns,
        [
            (
                each.number,
                each.test_first,
                each.test_last,
                each.chosen,
                None if each.in_sample is None else each.in_sample.expectancy_bps,
                None if each.in_sample is None else each.in_sample.sharpe_annualised,
                each.out_of_sample.expectancy_bps,
                each.out_of_sample.sharpe_annualised,
                each.out_of_sample.trades,
            )
            for each in found.document.folds
        ],
        numeric=(columns[0], *columns[3:]),
    )


def _search(
    base: StrategyConfig,
    grid: list[str] | None,
    draws: int | None,
    space: list[str] | None,
    scans: int | None,
    seed: int,
) -> Search:
    from hedgeflow.studies.sweep.candidates import grid_search, random_search

    if grid and draws is None and not space and scans is None:
        return grid_search(base, grid)
    if draws is not None and not grid:
        return random_search(base, draws, space or [], seed=seed, scans=scans)
    given = "both" if grid and draws is not None else "neither"
    if grid and draws is None:
        given = "--space or --scans beside --grid, which go with --random"
    raise typer.BadParameter(
        f"name either --grid or --random, not {given}", param_hint="'--grid' / '--random'"
    )


def _ground(
    catalog: Path,
    underlying: str,
    journal: str | None,
    from_date: str | None,
    until_date: str | None,
) -> CatalogGround:
    from hedgeflow.market.errors import ConfigError
    from hedgeflow.studies.backtesting import JOURNAL_FILE
    from hedgeflow.studies.sweep.trying import CatalogGround

    begin, end = _instant(from_date, "--from"), _instant(until_date, "--until")
    if begin is not None and end is not None and begin >= end:
        raise ConfigError(
            f"{from_date} is not before {until_date}", where="--from", hint="Choose an earlier one"
        )
    return CatalogGround(catalog, underlying, journal or catalog / JOURNAL_FILE, now_ns, begin, end)


def _instant(text: str | None, where: str) -> int | None:
    from datetime import UTC, datetime

    from hedgeflow.market.time import SECOND_NS

    if text is None:
        return None
    day = named_day(text, where)
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND_NS


def _objective(text: str) -> Objective:
    from hedgeflow.market.errors import ConfigError
    from hedgeflow.studies.sweep.results import OBJECTIVES

    if text not in OBJECTIVES:
        raise ConfigError(
            f"'{text}' is no objective", where="--objective", hint=f"Use {' or '.join(OBJECTIVES)}"
        )
    return "sharpe" if text == "sharpe" else "expectancy"


def _jobs(jobs: int | None) -> int:
    import os

    return jobs or os.cpu_count() or 1


def _print_found(
    found: Found, html: Path, print_rows: Callable[[Found], None], *, as_json: bool
) -> None:
    import json

    from hedgeflow.evidence.plain import dumps
    from hedgeflow.studies.sweep.sweeping import Effort

    document = found.document
    if as_json:
        print_json({"page": str(html), **json.loads(dumps(document))})
        return
    print_simulated(simulated=document.simulated)
    print_rows(found)
    for sentence in document.conclusion:
        typer.echo(sentence)
    typer.echo(_effort_words(Effort.of(found.record.tried)))
    typer.echo(f"Page: {html}")


def _print_best(found: Sweep) -> None:
    columns = (
        "number", "trades", "win rate %", "net bps", "net USD", "Sharpe", "verdict",
    )  # fmt: skip
    top = found.configurations.sort("sharpe_annualised", descending=True, nulls_last=True)
    print_table(
        columns,
        [
            (
                row["number"],
                row["trades"],
                None if row["win_rate"] is None else 100.0 * row["win_rate"],
                row["expectancy_bps"],
                row["net_usd"],
                row["sharpe_annualised"],
                row["verdict"] or "ruled out by counts",
            )
            for row in top.head(SHOWN).iter_rows(named=True)
        ],
        numeric=columns[:-1],
    )


def _effort_words(effort: Effort) -> str:
    known = f", {effort.known:,} of them known to the journal" if effort.known else ""
    text = f"{effort.tried:,} configurations{known}"
    if effort.speed_up is None:
        return f"{text}; no scan was needed."
    seconds = effort.scan_seconds + effort.replay_seconds
    return (
        f"{text}: {effort.scans:,} scans and the replays took {seconds:,.0f} s of processor time,"
        f" {effort.speed_up:.1f} times less than with a scan for each."
    )
