"""How deep the account fell, on the ledger and on resampled sessions."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.evidence.drawdown import drawdown, largest_fall
from hedgeflow.evidence.resampling import Resampling, resample_sessions

NO_SESSIONS = resample_sessions(np.zeros(0), seed=1)


def ledger(*rows):
    """A ledger of (instant, kind, amount), or with the trade's id as a fourth."""
    columns = {
        "at_ns": pl.Int64,
        "kind": pl.String,
        "amount_usd": pl.Float64,
        "trade_id": pl.String,
    }
    return pl.DataFrame([(*row, None)[:4] for row in rows], schema=columns, orient="row")


def observed(book):
    return drawdown(book, {"T": 0}, resample_sessions(np.ones(1), seed=1))


def test_from_120_to_90_is_a_quarter():
    assert largest_fall(np.array([100.0, 120.0, 90.0, 130.0, 117.0])) == (0.25, 30.0)


@given(st.lists(st.floats(-5.0, 5.0), max_size=30))
def test_the_largest_fall_is_the_worst_pair_of_points(steps):
    equity = np.concatenate(([200.0], 200.0 + np.cumsum(steps)))
    worst = max(
        (equity[i] - equity[j]) / equity[i]
        for i in range(equity.size)
        for j in range(i, equity.size)
    )
    share, _ = largest_fall(equity)
    assert share == pytest.approx(worst, abs=1e-12)


def test_the_ledgers_fall_counts_costs_between_trades():
    book = ledger(
        (0, "DEPOSIT", 100.0),
        (1, "TRADE_PNL", 20.0),
        (2, "TRADE_PNL", -20.0),
        (2, "FEE", -4.0),
        (3, "SPREAD", -6.0),
    )
    found = observed(book)
    assert found.observed.value == pytest.approx(30 / 120)
    assert found.observed_usd == pytest.approx(30.0)
    assert found.capital_usd == 100.0


def test_entries_of_one_instant_are_one_step_in_any_order():
    steps = [(1, "TRADE_PNL", 50.0), (1, "FEE", -10.0), (2, "TRADE_PNL", -14.0)]
    deposit = (0, "DEPOSIT", 100.0)
    forward, backward = ledger(deposit, *steps), ledger(*reversed(steps), deposit)
    assert observed(forward).observed.value == pytest.approx(14 / 140)
    assert observed(backward) == observed(forward)


def test_a_later_deposit_is_no_recovery():
    book = ledger(
        (0, "DEPOSIT", 100.0),
        (1, "TRADE_PNL", -10.0),
        (2, "DEPOSIT", 100.0),
        (3, "TRADE_PNL", -10.0),
    )
    assert observed(book).observed_usd == pytest.approx(20.0)
    assert observed(book).observed.value == pytest.approx(20 / 200)


def test_a_ledger_without_deposit_has_no_drawdown():
    found = observed(ledger((1, "TRADE_PNL", 5.0)))
    assert found.observed.value is None
    assert "deposit" in found.observed.reason


def test_without_trades_the_drawdown_is_missing():
    book = ledger((0, "DEPOSIT", 100.0))
    found = drawdown(book, {}, NO_SESSIONS)
    assert found.observed.value is None
    assert found.capital_usd == 100.0


def forty_sessions():
    """Three trades a session, each charged at its entry and settled at its exit."""
    generator = np.random.default_rng(2)
    net, session = generator.normal(5.0, 40.0, 120), np.repeat(np.arange(40), 3)
    rows = [(0, "DEPOSIT", 1000.0)]
    for number, value in enumerate(net):
        trade = f"T{number}"
        rows += [
            (10 * number + 1, "SPREAD", -4.0, trade),
            (10 * number + 9, "TRADE_PNL", float(value), trade),
        ]
    sessions = {f"T{number}": int(day) for number, day in enumerate(session)}
    daily = np.bincount(session, weights=net - 4.0)
    return ledger(*rows), sessions, resample_sessions(daily, seed=4, resamples=400)


def test_resampled_histories_spread_around_the_observed_fall():
    book, sessions, resampling = forty_sessions()
    found = drawdown(book, sessions, resampling)
    falls = [point.drawdown for point in found.bootstrap]
    assert falls == sorted(falls)
    assert found.observed.lower < found.observed.upper
    assert falls[0] < found.observed.value < falls[-1]
    assert f"{40 / resampling.block_length:.1f} independent blocks" in found.observed.method


def test_the_sessions_in_their_own_order_give_the_observed_fall():
    book, sessions, _ = forty_sessions()
    as_it_was = Resampling(np.tile(np.arange(40), (50, 1)), 1, 0)
    found = drawdown(book, sessions, as_it_was)
    assert found.observed.lower == pytest.approx(found.observed.value)
    assert found.observed.upper == pytest.approx(found.observed.value)


def test_seven_sessions_have_a_fall_but_no_distribution():
    book, sessions, _ = forty_sessions()
    few = {trade: day for trade, day in sessions.items() if day < 7}
    part = book.filter(pl.col("trade_id").is_null() | pl.col("trade_id").is_in(list(few)))
    found = drawdown(part, few, resample_sessions(np.arange(7.0), seed=1))
    assert found.observed.value is not None
    assert found.observed.lower is None
    assert found.bootstrap == ()
