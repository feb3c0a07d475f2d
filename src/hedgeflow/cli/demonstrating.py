"""The command that shows the whole way without data: simulated markets, each with its verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hedgeflow.cli.clock import now
from hedgeflow.cli.options import (
    JsonOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgeflow.evidence.report.comparison import Judged
    from hedgeflow.studies.demo import DemoMarket


def demo(
    out: Annotated[Path, typer.Option(help="Folder of markets and reports.")] = Path("out/demo"),
    market: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="both (effect and null), a preset of the simulator, or a scenario's TOML file.",
        ),
    ] = "both",
    days: Annotated[
        int | None, typer.Option(min=12, max=400, help="Days to simulate; else the scenario's own.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the simulated markets; else the scenario's own.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate a market with the effect and one without, and judge both. SIMULATED throughout."""
    from hedgeflow.studies.demo import INDEX_FILE, DemoMarket, demo_scenarios, run_demo

    timestamp = now()
    markets = [
        DemoMarket(scenario, out, timestamp)
        for scenario in demo_scenarios(market, days=days, seed=seed)
    ]
    if not as_json:
        print_simulated(simulated=True)
    names = [each.name for each in markets]
    with progress_bars(names, quiet=as_json) as progress:
        judged = run_demo(markets, progress)
    if as_json:
        print_json(_document(markets, judged, out / INDEX_FILE))
        return
    for each, said in zip(markets, judged, strict=True):
        typer.echo(
            f"{each.name}: {each.scenario.days} days, seed {each.scenario.seed}. {said.truth}"
        )
    _print_figures(judged)
    for each in markets:
        typer.echo(f"Report on {each.name}: {each.package / 'report.html'}")
    typer.echo(f"Open this page: {out / INDEX_FILE}")


def _document(
    markets: Sequence[DemoMarket], judged: Sequence[Judged], page: Path
) -> dict[str, Any]:
    from hedgeflow.evidence.checks import section
    from hedgeflow.evidence.report.comparison import COMPARED

    return {
        "simulated": True,
        "page": str(page),
        "markets": [
            {
                "market": each.name,
                "days": each.scenario.days,
                "seed": each.scenario.seed,
                "truth": said.truth,
                "has_effect": said.has_effect,
                "report": str(each.package / "report.html"),
                "trades": section(said.package, "performance_metrics")["trades"],
                **{path[-1]: section(said.package, *path) for _, path in COMPARED},
                "experimental_validity": said.package["experimental_validity"],
            }
            for each, said in zip(markets, judged, strict=True)
        ],
    }


def _print_figures(judged: Sequence[Judged]) -> None:
    from hedgeflow.evidence.report.comparison import compared_figures

    rows = [("an effect to find", *("yes" if each.has_effect else "no" for each in judged))]
    rows += [
        (
            name,
            *(
                _ascii(f"{each.text} ({each.interval})" if each.interval else each.text)
                for each in shown
            ),
        )
        for name, shown in compared_figures(judged)
    ]
    rows.append(("Verdict", *(each.label for each in judged)))
    print_table(("", *(each.name for each in judged)), rows)


def _ascii(figure: str) -> str:
    """Return a figure as terminals and searches know it: plain blanks and minus signs."""
    from hedgeflow.evidence.report.words import MINUS, SPACE

    return figure.replace(SPACE, " ").replace(MINUS, "-")
