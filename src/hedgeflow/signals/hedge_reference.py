"""The hedge instrument as a scan may ask of it: a protocol, and its answer for a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.signals.response import CalibratedResponse


@dataclass(frozen=True, slots=True)
class SessionReference:
    """What a session knows of the hedge instrument at its start.

    Attributes
    ----------
    scale_volume : float or None
        V5 times the configured scale, underlying units; None for NO_SCALE.
    response : CalibratedResponse or None
        None where the tiers apply.
    """

    scale_volume: float | None
    response: CalibratedResponse | None


class HedgeReference(Protocol):
    """The hedge instrument as a scan may see it."""

    def session(self, open_ns: int, closed_events: NDArray[Any]) -> SessionReference:
        """Return what was known when a session opened."""
        ...

    def realised_volatility(self, now: int) -> float | None:
        """Return the annual volatility of the last 24 h of trading known at `now`."""
        ...
