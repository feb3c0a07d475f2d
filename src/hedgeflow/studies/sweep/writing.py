"""The folder that a sweep or a walk-forward writes: a document, tables and one page."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from hedgeflow.evidence.plain import dumps
from hedgeflow.market.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from hedgeflow.evidence.documents import Head


def check_folder(out: Path, name: str) -> None:
    """Refuse to write over anything but an empty folder or one that holds the same document.

    Parameters
    ----------
    out : Path
    name : str
        Of the document, as in ``sweep``.

    Raises
    ------
    EvidenceError
        `out` is a file, or a folder of something else.
    """
    hint = "Name another folder with --out"
    if out.is_file():
        raise EvidenceError("is a file, not a folder", where=str(out), hint=hint)
    if out.exists() and any(out.iterdir()) and not (out / f"{name}.json").is_file():
        raise EvidenceError(
            f"the folder exists and holds no {name}.json", where=str(out), hint=hint
        )


def write_folder(
    out: Path,
    name: str,
    document: Head,
    tables: Mapping[str, pl.DataFrame],
    html: str,
    *,
    simulated: bool,
) -> Path:
    """Write document, tables and page, whole, and return the page's path.

    What an earlier call wrote there is replaced.

    Parameters
    ----------
    out : Path
    name : str
        Of document and page, without ending.
    document : Head
    tables : mapping of str to DataFrame
        By name, without ending.
    html : str
    simulated : bool
        Marks the tables' files, as the document says it itself.

    Raises
    ------
    EvidenceError
        As `check_folder`.
    """
    check_folder(out, name)
    fresh, stale = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    for leftover in (fresh, stale):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    (fresh / f"{name}.json").write_text(dumps(document), encoding="utf-8")
    for table, frame in tables.items():
        frame.write_parquet(
            fresh / f"{table}.parquet", metadata={"simulated": "true"} if simulated else None
        )
    (fresh / f"{name}.html").write_text(html, encoding="utf-8")
    if out.exists():
        out.rename(stale)
    fresh.rename(out)
    shutil.rmtree(stale, ignore_errors=True)
    return out / f"{name}.html"
