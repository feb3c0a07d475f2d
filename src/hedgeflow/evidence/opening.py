"""A package as it was written: found, checked whole, or refused with what to do instead."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from hedgeflow.evidence.checks import JsonObject, section
from hedgeflow.evidence.documents import EVIDENCE, SCHEMA_VERSION
from hedgeflow.evidence.package import read_package
from hedgeflow.market.errors import EvidenceError


@dataclass(frozen=True, slots=True)
class Package:
    """A package that met its schema and whose files are those it was written with.

    Attributes
    ----------
    folder : pathlib.Path
        Where it lies.
    document : mapping
        Its evidence.json.
    """

    folder: Path
    document: JsonObject

    @property
    def name(self) -> str:
        """What to call it beside others."""
        return self.folder.name or str(self.folder)

    @property
    def strategy(self) -> str:
        """Whose claims it judges."""
        return str(self.document["strategy"])

    @property
    def simulated(self) -> bool:
        """Whether its market was simulated."""
        return self.document["simulated"] is True

    @property
    def label(self) -> str:
        """The verdict in one line."""
        return str(section(self.document, "experimental_validity")["label"])

    @property
    def reproducibility(self) -> JsonObject:
        """How it was made."""
        return section(self.document, "reproducibility")


def open_package(path: Path) -> Package:
    """Return the package at a folder, or the one whose evidence.json is named.

    Parameters
    ----------
    path : pathlib.Path
        A package's folder, or its evidence.json.

    Raises
    ------
    EvidenceError
        There is no package, another schema version wrote it, or a file was changed since.
    """
    if not path.exists():
        raise EvidenceError(
            "there is no such file or folder", where=str(path), hint="Name a package's folder"
        )
    folder = path if path.is_dir() else path.parent
    file = folder / f"{EVIDENCE}.json"
    if not path.is_dir() and path.name != file.name:
        raise EvidenceError(
            f"{path.name} is not a package's evidence.json",
            where=str(path.parent),
            hint="Name a package's folder, or the evidence.json in it",
        )
    if not file.is_file():
        raise EvidenceError(
            "the folder is no evidence package: it has no evidence.json",
            where=str(folder),
            hint="Make one with hedgeflow validate",
        )
    _check_version(file)
    return Package(folder, read_package(folder))


def _check_version(file: Path) -> None:
    """Refuse what another version of the schema wrote, before its fields are looked at."""
    try:
        document = cast("object", json.loads(file.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"is no JSON ({error})", where=str(file)) from error
    stated = cast("JsonObject", document).get("schema_version") if isinstance(document, dict) else 0
    if stated == SCHEMA_VERSION:
        return
    if not isinstance(stated, str):
        raise EvidenceError(
            "states no schema_version, so hedgeflow did not write it",
            where=str(file),
            hint="Name a package that hedgeflow validate wrote",
        )
    raise EvidenceError(
        f"was written with schema {stated}, and this hedgeflow reads {SCHEMA_VERSION}",
        where=str(file),
        hint="Make the package again with hedgeflow validate from the same catalog and settings,"
        " or read it with the version that it names under reproducibility.code_version",
    )
