"""Data sets, registrations, vaults, predictions: laid down once, opened in turn, never changed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import polars as pl
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hedgeflow.journal import DataSet, HoldOut, Journal, JournalError, VaultError

TAPE = "option_trades deribit BTC"
VAULT = HoldOut(TAPE, 1_000, 2_000, 500, seen_before=3, note="the last month")

OPEN_AT_ONCE = """
import sys, time
from hedgeflow.journal import Journal, VaultError, VaultOpening
url, vault_id, me = sys.argv[1:]
opening = VaultOpening(0, me, '{"preset": "source"}', "0.1.0", 7, 8, reopened=False, reason="")
with Journal.open(url) as journal:
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        print(journal.open_vault(vault_id, opening).openings[-1].ordinal)
    except VaultError as refusal:
        print(refusal)
"""


def test_a_vault_is_declared_once_and_keeps_the_first_instant(journal):
    first, is_new = journal.declare_vault(VAULT)
    again, is_new_again = journal.declare_vault(replace(VAULT, declared_ns=900, seen_before=9))
    assert (is_new, is_new_again) == (True, False)
    assert again == first == VAULT
    assert journal.vaults(TAPE) == [VAULT]
    assert journal.vaults("another tape") == []


@pytest.mark.parametrize(
    ("from_ns", "until_ns"), [(1_999, 3_000), (0, 1_001), (1_500, None), (0, None), (1_000, 2_001)]
)
def test_a_vault_that_shares_an_instant_with_another_is_refused(journal, from_ns, until_ns):
    journal.declare_vault(VAULT)
    with pytest.raises(VaultError, match=f"vault {VAULT.vault_id} .* has a part of this period"):
        journal.declare_vault(HoldOut(TAPE, from_ns, until_ns, 600))
    assert journal.vaults(TAPE) == [VAULT]


def test_vaults_that_only_touch_or_lie_on_another_tape_stand_side_by_side(journal):
    journal.declare_vault(VAULT)
    journal.declare_vault(HoldOut(TAPE, 2_000, None, 600))
    journal.declare_vault(HoldOut(TAPE, 0, 1_000, 600))
    journal.declare_vault(HoldOut("option_trades deribit ETH", 1_500, 1_600, 600))
    assert [vault.from_ns for vault in journal.vaults(TAPE)] == [0, 1_000, 2_000]
    assert len(journal.vaults()) == 4


def test_a_vault_without_an_end_ends_once_opened_where_the_data_then_did(journal, opening):
    endless, _ = journal.declare_vault(HoldOut(TAPE, 1_000, None, 500))
    with pytest.raises(VaultError, match="Z on, sealed"):
        journal.declare_vault(HoldOut(TAPE, 4_000, None, 600))
    opened = journal.open_vault(endless.vault_id, replace(opening, data_until_ns=4_000))
    assert opened.end_ns == 4_000
    journal.declare_vault(HoldOut(TAPE, 4_000, None, 600))
    with pytest.raises(VaultError, match="spent"):
        journal.declare_vault(HoldOut(TAPE, 3_999, 4_000, 600))


def test_the_first_opening_spends_a_vault_and_a_second_one_must_be_meant(journal, opening):
    journal.declare_vault(VAULT)
    once = journal.open_vault(VAULT.vault_id, opening)
    assert not once.sealed
    assert once.openings == (replace(opening, ordinal=1),)
    with pytest.raises(
        VaultError,
        match=r"opened once: on 1970-01-01T00:00:00\S*Z with configuration config-1"
        r" \(preset normalized\).*--reopen",
    ):
        journal.open_vault(VAULT.vault_id, replace(opening, opened_ns=9_000))
    assert journal.vaults(TAPE) == [once]
    twice = journal.open_vault(
        VAULT.vault_id, replace(opening, opened_ns=9_000, reason="a bug"), reopen=True
    )
    assert [(each.ordinal, each.reopened, each.reason) for each in twice.openings] == [
        (1, False, ""),
        (2, True, "a bug"),
    ]
    with pytest.raises(VaultError, match="opened twice"):
        journal.open_vault(VAULT.vault_id, opening)


def test_what_was_never_opened_cannot_be_reopened(journal, opening):
    journal.declare_vault(VAULT)
    with pytest.raises(VaultError, match=r"never opened.*Leave --reopen out"):
        journal.open_vault(VAULT.vault_id, opening, reopen=True)
    assert journal.vaults(TAPE) == [VAULT]


def test_a_vault_that_was_never_declared_cannot_be_opened(journal, opening):
    with pytest.raises(JournalError, match="no such vault"):
        journal.open_vault("0123456789abcdef", opening)
    assert journal.table("vault_openings").is_empty()


def test_a_vault_without_length_is_refused(journal):
    with pytest.raises(JournalError, match="a vault has a length"):
        journal.declare_vault(HoldOut(TAPE, 1_000, 1_000, 500))


def test_of_processes_that_open_a_vault_at_once_exactly_one_succeeds(journal_url, journal):
    journal.declare_vault(VAULT)
    command = [sys.executable, "-c", OPEN_AT_ONCE, journal_url, VAULT.vault_id]
    openers = [
        subprocess.Popen(
            [*command, f"config-{me}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for me in range(3)
    ]
    try:
        for each in openers:
            assert each.stdout.readline() == "ready\n"
        for each in openers:
            each.stdin.write("\n")
            each.stdin.flush()
        said = [each.communicate(timeout=180)[0].strip() for each in openers]
    finally:
        for each in openers:
            each.kill()
            each.wait()
    assert said.count("1") == 1
    refusals = [each for each in said if each != "1"]
    assert all("it was opened once" in each for each in refusals)
    (opened,) = journal.vaults(TAPE)
    assert len(opened.openings) == 1


def test_a_hypothesis_is_registered_once_and_keeps_the_first_instant(journal, hypothesis):
    first, is_new = journal.register(hypothesis)
    again, is_new_again = journal.register(replace(hypothesis, recorded_ns=9_000))
    assert (is_new, is_new_again) == (True, False)
    assert again == first == hypothesis
    other = replace(hypothesis, statement="Dealers do not hedge.", recorded_ns=9_000)
    journal.register(other)
    assert journal.registrations() == [hypothesis, other]
    assert other.registration_id != hypothesis.registration_id


@pytest.mark.parametrize("name", ["statement", "underlying", "config_json", "thresholds_json"])
def test_whatever_is_registered_names_the_registration(hypothesis, name):
    assert replace(hypothesis, **{name: "x"}).registration_id != hypothesis.registration_id
    assert replace(hypothesis, recorded_ns=1).registration_id == hypothesis.registration_id


def test_a_hash_stands_for_one_extent_of_one_tape(journal):
    journal.record_data_set(DataSet("data-1", TAPE, 1, 2))
    journal.record_data_set(DataSet("data-1", TAPE, 1, 2))
    assert journal.table("data_sets").to_dicts() == [
        {"data_hash": "data-1", "data_key": TAPE, "first_ns": 1, "last_ns": 2}
    ]
    with pytest.raises(JournalError, match="recorded with last_ns 2, now 3"):
        journal.record_data_set(DataSet("data-1", TAPE, 1, 3))


def test_predictions_are_kept_under_their_alert_and_run_though_the_run_be_complete(
    begun, run, content, prediction
):
    begun.record_run(run, **content(2))
    rows = [prediction(0), prediction(1, direction_right=None, magnitude_error=None)]
    assert begun.append_predictions(run.run_id, rows) == 2
    assert begun.append_predictions(run.run_id, rows) == 0
    assert begun.table("predictions", run.run_id).drop("run_id").to_dicts() == rows
    with pytest.raises(JournalError, match=r"magnitude_error was 0\.25, is 0\.5"):
        begun.append_predictions(run.run_id, [prediction(0, magnitude_error=0.5)])
    with pytest.raises(JournalError, match="alert a9 is not journalled"):
        begun.append_predictions(run.run_id, [prediction(9)])
    assert begun.record_run(run, **content(2)) is False  # what is complete stays as it was


def test_predictions_of_a_run_that_never_began_are_refused(journal, run, prediction):
    with pytest.raises(JournalError, match="not begun"):
        journal.append_predictions(run.run_id, [prediction(0)])


def test_daily_results_are_those_of_complete_runs_on_the_data_set(
    begun, run, another_run, content, trade
):
    rows = content(3)
    rows["trades"][2] |= {"session": "2026-01-02", "net_usd": -5.0}
    begun.record_run(run, **rows)
    begun.record_run(another_run(8), **{name: [] for name in rows})
    begun.begin_run(another_run(9))
    begun.append_alerts(another_run(9).run_id, rows["alerts"])
    begun.append_trades(another_run(9).run_id, [trade(0)])
    found = begun.daily_net(run.data_hash)
    assert found.filter(pl.col("run_id") == run.run_id).drop(
        "run_id", "config_hash", "code_version"
    ).rows() == [
        ("2026-01-01", 120.0, 2),
        ("2026-01-02", -5.0, 1),
    ]
    assert found.filter(pl.col("run_id") != run.run_id).drop(
        "config_hash", "code_version"
    ).rows() == [(another_run(8).run_id, None, 0.0, 0)]
    assert begun.daily_net("another").is_empty()


def test_trials_without_an_instant_get_that_of_the_journals_clock(journal_url, trial):
    with Journal.open(journal_url, clock=lambda: 4_242) as journal:
        journal.record_trial(replace(trial, recorded_ns=None))
        journal.record_trial(replace(trial, config_hash="config-2"))
        assert journal.trials()["recorded_ns"].to_list() == [4_242, 1_000]


@pytest.mark.parametrize("name", ["vaults", "vault_openings", "registrations", "data_sets"])
@pytest.mark.parametrize("verb", ["UPDATE {name} SET {column} = {column}", "DELETE FROM {name}"])
def test_what_was_laid_down_cannot_be_changed(journal, stranger, opening, hypothesis, name, verb):
    journal.declare_vault(VAULT)
    journal.open_vault(VAULT.vault_id, opening)
    journal.register(hypothesis)
    journal.record_data_set(DataSet("data-1", TAPE, 1, 2))
    column = {"vaults": "from_ns", "vault_openings": "ordinal"}.get(name, "first_ns")
    column = "statement" if name == "registrations" else column
    with (
        pytest.raises(DBAPIError, match=f"append-only: {name} refuses"),
        stranger.begin() as connection,
    ):
        connection.execute(text(verb.format(name=name, column=column)))
    with stranger.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() == 1


def test_a_statement_may_say_what_it_likes_but_no_nul(journal, hypothesis):
    said = replace(hypothesis, statement="σ ≥ 0,\n“they” hedge; DROP TABLE vaults")
    assert journal.register(said)[0].statement == said.statement
    assert json.loads(json.dumps(journal.registrations()[0].statement)) == said.statement
    with pytest.raises(JournalError, match="NUL"):
        journal.register(replace(hypothesis, statement="a\0b"))
