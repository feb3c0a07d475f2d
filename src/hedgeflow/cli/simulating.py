"""The command that simulates a market with known truth into a new catalog."""

from __future__ import annotations

import shlex
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hedgeflow.cli.data.options import tape_fields
from hedgeflow.cli.options import (
    JsonOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from hedgeflow.simulate import Scenario

MEGABYTE = 1e6
SCORED = "volume-shock"
"""The strategy whose alerts have a truth of their own: `hedgeflow score` reads it."""


def simulate(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="SCENARIO", help="A preset's name, or a TOML file."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="CAT", help="The new catalog's folder.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Sessions to simulate.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of every random stream.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="One key, as in shocks.enabled=false."),
    ] = None,
    list_presets: Annotated[
        bool, typer.Option("--list", help="List the presets; simulate nothing.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Print the scenario's file; simulate nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate a market with known truth into a new catalog. SIMULATED throughout."""
    given = {"--out": out, "--days": days, "--seed": seed, "--set": settings}
    if list_presets:
        _refuse("--list", given | {"SCENARIO": scenario, "--show": show or None})
        _list_presets(as_json=as_json)
        return
    if scenario is None:
        hint = "name a preset (`hedgeflow simulate --list` lists them) or a TOML file"
        raise typer.BadParameter(hint, param_hint="'SCENARIO'")
    if show:
        _refuse("--show", given)
        _show_scenario(scenario, as_json=as_json)
        return
    if out is None:
        hint = "name the folder of the new catalog"
        raise typer.BadParameter(hint, param_hint="'--out'")
    from hedgeflow.simulate import load_scenario
    from hedgeflow.studies.scenario_settings import config_of

    numbers = {"days": days, "seed": seed}
    over = [f"{key}={value}" for key, value in numbers.items() if value is not None]
    chosen = load_scenario(scenario, [*(settings or []), *over])
    config_of(chosen)
    with (
        _new_folder(out) as folder,
        progress_bar("Simulating sessions", quiet=as_json) as progress,
    ):
        _write(chosen, folder, out, progress)
    _print_market(chosen, out, as_json=as_json)


def _refuse(option: str, others: Mapping[str, object]) -> None:
    """Refuse what an option that simulates nothing would not heed."""
    for other, value in others.items():
        if value is not None:
            raise typer.BadParameter(f"{other} means nothing beside it", param_hint=f"'{option}'")


def _list_presets(*, as_json: bool) -> None:
    from hedgeflow.simulate import preset_words, presets

    found = [(name, preset_words(name)) for name in presets()]
    if as_json:
        print_json([{"preset": name, "what": words} for name, words in found])
        return
    print_table(("preset", "what"), found)


def _show_scenario(named: str, *, as_json: bool) -> None:
    from hedgeflow.simulate import load_scenario, preset_text, presets

    chosen = load_scenario(named)
    if as_json:
        print_json(chosen.model_dump(mode="json"))
        return
    typer.echo(
        preset_text(named) if named in presets() else Path(named).read_text("utf-8"), nl=False
    )


@contextmanager
def _new_folder(out: Path) -> Generator[Path]:
    """Give a folder beside `out` that becomes `out` at the end; if it does not, nothing is left.

    What a killed process left of an earlier attempt is replaced; that of a running one is refused.
    """
    from hedgeflow.market.transactions import locked

    target = out.resolve()
    _check_is_free(target, out)
    parents = [each for each in target.parents if not each.exists()]
    aside = target.with_name(f".{target.name}.new")
    aside.mkdir(parents=True, exist_ok=True)
    with locked(aside, "simulation is writing to this folder"):
        try:
            folder = aside / "market"
            shutil.rmtree(folder, ignore_errors=True)
            yield folder
            _check_is_free(target, out)
            if target.exists():
                target.rmdir()
            folder.rename(target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            for parent in parents:
                with suppress(OSError):  # the market is in it
                    parent.rmdir()


def _check_is_free(target: Path, out: Path) -> None:
    from hedgeflow.market.errors import CatalogError

    if not target.exists():
        return
    hint = "Name a folder that does not exist yet with --out"
    if not target.is_dir():
        raise CatalogError("is a file, not a folder", where=str(out), hint=hint)
    if any(target.iterdir()):
        raise CatalogError("the folder is not empty", where=str(out), hint=f"{hint}, or remove it")
    if target == Path.cwd() or target.is_mount():
        raise CatalogError("this folder cannot be replaced by a new one", where=str(out), hint=hint)


def _write(
    scenario: Scenario, folder: Path, out: Path, progress: Callable[[int, int], object] | None
) -> None:
    import polars as pl

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.errors import CatalogError
    from hedgeflow.simulate import write_to_catalog

    failures = (OSError, pl.exceptions.PolarsError)
    try:
        write_to_catalog(scenario, Catalog.create_or_open(folder), progress)
    except (*failures, CatalogError) as cause:
        first = cause.__cause__ if isinstance(cause, CatalogError) else cause
        if not isinstance(first, failures):
            raise
        raise CatalogError(
            f"the market could not be written ({first})",
            where=str(out),
            hint="Nothing of it is left; check disk and permissions, then try again",
        ) from cause


def _print_market(scenario: Scenario, out: Path, *, as_json: bool) -> None:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.time import iso
    from hedgeflow.simulate import TruthTable, read_truth

    catalog = Catalog.open(out)
    tapes = catalog.summaries()
    classes = read_truth(out, TruthTable.SHOCKS)["shock_class"].value_counts().sort("shock_class")
    shocks = dict(classes.rows())
    expiries = read_truth(out, TruthTable.EXPIRIES).height
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if as_json:
        print_json(
            {
                "simulated": True,
                "catalog": str(out),
                "underlying": tapes[0].key.underlying,
                "scenario": scenario.model_dump(mode="json"),
                "tapes": [tape_fields(each.key) | {"rows": each.rows} for each in tapes],
                "shocks": shocks,
                "expiries": expiries,
                "bytes": size,
            }
        )
        return
    print_simulated(simulated=True)
    typer.echo(
        f"{out}: scenario {scenario.preset or 'defaults'}, seed {scenario.seed},"
        f" {scenario.days} sessions, {size / MEGABYTE:,.1f} MB"
    )
    print_table(
        ("tape", "instrument", "rows", "first", "last"),
        [
            (
                str(each.key.kind),
                each.key.instrument,
                each.rows,
                *(None if stamp is None else iso(stamp) for stamp in (each.first_ns, each.last_ns)),
            )
            for each in tapes
        ],
        numeric=("rows",),
    )
    found = [f"{count:,} {name}" for name, count in shocks.items()]
    told = f"shocks: {', '.join(found) or 'none'}"
    if expiries:
        told += f"; expiries that dealers hedge: {expiries:,}"
    typer.echo(f"{told}; their truth is in {out / 'truth'}, which no scan reads")
    place, underlying = shlex.quote(str(out)), tapes[0].key.underlying
    report = shlex.quote(f"{out}-report")
    typer.echo("next:")
    if scenario.strategy == SCORED:
        typer.echo(f"  hedgeflow score --catalog {place}")
    typer.echo(
        f"  hedgeflow validate {scenario.strategy} --catalog {place} --underlying {underlying}"
        f" --out {report}"
    )
