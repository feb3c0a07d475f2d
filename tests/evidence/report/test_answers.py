"""The first screen says of every verdict what it is, why, how sure, and what would change it."""

from __future__ import annotations

import copy

import polars as pl
import pytest

from evidence import samples
from hedgeflow.evidence import Arm, ArmGroup, assess, package_document
from hedgeflow.evidence.report.answers import answers, registered, vault
from hedgeflow.evidence.report.chance import monitoring_picture, null_picture
from hedgeflow.evidence.report.figures import results_picture, trades_picture
from hedgeflow.evidence.report.prediction import pressure_picture
from hedgeflow.evidence.report.sections import cost_words
from hedgeflow.strategies.volume_shock.claims import DECLARATION

NOW = "2024-03-01T00:00:00Z"


def arms_of(tables, group, parameters, lost_bps):
    """Return arms that lose about so many more basis points a trade with every parameter."""
    arms = []
    for parameter in parameters:
        less = lost_bps * parameter * (0.8 + 0.2 * (pl.int_range(tables.trades.height) % 3))
        trades = tables.trades.with_columns(
            net_bps=pl.col("net_bps") - less,
            net_usd=pl.col("net_usd") - 7.0 * less,
            hold_minutes=(pl.col("exit_ns") - pl.col("entry_ns")) / 60e9,
        )
        arms.append(Arm(group, f"{parameter:g}", f"at {parameter:g}", float(parameter), trades))
    return arms


def package(tables, *, arms=(), **manifest):
    evidence = assess(tables, DECLARATION, samples.manifest(**manifest), arms)
    return package_document(evidence, timestamp=NOW, files={})


@pytest.fixture(scope="module")
def strong():
    tables = samples.tables(samples.mixed(114, 6), flow_noise=0.2)
    arms = [
        *arms_of(tables, ArmGroup.LATENCY, (0.0, 60.0, 600.0), 0.05),
        *arms_of(tables, ArmGroup.CAPACITY, (1.0, 4.0), 0.5),
    ]
    return package(tables, arms=arms)


@pytest.fixture(scope="module")
def weak():
    return package(samples.tables(samples.mixed(30, 60)), simulated=True)


def test_a_claim_that_holds_is_said_to_hold_and_by_which_gates(strong):
    said = answers(strong)
    assert strong["experimental_validity"]["verdict"] == "VALIDATED"
    assert said.verdict == (
        "The claim holds on these data: every gate passed by the worse end of its interval."
    )
    assert {gate.state for gate in said.why} == {"PASSED"}
    assert said.why[0].asked == "A win rate of at least 80 %."
    assert said.why[0].found.startswith("Found 95.0\u00a0% (89.5 to 97.7\u00a0%)")
    assert "Target and stop alone imply 24.2\u00a0%" in said.why[0].found


def test_what_could_still_be_lost_stands_under_what_would_change_it(strong):
    change = answers(strong).change
    assert "Wins: 114 of 120; 105 show 80\u00a0%, so 9 could be lost." in change


def test_where_delay_ends_the_edge_is_read_off_the_runs(strong):
    [delay] = [line for line in answers(strong).change if line.startswith("Delay: ")]
    assert delay.startswith("Delay: the first run that earns nothing is “at 600” (\u2212")


def test_where_size_ends_the_edge_is_the_group_s_own_figure(strong):
    [size] = [line for line in answers(strong).change if line.startswith("Size: ")]
    [found] = [
        item
        for item in strong["experimental_validity"]["arm_findings"]
        if item["id"] == "largest-size"
    ]
    assert f"{found['figure']['value']:,.0f} times our size" in size


def test_a_claim_that_fails_is_said_to_fail_and_where(weak):
    said = answers(weak)
    assert weak["experimental_validity"]["verdict"] == "REJECTED"
    gates = weak["experimental_validity"]["gates"]
    failed = [gate for gate in gates if gate["status"] == "FAILED"]
    assert said.verdict == (
        f"The claim does not hold in this simulated market: {len(failed)} of {len(gates)} gates"
        " failed."
    )
    assert [gate.state for gate in said.why[: len(failed)]] == ["FAILED"] * min(3, len(failed))
    assert "Found 33.3\u00a0% (24.5 to 43.6\u00a0%)" in said.why[0].found
    assert "Wins: to show 80\u00a0% takes 80 of 90; there were 30." in said.change


def test_a_gate_that_the_data_cannot_test_says_which_data_it_needs(weak):
    [line] = [line for line in answers(weak).change if line.startswith("Untested: ")]
    assert line.startswith(
        "Untested: R² above 0.70 of predicted hedge against observed signed flow"
    )
    assert line.endswith("here, no signed hedge tape.")


def test_a_claim_that_was_left_open_is_not_called_false():
    tables = samples.tables(samples.mixed(100, 20), flow_noise=0.2)
    said = answers(package(tables))
    assert said.verdict.startswith("The claim was not shown on these data: no gate failed outright")
    assert said.why[0].state == "INCONCLUSIVE"
    assert "the interval straddles the threshold" in said.why[0].found


def test_too_few_trades_name_how_many_are_missing():
    said = answers(package(samples.tables(samples.mixed(10, 2))))
    assert said.verdict == "There are too few trades on these data to say anything about the claim."
    assert [gate.asked for gate in said.why] == ["At least 50 trades."]
    assert said.change[0] == "38 more trades: 50 are needed for a verdict."
    assert (
        "Wins: too few trades to show 80\u00a0%, even if all had won; 10 of 12 did." in said.change
    )


def test_too_few_trades_that_show_something_all_the_same_say_what():
    tables = samples.tables(samples.mixed(2, 20))
    made = package(tables)
    validity = made["experimental_validity"]
    assert (validity["verdict"], validity["could_tell"]) == ("INSUFFICIENT_DATA", "CONCLUSIVE")
    said = answers(made)
    assert said.verdict.startswith("There are too few trades on these data for a verdict; even so ")
    assert "failed outright: a win rate of at least 80 %" in said.verdict
    assert [gate.asked for gate in said.why][:2] == [
        "At least 50 trades.",
        "A win rate of at least 80 %.",
    ]
    words = " ".join(validity["resolution"])
    assert "Too few trades for a verdict, yet the data could tell something: a gate" in words
    assert "Untestable because" not in words


def test_too_few_trades_are_not_said_to_be_nothing_that_failed():
    made = package(samples.tables(samples.mixed(10, 2)))
    words = " ".join(made["experimental_validity"]["resolution"])
    assert "Failed: at least 50 trades" in words
    assert "The data could not tell: beside the number of trades no gate failed outright" in words
    assert "Untestable (no signed hedge tape): R² above 0.70" in words


def test_a_trade_without_an_interval_says_so():
    [line] = [
        line
        for line in answers(package(samples.tables(samples.mixed(1, 0)))).sure
        if line.startswith("A trade earned")
    ]
    assert "95" not in line
    assert "after costs; no interval: 1 session with observations" in line


def test_fills_at_quotes_say_where_the_spread_is(weak):
    made = copy.deepcopy(weak)
    costs = {"half_spread_stock": 0.01, "half_spread_ticks_future": 0.5, "cost_multiple": 1.0}
    made["reproducibility"]["config"] = {"costs": costs}
    made["performance_metrics"]["profit"] |= {"spread_usd": 0.0}
    assert "after costs, of which the quotes hold the spread" in " ".join(answers(made).sure)
    assert cost_words(made).startswith("The spread is 0 because every fill is at a quote")
    made["performance_metrics"]["profit"] |= {"spread_usd": 3.0}
    assert "of which the quotes" not in " ".join(answers(made).sure)
    assert cost_words(made) == ""


def test_no_trades_leave_nothing_uncertain_but_the_record():
    said = answers(package(samples.tables([], nulls={})))
    assert said.change[0] == "50 more trades: 50 are needed for a verdict."
    assert not [line for line in said.sure if line.startswith("Sample")]
    assert [line for line in said.sure if line.startswith("Not registered")]


def test_figures_that_contradict_each_other_are_a_reason_of_their_own(strong):
    broken = copy.deepcopy(strong)
    validity = broken["experimental_validity"]
    validity |= {"verdict": "REJECTED", "failed": ["coherence"]}
    validity["coherence"] = {
        "coherent": False,
        "checks": [{"id": "wins", "status": "FAILED", "sentence": "wins: 7 contradicts 8."}],
    }
    said = answers(broken)
    assert said.verdict.startswith("The figures contradict each other")
    assert said.why[-1].found == "wins: 7 contradicts 8."


def test_the_sample_its_worth_and_the_trials_are_named(strong):
    sure = " ".join(answers(strong).sure)
    effective = strong["statistical_measures"]["effective_sample_size"]["value"]
    assert f"Sample: 120 trades on 60 sessions, worth about {effective:.0f} independent" in sure
    assert "3 configurations tried on these data." in sure
    assert "to exceed the best of 3 configurations by luck (deflated)" in sure
    assert "Watched day by day: after " in sure


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({}, "Not registered: nothing proves that the hypothesis came before the run."),
        (
            {"registered": "2025-01-02T03:04:05Z", "before_run": True},
            "Registered on 2025-01-02, before it was first run on these data.",
        ),
        (
            {"registered": "2025-01-02T03:04:05Z", "before_run": False},
            "Registered on 2025-01-02, but only after it had been run on these data.",
        ),
    ],
)
def test_registration_is_said_in_words(record, words):
    assert registered(record) == words


@pytest.mark.parametrize(
    ("openings", "here", "ending"),
    [
        (0, False, "still closed, and this run saw nothing of it."),
        (2, False, "opened 2 times, so spent; this run may have seen it."),
        (1, True, "this run is about it alone; spent on this run."),
        (3, True, "this run is about it alone; opened 3 times, so long spent."),
    ],
)
def test_the_vault_says_how_often_it_was_opened(openings, here, ending):
    record = {"start": "2025-01-01T00:00:00Z", "end": "2025-02-01T00:00:00Z"}
    record |= {"openings": openings, "opened_here": here, "seen_before": 0}
    assert vault(record) == f"Vault 2025-01-01 to 2025-02-01: {ending}"


def test_a_vault_without_end_that_somebody_had_seen_says_both():
    record = {"start": "2025-01-01T00:00:00Z", "end": "", "openings": 0, "seen_before": 4}
    assert vault(record) == (
        "Vault from 2025-01-01 on: still closed, and this run saw nothing of it."
        " 4 configurations saw some of it outside its openings."
    )


def test_no_vault_is_said(weak):
    assert "No vault: no period of these data was locked away beforehand." in answers(weak).sure


def test_what_too_few_trades_would_draw_is_said_in_words():
    tables = samples.tables(samples.mixed(1, 0))
    made = package(tables)
    drawn = [
        monitoring_picture(made, simulated=False),
        results_picture(tables.trades, simulated=False),
        pressure_picture(
            tables.trades,
            tables.alerts.with_columns(pressure=pl.lit(12.0)),
            DECLARATION.classes,
            simulated=False,
        ),
    ]
    said = [each.reason for each in drawn]
    assert said[0] == "1 trade on 1 session; a line needs 2 sessions"
    assert said[1].startswith("1 trade of ")
    assert said[2] == "1 trade; a slope takes 5 at least"


def test_an_axis_of_few_trades_has_whole_ticks():
    tables = samples.tables(samples.mixed(1, 1))
    spec = trades_picture(tables.trades, DECLARATION.classes, simulated=False).spec
    assert spec["layout"]["xaxis"]["dtick"] == 1
    many = samples.tables(samples.mixed(20, 20))
    spec = trades_picture(many.trades, DECLARATION.classes, simulated=False).spec
    assert "dtick" not in spec["layout"]["xaxis"]


def test_every_null_is_told_and_none_is_called_the_second(strong):
    shows = null_picture(strong, simulated=False).shows
    nulls = [each for each in strong["statistical_measures"]["nulls"] if each["draws"]]
    assert all(f"draws of {each['name']}" in shows for each in nulls)
    assert "second" not in shows
    assert ("The largest p-value counts." in shows) == (len(nulls) > 1)
