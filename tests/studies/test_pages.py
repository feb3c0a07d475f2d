"""A page is written whole, and never over what another hand wrote."""

from __future__ import annotations

import pytest

from hedgeflow.market.errors import DataError
from hedgeflow.studies.pages import check_page, write_page

MARK = "<!-- made by a command -->"


def test_a_page_replaces_its_like_in_a_folder_that_it_makes(tmp_path):
    target = tmp_path / "new" / "page.md"
    for text in ("one", "two"):
        write_page(target, f"{MARK}\n{text}\n", MARK)
    assert target.read_text(encoding="utf-8") == f"{MARK}\ntwo\n"


def test_a_file_that_begins_otherwise_is_left_alone(tmp_path):
    other = tmp_path / "notes.md"
    other.write_text("mine")
    with pytest.raises(DataError, match="there is another file"):
        write_page(other, MARK, MARK)
    assert other.read_text() == "mine"


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="this is a folder"):
        check_page(tmp_path, MARK)
