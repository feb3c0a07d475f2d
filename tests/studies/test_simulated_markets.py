"""The verdict in memory beside the long way: simulated to a catalog, loaded, validated."""

from __future__ import annotations

import pytest

from hedgeflow.evidence.plain import plain
from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import TruthTable, changed, read_scenario, read_truth, scenario
from hedgeflow.studies.markets import load_market
from hedgeflow.studies.scenario_settings import config_of
from hedgeflow.studies.simulated_markets import judged_in_memory, market_in_memory
from hedgeflow.studies.validation import validate

RECORD = ("trades", "alerts", "decisions", "ledger_entries", "flow", "truth", "events", "anomalies")
JUDGED = (
    *("performance", "by_class", "significance", "bootstrap", "flow", "response", "accuracy"),
    *("differences", "claims", "gates", "coherence", "decision", "resolution"),
)


@pytest.fixture(scope="module")
def both(simulated_market, tmp_path_factory):
    """Return the shared catalog's validation, and that of its scenario in memory."""
    simulated = read_scenario(simulated_market)
    config = config_of(simulated)
    market = load_market(Catalog.open(simulated_market), "SIM", config)
    folder = tmp_path_factory.mktemp("record")
    with Journal.open(folder / "journal.sqlite") as journal:
        truth = read_truth(simulated_market, TruthTable.SHOCKS)
        long = validate(market, config, journal, truth=truth)
    return long, judged_in_memory(simulated, config)


@pytest.mark.parametrize("name", RECORD)
def test_every_table_is_the_same_as_by_way_of_a_catalog(both, name):
    long, short = (getattr(each.tables, name) for each in both)
    assert long.height > 0
    assert short.equals(long)


@pytest.mark.parametrize("name", JUDGED)
def test_every_figure_is_the_same_as_by_way_of_a_catalog(both, name):
    long, short = (plain(getattr(each.evidence, name)) for each in both)
    assert short == long


def test_a_market_in_memory_is_marked_as_simulated(both):
    _, short = both
    assert short.evidence.manifest.simulated
    assert short.evidence.label.startswith("SIMULATED: ")


def test_another_scenario_is_another_data_set():
    small = scenario("calm", {"option_flow.trades_per_day": 200.0}, days=1)
    config = config_of(small)
    one, same, other = (
        market_in_memory(each, config)[0].option_hash
        for each in (small, small, changed(small, seed=8))
    )
    assert one == same != other
