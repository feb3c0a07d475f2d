"""Facts of several markets beside each other, and whether they are alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hedgeflow.studies.stylised_facts.records import Definition, Fact, MarketFacts

NOISE: Final = 2.58
"""Standard errors of a difference that chance exceeds in one of a hundred cases."""

YES: Final = "yes"
NO: Final = "no"
NOISY: Final = "cannot tell"
UNKNOWN: Final = "–"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One fact of several markets.

    Attributes
    ----------
    definition : Definition
    facts : tuple of Fact
        In the order of the markets.
    alike : tuple of str
        For each market after the first, how it stands to it: `YES` by the definition's rule;
        `NO`; `NOISY` where it is not, but by less than 2.58 standard errors of the difference;
        `UNKNOWN` where either is not measurable or the fact is not compared.
    """

    definition: Definition
    facts: tuple[Fact, ...]
    alike: tuple[str, ...]


def compare(first: MarketFacts, others: Sequence[MarketFacts]) -> list[Comparison]:
    """Return every fact of a market beside those of others."""
    columns = [first.facts, *(other.facts for other in others)]
    return [
        Comparison(facts[0].definition, facts, tuple(alike(facts[0], each) for each in facts[1:]))
        for facts in zip(*columns, strict=True)
    ]


def alike(one: Fact, other: Fact) -> str:
    """Return how two values of one fact stand to each other."""
    rule = one.definition.alike
    if one.value is None or other.value is None or rule.kind == "scale":
        return UNKNOWN
    if rule.holds(one.value, other.value):
        return YES
    if one.error is None or other.error is None:
        return NO
    noise = NOISE * math.hypot(one.error, other.error)
    return NOISY if abs(one.value - other.value) <= noise else NO
