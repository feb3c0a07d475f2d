"""What the expiration pressure claims: every number of expiration-pressure.md 6, and its gates."""

from __future__ import annotations

import numpy as np
import pytest

from hedgeflow.market.settings import merged
from hedgeflow.signals.settlement_rules import SignalClass
from hedgeflow.strategies.claims import NullKind
from hedgeflow.strategies.declared import declaration_of
from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.search_space import SCAN_READS, SEARCH_SPACE
from hedgeflow.strategies.search import draws, sections

DECLARATION = declaration_of("expiration-pressure")
CLAIMS = {claim.id: claim for claim in DECLARATION.claims}
GATES = {gate.id: gate for gate in DECLARATION.gates}


@pytest.mark.parametrize(
    ("claim", "statistic", "low", "high"),
    [
        ("pin-risk-win-rate", "win_rate", 0.70, 0.80),
        ("pin-risk-win", "average_win_points", 10, 20),
        ("pin-risk-loss", "average_loss_points", 10, 15),
        ("pin-risk-hold", "hold_minutes", 20, 45),
        ("pin-risk-frequency", "trades_per_expiry_day", 2, 4),
        ("panic-win-rate", "win_rate", 0.85, 0.95),
        ("panic-win", "average_win_points", 15, 35),
        ("panic-loss", "average_loss_points", 6, 10),
        ("panic-hold", "hold_minutes", 5, 15),
        ("panic-frequency", "trades_per_expiry_day", 1, 2),
        ("together-win-rate", "win_rate", 0.75, 0.85),
        ("together-sharpe", "sharpe_annualised", 2.0, 3.5),
        ("together-drawdown", "drawdown", 0.08, 0.15),
    ],
)
def test_the_claimed_bands_are_those_of_the_source(claim, statistic, low, high):
    found = CLAIMS[claim]
    assert (found.statistic, found.threshold, found.upper_threshold) == (statistic, low, high)


@pytest.mark.parametrize(
    ("gate", "comparison", "threshold"),
    [
        ("sample", ">=", 50),
        ("win-rate", ">=", 0.75),
        ("sharpe", ">=", 2.0),
        ("significance", "<", 0.01),
        ("deflated-sharpe", ">=", 0.95),
        ("tradable-prices", ">=", 1.0),
    ],
)
def test_the_verdict_needs_these(gate, comparison, threshold):
    assert (GATES[gate].comparison, GATES[gate].threshold) == (comparison, threshold)
    assert len(GATES) == 6


def test_the_classes_are_those_of_the_scan_and_bands_name_two_of_them():
    assert set(DECLARATION.classes) == {each.name for each in SignalClass}
    of_classes = {claim.flow_class for claim in DECLARATION.claims} - {""}
    assert of_classes == {"PIN_RISK_MANAGEMENT", "ASSIGNMENT_RISK_PANIC"}


def test_pinning_and_steering_are_both_claimed_so_that_they_cannot_both_pass():
    assert CLAIMS["pinning-nearer"].comparison == "<"
    assert CLAIMS["steering-farther"].comparison == ">"


def test_three_nulls_must_be_beaten():
    assert set(DECLARATION.nulls) == {
        NullKind.MATCHED_ENTRIES, NullKind.DIRECTIONS, NullKind.SESSION_DIRECTIONS,
    }  # fmt: skip


def test_ids_are_unique_and_claims_of_trades_and_of_strikes_stand_in_groups():
    ids = [each.id for each in (*DECLARATION.gates, *DECLARATION.claims)]
    assert len(ids) == len(set(ids))
    assert {"primary", "pin-risk-band", "panic-band", "together-band", "pinning", "steering",
            "gamma", "probability"} <= {claim.group for claim in DECLARATION.claims}  # fmt: skip


@pytest.mark.parametrize("control", DECLARATION.controls, ids=lambda control: control.id)
@pytest.mark.parametrize("preset", ["normalized", "source"])
def test_every_control_can_be_switched_off_and_most_change_something(control, preset):
    base = getattr(ExpirationPressureConfig, preset)()
    off = ExpirationPressureConfig.model_validate(
        merged(base.model_dump(), {key: dict(part) for key, part in control.off.items()})
    )
    own = {"source": {"reward-risk", "own-volume", "fixing"}, "normalized": set()}[preset]
    assert (off == base) == (control.id in own)


@pytest.mark.parametrize(
    "control",
    ["stop", "target", "time-limit", "evolution", "danger-exit", "sizing", "false-signal-filter",
     "reward-risk", "trade-cap", "daily-limit"],
)  # fmt: skip
def test_each_rule_has_its_switch(control):
    assert control in {each.id for each in DECLARATION.controls}


def test_a_drawn_configuration_of_the_search_space_is_one():
    base = ExpirationPressureConfig()
    for drawn in draws(SEARCH_SPACE, 40, np.random.default_rng(2)):
        config = ExpirationPressureConfig.model_validate(merged(base.model_dump(), sections(drawn)))
        replayed = {key: value for key, value in drawn.items() if not SCAN_READS.has(key)}
        same = ExpirationPressureConfig.model_validate(
            merged(base.model_dump(), sections(replayed))
        )
        assert SCAN_READS.settings(same) == SCAN_READS.settings(base)
        assert SCAN_READS.settings(config) != SCAN_READS.settings(base)


@pytest.mark.parametrize(
    ("key", "scanned"),
    [
        ("pressure.oi_above", True),
        ("filter.minutes", True),
        ("direction.model", True),
        ("plan.target_multiple", True),
        ("plan.stop_low_points", False),
        ("risk.per_trade", False),
        ("costs.latency_ms", False),
        ("seed", False),
    ],
)
def test_a_setting_changes_the_scan_or_does_not(key, scanned):
    assert SCAN_READS.has(key) == scanned
