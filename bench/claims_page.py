"""Make the tables of docs/reference/claims.md again: what is claimed beside four packages.

``HEDGEFLOW_DATA=FOLDER python bench/claims_page.py`` needs the optional folder with recorded
markets and a few minutes. Only figures of packages get into the page.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from builders.claims import RECORDED, recorded_package, simulated_package  # noqa: E402 - in tests
from hedgeflow.strategies.volume_shock.claims import DECLARATION  # noqa: E402
from hedgeflow.studies.claims_page import claims_tables, columns_of  # noqa: E402

if TYPE_CHECKING:
    from hedgeflow.evidence.opening import Package

PAGE = PROJECT / "docs" / "reference" / "claims.md"
SIMULATED = ("effect", "null")
MARKED = re.compile(r"(<!-- claims -->\n).*?(\n<!-- end of claims -->)", re.DOTALL)


def main() -> None:
    """Judge the claims on every market of the page and write its tables between their marks."""
    data = Path(os.environ.get("HEDGEFLOW_DATA", ""))
    if not (data / "deribit-trades").is_dir():
        sys.exit("name the folder with the recorded markets in HEDGEFLOW_DATA")
    packages: dict[str, Package] = {}
    with tempfile.TemporaryDirectory() as folder:
        for title, preset in RECORDED.items():
            print(f"judging {title}", flush=True)
            packages[title] = recorded_package(data, preset, Path(folder) / f"recorded-{preset}")
        for preset in SIMULATED:
            print(f"simulating and judging {preset}", flush=True)
            packages[preset] = simulated_package(preset, Path(folder) / preset)
        columns = columns_of(list(packages.values()), list(packages))
        tables = claims_tables(DECLARATION, columns, level=3)
    text = PAGE.read_text(encoding="utf-8")
    written, count = MARKED.subn(lambda found: f"{found[1]}\n{tables}\n{found[2]}", text)
    assert count == 1, "the page has no place for its tables"
    PAGE.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
