"""Trials in parallel: the same figures on any number of processes, kept, resumed, and stopped."""

from __future__ import annotations

import multiprocessing

import polars as pl
import pytest

from builders.trials import ChangingTrial
from hedgeflow.market.errors import DataError, HedgeflowError
from hedgeflow.simulate import changed, scenario
from hedgeflow.studies.judge import Trial, bench_of, read_results, run_trial, run_trials

TINY = scenario(
    "effect",
    {
        "option_flow.trades_per_day": 300.0,
        "future.trades_per_day": 500.0,
        "future.quote_interval_seconds": 60.0,
    },
    days=2,
)
WANTED = tuple(Trial("tiny", "null", 0.0, changed(TINY, seed=seed)) for seed in (5, 3, 8))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return the results of three tiny trials, run by two processes."""
    path = tmp_path_factory.mktemp("results") / "below" / "results.parquet"
    run_trials(WANTED, workers=2, made="2026-01-02", results=path)
    return path


def test_a_trial_of_another_process_has_the_figures_of_this_one(file):
    here = pl.DataFrame(
        [run_trial(trial, "2026-01-02") for trial in WANTED], schema=bench_of("volume-shock").schema
    )
    there = run_trials(WANTED, workers=1, made="2026-01-02", results=file)
    assert there.drop("seconds").equals(here.drop("seconds"))


def test_trials_come_in_the_order_in_which_they_were_wanted(file):
    table = run_trials(WANTED[::-1], workers=1, made="2026-01-02", results=file)
    assert table["seed"].to_list() == [8, 3, 5]


def test_what_is_there_is_not_run_again(file):
    before = file.stat().st_mtime_ns
    table = run_trials(WANTED, workers=1, made="2030-01-01", results=file)
    assert table["made"].unique().to_list() == ["2026-01-02"]
    assert file.stat().st_mtime_ns == before


def test_another_scenario_is_another_trial(file):
    known = set(read_results(file)["key"])
    other = changed(WANTED[0].scenario, {"impact.peak_bps": 1.0})
    assert {trial.key for trial in WANTED} == known
    assert Trial("tiny", "null", 0.0, other).key not in known


def test_trials_of_code_that_was_changed_meanwhile_are_refused():
    first = WANTED[0]
    changing = ChangingTrial(first.base, first.world, first.peak_bps, first.scenario)
    with pytest.raises(HedgeflowError, match="the code was changed while trials ran"):
        run_trials([changing], workers=1, made="2026-01-02")


def test_a_trial_without_any_trade_has_a_row_too(file):
    table = read_results(file).filter(pl.col("trades") == 0)
    assert table.height > 0
    assert table["verdict"].unique().to_list() == ["INSUFFICIENT_DATA"]
    assert table["p:mean"].null_count() == table.height


def test_who_stops_a_run_keeps_what_is_finished_and_leaves_no_process(tmp_path):
    path = tmp_path / "results.parquet"

    def stop(done: int, total: int) -> None:
        assert total == len(WANTED)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trials(WANTED, workers=1, made="2026-01-02", results=path, progress=stop)
    assert read_results(path).height == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.parquet"]
    for child in multiprocessing.active_children():
        child.join(10.0)
    assert multiprocessing.active_children() == []


def test_a_process_that_is_ended_from_outside_is_told_and_what_was_finished_is_kept(tmp_path):
    path = tmp_path / "results.parquet"

    def end_all(_done: int, _total: int) -> None:
        for child in multiprocessing.active_children():
            child.kill()
            child.join(10.0)

    more = tuple(Trial("tiny", "null", 0.0, changed(TINY, seed=seed)) for seed in range(20, 26))
    with pytest.raises(HedgeflowError, match="was ended from outside"):
        run_trials(more, workers=1, made="2026-01-02", results=path, progress=end_all)
    assert 0 < read_results(path).height < len(more)


def test_a_file_of_something_else_is_refused_by_name(tmp_path):
    path = tmp_path / "trades.parquet"
    pl.DataFrame({"price": [1.0]}).write_parquet(path)
    with pytest.raises(DataError, match=r"trades\.parquet.*holds no results of a calibration"):
        run_trials(WANTED, workers=1, made="2026-01-02", results=path)
    path.write_bytes(b"no parquet")
    with pytest.raises(DataError, match="cannot be read as results"):
        read_results(path)
