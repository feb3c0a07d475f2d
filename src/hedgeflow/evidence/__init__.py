"""Does the claim hold: statistics, coherence, verdict and the evidence package."""

from hedgeflow.evidence.arm_findings import ArmFinding
from hedgeflow.evidence.arms import Arm, ArmGroup, ArmResult, arm_trades
from hedgeflow.evidence.assessment import Evidence, assess
from hedgeflow.evidence.coherence import Coherence, check
from hedgeflow.evidence.documents import schema
from hedgeflow.evidence.estimates import Estimate
from hedgeflow.evidence.leakage import Compared, Leakage, LeakageCut
from hedgeflow.evidence.manifest import Coverage, Inputs, Manifest
from hedgeflow.evidence.package import (
    companion_documents,
    package_document,
    read_package,
    restore,
    write_package,
)
from hedgeflow.evidence.rates import wins_needed
from hedgeflow.evidence.tables import EvidenceTables, NullDraws
from hedgeflow.evidence.verdict import CouldTell, Judgement, Status, Verdict

__all__ = [
    "Arm",
    "ArmFinding",
    "ArmGroup",
    "ArmResult",
    "Coherence",
    "Compared",
    "CouldTell",
    "Coverage",
    "Estimate",
    "Evidence",
    "EvidenceTables",
    "Inputs",
    "Judgement",
    "Leakage",
    "LeakageCut",
    "Manifest",
    "NullDraws",
    "Status",
    "Verdict",
    "arm_trades",
    "assess",
    "check",
    "companion_documents",
    "package_document",
    "read_package",
    "restore",
    "schema",
    "wins_needed",
    "write_package",
]
