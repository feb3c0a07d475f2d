"""A package is opened whole or refused, with what to do instead."""

from __future__ import annotations

import json
import shutil

import pytest

from evidence import samples
from hedgeflow.evidence import assess, write_package
from hedgeflow.evidence.opening import open_package
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.volume_shock.claims import DECLARATION

NOW = "2024-03-01T00:00:00Z"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    tables = samples.tables(samples.mixed(40, 20))
    evidence = assess(tables, DECLARATION, samples.manifest(simulated=True))
    folder = tmp_path_factory.mktemp("opening") / "package"
    return write_package(evidence, tables, folder, timestamp=NOW)


@pytest.fixture
def package(made, tmp_path):
    return shutil.copytree(made, tmp_path / "package")


def test_a_folder_and_its_evidence_file_are_the_same_package(package):
    by_folder, by_file = open_package(package), open_package(package / "evidence.json")
    assert by_folder == by_file
    assert (by_folder.strategy, by_folder.simulated) == ("volume-shock", True)
    assert by_folder.label.startswith("SIMULATED")


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match="no such file or folder"):
        open_package(tmp_path / "nowhere")


def test_a_folder_without_evidence_is_no_package(tmp_path):
    with pytest.raises(EvidenceError, match=r"no evidence package.*hedgeflow validate"):
        open_package(tmp_path)


def test_another_file_of_a_package_is_not_taken_for_it(package):
    with pytest.raises(EvidenceError, match=r"not a package's evidence\.json"):
        open_package(package / "significance_testing.json")


def test_another_schema_version_is_named_with_what_to_do(package):
    file = package / "evidence.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema_version": "1.1"}))
    with pytest.raises(EvidenceError, match=r"schema 1\.1.*reads 2\.0.*again with hedgeflow"):
        open_package(package)


@pytest.mark.parametrize("text", ["{", "[]", '{"win_rate": 0.8}', "\udcff"])
def test_what_hedgeflow_did_not_write_is_refused(package, text):
    (package / "evidence.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(EvidenceError, match=r"is no JSON|states no schema_version"):
        open_package(package)


def test_a_file_that_was_changed_is_refused(package):
    file = package / "significance_testing.json"
    file.write_text(file.read_text() + " ")
    with pytest.raises(
        EvidenceError, match=r"significance_testing\.json is missing or was changed"
    ):
        open_package(package)
