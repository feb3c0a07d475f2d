"""`hedgeflow data import lean` as users run it: the account in text and JSON, and exit codes."""

from __future__ import annotations

import json
from functools import partial

import pytest

from builders.lean_folders import EVERY, MARGINS, TRADES, lean_folder
from hedgeflow.market import Catalog


@pytest.fixture
def folder(tmp_path):
    return lean_folder(tmp_path / "Lean")


@pytest.fixture
def run(run, folder, tmp_path):
    """Return a function that imports the folder and returns exit code, output and errors."""
    return partial(run, "data", "import", "lean", folder, "--catalog", tmp_path / "catalog")


def test_the_text_names_every_file_and_adds_up(run):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert all(path in out for path in EVERY)
    assert f"  {MARGINS}: margin requirements: no tape holds them" in out
    assert "7 files = 6 imported + 1 not used + 0 refused" in out
    assert "42 rows read = 38 kept + 0 rejected + 0 repeats + 4 empty" in out


def test_the_json_is_complete(run):
    _, out, _ = run("--json")
    document = json.loads(out)
    files = {each["file"]: each for each in document["files"]}
    assert set(files) == set(EVERY)
    assert document["totals"] == {
        "files": 7,
        "imported": 6,
        "not_used": 1,
        "refused": 0,
        "read": 42,
        "kept": 38,
        "rejected": {},
        "repeats": 0,
        "empty": 4,
    }
    [tape] = files[TRADES]["tapes"]
    assert (tape["kind"], tape["kept"], tape["resolution_seconds"]) == ("option_trades", 5, 60.0)
    made = {each["import_id"] for each in document["imports"]}
    assert {part["import_id"] for each in files.values() for part in each["tapes"]} == made


def test_a_refused_file_ends_the_command_with_3_after_the_others_went_in(run, folder, tmp_path):
    (folder / TRADES).write_bytes(b"")
    code, out, err = run()
    assert code == 3
    assert f"Refused:\n  {TRADES}: " in out
    assert "7 files = 5 imported + 1 not used + 1 refused" in out
    assert "1 of 7 files were refused, the others were not affected" in err
    assert len(Catalog.open(tmp_path / "catalog").imports()) == 5


def test_a_dry_run_accounts_for_everything_and_writes_nothing(run, tmp_path):
    code, out, _ = run("--dry-run")
    assert code == 0
    assert "7 files = 6 imported" in out
    assert "Dry run: nothing was written." in out
    assert not (tmp_path / "catalog").exists()


def test_the_same_folder_again_says_that_nothing_was_written(run):
    run()
    _, out, _ = run()
    assert "6 of 6 imports were made before: not written." in out
