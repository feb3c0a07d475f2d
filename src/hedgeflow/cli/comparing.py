"""The commands that hold packages against each other, or against themselves made again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from hedgeflow.cli.clock import now
from hedgeflow.cli.options import (
    JsonOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.evidence.comparing import Comparison, FigurePair, Pair
    from hedgeflow.evidence.report.tables import Cell
    from hedgeflow.studies.reproducing import Reproduction

NOT_REPRODUCED = 6
"""The exit code of bad evidence."""
SHOWN_DIFFERENCES = 20
REPRODUCTION_FILE = "reproduction.json"

app = typer.Typer(
    name="evidence",
    help="Look at evidence packages.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Calendars(NamedTuple):
    """The calendar options of a command."""

    files: list[Path]
    kind: str | None
    timezone: str | None


@app.callback()
def evidence() -> None:
    """Look at evidence packages."""


@app.command("compare")
def compare_packages(
    first: Annotated[Path, typer.Argument(metavar="A", help="A package's folder.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The other package's folder.")],
    as_json: JsonOption = False,
) -> None:
    """Say in what two packages differ, and which differences their intervals allow for."""
    from hedgeflow.evidence.comparing import compare
    from hedgeflow.evidence.opening import open_package
    from hedgeflow.evidence.plain import plain

    found = compare(open_package(first), open_package(second))
    if as_json:
        print_json(plain(found))
        return
    _print_comparison(found)


def claims(
    packages: Annotated[
        list[Path], typer.Argument(metavar="PACKAGE...", help="Folders of one strategy's packages.")
    ],
    names: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="What to call each package, in their order."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="PAGE", help="Write a page: FILE.html or FILE.md."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Set what a strategy claims beside what packages found."""
    from hedgeflow.evidence.opening import open_package
    from hedgeflow.evidence.plain import plain
    from hedgeflow.strategies.declared import declaration_of
    from hedgeflow.studies.claims_page import (
        MARK,
        claims_groups,
        claims_html,
        claims_markdown,
        columns_of,
    )
    from hedgeflow.studies.pages import check_page, write_page

    html = out is not None and out.suffix in {".html", ".htm"}
    if out is not None:
        _check_suffix(out)
        check_page(out, MARK)
    columns = columns_of([open_package(each) for each in packages], names or ())
    declaration = declaration_of(columns[0].package.strategy)
    groups = claims_groups(declaration, columns)
    if out is not None:
        page = (
            f"{MARK}\n{claims_html(declaration, columns, now())}"
            if html
            else claims_markdown(declaration, columns)
        )
        write_page(out, page, MARK)
    if as_json:
        simulated = [column.package.simulated for column in columns]
        print_json({"simulated": simulated, "groups": plain(groups), "page": out and str(out)})
        return
    print_simulated(simulated=any(column.package.simulated for column in columns))
    for column in columns:
        typer.echo(f"{column.name}: {column.package.label}")
    for group in groups:
        heads = [head for head, _ in group.table.columns]
        heads[0] = group.title
        rows = [[_words(cell) for cell in row] for row in group.table.rows]
        print_table([*heads[:2], *heads[3:]], [[*row[:2], *row[3:]] for row in rows])
    if out is not None:
        typer.echo(f"page: {out}")


def _check_suffix(out: Path) -> None:
    if out.suffix not in {".html", ".htm", ".md"}:
        from hedgeflow.market.errors import ConfigError

        raise ConfigError(
            f"a page ends in .html or .md, not in {out.suffix or 'nothing'}",
            where="--out",
            hint="As in claims.html",
        )


def _words(cell: Cell) -> str:
    detail = "" if cell.text == "—" else cell.detail  # why there is no figure: pages say it
    told = [cell.text, detail, cell.state.replace("_", " ")]
    return "; ".join(part for part in told if part)


def _print_comparison(found: Comparison) -> None:

    print_simulated(simulated=all(found.simulated))
    for warning in found.warnings:
        typer.echo(f"WARNING: {warning}")
    for name, verdict in zip(found.names, found.verdicts, strict=True):
        typer.echo(f"{name}: {verdict}")
    for name, contradictions in zip(found.names, found.contradictions, strict=True):
        told = " ".join(contradictions) or "its figures agree with each other"
        typer.echo(f"{name}: {told}")
    a, b = found.names
    headlines = [pair for pair in found.figures if pair.headline]
    _print_figures(headlines, found.names)
    judged = [pair for pair in found.figures if pair.inside is not None]
    outside = [pair for pair in judged if not pair.inside]
    typer.echo(
        f"{len(found.figures):,} figures are in both, {len(judged):,} of them with intervals;"
        f" {len(outside):,} differ by more than the intervals allow for"
        f" (about {0.05 * len(judged):.0f} of so many would by chance alone)"
    )
    more = [pair for pair in outside if not pair.headline]
    if more:
        _print_figures(more[:SHOWN_DIFFERENCES], found.names)
        _print_rest(len(more))
    statuses = [*found.gates, *(pair for pair in found.claims if pair.differs)]
    print_table(("gate, or claim that differs", a, b), _rows(statuses))
    for title, pairs in (("setting", found.settings), ("data", found.data)):
        if pairs:
            print_table((f"{title} that differs", a, b), _rows(pairs))
        else:
            typer.echo(f"no {title} differs")
    first, second = found.code_versions
    typer.echo("same code" if first == second else f"other code: {first} and {second}")


def _print_figures(pairs: list[FigurePair], names: tuple[str, str]) -> None:
    from hedgeflow.evidence.report.words import estimate

    def words(record: Mapping[str, object], name: str) -> str:
        shown = estimate(record, name.rpartition(".")[2])
        return f"{shown.value} ({shown.interval})" if shown.interval else shown.value or "–"

    rows = [
        (
            pair.name,
            words(pair.first, _statistic(pair.name)),
            words(pair.second, _statistic(pair.name)),
            _inside(pair),
        )
        for pair in pairs
    ]
    print_table(("figure", *names, "difference"), rows)


def _statistic(name: str) -> str:
    """Return what tells a figure's unit: `drawdown.observed` is a drawdown."""
    return name.removesuffix(".observed")


def _inside(pair: FigurePair) -> str:
    if pair.inside is None:
        return "cannot be told: an interval is missing"
    if pair.difference == 0:
        return "none"
    return "within the intervals" if pair.inside else "MORE THAN THE INTERVALS ALLOW"


def _rows(pairs: Any) -> list[tuple[str, str, str]]:
    def words(pair: Pair, value: object) -> str:
        _ = pair
        return "–" if value is None else str(value)

    return [(pair.name, words(pair, pair.first), words(pair, pair.second)) for pair in pairs]


def _print_rest(count: int) -> None:
    if count > SHOWN_DIFFERENCES:
        typer.echo(f"and {count - SHOWN_DIFFERENCES:,} more; --json prints them all")


def validate_again(
    stated: Path,
    catalog: Path | None,
    out: Path | None,
    journal: str | None,
    calendars: Calendars,
    *,
    chosen_here: Mapping[str, object],
    as_json: bool,
) -> None:
    """Make a package again from what it states; exit code 6 if it is not what it was.

    Parameters
    ----------
    stated : pathlib.Path
        The package's folder or its evidence.json.
    catalog : pathlib.Path, optional
        Refused by name if it is missing: a package cannot know where its data lie.
    out : pathlib.Path, optional
        Where the package made again is written, with the comparison.
    journal : str, optional
    calendars : Calendars
    chosen_here : mapping
        Options that choose what the package states itself; none may be given.
    as_json : bool
    """
    from hedgeflow.evidence.opening import open_package
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.errors import ConfigError, EvidenceError
    from hedgeflow.studies.asking import asked_calendar, asked_journal
    from hedgeflow.studies.reproducing import reproduce, stated_market
    from hedgeflow.studies.validation import check_out

    package = open_package(stated)
    twice = [name for name, value in chosen_here.items() if value is not None]
    if twice:
        raise ConfigError(
            f"the package states it itself: {', '.join(twice)}",
            where="--from",
            hint="Leave it out, or validate without --from",
        )
    if catalog is None:
        raise ConfigError(
            "a package does not know where its data lie", where="--from", hint="Add --catalog CAT"
        )
    if out is not None:
        check_out(out)
        if out.resolve() == package.folder.resolve():
            raise EvidenceError(
                "is the package that is to be compared",
                where=str(out),
                hint="Name another folder with --out",
            )
    opened = Catalog.open(catalog)
    market = stated_market(package, opened)
    events = asked_calendar(
        calendars.files, market.market, kind=calendars.kind, timezone=calendars.timezone
    )
    with (
        asked_journal(catalog, journal) as record,
        progress_bar("Scanning the tapes", quiet=as_json) as progress,
    ):
        result = reproduce(
            package,
            market,
            record,
            calendar=events,
            out=out,
            timestamp=now(),
            progress=progress,
        )
    document = _reproduction_document(result, out)
    if out is not None:
        from hedgeflow.evidence.plain import dumps
        from hedgeflow.market.transactions import replace_text

        replace_text(out / REPRODUCTION_FILE, dumps(document))
    if as_json:
        print_json(document)
    else:
        _print_reproduction(result, out)
    if not result.found.identical:
        raise typer.Exit(NOT_REPRODUCED)


def _reproduction_document(result: Reproduction, out: Path | None) -> dict[str, Any]:
    from hedgeflow.evidence.identity import NOT_FIGURES, TOLERANCE
    from hedgeflow.evidence.plain import plain

    return {
        "package": result.stated.name,
        "simulated": result.stated.simulated,
        "reproduced": result.found.identical,
        "tolerance": TOLERANCE,
        "not_compared": list(NOT_FIGURES),
        "compared": result.found.compared,
        "files": list(result.found.files),
        "differences": [
            {"sentence": each.sentence, **_mapping(plain(each))}
            for each in result.found.differences
        ],
        "notes": list(result.notes),
        "run_id": result.validation.backtest.run.run_id,
        "out": None if out is None else str(out),
    }


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _print_reproduction(result: Reproduction, out: Path | None) -> None:
    from hedgeflow.evidence.identity import TOLERANCE

    found = result.found
    print_simulated(simulated=result.stated.simulated)
    typer.echo(f"{result.stated.name} states: {result.stated.label}")
    for note in result.notes:
        typer.echo(f"warning: {note}")
    compared = f"{found.compared:,} values of {len(found.files)} files compared"
    if found.identical:
        typer.echo(f"REPRODUCED: {compared}, none differs (numbers within {TOLERANCE:g})")
    else:
        typer.echo(f"NOT REPRODUCED: {compared}, {len(found.differences):,} differ, these first:")
        for each in found.differences[:SHOWN_DIFFERENCES]:
            typer.echo(f"  {each.sentence}")
        _print_rest(len(found.differences))
        typer.echo(f"Verdict now: {result.validation.evidence.label}")
    if out is not None:
        typer.echo(f"Report: {out / 'report.html'}")
