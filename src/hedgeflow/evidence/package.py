"""The evidence package: one folder, validated against published schemas, all or nothing."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import polars as pl

from hedgeflow.evidence.assessment import Evidence
from hedgeflow.evidence.documents import EVIDENCE, schema
from hedgeflow.evidence.drafting import companions, evidence_document
from hedgeflow.evidence.plain import digest, dumps, plain
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.market.errors import EvidenceError

Document = dict[str, object]


def package_document(evidence: Evidence, *, timestamp: str, files: Mapping[str, str]) -> Document:
    """Return evidence.json as a dictionary, checked against its schema.

    Parameters
    ----------
    evidence : Evidence
        What `assess` returned.
    timestamp : str
        When the package is made, ISO 8601; the only part that differs on repetition.
    files : mapping of str to str
        Name and hash of every file beside it.
    """
    return _checked(EVIDENCE, evidence_document(evidence, timestamp=timestamp, files=files))


def companion_documents(evidence: Evidence) -> dict[str, Document]:
    """Return the JSON files that stand beside evidence.json, each checked against its schema.

    Parameters
    ----------
    evidence : Evidence
        What `assess` returned.
    """
    return {name: _checked(name, body) for name, body in companions(evidence).items()}


def write_package(
    evidence: Evidence,
    tables: EvidenceTables,
    out: Path,
    *,
    timestamp: str,
    report_html: str | None = None,
    replace: bool = False,
) -> Path:
    """Write the package folder, whole or not at all.

    Parameters
    ----------
    evidence : Evidence
        What `assess` returned for `tables`.
    tables : EvidenceTables
        Written beside it as Parquet.
    out : Path
        The folder to make.
    timestamp : str
        ISO 8601, from the caller's clock.
    report_html : str, optional
        The rendered report.
    replace : bool
        Put it in the place of what stands at `out`; otherwise nothing may stand there.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    EvidenceError
        When `out` exists, or a document does not meet its schema; nothing is left behind.

    Notes
    -----
    No file system that we rely on exchanges two folders in one step, so what is replaced stands
    aside, whole, until the new package is in its place. Whoever dies between the two steps leaves
    it there, and `restore` brings it back.
    """
    restore(out)
    if out.exists() and not replace:
        raise EvidenceError(
            "the folder exists already", where=out.name, hint="Packages are never overwritten."
        )
    files = {
        f"{name}.json": dumps(body).encode() for name, body in companion_documents(evidence).items()
    }
    files |= _tables(tables, simulated=evidence.manifest.simulated)
    hashes = {name: digest(data) for name, data in sorted(files.items())}
    document = package_document(evidence, timestamp=timestamp, files=hashes)
    files[f"{EVIDENCE}.json"] = dumps(document).encode()
    if report_html is not None:
        files["report.html"] = report_html.encode()
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh, stale = out.with_name(f".{out.name}.new"), _aside(out)
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        for name, data in files.items():
            (fresh / name).write_bytes(data)
        if out.exists():
            out.rename(stale)
        fresh.rename(out)
    except BaseException:
        restore(out)
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(stale, ignore_errors=True)
    return out


def restore(out: Path) -> None:
    """Bring back the package that stood at `out` when somebody died while replacing it."""
    stale = _aside(out)
    if not stale.is_dir():
        return
    if out.exists():
        shutil.rmtree(stale, ignore_errors=True)
    else:
        stale.rename(out)


def _aside(out: Path) -> Path:
    return out.with_name(f".{out.name}.old")


def read_package(folder: Path) -> Document:
    """Return evidence.json of a package, checked against its schema and the hashes of its files.

    Parameters
    ----------
    folder : Path
        A package folder.

    Raises
    ------
    EvidenceError
        When a file is missing, was changed, or does not meet its schema.
    """
    path = folder / f"{EVIDENCE}.json"
    if not path.is_file():
        hint = "Point to a package folder."
        if _aside(folder).is_dir():
            hint = f"Its replacement was interrupted; the earlier package is {_aside(folder).name}."
        raise EvidenceError("no evidence.json", where=folder.name, hint=hint)
    try:
        document = cast("Document", json.loads(path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise EvidenceError(f"evidence.json is no JSON ({error})", where=folder.name) from error
    _checked(EVIDENCE, document)
    hashes = cast("dict[str, str]", cast("Document", document["reproducibility"])["files"])
    for name, expected in hashes.items():
        file = folder / name
        if not file.is_file() or digest(file.read_bytes()) != expected:
            raise EvidenceError(
                f"{name} is missing or was changed",
                where=folder.name,
                hint="Make the package again from its data.",
            )
    return document


def _tables(tables: EvidenceTables, *, simulated: bool) -> dict[str, bytes]:
    frames: dict[str, pl.DataFrame | None] = {
        "trades": tables.trades,
        "alerts": tables.alerts,
        "decisions": tables.decisions,
        "ledger_entries": tables.ledger_entries,
        "event_study": tables.event_study,
        "flow": tables.flow,
        "predictions": tables.predictions,
        "price_responses": tables.prices,
        "truth": tables.truth,
        "events": tables.events,
        "anomalies": tables.anomalies,
        "arms": tables.arms,
        "expiries": tables.expiries,
        "expiry_prices": tables.expiry_prices,
        "strike_probabilities": tables.strike_probabilities,
    }
    for kind, null in tables.nulls.items():
        frames[f"draws_{kind.value.replace('-', '_')}"] = pl.DataFrame(
            {"mean_net_bps": null.mean_net_bps, "win_rate": null.win_rate}
        )
    written: dict[str, bytes] = {}
    for name, frame in frames.items():
        if frame is not None:
            buffer = io.BytesIO()
            frame.write_parquet(buffer, metadata={"simulated": str(simulated).lower()})
            written[f"{name}.parquet"] = buffer.getvalue()
    return written


def _checked(name: str, document: object) -> Document:
    import jsonschema

    library: Any = jsonschema

    body = cast("Document", plain(document))
    errors = sorted(library.Draft202012Validator(schema(name)).iter_errors(body), key=str)
    if errors:
        where = "/".join(str(part) for part in errors[0].absolute_path)
        raise EvidenceError(errors[0].message, where=f"{name}.json {where}".strip())
    return body
