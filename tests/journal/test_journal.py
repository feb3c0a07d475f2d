from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from hedgeflow.journal import ROW_TABLES, JournalError, columns


def test_a_run_is_read_back_as_it_was_recorded(begun, run, content):
    rows = content(3)
    assert begun.record_run(run, **rows) is True
    for name in ROW_TABLES:
        back = begun.table(name, run.run_id)
        assert back.columns == ["run_id", *columns(name)]
        assert set(back["run_id"]) == {run.run_id}
        assert back.drop("run_id").to_dicts() == [
            {column: row[column] for column in columns(name)} for row in rows[name]
        ]


def test_a_run_is_complete_once_it_is_recorded(begun, run, another_run, content):
    begun.begin_run(another_run(8))
    assert begun.begin_run(run) is False
    begun.record_run(run, **content())
    assert begun.begin_run(run) is True
    runs = begun.runs()
    assert dict(zip(runs["seed"], runs["complete"], strict=True)) == {7: True, 8: False}
    assert runs["simulated"].to_list() == [True, True]


def test_a_run_without_rows_is_complete_too(begun, run):
    empty = {name: [] for name in ROW_TABLES}
    assert begun.record_run(run, **empty) is True
    assert begun.record_run(run, **empty) is False
    assert begun.begin_run(run) is True


def test_the_same_run_again_writes_nothing(begun, run, content):
    begun.record_run(run, **content(3))
    before = {name: begun.table(name) for name in (*ROW_TABLES, "seals")}
    shuffled = {name: rows[::-1] for name, rows in content(3).items()}
    assert begun.record_run(run, **shuffled) is False
    assert all(begun.table(name).equals(rows) for name, rows in before.items())


@pytest.mark.parametrize(
    ("name", "column", "value", "says"),
    [
        ("alerts", "pressure", 99.0, "alerts a1: pressure was 23.5, is 99.0"),
        ("decisions", "reason_code", "X", "decisions a1 at 1767225661000000001: reason_code was"),
        ("trades", "stop", 1.0, "trades t1: stop was None, is 1.0"),
        ("ledger_entries", "amount_usd", -40.00000000000001, "e1: amount_usd was -40.0, is -40.0"),
    ],
)
def test_a_run_that_cannot_be_reproduced_says_where_it_differs(
    begun, run, content, name, column, value, says
):
    begun.record_run(run, **content(3))
    rows = content(3)
    rows[name][1][column] = value
    with pytest.raises(JournalError, match=f"not reproducible: {name} differ from the") as caught:
        begun.record_run(run, **rows)
    assert says in str(caught.value)


def test_a_run_that_loses_or_gains_rows_is_not_reproducible(begun, run, content):
    begun.record_run(run, **content(3))
    fewer, more = content(3), content(3)
    fewer["ledger_entries"].pop()
    more["decisions"].append(more["decisions"][0] | {"decided_ns": 1})
    with pytest.raises(JournalError, match="first ledger_entries e5 is missing now"):
        begun.record_run(run, **fewer)
    with pytest.raises(JournalError, match="first decisions a0 at 1 was not there"):
        begun.record_run(run, **more)


def test_a_refused_run_leaves_nothing_behind(journal, trial, run, content):
    journal.record_trial(trial)
    rows = content(3)
    rows["trades"][2]["direction"] = 0
    with pytest.raises(JournalError, match="a trade is long"):
        journal.record_run(run, **rows)
    assert journal.runs().is_empty()
    assert all(journal.table(name).is_empty() for name in ROW_TABLES)


def test_a_complete_run_takes_no_more_rows(begun, run, content, alert):
    begun.record_run(run, **content(2))
    assert begun.append_alerts(run.run_id, content(2)["alerts"]) == 0
    with pytest.raises(JournalError, match=r"1 new rows of alerts\. The run is complete"):
        begun.append_alerts(run.run_id, [alert(9)])


def test_a_run_that_died_half_way_is_completed(begun, run, content):
    rows = content(4)
    begun.append_alerts(run.run_id, rows["alerts"][:2])
    begun.append_decisions(run.run_id, rows["decisions"][:1])
    assert begun.record_run(run, **rows) is True
    assert begun.table("alerts").height == 4


def test_a_run_cannot_drop_what_it_alerted_before_it_died(begun, run, content, alert):
    begun.append_alerts(run.run_id, [alert(9)])
    with pytest.raises(JournalError, match="first alerts a9 is missing now"):
        begun.record_run(run, **content(2))


def test_ledger_entries_are_caused_by_trades_of_the_run(begun, run, content, entry):
    rows = content(1)
    rows["ledger_entries"] += [entry(8, None, kind="deposit"), entry(9, 77)]
    with pytest.raises(JournalError, match="entry e9 names no trade of the run: t77"):
        begun.record_run(run, **rows)


def test_rows_arrive_one_by_one(begun, run, alert, skip, trade, entry):
    name = run.run_id
    assert begun.append_alerts(name, [alert(0)]) == 1
    assert begun.append_decisions(name, [skip(0)]) == 1
    assert begun.append_entries(name, [entry(0, 0, kind="fee", amount_usd=-1.0)]) == 1
    assert begun.append_trades(name, [trade(0)]) == 1
    assert begun.append_entries(name, []) == 0
    assert begun.begin_run(run) is False


def test_what_is_sent_twice_is_recorded_once(begun, run, alert):
    begun.append_alerts(run.run_id, [alert(0), alert(1)])
    assert begun.append_alerts(run.run_id, [alert(1), alert(2)]) == 1
    assert begun.table("alerts")["alert_id"].to_list() == ["a0", "a1", "a2"]


def test_what_was_recorded_is_never_overwritten(begun, run, alert):
    begun.append_alerts(run.run_id, [alert(0)])
    with pytest.raises(JournalError, match=r"alerts a0: pressure was 23\.5, is 1\.0"):
        begun.append_alerts(run.run_id, [alert(0, pressure=1.0), alert(1)])
    assert begun.table("alerts")["pressure"].to_list() == [23.5]


def test_nothing_acts_on_an_alert_before_it_is_journalled(begun, run, alert, skip, trade):
    begun.append_alerts(run.run_id, [alert(0)])
    with pytest.raises(JournalError, match="alert a1 is not journalled"):
        begun.append_decisions(run.run_id, [skip(0), skip(1)])
    with pytest.raises(JournalError, match="alert a2 is not journalled"):
        begun.append_trades(run.run_id, [trade(2)])
    assert begun.append_trades(run.run_id, [trade(3, alert_id=None)]) == 1
    assert begun.table("decisions").is_empty()


def test_rows_need_a_run_that_has_begun(journal, alert):
    with pytest.raises(JournalError, match="run nobody: not begun"):
        journal.append_alerts("nobody", [alert(0)])


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("anomalies", {"window_ns": 0}, "a window has a length"),
        ("alerts", {"detected_ns": 0}, "an alert is detected after its trigger"),
        ("decisions", {"kind": "perhaps"}, "a decision is a plan or a skip"),
        ("trades", {"exit_ns": 0}, "a trade ends after it begins"),
    ],
)
def test_rows_that_contradict_themselves_are_refused(begun, run, content, name, change, says):
    rows = content(1)
    rows[name][0] |= change
    with pytest.raises(JournalError) as caught:
        begun.record_run(run, **rows)
    assert caught.value.what == f"row refused: {says}"  # whatever the database calls it


def test_tables_are_read_in_order_of_time(begun, run, alert):
    begun.append_alerts(run.run_id, [alert(0, triggered_ns=5), alert(1, triggered_ns=4)])
    begun.append_alerts(run.run_id, [alert(2, triggered_ns=3)])
    assert begun.table("alerts")["alert_id"].to_list() == ["a2", "a1", "a0"]


def test_a_table_is_read_whole_or_by_run(begun, run, another_run, content):
    for seed in (7, 8):
        begun.record_run(another_run(seed), **content(2))
    assert begun.table("trades").height == 4
    assert begun.table("trades", run.run_id).height == 2
    assert begun.table("trades", "nobody").is_empty()
    assert begun.table("trades", "nobody").schema["net_usd"] == pl.Float64


def test_a_table_that_is_not_there_is_named_with_those_that_are(journal):
    with pytest.raises(JournalError, match=r"no table 'orders'.*alerts"):
        journal.table("orders")
    with pytest.raises(JournalError, match="trials: no column run_id"):
        journal.table("trials", "r")


def test_an_alert_is_read_with_what_became_of_it(begun, run, content, alert):
    begun.record_run(run, **content(2))
    found = begun.alert("a1")
    assert {name: found[name] for name in columns("alerts")} == alert(1)
    assert [decision["kind"] for decision in found["decisions"]] == ["plan"]
    assert [trade["trade_id"] for trade in found["trades"]] == ["t1"]


def test_an_alert_of_several_runs_must_be_asked_for_by_run(begun, run, another_run, content):
    for seed in (7, 8):
        begun.record_run(another_run(seed), **content(1))
    with pytest.raises(JournalError, match="Say which one with --run"):
        begun.alert("a0")
    assert begun.alert("a0", run.run_id)["run_id"] == run.run_id
    with pytest.raises(JournalError, match="no alert a1"):
        begun.alert("a1")


def test_amounts_come_back_to_the_last_bit(begun, run, entry):
    amounts = [0.1 + 0.2, 5e-324, 1e-310, -1.7976931348623157e308, 0.0, 3.0, 1 / 3, 2**53 + 1.0]
    amounts += np.frombuffer(np.random.default_rng(3).bytes(16_000)).tolist()
    amounts = [amount for amount in amounts if math.isfinite(amount)]
    rows = [
        entry(n, None, entry_id=f"{n:05}", at_ns=0, amount_usd=a) for n, a in enumerate(amounts)
    ]
    begun.append_entries(run.run_id, rows)
    assert begun.table("ledger_entries")["amount_usd"].to_list() == amounts


def test_texts_come_back_to_the_last_character(begun, run, alert):
    texts = [
        "",
        "\t\n\r\x01\x7f",
        "a\\b\\N\\.",
        "\\.",
        "NULL",
        "'; --",
        "{σ} 100 % %s",
        "\U0001f4c8",
        'a,b"c',
    ]
    rows = [alert(n, alert_id=f"{n:02}", signing_json=text) for n, text in enumerate(texts)]
    begun.append_alerts(run.run_id, rows)
    assert begun.table("alerts")["signing_json"].to_list() == texts


def test_the_two_zeros_are_one(begun, run, entry):
    begun.append_entries(run.run_id, [entry(0, None, amount_usd=-0.0)])
    assert math.copysign(1, begun.table("ledger_entries")["amount_usd"][0]) == 1
    assert begun.append_entries(run.run_id, [entry(0, None, amount_usd=0.0)]) == 0
