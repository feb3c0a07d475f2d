"""Compiled kernels find a place: a read-only installation without a home runs all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hedgeflow

PROGRAM = "from hedgeflow.cli import main; main()"
PLACE = """
import hedgeflow.pricing.normalised
from hedgeflow.kernels import kernels_folder, temporary_kernels
print(kernels_folder(), temporary_kernels())
"""


@pytest.fixture
def read_only(tmp_path):
    """Return a function that runs the program where neither its folder nor a home is writable."""
    package = tmp_path / "installed" / "hedgeflow"
    shutil.copytree(
        Path(hedgeflow.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder in [package, *(each for each in package.rglob("*") if each.is_dir())]:
        (folder / "__pycache__").touch()  # a file where a folder would be: not even root writes
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.touch()
    scratch.mkdir()
    unset = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in unset} | {
        "PYTHONPATH": str(package.parent),
        "HOME": str(home),
        "TMPDIR": str(scratch),
    }

    def run(code: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *words], env=environment | more, capture_output=True,
            text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_without_a_place_that_lasts_kernels_go_to_a_temporary_folder_and_that_is_said(
    read_only, tmp_path
):
    done = read_only(PROGRAM, "doctor")
    told = done.stderr.splitlines()
    assert len(told) == 1
    folder = tmp_path / "scratch" / f"hedgeflow-{os.getuid()}"
    assert f"kept in {folder} only" in told[0]
    assert "NUMBA_CACHE_DIR" in told[0]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert f"kept in {folder} for a while only; NUMBA_CACHE_DIR names" in done.stdout


def test_a_folder_that_is_named_is_used(read_only, tmp_path):
    kept = tmp_path / "kept"
    assert read_only(PLACE, NUMBA_CACHE_DIR=str(kept)).stdout == f"{kept} None\n"
    assert kept.exists(), "numba has made it"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_temporary_folder_that_others_can_write_to_is_not_used(read_only, tmp_path):
    folder = tmp_path / "scratch" / f"hedgeflow-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    place, temporary = read_only(PLACE).stdout.split()
    assert place == temporary
    assert Path(place).parent == folder.parent
    assert place != str(folder)
    assert [each.name for each in folder.parent.iterdir()] == [folder.name], "its own is removed"


def test_a_command_that_compiles_nothing_says_nothing(read_only):
    assert read_only(PROGRAM, "--version").stderr == ""
