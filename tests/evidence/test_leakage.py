"""What a package makes of a leakage test."""

from __future__ import annotations

import pytest

from evidence import samples
from hedgeflow.evidence import Compared, Leakage, LeakageCut, assess, package_document
from hedgeflow.evidence.report.evidence_page import render_report
from hedgeflow.strategies.volume_shock.claims import DECLARATION

AT, ROWS = "2024-01-05T12:00:00Z", (Compared("alerts", 40),)


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [("", "VALIDATED"), ("alerts: row 3 has demand 5.0, with another future 6.0.", "REJECTED")],
)
def test_a_run_that_depends_on_the_future_is_never_validated(difference, verdict):
    leakage = Leakage(not difference, "what was done", (LeakageCut(AT, ROWS, difference),))
    tables = samples.tables(samples.mixed(170, 10), flow_noise=0.2)
    evidence = assess(tables, DECLARATION, samples.manifest(), leakage=leakage)
    assert evidence.decision.verdict == verdict
    assert ("leakage" in evidence.decision.failed) == bool(difference)
    document = package_document(evidence, timestamp="2024-03-01T00:00:00Z", files={})
    validity = document["experimental_validity"]
    assert validity["leakage"]["cuts"][0]["difference"] == difference
    assert any(difference in reason for reason in validity["reasons"]) or not difference
    report = render_report(document, tables, None)
    assert ("depends on what came after it" in report) == bool(difference)
