"""Answers wait whole in a spool, or they are not there."""

from __future__ import annotations

import pytest

from hedgeflow.market import CatalogError
from hedgeflow.sources.spool import Spool


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


def test_an_answer_is_found_by_its_request(spool):
    spool.keep("first", b"one\x00\n")
    spool.keep("second", b"")
    assert (spool.read("first"), spool.read("second"), spool.read("third")) == (
        b"one\x00\n",
        b"",
        None,
    )
    assert len(spool) == 2
    assert Spool(spool.folder).read("first") == b"one\x00\n"


def test_a_later_answer_replaces_an_earlier_one(spool):
    spool.keep("first", b"one")
    spool.keep("first", b"two")
    assert (spool.read("first"), len(spool)) == (b"two", 1)


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1], lambda raw: raw + b" ", lambda _: b"",
                                   lambda raw: raw[:70] + b"x" + raw[71:]])  # fmt: skip
def test_a_damaged_answer_counts_as_missing(spool, spoil):
    spool.keep("first", b"an answer of some length")
    [path] = spool.folder.iterdir()
    path.write_bytes(spoil(path.read_bytes()))
    assert spool.read("first") is None


def test_clearing_removes_everything(spool):
    spool.clear()
    spool.keep("first", b"one")
    (spool.folder / "left.part").write_bytes(b"half")
    spool.clear()
    assert not spool.folder.exists()
    assert len(spool) == 0


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(CatalogError, match=r"spool: what was downloaded cannot be kept .*goes on"):
        Spool(tmp_path / "spool").keep("first", b"one")
