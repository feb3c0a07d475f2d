"""Several hypotheses tested together: the declared family after Holm."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import samples
from hedgeflow.evidence import assess
from hedgeflow.evidence.estimates import Estimate, missing
from hedgeflow.evidence.multiplicity import tested_together as family_of
from hedgeflow.strategies.claims import Hypothesis
from hedgeflow.strategies.volume_shock.claims import DECLARATION


def family(*statistics):
    return tuple(
        Hypothesis(f"h{row}", "", names if isinstance(names, tuple) else (names,))
        for row, names in enumerate(statistics)
    )


@settings(max_examples=4, deadline=None)  # each call of the peer collects garbage
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_the_family_is_corrected_as_statsmodels_does(p_values):
    from statsmodels.stats.multitest import multipletests

    names = [f"p{row}" for row in range(len(p_values))]
    measured = {name: Estimate(p) for name, p in zip(names, p_values, strict=True)}
    found = family_of(family(*names), measured)
    expected = list(multipletests(p_values, method="holm")[1])
    assert [each.p_value_holm for each in found] == pytest.approx(expected)
    assert [each.p_value for each in found] == p_values


def test_a_hypothesis_of_three_tests_counts_once_with_its_smallest_after_holm():
    measured = {
        "a": Estimate(0.01, n=50),
        "b": Estimate(0.04),
        "c": Estimate(0.5),
        "d": Estimate(0.02),
    }
    several, other = family_of(family(("a", "b", "c"), "d"), measured)
    assert several.p_value == pytest.approx(0.03)
    assert several.sample_size == 50
    assert (several.p_value_holm, other.p_value_holm) == pytest.approx((0.04, 0.04))


def test_what_cannot_be_tested_is_no_part_of_the_family_and_says_why():
    measured = {"a": Estimate(0.01), "b": missing("no signed hedge tape")}
    first, second, third = family_of(family("a", "b", "c"), measured)
    assert first.p_value_holm == 0.01
    assert second.reason == "no signed hedge tape"
    assert third.reason == "this run does not measure it"


@pytest.fixture(scope="module")
def evidence():
    outcomes = [number % 2 == 1 or number % 3 == 0 for number in range(160)]
    return assess(samples.tables(outcomes, flow_noise=0.4), DECLARATION, samples.manifest())


def test_every_declared_hypothesis_is_measured_where_there_is_a_signed_tape(evidence):
    unknown = [each.id for each in evidence.hypotheses if "not measure" in each.reason]
    assert unknown == []
    known = {each.id for each in evidence.hypotheses if each.p_value is not None}
    assert {"edge", "delta-flow", "response-time", "flow-types", "latency"} <= known


def test_the_classes_raw_p_values_are_corrected_once(evidence):
    from statsmodels.stats.multitest import multipletests

    hypothesis = next(each for each in evidence.hypotheses if each.id == "flow-types")
    raw = [each.p_value for each in evidence.differences if each.p_value is not None]
    assert len(raw) == 3
    assert hypothesis.p_value == pytest.approx(min(multipletests(raw, method="holm")[1]))


def test_the_resolution_shows_the_primary_p_value_after_holm(evidence):
    primary = evidence.hypotheses[0]
    assert primary.id == "edge"
    tested = sum(each.p_value is not None for each in evidence.hypotheses)
    words = f"{primary.p_value_holm:.2g} after Holm over the {tested} hypotheses"
    assert words in evidence.resolution[0]
