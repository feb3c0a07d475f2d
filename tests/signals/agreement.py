"""Comparison of a scan with the slow reference, anomaly by anomaly and event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hedgeflow.signals import FlowClass
from reference import slow_shock

if TYPE_CHECKING:
    from hedgeflow.signals import ScanOutput

ORIGINS = {1: "contract", 2: "bucket", 3: "floor", 4: "days"}


def assert_same_anomalies(
    output: ScanOutput, symbols: list[str], windows_ns: tuple[int, ...], slow: slow_shock.Result
) -> None:
    """Fail unless both found the same anomalies with the same volume, baseline, ratio and D."""
    ours = {
        (int(row["ts"]), symbols[row["contract"]], windows_ns[row["window"]]): row
        for row in output.anomalies
    }
    theirs = {(row.ts_ns, row.contract, row.window_ns): row for row in slow.anomalies}
    assert sorted(ours) == sorted(theirs)
    assert len(theirs) == output.anomalies.size
    for key, row in ours.items():
        other = theirs[key]
        assert int(row["lots"]) == other.recent_lots
        assert ORIGINS[int(row["origin"])] == other.baseline.origin
        assert float(row["ratio"]) == pytest.approx(other.ratio, rel=1e-12)
        assert float(row["demand"]) == pytest.approx(other.demand, rel=1e-9, abs=1e-7)


def assert_same_events(output: ScanOutput, slow: slow_shock.Result) -> None:
    """Fail unless both decided the same events, at the same moment, on the same grounds."""
    assert [int(close["first_ns"]) for close in output.closes] == [
        event.first_ns for event in slow.events
    ]
    decided = {int(row["event"]): row for row in output.decisions}
    for close, event in zip(output.closes, slow.events, strict=True):
        last = event.last
        assert last is not None
        assert int(close["last_ns"]) == event.latest_ns
        assert int(close["members"]) == len(last.members)
        assert int(close["strikes"]) == last.strikes
        assert int(close["lots"]) == last.total_lots
        assert float(close["concentration"]) == pytest.approx(last.concentration, rel=1e-12)
        assert float(close["demand"]) == pytest.approx(last.demand, rel=1e-9, abs=1e-7)
        if event.decision is None:
            assert int(close["event"]) not in decided
        else:
            _assert_same_decision(decided[int(close["event"])], event.decision)
    assert len(decided) == output.decisions.size


def _assert_same_decision(row: object, state: slow_shock.State) -> None:
    assert int(row["ts"]) == state.ts_ns
    assert float(row["demand"]) == pytest.approx(state.demand, rel=1e-9, abs=1e-7)
    assert float(row["scaled"]) == pytest.approx(state.scaled_demand, rel=1e-9, abs=1e-7)
    assert float(row["pressure"]) == pytest.approx(state.pressure, rel=1e-9)
    assert float(row["response_minutes"]) == state.response_minutes
    assert FlowClass(int(row["flow_class"])).name == state.flow_class
    assert float(row["ratio"]) == pytest.approx(state.largest_ratio, rel=1e-12)
    assert int(row["strikes"]) == state.strikes
    assert int(row["lots"]) == state.total_lots
    assert float(row["concentration"]) == pytest.approx(state.concentration, rel=1e-12)
    assert int(row["member_to"]) - int(row["member_from"]) == len(state.members)
