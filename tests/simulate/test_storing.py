from datetime import date

import pytest

from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.simulate import (
    SCENARIO_FILE,
    TRUTH_FOLDER,
    TRUTH_SCHEMAS,
    TruthTable,
    read_scenario,
    read_truth,
    scenario,
    tape_keys,
    write_to_catalog,
)


@pytest.fixture(scope="module")
def stored(tmp_path_factory, small):
    catalog = Catalog.create_or_open(tmp_path_factory.mktemp("simulated") / "catalog")
    seen = []
    folder = write_to_catalog(small, catalog, lambda done, every: seen.append((done, every)))
    assert folder == catalog.path / TRUTH_FOLDER
    assert seen[-1] == (3, 3)
    return catalog


def test_a_scenario_is_stored_as_its_tapes(stored, small, small_market):
    keys = tape_keys(small)
    assert set(stored.keys()) == set(keys.values())
    for kind, key in keys.items():
        expected = getattr(small_market, str(kind))
        assert stored.read(key).select(expected.columns).equals(expected)
        assert stored.coverage(key).intervals == small_market.coverage.intervals
    assert stored.contracts("sim", "SIM").height == small_market.contracts.height


@pytest.mark.parametrize("table", TruthTable)
def test_the_truth_lies_beside_the_tapes_with_its_schema(stored, small_market, table):
    read = read_truth(stored.path, table)
    assert dict(read.schema) == TRUTH_SCHEMAS[table]
    assert read.equals(small_market.truth_tables()[table])


def test_the_scenario_lies_with_the_truth(stored, small):
    assert read_scenario(stored.path) == small


def test_every_source_is_marked_simulated(stored):
    assert all(each.source.startswith("SIMULATED:") for each in stored.imports())


def test_a_catalog_that_is_not_simulated_has_no_truth(tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    with pytest.raises(CatalogError, match="it holds no simulated market"):
        read_truth(catalog.path, TruthTable.SHOCKS)


def test_a_simulation_that_was_cut_off_or_damaged_is_refused_by_name(tmp_path, small):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    folder = write_to_catalog(small, catalog)
    (folder / "shocks" / "00000.parquet").write_bytes(b"PAR1")
    with pytest.raises(CatalogError, match="missing or damaged"):
        read_truth(catalog.path, TruthTable.SHOCKS)
    (folder / SCENARIO_FILE).write_text("{}}", encoding="utf-8")
    with pytest.raises(CatalogError, match=f"{SCENARIO_FILE}: the scenario of this"):
        read_scenario(catalog.path)
    (folder / SCENARIO_FILE).unlink()
    with pytest.raises(CatalogError, match="was cut off"):
        read_truth(catalog.path, TruthTable.SHOCKS)


def test_a_part_of_the_truth_is_read_by_its_time(tmp_path, small):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    write_to_catalog(small, catalog)
    prints = read_truth(catalog.path, TruthTable.PRINTS)
    stamps = prints["ts"].dt.epoch("ns")
    start, end = int(stamps[100]), int(stamps[200])
    assert end > start
    part = read_truth(catalog.path, TruthTable.PRINTS, start, end)
    assert part.equals(prints.filter((stamps >= start) & (stamps < end)))


def test_a_market_stands_alone_in_its_catalog(stored, small):
    with pytest.raises(CatalogError, match="holds tapes, and a simulated market stands alone"):
        write_to_catalog(small, stored)


def test_imports_of_few_rows_make_the_same_catalog(tmp_path, stored, small):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    seen = []
    write_to_catalog(small, catalog, lambda *each: seen.append(each), rows_per_import=1)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert len(catalog.imports()) == 3 * len(stored.imports())
    for key in tape_keys(small).values():
        columns = catalog.read(key).drop("sequence")
        assert columns.equals(stored.read(key).drop("sequence"))
    assert catalog.contracts("sim", "SIM").equals(stored.contracts("sim", "SIM"))
    for table in TruthTable:
        assert read_truth(catalog.path, table).equals(read_truth(stored.path, table))


def test_an_exchanges_market_is_stored_with_its_own_venue_future_and_quotes(tmp_path):
    market = scenario(
        "us-index",
        {
            "option_quotes.tape": True,
            "option_flow.trades_per_day": 500.0,
            "future.trades_per_day": 500.0,
        },
        days=2,
        first_day=date(2024, 11, 29),
    )
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    write_to_catalog(market, catalog)
    found = {(each.key.kind, each.key.venue, each.key.instrument) for each in catalog.imports()}
    assert found == {
        ("option_trades", "sim-us", "SIM"),
        ("option_quotes", "sim-us", "SIM"),
        ("open_interest", "sim-us", "SIM"),
        ("hedge_trades", "sim-us", "SIMZ24"),
        ("hedge_quotes", "sim-us", "SIMZ24"),
        ("bars", "sim-us", "SIMZ24"),
    }
    assert [row.rejected for row in catalog.imports()] == [{}] * 6
    sizes = catalog.read(tape_keys(market)[TapeKind.HEDGE_TRADES])["size"]
    assert (sizes % 50.0 == 0.0).all()
