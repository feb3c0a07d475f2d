"""What must hold for the repository as a whole."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hedgeflow

ROOT = Path(__file__).resolve().parents[1]
MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:home|root|tmp|Users|work)/")
INDEX_OPTION = re.compile(r"--(?:extra-)?index[-]url|--find[-]links")
LOCKS = ("runtime", "dev", "bench")


def tracked_texts() -> dict[str, str]:
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        pytest.skip(f"not a git checkout: {listing.stderr.strip()}")
    present = [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]
    contents = {name: (ROOT / name).read_bytes() for name in present}
    return {name: raw.decode() for name, raw in contents.items() if b"\0" not in raw}


def locked_names(lock: str) -> set[str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def declared_names(lock: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    declared = project["project"]["dependencies"] + groups["build"] + groups.get(lock, [])
    return {canonicalize_name(Requirement(line).name) for line in declared}


def test_the_version_is_the_installed_one():
    assert hedgeflow.__version__ == version("hedgeflow")


def test_importing_the_package_loads_nothing_heavy():
    script = "import sys, hedgeflow; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    assert not {b"numpy", b"numba", b"polars", b"pandas", b"plotly"} & set(loaded.split())


def test_no_file_names_a_path_of_somebodys_machine():
    found = [name for name, text in tracked_texts().items() if MACHINE_PATH.search(text)]
    assert found == []


def test_no_file_chooses_a_package_index():
    found = [
        name
        for name, text in tracked_texts().items()
        if INDEX_OPTION.search(text.replace("--no-emit-", ""))
    ]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address(lock):
    assert "://" not in (ROOT / "requirements" / f"{lock}.txt").read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_declared_dependency_is_locked(lock):
    assert declared_names(lock) - locked_names(lock) == set()


@pytest.mark.parametrize("lock", ["dev", "bench"])
def test_environments_share_the_runtime_versions(lock):
    pin = re.compile(r"^([\w.-]+==[^ \\]+)", re.MULTILINE)
    requirements = ROOT / "requirements"
    runtime = set(pin.findall((requirements / "runtime.txt").read_text()))
    assert runtime <= set(pin.findall((requirements / f"{lock}.txt").read_text()))
