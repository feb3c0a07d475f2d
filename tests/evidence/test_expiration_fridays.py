"""Expiration Fridays against other expiry days: a session counts once, too few cannot tell."""

from __future__ import annotations

import polars as pl
import pytest
from scipy.stats import permutation_test

from evidence import expiry_samples, samples
from hedgeflow.evidence.expiration_fridays import fridays_measure

DAYS = samples.sessions(35)
FRIDAYS = [number for number in range(35) if number % 7 == 4]


def traded(friday_bps: float, other_bps: float, *, copies: int = 1):
    """One expiry every day from Monday 2024-01-01 on, each traded `copies` times."""
    built = samples.tables([True] * (35 * copies), days=35)
    number = pl.col("session").replace_strict({day: place for place, day in enumerate(DAYS)})
    trades = built.trades.with_columns(
        net_bps=pl.when(number % 7 == 4).then(friday_bps).otherwise(other_bps) + 0.01 * number
    )
    closes = [200.0 + 0.1 * place for place in range(35)]
    expiries = expiry_samples.expiries(closes, [True] * 35).with_columns(date=pl.Series(DAYS))
    return samples.tables([True] * (35 * copies), days=35, trades=trades, expiries=expiries)


def test_fridays_that_earn_more_are_found():
    found = fridays_measure(traded(9.0, 1.0), seed=1)
    assert found.estimate.value == pytest.approx(found.smallest)
    assert found.sample_size == 35


def test_fridays_that_earn_less_are_not():
    assert fridays_measure(traded(1.0, 9.0), seed=1).estimate.value == pytest.approx(1.0)


def test_the_p_value_is_that_of_scipy():
    tables = traded(1.05, 1.0)
    values = tables.trades.sort("session")["net_bps"].to_numpy()
    friday = [place in FRIDAYS for place in range(35)]
    expected = permutation_test(
        (values[friday], values[[not each for each in friday]]),
        lambda x, y: x.mean() - y.mean(),
        alternative="greater",
        n_resamples=20_000,
        rng=1,
    ).pvalue
    assert fridays_measure(tables, seed=1).estimate.value == pytest.approx(expected, abs=0.02)


def test_trades_of_one_session_count_once():
    once, thrice = (fridays_measure(traded(1.2, 1.0, copies=n), seed=1) for n in (1, 3))
    assert once.estimate == thrice.estimate


def test_too_few_fridays_are_untestable_in_words():
    tables = traded(9.0, 1.0)
    few = tables.expiries.filter(pl.col("date") < "2024-01-20")
    found = fridays_measure(
        samples.tables([True] * 35, days=35, trades=tables.trades, expiries=few), seed=1
    ).estimate
    assert found.value is None
    assert found.reason == (
        "trades on 3 expiration Fridays and on 16 other expiry days; the test needs 5 of each"
    )
