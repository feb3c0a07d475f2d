"""Stylised facts of tapes, recorded or simulated: sizes, clustering, spreads, flow, prices."""

from hedgeflow.studies.stylised_facts.comparing import Comparison, compare
from hedgeflow.studies.stylised_facts.measuring import DEFINITIONS, stylised_facts
from hedgeflow.studies.stylised_facts.page import MARK, facts_page, facts_tables
from hedgeflow.studies.stylised_facts.records import Definition, Fact, MarketFacts
from hedgeflow.studies.stylised_facts.references import REFERENCES

__all__ = [
    "DEFINITIONS",
    "MARK",
    "REFERENCES",
    "Comparison",
    "Definition",
    "Fact",
    "MarketFacts",
    "compare",
    "facts_page",
    "facts_tables",
    "stylised_facts",
]
