"""Verdicts on simulated markets abreast on one page: what is true there, what the judge said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.page import rendered
from hedgeflow.evidence.report.sections import gate_counts, objects, text
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import Shown, decimal, estimate, prose, to_the_second
from hedgeflow.evidence.verdict import Verdict

GENERATOR: Final = '<meta name="generator" content="hedgeflow demo">'

COMPARED: Final = (
    ("Win rate, net of costs", ("performance_metrics", "overall", "win_rate")),
    (
        "Win rate that the barriers alone imply",
        ("performance_metrics", "overall", "barrier_implied_win_rate"),
    ),
    ("Net result a trade", ("performance_metrics", "overall", "expectancy_bps")),
    ("Sharpe ratio, annualised", ("performance_metrics", "sharpe_annualised")),
    ("p against random entries and directions", ("statistical_measures", "p_value")),
    (
        "R² of predicted and observed hedging",
        ("hypothesis_validation", "delta_flow_correlation", "r_squared"),
    ),
)
"""Estimates that are set abreast, and where evidence.json has them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A simulated market whose claim was judged.

    Attributes
    ----------
    name : str
    truth : str
        What is true there, in a sentence.
    has_effect : bool
        Whether there is something to find.
    settings : mapping
        What the market's scenario changed in the strategy's configuration, by section.
    package : mapping
        Its evidence.json.
    report : str
        Address of its report, relative to the page.
    """

    name: str
    truth: str
    has_effect: bool
    settings: Mapping[str, Any]
    package: JsonObject
    report: str

    @property
    def verdict(self) -> str:
        """The verdict's word."""
        return text(self.package, "experimental_validity", "verdict")

    @property
    def label(self) -> str:
        """The verdict in one line."""
        return text(self.package, "experimental_validity", "label")

    @property
    def outcome(self) -> str:
        """What the verdict is worth, now that the truth is known."""
        return _OUTCOMES[self.has_effect, self.verdict == Verdict.VALIDATED.value]


_OUTCOMES: Final = {
    (True, True): "There is an effect, and the judge found the claim to hold.",
    (True, False): (
        "There is an effect, but it was not shown to do all that the claim says: VALIDATED takes"
        " more than an effect."
    ),
    (False, True): "There is no effect: the judge was fooled, by chance or by a fault of its own.",
    (False, False): "There is no effect, and the judge did not see one.",
}


def compared_figures(judged: Sequence[Judged]) -> list[tuple[str, list[Shown]]]:
    """Return the figures that the page compares: each with its values, market by market."""
    counts = [number(each.package, "performance_metrics", "trades") or 0.0 for each in judged]
    return [
        ("Trades", [Shown(decimal(count, 0), "", "", "") for count in counts]),
        *(
            (name, [estimate(section(each.package, *path), path[-1]) for each in judged])
            for name, path in COMPARED
        ),
    ]


def render_comparison(judged: Sequence[Judged], timestamp: str) -> str:
    """Return the page as one HTML document that loads nothing and links the reports.

    Parameters
    ----------
    judged : sequence of Judged
        All of them simulated.
    timestamp : str
        When they were judged, ISO 8601.
    """
    return rendered(
        "comparison.html.j2",
        {
            "simulated": True,
            "title": _title(len(judged)),
            "made": f"Made {to_the_second(timestamp)}",
            "markets": [
                {
                    "name": each.name,
                    "truth": each.truth,
                    "word": each.verdict.replace("_", " "),
                    "kind": each.verdict,
                    "could_tell": text(each.package, "experimental_validity", "could_tell"),
                    "gates": gate_counts(objects(each.package, "experimental_validity", "gates")),
                    "outcome": each.outcome,
                    "report": each.report,
                }
                for each in judged
            ],
            "figures": _figures(judged),
            "gates": _gates(judged),
            "settings": [
                (each.name, json.dumps(each.settings, sort_keys=True, ensure_ascii=False))
                for each in judged
                if each.settings
            ],
        },
    )


def is_comparison(html: str) -> bool:
    """Say whether a document is such a page."""
    return GENERATOR in html


def _title(markets: int) -> str:
    if markets == 1:
        return "One market, one verdict"
    numbers = {2: "Two"}
    count = numbers.get(markets, str(markets))
    return f"{count} markets, one pipeline, {count.lower()} verdicts"


def _figures(judged: Sequence[Judged]) -> Table:
    rows = tuple(
        (Cell(name), *(Cell(each.text, detail=each.interval) for each in shown))
        for name, shown in compared_figures(judged)
    )
    return Table("Figures with their 95 % intervals", _columns("Figure", judged), rows)


def _gates(judged: Sequence[Judged]) -> Table:
    gates = [objects(each.package, "experimental_validity", "gates") for each in judged]
    rows = tuple(
        (
            Cell(_sentence(text(same[0], "statement"))),
            *(Cell("", state=text(each, "status")) for each in same),
        )
        for same in zip(*gates, strict=True)
    )
    return Table("Gates of the verdict", _columns("Gate", judged), rows)


def _sentence(statement: str) -> str:
    return statement[:1].upper() + prose(statement[1:])


def _columns(first: str, judged: Sequence[Judged]) -> tuple[tuple[str, bool], ...]:
    return ((first, False), *((each.name, True) for each in judged))
