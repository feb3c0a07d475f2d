"""A journal on each database that is supported, and rows to write into it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from builders.postgresql import running_server
from hedgeflow.journal import Journal, RegisteredHypothesis, Run, Trial, VaultOpening
from hedgeflow.journal.addresses import address_of

TRIAL = Trial("data-1", "config-1", "0.1.0", "volume_shock", '{"preset": "normalized"}', 1_000)
RUN = Run("data-1", "config-1", "0.1.0", "volume_shock", "normalized", "BTC", 7, simulated=True)

OPENING = VaultOpening(
    0, "config-1", '{"preset": "normalized"}', "0.1.0", 2_000, 3_000, reopened=False, reason=""
)
HYPOTHESIS = RegisteredHypothesis(
    "volume_shock", "BTC", "Dealers hedge.", "settings-1", "{}", "{}", 1_500
)


@pytest.fixture(scope="session")
def postgresql():
    yield from running_server()


@pytest.fixture
def postgresql_url(postgresql) -> str:
    """Return the address of an empty schema of the test's own."""
    return postgresql.new_schema()


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(request, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journal.db'}"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture
def stranger_to():
    """Return what makes another program on the database at an address."""
    engines = []

    def connect(url):
        engines.append(create_engine(address_of(url)))
        return engines[-1]

    yield connect
    for engine in engines:
        engine.dispose()


@pytest.fixture
def stranger(journal_url, stranger_to):
    """Another program on the same database."""
    return stranger_to(journal_url)


@pytest.fixture
def journal(journal_url: str):
    with Journal.open(journal_url) as opened:
        yield opened


@pytest.fixture
def trial() -> Trial:
    return TRIAL


@pytest.fixture
def run() -> Run:
    return RUN


@pytest.fixture
def begun(journal: Journal, trial: Trial, run: Run) -> Journal:
    journal.record_trial(trial)
    journal.begin_run(run)
    return journal


@pytest.fixture
def another_run():
    return lambda seed: replace(RUN, seed=seed)


@pytest.fixture
def anomaly():
    return anomaly_row


@pytest.fixture
def alert():
    return alert_row


@pytest.fixture
def skip():
    return decision_row


@pytest.fixture
def trade():
    return trade_row


@pytest.fixture
def entry():
    return entry_row


@pytest.fixture
def prediction():
    return prediction_row


@pytest.fixture
def opening() -> VaultOpening:
    return OPENING


@pytest.fixture
def hypothesis() -> RegisteredHypothesis:
    return HYPOTHESIS


@pytest.fixture
def content():
    """Return everything that a run of some alerts records: one plan and trade each, costs paid."""

    def rows(count: int = 3) -> dict[str, list[dict[str, Any]]]:
        numbers = range(count)
        return {
            "anomalies": [anomaly_row(n) for n in numbers],
            "alerts": [alert_row(n) for n in numbers],
            "decisions": [decision_row(n, kind="plan", plan_json="{}") for n in numbers],
            "trades": [trade_row(n) for n in numbers],
            "ledger_entries": [
                entry_row(2 * n + part, n, kind=kind, amount_usd=amount)
                for n in numbers
                for part, (kind, amount) in enumerate([("price", 100.0), ("fee", -40.0)])
            ],
        }

    return rows


def anomaly_row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "at_ns": 1_767_225_600_000_000_000 + number,
        "contract": "BTC-2JAN26-90000-C",
        "window_ns": 300_000_000_000,
        "event_id": number,
        "contracts": 450.0,
        "baseline_contracts": 100.0,
        "floor_contracts": 120.5,
        "ratio": 4.5,
        "baseline_origin": "BUCKET",
        "demand": -1_234.567_890_123_456_7,
    } | changes


def alert_row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "alert_id": f"a{number}",
        "event_id": number,
        "unit": "event",
        "triggered_ns": 1_767_225_600_000_000_000 + number,
        "detected_ns": 1_767_225_660_000_000_000 + number,
        "underlying": "BTC",
        "contract": "BTC-2JAN26-90000-C",
        "direction": "BUY_FUTURES",
        "demand": 2_345.678_901_234_567,
        "demand_scaled": None,
        "pressure": 23.5,
        "response_minutes": 10.0,
        "urgency": "LOW",
        "tier": "ROUTINE_HEDGING",
        "flow_class": "INSTITUTIONAL_SWEEP",
        "flow_class_at_close": None,
        "confidence": 0.4,
        "ratio": 4.5,
        "strikes": 3,
        "concentration": 0.5,
        "volume_contracts": 450.0,
        "expected_hedge_contracts": 47.0,
        "hedge_to_come": 2_000.0,
        "demand_low": 2_000.0,
        "demand_high": 2_700.0,
        "demand_expected": 2_300.0,
        "signing_json": '{"aggressor": 1.0}',
        "spot": 90_000.0,
        "point": 20.5,
        "sigma": 0.5,
        "sigma_source": "implied",
        "scale_volume": 360.0,
        "baseline_origin": "BUCKET",
        "members_json": "[]",
        "sentence": "Volume was 4.5 times its baseline; σ and Δ are meant.",
    } | changes


def decision_row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "alert_id": f"a{number}",
        "decided_ns": 1_767_225_661_000_000_000 + number,
        "kind": "skip",
        "reason_code": "SIZE_ZERO",
        "sentence": "The size rounds down to nothing.",
        "plan_json": None,
    } | changes


def trade_row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "trade_id": f"t{number}",
        "alert_id": f"a{number}",
        "event_id": number,
        "session": "2026-01-01",
        "underlying": "BTC",
        "instrument": "BTC-PERPETUAL",
        "venue": "deribit",
        "flow_class": "INSTITUTIONAL_SWEEP",
        "urgency": "LOW",
        "direction": 1,
        "size_contracts": 1.0,
        "units": 1.0,
        "detected_ns": 1_767_225_660_000_000_000 + number,
        "entry_ns": 1_767_225_662_000_000_000 + number,
        "entry_price": 90_000.0,
        "exit_ns": 1_767_225_862_000_000_000,
        "exit_price": 90_100.0,
        "target": 90_100.0,
        "stop": None,
        "target_distance": 100.0,
        "stop_distance": None,
        "limit_minutes": 15.0,
        "point": 20.5,
        "exit_reason": "EXIT_TARGET_HIT",
        "flags": "",
        "age_seconds": 2.0,
        "gross_usd": 100.0,
        "fees_usd": 30.0,
        "spread_usd": 10.0,
        "slippage_usd": 0.0,
        "net_usd": 60.0,
        "gross_points": 4.9,
        "net_points": 2.9,
        "net_bps": 6.7,
        "risk_usd": 150.0,
        "sentence": "The price reached the target.",
    } | changes


def entry_row(number: int, trade: int | None, **changes: Any) -> dict[str, Any]:
    return {
        "entry_id": f"e{number}",
        "trade_id": None if trade is None else f"t{trade}",
        "at_ns": 1_767_225_862_000_000_000 + number,
        "kind": "price",
        "amount_usd": 100.0,
        "sentence": "The price moved in the trade's favour.",
    } | changes


def prediction_row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "alert_id": f"a{number}",
        "direction_right": True,
        "magnitude_error": 0.25,
        "timing_error": None,
        "score": None,
    } | changes
