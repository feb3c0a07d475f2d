"""Soundness: whether a catalog's files are what its imports wrote."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from hedgeflow.market import layout
from hedgeflow.market.manifests import union
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import iso

if TYPE_CHECKING:
    from pathlib import Path

    from hedgeflow.market.manifests import Manifest, Part
    from hedgeflow.market.tapes import TapeKey

IMPORT_AGAIN = "Import {source} again: damaged files are written anew"


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    severity : Severity
    what : str
        ``MISSING_PART``, ``TRUNCATED_PART``, ``CHANGED_PART``, ``ORPHAN_FILE``, ``REJECTS`` or
        ``GAP``.
    where : str
        Path or tape.
    text : str
        One sentence.
    hint : str
        What to do; empty where nothing is to be done.
    """

    severity: Severity
    what: str
    where: str
    text: str
    hint: str = ""


def findings(root: Path, made: list[Manifest]) -> list[Finding]:
    """Return what is wrong with a catalog's files, and the gaps in its tapes."""
    found: list[Finding] = []
    for each in made:
        hint = IMPORT_AGAIN.format(source=each.source)
        found += [fault for part in each.files if (fault := _part_fault(root, part, hint))]
        if each.rejected_share > 0:
            found.append(_rejects(each))
    found += _orphans(root, made)
    for key in dict.fromkeys(each.key for each in made):
        found += _gaps(key, [each for each in made if each.key == key])
    return found


def _part_fault(root: Path, part: Part, hint: str) -> Finding | None:
    path = root / part.path
    if not path.is_file():
        return Finding(Severity.ERROR, "MISSING_PART", part.path, "the file is missing", hint)
    if layout.file_sha256(path) == part.sha256:
        return None
    if not _ends_as_parquet(path):
        text = "the file is cut off or no Parquet file"
        return Finding(Severity.ERROR, "TRUNCATED_PART", part.path, text, hint)
    text = "the content is not what was written (its SHA-256 differs)"
    return Finding(Severity.ERROR, "CHANGED_PART", part.path, text, hint)


def _ends_as_parquet(path: Path) -> bool:
    content = path.read_bytes()
    return content[:4] == content[-4:] == b"PAR1"


def _rejects(made: Manifest) -> Finding:
    count = sum(made.rejected.values())
    reasons = ", ".join(f"{name} {rows}" for name, rows in made.rejected.items())
    text = f"{count:,} of {made.read:,} rows of {made.source} were rejected: {reasons}"
    severity = Severity.WARNING if made.needs_acceptance else Severity.NOTE
    hint = "To use the tape, import it again with --accept-rejects" if made.needs_acceptance else ""
    return Finding(severity, "REJECTS", layout.tape_folder(made.key), text, hint)


def _orphans(root: Path, made: list[Manifest]) -> list[Finding]:
    known = {part.path for each in made for part in each.files}
    return [
        Finding(
            Severity.WARNING,
            "ORPHAN_FILE",
            name,
            "no import wrote this file; hedgeflow does not read it, other tools do",
            "Remove it",
        )
        for folder in (*TapeKind, layout.CONTRACTS, layout.REJECTS)
        for path in sorted((root / folder).rglob("*.parquet"))
        if (name := path.relative_to(root).as_posix()) not in known
    ]


def _gaps(key: TapeKey, made: list[Manifest]) -> list[Finding]:
    covered = union(made).intervals
    return [
        Finding(
            Severity.NOTE,
            "GAP",
            layout.tape_folder(key),
            f"nothing was recorded from {iso(end)} to {iso(start)}",
        )
        for (_, end), (start, _) in pairwise(covered)
    ]
