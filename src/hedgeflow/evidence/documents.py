"""The package's JSON documents as types, and the schemas that are published of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, cast

from pydantic import Field, TypeAdapter

from hedgeflow.evidence.accuracy import DetectionAccuracy
from hedgeflow.evidence.arm_findings import ArmFinding
from hedgeflow.evidence.arms import ArmResult
from hedgeflow.evidence.assessment import Bootstrap, Evidence, PerformanceMetrics
from hedgeflow.evidence.coherence import Coherence
from hedgeflow.evidence.confidence_sequence import Monitoring
from hedgeflow.evidence.deflated_sharpe import DeflatedSharpe
from hedgeflow.evidence.differences import Difference
from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL, Estimate
from hedgeflow.evidence.hedging import FlowCorrelation, ResponseCorrelation
from hedgeflow.evidence.latency import Latency
from hedgeflow.evidence.leakage import Leakage
from hedgeflow.evidence.multiplicity import TestedHypothesis
from hedgeflow.evidence.performance import AlertCounts, Results
from hedgeflow.evidence.price_response import PriceResponse
from hedgeflow.evidence.reliability import Reliability
from hedgeflow.evidence.significance import Significance
from hedgeflow.evidence.tables import Coverage, Inputs, Registration, Vault
from hedgeflow.evidence.verdict import CouldTell, Judgement, Status, Verdict

SCHEMA_VERSION = "2.0"
EVIDENCE = "evidence"
SCALE_VOLUME_NOTE = (
    "V5, the median 5-minute volume of the hedge instrument in underlying units; "
    "null where thresholds are absolute"
)

Word = Annotated[str, Field(min_length=1)]
Digest = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
Instant = Annotated[
    str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What every document begins with; `simulated` means: no evidence about any market."""

    schema_version: Word
    strategy: Word
    preset: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A claim that is true by construction, and so no claim."""

    id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class HypothesisValidation:
    """Each claim, judged, and what it rests on."""

    null_hypothesis: str
    primary_hypothesis_supported: bool
    claims: tuple[Judgement, ...]
    hypotheses: tuple[TestedHypothesis, ...]
    delta_flow_correlation: FlowCorrelation
    response_time_correlation: ResponseCorrelation
    price_response: PriceResponse
    reliability: Reliability
    flow_type_differentiation: tuple[Difference, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticalMeasures(Significance):
    """Every test against chance, and how it was made."""

    confidence_level: float
    sample_size: int
    deflated_sharpe: DeflatedSharpe
    monitoring: Monitoring
    bootstrap: Bootstrap


@dataclass(frozen=True, slots=True)
class ExperimentalValidity:
    """The verdict, its reasons, and the same record run other ways."""

    verdict: Verdict
    could_tell: CouldTell
    source_verdict: Verdict
    label: str
    failed: tuple[str, ...]
    inconclusive: tuple[str, ...]
    untestable: tuple[str, ...]
    reasons: tuple[str, ...]
    resolution: Annotated[tuple[Word, ...], Field(min_length=1)]
    gates: tuple[Judgement, ...]
    coherence: Coherence
    arms: tuple[ArmResult, ...]
    arm_findings: tuple[ArmFinding, ...]
    leakage: Leakage | None


@dataclass(frozen=True, slots=True)
class Reproducibility:
    """Enough to make the run again."""

    data_hash: Word
    config_hash: Digest
    config: dict[str, Any]
    code_version: Word
    seed: int
    inputs: Inputs | None
    trials: Annotated[int, Field(ge=1)]
    trial_sharpes: tuple[float, ...]
    registration: Registration | None
    vault: Vault | None
    hedge_instrument: Word
    hedge_venue: str
    scale_volume: float | None
    scale_volume_note: str
    signing_mode: str
    notes: tuple[str, ...]
    coverage: tuple[Coverage, ...]
    files: dict[str, Digest]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceDocument(Head):
    """evidence.json: everything that the verdict rests on."""

    hypothesis_validation: HypothesisValidation
    performance_metrics: PerformanceMetrics
    statistical_measures: StatisticalMeasures
    performance_by_flow_type: dict[str, Results]
    experimental_validity: ExperimentalValidity
    reproducibility: Reproducibility
    timestamp: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionAccuracyDocument(Head):
    """detection_accuracy.json: predictions against what was observed."""

    accuracy: DetectionAccuracy
    reliability: Reliability
    alerts: AlertCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgingCorrelationDocument(Head):
    """delta_hedging_correlation.json: predicted hedges against observed signed flow."""

    delta_flow: FlowCorrelation
    response_time: ResponseCorrelation
    price_response: PriceResponse
    claims: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionLatencyDocument(Head):
    """execution_latency.json: detection to entry, wins by delay."""

    latency: Latency
    claims: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowClassDocument(Head):
    """flow_class_validation.json: whether the classes differ, and how many were right."""

    flow_class_accuracy: Estimate
    differentiation: tuple[Difference, ...]
    by_class: dict[str, Results]
    claims: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignificanceDocument(Head):
    """significance_testing.json: tests against chance, gates, coherence."""

    statistical_measures: StatisticalMeasures
    hypotheses: tuple[TestedHypothesis, ...]
    gates: tuple[Judgement, ...]
    coherence: Coherence


DOCUMENTS: dict[str, type[Head]] = {
    EVIDENCE: EvidenceDocument,
    "detection_accuracy": DetectionAccuracyDocument,
    "delta_hedging_correlation": HedgingCorrelationDocument,
    "execution_latency": ExecutionLatencyDocument,
    "flow_class_validation": FlowClassDocument,
    "significance_testing": SignificanceDocument,
}
"""Every JSON file of a package, by its name."""


def evidence_document(
    evidence: Evidence, *, timestamp: str, files: Mapping[str, str]
) -> EvidenceDocument:
    """Return evidence.json.

    Parameters
    ----------
    evidence : Evidence
    timestamp : str
        When the package is made, ISO 8601; the only part that differs on repetition.
    files : mapping of str to str
        Name and hash of every file beside it.
    """
    decision, manifest = evidence.decision, evidence.manifest
    return EvidenceDocument(
        **_head(evidence),
        hypothesis_validation=HypothesisValidation(
            manifest.null_hypothesis,
            evidence.primary_supported,
            evidence.claims,
            evidence.hypotheses,
            evidence.flow,
            evidence.response,
            evidence.prices,
            evidence.reliability,
            evidence.differences,
            tuple(
                Refused(claim.id, claim.sentence)
                for claim in (*evidence.gates, *evidence.claims)
                if claim.status is Status.REFUSED
            ),
        ),
        performance_metrics=evidence.performance,
        statistical_measures=_statistics(evidence),
        performance_by_flow_type=evidence.by_class,
        experimental_validity=ExperimentalValidity(
            decision.verdict,
            decision.could_tell,
            decision.source_verdict,
            evidence.label,
            decision.failed,
            decision.inconclusive,
            decision.untestable,
            decision.reasons,
            evidence.resolution,
            evidence.gates,
            evidence.coherence,
            evidence.arms,
            evidence.arm_findings,
            evidence.leakage,
        ),
        reproducibility=Reproducibility(
            data_hash=manifest.data_hash,
            config_hash=manifest.config_hash,
            config=dict(manifest.config),
            code_version=manifest.code_version,
            seed=manifest.seed,
            inputs=manifest.inputs,
            trials=manifest.trials,
            trial_sharpes=manifest.trial_sharpes,
            registration=manifest.registration,
            vault=manifest.vault,
            hedge_instrument=manifest.hedge_instrument,
            hedge_venue=manifest.hedge_venue,
            scale_volume=manifest.scale_volume,
            scale_volume_note=SCALE_VOLUME_NOTE,
            signing_mode=manifest.signing_mode,
            notes=manifest.notes,
            coverage=manifest.coverage,
            files=dict(files),
        ),
        timestamp=timestamp,
    )


def companions(evidence: Evidence) -> dict[str, Head]:
    """Return the documents that stand beside evidence.json, by name."""
    head = _head(evidence)

    def claims(*names: str) -> tuple[Judgement, ...]:
        return tuple(claim for claim in evidence.claims if {claim.id, claim.group} & set(names))

    return {
        "detection_accuracy": DetectionAccuracyDocument(
            **head,
            accuracy=evidence.accuracy,
            reliability=evidence.reliability,
            alerts=evidence.performance.alerts,
        ),
        "delta_hedging_correlation": HedgingCorrelationDocument(
            **head,
            delta_flow=evidence.flow,
            response_time=evidence.response,
            price_response=evidence.prices,
            claims=claims(
                "delta-flow",
                "response-time",
                "response-time-model",
                "price-response",
                "acceleration",
            ),
        ),
        "execution_latency": ExecutionLatencyDocument(
            **head,
            latency=evidence.performance.execution_latency,
            claims=claims("latency", "detection-to-execution"),
        ),
        "flow_class_validation": FlowClassDocument(
            **head,
            flow_class_accuracy=evidence.accuracy.flow_class,
            differentiation=evidence.differences,
            by_class=evidence.by_class,
            claims=claims("flow-types", "accuracy"),
        ),
        "significance_testing": SignificanceDocument(
            **head,
            statistical_measures=_statistics(evidence),
            hypotheses=evidence.hypotheses,
            gates=evidence.gates,
            coherence=evidence.coherence,
        ),
    }


def _head(evidence: Evidence) -> dict[str, Any]:
    manifest = evidence.manifest
    return {
        "schema_version": SCHEMA_VERSION,
        "strategy": manifest.strategy,
        "preset": manifest.preset,
        "simulated": manifest.simulated,
    }


def _statistics(evidence: Evidence) -> StatisticalMeasures:
    tests = evidence.significance
    return StatisticalMeasures(
        **{item.name: getattr(tests, item.name) for item in fields(tests)},
        confidence_level=CONFIDENCE_LEVEL,
        sample_size=evidence.performance.trades,
        deflated_sharpe=evidence.deflated,
        monitoring=evidence.monitoring,
        bootstrap=evidence.bootstrap,
    )


def schema(name: str) -> Mapping[str, object]:
    """Return the published schema of a package's document, for example ``evidence``.

    Parameters
    ----------
    name : str
        One of `DOCUMENTS`.
    """
    return schema_of(DOCUMENTS[name])


@cache
def schema_of(document_type: type[Head]) -> Mapping[str, object]:
    """Return the schema of a document: every field is required and no other is known.

    Parameters
    ----------
    document_type : type
        With an `Estimate` somewhere in it.
    """
    document = TypeAdapter(document_type).json_schema(mode="serialization")
    body: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}
    _close(body)
    body["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    body["$defs"]["Estimate"] |= {
        "if": {"properties": {"value": {"type": "null"}}},
        "then": {
            "properties": {
                "reason": {"minLength": 1},
                "lower": {"type": "null"},
                "upper": {"type": "null"},
            }
        },
    }
    return cast("Mapping[str, object]", body)


def _close(part: object) -> None:
    """Make every object of a schema know its own fields only, and say what it is in one line."""
    if isinstance(part, list):
        for item in cast("list[object]", part):
            _close(item)
    if not isinstance(part, dict):
        return
    body = cast("dict[str, Any]", part)
    for value in body.values():
        _close(value)
    known = body.get("properties")
    if body.get("type") == "object" and isinstance(known, dict):
        body["additionalProperties"] = False
        body["required"] = list(cast("dict[str, object]", known))
        for one in cast("dict[str, dict[str, object]]", known).values():
            one.pop("default", None)
            one.pop("title", None)
    if isinstance(body.get("description"), str):
        body["description"] = body["description"].split("\n")[0]
