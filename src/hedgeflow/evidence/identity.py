"""Whether a package made again is the one it was: every figure and every table, place by place."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import polars as pl

from hedgeflow.evidence.checks import JsonObject, section
from hedgeflow.evidence.documents import EVIDENCE
from hedgeflow.evidence.opening import Package

TOLERANCE: Final = 1e-9
"""Of a figure's own size, and never less than that of 1: packages keep 12 digits."""

NOT_FIGURES: Final = (
    "timestamp",
    "reproducibility.code_version",
    "reproducibility.inputs.run_id",
    "reproducibility.files",
)
"""What another making may change: its time, the code that made it, and what follows from them."""


@dataclass(frozen=True, slots=True)
class Differing:
    """One place where the two are not the same.

    Attributes
    ----------
    file, place : str
        The file, and the dotted place or the column in it.
    stated, found : object
        What each has there; None: nothing.
    apart : float or None
        Found less stated, where both are numbers.
    """

    file: str
    place: str
    stated: object
    found: object
    apart: float | None

    @property
    def sentence(self) -> str:
        """Where, what and by how much."""
        by = "" if self.apart is None else f", apart by {self.apart:.6g}"
        stated, found = _brief(self.stated), _brief(self.found)
        return f"{self.file}: {self.place}: stated {stated}, found {found}{by}"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the comparison of two packages found.

    Attributes
    ----------
    compared : int
        Values of the JSON files and of the tables that were compared.
    files : tuple of str
        The files that were.
    differences : tuple of Differing
        In the order of the files.
    """

    compared: int
    files: tuple[str, ...]
    differences: tuple[Differing, ...]

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def identity(stated: Package, found: Package) -> Identity:
    """Compare a package with the same one made again, file by file.

    Parameters
    ----------
    stated, found : Package

    Notes
    -----
    Numbers agree within `TOLERANCE`, words and counts exactly; `NOT_FIGURES` are left out.
    """
    compared, differences = 0, list[Differing]()

    def look(file: str, first: Mapping[str, object], second: Mapping[str, object]) -> None:
        nonlocal compared
        for place in dict.fromkeys([*first, *second]):
            compared += 1
            differing = _differing(file, place, first.get(place), second.get(place))
            if differing is not None:
                differences.append(differing)

    evidence = f"{EVIDENCE}.json"
    look(evidence, _figures(stated.document), _figures(found.document))
    names = [*dict.fromkeys([*_files(stated), *_files(found)])]
    for name in names:
        paths = [each.folder / name for each in (stated, found)]
        if not all(path.is_file() for path in paths):
            here, there = ("there" if path.is_file() else None for path in paths)
            look(name, {"the file": here}, {"the file": there})
        elif name.endswith(".json"):
            first, second = (_figures(_json(path)) for path in paths)
            look(name, first, second)
        else:
            first_table, second_table = (pl.read_parquet(path) for path in paths)
            compared += max(_size(first_table), _size(second_table))
            differences.extend(_differing_columns(name, first_table, second_table))
    return Identity(compared, (evidence, *names), tuple(differences))


def _files(package: Package) -> list[str]:
    return sorted(section(package.reproducibility, "files"))


def _json(path: Path) -> JsonObject:
    return cast("JsonObject", json.loads(path.read_text(encoding="utf-8")))


def _figures(document: JsonObject) -> dict[str, object]:
    return {
        place: value
        for place, value in _leaves(document, "")
        if not any(place == name or place.startswith(f"{name}.") for name in NOT_FIGURES)
    }


def _leaves(node: object, place: str) -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping) and node:
        for key, value in cast("JsonObject", node).items():
            yield from _leaves(value, f"{place}.{key}" if place else key)
    elif isinstance(node, list) and node:
        for row, value in enumerate(cast("list[object]", node)):
            yield from _leaves(value, f"{place}[{row}]")
    else:
        yield place, node


def _differing(file: str, place: str, stated: object, found: object) -> Differing | None:
    if isinstance(stated, bool) or isinstance(found, bool):
        return None if stated is found else Differing(file, place, stated, found, None)
    if isinstance(stated, (int, float)) and isinstance(found, (int, float)):
        whole = isinstance(stated, int) and isinstance(found, int)
        size = 0.0 if whole else TOLERANCE * max(1.0, abs(stated), abs(found))
        if abs(found - stated) <= size:
            return None
        return Differing(file, place, stated, found, float(found - stated))
    return None if stated == found else Differing(file, place, stated, found, None)


def _differing_columns(name: str, stated: pl.DataFrame, found: pl.DataFrame) -> list[Differing]:
    """Return the first difference of each column, or that the tables have different shapes."""
    if stated.schema != found.schema or stated.height != found.height:
        shapes = [f"{each.height:,} rows of {', '.join(each.columns)}" for each in (stated, found)]
        return [Differing(name, "rows and columns", shapes[0], shapes[1], None)]
    differences: list[Differing] = []
    for column in stated.columns:
        if stated[column].equals(found[column], null_equal=True):
            continue
        pairs = zip(stated[column].to_list(), found[column].to_list(), strict=True)
        for row, (first, second) in enumerate(pairs):
            if _both_nan(first, second):
                continue
            differing = _differing(name, f"row {row} {column}", first, second)
            if differing is not None:
                differences.append(differing)
                break
    return differences


def _both_nan(first: object, second: object) -> bool:
    return all(isinstance(each, float) and math.isnan(each) for each in (first, second))


def _size(table: pl.DataFrame) -> int:
    return table.height * table.width


def _brief(value: object) -> str:
    written = value if isinstance(value, str) else json.dumps(value, default=str)
    return written if len(written) <= 120 else f"{written[:117]}…"
