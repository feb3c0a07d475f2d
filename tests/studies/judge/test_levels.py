"""What counts as too often: bounds of counts, coverage and truth, on tables made by hand."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from hedgeflow.studies.judge import bench_of
from hedgeflow.studies.judge.levels import (
    FEWEST_TRIALS,
    coverage_of_intervals,
    levels_of_tests,
    most_allowed,
)

SCHEMA = bench_of("volume-shock").schema


def table_of(trials: int, world: str = "null", **columns) -> pl.DataFrame:
    """Return results of one world in which every other column is empty."""
    given = {
        name.replace("__", ":").replace("_of_", "-"): values for name, values in columns.items()
    }
    empty = {name: pl.Series([None] * trials, dtype=dtype) for name, dtype in SCHEMA.items()}
    filled = {
        "world": [world] * trials,
        "peak_bps": [0.0] * trials,
        "seed": list(range(trials)),
        "trades": [100] * trials,
        "sessions_per_year": [365.0] * trials,
    } | given
    return pl.DataFrame(empty).with_columns(
        *(pl.Series(name, values, dtype=SCHEMA[name]) for name, values in filled.items())
    )


def tail(trials: int, nominal: float, count: int) -> float:
    """Return the chance of more than `count`, added up term by term."""
    return math.fsum(
        math.comb(trials, k) * nominal**k * (1.0 - nominal) ** (trials - k)
        for k in range(count + 1, trials + 1)
    )


@pytest.mark.parametrize("trials", [20, 100, 400])
@pytest.mark.parametrize("nominal", [0.01, 0.025, 0.05, 0.10])
def test_the_bound_is_the_smallest_count_whose_tail_is_within_the_share(trials, nominal):
    most = most_allowed(trials, nominal, 30)
    assert tail(trials, nominal, most) <= 0.01 / 30 < tail(trials, nominal, most - 1)


def test_more_comparisons_allow_each_count_more():
    assert most_allowed(400, 0.05, 1) < most_allowed(400, 0.05, 60)


def test_uniform_p_values_are_within_the_band_and_halved_ones_are_not():
    uniform = np.random.default_rng(4).random(400)
    kept = levels_of_tests(table_of(400, p__mean=uniform))
    assert [each.nominal for each in kept] == [0.01, 0.05, 0.10]
    assert [each.count for each in kept] == [int((uniform <= level).sum()) for level in
                                             (0.01, 0.05, 0.10)]  # fmt: skip
    assert not any(each.above for each in kept)
    broken = levels_of_tests(table_of(400, p__mean=uniform**2))
    assert all(each.above for each in broken)


def test_a_p_value_equal_to_the_level_rejects():
    [first, *_] = levels_of_tests(table_of(20, p__mean=[0.01] * 20))
    assert first.count == 20


def test_trials_without_a_p_value_are_not_counted():
    [first, *_] = levels_of_tests(table_of(20, p__mean=[0.5] * 15 + [None] * 5))
    assert first.trials == 15


def test_a_test_is_not_judged_where_its_own_null_is_false():
    table = table_of(50, world="coin", p__mean_of_entries=[0.001] * 50)
    assert levels_of_tests(table) == ()


def test_intervals_are_compared_with_the_rate_of_all_trials_together():
    """Wins are 30 and 50 of 100 by turns, so that 40 % is the truth; half the bounds lie above."""
    wins = [30.0, 50.0] * 20
    table = table_of(
        40,
        sum__wins=wins,
        lower__win_rate=[count / 100.0 - 0.05 for count in wins],
        upper__win_rate=[count / 100.0 + 0.05 for count in wins],
    )
    [found] = coverage_of_intervals(table)
    assert found.truth == pytest.approx(0.4)
    assert (found.too_high.count, found.too_low.count, found.too_high.trials) == (20, 20, 40)
    assert found.too_high.above


def test_the_truth_of_a_sharpe_ratio_is_that_of_all_sessions_in_a_row():
    rng = np.random.default_rng(1)
    daily = rng.normal(3.0, 10.0, (FEWEST_TRIALS, 16))
    table = table_of(
        FEWEST_TRIALS,
        sum__sessions=[16.0] * FEWEST_TRIALS,
        sum__daily=daily.sum(axis=1),
        sum__daily_squares=(daily**2).sum(axis=1),
        lower__sharpe_annualised=[0.0] * FEWEST_TRIALS,
        upper__sharpe_annualised=[9.0] * FEWEST_TRIALS,
    )
    [found] = coverage_of_intervals(table)
    assert found.truth == pytest.approx(daily.mean() / daily.std() * math.sqrt(365.0))


def test_the_truth_of_r_squared_and_slope_is_that_of_all_events_in_a_row():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(FEWEST_TRIALS, 30))
    y = -0.7 * x + rng.normal(size=x.shape)
    sums = {"x": x, "y": y, "xx": x * x, "xy": x * y, "yy": y * y}
    table = table_of(
        FEWEST_TRIALS,
        sum__events=[30.0] * FEWEST_TRIALS,
        **{f"sum__{name}": values.sum(axis=1) for name, values in sums.items()},
        **{
            f"{end}__{name}": [0.0] * FEWEST_TRIALS
            for end in ("lower", "upper")
            for name in ("r_squared", "slope")
        },
    )
    truths = {each.too_high.what: each.truth for each in coverage_of_intervals(table)}
    r = float(np.corrcoef(x.ravel(), y.ravel())[0, 1])
    assert truths["r_squared"] == pytest.approx(-(r**2))
    assert truths["slope"] == pytest.approx(np.polyfit(x.ravel(), y.ravel(), 1)[0])


def test_a_world_of_few_trials_has_no_coverage():
    few = FEWEST_TRIALS - 1
    assert coverage_of_intervals(
        table_of(few, sum__wins=[1.0] * few, lower__win_rate=[0.0] * few)
    ) == ()  # fmt: skip
