"""Make the tables of docs/reference/stylised-facts.md again: simulated beside recorded markets.

``HEDGEFLOW_DATA=FOLDER python bench/stylised_page.py`` needs the optional folder with recorded
markets and a minute or two. Only aggregate figures of them get into the page.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from builders import recorded_markets  # noqa: E402 - lies beside the tests that check the page
from hedgeflow.market.catalog import Catalog  # noqa: E402
from hedgeflow.simulate import scenario, write_to_catalog  # noqa: E402
from hedgeflow.studies.stylised_facts import facts_tables, stylised_facts  # noqa: E402
from hedgeflow.studies.stylised_facts.page import definitions_table  # noqa: E402
from hedgeflow.studies.stylised_facts.references import REFERENCES  # noqa: E402

if TYPE_CHECKING:
    from hedgeflow.studies.stylised_facts import MarketFacts

PAGE = PROJECT / "docs" / "reference" / "stylised-facts.md"
WITH_QUOTES = {"option_quotes.tape": True}


class Section(NamedTuple):
    """A part of the page: a preset, beside recorded markets."""

    preset: str
    markets: tuple[recorded_markets.Recorded, ...]


SECTIONS = (
    Section("effect", recorded_markets.CRYPTO),
    Section("us-index", recorded_markets.EXCHANGE),
)


def main() -> None:
    """Measure every market of the page and write its tables between their marks."""
    data = Path(os.environ.get("HEDGEFLOW_DATA", ""))
    if not (data / "deribit-trades").is_dir():
        sys.exit("name the folder with the recorded markets in HEDGEFLOW_DATA")
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for section in SECTIONS:
            text = replaced(text, section.preset, tables(section, data, Path(folder)))
    text = replaced(text, "definitions", definitions_table())
    references = [f"- {name}: {reference}" for name, reference in REFERENCES.items()]
    text = replaced(text, "references", "\n".join(references))
    PAGE.write_text(text, encoding="utf-8")


def tables(section: Section, data: Path, folder: Path) -> str:
    """Return the tables of a preset beside the recorded markets."""
    print(f"simulating {section.preset}", flush=True)
    markets = [simulated(section.preset, folder)]
    for each in section.markets:
        print(f"reading {each.title}", flush=True)
        catalog = each.make(data, folder)
        markets.append(stylised_facts(catalog, each.underlying, calendar=each.calendar))
    titles = [f"SIMULATED {section.preset}", *(each.title for each in section.markets)]
    return facts_tables(markets, titles, level=3)


def simulated(preset: str, folder: Path) -> MarketFacts:
    """Return the facts of a preset, with a tape of option quotes."""
    catalog = Catalog.create_or_open(folder / preset)
    write_to_catalog(scenario(preset, WITH_QUOTES), catalog)
    return stylised_facts(catalog, "SIM")


def replaced(text: str, name: str, content: str) -> str:
    """Return a page with other content between the marks of a name."""
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    assert len(pattern.findall(text)) == 1, f"the page has no place for {name}"
    return pattern.sub(lambda _: f"{begin}\n{content}\n{end}", text)


if __name__ == "__main__":
    main()
