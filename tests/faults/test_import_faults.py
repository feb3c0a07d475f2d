"""Imports that go wrong: the catalog stays as it was, the message says what to do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from builders.market_files import (
    BARS_KEY,
    deribit_trades,
    file_bars,
    with_value,
    written,
)
from hedgeflow.market import Catalog, CatalogError, DataError
from hedgeflow.market.layout import COMMITTED, STAGING
from hedgeflow.market.transactions import locked, staged_name
from hedgeflow.sources import import_bars, import_deribit_trades

TRADES = 4_000
"""One a minute: four UTC days."""

IMPORTER = """
import sys, time
from hedgeflow.market import Catalog
from hedgeflow.sources import import_deribit_trades

def progress(done, total):
    print(done, flush=True)
    time.sleep(float(sys.argv[3]))

print("ready", flush=True)
import_deribit_trades(sys.argv[2], Catalog.open(sys.argv[1]), progress=progress)
print("finished", flush=True)
"""


@pytest.fixture
def catalog(tmp_path):
    """Return a catalog that holds bars already."""
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    path = written(file_bars(), tmp_path, "binance_bars.parquet")
    import_bars(path, catalog, instrument="BTC-PERP")
    return catalog


@pytest.fixture
def source(tmp_path):
    return written(deribit_trades(TRADES), tmp_path)


def content(catalog):
    """Return every file of a catalog that outlives an import, with its bytes."""
    return {
        path.relative_to(catalog.path).as_posix(): path.read_bytes()
        for path in catalog.path.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def assert_unharmed(catalog, before, source):
    """The catalog is as before, and the same file can be imported now."""
    reopened = Catalog.open(catalog.path)
    assert content(catalog) == before
    assert [path.name for path in catalog.path.glob(".*") if path.name != ".lock"] == []
    assert reopened.keys() == [BARS_KEY]
    report = import_deribit_trades(source, reopened)
    assert (report.already_imported, report.kept) == (False, TRADES)
    assert reopened.check() == []


def imported(kind, path, catalog):
    if kind == "trades":
        return import_deribit_trades(path, catalog)
    return import_bars(path, catalog, instrument="BTC-PERP")


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def replaced_by_text(path):
    path.write_text("ts,price\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncated, r"trades\.parquet: the Parquet file is truncated or damaged.*Download"),
        (emptied, r"trades\.parquet: the file is empty \(0 bytes\)"),
        (replaced_by_text, r"trades\.parquet: this is no Parquet file"),
        (Path.unlink, r"trades\.parquet: there is no such file"),
    ],
)
@pytest.mark.parametrize("kind", ["trades", "bars"])
def test_a_broken_file_is_refused(catalog, tmp_path, spoil, message, kind):
    frame = deribit_trades() if kind == "trades" else file_bars()
    path = written(frame, tmp_path)
    before = content(catalog)
    spoil(path)
    with pytest.raises(DataError, match=message) as caught:
        imported(kind, path, catalog)
    assert caught.value.exit_code == 3
    assert content(catalog) == before


def test_a_file_without_rows_is_refused(catalog, tmp_path):
    with pytest.raises(DataError, match="holds no rows"):
        import_deribit_trades(written(deribit_trades().clear(), tmp_path), catalog)


@pytest.mark.parametrize(
    "column",
    ["ts", "trade_id", "instrument", "direction", "price_btc", "amount", "underlying_price"],
)
def test_a_missing_trade_column_is_named(catalog, tmp_path, column):
    path = written(deribit_trades().drop(column), tmp_path)
    with pytest.raises(DataError, match=rf"trades\.parquet: column '{column}' is missing"):
        import_deribit_trades(path, catalog)


@pytest.mark.parametrize("column", ["date", "open", "high", "low", "close", "volume"])
def test_a_missing_bar_column_is_named(catalog, tmp_path, column):
    path = written(file_bars().drop(column), tmp_path)
    name = "time" if column == "date" else column
    with pytest.raises(DataError, match=rf"column '{name}' is missing.*--columns {name}=NAME"):
        import_bars(path, catalog, instrument="BTC-PERP")


@pytest.mark.parametrize("kind", ["trades", "bars"])
def test_unsorted_times_refuse_the_file_and_name_the_row(catalog, tmp_path, kind):
    frame = deribit_trades() if kind == "trades" else file_bars()
    path = written(frame[[0, 1, 2, 4, 3, 5]], tmp_path)
    before = content(catalog)
    with pytest.raises(DataError, match=r"are not sorted: row 4 .* follows row 3") as caught:
        imported(kind, path, catalog)
    assert "Sort the file by time" in str(caught.value)
    assert content(catalog) == before


def test_a_nan_price_is_rejected_and_keeps_the_tape_from_use(catalog, tmp_path):
    path = written(with_value(deribit_trades(), 1, "price_btc", float("nan")), tmp_path)
    report = import_deribit_trades(path, catalog)
    assert report.rejected == {"NAN_PRICE": 1}
    with pytest.raises(DataError, match=r"NAN_PRICE 1.*--accept-rejects"):
        catalog.read(report.key)


def test_a_wrong_type_is_named(catalog, tmp_path):
    frame = deribit_trades().with_columns(price_btc=pl.lit(value=True))
    with pytest.raises(DataError, match="column 'price_btc' is Boolean, expected a number"):
        import_deribit_trades(written(frame, tmp_path), catalog)


@pytest.mark.parametrize("calls", range(5))
def test_an_interrupt_between_days_leaves_the_catalog_as_it_was(catalog, source, calls):
    before = content(catalog)
    seen = []

    def interrupt(done, total):
        seen.append(done)
        if len(seen) > calls:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_deribit_trades(source, catalog, progress=interrupt)
    assert_unharmed(catalog, before, source)


def started(catalog, source, pause=0.2):
    environment = os.environ | {"POLARS_MAX_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", IMPORTER, str(catalog.path), str(source), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("lines", [1, 2, 4])
def test_a_process_that_is_stopped_leaves_the_catalog_as_it_was(
    catalog, source, signal_number, lines
):
    before = content(catalog)
    with started(catalog, source) as process:
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal_number)
        rest, _ = process.communicate(timeout=180)
    assert "finished" not in rest
    assert process.returncode != 0
    assert_unharmed(catalog, before, source)


@pytest.mark.parametrize("milliseconds", range(10, 250, 30))
def test_an_interrupt_at_any_moment_leaves_all_or_nothing(catalog, source, milliseconds):
    before = content(catalog)
    with started(catalog, source, pause=0.0) as process:
        process.stdout.readline()
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=180)
    reopened = Catalog.open(catalog.path)
    if reopened.keys() == [BARS_KEY]:
        assert_unharmed(catalog, before, source)
    else:
        assert import_deribit_trades(source, reopened).already_imported
        assert reopened.check() == []


@pytest.fixture
def cut_off(catalog, source):
    """Return an import's record after its move was cut off behind the first part."""
    report = import_deribit_trades(source, catalog)
    folder = catalog.path / f"{COMMITTED}{report.import_id}"
    [manifest] = [each for each in catalog.imports() if each.id == report.import_id]
    folder.mkdir()
    for part in manifest.parts[1:]:
        shutil.move(catalog.path / part.path, folder / staged_name(part.path))
    record = f"imports/{report.import_id}.json"
    shutil.move(catalog.path / record, folder / staged_name(record))
    return manifest


def test_a_commit_that_was_cut_off_is_finished_on_opening(catalog, cut_off):
    assert catalog.keys() == [BARS_KEY]
    reopened = Catalog.open(catalog.path)
    assert reopened.check() == []
    assert list(catalog.path.glob(f"{COMMITTED}*")) == []
    assert reopened.read(cut_off.key).height == TRADES


def test_an_import_is_seen_only_when_all_its_parts_are_in_place(catalog, cut_off):
    obstacle = catalog.path / cut_off.parts[-1].path
    obstacle.mkdir()
    with pytest.raises(CatalogError, match="cut off cannot be finished"):
        Catalog.open(catalog.path)
    assert catalog.keys() == [BARS_KEY]
    obstacle.rmdir()
    assert Catalog.open(catalog.path).read(cut_off.key).height == TRADES


def test_an_abandoned_staging_folder_is_removed_on_opening(catalog):
    folder = catalog.path / f"{STAGING}0123456789abcdef" / "bars"
    folder.mkdir(parents=True)
    (folder / "half.parquet").write_bytes(b"PAR1")
    before = {name: data for name, data in content(catalog).items() if STAGING not in name}
    assert content(Catalog.open(catalog.path)) == before


def test_a_second_writer_is_told_who_holds_the_lock(catalog, source):
    before = content(catalog)
    with started(catalog, source) as process:
        process.stdout.readline()
        process.stdout.readline()
        process.stdout.readline()
        with pytest.raises(CatalogError, match=rf"process {process.pid}\).*Wait"):
            import_deribit_trades(source, catalog)
        process.kill()
    assert_unharmed(catalog, before, source)


def test_opening_leaves_the_folder_of_a_running_import_alone(catalog):
    folder = catalog.path / f"{STAGING}0123456789abcdef"
    folder.mkdir()
    with locked(catalog.path):
        Catalog.open(catalog.path)
        assert folder.is_dir()
    Catalog.open(catalog.path)
    assert not folder.exists()


def test_a_full_disk_leaves_the_catalog_as_it_was(catalog, source):
    before = content(catalog)

    def fail(done, total):
        if done > 0:
            raise OSError(28, "No space left on device")

    with pytest.raises(CatalogError, match=r"No space left.*as it was before"):
        import_deribit_trades(source, catalog, progress=fail)
    assert_unharmed(catalog, before, source)
