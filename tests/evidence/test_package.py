"""The package folder: schemas, hashes, byte identity, all or nothing."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys

import polars as pl
import pytest
from jsonschema import Draft202012Validator

from evidence import samples
from hedgeflow.evidence import (
    assess,
    companion_documents,
    package_document,
    read_package,
    schema,
    write_package,
)
from hedgeflow.evidence.documents import DOCUMENTS
from hedgeflow.evidence.package import restore
from hedgeflow.evidence.plain import dumps, plain
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.volume_shock.claims import DECLARATION

NOW, LATER = "2024-03-01T00:00:00Z", "2024-03-02T12:30:00Z"
TOP_LEVEL = {
    "schema_version",
    "strategy",
    "preset",
    "simulated",
    "hypothesis_validation",
    "performance_metrics",
    "statistical_measures",
    "performance_by_flow_type",
    "experimental_validity",
    "reproducibility",
    "timestamp",
}


@pytest.fixture(scope="module")
def run():
    tables = samples.tables(samples.mixed(70, 20), flow_noise=0.5)
    return tables, assess(tables, DECLARATION, samples.manifest())


@pytest.fixture
def written(run, tmp_path):
    tables, evidence = run
    return write_package(evidence, tables, tmp_path / "package", timestamp=NOW, report_html="<p>")


def test_the_folder_holds_every_document_and_table(written):
    names = {path.name for path in written.iterdir()}
    documents = {f"{name}.json" for name in DOCUMENTS if name != "pinning"}
    frames = {"trades", "alerts", "decisions", "ledger_entries", "flow"} | {
        "draws_matched_entries",
        "draws_directions",
        "draws_session_directions",
    }
    assert names == documents | {f"{name}.parquet" for name in frames} | {"report.html"}


def test_evidence_json_has_exactly_the_published_top_level(written):
    assert set(json.loads((written / "evidence.json").read_text())) == TOP_LEVEL


@pytest.mark.parametrize("name", sorted(set(DOCUMENTS) - {"pinning"}))
def test_every_document_meets_its_published_schema(written, name):
    published = schema(name)
    Draft202012Validator.check_schema(published)
    body = json.loads((written / f"{name}.json").read_text())
    Draft202012Validator(published).validate(body)
    assert body["simulated"] is False


@pytest.mark.parametrize("name", sorted(set(DOCUMENTS) - {"pinning"}))
def test_schemas_refuse_what_they_do_not_know(written, name):
    body = json.loads((written / f"{name}.json").read_text())
    assert not Draft202012Validator(schema(name)).is_valid(body | {"extra": 1})
    assert not Draft202012Validator(schema(name)).is_valid({})


def test_a_figure_without_value_needs_a_reason():
    published = schema("detection_accuracy")
    estimate = Draft202012Validator({"$ref": "#/$defs/Estimate", "$defs": published["$defs"]})
    empty = {
        "value": None,
        "lower": None,
        "upper": None,
        "n": 0,
        "method": "",
        "reason": "",
        "level": 0.95,
    }
    assert not estimate.is_valid(empty)
    assert estimate.is_valid(empty | {"reason": "no trades"})


def test_repetition_is_byte_identical_apart_from_the_timestamp(run, written, tmp_path):
    tables = samples.tables(samples.mixed(70, 20), flow_noise=0.5)
    evidence = assess(tables, DECLARATION, samples.manifest())
    again = write_package(evidence, tables, tmp_path / "again", timestamp=LATER, report_html="<p>")
    for path in written.iterdir():
        first, second = path.read_bytes(), (again / path.name).read_bytes()
        assert first.replace(NOW.encode(), LATER.encode()) == second, path.name
        if path.name != "evidence.json":
            assert first == second


def test_another_seed_gives_other_bounds(run):
    tables, evidence = run
    other = assess(tables, DECLARATION, samples.manifest(seed=8))
    assert other.performance.sharpe_annualised.value == evidence.performance.sharpe_annualised.value
    assert other.performance.sharpe_annualised.lower != evidence.performance.sharpe_annualised.lower


def test_no_machine_path_is_written(written):
    for path in written.glob("*.json"):
        text = path.read_text()
        assert written.anchor + written.parts[1] not in text


def test_tables_come_back_as_they_were(run, written):
    tables, _ = run
    assert pl.read_parquet(written / "trades.parquet").equals(tables.trades)
    assert pl.read_parquet(written / "ledger_entries.parquet").equals(tables.ledger_entries)


def test_reading_returns_the_document(run, written):
    document = read_package(written)
    assert document["timestamp"] == NOW
    assert document["experimental_validity"]["verdict"] == run[1].decision.verdict


def test_a_changed_table_is_noticed(written):
    (written / "trades.parquet").write_bytes(b"other trades")
    with pytest.raises(EvidenceError, match=r"trades\.parquet is missing or was changed"):
        read_package(written)


def test_a_deleted_table_is_noticed(written):
    (written / "trades.parquet").unlink()
    with pytest.raises(EvidenceError, match=r"trades\.parquet is missing"):
        read_package(written)


def test_a_changed_document_must_still_meet_its_schema(written):
    body = json.loads((written / "evidence.json").read_text())
    body["experimental_validity"]["verdict"] = "PROVEN"
    (written / "evidence.json").write_text(json.dumps(body))
    with pytest.raises(EvidenceError, match="PROVEN"):
        read_package(written)


def test_a_folder_without_package_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match=r"no evidence\.json"):
        read_package(tmp_path)
    (tmp_path / "evidence.json").write_text("{")
    with pytest.raises(EvidenceError, match="no JSON"):
        read_package(tmp_path)


def test_a_package_is_never_overwritten(run, written):
    tables, evidence = run
    with pytest.raises(EvidenceError, match="exists already"):
        write_package(evidence, tables, written, timestamp=NOW)


def test_a_document_that_breaks_its_schema_leaves_nothing_behind(run, tmp_path):
    tables, evidence = run
    with pytest.raises(EvidenceError, match="yesterday"):
        write_package(evidence, tables, tmp_path / "package", timestamp="yesterday")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_nothing_behind(run, tmp_path):
    tables, evidence = run
    parent = tmp_path / "busy"
    parent.mkdir()
    (parent / "package").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match="package"):
        write_package(evidence, tables, parent / "package", timestamp=NOW)
    assert [path.name for path in parent.iterdir()] == ["package"]


def test_a_package_without_trades_is_written_and_read(tmp_path):
    tables = samples.tables([], nulls={})
    evidence = assess(tables, DECLARATION, samples.manifest())
    folder = write_package(evidence, tables, tmp_path / "package", timestamp=NOW)
    document = read_package(folder)
    assert document["experimental_validity"]["label"] == "INSUFFICIENT_DATA (UNTESTABLE)"
    assert pl.read_parquet(folder / "trades.parquet").is_empty()


def test_no_sessions_at_all_still_make_a_package():
    tables = samples.tables([], sessions=())
    evidence = assess(tables, DECLARATION, samples.manifest())
    body = package_document(evidence, timestamp=NOW, files={})
    assert body["performance_metrics"]["first_session"] is None


def test_companions_carry_no_timestamp(run):
    for body in companion_documents(run[1]).values():
        assert "timestamp" not in body


def test_floats_keep_twelve_significant_digits():
    assert plain(0.1 + 0.2) == 0.3
    assert plain(-0.0) == 0.0
    assert dumps({"b": 1, "a": [1 / 3]}) == '{\n  "a": [\n    0.333333333333\n  ],\n  "b": 1\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"x": float("-inf")}])
def test_a_figure_that_is_no_number_is_refused(value):
    with pytest.raises(EvidenceError, match="is no figure"):
        plain(value)


def test_an_unknown_type_is_refused():
    with pytest.raises(EvidenceError, match="set has no place"):
        plain({1})


def test_importing_evidence_loads_no_statistics_library():
    code = (
        "import sys, hedgeflow.evidence; "
        "print([name for name in ('scipy', 'statsmodels', 'arch', 'pandas', 'jsonschema') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


REPLACING = """
import os, pickle, signal, sys
from pathlib import Path
from hedgeflow.evidence import write_package

pickled, folder, timestamp, left = *sys.argv[1:4], [int(sys.argv[4])]
tables, evidence = pickle.loads(Path(pickled).read_bytes())

def hook(event, arguments):
    if event == "os.rename":
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
write_package(evidence, tables, Path(folder), timestamp=timestamp, replace=True)
"""


@pytest.fixture
def killed_at_rename(run, written, tmp_path_factory):
    """Replace the package in a process of its own that is killed before its n-th renaming."""
    pickled = tmp_path_factory.mktemp("replacing") / "run"
    pickled.write_bytes(pickle.dumps(run))

    def replaced(number):
        words = [str(pickled), str(written), LATER, str(number)]
        return subprocess.run([sys.executable, "-c", REPLACING, *words], check=False).returncode

    return replaced


@pytest.mark.parametrize("renaming", [1, 2])
def test_a_writer_killed_while_replacing_leaves_a_package_that_the_next_one_finds(
    run, written, renaming, killed_at_rename
):
    tables, evidence = run
    assert killed_at_rename(renaming) == -signal.SIGKILL
    restore(written)
    assert read_package(written)["timestamp"] == NOW
    write_package(evidence, tables, written, timestamp=LATER, replace=True)
    assert read_package(written)["timestamp"] == LATER
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_a_replacement_that_nobody_stops_leaves_the_new_package_alone(written, killed_at_rename):
    assert killed_at_rename(3) == 0
    assert read_package(written)["timestamp"] == LATER
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_whoever_reads_while_the_place_is_empty_is_told_where_it_is(written, killed_at_rename):
    killed_at_rename(2)
    with pytest.raises(EvidenceError, match="no evidence") as caught:
        read_package(written)
    assert f".{written.name}.old" in str(caught.value.hint)


def test_a_replacement_that_fails_brings_the_earlier_package_back(run, written):
    tables, evidence = run
    with pytest.raises(EvidenceError, match="yesterday"):
        write_package(evidence, tables, written, timestamp="yesterday", replace=True)
    assert read_package(written)["timestamp"] == NOW
    assert [path.name for path in written.parent.iterdir()] == [written.name]
