"""Where compiled kernels are kept, so that a read-only installation without a home runs too."""

from __future__ import annotations

import os
import sys
from pathlib import Path

KERNELS_VARIABLE = "NUMBA_CACHE_DIR"
"""The folder that numba takes before any other; processes that are started inherit it."""

PACKAGE = Path(__file__).parent
_temporary: Path | None = None


def keep_kernels() -> None:
    """Name a temporary folder of the user's own where numba could write to none that lasts.

    numba keeps what it compiles beside the code or else in the user's cache folder, and refuses to
    decorate a kernel where it can write to neither: a read-only installation without a home.
    """
    global _temporary  # noqa: PLW0603 - as the variable that it stands for, one to a process
    if _is_writable(_user_cache()) or kernels_folder() is not None:
        return
    _temporary = _own_folder()
    if _temporary is None:
        return
    os.environ[KERNELS_VARIABLE] = str(_temporary)
    if "numba" in sys.modules:  # it has read the variable already
        sys.modules["numba"].config.CACHE_DIR = str(_temporary)


def temporary_kernels() -> Path | None:
    """Return the folder in which kernels lie for a while only; None where they are kept."""
    return _temporary


def kernels_folder() -> Path | None:
    """Return the first folder that numba can write to, in its own order; None: there is none.

    The package's own folder stands for the one beside each module.
    """
    named = os.environ.get(KERNELS_VARIABLE)
    if named and _is_writable(Path(named)):
        return Path(named)
    if all(_is_writable(folder / "__pycache__") for folder in kernel_packages()):
        return PACKAGE
    own = _user_cache()
    return own if _is_writable(own) else None


def kernel_packages() -> list[Path]:
    """Return the folders of every package of the code."""
    return [Path(at) for at, _, names in os.walk(PACKAGE) if "__init__.py" in names]


def _user_cache() -> Path:
    """Return the folder that numba calls the user's, by the system's custom."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path's own raises for a user without a home
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or f"{home}/AppData/Local"
        return Path(base) / "numba" / "Cache"
    if sys.platform == "darwin":
        return Path(home) / "Library" / "Caches" / "numba"
    return Path(os.environ.get("XDG_CACHE_HOME") or f"{home}/.cache") / "numba"


def _is_writable(folder: Path) -> bool:
    """Say whether a folder can be written to, or made where it is missing."""
    at = folder.absolute()
    while not os.path.lexists(at) and at.parent != at:
        at = at.parent
    return os.access(at, os.W_OK | os.X_OK) and at.is_dir()


def _own_folder() -> Path | None:
    """Return a folder that nobody else can write to: numba runs whatever it finds there."""
    import stat
    import tempfile

    if sys.platform == "win32":
        return _folder_of_this_run()
    try:
        folder = Path(tempfile.gettempdir()) / f"hedgeflow-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
        if is_own and not found.st_mode & 0o022 and _is_writable(folder):
            return folder
    except OSError:  # somebody else's file has the name, or nothing can be written at all
        pass
    return _folder_of_this_run()


def _folder_of_this_run() -> Path | None:
    import atexit
    import shutil
    import tempfile

    try:
        folder = Path(tempfile.mkdtemp(prefix="hedgeflow-"))
    except OSError:
        return None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
