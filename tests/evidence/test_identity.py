"""A package made again is the one it was, or it is said where it is not."""

from __future__ import annotations

import polars as pl
import pytest

from evidence import samples
from hedgeflow.evidence import assess, write_package
from hedgeflow.evidence.identity import NOT_FIGURES, TOLERANCE, identity
from hedgeflow.evidence.opening import Package, open_package
from hedgeflow.strategies.volume_shock.claims import DECLARATION

NOW, LATER = "2024-03-01T00:00:00Z", "2025-03-01T00:00:00Z"


@pytest.fixture(scope="module")
def run():
    tables = samples.tables(samples.mixed(40, 20), flow_noise=0.5)
    return tables, assess(tables, DECLARATION, samples.manifest())


def written(run, folder, timestamp=NOW):
    tables, evidence = run
    return open_package(write_package(evidence, tables, folder, timestamp=timestamp))


@pytest.fixture
def both(run, tmp_path):
    return written(run, tmp_path / "stated"), written(run, tmp_path / "found", LATER)


def changed(package, *path, value):
    """Return the package with one value of its evidence.json changed."""
    document = dict(package.document)
    place = document
    for part in path[:-1]:
        place[part] = type(place[part])(place[part])
        place = place[part]
    place[path[-1]] = value(place[path[-1]]) if callable(value) else value
    return Package(package.folder, document)


def test_only_its_time_differs_and_that_is_no_figure(both):
    found = identity(*both)
    assert found.identical
    assert found.compared > 2_000
    assert {"evidence.json", "trades.parquet", "significance_testing.json"} <= set(found.files)
    assert both[0].document["timestamp"] != both[1].document["timestamp"]
    assert "timestamp" in NOT_FIGURES


def test_a_figure_that_differs_is_told_with_its_place_and_how_far_it_is_off(both):
    stated = changed(both[0], "performance_metrics", "profit", "net_usd", value=lambda x: x + 1.5)
    (only,) = identity(stated, both[1]).differences
    assert only.place == "performance_metrics.profit.net_usd"
    assert only.apart == pytest.approx(-1.5)
    assert only.sentence.startswith("evidence.json: performance_metrics.profit.net_usd: stated ")


@pytest.mark.parametrize(("relative", "same"), [(0.1 * TOLERANCE, True), (10 * TOLERANCE, False)])
def test_numbers_agree_within_the_tolerance(both, relative, same):
    path = ("performance_metrics", "profit", "fees_usd")
    stated = changed(both[0], *path, value=lambda x: x * (1.0 + relative))
    assert identity(stated, both[1]).identical is same


def test_counts_and_words_agree_exactly(both):
    count = changed(both[0], "performance_metrics", "trades", value=61)
    assert identity(count, both[1]).differences[0].stated == 61
    word = changed(both[0], "experimental_validity", "verdict", value="VALIDATED")
    assert identity(word, both[1]).differences[0].place == "experimental_validity.verdict"


def test_a_figure_that_only_one_states_differs(both):
    stated = changed(both[0], "performance_metrics", "profit", "net_usd", value=None)
    (only,) = identity(stated, both[1]).differences
    assert (only.stated, only.apart) == (None, None)


def test_a_table_s_value_that_differs_is_told_with_its_row(both):
    path = both[1].folder / "trades.parquet"
    trades = pl.read_parquet(path)
    moved = pl.when(pl.int_range(pl.len()) == 7).then(pl.col("net_bps") + 2).otherwise("net_bps")
    trades.with_columns(net_bps=moved).write_parquet(path)
    (only,) = identity(*both).differences
    assert (only.file, only.place) == ("trades.parquet", "row 7 net_bps")
    assert only.apart == pytest.approx(2.0)


def test_a_table_with_fewer_rows_differs(both):
    path = both[1].folder / "alerts.parquet"
    pl.read_parquet(path).head(3).write_parquet(path)
    (only,) = identity(*both).differences
    assert (only.file, only.place) == ("alerts.parquet", "rows and columns")


def test_a_file_that_only_one_has_differs(both):
    (both[1].folder / "flow.parquet").unlink()
    (only,) = identity(*both).differences
    assert (only.file, only.place, only.found) == ("flow.parquet", "the file", None)
