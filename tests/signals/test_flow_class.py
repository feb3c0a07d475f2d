"""The two classifiers at and around each of their thresholds; volume-shock.md 5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.signals import FlowClass
from hedgeflow.signals.flow_class import classify
from hedgeflow.strategies.volume_shock.rules import scan_rules
from reference import slow_shock
from signals.tapes import config

CONCENTRATION = scan_rules(config("normalized"), 0.1).shock[0]
SIGNATURE = scan_rules(config("normalized", classifier={"mode": "signature"}), 0.1).shock[0]


def concentration_class(strikes=3, concentration=0.5, response=6.0, demand=1_000.0) -> str:
    return FlowClass(classify(strikes, concentration, 100.0, response, demand, CONCENTRATION)).name


def signature_class(strikes=3, ratio=9.0, response=6.0, demand=1_000.0) -> str:
    return FlowClass(classify(strikes, 0.0, ratio, response, demand, SIGNATURE)).name


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ({}, "INSTITUTIONAL_SWEEP"),
        ({"strikes": 2}, "AMBIGUOUS_SIGNAL"),
        ({"concentration": 0.6}, "AMBIGUOUS_SIGNAL"),
        ({"concentration": 0.599}, "INSTITUTIONAL_SWEEP"),
        ({"response": 5.0}, "AMBIGUOUS_SIGNAL"),
        ({"response": 5.001}, "INSTITUTIONAL_SWEEP"),
    ],
)
def test_a_sweep_needs_3_strikes_concentration_under_0_6_and_a_response_over_5(case, name):
    assert concentration_class(**case) == name


EMERGENCY = {"strikes": 1, "concentration": 1.0, "response": 2.0, "demand": 3_001.0}


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("case", "name"),
    [
        ({}, "GAMMA_EMERGENCY"),
        ({"concentration": 0.8}, "AMBIGUOUS_SIGNAL"),
        ({"concentration": 0.801}, "GAMMA_EMERGENCY"),
        ({"response": 5.0}, "AMBIGUOUS_SIGNAL"),
        ({"response": 4.999}, "GAMMA_EMERGENCY"),
        ({"demand": 3_000.0}, "AMBIGUOUS_SIGNAL"),
    ],
)
def test_an_emergency_needs_concentration_over_0_8_a_response_under_5_and_demand_over_3000(
    case, name, side
):
    """Flaw B5: the source forgets the absolute value, so that sells are never emergencies."""
    chosen = EMERGENCY | case
    assert concentration_class(**(chosen | {"demand": side * chosen["demand"]})) == name


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ({}, "INSTITUTIONAL_SWEEP"),
        ({"strikes": 2}, "AMBIGUOUS_SIGNAL"),
        ({"ratio": 3.0}, "AMBIGUOUS_SIGNAL"),
        ({"ratio": 3.001}, "INSTITUTIONAL_SWEEP"),
        ({"response": 5.0}, "AMBIGUOUS_SIGNAL"),
    ],
)
def test_the_signature_of_a_sweep_needs_3_strikes_a_ratio_over_3_and_a_response_over_5(case, name):
    assert signature_class(**case) == name


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("case", "name"),
    [
        ({}, "GAMMA_EMERGENCY"),
        ({"ratio": 8.0}, "AMBIGUOUS_SIGNAL"),
        ({"ratio": 8.001}, "GAMMA_EMERGENCY"),
        ({"demand": 3_000.0}, "AMBIGUOUS_SIGNAL"),
        ({"response": 5.0}, "AMBIGUOUS_SIGNAL"),
    ],
)
def test_the_signature_of_an_emergency_needs_ratio_over_8_demand_over_3000_response_under_5(
    case, name, side
):
    chosen = {"strikes": 1, "response": 2.0, "demand": 3_001.0} | case
    assert signature_class(**(chosen | {"demand": side * chosen["demand"]})) == name


@given(
    st.integers(1, 5),
    st.sampled_from([0.3, 0.6, 0.61, 0.8, 0.81, 1.0]),
    st.sampled_from([2.0, 4.9, 5.0, 5.1, 10.0]),
    st.sampled_from([0.0, 2_999.0, 3_000.0, 3_001.0]),
    st.sampled_from([1, -1]),
)
def test_both_implementations_name_the_same_class(strikes, concentration, response, demand, side):
    assert concentration_class(
        strikes, concentration, response, side * demand
    ) == slow_shock.flow_class(strikes, concentration, response, side * demand)


@given(
    st.integers(1, 9), st.floats(0, 1), st.floats(1, 50), st.floats(0.5, 30), st.floats(-1e6, 1e6)
)
@pytest.mark.parametrize("rules", [CONCENTRATION, SIGNATURE], ids=["concentration", "signature"])
def test_the_class_does_not_depend_on_the_direction(
    rules, strikes, concentration, ratio, response, demand
):
    assert classify(strikes, concentration, ratio, response, demand, rules) == classify(
        strikes, concentration, ratio, response, -demand, rules
    )
