"""Configurations tried together: as one backtest each, counted, resumable, whatever the jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hedgeflow.journal import Journal
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.strategies.volume_shock.search_space import SCAN_READS
from hedgeflow.studies.backtesting import backtest
from hedgeflow.studies.scanning import scan_market
from hedgeflow.studies.sweep.candidates import grid_search, random_search
from hedgeflow.studies.sweep.trying import scan_id, together, try_all

BASE = VolumeShockConfig()
SEARCH = grid_search(BASE, ["anomaly.ratio=3,5", "plan.stop_high_points=6,12,20"])


def trades_of(tried):
    return [each.trades.rows() for each in tried]


def without_what_only_replay_reads() -> VolumeShockConfig:
    """Return a configuration that has none of it: whoever asks for some fails."""
    bare = BASE.model_copy()
    for name in SCAN_READS.unread:
        section = getattr(BASE, name)
        kept = [key for where, key in SCAN_READS.read_all_the_same if where == name]
        if not kept:
            del bare.__dict__[name]
            continue
        part = section.model_copy()
        for key in set(type(section).model_fields) - set(kept):
            del part.__dict__[key]
        bare.__dict__[name] = part
    return bare


def test_neither_a_scan_nor_the_choice_of_tapes_reads_what_only_replay_reads(ground):
    bare = without_what_only_replay_reads()
    for read in (lambda: bare.costs, lambda: bare.plan.base_contracts, lambda: bare.risk.contracts):
        with pytest.raises(AttributeError):
            read()
    whole = scan_market(ground.market(BASE), BASE)
    assert whole.alerts.height > 20
    assert scan_market(ground.market(bare), bare).alerts.equals(whole.alerts)


def test_a_shared_scan_gives_what_a_backtest_of_its_own_gives(ground, tmp_path):
    tried = try_all(ground, SEARCH.candidates, jobs=1)
    assert len({each.scan for each in tried}) == 2
    assert sum(each.scan_seconds > 0 for each in tried) == 2
    with Journal.open(tmp_path / "other.sqlite") as journal:
        for each in tried:
            config = each.candidate.config
            alone = backtest(ground.market(config), config, journal)
            assert each.run_id == alone.run.run_id
            expected = alone.trades.select(each.trades.columns).sort("entry_ns", "trade_id")
            assert each.trades.equals(expected)
    assert max(each.trades.height for each in tried) > 20


def test_every_configuration_is_a_trial_and_a_complete_run(ground):
    try_all(ground, SEARCH.candidates, jobs=1)
    with Journal.open(ground.journal) as journal:
        assert journal.count_trials(ground.market(BASE).option_hash) == 6
        assert journal.runs()["complete"].to_list() == [True] * 6


def test_what_the_journal_holds_is_not_run_again(ground):
    first = try_all(ground, SEARCH.candidates, jobs=1)
    again = try_all(ground, SEARCH.candidates, jobs=1)
    assert [each.known for each in first] == [False] * 6
    assert [each.known for each in again] == [True] * 6
    assert sum(each.scan_seconds for each in again) == 0.0
    assert trades_of(again) == trades_of(first)
    assert [each.sessions for each in again] == [each.sessions for each in first]


def test_who_stops_a_sweep_loses_only_what_is_under_way(ground):
    def stop(done: int, total: int) -> None:
        assert (done, total) == (3, 6)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        try_all(ground, SEARCH.candidates, jobs=1, progress=stop)
    again = try_all(ground, SEARCH.candidates, jobs=1)
    assert [each.known for each in again] == [True] * 3 + [False] * 3


def test_two_processes_give_what_one_gives(ground, tmp_path):
    here = try_all(ground, SEARCH.candidates, jobs=1)
    other = replace(ground, journal=tmp_path / "other.sqlite")
    there = try_all(other, SEARCH.candidates, jobs=2)
    assert trades_of(there) == trades_of(here)
    assert [each.candidate.number for each in there] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("count", "scans", "jobs"), [(1, 1, 2), (40, 3, 2), (100, 1, 4)])
def test_each_configuration_is_sent_once_with_those_that_a_scan_reads_alike(count, scans, jobs):
    candidates = random_search(BASE, count, seed=1, scans=scans).candidates
    parts = together(candidates, jobs)
    assert sorted(each.number for part in parts for each in part) == list(range(1, count + 1))
    for part in parts:
        assert len({scan_id(each.config) for each in part}) == 1
    assert len(parts) >= min(jobs, count // 10)
