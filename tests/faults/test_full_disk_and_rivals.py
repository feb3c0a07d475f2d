"""A disk that is really full, and processes that import into one catalog at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from builders.market_files import deribit_trades, file_bars, with_value, written
from builders.program import LIMITED, PROGRAM
from hedgeflow.market import Catalog
from hedgeflow.sources import import_bars, import_deribit_trades

TRADES = 9_000
"""One a minute: six days."""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return written(deribit_trades(TRADES), tmp_path_factory.mktemp("source"))


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a file system of 100 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no `mount` here")
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_disk_that_fills_up_during_an_import_leaves_the_catalog_as_it_was(small_disk, source):
    catalog = Catalog.create_or_open(small_disk / "catalog")
    bars = written(file_bars(), small_disk.parent, "binance_bars.parquet")
    import_bars(bars, catalog, instrument="BTC-PERP")
    before = content(catalog.path)
    command = [*PROGRAM, "data", "import", "deribit", source, "--catalog", catalog.path]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 4
    assert "No space left on device" in done.stderr
    assert "The catalog is as it was before" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert content(catalog.path) == before
    assert Catalog.open(catalog.path).check() == []


@pytest.mark.skipif(sys.platform == "win32", reason="file sizes cannot be limited there")
def test_a_file_that_may_not_grow_leaves_the_catalog_as_it_was(tmp_path, source):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    before = content(catalog.path)
    arguments = ["data", "import", "deribit", source, "--catalog", catalog.path]
    command = [sys.executable, "-c", LIMITED, "8000", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 4
    assert "the import could not be written" in done.stderr
    assert content(catalog.path) == before
    assert import_deribit_trades(source, Catalog.open(catalog.path)).kept == TRADES


def test_of_processes_that_import_at_once_each_succeeds_or_is_told_to_wait(tmp_path):
    sources = [
        written(
            with_value(file_bars(2_000 + number), 3, "close", 104.0),
            tmp_path,
            f"venue{number}_bars.parquet",
        )
        for number in range(4)
    ]
    root = tmp_path / "catalog"
    Catalog.create_or_open(root)

    def command(number):
        return [
            *PROGRAM, "data", "import", "bars", sources[number], "--catalog", root,
            "--instrument", "BTC-PERP", "--venue", f"venue{number}",
        ]  # fmt: skip

    rivals = [
        subprocess.Popen(command(number), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    ended = [(rival.communicate()[1], rival.returncode) for rival in rivals]
    refused = [number for number, (_, code) in enumerate(ended) if code]
    for number in refused:
        message, code = ended[number]
        assert code == 4
        assert "another import is writing to this catalog" in message
        again = subprocess.run(command(number), check=False, capture_output=True)
        assert again.returncode == 0
    assert len(refused) < 4
    catalog = Catalog.open(root)
    assert [key.venue for key in Catalog.keys(catalog)] == [f"venue{number}" for number in range(4)]
    assert sorted(each.ordinal for each in catalog.imports()) == [0, 1, 2, 3]
    assert catalog.check() == []
