"""All or nothing: an import is written aside, renamed once, then moved to its place.

An import is written into ``.staging-<id>``. Renaming that folder to ``.committed-<id>`` is the
commit; its parts are then moved, its manifest last, so that whoever sees the manifest finds the
parts. Opening the catalog finishes moves that were cut off and removes what never committed.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final, TextIO

from hedgeflow.market.errors import CatalogError
from hedgeflow.market.layout import COMMITTED, IMPORTS, LOCK, MARKER, STAGING, file_sha256
from hedgeflow.market.manifests import Import, Manifest, Part

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    import polars as pl


SEPARATOR: Final = "+"
"""Stands for the slash in the names of staged files; no path in a catalog contains it."""


class Staging:
    """The flat folder in which one import is written, each file named after its place."""

    def __init__(self, root: Path, new: Import) -> None:
        self.root = root
        self.id = new.id
        self.folder = root / f"{STAGING}{new.id}"
        self._metadata = {"simulated": "true"} if new.simulated else None
        self.folder.mkdir()

    def write(self, frame: pl.DataFrame, path: str, date: str = "") -> Part:
        """Write one Parquet file, to disk, and return its record."""
        target = self.folder / staged_name(path)
        frame.write_parquet(target, compression="zstd", metadata=self._metadata)
        _sync(target)
        return Part(path, file_sha256(target), frame.height, date)

    def commit(self, manifest: Manifest) -> None:
        """Make the import part of the catalog."""
        target = self.folder / staged_name(f"{IMPORTS}/{self.id}.json")
        target.write_text(manifest.to_json(), encoding="utf-8")
        _sync(target)
        committed = self.root / f"{COMMITTED}{self.id}"
        self.folder.rename(committed)
        _move_to_place(self.root, committed)


@contextmanager
def staging(root: Path, new: Import) -> Generator[Staging]:
    """Give a staging folder; whatever happens inside, the catalog is whole afterwards."""
    recover(root)
    try:
        yield Staging(root, new)
    finally:
        recover(root)


def recover(root: Path) -> None:
    """Finish moves that were cut off and remove what never committed; needs the lock."""
    for folder in sorted(root.glob(f"{COMMITTED}*")):
        _move_to_place(root, folder)
    for folder in root.glob(f"{STAGING}*"):
        shutil.rmtree(folder, ignore_errors=True)


def recover_if_free(root: Path) -> None:
    """Recover unless a writer is at work or the folder cannot be written.

    Raises
    ------
    CatalogError
        A commit that was cut off cannot be finished.
    """
    if not any(any(root.glob(f"{prefix}*")) for prefix in (COMMITTED, STAGING)):
        return
    try:
        with locked(root):
            recover(root)
    except (CatalogError, PermissionError):
        return
    except OSError as cause:
        raise CatalogError(
            f"an import that was cut off cannot be finished ({cause})",
            where=str(root),
            hint="Mend what is named and open the catalog again",
        ) from cause


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that readers see the old or the new one, never half."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    _sync(temporary)
    temporary.replace(path)


@contextmanager
def locked(root: Path, work: str = "import is writing to this catalog") -> Generator[None]:
    """Hold the write lock of a folder; the system lets go of it when the process ends.

    Parameters
    ----------
    root : pathlib.Path
        The catalog, or a folder in it that has a lock of its own.
    work : str
        What another holder of the lock is doing, for its message.

    Raises
    ------
    CatalogError
        Another process, or another writer of this one, holds it.
    """
    with _held(root / LOCK, work) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def _held(path: Path, work: str) -> Generator[TextIO]:
    """Give the lock file, locked; one that was removed between opening and locking is no lock."""
    while True:
        with path.open("a+", encoding="utf-8") as file:
            if not _try_lock(file):
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise CatalogError(
                    f"another {work} (process {holder})",
                    where=str(path.parent),
                    hint="Wait until it has finished, then try again",
                )
            if _is_in_place(file, path):
                yield file
                return


def _is_in_place(file: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def discard_empty(root: Path, folders: Sequence[Path]) -> None:
    """Remove what makes a folder a catalog, if nothing was written into it.

    Parameters
    ----------
    root : pathlib.Path
        The catalog; one that holds anything, or that another process uses, stays as it is.
    folders : sequence of pathlib.Path
        Those that were made for it, itself first; the empty ones are removed.
    """
    with suppress(CatalogError, OSError):
        with ExitStack() as held:
            held.enter_context(locked(root))
            files = {each for each in root.rglob("*") if not each.is_dir()}
            locks = {each for each in files if each.name == LOCK}
            if files - locks - {root / MARKER}:
                return
            for each in locks - {root / LOCK}:
                held.enter_context(locked(each.parent))
            (root / MARKER).unlink()
        for each in locks:
            each.unlink()
        inside = [each for each in root.rglob("*") if each.is_dir()]
        for folder in (*sorted(inside, reverse=True), *folders):
            folder.rmdir()


def staged_name(path: str) -> str:
    """Return the name that a file of the catalog has until it is in its place."""
    return path.replace("/", SEPARATOR)


def _move_to_place(root: Path, folder: Path) -> None:
    for path in sorted(folder.iterdir(), key=lambda path: (path.suffix == ".json", path)):
        target = root / path.name.replace(SEPARATOR, "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    _sync(root / IMPORTS)
    shutil.rmtree(folder)


def _sync(path: Path) -> None:
    """Force a file or folder to disk."""
    if sys.platform == "win32" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: TextIO) -> bool:
        try:
            file.seek(1 << 20)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: TextIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
