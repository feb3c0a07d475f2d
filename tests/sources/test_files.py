"""Opening files: compressed text reads like plain text, damaged files are refused."""

from __future__ import annotations

import gzip
import os

import polars as pl
import pytest

from hedgeflow.market import DataError
from hedgeflow.sources.files import check_file, identifiers, read_table

TEXT = b"ts,price\n1,2.5\n2,3.5\n"


def test_gzipped_text_reads_like_plain_text(tmp_path):
    plain, packed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
    plain.write_bytes(TEXT)
    packed.write_bytes(gzip.compress(TEXT))
    assert read_table(packed).equals(read_table(plain))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(TEXT * 10_000)[:-30], "cannot be read"),
        (gzip.compress(b""), "cannot be read"),
        (gzip.compress(b"ts,price\n"), "holds no rows"),
        (b"", "0 bytes"),
    ],
    ids=["cut off", "empty within", "only a header", "empty"],
)
def test_a_damaged_or_empty_gzip_is_refused(tmp_path, content, said):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_table(path)


def test_identifiers_are_text_without_decimals_and_empty_ones_are_missing():
    numbers = identifiers(pl.Series([1.0, float("nan"), 12.0]))
    assert numbers.to_list() == ["1", None, "12"]
    assert identifiers(pl.Series([1.5, 2.0])).to_list() == ["1.5", "2.0"]
    assert identifiers(pl.Series([" a ", "", "null", "None"])).to_list() == ["a", None, None, None]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.csv", r"nowhere\.csv: there is no such file"),
        ("", "this is a folder, not a file"),
        (os.fsdecode(b"caf\xe9.csv"), r"caf\\udce9\.csv: the file's name is no UTF-8"),
    ],
)
def test_what_is_no_file_that_can_be_named_is_refused(tmp_path, name, said):
    with pytest.raises(DataError, match=said):
        check_file(tmp_path / name)
