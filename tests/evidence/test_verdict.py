"""The verdict: one truth table for a gate, one for all gates together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.evidence import CouldTell, Status, Verdict
from hedgeflow.evidence.estimates import Estimate, Measure, missing
from hedgeflow.evidence.verdict import decide, holds, judge
from hedgeflow.strategies.claims import ByConstruction, Gate
from hedgeflow.strategies.volume_shock.claims import GATES


def gate(comparison=">=", threshold=0.8, upper=None, minimum=0, rule=None):
    return Gate(
        "gate",
        "a statement",
        "win_rate",
        comparison,
        threshold,
        minimum,
        "test",
        upper_threshold=upper,
        by_construction=rule,
    )


def interval(lower, value, upper, sample=100):
    return Measure(Estimate(value, lower, upper, sample), sample)


@pytest.mark.parametrize(
    ("comparison", "bounds", "status"),
    [
        (">=", (0.80, 0.85, 0.90), "PASSED"),
        (">=", (0.79, 0.85, 0.90), "INCONCLUSIVE"),
        (">=", (0.60, 0.70, 0.79), "FAILED"),
        (">", (0.80, 0.85, 0.90), "INCONCLUSIVE"),
        (">", (0.81, 0.85, 0.90), "PASSED"),
        ("<=", (0.60, 0.70, 0.80), "PASSED"),
        ("<=", (0.60, 0.70, 0.81), "INCONCLUSIVE"),
        ("<=", (0.81, 0.85, 0.90), "FAILED"),
        ("<", (0.60, 0.70, 0.80), "INCONCLUSIVE"),
        ("<", (0.80, 0.85, 0.90), "FAILED"),
    ],
)
def test_bounds_decide_a_gate(comparison, bounds, status):
    assert judge(gate(comparison), interval(*bounds), {}).status == status


@pytest.mark.parametrize(
    ("bounds", "status"),
    [
        ((9.0, 10.0, 11.0), "PASSED"),
        ((7.0, 10.0, 11.0), "INCONCLUSIVE"),
        ((7.0, 10.0, 16.0), "INCONCLUSIVE"),
        ((1.0, 2.0, 7.9), "FAILED"),
        ((15.1, 17.0, 19.0), "FAILED"),
    ],
)
def test_a_band_is_met_from_both_sides(bounds, status):
    assert judge(gate("within", 8.0, 15.0), interval(*bounds), {}).status == status


def test_a_gate_that_holds_on_too_few_trades_is_inconclusive():
    found = judge(gate(minimum=50), interval(0.9, 0.95, 0.99, sample=49), {})
    assert found.status == "INCONCLUSIVE"
    assert "fewer than the 50" in found.reason


def test_a_gate_can_fail_on_few_trades():
    assert judge(gate(minimum=50), interval(0.1, 0.2, 0.4, sample=10), {}).status == "FAILED"


def test_a_missing_figure_is_untestable_with_its_reason():
    found = judge(gate(), Measure(missing("no signed hedge tape"), 0), {})
    assert found.status == "UNTESTABLE"
    assert found.sentence.endswith("UNTESTABLE, no signed hedge tape.")


def test_a_statistic_that_no_run_measures_is_untestable():
    assert judge(gate(), None, {}).status == "UNTESTABLE"


def test_a_figure_without_interval_is_inconclusive():
    found = judge(gate(), Measure(Estimate(0.99, n=3, reason="3 sessions"), 100), {})
    assert (found.status, found.reason) == ("INCONCLUSIVE", "3 sessions")


@pytest.mark.parametrize(("draws", "words"), [(1, "1 different draw "), (3, "3 different draws ")])
def test_too_few_different_draws_are_counted(draws, words):
    told = Measure(Estimate(1.0, n=draws), 5, exact=True, smallest=1 / (1 + draws))
    found = judge(gate("<", 0.01), told, {})
    assert found.status == Status.UNTESTABLE
    assert found.reason.startswith(f"{words}cannot give a p-value below")


def p_value(value, lower, upper, draws=1_000):
    estimate = Estimate(value, lower, upper, draws)
    return Measure(estimate, 100, exact=True, smallest=1 / (1 + draws))


@pytest.mark.parametrize(
    ("measure", "status"),
    [
        (p_value(0.005, 0.002, 0.009), "PASSED"),
        (p_value(0.005, 0.002, 0.012), "INCONCLUSIVE"),
        (p_value(0.012, 0.008, 0.02), "INCONCLUSIVE"),
        (p_value(0.30, 0.27, 0.33), "FAILED"),
        (p_value(0.02, 0.0, 0.07, draws=49), "UNTESTABLE"),
        (p_value(0.01, 0.0, 0.04, draws=99), "UNTESTABLE"),
    ],
)
def test_p_values_are_decided_by_the_worse_end_of_their_monte_carlo_error(measure, status):
    assert judge(gate("<", 0.01), measure, {}).status == status


def test_a_claim_true_by_construction_is_refused_with_the_reason():
    rule = ByConstruction("response.model", ("tiers",), "the model makes it so")
    found = judge(gate(rule=rule), interval(0.9, 0.95, 0.99), {"response": {"model": "tiers"}})
    assert found.status == "REFUSED"
    assert "true by construction: the model makes it so" in found.sentence
    other = judge(gate(rule=rule), interval(0.9, 0.95, 0.99), {"response": {"model": "measured"}})
    assert other.status == "PASSED"


@given(
    value=st.floats(0, 1),
    inner=st.floats(0, 0.5),
    outer=st.floats(0, 0.5),
    threshold=st.floats(0, 1),
    comparison=st.sampled_from([">=", ">", "<=", "<"]),
)
def test_a_wider_interval_never_decides_what_a_narrower_left_open(
    value, inner, outer, threshold, comparison
):
    claim = gate(comparison, threshold)
    narrow = judge(claim, interval(value - inner, value, value + inner), {}).status
    width = inner + outer
    wide = judge(claim, interval(value - width, value, value + width), {}).status
    assert wide in {narrow, Status.INCONCLUSIVE}


@given(value=st.floats(0, 1), half=st.floats(0, 0.5), threshold=st.floats(0, 1))
def test_what_passes_by_its_bound_passes_by_its_point(value, half, threshold):
    claim = gate(">=", threshold)
    if judge(claim, interval(value - half, value, value + half), {}).status is Status.PASSED:
        assert holds(claim, value)


def probability(value):
    return Measure(Estimate(value, n=60), 100, exact=True, probability=True)


@pytest.mark.parametrize(
    ("value", "status"),
    [(0.96, "PASSED"), (0.95, "PASSED"), (0.94, "INCONCLUSIVE"), (0.5, "INCONCLUSIVE"),
     (0.06, "INCONCLUSIVE"), (0.04, "FAILED")],
)  # fmt: skip
def test_a_probability_fails_only_where_its_opposite_is_as_sure(value, status):
    assert judge(gate(threshold=0.95), probability(value), {}).status == status


GOOD = {
    "sample": Measure(Estimate(100.0, n=100), 100, exact=True),
    "win-rate": interval(0.81, 0.88, 0.93),
    "sharpe": interval(2.6, 4.0, 5.5),
    "significance": p_value(0.001, 0.0, 0.004),
    "deflated-sharpe": probability(0.97),
    "delta-flow": interval(0.71, 0.75, 0.80),
}
FEW = Measure(Estimate(49.0, n=49), 49, exact=True)
GONE = Measure(missing("no data"), 0)


def decided(coherent=True, **changes):
    measures = GOOD | {name.replace("_", "-"): measure for name, measure in changes.items()}
    judged = [judge(each, measures[each.id], {}) for each in GATES]
    return decide(judged, coherent=coherent, incoherences=["it does not add up."])


@pytest.mark.parametrize(
    ("changes", "verdict", "could_tell", "source"),
    [
        ({}, "VALIDATED", "CONCLUSIVE", "VALIDATED"),
        ({"sample": FEW}, "INSUFFICIENT_DATA", "INCONCLUSIVE", "INSUFFICIENT_DATA"),
        (
            {"sample": FEW, "win_rate": interval(0.2, 0.3, 0.4, 49)},
            "INSUFFICIENT_DATA",
            "CONCLUSIVE",
            "INSUFFICIENT_DATA",
        ),
        ({"win_rate": interval(0.77, 0.84, 0.89)}, "REJECTED", "INCONCLUSIVE", "VALIDATED"),
        ({"win_rate": interval(0.71, 0.78, 0.84)}, "REJECTED", "INCONCLUSIVE", "REJECTED"),
        ({"win_rate": interval(0.5, 0.6, 0.7)}, "REJECTED", "CONCLUSIVE", "REJECTED"),
        ({"sharpe": interval(1.0, 3.0, 5.0)}, "REJECTED", "INCONCLUSIVE", "VALIDATED"),
        ({"sharpe": interval(-1.0, 0.5, 2.0)}, "REJECTED", "CONCLUSIVE", "REJECTED"),
        ({"significance": p_value(0.4, 0.37, 0.43)}, "REJECTED", "CONCLUSIVE", "REJECTED"),
        ({"significance": GONE}, "REJECTED", "INCONCLUSIVE", "REJECTED"),
        ({"deflated_sharpe": probability(0.9)}, "REJECTED", "INCONCLUSIVE", "VALIDATED"),
        ({"deflated_sharpe": probability(0.01)}, "REJECTED", "CONCLUSIVE", "VALIDATED"),
        ({"deflated_sharpe": GONE}, "REJECTED", "INCONCLUSIVE", "VALIDATED"),
        ({"delta_flow": GONE}, "REJECTED", "INCONCLUSIVE", "REJECTED"),
        ({"delta_flow": interval(0.01, 0.05, 0.1)}, "REJECTED", "CONCLUSIVE", "REJECTED"),
    ],
)
def test_the_truth_table_of_the_verdict(changes, verdict, could_tell, source):
    found = decided(**changes)
    assert (found.verdict, found.could_tell, found.source_verdict) == (verdict, could_tell, source)


def test_when_no_gate_can_be_tested_the_data_could_not_tell():
    found = decided(
        sample=Measure(Estimate(0.0), 0, exact=True),
        win_rate=GONE,
        sharpe=GONE,
        significance=GONE,
        deflated_sharpe=GONE,
        delta_flow=GONE,
    )
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert found.could_tell is CouldTell.UNTESTABLE


def test_an_untestable_gate_is_named_and_never_validated():
    found = decided(delta_flow=GONE)
    assert found.untestable == ("delta-flow",)
    assert any("UNTESTABLE, no data" in line for line in found.reasons)


def test_each_failed_part_is_named():
    found = decided(win_rate=interval(0.1, 0.2, 0.3), sharpe=interval(0.1, 0.2, 0.3))
    assert found.failed == ("win-rate", "sharpe")
    assert len(found.reasons) == 2


def test_an_incoherent_package_is_rejected_though_every_gate_holds():
    found = decided(coherent=False)
    assert found.verdict is Verdict.REJECTED
    assert found.failed == ("coherence",)
    assert "it does not add up." in found.reasons[0]


def test_no_gates_validate_nothing():
    assert decide([], coherent=True).verdict is Verdict.REJECTED
