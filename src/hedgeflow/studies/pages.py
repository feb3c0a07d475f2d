"""Pages of Markdown that commands write: each replaces only what the same command wrote before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.market.errors import DataError
from hedgeflow.market.transactions import replace_text

if TYPE_CHECKING:
    from pathlib import Path


def check_page(path: Path, mark: str) -> None:
    """Refuse a path at which no page can be written.

    Parameters
    ----------
    path : Path
    mark : str
        What every page of the command begins with.

    Raises
    ------
    DataError
        The path is a folder, or a file that begins otherwise.
    """
    if path.is_dir():
        raise DataError("this is a folder", where=str(path), hint="Name a file, as in page.md")
    if path.exists() and not path.read_bytes().startswith(mark.encode()):
        raise DataError(
            "there is another file, which is left alone", where=str(path), hint="Name a new file"
        )


def write_page(path: Path, text: str, mark: str) -> None:
    """Write a page whole, in the place of an earlier one if there is one.

    Raises
    ------
    DataError
        As `check_page`.
    """
    check_page(path, mark)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, text)
