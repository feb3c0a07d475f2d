"""What a slice of a scan brings to light, and how the outputs of slices join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hedgeflow.signals.fold_state import FoldState

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ScanOutput:
    """What a slice brought to light.

    Attributes
    ----------
    anomalies, decisions, members, closes : structured ndarray
        See `hedgeflow.signals.rules`; a decision's members are members[member_from:member_to].
    volatility : ndarray of shape (decisions,), float64
        Annual volatility at each decision, NaN where none was known.
    volatility_source : tuple of str
        ``implied``, ``realised`` or ``none`` for each decision.
    scale_volume : ndarray of shape (decisions,), float64
        V5 in force, NaN under absolute demand.
    detected_ns : ndarray of shape (decisions,), int64
        When everything that a decision rests on was known (precise.md 2).
    """

    anomalies: NDArray[Any]
    decisions: NDArray[Any]
    members: NDArray[Any]
    closes: NDArray[Any]
    volatility: NDArray[np.float64]
    volatility_source: tuple[str, ...]
    scale_volume: NDArray[np.float64]
    detected_ns: NDArray[np.int64]


def empty_output() -> ScanOutput:
    """Return the output of a slice without prints."""
    empty = FoldState(np.array([1], np.int64)).take_outputs()
    nothing = np.empty(0)
    return ScanOutput(
        empty["anomalies"],
        empty["decisions"],
        empty["members"],
        empty["closes"],
        nothing,
        (),
        nothing,
        np.empty(0, np.int64),
    )


def joined(outputs: list[ScanOutput]) -> ScanOutput:
    """Return the outputs of consecutive slices as one; members keep belonging to decisions."""
    if not outputs:
        return empty_output()
    if len(outputs) == 1:
        return outputs[0]
    shift = 0
    for output in outputs:
        output.decisions["member_from"] += shift
        output.decisions["member_to"] += shift
        shift += output.members.size
    return ScanOutput(
        np.concatenate([output.anomalies for output in outputs]),
        np.concatenate([output.decisions for output in outputs]),
        np.concatenate([output.members for output in outputs]),
        np.concatenate([output.closes for output in outputs]),
        np.concatenate([output.volatility for output in outputs]),
        tuple(source for output in outputs for source in output.volatility_source),
        np.concatenate([output.scale_volume for output in outputs]),
        np.concatenate([output.detected_ns for output in outputs]),
    )
