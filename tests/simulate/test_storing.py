import json

import polars as pl

from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import TAPE_KEYS, TRUTH_FOLDER, write_to_catalog


def test_a_scenario_is_stored_as_its_tapes_and_its_truth_beside_them(tmp_path, small, small_market):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    seen = []
    path = write_to_catalog(small, catalog, lambda done, every: seen.append((done, every)))
    assert set(catalog.keys()) == set(TAPE_KEYS.values())
    for kind, key in TAPE_KEYS.items():
        expected = getattr(small_market, str(kind))
        assert catalog.read(key).select(expected.columns).equals(expected)
        assert catalog.coverage(key).intervals == small_market.coverage.intervals
    assert catalog.contracts("sim", "SIM").height == small_market.contracts.height
    assert seen[-1] == (3, 3)
    assert path.parent == catalog.path / TRUTH_FOLDER
    assert pl.read_parquet(path).equals(small_market.truth)


def test_every_source_is_marked_simulated(tmp_path, small):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    write_to_catalog(small, catalog)
    assert all(each.source.startswith("SIMULATED:") for each in catalog.imports())


def test_the_truth_records_the_scenario(tmp_path, small):
    path = write_to_catalog(small, Catalog.create_or_open(tmp_path / "catalog"))
    record = json.loads(pl.read_parquet_metadata(path)["scenario"])
    assert record["seed"] == small.seed
    assert record["first_day"] == "2025-01-06"
