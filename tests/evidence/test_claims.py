"""The volume shock's claims and gates are those of its specification."""

from __future__ import annotations

import pytest

from hedgeflow.strategies.volume_shock.claims import CLAIMS, GATES

BY_ID = {claim.id: claim for claim in CLAIMS}


def test_ids_are_unique():
    assert len(BY_ID) == len(CLAIMS)
    assert len({gate.id for gate in GATES}) == len(GATES)


@pytest.mark.parametrize(
    ("name", "comparison", "threshold"),
    [
        ("sample", ">=", 50),
        ("win-rate", ">=", 0.80),
        ("sharpe", ">=", 2.5),
        ("significance", "<", 0.01),
        ("deflated-sharpe", ">=", 0.95),
        ("delta-flow", ">", 0.70),
    ],
)
def test_the_gates_are_50_trades_80_per_cent_2_5_0_01_0_95_and_0_70(name, comparison, threshold):
    gate = next(each for each in GATES if each.id == name)
    assert (gate.comparison, gate.threshold) == (comparison, threshold)


def test_only_the_deflated_sharpe_ratio_is_a_gate_beyond_the_sources_rules():
    assert [gate.id for gate in GATES if not gate.of_source] == ["deflated-sharpe"]


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("primary-sample", 100),
        ("primary-points", 12.0),
        ("primary-drawdown", 0.12),
        ("detection-to-execution", 5.0),
        ("response-time", -0.60),
        ("accuracy", 0.85),
    ],
)
def test_the_claims_carry_the_specifications_numbers(name, threshold):
    assert BY_ID[name].threshold == threshold


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("sweep-win", (8, 15)),
        ("sweep-loss", (8, 12)),
        ("sweep-hold", (8, 15)),
        ("sweep-frequency", (3, 5)),
        ("emergency-win", (15, 30)),
        ("emergency-loss", (6, 8)),
        ("emergency-hold", (3, 8)),
        ("emergency-frequency", (1, 3)),
    ],
)
def test_the_bands_per_class_are_those_of_section_9(name, band):
    assert (BY_ID[name].threshold, BY_ID[name].upper_threshold) == band
    assert BY_ID[name].comparison == "within"


@pytest.mark.parametrize(
    ("name", "statistic", "band"),
    [
        ("sweep-win-rate", "win_rate", (0.75, 0.85)),
        ("emergency-win-rate", "win_rate", (0.85, 0.95)),
        ("together-win-rate", "win_rate", (0.80, 0.90)),
        ("together-sharpe", "sharpe_annualised", (2.5, 4.0)),
    ],
)
def test_more_than_a_claimed_rate_or_sharpe_ratio_is_no_failure(name, statistic, band):
    claim = BY_ID[name]
    assert (claim.statistic, claim.comparison) == (statistic, ">=")
    assert (claim.threshold, claim.upper_threshold) == band


def test_together_they_claim_a_drawdown_of_5_to_12_per_cent():
    claim = BY_ID["together-drawdown"]
    assert (claim.statistic, claim.flow_class) == ("drawdown", "")
    assert (claim.threshold, claim.upper_threshold) == (0.05, 0.12)


@pytest.mark.parametrize(
    ("name", "comparison", "threshold"),
    [
        ("primary-win-rate", ">=", 0.80),
        ("primary-sample", ">=", 100),
        ("primary-points", ">=", 12.0),
        ("primary-drawdown", "<=", 0.12),
        ("detection-to-execution", "<", 5.0),
        ("primary-significance", "<", 0.01),
    ],
)
def test_success_is_what_section_9_calls_success(name, comparison, threshold):
    assert (BY_ID[name].comparison, BY_ID[name].threshold) == (comparison, threshold)
