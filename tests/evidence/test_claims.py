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
        ("delta-flow", ">", 0.70),
    ],
)
def test_the_gates_are_50_trades_80_per_cent_2_5_0_01_and_0_70(name, comparison, threshold):
    gate = next(each for each in GATES if each.id == name)
    assert (gate.comparison, gate.threshold) == (comparison, threshold)


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


def test_sweeps_claim_75_and_emergencies_85_per_cent():
    assert BY_ID["sweep-win-rate"].threshold == 0.75
    assert BY_ID["emergency-win-rate"].threshold == 0.85
