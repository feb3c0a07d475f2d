import pytest

from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import CatalogError
from hedgeflow.simulate import (
    SCENARIO_FILE,
    TRUTH_FOLDER,
    TRUTH_SCHEMAS,
    TruthTable,
    read_scenario,
    read_truth,
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
