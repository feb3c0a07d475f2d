from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from hedgeflow.journal import JournalError


def test_a_run_is_named_by_the_hash_of_what_determines_it(run):
    key = '["data-1","config-1","0.1.0",7]'
    assert run.run_id == hashlib.sha256(key.encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    "change",
    [{"data_hash": "x"}, {"config_hash": "x"}, {"code_version": "x"}, {"seed": 8}],
)
def test_another_data_set_configuration_version_or_seed_is_another_run(run, change):
    assert replace(run, **change).run_id != run.run_id


def test_a_trial_counts_once_however_often_it_is_recorded(journal, trial):
    first = journal.record_trial(trial)
    again = journal.record_trial(replace(trial, recorded_ns=2_000))
    assert (first.is_new, first.configurations, first.trials) == (True, 1, 1)
    assert (again.is_new, again.configurations, again.trials) == (False, 1, 1)
    assert again.trial.recorded_ns == 1_000


def test_a_new_code_version_is_another_trial_of_the_same_configuration(journal, trial):
    journal.record_trial(trial)
    record = journal.record_trial(replace(trial, code_version="0.2.0"))
    assert (record.is_new, record.configurations, record.trials) == (True, 1, 2)
    assert journal.count_trials("data-1") == 1


def test_trials_are_counted_per_data_set(journal, trial):
    for number in range(5):
        journal.record_trial(replace(trial, config_hash=f"config-{number}"))
    journal.record_trial(replace(trial, data_hash="data-2"))
    assert journal.count_trials("data-1") == 5
    assert journal.count_trials("data-2") == 1
    assert journal.count_trials("never seen") == 0
    assert journal.trials().height == 6
    assert journal.trials("data-2")["config_hash"].to_list() == ["config-1"]


def test_one_key_cannot_stand_for_two_configurations(journal, trial):
    journal.record_trial(trial)
    with pytest.raises(JournalError, match="recorded with config_json"):
        journal.record_trial(replace(trial, config_json="{}"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"recorded_ns": 2**63},
            r"trials\.recorded_ns: is 9223372036854775808. It must fit 64 bits",
        ),
        ({"config_json": "a\0"}, r"trials\.config_json: has a NUL character"),
        ({"strategy": "\udc80"}, r"trials\.strategy: is no Unicode text"),
    ],
)
def test_a_trial_that_a_database_could_not_hold_is_refused_by_every_one(
    journal, trial, change, says
):
    with pytest.raises(JournalError, match=says):
        journal.record_trial(replace(trial, **change))
    assert journal.trials().is_empty()


def test_the_largest_integers_are_kept(journal, trial, run):
    journal.record_trial(replace(trial, recorded_ns=-(2**63)))
    journal.begin_run(replace(run, seed=2**63 - 1))
    assert journal.trials()["recorded_ns"].to_list() == [-(2**63)]
    assert journal.runs()["seed"].to_list() == [2**63 - 1]


def test_a_run_needs_its_trial_to_be_recorded(journal, run):
    with pytest.raises(JournalError, match="Record the trial first"):
        journal.begin_run(run)
    assert journal.runs().is_empty()


def test_a_run_cannot_begin_again_as_something_else(begun, run):
    with pytest.raises(JournalError, match="recorded with simulated True"):
        begun.begin_run(replace(run, simulated=False))
