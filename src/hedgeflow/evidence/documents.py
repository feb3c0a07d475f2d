"""The package's JSON documents as types, and the schemas that are published of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

from pydantic import Field

from hedgeflow.evidence.accuracy import DetectionAccuracy
from hedgeflow.evidence.arm_findings import ArmFinding
from hedgeflow.evidence.arms import ArmResult
from hedgeflow.evidence.assessment import Bootstrap
from hedgeflow.evidence.coherence import Coherence
from hedgeflow.evidence.confidence_sequence import Monitoring
from hedgeflow.evidence.deflated_sharpe import DeflatedSharpe
from hedgeflow.evidence.differences import Difference
from hedgeflow.evidence.estimates import Estimate
from hedgeflow.evidence.hedging import FlowCorrelation, ResponseCorrelation
from hedgeflow.evidence.latency import Latency
from hedgeflow.evidence.leakage import Leakage
from hedgeflow.evidence.manifest import (
    Coverage,
    Inputs,
    Registration,
    Vault,
)
from hedgeflow.evidence.metrics import PerformanceMetrics
from hedgeflow.evidence.multiplicity import TestedHypothesis
from hedgeflow.evidence.performance import AlertCounts, Results
from hedgeflow.evidence.pinning import Pinning
from hedgeflow.evidence.plain import PART
from hedgeflow.evidence.power import ClaimPower
from hedgeflow.evidence.price_response import PriceResponse
from hedgeflow.evidence.reliability import Reliability
from hedgeflow.evidence.schemas import closed_schema
from hedgeflow.evidence.settlement_probabilities import (
    StrikeProbabilities,
)
from hedgeflow.evidence.significance import Significance
from hedgeflow.evidence.verdict import CouldTell, Judgement, Verdict

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
    """What every document begins with; `simulated` means: no evidence about any market.

    Attributes
    ----------
    schema_version : str
        Version of the schemas that the file meets.
    strategy : str
        Whose claims are judged.
    preset : str
        Named settings that the configuration began from.
    simulated : bool
        True when the market was simulated; then nothing here is evidence about a market.
    """

    schema_version: Word
    strategy: Word
    preset: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A claim that is true by construction, and so no claim.

    Attributes
    ----------
    id, sentence : str
        Short name of the claim, and why it is refused.
    """

    id: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HypothesisValidation:
    """Each claim, judged, and what it rests on.

    Attributes
    ----------
    null_hypothesis : str
        What the evidence is set against, in words.
    primary_hypothesis_supported : bool
        Whether every claim of the primary group passed.
    claims : tuple of Judgement
        Each declared claim with what was found.
    hypotheses : tuple of TestedHypothesis
        Hypotheses tested together, before and after Holm.
    delta_flow_correlation : FlowCorrelation
        Predicted hedge against observed signed flow; only of strategies that predict hedges.
    response_time_correlation : ResponseCorrelation
        Size of the exposure against the response time observed; only of those.
    price_response : PriceResponse
        What prices did after events, beside placebo windows; only of those.
    reliability : Reliability
        Stated confidence against what happened.
    flow_type_differentiation : tuple of Difference
        Whether the two classes of trades differ.
    refused : tuple of Refused
        Claims that are true by construction, and so no test.
    pinning : Pinning
        Whether prices are drawn to strikes; only of strategies about expiries.
    strike_probabilities : StrikeProbabilities
        How good probabilities of finishing at a strike are; only of strategies about expiries.
    """

    null_hypothesis: str
    primary_hypothesis_supported: bool
    claims: tuple[Judgement, ...]
    hypotheses: tuple[TestedHypothesis, ...]
    delta_flow_correlation: FlowCorrelation | None = field(default=None, metadata=PART)
    response_time_correlation: ResponseCorrelation | None = field(default=None, metadata=PART)
    price_response: PriceResponse | None = field(default=None, metadata=PART)
    reliability: Reliability
    flow_type_differentiation: tuple[Difference, ...]
    refused: tuple[Refused, ...]
    pinning: Pinning | None = field(default=None, metadata=PART)
    strike_probabilities: StrikeProbabilities | None = field(default=None, metadata=PART)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticalMeasures(Significance):
    """Every test against chance, and how it was made.

    Attributes
    ----------
    confidence_level : float
        Of all intervals unless they state another.
    sample_size : int
        Trades.
    deflated_sharpe : DeflatedSharpe
        What is left of the Sharpe ratio after all configurations tried.
    monitoring : Monitoring
        Confidence sequences of the record.
    bootstrap : Bootstrap
        How sessions were resampled.
    power_by_claim : tuple of ClaimPower
        What each claim's sample could have shown.
    """

    confidence_level: float
    sample_size: int
    deflated_sharpe: DeflatedSharpe
    monitoring: Monitoring
    power_by_claim: tuple[ClaimPower, ...]
    bootstrap: Bootstrap


@dataclass(frozen=True, slots=True)
class ExperimentalValidity:
    """The verdict, its reasons, and the same record run other ways.

    Attributes
    ----------
    verdict : Verdict
        VALIDATED when every gate passed by its worse bound; INSUFFICIENT_DATA under the trades
        that a verdict needs; else REJECTED.
    could_tell : CouldTell
        CONCLUSIVE when validated or when a gate failed outright, UNTESTABLE when no gate could be
        tested, else INCONCLUSIVE.
    source_verdict : Verdict
        The verdict by point estimates alone, as the source of the claim has it.
    label : str
        Both in one line, SIMULATED first where it applies.
    failed, inconclusive, untestable : tuple of str
        Ids of the gates that did not pass.
    reasons : tuple of str
        A sentence for each part that does not hold.
    resolution : tuple of str
        The whole in words: what was found, and what it means.
    gates : tuple of Judgement
        Every gate with what was found.
    coherence : Coherence
        Whether the figures agree with each other.
    arms : tuple of ArmResult
        The same record run other ways; their trades are in arms.parquet.
    arm_findings : tuple of ArmFinding
        What groups of arms say as wholes.
    leakage : Leakage or None
        Whether the run used what it could not know, where that was tested.
    """

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
    """Enough to make the run again.

    Attributes
    ----------
    data_hash, config_hash : str
        Of the data read, and of the configuration as canonical JSON.
    config : dict
        The full configuration.
    code_version : str
        Version of the code.
    seed : int
        Of every random draw.
    inputs : Inputs or None
        What else the run read.
    trials : int
        Configurations evaluated on these data so far, this one included.
    trial_sharpes : tuple of float
        Daily Sharpe ratio, not annualised, of each of them whose run is known.
    registration : Registration or None
        The hypothesis as it was written down before the run, where it was.
    vault : Vault or None
        The hold-out period of these data, where one is declared.
    hedge_instrument, hedge_venue : str
        What was traded.
    scale_volume : float or None
        V5, the median 5-minute volume of that instrument in underlying units.
    scale_volume_note : str
        What that is, and when it is null.
    signing_mode : str
        By which rules customers' direction was decided, for what share of the volume.
    notes : tuple of str
        What was absent, left out or assumed.
    coverage : tuple of Coverage
        What the tapes cover.
    files : dict
        Hash of every file beside evidence.json.
    """

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
    """evidence.json: everything that the verdict rests on.

    Attributes
    ----------
    hypothesis_validation : HypothesisValidation
        What was claimed, and what became of it.
    performance_metrics : PerformanceMetrics
        What was earned.
    statistical_measures : StatisticalMeasures
        Whether it could be chance.
    performance_by_flow_type : dict
        The results of each class of trades, by its name.
    experimental_validity : ExperimentalValidity
        The verdict, and what it rests on.
    reproducibility : Reproducibility
        How it was made.
    timestamp : str
        When it was written, ISO 8601; all else is the same if it is made again.
    """

    hypothesis_validation: HypothesisValidation
    performance_metrics: PerformanceMetrics
    statistical_measures: StatisticalMeasures
    performance_by_flow_type: dict[str, Results]
    experimental_validity: ExperimentalValidity
    reproducibility: Reproducibility
    timestamp: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionAccuracyDocument(Head):
    """detection_accuracy.json: predictions against what was observed.

    Attributes
    ----------
    accuracy : DetectionAccuracy
        Direction, size and time of each prediction against what was observed.
    reliability : Reliability
        Stated confidence against what happened.
    alerts : AlertCounts
        What became of the alerts.
    """

    accuracy: DetectionAccuracy
    reliability: Reliability
    alerts: AlertCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgingCorrelationDocument(Head):
    """delta_hedging_correlation.json: predicted hedges against observed signed flow.

    Attributes
    ----------
    delta_flow : FlowCorrelation
        Predicted hedge against observed signed flow.
    response_time : ResponseCorrelation
        Size of the exposure against the response time observed.
    price_response : PriceResponse
        What prices did after events.
    claims : tuple of Judgement
        The claims about these.
    """

    delta_flow: FlowCorrelation
    response_time: ResponseCorrelation
    price_response: PriceResponse
    claims: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionLatencyDocument(Head):
    """execution_latency.json: detection to entry, wins by delay.

    Attributes
    ----------
    latency : Latency
        From detection to entry, and wins by it.
    claims : tuple of Judgement
        The claims about it.
    """

    latency: Latency
    claims: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowClassDocument(Head):
    """flow_class_validation.json: whether the classes differ, and how many were right.

    Attributes
    ----------
    flow_class_accuracy : Estimate
        Share of classes that were right, where the truth is known.
    differentiation : tuple of Difference
        Whether the two classes differ.
    by_class : dict
        The results of each class, by its name.
    claims : tuple of Judgement
        The claims about these.
    """

    flow_class_accuracy: Estimate
    differentiation: tuple[Difference, ...]
    by_class: dict[str, Results]
    claims: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignificanceDocument(Head):
    """significance_testing.json: tests against chance, gates, coherence.

    Attributes
    ----------
    statistical_measures : StatisticalMeasures
        Every test against chance.
    hypotheses : tuple of TestedHypothesis
        Hypotheses tested together.
    gates : tuple of Judgement
        Every gate with what was found.
    coherence : Coherence
        Whether the figures agree with each other.
    """

    statistical_measures: StatisticalMeasures
    hypotheses: tuple[TestedHypothesis, ...]
    gates: tuple[Judgement, ...]
    coherence: Coherence


@dataclass(frozen=True, slots=True, kw_only=True)
class PinningDocument(Head):
    """pinning.json: whether prices pin as options expire; only of strategies about expiries.

    Attributes
    ----------
    pinning : Pinning
        Closes beside strikes, and the last move beside dealers' gamma.
    strike_probabilities : StrikeProbabilities
        How good probabilities of finishing at a strike are.
    claims : tuple of Judgement
        The claims about these.
    """

    pinning: Pinning | None = field(default=None, metadata=PART)
    strike_probabilities: StrikeProbabilities | None = field(default=None, metadata=PART)
    claims: tuple[Judgement, ...]


DOCUMENTS: dict[str, type[Head]] = {
    EVIDENCE: EvidenceDocument,
    "detection_accuracy": DetectionAccuracyDocument,
    "delta_hedging_correlation": HedgingCorrelationDocument,
    "execution_latency": ExecutionLatencyDocument,
    "flow_class_validation": FlowClassDocument,
    "significance_testing": SignificanceDocument,
    "pinning": PinningDocument,
}
"""Every JSON file that a package can hold, by its name."""


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
    body = closed_schema(document_type)
    body["properties"]["schema_version"] |= {"const": SCHEMA_VERSION}
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
    return body
