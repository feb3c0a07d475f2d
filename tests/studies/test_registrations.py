"""A hypothesis written down before it is run, and a package that says whether it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hedgeflow.evidence.beforehand import registration_words
from hedgeflow.journal import Journal, Trial
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import ConfigError
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.strategies.volume_shock.claims import DECLARATION
from hedgeflow.studies import load_market
from hedgeflow.studies.backtesting import trial_document
from hedgeflow.studies.registrations import hypothesis, registration_of, settings_hash
from hedgeflow.studies.trial_ledger import data_set_of, trials_of_tape
from hedgeflow.studies.validation import verdict

CONFIG = load_config(settings=["null.draws_on_ticks=100"])
STRATEGY = "volume-shock"
EARLY, NOW = 1_799_999_999_000_000_000, 1_800_000_000_000_000_000


@pytest.fixture(scope="module")
def market(simulated_market):
    return load_market(Catalog.open(simulated_market), "SIM", CONFIG)


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path / "journal.sqlite", clock=lambda: NOW) as opened:
        yield opened


def registered(journal, at_ns=EARLY, config=CONFIG, statement="Dealers hedge.", underlying="SIM"):
    given = hypothesis(statement, config, DECLARATION, underlying=underlying, recorded_ns=at_ns)
    return journal.register(given)[0]


def found(journal, market, config=CONFIG):
    return registration_of(journal, market, config, STRATEGY, trials_of_tape(journal, market))


def tried(journal, market, config=CONFIG, at_ns=NOW, data_hash=None):
    """Record a trial of a configuration, as a run of it would."""
    state = market if data_hash is None else replace(market, option_hash=data_hash)
    trial = Trial(
        state.option_hash, settings_hash(config), "0", STRATEGY, trial_document(market, config),
        at_ns,
    )  # fmt: skip
    journal.record_trial(trial, data_set_of(state))


def test_a_package_names_the_hypothesis_that_came_before_it(journal, market):
    made = registered(journal)
    judged = verdict(market, CONFIG, journal)
    registration = judged.evidence.manifest.registration
    assert registration.id == made.registration_id
    assert registration.statement == "Dealers hedge."
    assert registration.registered == "2027-01-15T07:59:59Z"
    assert registration.before_run
    assert registration_words(registration) in judged.evidence.resolution[1]


def test_a_package_without_one_says_so(journal, market):
    registered(journal, config=load_config(settings=["anomaly.ratio=5"]))
    judged = verdict(market, CONFIG, journal)
    assert judged.evidence.manifest.registration is None
    assert "was not registered beforehand" in judged.evidence.resolution[1]


@pytest.mark.parametrize(("at_ns", "before"), [(NOW - 1, True), (NOW, False), (NOW + 1, False)])
def test_only_what_is_older_than_the_first_trial_came_before(journal, market, at_ns, before):
    tried(journal, market)
    registered(journal, at_ns)
    assert found(journal, market).before_run is before


def test_a_trial_on_the_tape_when_it_was_shorter_came_before_too(journal, market):
    tried(journal, market, at_ns=EARLY - 1, data_hash="a day less")
    registered(journal)
    assert not found(journal, market).before_run


def test_a_trial_without_an_instant_proves_nothing(journal, market, tmp_path):
    with Journal.open(tmp_path / "no-clock.sqlite") as record:
        tried(record, market, at_ns=None)
        registered(record)
        assert not found(record, market).before_run


def test_trials_of_other_settings_do_not_matter(journal, market):
    tried(journal, market, load_config(settings=["anomaly.ratio=5"]), at_ns=EARLY - 1)
    registered(journal)
    assert found(journal, market).before_run


def test_a_hedge_that_is_left_open_stands_for_whichever_was_chosen(journal, market):
    tried(journal, market, at_ns=EARLY - 1)  # on the instrument that the market chose
    registered(journal)
    assert not found(journal, market).before_run
    elsewhere = load_config(settings=["null.draws_on_ticks=100", "hedge_venue=bybit"])
    registered(journal, config=elsewhere)
    assert found(journal, market, elsewhere).before_run


@pytest.mark.parametrize(("underlying", "fits"), [(None, True), ("SIM", True), ("ETH", False)])
def test_it_fits_what_it_is_about(journal, market, underlying, fits):
    registered(journal, underlying=underlying)
    assert (found(journal, market) is not None) is fits


def test_of_several_that_fit_the_oldest_counts(journal, market):
    registered(journal, EARLY + 5, statement="Later.")
    first = registered(journal, EARLY, statement="First.")
    assert found(journal, market).id == first.registration_id


def test_every_setting_and_threshold_is_written_down(journal):
    made = registered(journal)
    assert json.loads(made.config_json) == CONFIG.model_dump(mode="json")
    thresholds = json.loads(made.thresholds_json)
    assert [gate["id"] for gate in thresholds["gates"]] == [gate.id for gate in DECLARATION.gates]
    assert len(thresholds["claims"]) == len(DECLARATION.claims)
    assert thresholds["null_hypothesis"] == DECLARATION.null_hypothesis


def test_an_empty_statement_is_refused(journal):
    with pytest.raises(ConfigError, match="the statement is empty"):
        registered(journal, statement="  \n")
