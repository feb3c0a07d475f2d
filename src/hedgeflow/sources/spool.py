"""What was downloaded and is not used yet, kept so that a download resumes where it ended.

Each answer is one file, named after its request, that begins with the SHA-256 of what follows. It
is written aside and renamed, so that it is there whole or not at all; one that was damaged later
counts as missing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from hedgeflow.market.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

SUFFIX: Final = ".answer"
NAME_DIGITS: Final = 32
DIGEST_DIGITS: Final = 64


class Spool:
    """A folder of answers by request.

    Parameters
    ----------
    folder : pathlib.Path
        Made with the first answer.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __len__(self) -> int:
        return sum(1 for _ in self.folder.glob(f"*{SUFFIX}"))

    def read(self, request: str) -> bytes | None:
        """Return the answer to a request, or None where there is none that is whole."""
        try:
            content = self._path(request).read_bytes()
        except FileNotFoundError:
            return None
        digest, body = content[:DIGEST_DIGITS], content[DIGEST_DIGITS:]
        return body if _digest(body) == digest else None

    def keep(self, request: str, body: bytes) -> None:
        """Keep the answer to a request, on disk when this returns.

        Raises
        ------
        CatalogError
            It cannot be written.
        """
        path = self._path(request)
        aside = path.with_suffix(".part")
        try:
            with keeping(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                with aside.open("wb") as file:
                    file.write(_digest(body) + body)
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(path)
        except CatalogError:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise

    def clear(self) -> None:
        """Remove every answer, and the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, request: str) -> Path:
        name = hashlib.sha256(request.encode()).hexdigest()[:NAME_DIGITS]
        return self.folder / f"{name}{SUFFIX}"


@contextmanager
def keeping(folder: Path) -> Generator[None]:
    """Make a refusal of what keeps a download from being written.

    Raises
    ------
    CatalogError
        The disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as cause:
        raise CatalogError(
            f"what was downloaded cannot be kept ({cause.strerror or cause})",
            where=str(folder),
            hint="What was kept before stays; check disk and permissions, then the same"
            " command goes on from there",
        ) from cause


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
