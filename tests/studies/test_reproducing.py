"""A package is made again from what it states: the same figures, no new trial, no other data."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import polars as pl
import pytest

from hedgeflow.evidence.opening import Package, open_package
from hedgeflow.journal import Journal, VaultError
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import EvidenceError
from hedgeflow.risk import read_calendar
from hedgeflow.simulate import TruthTable, read_truth
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.studies import load_market, scan_to_journal, validate, write_validation
from hedgeflow.studies.periods import within
from hedgeflow.studies.reproducing import reproduce, stated_market
from hedgeflow.studies.trial_ledger import data_key
from hedgeflow.studies.vaults import declare

NOW, LATER = "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z"
DAY_NS = 86_400 * 10**9


def made(root, out, journal, *, until_days=None, **more):
    """Return the package that is made of a simulated catalog's first days."""
    config = load_config(settings=["null.draws_on_bars=200", "null.draws_on_ticks=200"])
    market = load_market(Catalog.open(root), "SIM", config)
    if until_days is not None:
        until_ns = market.option_tape.first_ns + until_days * DAY_NS
        market = within(market, config, until_ns=until_ns)
    with Journal.open(journal) as record:
        result = validate(market, config, record, **more)
    write_validation(result, out, NOW)
    return open_package(out)


def again(package, root, journal, **more):
    with Journal.open(journal) as record:
        stated = stated_market(package, Catalog.open(root))
        return reproduce(package, stated, record, timestamp=LATER, **more)


@pytest.fixture(scope="module")
def place(simulated_market, tmp_path_factory):
    from builders.simulated import copy_of

    folder = tmp_path_factory.mktemp("reproducing")
    return copy_of(simulated_market, folder / "catalog")


@pytest.fixture(scope="module")
def package(place):
    truth = read_truth(place, TruthTable.SHOCKS)
    journal = place / "journal.sqlite"
    return made(place, place.parent / "package", journal, until_days=5, truth=truth)


def doctored(package, tmp_path, **changes):
    """Return the package with other values under reproducibility."""
    document = json.loads(json.dumps(package.document))
    document["reproducibility"] |= changes
    return Package(tmp_path / "doctored", document)


def test_the_same_data_give_the_same_package_and_no_new_trial(package, place):
    journal = place / "journal.sqlite"
    with Journal.open(journal) as record:
        before = record.trials().height, record.runs().height
    result = again(package, place, journal)
    assert result.found.identical, result.found.differences[:3]
    assert result.found.compared > 5_000
    assert "trades.parquet" in result.found.files
    assert result.notes == ()
    with Journal.open(journal) as record:
        assert (record.trials().height, record.runs().height) == before


def test_what_differs_is_told_with_its_place_and_what_need_not_agree_beside_it(
    package, place, tmp_path
):
    """Another figure, other code, a trial since: one difference and two notes."""
    journal = shutil.copy(place / "journal.sqlite", tmp_path / "journal.sqlite")
    config = load_config(settings=["anomaly.ratio=9"])
    whole = stated_market(package, Catalog.open(place)).market
    with Journal.open(journal) as record:
        scan_to_journal(whole, config, record)
    stated = doctored(package, tmp_path, code_version="0.0.9+abc")
    stated.document["performance_metrics"]["overall"]["wins"] += 1
    out = tmp_path / "again"
    result = again(Package(package.folder, stated.document), place, journal, out=out)
    (only,) = result.found.differences
    assert only.place == "performance_metrics.overall.wins"
    assert only.apart == -1.0
    assert "made by 0.0.9+abc" in result.notes[0]
    assert "1 configurations tried on these data, the journal now 2" in result.notes[1]
    assert result.validation.evidence.manifest.trials == 1
    assert open_package(out).label == package.label
    assert (out / "report.html").stat().st_size > 100_000


def test_other_data_are_refused_with_both_hashes_and_spans(package, place, tmp_path):
    inputs = dict(package.document["reproducibility"]["inputs"])
    stated = inputs["option_data"]
    other = doctored(package, tmp_path, inputs=inputs | {"option_data": "0" * 64})
    with pytest.raises(EvidenceError) as refused:
        again(other, place, place / "journal.sqlite")
    assert f"option tape has hash {'0' * 64}, the catalog's {stated}" in str(refused.value)
    assert "the same time, so rows of them differ" in str(refused.value)


def test_a_configuration_that_was_changed_is_refused(package, place, tmp_path):
    config = dict(package.document["reproducibility"]["config"]) | {"seed": 1}
    with pytest.raises(EvidenceError, match="its configuration was changed since"):
        again(doctored(package, tmp_path, config=config), place, place / "journal.sqlite")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"inputs": None}, "does not say what it was made from"),
     ({}, "of the strategy gamma-scalper, which cannot be run here")],
)  # fmt: skip
def test_what_cannot_be_run_is_refused(package, place, tmp_path, change, words):
    other = doctored(package, tmp_path, **change)
    if not change:
        other.document["strategy"] = "gamma-scalper"
    with pytest.raises(EvidenceError, match=words):
        again(other, place, place / "journal.sqlite")


def test_truth_that_the_catalog_lacks_is_asked_for(package, place, tmp_path):
    from builders.simulated import copy_of
    from hedgeflow.simulate import TRUTH_FOLDER

    root = copy_of(place, tmp_path / "catalog")
    shutil.rmtree(root / TRUTH_FOLDER)
    with pytest.raises(EvidenceError, match="simulator's truth, which the catalog lacks"):
        again(package, root, place / "journal.sqlite")


@pytest.fixture(scope="module")
def calendar(tmp_path_factory):
    path = tmp_path_factory.mktemp("calendar") / "events.csv"
    path.write_text("at,kind,name,underlying\n2025-01-08T13:30:00Z,release,CPI,\n")
    return path


def test_a_calendar_is_asked_for_by_name_and_only_the_same_will_do(place, tmp_path, calendar):
    events = read_calendar(calendar)
    root, journal = place, tmp_path / "journal.sqlite"
    package = made(root, tmp_path / "package", journal, until_days=4, calendar=events)
    assert again(package, root, journal, calendar=events).found.identical
    with pytest.raises(EvidenceError, match=r"knew a calendar \(hash [0-9a-f]{64}\).*--calendar"):
        again(package, root, journal)
    other = tmp_path / "other.csv"
    other.write_text(calendar.read_text().replace("08T13", "09T13"))
    with pytest.raises(EvidenceError, match="calendar is not that of the package"):
        again(package, root, journal, calendar=read_calendar(other))


def test_what_has_become_part_of_a_sealed_vault_is_not_looked_at_again(package, place, tmp_path):
    journal = shutil.copy(place / "journal.sqlite", tmp_path / "journal.sqlite")
    stated = stated_market(package, Catalog.open(place)).market
    with Journal.open(journal) as record:
        first = stated.option_tape.first_ns
        declare(record, data_key(stated.options), from_ns=first + 3 * DAY_NS, until_ns=None,
                declared_ns=1)  # fmt: skip
    with pytest.raises(VaultError, match="sealed vault"):
        again(package, place, journal)


def test_the_period_that_was_traded_is_the_one_that_is_run(package, place):
    inputs = package.document["reproducibility"]["inputs"]
    stated = stated_market(package, Catalog.open(place))
    until = datetime.fromisoformat(inputs["traded_until"]).astimezone(UTC)
    assert stated.market.until_ns == int(until.timestamp()) * 10**9 + until.microsecond * 1_000
    assert stated.market.option_tape.last_ns < stated.market.until_ns


def test_a_package_of_the_recorded_tape_is_reproduced(market_data, tmp_path):
    from builders.recorded_markets import deribit

    catalog = deribit(market_data, tmp_path)
    config = load_config(settings=["null.draws_on_bars=500"])
    market = load_market(catalog, "BTC", config)
    with Journal.open(tmp_path / "journal.sqlite") as record:
        first = validate(market, config, record)
        write_validation(first, tmp_path / "package", NOW)
    package = open_package(tmp_path / "package")
    assert not package.simulated
    result = again(package, catalog.path, tmp_path / "journal.sqlite")
    assert result.found.identical, result.found.differences[:3]
    assert pl.read_parquet(tmp_path / "package" / "trades.parquet").height > 100
