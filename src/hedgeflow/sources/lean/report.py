"""What became of every file of a Lean folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.sources.report import ImportReport


class NotUsed(Exception):  # noqa: N818 - nothing is wrong with the file: no tape can be made of it
    """A file is sound and no tape can be made of it; the message says why."""


class Outcome(StrEnum):
    """What became of a file."""

    IMPORTED = "imported"
    NOT_USED = "not used"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Portion:
    """What of one file went into one tape; rows read = kept + rejected + repeats.

    Attributes
    ----------
    import_id : str
    key : TapeKey
    read, kept, repeats : int
    rejected : dict of str to int
        Rows by reason.
    """

    import_id: str
    key: TapeKey
    read: int
    kept: int
    repeats: int
    rejected: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file.

    Attributes
    ----------
    path : str
        Below the Lean folder, with forward slashes.
    outcome : Outcome
    reason : str
        Why it was not used or refused; empty where it was imported.
    portions : tuple of Portion
        The tapes that it went into.
    empty : int
        Rows that carry nothing for a tape, such as quotes without a side.
    """

    path: str
    outcome: Outcome
    reason: str = ""
    portions: tuple[Portion, ...] = ()
    empty: int = 0

    @property
    def read(self) -> int:
        """Rows read for a tape: kept, rejected, repeated or empty."""
        return self.empty + sum(each.read for each in self.portions)

    @property
    def kept(self) -> int:
        """Rows kept over all of its tapes."""
        return sum(each.kept for each in self.portions)

    @property
    def repeats(self) -> int:
        """Rows that a tape held already."""
        return sum(each.repeats for each in self.portions)

    @property
    def rejected(self) -> dict[str, int]:
        """Rejected rows by reason."""
        return dict(_summed(self.portions))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of tape that it went into."""
        return tuple(sorted({str(each.key.kind) for each in self.portions}))


@dataclass(frozen=True, slots=True)
class LeanReport:
    """What an import of a Lean folder did; files = imported + not used + refused.

    Attributes
    ----------
    folder : str
        Name of the folder.
    files : tuple of FileReport
        Every file, in the order of their paths.
    imports : tuple of ImportReport
    notes : tuple of str
        What was assumed, one sentence each.
    """

    folder: str
    files: tuple[FileReport, ...]
    imports: tuple[ImportReport, ...]
    notes: tuple[str, ...]

    def count(self, outcome: Outcome) -> int:
        """Return the number of files with an outcome."""
        return sum(each.outcome is outcome for each in self.files)

    @property
    def read(self) -> int:
        """Rows read = kept + rejected + repeats + empty."""
        return sum(each.read for each in self.files)

    @property
    def kept(self) -> int:
        """Rows kept over all files."""
        return sum(each.kept for each in self.files)

    @property
    def repeats(self) -> int:
        """Rows that a tape held already, over all files."""
        return sum(each.repeats for each in self.files)

    @property
    def empty(self) -> int:
        """Rows that carry nothing for a tape, over all files."""
        return sum(each.empty for each in self.files)

    @property
    def rejected(self) -> dict[str, int]:
        """Rejected rows by reason, over all files."""
        return dict(_summed(tuple(part for each in self.files for part in each.portions)))


def _summed(portions: tuple[Portion, ...]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in portions:
        total.update(each.rejected)
    return total
