"""How much of a predicted hedge is done so far, as it could be seen at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.time import HOUR_NS, SECOND_NS
from hedgeflow.signals.hedge_response import same_minutes_before

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hedgeflow.signals.hedge_response import ObservationRules, SignedFlow


FOLLOWED_NS: Final = 2 * HOUR_NS
"""An event's hedge is followed for so long at most."""


@dataclass(frozen=True, slots=True)
class HedgeDone:
    """When a share of a predicted hedge was seen to be done.

    Attributes
    ----------
    at_ns : int
        UTC nanoseconds.
    share : float
        What was done by then; 1 is all that was predicted.
    """

    at_ns: int
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class HedgeProgress:
    """The share of each event's predicted hedge already done (volume-shock.md 8).

    Attributes
    ----------
    flow : SignedFlow
        Of the hedge instrument.
    rules : ObservationRules
    began_ns : mapping of int to int
        First anomaly of each event, from which its hedge is counted.
    known_after_ns : int
        Longest time from a trade to its being known.
    """

    flow: SignedFlow
    rules: ObservationRules
    began_ns: Mapping[int, int]
    known_after_ns: int = 0

    def done(
        self, event: int, predicted: float, *, after_ns: int, until_ns: int, share: float
    ) -> HedgeDone | None:
        """Return when `share` was first seen to be done, from one instant to another.

        None where it was not, where flow is not recorded, where the event lies further back than
        an event is followed, or where fewer earlier sessions than
        `fewest_placebos` say what flow is usual at these minutes. Ordinary flow swings both ways,
        and its swings count: a small hedge may seem done, or undone, by them.

        Look-ahead: the share at an instant counts trades known by then; what is usual comes from
        earlier sessions.

        Parameters
        ----------
        event : int
        predicted : float
            Signed hedge, underlying units.
        after_ns, until_ns : int
            UTC nanoseconds, both included.
        share : float
        """
        began = self.began_ns.get(event)
        if began is None or predicted == 0.0 or until_ns - began > FOLLOWED_NS:
            return None
        seen = self.shares(began, predicted, until_ns)
        if seen is None:
            return None
        at_ns, shares = seen
        reached = np.flatnonzero((shares >= share) & (at_ns >= after_ns) & (at_ns <= until_ns))
        if not reached.size:
            return None
        first = int(reached[0])
        return HedgeDone(int(at_ns[first]), float(shares[first]))

    def shares(
        self, began_ns: int, predicted: float, until_ns: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Return the share done at every second, and when each was known; None as in `done`."""
        seconds = -(-(until_ns - began_ns) // SECOND_NS)
        if seconds < 1:
            return None
        earlier = same_minutes_before(
            self.flow.sessions, began_ns, self.rules.placebo_sessions, self.flow.coverage
        )
        usual = [path for at in earlier if (path := self.flow.path(at, seconds)) is not None]
        path = self.flow.path_so_far(began_ns, seconds)
        if path is None or len(usual) < self.rules.fewest_placebos:
            return None
        done = (path - np.mean(usual, axis=0)[: path.size]) / predicted
        first_ns = self.flow.first_ns + -(-(began_ns - self.flow.first_ns) // SECOND_NS) * SECOND_NS
        at_ns = first_ns + np.arange(path.size, dtype=np.int64) * SECOND_NS + self.known_after_ns
        return at_ns, done
