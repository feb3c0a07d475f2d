"""Everything that decides a scan's result, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.signals.implied_move import MoveRules
    from hedgeflow.signals.rules import BaselineRules, PrintRules


@dataclass(frozen=True, slots=True)
class ThresholdRules:
    """When pressure is an alert: fixed, or a quantile of past events (precise.md 20)."""

    fixed: float
    quantile: float | None
    events_needed: int
    sessions: int


@dataclass(frozen=True, slots=True)
class ScanRules:
    """Everything that decides a scan's result.

    Attributes
    ----------
    prints : PrintRules
    baselines : BaselineRules
    shock : ndarray of shape (1,), `SHOCK_PARAMS`
    windows_ns : tuple of int
        Ascending.
    threshold : ThresholdRules
    move : MoveRules
    reference_demand : float or None
        D' = reference_demand x D / V5; None for absolute demand.
    """

    prints: PrintRules
    baselines: BaselineRules
    shock: NDArray[Any]
    windows_ns: tuple[int, ...]
    threshold: ThresholdRules
    move: MoveRules
    reference_demand: float | None
