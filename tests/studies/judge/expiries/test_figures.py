"""One trial of expirations: its figures are those of the verdict, and the truth is not read."""

from __future__ import annotations

import polars as pl
import pytest

from hedgeflow.simulate import changed, scenario
from hedgeflow.studies.judge import bench_of, run_trial, trials_of
from hedgeflow.studies.judge.expiries import expiry_worlds_of

SETTINGS = {"pressure": {"quantile_expiries": 1}}
TINY = changed(scenario("expiry-friday", days=20), {"settings": SETTINGS})
WANTED = {
    trial.world: trial
    for trial in trials_of(expiry_worlds_of(TINY, null_seeds=1, effect_seeds=1), 3)
}


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, object]]:
    """Return the rows of the market that dealers pin and of the one that they leave alone."""
    return {world: run_trial(WANTED[world], "2026-01-02") for world in ("pin", "null")}


def test_a_row_has_every_column_once(rows):
    for row in rows.values():
        assert set(row) == set(bench_of("expiration-pressure").schema)


def test_dealers_who_are_long_everywhere_make_dealer_gamma_the_same_as_pin(rows):
    row = rows["pin"]
    assert row["trades:dealer-gamma"] > 0
    assert row["count:sides:told"] == row["count:sides"] == row["trades:dealer-gamma"]
    for figure in ("trades", "wins", "sum"):
        assert row[f"{figure}:dealer-gamma"] == row[f"{figure}:pin"]
    assert row["sum:steer-away"] != row["sum:pin"]
    assert row["count:strikes:short-all"] == 0 < row["count:strikes:told"]


def test_hedges_move_prices_where_they_have_impact_only(rows):
    assert rows["pin"]["count:moved"] == rows["pin"]["count:sides"]
    assert rows["null"]["count:moved"] == 0


def test_a_trial_gives_the_same_figures_again(rows):
    again = run_trial(WANTED["pin"], "2026-01-02")
    schema = bench_of("expiration-pressure").schema
    both = pl.DataFrame([rows["pin"], again], schema=schema).drop("seconds")
    assert both[0].equals(both[1])
