"""A sweep on one page, as HTML for its folder and as Markdown for documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hedgeflow.evidence.plain import plain
from hedgeflow.evidence.report.page import rendered
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import decimal, estimate, percent, probability, to_the_second
from hedgeflow.studies.sweep.picture import HEIGHT, WIDTH, Histogram, histogram
from hedgeflow.studies.sweep.results import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.evidence.estimates import Estimate
    from hedgeflow.studies.sweep.documents import (
        Figures,
        Searched,
        Stitched,
        SweepDocument,
        Tape,
        WalkForwardDocument,
    )
    from hedgeflow.studies.sweep.sweeping import Sweep
    from hedgeflow.studies.sweep.walking import WalkForward

MARK: Final = "<!-- Written by hedgeflow sweep; run it again instead of editing. -->"
"""First line of a page of documentation that may be replaced."""
SHOWN: Final = 20
"""Configurations listed; the Parquet file holds all."""


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a page: words, a picture or a table, commands."""

    title: str
    words: tuple[str, ...] = ()
    table: Table | None = None
    picture: Histogram | None = None
    caption: str = ""
    commands: tuple[str, ...] = ()


def sweep_html(sweep: Sweep) -> str:
    """Return the page as one HTML document that loads nothing."""
    document = sweep.document
    best = document.best
    return rendered(
        "sweep.html.j2",
        {
            "generator": "hedgeflow sweep",
            "simulated": document.simulated,
            "title": f"Sweep of {document.strategy} on {document.tape.underlying}",
            "made": f"Made {to_the_second(document.timestamp)}",
            "question": "What is left of the best?",
            "kind": "" if best is None else best.judged.verdict.value,
            "word": _headline(document),
            "conclusion": document.conclusion,
            "parts": sweep_parts(sweep),
            "width": WIDTH,
            "height": HEIGHT,
        },
    )


def sweep_markdown(sweep: Sweep, title: str) -> str:
    """Return the page as Markdown."""
    document = sweep.document
    marked = "**SIMULATED: no evidence about any market.**\n\n" if document.simulated else ""
    made = f"Made by version `{document.tape.code_version}` on {document.timestamp[:10]}.\n"
    parts = [
        f"{MARK}\n\n# {title}\n\n{marked}{made}",
        "## What is left of the best?\n",
        "\n".join(f"- {sentence}" for sentence in document.conclusion),
    ]
    for part in sweep_parts(sweep):
        parts.append(f"\n## {part.title}\n")
        parts += [f"{words}\n" for words in part.words]
        if part.table is not None:
            parts.append(markdown_table(part.table))
    return "\n".join(parts).rstrip() + "\n"


def sweep_parts(sweep: Sweep) -> tuple[Part, ...]:
    """Return the sections that both pages have."""
    document = sweep.document
    parts = [
        searched_part(document.search, document.tape),
        _ranking(sweep),
        _luck(document),
        _judged(document),
    ]
    return tuple(part for part in parts if part is not None)


def walk_forward_html(found: WalkForward) -> str:
    """Return a walk-forward's page as one HTML document that loads nothing."""
    document = found.document
    marked = "SIMULATED: " if document.simulated else ""
    return rendered(
        "sweep.html.j2",
        {
            "generator": "hedgeflow walk-forward",
            "simulated": document.simulated,
            "title": f"Walk-forward of {document.strategy} on {document.tape.underlying}",
            "made": f"Made {to_the_second(document.timestamp)}",
            "question": "Does choosing on the past pay afterwards?",
            "kind": "",
            "word": f"{marked}{len(document.folds)} folds, {document.stitched.trades:,} trades out"
            " of sample",
            "conclusion": document.conclusion,
            "parts": (
                _folds(document),
                _stitched(document.stitched),
                searched_part(document.search, document.tape),
            ),
            "width": WIDTH,
            "height": HEIGHT,
        },
    )


def markdown_table(table: Table) -> str:
    """Return a table as Markdown, details in brackets."""
    rule = ["---:" if numeric else "---" for _, numeric in table.columns]
    rows = [
        [f"{cell.text}{f' ({cell.detail})' if cell.detail else ''}{cell.state}" for cell in row]
        for row in table.rows
    ]
    lines = [[heading for heading, _ in table.columns], rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def searched_part(search: Searched, tape: Tape) -> Part:
    """Return what was varied and on what, as a section."""
    rows = tuple((Cell(key), Cell(values)) for key, values in sorted(search.varied.items()))
    drawn = (
        "every combination of these values"
        if search.kind == "grid"
        else f"drawn at random from these with seed {search.seed}"
    )
    between = f" from {tape.first_session} to {tape.last_session}" if tape.first_session else ""
    tried = (
        f"{search.configurations:,} configurations, {drawn}, on {tape.sessions:,} sessions of"
        f" {tape.underlying}{between}, traded in {tape.hedge_instrument} on {tape.hedge_venue}."
        " Every one is a trial in the journal's ledger, which now counts"
        f" {search.ledger_configurations:,} on this data set. They needed"
        f" {search.scans:,} different scans."
    )
    chosen = (
        f"Chosen by: {OBJECTIVES[search.objective]}; fewer than {search.fewest_trades} trades are"
        " no choice."
    )
    changed = "Not varied, and not the preset's (which stands in brackets): "
    fixed = [f"{changed}{', '.join(search.changed)}."] if search.changed else []
    return Part(
        "What was tried",
        (tried, *fixed, chosen),
        Table("Settings that were varied", (("Setting", False), ("Values", False)), rows),
    )


def _headline(document: SweepDocument) -> str:
    marked = "SIMULATED: " if document.simulated else ""
    tried = f"{document.search.configurations:,} tried, {document.validated:,} VALIDATED"
    return f"{marked}{tried}"


def _ranking(sweep: Sweep) -> Part | None:
    frame = sweep.configurations
    known = frame.filter(frame["sharpe_annualised"].is_not_null())
    if known.is_empty():
        return None
    best = sweep.document.best
    values = known["sharpe_annualised"].to_numpy()
    marks: dict[str, float] = {}
    if best is not None and best.judged.sharpe_annualised.value is not None:
        marks[f"the best, number {best.judged.number}"] = best.judged.sharpe_annualised.value
    expected = None if best is None else best.deflated_sharpe.expected_maximum.value
    if expected is not None:
        marks["expected of the best by luck"] = expected
    top = known.sort("sharpe_annualised", descending=True, maintain_order=True).head(SHOWN)
    rows = tuple(_row(each) for each in top.iter_rows(named=True))
    columns = (
        ("Number", True), ("Trades", True), ("Win rate", True), ("Net bps a trade", True),
        ("Net USD", True), ("Sharpe a year", True), ("p alone", True), ("Verdict", False),
    )  # fmt: skip
    return Part(
        "How they did",
        (f"The {len(rows)} highest Sharpe ratios of {frame.height:,}; the Parquet file has all.",),
        Table("Configurations with the highest Sharpe ratios", columns, rows, wide=True),
        histogram(values, marks),
        "Sharpe ratios a year of all configurations, net of costs. With nothing to find they lie"
        " around zero less costs, and the best stands near the mark of luck.",
        () if best is None else (f"hedgeflow validate {sweep.document.strategy} … {best.options}",),
    )


def _row(each: Mapping[str, Any]) -> tuple[Cell, ...]:
    verdict = each["verdict"]
    return (
        Cell(str(each["number"])),
        Cell(decimal(each["trades"], 0)),
        Cell(_known(each["win_rate"], percent)),
        Cell(_known(each["expectancy_bps"], decimal)),
        Cell(decimal(each["net_usd"], 0)),
        Cell(decimal(each["sharpe_annualised"])),
        Cell(_known(each["p_value"], probability)),
        Cell("ruled out by counts" if verdict is None else verdict.replace("_", " ")),
    )


def _known(value: float | None, written: Any) -> str:
    return "–" if value is None else written(value)


def _luck(document: SweepDocument) -> Part:
    best, snooping, overfitting = document.best, document.snooping, document.overfitting
    named: list[tuple[str, Estimate, str]] = []
    if best is not None:
        deflated = best.deflated_sharpe
        named += [
            ("p of the best, alone", best.judged.p_value, "p_value"),
            ("Sharpe ratio of the best, a year", best.judged.sharpe_annualised, "sharpe"),
            ("Sharpe ratio expected of the best by luck", deflated.expected_maximum, "sharpe"),
            ("Deflated Sharpe ratio (a probability)", deflated.deflated, "share"),
        ]
    named += [
        ("p that none beats no trade, Hansen", snooping.spa_p_value, "p_value"),
        ("p that none beats no trade, White", snooping.reality_check_p_value, "p_value"),
        (
            "p that none beats no trade, signs of sessions",
            snooping.sign_flip_p_value,
            "p_value",
        ),
        ("Probability of overfitting", overfitting.probability, "share"),
        ("Chance of a loss of the chosen, out of sample", overfitting.probability_of_loss, "share"),
        ("Mean correlation of daily results", snooping.average_correlation, "correlation"),
        ("Independent configurations that makes", snooping.effective_configurations, "count"),
    ]
    rows = tuple((Cell(name), *_shown(found, kind)) for name, found, kind in named)
    columns = (("Figure", False), ("Value", True), ("How it was found", False))
    superior = ", ".join(snooping.superior) or "none"
    return Part(
        "What luck explains",
        (f"Better than no trade by the stepwise test: {superior}.",),
        Table("The best against so many trials", columns, rows),
    )


def _shown(found: Estimate, kind: str) -> tuple[Cell, Cell]:
    document = plain(found)
    assert isinstance(document, dict)  # noqa: S101 - an estimate is a record
    shown = estimate(document, kind)  # pyright: ignore[reportUnknownArgumentType]
    return Cell(shown.value or "–", detail=shown.interval), Cell(found.reason or found.method)


def _judged(document: SweepDocument) -> Part:
    rows = tuple(
        (
            Cell(str(each.number)),
            Cell(decimal(each.trades, 0)),
            *(
                _shown(found, kind)[0]
                for found, kind in (
                    (each.win_rate, "win_rate"),
                    (each.sharpe_annualised, "sharpe"),
                    (each.p_value, "p_value"),
                )
            ),
            Cell(", ".join(gate.id for gate in each.gates if gate.status.value != "PASSED") or "–"),
            Cell("", state=each.verdict.value),
        )
        for each in document.judged[:SHOWN]
    )
    columns = (
        ("Number", True), ("Trades", True), ("Win rate", True), ("Sharpe a year", True),
        ("p alone", True), ("Gates that do not hold", False), ("Verdict", False),
    )  # fmt: skip
    said = (
        f"{document.ruled_out_by_counts:,} of {document.search.configurations:,} cannot be"
        " VALIDATED whatever else holds: too few trades, or too few of them won."
        f" Judged in full: {len(document.judged):,}, the best among them. VALIDATED:"
        f" {document.validated:,}. Here are the first {len(rows)}."
    )
    return Part(
        "What the judge said",
        (said,),
        Table("Configurations that were judged in full", columns, rows) if rows else None,
    )


def _folds(document: WalkForwardDocument) -> Part:
    columns = (
        ("Fold", True), ("Trained on", False), ("Tested on", False), ("Chosen", True),
        ("In sample: net bps", True), ("Sharpe", True), ("Trades", True),
        ("Out of sample: net bps", True), ("Sharpe", True), ("Trades", True),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(str(each.number)),
            Cell(f"{each.train_first} to {each.train_last}"),
            Cell(f"{each.test_first} to {each.test_last}"),
            Cell("none" if each.chosen is None else str(each.chosen)),
            *_figure_cells(each.in_sample),
            *_figure_cells(each.out_of_sample),
        )
        for each in document.folds
    )
    scheme = (
        f"{document.train_sessions} sessions to choose on"
        f"{' at first, then all that came before' if document.anchored else ''},"
        f" {document.test_sessions} to trade. A trade that ended less than"
        f" {document.embargo_minutes:g} minutes before the test began was not trained on. The test"
        " is traded on tapes that end with it."
    )
    return Part(
        "Fold by fold",
        (scheme,),
        Table("Folds in sample and out of sample", columns, rows, wide=True),
    )


def _figure_cells(found: Figures | None) -> tuple[Cell, ...]:
    if found is None:
        return (Cell("–"),) * 3
    return (
        Cell(_known(found.expectancy_bps, decimal)),
        Cell(_known(found.sharpe_annualised, decimal)),
        Cell(decimal(found.trades, 0)),
    )


def _stitched(found: Stitched) -> Part:
    named = (
        ("Win rate", found.win_rate, "win_rate"),
        ("Net result a trade, bps", found.expectancy_bps, "expectancy"),
        ("Sharpe ratio a year", found.sharpe_annualised, "sharpe"),
        ("Net USD a session in sample", found.in_sample_usd_a_session, "usd"),
        ("Net USD a session out of sample", found.out_of_sample_usd_a_session, "usd"),
        ("Walk-forward efficiency", found.efficiency, "share"),
    )
    rows = tuple((Cell(name), *_shown(each, kind)) for name, each, kind in named)
    columns = (("Figure", False), ("Value", True), ("How it was found", False))
    return Part(
        "Out of sample, stitched",
        (f"{found.trades:,} trades in {found.sessions:,} sessions, each fold's by its choice.",),
        Table("The out-of-sample record with 95 % intervals", columns, rows),
    )
