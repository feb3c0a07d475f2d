"""Whether a run used what it could not know, as a package states it (evidence.md 3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows of one table that were known by a cut, in the run and under a poisoned future.

    Attributes
    ----------
    table : str
        Its name.
    rows : int
        How many were compared.
    """

    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class LeakageCut:
    """What became of the past when everything after an instant was changed.

    Attributes
    ----------
    at : str
        The instant, ISO 8601, UTC.
    compared : tuple of Compared
        What was compared, table by table.
    difference : str
        The earliest row that differs and how; empty where all are the same.
    """

    at: str
    compared: tuple[Compared, ...]
    difference: str


@dataclass(frozen=True, slots=True)
class Leakage:
    """The leakage test of a run.

    Attributes
    ----------
    passed : bool
        No cut has a difference.
    words : str
        What was done and found.
    cuts : tuple of LeakageCut
        Every instant that was tried.
    """

    passed: bool
    words: str
    cuts: tuple[LeakageCut, ...]
