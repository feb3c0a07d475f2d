"""Hold-outs: nobody sees them unopened, opening is recorded first, and what was seen is said."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from hedgeflow.evidence.beforehand import vault_words
from hedgeflow.journal import DataSet, Journal, Trial, VaultError, VaultOpening
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.time import DAY_NS
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.studies import load_market
from hedgeflow.studies.backtesting import (
    backtest,
    record_trial,
    run_of,
    scan_to_journal,
    trial_document,
)
from hedgeflow.studies.explaining import explain_alert
from hedgeflow.studies.periods import within
from hedgeflow.studies.registrations import settings_hash
from hedgeflow.studies.trial_ledger import data_key, trials_of_tape
from hedgeflow.studies.validation import verdict
from hedgeflow.studies.vaults import declare, open_vault, tape_of, vault_of, visible

CONFIG = load_config(settings=["null.draws_on_ticks=100"])
OTHER = load_config(settings=["anomaly.ratio=6", "null.draws_on_ticks=100"])
NOW = 1_800_000_000_000_000_000
TAPE = "option_trades sim SIM"


@pytest.fixture(scope="module")
def catalog(simulated_market) -> Catalog:
    return Catalog.open(simulated_market)


@pytest.fixture(scope="module")
def whole(catalog):
    return load_market(catalog, "SIM", CONFIG)


@pytest.fixture(scope="module")
def first(whole) -> int:
    return whole.option_tape.first_ns // DAY_NS * DAY_NS


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path / "journal.sqlite") as opened:
        yield opened


@pytest.fixture
def sealed(journal, first):
    """The journal with a vault of the eighth and ninth day."""
    declare(
        journal, TAPE, from_ns=first + 8 * DAY_NS, until_ns=first + 10 * DAY_NS, declared_ns=NOW
    )
    return journal


def opened(catalog, journal, config=CONFIG, **how):
    return open_vault(
        catalog, "SIM", config, journal, code_version="0+test", opened_ns=NOW + 1, **how
    )


def of_package(journal, market):
    return vault_of(journal, market, trials_of_tape(journal, market))


def test_a_sealed_vault_ends_the_market_for_every_study(sealed, whole, first):
    part = visible(whole, CONFIG, sealed)
    assert part.until_ns == first + 8 * DAY_NS
    assert part.option_tape.last_ns < part.until_ns
    assert visible(part, CONFIG, sealed) is part
    run, found = scan_to_journal(whole, CONFIG, sealed)
    assert 0 < found.alerts["detected_ns"].max() < part.until_ns
    assert sealed.table("anomalies", run.run_id)["at_ns"].max() < part.until_ns
    traded = backtest(whole, CONFIG, sealed)
    assert traded.trades["exit_ns"].max() < part.until_ns
    judged = verdict(whole, CONFIG, sealed)
    assert max(judged.tables.sessions) == "2025-01-13"
    assert judged.evidence.manifest.vault == of_package(sealed, part)
    assert judged.evidence.manifest.vault.openings == 0
    assert not judged.evidence.manifest.vault.opened_here


def test_the_trial_ledger_itself_refuses_what_could_have_seen_the_vault(sealed, whole):
    text = trial_document(whole, CONFIG)
    with pytest.raises(VaultError, match="reaches into a sealed vault"):
        record_trial(sealed, run_of(whole, CONFIG, text), text, whole)
    assert sealed.trials().is_empty()
    scan = scan_to_journal(visible(whole, CONFIG, sealed), CONFIG, sealed)[1]
    with pytest.raises(VaultError, match="reaches into a sealed vault"):
        backtest(whole, CONFIG, sealed, scan=scan)


def test_a_part_that_ends_before_the_vault_is_left_as_it_is(sealed, whole, first):
    part = within(whole, CONFIG, until_ns=first + 7 * DAY_NS)
    assert visible(part, CONFIG, sealed) is part


def test_what_lies_in_or_after_a_sealed_vault_altogether_is_refused(journal, sealed, whole, first):
    with pytest.raises(VaultError, match="all that is asked for lies in or after"):
        visible(within(whole, CONFIG, from_ns=first + 10 * DAY_NS), CONFIG, sealed)


def test_a_vault_over_everything_hides_everything(journal, whole, first):
    declare(journal, TAPE, from_ns=first, until_ns=None, declared_ns=NOW)
    with pytest.raises(VaultError, match="--open-vault"):
        visible(whole, CONFIG, journal)


def test_a_vault_holds_though_the_data_have_another_hash(sealed, whole, first):
    grown = replace(whole, option_hash="after another day was imported")
    assert visible(grown, CONFIG, sealed).until_ns == first + 8 * DAY_NS


def test_a_vault_on_another_venue_or_underlying_hides_nothing(journal, whole, first):
    for key in ("option_trades deribit SIM", "option_trades sim ETH"):
        declare(journal, key, from_ns=first, until_ns=None, declared_ns=NOW)
    assert visible(whole, CONFIG, journal) is whole


def test_an_opened_vault_is_traded_alone_and_knows_what_came_before(sealed, catalog, whole, first):
    market = opened(catalog, sealed)
    begin, end = first + 8 * DAY_NS, first + 10 * DAY_NS
    assert (market.from_ns, market.until_ns) == (begin, end)
    judged = verdict(market, CONFIG, sealed)
    assert judged.tables.sessions == ("2025-01-14", "2025-01-15")
    assert judged.tables.alerts["detected_ns"].is_between(begin, end, closed="left").all()
    with_all = scan_to_journal(whole, CONFIG, sealed)[1].alerts
    inside = with_all.filter(with_all["detected_ns"].is_between(begin, end, closed="left"))
    assert judged.tables.alerts["demand"].to_list() == inside["demand"].to_list()
    vault = judged.evidence.manifest.vault
    assert (vault.openings, vault.opened_here, vault.seen_before) == (1, True, 0)
    assert (vault.start, vault.end) == ("2025-01-14T00:00:00Z", "2025-01-16T00:00:00Z")


def test_an_opening_is_recorded_with_its_settings_before_the_market_is_read(sealed, simulated_copy):
    for kind in ("option_trades", "bars", "hedge_trades", "hedge_quotes"):
        shutil.rmtree(simulated_copy / kind)  # whoever reads finds nothing
    with pytest.raises(CatalogError, match="a part of a tape is missing"):
        opened(Catalog.open(simulated_copy), sealed)
    (vault,) = sealed.vaults()
    (opening,) = vault.openings
    assert opening.config_hash == settings_hash(CONFIG)
    assert (opening.opened_ns, opening.code_version) == (NOW + 1, "0+test")


@pytest.mark.parametrize("config", [CONFIG, OTHER])
def test_a_second_opening_is_refused_whatever_the_configuration(sealed, catalog, config):
    opened(catalog, sealed)
    with pytest.raises(VaultError, match=f"opened once: .*{settings_hash(CONFIG)[:12]}.*--reopen"):
        opened(catalog, sealed, config)
    (vault,) = sealed.vaults()
    assert len(vault.openings) == 1


def test_a_reopening_counts_and_the_package_says_that_it_is_no_fresh_sample(sealed, catalog):
    opened(catalog, sealed)
    market = opened(catalog, sealed, OTHER, reopen=True, reason="a bug")
    vault = of_package(sealed, market)
    assert vault.openings == 2
    assert "opened twice: it is no fresh sample" in vault_words(vault)[0]
    assert sealed.vaults()[0].openings[1].reason == "a bug"


def test_what_was_spent_may_be_used_and_every_package_says_so(sealed, catalog, whole):
    opened(catalog, sealed)
    assert visible(whole, CONFIG, sealed) is whole
    backtest(whole, OTHER, sealed)
    vault = of_package(sealed, whole)
    assert (vault.openings, vault.opened_here, vault.seen_before) == (1, False, 1)
    assert "is spent: it was opened once" in vault_words(vault)[0]
    again = of_package(sealed, opened(catalog, sealed, reopen=True))
    assert (again.openings, again.opened_here, again.seen_before) == (2, True, 1)


def test_trials_that_saw_the_period_before_it_was_declared_are_counted(journal, whole, first):
    backtest(whole, CONFIG, journal)
    backtest(whole, OTHER, journal)
    early = load_config(settings=["anomaly.ratio=7"])
    scan_to_journal(within(whole, early, until_ns=first + 8 * DAY_NS), early, journal)
    made, is_new = declare(
        journal, TAPE, from_ns=first + 8 * DAY_NS, until_ns=None, declared_ns=NOW
    )
    assert is_new
    assert made.seen_before == 2
    part = visible(whole, CONFIG, journal)
    assert of_package(journal, part).seen_before == 2
    assert vault_words(of_package(journal, part))[1] == (
        "Outside of its openings 2 configurations had seen some of it."
    )


def test_trials_of_an_older_journal_count_once_their_data_are_named(journal, whole, first):
    text = trial_document(whole, CONFIG)
    run = run_of(whole, CONFIG, text)
    journal.record_trial(
        Trial(run.data_hash, run.config_hash, run.code_version, run.strategy, text)
    )
    tape = whole.option_tape
    there = DataSet(whole.option_hash, TAPE, tape.first_ns, tape.last_ns)
    made, _ = declare(
        journal, TAPE, from_ns=first + DAY_NS, until_ns=None, declared_ns=NOW, data_set=there
    )
    assert made.seen_before == 1


def test_of_several_vaults_one_must_be_named_and_the_earlier_opened_first(sealed, catalog, first):
    late, _ = declare(sealed, TAPE, from_ns=first + 10 * DAY_NS, until_ns=None, declared_ns=NOW)
    early = sealed.vaults()[0]
    with pytest.raises(VaultError, match=f"several vaults are declared: {early.vault_id}"):
        opened(catalog, sealed)
    with pytest.raises(VaultError, match="names no one vault"):
        opened(catalog, sealed, vault_id="nothing")
    with pytest.raises(VaultError, match=f"vault {early.vault_id} .* lies before it"):
        opened(catalog, sealed, vault_id=late.vault_id)
    market = opened(catalog, sealed, vault_id=early.vault_id[:6])
    assert market.until_ns == first + 10 * DAY_NS
    assert not sealed.vaults()[0].sealed
    assert sealed.vaults()[1].sealed
    assert of_package(sealed, market).id == early.vault_id


def test_a_vault_without_an_end_is_read_to_the_end_of_the_data(journal, catalog, whole, first):
    declare(journal, TAPE, from_ns=first + 10 * DAY_NS, until_ns=None, declared_ns=NOW)
    market = opened(catalog, journal)
    assert (market.from_ns, market.until_ns) == (first + 10 * DAY_NS, None)
    vault = of_package(journal, market)
    assert vault.opened_here
    assert vault.end == "2025-01-18T00:00:00Z"
    with pytest.raises(VaultError, match="has a part of this period"):
        declare(journal, TAPE, from_ns=first + 11 * DAY_NS, until_ns=None, declared_ns=NOW)
    declare(journal, TAPE, from_ns=first + 12 * DAY_NS, until_ns=None, declared_ns=NOW)


def test_a_vault_without_an_end_goes_no_further_than_the_next_one(journal, catalog, first):
    early, _ = declare(journal, TAPE, from_ns=first + 8 * DAY_NS, until_ns=None, declared_ns=NOW)
    short = VaultOpening(0, "x", "{}", "0", NOW, first + 9 * DAY_NS, reopened=False, reason="")
    journal.open_vault(early.vault_id, short)  # when the tape had one day of it
    late, _ = declare(journal, TAPE, from_ns=first + 10 * DAY_NS, until_ns=None, declared_ns=NOW)
    market = opened(catalog, journal, vault_id=early.vault_id, reopen=True)
    assert market.until_ns == first + 10 * DAY_NS
    assert journal.vaults()[0].end_ns == first + 10 * DAY_NS
    assert of_package(journal, market).id == early.vault_id
    market = opened(catalog, journal, vault_id=late.vault_id)
    assert of_package(journal, market).id == late.vault_id


def test_a_vault_of_days_to_come_is_declared_and_not_opened(journal, catalog, whole, first):
    made, _ = declare(journal, TAPE, from_ns=first + 30 * DAY_NS, until_ns=None, declared_ns=NOW)
    assert visible(whole, CONFIG, journal).until_ns == made.from_ns
    with pytest.raises(VaultError, match="Import them first"):
        opened(catalog, journal)
    assert journal.vaults()[0].sealed


def test_no_vault_cannot_be_opened(journal, catalog):
    with pytest.raises(VaultError, match="hedgeflow vault declare"):
        opened(catalog, journal)


def test_a_vault_without_length_is_refused(journal, first):
    with pytest.raises(VaultError, match="has no length"):
        declare(journal, TAPE, from_ns=first, until_ns=first, declared_ns=NOW)


def test_an_alert_in_a_sealed_vault_is_not_explained(journal, catalog, whole, first):
    run, found = scan_to_journal(whole, CONFIG, journal)
    begin = first + 8 * DAY_NS
    alerts = found.alerts.sort("triggered_ns")
    before = alerts.filter(alerts["triggered_ns"] < begin)["alert_id"][-1]
    inside = alerts.filter(alerts["triggered_ns"] >= begin)["alert_id"][0]
    explained = explain_alert(catalog, journal, before, run.run_id)
    declare(journal, TAPE, from_ns=begin, until_ns=None, declared_ns=NOW)
    assert explain_alert(catalog, journal, before, run.run_id).prints.equals(explained.prints)
    with pytest.raises(VaultError, match=f"alert {inside} lies in or after a sealed vault"):
        explain_alert(catalog, journal, inside, run.run_id)


def test_the_tape_is_known_by_its_venue_before_there_are_data(catalog, whole):
    key, there = tape_of(catalog, "SIM")
    assert key == data_key(whole.options) == TAPE
    assert there == DataSet(
        whole.option_hash, TAPE, whole.option_tape.first_ns, whole.option_tape.last_ns
    )
    assert tape_of(catalog, "BTC", "Deribit") == ("option_trades deribit BTC", None)
    with pytest.raises(CatalogError, match="--venue"):
        tape_of(catalog, "BTC")
    with pytest.raises(CatalogError, match="are from sim, not deribit"):
        tape_of(catalog, "SIM", "deribit")
