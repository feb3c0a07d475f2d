"""Soundness: what `check` finds, and that importing again repairs it."""

from __future__ import annotations

import polars as pl
import pytest

from builders.market_files import deribit_trades, with_value, written
from hedgeflow.market import Catalog, CatalogError, Severity
from hedgeflow.sources import import_deribit_trades


@pytest.fixture
def source(tmp_path):
    return written(deribit_trades(1_500), tmp_path)


@pytest.fixture
def catalog(tmp_path, source):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    import_deribit_trades(source, catalog)
    return catalog


@pytest.fixture
def part(catalog):
    """Return the path of the second day's part."""
    [manifest] = catalog.imports()
    return catalog.path / manifest.parts[1].path


def found(catalog):
    return [(finding.severity, finding.what) for finding in catalog.check()]


def truncate(path):
    path.write_bytes(path.read_bytes()[:-200])


def change(path):
    content = bytearray(path.read_bytes())
    content[100] ^= 0xFF
    path.write_bytes(content)


def test_a_whole_catalog_has_no_findings(catalog):
    assert catalog.check() == []


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (truncate, "TRUNCATED_PART"),
        (change, "CHANGED_PART"),
        (lambda path: path.unlink(), "MISSING_PART"),
    ],
)
def test_damage_is_found_and_importing_again_repairs_it(catalog, source, part, spoil, what):
    [key] = catalog.keys()
    before = catalog.read(key)
    spoil(part)
    assert found(catalog) == [(Severity.ERROR, what)]
    [finding] = catalog.check()
    assert finding.where in str(part)
    assert "trades.parquet again" in finding.hint
    assert not import_deribit_trades(source, catalog).already_imported
    assert catalog.check() == []
    assert catalog.read(key).equals(before)


@pytest.mark.parametrize("spoil", [truncate, lambda path: path.unlink()])
def test_reading_a_damaged_part_says_what_to_do(catalog, part, spoil):
    [key] = catalog.keys()
    spoil(part)
    with pytest.raises(CatalogError, match=r"missing or damaged.*hedgeflow data check"):
        catalog.read(key)


def test_a_part_with_other_numbers_is_refused_though_it_reads(catalog, part):
    [key] = catalog.keys()
    frame = pl.read_parquet(part)
    frame.with_columns(pl.col("lots") * 2).write_parquet(part)
    with pytest.raises(CatalogError, match="not as it was imported"):
        catalog.read(key)


def test_a_file_that_no_import_wrote_is_found(catalog, part):
    (part.parent / "stray.parquet").write_bytes(part.read_bytes())
    assert found(catalog) == [(Severity.WARNING, "ORPHAN_FILE")]


def test_files_beside_the_tapes_are_not_meant(catalog):
    (catalog.path / "truth").mkdir()
    (catalog.path / "truth" / "market.parquet").write_bytes(b"")
    assert catalog.check() == []


def test_gaps_and_rejects_are_listed(catalog, tmp_path):
    start = deribit_trades()["ts"][0].replace(day=15)
    later = with_value(deribit_trades(start=start, first_id=9_000), 1, "price_btc", -1.0)
    import_deribit_trades(written(later, tmp_path, "later.parquet"), catalog)
    findings = catalog.check()
    assert [finding.what for finding in findings] == ["REJECTS", "GAP"]
    assert findings[0].severity is Severity.WARNING
    assert "2025-04-12T14:18:00Z to 2025-04-15T13:18:00Z" in findings[1].text


def test_a_manifest_that_is_damaged_is_named(catalog):
    [path] = (catalog.path / "imports").iterdir()
    path.write_text("{")
    with pytest.raises(CatalogError, match=f"{path.name}: the manifest cannot be read"):
        catalog.keys()
