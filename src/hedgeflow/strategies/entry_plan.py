"""An entry plan: what a strategy wants to do about an alert, before any limit of risk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EntryPlan:
    """What an alert asks for, in prices of the hedge instrument.

    Attributes
    ----------
    alert_id : str
    event_id : int
    underlying, instrument, flow_class, urgency : str
    direction : int
        +1 buys the hedge instrument, -1 sells it.
    size_contracts : float
        Standard contracts, before caps and before rounding to the lot.
    reference_price : float
        The price known when the plan was made; the fill may differ.
    target_distance, stop_distance : float
        Price units from the fill, positive.
    limit_minutes : float
    point : float
        Price units in one source point.
    """

    alert_id: str
    event_id: int
    underlying: str
    instrument: str
    flow_class: str
    urgency: str
    direction: int
    size_contracts: float
    reference_price: float
    target_distance: float
    stop_distance: float
    limit_minutes: float
    point: float

    @property
    def target(self) -> float:
        """The target as planned from the reference price: always on the profit side."""
        return self.reference_price + self.direction * self.target_distance

    @property
    def stop(self) -> float:
        """The stop as planned from the reference price: always on the loss side."""
        return self.reference_price - self.direction * self.stop_distance
