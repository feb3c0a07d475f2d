"""Stylised facts of tapes, recorded or simulated: sizes, clustering, spreads, flow, prices."""

from hedgeflow.studies.stylised_facts.comparing import Comparison, compare
from hedgeflow.studies.stylised_facts.measuring import DEFINITIONS, stylised_facts
from hedgeflow.studies.stylised_facts.page import facts_page, facts_tables, write_page
from hedgeflow.studies.stylised_facts.records import Definition, Fact, MarketFacts
from hedgeflow.studies.stylised_facts.references import REFERENCES

__all__ = [
    "DEFINITIONS",
    "REFERENCES",
    "Comparison",
    "Definition",
    "Fact",
    "MarketFacts",
    "compare",
    "facts_page",
    "facts_tables",
    "stylised_facts",
    "write_page",
]
