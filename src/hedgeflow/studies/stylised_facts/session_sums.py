"""Sums kept by session, and the facts that are functions of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.studies.stylised_facts.estimators import quietly, standard_error
from hedgeflow.studies.stylised_facts.records import Fact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.studies.stylised_facts.estimators import Floats, Statistic
    from hedgeflow.studies.stylised_facts.records import Definition

LEAST_OBSERVATIONS: Final = 100
"""Fewer tell nothing of a distribution or of dependence."""

_PERCENT: Final = float(np.log(1.01))


@dataclass(slots=True)
class SessionSums:
    """Sums of each session by name, in the order of time."""

    _kept: dict[str, list[Floats]] = field(default_factory=dict[str, "list[Floats]"])

    def add(self, name: str, sums: Floats) -> None:
        """Keep the sums of one session; all of one name have one shape."""
        self._kept.setdefault(name, []).append(np.asarray(sums, dtype=np.float64))

    def sessions(self, name: str) -> int:
        """Return how many sessions have sums of a name."""
        return len(self._kept.get(name, []))

    def table(self, name: str) -> Floats:
        """Return the sums of a name, sessions first."""
        return np.stack(self._kept[name])

    def total(self, name: str) -> Floats:
        """Return the sums of all sessions."""
        return self.table(name).sum(axis=0)

    def fact(
        self,
        definition: Definition,
        name: str,
        statistic: Statistic,
        *,
        reason: str = "",
        observations: int | None = None,
        least: int = LEAST_OBSERVATIONS,
        note: str = "",
    ) -> Fact:
        """Return a statistic of a name's sums with its standard error, or why there is none.

        Parameters
        ----------
        definition : Definition
        name : str
        statistic : callable
            As in `estimators`.
        reason : str
            Why it cannot be measured; empty where it can.
        observations : int, optional
            Place of the number of observations in the flattened sums; without it they are not
            counted.
        least : int
            Observations below which nothing is said.
        note : str
            What to know about the value.
        """
        if reason or not self._kept.get(name):
            return Fact.missing(definition, reason or "nothing was recorded")
        sums = self.table(name)
        if observations is not None:
            seen = int(sums.reshape(sums.shape[0], -1)[:, observations].sum())
            if seen < least:
                return Fact.missing(definition, f"too few observations ({seen:,})")
        return measured(definition, sums, statistic, note)


def measured(definition: Definition, sums: Floats, statistic: Statistic, note: str = "") -> Fact:
    """Return the fact that a statistic of sessions' sums is, or that it does not exist."""
    value = float(quietly(statistic, sums.sum(axis=0)))
    if not np.isfinite(value):
        return Fact.missing(definition, "not defined on these tapes")
    return Fact(definition, value, standard_error(sums, statistic), note)


@dataclass(slots=True)
class Histogram:
    """How often each value occurs, by session.

    Parameters
    ----------
    by_percent : bool
        Positive values are rounded to steps of one percent, so that there are few of them;
        negative ones count as zero.
    """

    by_percent: bool = False
    _sessions: list[tuple[Floats, Floats]] = field(default_factory=list["tuple[Floats, Floats]"])

    def add(self, values: Floats, weights: Floats | None = None) -> None:
        """Count a session's values, each as often as its weight says."""
        if self.by_percent:
            steps = np.round(np.log(np.where(values > 0.0, values, 1.0)) / _PERCENT)
            values = np.where(values > 0.0, np.exp(steps * _PERCENT), 0.0)
        distinct, place = np.unique(values, return_inverse=True)
        self._sessions.append(
            (distinct, np.bincount(place, weights=weights, minlength=distinct.size).astype(float))
        )

    def table(self) -> tuple[Floats, Floats]:
        """Return the distinct values, and their counts by session, (sessions, values)."""
        values = np.unique(np.concatenate([np.empty(0), *(each for each, _ in self._sessions)]))
        counts = np.zeros((len(self._sessions), values.size))
        for row, (distinct, times) in enumerate(self._sessions):
            counts[row, np.searchsorted(values, distinct)] = times
        return values, counts

    @property
    def observations(self) -> int:
        """Values that were counted."""
        return int(sum(times.sum() for _, times in self._sessions))


def pieces(values: Floats, stamps: NDArray[np.int64], step_ns: int) -> list[NDArray[np.float64]]:
    """Cut a series into stretches whose stamps follow each other by one step."""
    breaks = np.flatnonzero(np.diff(stamps) != step_ns) + 1
    return [piece for piece in np.split(values, breaks) if piece.size]
