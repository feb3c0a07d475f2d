"""The table of a run: one row per thing measured, as text and as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure.

    Attributes
    ----------
    name : str
        Whose, and with how many threads.
    figure : float
        In `unit`; NaN where it could not be measured.
    unit : str
    ratio : float
        How many times as fast hedgeflow is; 1 for hedgeflow itself.
    note : str
    """

    name: str
    figure: float
    unit: str
    ratio: float
    note: str

    @classmethod
    def missing(cls, name: str) -> Row:
        """Return the row of a peer that is not installed."""
        note = "not installed here; make bench installs it"
        return cls(name, math.nan, "", math.nan, note)

    def cells(self) -> list[str]:
        """Return the row as text."""
        if math.isnan(self.figure):
            return [self.name, "-", "-", self.note]
        ratio = "1" if self.ratio == 1 else f"{self.ratio:.2f}"
        return [self.name, f"{self.figure:.3g} {self.unit}", ratio, self.note]


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that were measured on the same data."""

    title: str
    rows: list[Row]

    def text(self) -> str:
        """Return the section as a Markdown table, its columns aligned."""
        header = ["", "figure", "hedgeflow is faster by", "note"]
        lines = [header, *[row.cells() for row in self.rows]]
        widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
        written = [
            "| "
            + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            + " |"
            for line in lines
        ]
        rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        return "\n".join([f"## {self.title}", "", written[0], rule, *written[1:], ""])
