"""Stylised facts as a page of Markdown."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Final

from hedgeflow.studies.stylised_facts.comparing import Comparison, compare
from hedgeflow.studies.stylised_facts.measuring import DEFINITIONS
from hedgeflow.studies.stylised_facts.records import Fact, MarketFacts
from hedgeflow.studies.stylised_facts.references import REFERENCES

MARK: Final = "<!-- made by hedgeflow stylised-facts -->"
"""First line of a page that the command wrote and may write again."""

MATCHES_WORDS: Final = (
    "**Matches?** follows the rule of each fact, in the last table: `yes`; `no`; `cannot tell`"
    " where the rule is not met but the difference is within 2.58 standard errors; `–` where one is"
    " not measurable or the figure is only a scale. Behind ± stands a standard error: sessions are"
    " drawn again whole. With fewer than five sessions there is none."
)
SIMULATED_WORDS: Final = (
    "SIMULATED: what comes from a simulated market can never be read as evidence about a market."
)


def facts_page(markets: Sequence[MarketFacts]) -> str:
    """Return a whole page: the markets, their facts, what each fact is, and the references."""
    names = " beside ".join(market.name for market in markets)
    parts = [MARK, f"# Stylised facts of {names}"]
    if any(market.simulated for market in markets):
        parts.append(SIMULATED_WORDS)
    if len(markets) > 1:
        parts.append(MATCHES_WORDS)
    parts += [facts_tables(markets), "## What each fact is", definitions_table(), "## References"]
    parts.append("\n".join(f"- {name}: {reference}" for name, reference in REFERENCES.items()))
    return "\n\n".join(parts) + "\n"


def facts_tables(
    markets: Sequence[MarketFacts], titles: Sequence[str] | None = None, level: int = 2
) -> str:
    """Return the tables of markets side by side, one a group, then their curves.

    Parameters
    ----------
    markets : sequence of MarketFacts
    titles : sequence of str, optional
        Their names in the tables' heads.
    level : int
        Of the headings.
    """
    heads = list(titles or _distinct([market.name for market in markets]))
    parts = [_markets_table(markets, heads)]
    rows = compare(markets[0], markets[1:])
    for group, members in itertools.groupby(rows, key=lambda row: row.definition.group):
        parts += [f"{'#' * level} {group}", _group_table(list(members), heads)]
    curves = _curves_table(markets, heads)
    if curves:
        parts += [f"{'#' * level} Rates by half hour", curves]
    return "\n\n".join(parts)


def definitions_table() -> str:
    """Return the table of what each fact is."""
    rows = [[each.name, each.text, each.alike.words, each.source or "–"] for each in DEFINITIONS]
    return _table(["fact", "what it is", "matches within", "after"], rows)


def _markets_table(markets: Sequence[MarketFacts], heads: Sequence[str]) -> str:
    rows = [
        [head, "; ".join(market.tapes), market.calendar, f"{market.sessions:,}",
         f"{market.first} to {market.last}"]
        for head, market in zip(heads, markets, strict=True)
    ]  # fmt: skip
    return _table(["market", "tapes", "calendar", "sessions", "dates"], rows)


def _group_table(rows: list[Comparison], heads: Sequence[str]) -> str:
    """Return a table, and under it the notes to which its cells point by number."""
    notes: dict[str, int] = {}
    others = len(heads) - 1
    body = [
        [
            row.definition.name,
            *(_cell(fact, notes) for fact in row.facts),
            *([together(row.alike)] if others else []),
        ]
        for row in rows
    ]
    table = _table(["fact", *heads, *(["matches?"] if others else [])], body)
    told = "; ".join(f"({number}) {note}" for note, number in notes.items())
    return f"{table}\n\n{told}." if told else table


def _cell(fact: Fact, notes: dict[str, int]) -> str:
    if not fact.note:
        return fact.text
    number = notes.setdefault(fact.note, len(notes) + 1)
    return f"{fact.text} ({number})"


def together(verdicts: Sequence[str]) -> str:
    """Return the verdicts on several markets as one, those that are none left out."""
    said = [each for each in verdicts if each != "–"]
    if not said:
        return "–"
    return said[0] if len(set(said)) == 1 else ", ".join(said)


def _curves_table(markets: Sequence[MarketFacts], heads: Sequence[str]) -> str:
    columns = [
        (f"{curve.name}, {head}", curve.rate)
        for head, market in zip(heads, markets, strict=True)
        for curve in market.curves
        if curve.rate
    ]
    longest = max((len(rate) for _, rate in columns), default=0)
    rows = [
        [f"{place / 2:g} h", *(_rate(rate, place) for _, rate in columns)]
        for place in range(longest)
    ]
    return (
        _table(["from the session's start", *(name for name, _ in columns)], rows) if rows else ""
    )


def _rate(rate: Sequence[float], place: int) -> str:
    known = place < len(rate) and math.isfinite(rate[place])
    return f"{rate[place]:.2f}" if known else "–"


def _distinct(names: list[str]) -> Iterator[str]:
    for place, name in enumerate(names):
        before = names[:place].count(name)
        yield f"{name} ({before + 1})" if names.count(name) > 1 else name


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_safe(each) for each in line) + " |" for line in lines)


def _safe(text: str) -> str:
    """Keep a bar in a text from ending its cell."""
    return text.replace("|", "\\|")
