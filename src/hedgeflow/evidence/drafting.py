"""What was found, written down as the package's JSON documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from hedgeflow.evidence.assessment import Evidence
from hedgeflow.evidence.documents import (
    SCALE_VOLUME_NOTE,
    SCHEMA_VERSION,
    DetectionAccuracyDocument,
    EvidenceDocument,
    ExecutionLatencyDocument,
    ExperimentalValidity,
    FlowClassDocument,
    Head,
    HedgingCorrelationDocument,
    HypothesisValidation,
    PinningDocument,
    Refused,
    Reproducibility,
    SignificanceDocument,
    StatisticalMeasures,
)
from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL
from hedgeflow.evidence.pinning import pinning_measures
from hedgeflow.evidence.settlement_probabilities import (
    probability_measures,
)
from hedgeflow.evidence.verdict import Judgement, Status

ABOUT_HEDGES = ("detection_accuracy", "delta_hedging_correlation", "flow_class_validation")
"""Those that only strategies have which predict dealers' hedges."""


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
            null_hypothesis=manifest.null_hypothesis,
            primary_hypothesis_supported=evidence.primary_supported,
            claims=evidence.claims,
            hypotheses=evidence.hypotheses,
            delta_flow_correlation=evidence.flow if evidence.predicts_hedges else None,
            response_time_correlation=evidence.response if evidence.predicts_hedges else None,
            price_response=evidence.prices if evidence.predicts_hedges else None,
            reliability=evidence.reliability,
            flow_type_differentiation=evidence.differences,
            refused=tuple(
                Refused(claim.id, claim.sentence)
                for claim in (*evidence.gates, *evidence.claims)
                if claim.status is Status.REFUSED
            ),
            pinning=evidence.pinning,
            strike_probabilities=evidence.strike_probabilities,
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
    """Return the documents that stand beside evidence.json, by name.

    What a strategy says nothing of has no document.
    """
    head = _head(evidence)

    def claims(*names: str) -> tuple[Judgement, ...]:
        return tuple(claim for claim in evidence.claims if {claim.id, claim.group} & set(names))

    found: dict[str, Head] = {
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
    if not evidence.predicts_hedges:
        found = {name: each for name, each in found.items() if name not in ABOUT_HEDGES}
    pins, probabilities = evidence.pinning, evidence.strike_probabilities
    if pins is not None or probabilities is not None:
        measured = {
            name for name, _ in (pinning_measures(pins) | probability_measures(probabilities))
        }
        found["pinning"] = PinningDocument(
            **head,
            pinning=pins,
            strike_probabilities=probabilities,
            claims=tuple(each for each in evidence.claims if each.statistic in measured),
        )
    return found


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
        power_by_claim=evidence.powers,
        bootstrap=evidence.bootstrap,
    )
