"""Which trials of a results file a page is made of."""

from __future__ import annotations

import polars as pl
import pytest

from hedgeflow.market.errors import DataError
from hedgeflow.studies.judge import latest_run

ROW = {"code_version": "b", "scenario": "one", "days": 3, "world": "null", "peak_bps": 0.0}


def test_a_seed_tried_twice_counts_as_it_was_tried_last():
    rows = [
        ROW | {"seed": 1, "verdict": "stale", "code_version": "a"},
        ROW | {"seed": 1, "verdict": "before the scenario was edited"},
        ROW | {"seed": 2, "verdict": "kept"},
        ROW | {"seed": 1, "verdict": "last"},
    ]
    latest = latest_run(pl.DataFrame(rows), "results")
    assert latest.select("seed", "verdict").rows() == [(1, "last"), (2, "kept")]


def test_a_file_without_trials_is_refused():
    with pytest.raises(DataError, match="holds no trial"):
        latest_run(pl.DataFrame(schema={"code_version": pl.String}), "results")
