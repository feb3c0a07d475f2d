"""What a strategy claims beside what packages found: one table, as HTML or as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from hedgeflow.evidence.checks import JsonObject, section
from hedgeflow.evidence.opening import Package
from hedgeflow.evidence.report.page import rendered
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import estimate, prose, threshold, to_the_second
from hedgeflow.evidence.weekly_review import position
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.claims import Claim, Declaration, Gate

MARK: Final = "<!-- made by hedgeflow claims -->"
"""First line of a page that the command wrote and may write again."""

WORDS: Final = (
    "Behind each figure stands its 95 % interval, under it whether the figure lies inside the"
    " claimed band, and the state by the interval: PASSED or FAILED where it lies wholly on one"
    " side, INCONCLUSIVE where it does not, UNTESTABLE where the data cannot say. More than a"
    " claimed win rate or Sharpe ratio is no failure; to lie outside of any other band is one."
)
SIMULATED_WORDS: Final = (
    "SIMULATED: what comes from a simulated market can never be read as evidence about a market."
)
_POSITIONS: Final = {
    "inside": "inside the band",
    "below": "under the band",
    "above": "over the band",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A package and what to call it.

    Attributes
    ----------
    name : str
    package : Package
    """

    name: str
    package: Package

    @property
    def head(self) -> str:
        """The heading of its column."""
        return f"SIMULATED: {self.name}" if self.package.simulated else self.name


@dataclass(frozen=True, slots=True)
class ClaimsGroup:
    """Claims that stand together.

    Attributes
    ----------
    title : str
    table : Table
        A row for each claim, a column for each package.
    """

    title: str
    table: Table


def columns_of(packages: Sequence[Package], names: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return packages under their names, which are those of their folders if none are given.

    Raises
    ------
    EvidenceError
        They are of different strategies, or there are not as many names as packages.
    """
    strategies = sorted({package.strategy for package in packages})
    if len(strategies) != 1:
        raise EvidenceError(
            f"the packages are of {' and of '.join(strategies)}",
            where="claims",
            hint="Name packages of one strategy: each claims its own",
        )
    if names and len(names) != len(packages):
        raise EvidenceError(
            f"there are {len(names)} names for {len(packages)} packages",
            where="--name",
            hint="Name every package, in their order, or none",
        )
    chosen = names or [package.name for package in packages]
    if len(set(chosen)) < len(chosen):
        chosen = [str(package.folder) for package in packages]
    return tuple(Column(name, each) for name, each in zip(chosen, packages, strict=True))


def claims_groups(declaration: Declaration, columns: Sequence[Column]) -> tuple[ClaimsGroup, ...]:
    """Return everything that a strategy claims, group by group, beside what packages found.

    Parameters
    ----------
    declaration : Declaration
    columns : sequence of Column
    """
    heads = (
        ("Claim", False),
        ("Claimed", True),
        ("Source", False),
        *((column.head, False) for column in columns),
    )
    parts: list[ClaimsGroup] = []
    found = [
        _judged(column.package.document, "experimental_validity", "gates") for column in columns
    ]
    rows = tuple(_row(gate, found) for gate in declaration.gates)
    parts.append(ClaimsGroup("The verdict's gates", Table("The verdict's gates", heads, rows)))
    found = [
        _judged(column.package.document, "hypothesis_validation", "claims") for column in columns
    ]
    for group, claims in groupby(_in_order(declaration.claims), key=lambda claim: claim.group):
        title = _title(group)
        rows = tuple(_row(claim, found) for claim in claims)
        parts.append(ClaimsGroup(title, Table(title, heads, rows)))
    return tuple(parts)


def _in_order(claims: Sequence[Claim]) -> list[Claim]:
    """Return claims group by group, each where its first stands; bands first of all."""
    order = list(dict.fromkeys(claim.group for claim in claims))
    order.sort(key=lambda group: not group.endswith("-band"))
    return sorted(claims, key=lambda claim: order.index(claim.group))


def _title(group: str) -> str:
    if group == "primary":
        return "Success"
    if not group:
        return "Besides"
    words = group.removesuffix("-band").replace("-", " ").capitalize()
    return f"{words}: the claimed bands" if group.endswith("-band") else words


def _judged(document: JsonObject, part: str, name: str) -> dict[str, JsonObject]:
    return {text(each, "id"): each for each in objects(section(document, part), name)}


def _row(claim: Gate, found: Sequence[dict[str, JsonObject]]) -> tuple[Cell, ...]:
    return (
        Cell(prose(_statement(claim))),
        Cell(band_words(claim)),
        Cell(claim.source),
        *(_found(claim, each.get(claim.id)) for each in found),
    )


def _statement(claim: Gate) -> str:
    head, colon, rest = claim.statement.partition(": ")
    words = rest if colon and claim.id.startswith(f"{head}-") else claim.statement
    return words[:1].upper() + words[1:]


def band_words(claim: Gate) -> str:
    """Return what is claimed, with its unit, as in "75 to 85 %"."""
    comparison = "within" if claim.upper_threshold is not None else claim.comparison
    return threshold(claim.statistic, comparison, claim.threshold, claim.upper_threshold)


def _found(claim: Gate, judged: JsonObject | None) -> Cell:
    if judged is None:
        return Cell("—", detail="the package does not judge it")
    shown = estimate(judged, claim.statistic)
    state = text(judged, "status")
    if not shown.value:
        return Cell("—", detail=shown.reason or text(judged, "reason"), state=state)
    value = judged["value"]
    lies = _POSITIONS[
        position(
            claim.comparison,
            claim.threshold,
            claim.upper_threshold,
            float(value) if isinstance(value, (int, float)) else None,
        )
    ]
    figure = f"{shown.value} ({shown.interval})" if shown.interval else shown.value
    return Cell(figure, detail=lies if claim.upper_threshold is not None else "", state=state)


def claims_html(declaration: Declaration, columns: Sequence[Column], timestamp: str) -> str:
    """Return the page as one HTML document that loads nothing.

    Parameters
    ----------
    declaration : Declaration
    columns : sequence of Column
    timestamp : str
        When it was made, ISO 8601.
    """
    return rendered(
        "claims.html.j2",
        {
            "simulated": any(column.package.simulated for column in columns),
            "strategy": declaration.strategy,
            "words": WORDS,
            "verdicts": [(column.head, column.package.label) for column in columns],
            "groups": claims_groups(declaration, columns),
            "made": f"Made {to_the_second(timestamp)}",
        },
    )


def claims_markdown(declaration: Declaration, columns: Sequence[Column], *, level: int = 1) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    declaration : Declaration
    columns : sequence of Column
    level : int
        Of its heading.
    """
    lines = [MARK, f"{'#' * level} What is claimed of {declaration.strategy}, and what was found"]
    if any(column.package.simulated for column in columns):
        lines.append(SIMULATED_WORDS)
    lines += [WORDS, claims_tables(declaration, columns, level=level + 1)]
    return "\n\n".join(lines) + "\n"


def claims_tables(declaration: Declaration, columns: Sequence[Column], *, level: int = 2) -> str:
    """Return the tables alone: the packages' verdicts, then every group of claims.

    Parameters
    ----------
    declaration : Declaration
    columns : sequence of Column
    level : int
        Of the headings.
    """
    verdicts = "\n".join(
        [
            "| package | verdict |",
            "| --- | --- |",
            *(f"| {column.head} | {column.package.label} |" for column in columns),
        ]
    )
    return "\n\n".join([verdicts, *_groups(declaration, columns, "#" * level)])


def _groups(declaration: Declaration, columns: Sequence[Column], mark: str) -> Iterator[str]:
    for group in claims_groups(declaration, columns):
        table = group.table
        yield f"{mark} {group.title}"
        yield "\n".join(
            [
                "| " + " | ".join(name.lower() if place < 3 else name for place, (name, _)
                                  in enumerate(table.columns)) + " |",
                "| " + " | ".join("---" for _ in table.columns) + " |",
                *("| " + " | ".join(_words(cell) for cell in row) + " |" for row in table.rows),
            ]
        )  # fmt: skip


def _words(cell: Cell) -> str:
    told = [cell.text, cell.detail, cell.state.replace("_", " ")]
    return "; ".join(part for part in told if part).replace("|", "\\|")
