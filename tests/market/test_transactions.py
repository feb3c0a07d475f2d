"""Catalogs into which nothing was written: they are removed, and only they."""

from __future__ import annotations

import pytest

from builders.market_files import TRADES_KEY, at_ns, hedge_trades
from hedgeflow.market import Catalog, CatalogError
from hedgeflow.market.layout import MARKER
from hedgeflow.market.transactions import _is_in_place, discard_empty, locked


@pytest.fixture
def catalog(tmp_path):
    return Catalog.create_or_open(tmp_path / "above" / "catalog")


def discard(catalog):
    discard_empty(catalog.path, [catalog.path, catalog.path.parent])


def a_download_has_begun(catalog):
    folder = catalog.path / ".downloads"
    folder.mkdir()
    with locked(folder):
        return folder


def test_an_empty_catalog_is_removed_with_the_folders_made_for_it(catalog, tmp_path):
    a_download_has_begun(catalog)
    discard(catalog)
    assert not list(tmp_path.iterdir())


def test_folders_that_hold_other_things_stay(catalog):
    beside = catalog.path.parent / "letter.txt"
    beside.write_text("keep me")
    discard(catalog)
    assert list(catalog.path.parent.iterdir()) == [beside]


def test_a_catalog_that_holds_an_import_stays(catalog):
    catalog.store(TRADES_KEY, hedge_trades([at_ns(minutes=1)]), source="test")
    discard(catalog)
    assert len(Catalog.open(catalog.path).imports()) == 1


def test_a_catalog_that_holds_a_kept_answer_stays(catalog):
    (a_download_has_begun(catalog) / "kept.answer").write_text("an answer")
    discard(catalog)
    Catalog.open(catalog.path)


@pytest.mark.parametrize("used", [".", ".downloads"])
def test_a_catalog_that_another_uses_stays(catalog, used):
    a_download_has_begun(catalog)
    with locked(catalog.path / used):
        discard(catalog)
    Catalog.open(catalog.path)


def test_a_lock_file_that_was_removed_or_replaced_is_no_lock(tmp_path):
    path = tmp_path / ".lock"
    with path.open("a+") as file:
        assert _is_in_place(file, path)
        path.unlink()
        assert not _is_in_place(file, path)
        path.touch()
        assert not _is_in_place(file, path)


def test_nothing_is_written_into_a_catalog_that_a_rival_has_discarded(catalog):
    (catalog.path / MARKER).unlink()
    with pytest.raises(CatalogError, match="cannot be read, so it is no catalog"):
        catalog.store(TRADES_KEY, hedge_trades([at_ns(minutes=1)]), source="test")
    assert {path.name for path in catalog.path.iterdir()} <= {".lock"}
