"""What was tried on a tape: counted over its whole life, with what each configuration earned."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hedgeflow.evidence.deflated_sharpe import deflated_sharpe
from hedgeflow.journal import DataSet, Journal, Trial
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.time import DAY_NS
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.studies import load_market
from hedgeflow.studies.backtesting import backtest, scan_to_journal, trial_document
from hedgeflow.studies.periods import within
from hedgeflow.studies.sessions import session_dates
from hedgeflow.studies.trial_ledger import (
    configurations,
    data_set_of,
    differences,
    session_sharpe,
    trial_sharpes,
    trials_of_tape,
)
from hedgeflow.studies.trial_listing import listed_trials
from hedgeflow.studies.validation import verdict

CONFIG = load_config()
OTHER = load_config(settings=["anomaly.ratio=6"])
NEVER = load_config(settings=["anomaly.ratio=1000000"])
NOW = 1_800_000_000_000_000_000


@pytest.fixture(scope="module")
def catalog(simulated_market) -> Catalog:
    return Catalog.open(simulated_market)


@pytest.fixture(scope="module")
def market(catalog):
    return load_market(catalog, "SIM", CONFIG)


@pytest.fixture(scope="module")
def record(market, tmp_path_factory):
    """A journal in which three configurations ran to their end, and one was only scanned."""
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    ticks = iter(range(NOW, NOW + 1_000))
    with Journal.open(path, clock=lambda: next(ticks)) as journal:
        results = {config.anomaly.ratio: backtest(market, config, journal)
                   for config in (CONFIG, OTHER, NEVER)}  # fmt: skip
        scan_to_journal(market, load_config(settings=["anomaly.ratio=7"]), journal)
        yield journal, results


def test_each_configuration_that_traded_has_the_ratio_of_its_own_days(record, market):
    journal, results = record
    sessions = session_dates(market, CONFIG, set())
    found = trial_sharpes(journal, market, sessions, trials_of_tape(journal, market))
    expected = []
    for result in results.values():
        if result.trades.height:
            net = dict.fromkeys(sessions, 0.0)
            for session, usd in result.trades.select("session", "net_usd").rows():
                net[session] += usd
            daily = np.array(list(net.values()))
            expected.append(daily.mean() / daily.std(ddof=1))
    assert len(expected) == 2
    assert sorted(found) == pytest.approx(sorted(expected))


def test_the_package_has_the_spread_of_what_was_tried(record, market):
    journal, _ = record
    judged = verdict(market, CONFIG, journal)
    manifest = judged.evidence.manifest
    assert manifest.trials == 4
    assert len(manifest.trial_sharpes) == 2
    net = judged.tables.trades.group_by("session").agg(usd=judged.tables.trades["net_usd"].sum())
    assert net.height
    deflated = judged.evidence.deflated
    assert deflated.sharpes_known == 2
    assert deflated.configurations == 4
    per_year = judged.tables.sessions_per_year
    by_hand = deflated_sharpe(
        _daily(judged),
        configurations=4,
        sharpes=manifest.trial_sharpes,
        sessions_per_year=per_year,
        claimed=2.5,
    )
    assert deflated.deflated.value == pytest.approx(by_hand.deflated.value)


def _daily(judged) -> np.ndarray:
    net = dict.fromkeys(judged.tables.sessions, 0.0)
    for session, usd in judged.tables.trades.select("session", "net_usd").rows():
        net[session] += usd
    return np.array(list(net.values()))


def test_runs_on_another_part_of_the_data_are_of_other_days(record, market):
    journal, _ = record
    part = within(market, CONFIG, from_ns=market.option_tape.first_ns + 6 * DAY_NS)
    sessions = session_dates(part, CONFIG, set())
    assert trial_sharpes(journal, part, sessions, trials_of_tape(journal, part)) == ()


def test_a_tape_that_has_grown_does_not_forget_what_was_tried_on_it(record, market):
    journal, _ = record
    grown = replace(market, option_hash="one day more", hedge_hash="of hedges too")
    tried = trials_of_tape(journal, grown)
    assert configurations(tried) == 4
    same = Trial("one day more", "x", "0", "volume-shock", trial_document(grown, CONFIG), NOW)
    journal.record_trial(same, data_set_of(grown))
    assert configurations(trials_of_tape(journal, grown)) == 4  # the settings are no others
    other = replace(same, config_hash="y", config_json=trial_document(grown, load_config("source")))
    journal.record_trial(other)
    assert configurations(trials_of_tape(journal, grown)) == 5


def test_trials_on_another_tape_are_not_counted(tmp_path, market):
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        text = trial_document(market, CONFIG)
        journal.record_trial(
            Trial("elsewhere", "x", "0", "volume-shock", text),
            DataSet("elsewhere", "option_trades sim ETH", 1, 2),
        )
        assert trials_of_tape(journal, market) == []


def test_of_two_code_versions_the_last_one_tried_counts(tmp_path, market):
    with Journal.open(tmp_path / "journal.sqlite", clock=lambda: NOW) as journal:
        result = backtest(market, CONFIG, journal)
        run = replace(result.run, code_version="0.0+older")
        text = trial_document(market, CONFIG)
        journal.record_trial(
            Trial(run.data_hash, run.config_hash, run.code_version, run.strategy, text, NOW - 1)
        )
        loss = result.trades.with_columns(net_usd=-result.trades["net_usd"])
        journal.record_run(
            run, anomalies=[], alerts=result.alerts, decisions=result.decisions, trades=loss,
            ledger_entries=[],
        )  # fmt: skip
        sessions = session_dates(market, CONFIG, set())
        tried = trials_of_tape(journal, market)
        assert [trial.code_version for trial in tried] == ["0.0+older", result.run.code_version]
        (ratio,) = trial_sharpes(journal, market, sessions, tried)
        assert ratio > 0


def test_days_that_do_not_vary_have_no_ratio():
    assert session_sharpe(np.zeros(5)) is None
    assert session_sharpe(np.full(5, 3.25)) is None
    assert session_sharpe(np.array([1.0])) is None
    assert session_sharpe(np.array([1.0, -1.0, 3.0])) == pytest.approx(1.0 / 2.0)


def test_settings_are_told_by_what_they_differ_in_from_their_preset(market):
    tried = json.loads(trial_document(market, CONFIG))["settings"]
    assert differences("volume-shock", tried, filled=True) == []
    changed = load_config("source", None, ["anomaly.ratio=9", "hedge_venue=bybit"])
    assert differences("volume-shock", changed.model_dump(mode="json")) == [
        "hedge_venue bybit (none)",
        "anomaly.ratio 9.0 (4.0)",
    ]


def test_the_list_says_what_each_trial_earned(record, catalog, market):
    journal, results = record
    found = listed_trials(catalog, "SIM", journal)
    rows = {each.differences: each for each in found.trials if each.data_hash == market.option_hash}
    own, other = rows[()], rows[("anomaly.ratio 6.0 (4.0)",)]
    result = results[CONFIG.anomaly.ratio]
    assert own.trades == result.trades.height
    assert own.net_usd == pytest.approx(result.trades["net_usd"].sum())
    assert own.recorded_ns == NOW
    assert own.hedge == "SIM-PERP on sim"
    assert own.data_until_ns == market.option_tape.last_ns
    assert other.trades == results[6.0].trades.height
    never = rows[("anomaly.ratio 1000000.0 (4.0)",)]
    assert (never.complete, never.trades, never.sharpe) == (True, 0, None)
    scanned = rows[("anomaly.ratio 7.0 (4.0)",)]
    assert (scanned.complete, scanned.trades, scanned.sharpe) == (False, None, None)
    net = dict.fromkeys([f"2025-01-{day:02d}" for day in range(6, 18)], 0.0)
    for session, usd in result.trades.select("session", "net_usd").rows():
        net[session] += usd
    daily = np.array(list(net.values()))
    assert own.sharpe == pytest.approx(daily.mean() / daily.std(ddof=1) * np.sqrt(365))


def test_a_tape_on_which_nothing_was_tried_is_said_to_be_so(tmp_path, catalog):
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        found = listed_trials(catalog, "SIM", journal)
    assert found.trials == ()
    assert found.sentence == "nothing was tried on the options of SIM"
