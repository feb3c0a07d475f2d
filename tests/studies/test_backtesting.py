"""Calendars and volatility index on their way from files to decisions, trials and notes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hedgeflow.journal import Journal
from hedgeflow.market import Catalog, CatalogError, TapeKind
from hedgeflow.market.time import DAY_NS, moment_of
from hedgeflow.risk import Calendar, CalendarKind, ScheduledEvent
from hedgeflow.sources import import_bars
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.studies.backtesting import backtest, scan_to_journal
from hedgeflow.studies.markets import load_market

VIX = "risk.volatility_index=VIX"


@pytest.fixture
def market_of(simulated_copy, tmp_path):
    """Return a function that loads the simulated market with an index of one level in it."""
    catalog = Catalog.open(simulated_copy)
    [options] = catalog.find(TapeKind.OPTION_TRADES, "SIM")
    summary = catalog.summary(options)
    first, last = (moment_of(at).date() for at in (summary.first_ns, summary.last_ns))

    def load(*settings, level=None, late=False):
        if level is not None:
            begin = last - timedelta(days=2) if late else first - timedelta(days=1)
            days = [begin + timedelta(days=n) for n in range((last - begin).days + 1)]
            rows = "".join(f"{day},{level},{level},{level},{level}\n" for day in days)
            path = tmp_path / "index.csv"
            path.write_text(f"date,open,high,low,close\n{rows}", encoding="utf-8")
            import_bars(path, catalog, instrument="VIX", venue="cboe")
        config = load_config(settings=settings)
        return load_market(Catalog.open(simulated_copy), "SIM", config), config

    return load


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path / "journal.sqlite") as opened:
        yield opened


def test_an_index_at_its_limit_halves_sizes_and_below_it_does_not(market_of, journal):
    calm = backtest(*market_of(VIX, level=20.0), journal)
    wild = backtest(*market_of(VIX, "risk.volatility_index_limit=20"), journal)
    planned = wild.decisions.filter(reason_code="PLANNED")
    assert planned.height > 3
    assert planned["sentence"].str.contains("The volatility index of 20.0 scaled the size").all()
    assert not calm.decisions["sentence"].str.contains("scaled the size").any()
    whole, half = (each.trades.sort("entry_ns").row(0, named=True) for each in (calm, wild))
    assert whole["alert_id"] == half["alert_id"]
    assert half["size_contracts"] == pytest.approx(whole["size_contracts"] / 2, abs=0.001)
    asked = calm.decisions.height
    assert f"Volatility index: VIX, known at {asked} of {asked} decisions (100.0%)." in calm.notes


def test_before_its_first_value_an_index_is_not_known_and_that_is_said(market_of, journal):
    market, config = market_of(VIX, "risk.volatility_index_limit=20", level=45.0, late=True)
    result = backtest(market, config, journal)
    scaled = result.decisions.filter(reason_code="PLANNED")["sentence"].str.contains("scaled")
    assert scaled.any()
    assert not scaled.all()
    assert any("at the others sizes were not changed" in note for note in result.notes)


def test_the_values_of_the_index_are_part_of_what_is_tried(market_of, journal):
    without = backtest(*market_of(), journal)
    named = backtest(*market_of(VIX, level=20.0), journal)
    assert named.run.config_hash != without.run.config_hash
    assert named.configurations == without.configurations + 1
    scanned, _ = scan_to_journal(*market_of(VIX), journal)
    assert scanned.run_id == named.run.run_id


def test_an_index_that_the_catalog_lacks_is_refused_before_anything_is_journalled(
    market_of, journal
):
    with pytest.raises(CatalogError, match="no bars of the volatility index 'VIX'"):
        backtest(*market_of(VIX), journal)
    assert journal.trials().is_empty()


def test_a_release_keeps_entries_out_and_the_notes_say_what_the_calendar_held(market_of, journal):
    market, config = market_of()
    free = backtest(market, config, journal)
    at = free.trades["detected_ns"].min()
    events = [
        ScheduledEvent(at, CalendarKind.RELEASE, "CPI", ""),
        ScheduledEvent(at - 400 * DAY_NS, CalendarKind.EARNINGS, "Q1", "SIM"),
    ]
    kept_out = backtest(market, config, journal, calendar=Calendar(events))
    reasons = dict(kept_out.decisions.select("alert_id", "reason_code").iter_rows())
    assert reasons[free.trades.sort("detected_ns")["alert_id"][0]] == "RELEASE"
    assert any("last earnings are of" in note and "not looked for" in note
               for note in kept_out.notes)  # fmt: skip
    assert any("releases that concern SIM" in note for note in kept_out.notes)
