"""The record of a sweep: daily results, what a configuration is chosen by, what counts rule out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hedgeflow.evidence.rates import wilson_bounds
from hedgeflow.strategies.volume_shock.claims import GATES
from hedgeflow.studies.sweep.picture import WIDTH, histogram
from hedgeflow.studies.sweep.results import (
    FEWEST_TRADES,
    could_be_validated,
    daily_net,
    highest,
    score,
)

SESSIONS = ("2025-01-06", "2025-01-07", "2025-01-08")


def trades(*rows: tuple[str, float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "session": [date for date, _ in rows],
            "net_usd": [net for _, net in rows],
            "net_bps": [net / 10 for _, net in rows],
        },
        schema={"session": pl.String, "net_usd": pl.Float64, "net_bps": pl.Float64},
    )


def won(wins: int, count: int) -> pl.DataFrame:
    return trades(*((SESSIONS[0], 1.0 if place < wins else -1.0) for place in range(count)))


def test_daily_results_are_sums_by_session_and_nil_without_a_trade():
    found = daily_net(trades((SESSIONS[2], 5.0), (SESSIONS[0], 1.0), (SESSIONS[2], -2.0)), SESSIONS)
    assert found.tolist() == [1.0, 0.0, 3.0]
    assert daily_net(trades(), SESSIONS).tolist() == [0.0, 0.0, 0.0]


def test_a_configuration_with_few_trades_has_no_score():
    daily = np.array([1.0, -1.0, 3.0])
    bps = np.arange(float(FEWEST_TRADES))
    assert score("sharpe", daily, bps[1:]) is None
    assert score("expectancy", daily, bps[1:]) is None
    assert score("expectancy", daily, bps) == pytest.approx(bps.mean())
    assert score("sharpe", daily, bps) == pytest.approx(1.0 / 2.0)


def test_results_that_never_vary_have_no_ratio():
    assert score("sharpe", np.full(3, 2.0), np.ones(FEWEST_TRADES)) is None


@pytest.mark.parametrize(
    ("scores", "place"),
    [([1.0, 3.0, 3.0, 2.0], 1), ([None, -2.0], 1), ([None, None], None), ([], None)],
)
def test_the_first_of_the_highest_is_chosen(scores, place):
    assert highest(scores) == place


@pytest.mark.parametrize(
    ("wins", "count", "is_open"),
    [(40, 50, True), (39, 50, False), (49, 49, False), (80, 100, True), (0, 0, False)],
)
def test_counts_leave_a_verdict_open_by_the_gates_own_numbers(wins, count, is_open):
    assert could_be_validated(won(wins, count), GATES) is is_open


def test_whoever_is_ruled_out_by_counts_misses_the_gate_by_its_lower_bound():
    """The lower bound lies below the rate, so no configuration is spared the judge in vain."""
    gate = next(gate for gate in GATES if gate.statistic == "win_rate")
    for count in (50, 133):
        for wins in range(0, count + 1, 13):
            if not could_be_validated(won(wins, count), GATES):
                assert wilson_bounds(wins, count)[0] < gate.threshold


def test_a_histogram_counts_every_value_and_keeps_its_marks_inside():
    values = np.array([-2.0, -1.0, -1.0, 0.0])
    found = histogram(values, {"luck": 3.0})
    assert found is not None
    heights = [bar.height for bar in found.bars]
    assert [round(3 * height / max(heights)) for height in heights] == [3, 1]
    assert (found.low, found.high) == ("-2.0", "3.0")
    assert [mark.x for mark in found.marks] == [WIDTH]
    assert histogram(values[:1], {}) is None


def test_a_histogram_of_equal_values_is_drawn():
    found = histogram(np.full(5, 1.5), {})
    assert found is not None
    assert len(found.bars) == 1
