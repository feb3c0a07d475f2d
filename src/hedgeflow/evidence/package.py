"""The evidence package: one folder, validated against published schemas, all or nothing."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast

import polars as pl

from hedgeflow.evidence.assessment import Evidence
from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL
from hedgeflow.evidence.plain import digest, dumps, plain
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.verdict import Status
from hedgeflow.market.errors import EvidenceError

SCHEMA_VERSION = "1.1"
EVIDENCE = "evidence"
COMPANIONS = (
    "detection_accuracy",
    "delta_hedging_correlation",
    "execution_latency",
    "flow_class_validation",
    "significance_testing",
)
SCALE_VOLUME_NOTE = (
    "V5, the median 5-minute volume of the hedge instrument in underlying units; "
    "null where thresholds are absolute"
)

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
    head = _head(evidence)
    decision, manifest = evidence.decision, evidence.manifest
    document = {
        **head,
        "hypothesis_validation": {
            "null_hypothesis": manifest.null_hypothesis,
            "primary_hypothesis_supported": evidence.primary_supported,
            "claims": evidence.claims,
            "delta_flow_correlation": evidence.flow,
            "response_time_correlation": evidence.response,
            "flow_type_differentiation": evidence.differences,
            "refused": [
                {"id": claim.id, "sentence": claim.sentence}
                for claim in (*evidence.gates, *evidence.claims)
                if claim.status is Status.REFUSED
            ],
        },
        "performance_metrics": evidence.performance,
        "statistical_measures": _statistics(evidence),
        "performance_by_flow_type": evidence.by_class,
        "experimental_validity": {
            **cast("Document", plain(decision)),
            "label": evidence.label,
            "resolution": evidence.resolution,
            "gates": evidence.gates,
            "coherence": evidence.coherence,
        },
        "reproducibility": {
            "data_hash": manifest.data_hash,
            "config_hash": manifest.config_hash,
            "config": manifest.config,
            "code_version": manifest.code_version,
            "seed": manifest.seed,
            "trials": manifest.trials,
            "hedge_instrument": manifest.hedge_instrument,
            "hedge_venue": manifest.hedge_venue,
            "scale_volume": manifest.scale_volume,
            "scale_volume_note": SCALE_VOLUME_NOTE,
            "signing_mode": manifest.signing_mode,
            "notes": manifest.notes,
            "coverage": manifest.coverage,
            "files": files,
        },
        "timestamp": timestamp,
    }
    return _checked(EVIDENCE, document)


def companion_documents(evidence: Evidence) -> dict[str, Document]:
    """Return the five JSON files that stand beside evidence.json, each checked against its schema.

    Parameters
    ----------
    evidence : Evidence
        What `assess` returned.
    """
    head = _head(evidence)

    def claims(*groups: str) -> list[object]:
        return [claim for claim in evidence.claims if claim.id in groups or claim.group in groups]

    bodies: dict[str, Document] = {
        "detection_accuracy": {
            "accuracy": evidence.accuracy,
            "alerts": evidence.performance.alerts,
        },
        "delta_hedging_correlation": {
            "delta_flow": evidence.flow,
            "response_time": evidence.response,
            "claims": claims("delta-flow", "response-time", "response-time-model"),
        },
        "execution_latency": {
            "latency": evidence.performance.execution_latency,
            "claims": claims("latency", "detection-to-execution"),
        },
        "flow_class_validation": {
            "flow_class_accuracy": evidence.accuracy.flow_class,
            "differentiation": evidence.differences,
            "by_class": evidence.by_class,
            "claims": claims("flow-types", "accuracy"),
        },
        "significance_testing": {
            "statistical_measures": _statistics(evidence),
            "gates": evidence.gates,
            "coherence": evidence.coherence,
        },
    }
    return {name: _checked(name, {**head, **body}) for name, body in bodies.items()}


def write_package(
    evidence: Evidence,
    tables: EvidenceTables,
    out: Path,
    *,
    timestamp: str,
    report_html: str | None = None,
) -> Path:
    """Write the package folder, whole or not at all.

    Parameters
    ----------
    evidence : Evidence
        What `assess` returned for `tables`.
    tables : EvidenceTables
        Written beside it as Parquet.
    out : Path
        The folder to make; it must not exist.
    timestamp : str
        ISO 8601, from the caller's clock.
    report_html : str, optional
        The rendered report.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    EvidenceError
        When `out` exists, or a document does not meet its schema; nothing is left behind.
    """
    if out.exists():
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
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for name, data in files.items():
            (staging / name).write_bytes(data)
        staging.chmod(0o755)
        staging.rename(out)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return out


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
        raise EvidenceError(
            "no evidence.json", where=folder.name, hint="Point to a package folder."
        )
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


def _head(evidence: Evidence) -> Document:
    manifest = evidence.manifest
    return {
        "schema_version": SCHEMA_VERSION,
        "strategy": manifest.strategy,
        "preset": manifest.preset,
        "simulated": manifest.simulated,
    }


def _statistics(evidence: Evidence) -> Document:
    return {
        **cast("Document", plain(evidence.significance)),
        "confidence_level": CONFIDENCE_LEVEL,
        "sample_size": evidence.performance.trades,
        "bootstrap": plain(evidence.bootstrap),
    }


def _tables(tables: EvidenceTables, *, simulated: bool) -> dict[str, bytes]:
    frames: dict[str, pl.DataFrame | None] = {
        "trades": tables.trades,
        "alerts": tables.alerts,
        "decisions": tables.decisions,
        "ledger_entries": tables.ledger_entries,
        "event_study": tables.event_study,
        "flow": tables.flow,
        "truth": tables.truth,
        "events": tables.events,
        "anomalies": tables.anomalies,
    }
    for name, null in (
        ("null_draws", tables.matched),
        ("direction_draws", tables.directions),
    ):
        if null is not None:
            frames[name] = pl.DataFrame(
                {"mean_net_bps": null.mean_net_bps, "win_rate": null.win_rate}
            )
    written: dict[str, bytes] = {}
    for name, frame in frames.items():
        if frame is not None:
            buffer = io.BytesIO()
            frame.write_parquet(buffer, metadata={"simulated": str(simulated).lower()})
            written[f"{name}.parquet"] = buffer.getvalue()
    return written


@cache
def schema(name: str) -> Mapping[str, object]:
    """Return a published schema, for example ``evidence``.

    Parameters
    ----------
    name : str
        `EVIDENCE` or one of `COMPANIONS`.
    """
    text = (
        resources.files("hedgeflow.evidence")
        .joinpath(f"schemas/{name}.schema.json")
        .read_text(encoding="utf-8")
    )
    return cast("Mapping[str, object]", json.loads(text))


def _checked(name: str, document: Document) -> Document:
    import jsonschema

    library: Any = jsonschema

    body = cast("Document", plain(document))
    errors = sorted(library.Draft202012Validator(schema(name)).iter_errors(body), key=str)
    if errors:
        where = "/".join(str(part) for part in errors[0].absolute_path)
        raise EvidenceError(errors[0].message, where=f"{name}.json {where}".strip())
    return body
