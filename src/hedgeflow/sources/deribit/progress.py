"""How far a download of Deribit's history is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class HistoryProgress:
    """Where a download is.

    Attributes
    ----------
    day : str
        The day at work.
    days_done, days : int
    trades : int
        Received for the day so far.
    waiting : str
        Why the next request waits; empty where it does not.
    """

    day: str
    days_done: int
    days: int
    trades: int = 0
    waiting: str = ""


class Told:
    """What was told of a download's progress, so that each change tells the whole."""

    def __init__(self, days: int, tell: Callable[[HistoryProgress], object] | None) -> None:
        self._now = HistoryProgress("", 0, days)
        self._tell = tell

    @property
    def days(self) -> int:
        """How many days there are to do."""
        return self._now.days

    def begins(self, day: str, days_done: int) -> None:
        """Tell that a day begins, or, with no day, that all are done."""
        self._change(HistoryProgress(day, days_done, self.days))

    def receives(self, trades: int) -> None:
        """Tell that trades came."""
        self._change(replace(self._now, trades=self._now.trades + trades, waiting=""))

    def waits(self, reason: str, seconds: float) -> None:
        """Tell why the next request waits, and how long."""
        self._change(replace(self._now, waiting=f"{reason}; again in {seconds:.0f} s"))

    def _change(self, now: HistoryProgress) -> None:
        self._now = now
        if self._tell is not None:
            self._tell(now)
