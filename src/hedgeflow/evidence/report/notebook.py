"""Results as a notebook shows them: a short piece of HTML in the notebook's own colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from hedgeflow.evidence.checks import JsonObject
from hedgeflow.evidence.report.page import rendered
from hedgeflow.evidence.report.sections import headlines, objects, text, texts
from hedgeflow.evidence.report.words import prose

Columns = Sequence[tuple[str, bool]]
"""Headings, and whether figures stand under them."""
Rows = Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page that shows itself in a notebook.

    Attributes
    ----------
    html : str
        One document that loads nothing from outside.
    height : str
        Of the frame that it is shown in.
    """

    html: str
    height: str = "85vh"

    def __repr__(self) -> str:
        return f"a page of {len(self.html) / 1e6:.1f} MB; a notebook shows it, a file holds it"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="hedgeflow report" sandbox="allow-scripts" style="width:100%;height:'
            f'{self.height};border:0" srcdoc="{escape(self.html)}"></iframe>'
        )


def fragment(
    title: str,
    line: str,
    tables: Sequence[tuple[Columns, Rows]],
    *,
    simulated: bool,
    notes: Sequence[str] = (),
) -> str:
    """Return a short piece of HTML: what it is, in one line, and small tables.

    Parameters
    ----------
    title, line : str
    tables : sequence of pairs
        Columns and rows of each.
    simulated : bool
        Whether it says SIMULATED before anything else.
    notes : sequence of str
        Folded away.
    """
    return rendered(
        "notebook.html.j2",
        {
            "title": title,
            "line": line,
            "tables": tables,
            "simulated": simulated,
            "notes": [prose(note) for note in notes],
        },
    )


def verdict_fragment(document: JsonObject) -> str:
    """Return what a package says in short: verdict, reasons, headline figures, gates.

    Parameters
    ----------
    document : mapping
        evidence.json.
    """
    could = text(document, "experimental_validity", "could_tell")
    figures = [
        (each.name, each.shown.text, each.shown.interval, each.context)
        for each in headlines(document)
    ]
    gates = [
        (prose(text(gate, "statement")), text(gate, "status"))
        for gate in objects(document, "experimental_validity", "gates")
    ]
    reasons = texts(document, "experimental_validity", "reasons")
    simulated = document.get("simulated") is True
    word = text(document, "experimental_validity", "verdict").replace("_", " ")
    return fragment(
        f"SIMULATED: {word}" if simulated else word,
        f"{text(document, 'strategy')}, preset {text(document, 'preset')}; could the data have"
        f" told? {could.lower()}. {reasons[0] if reasons else 'Every gate passed.'}",
        [
            (
                (("Figure", False), ("Found", True), ("95 % interval", True), ("Beside", False)),
                figures,
            ),
            ((("Gate", False), ("", False)), gates),
        ],
        simulated=simulated,
        notes=[
            *texts(document, "experimental_validity", "resolution"),
            *texts(document, "reproducibility", "notes"),
        ],
    )


def figures_of(document: JsonObject) -> Mapping[str, str]:
    """Return the headline figures in words, by name."""
    return {
        each.name: f"{each.shown.text} ({each.shown.interval})"
        if each.shown.interval
        else each.shown.text
        for each in headlines(document)
    }
