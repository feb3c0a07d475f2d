"""Trades per expiry day: days on which nothing expires are no days without trades."""

from __future__ import annotations

import pytest

from evidence import expiry_samples, samples
from hedgeflow.evidence.expiry_frequency import frequency_measures
from hedgeflow.evidence.resampling import by_session, resample_sessions
from hedgeflow.evidence.trades import trade_arrays

DAYS = samples.sessions(50)


def measured(*, weekly: bool, expiries: bool = True):
    """Three trades on every fifth session, which are expiries, or all are."""
    import polars as pl

    built = samples.tables([True] * 30, days=50)
    on = [DAYS[5 * (row // 3)] for row in range(30)]
    expires = [not weekly or day % 5 == 0 for day in range(50)]
    known = expiry_samples.expiries([200.0 + day for day in range(50)], expires).with_columns(
        date=pl.Series(DAYS)
    )
    tables = samples.tables(
        [True] * 30,
        days=50,
        trades=built.trades.with_columns(session=pl.Series(on)),
        expiries=known if expiries else None,
    )
    trades = trade_arrays(tables)
    daily = by_session(trades.net_usd, trades.session, 50)
    return frequency_measures(
        tables, trades, ["A", trades.flow_class[0]], resample_sessions(daily, seed=1)
    )


def test_weekly_expiries_are_counted_by_the_week():
    found = measured(weekly=True)["trades_per_expiry_day", ""]
    assert found.estimate.value == pytest.approx(3.0)
    assert found.sample_size == 30


def test_an_expiry_day_without_trades_counts():
    found = measured(weekly=False)["trades_per_expiry_day", ""]
    assert found.estimate.value == pytest.approx(0.6)
    assert found.estimate.lower < 0.6 < found.estimate.upper


def test_a_class_has_its_own_and_one_without_trades_says_so():
    found = measured(weekly=True)
    assert found["trades_per_expiry_day", "A"].estimate.reason == "no trades"
    others = [name for _, name in found if name not in {"", "A"}]
    assert found["trades_per_expiry_day", others[0]].estimate.value > 0.0


def test_runs_that_say_nothing_of_expiries_measure_nothing_of_them():
    assert measured(weekly=True, expiries=False) == {}
