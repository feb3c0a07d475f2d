"""Every arm of a run, group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.studies.arms.capacity import capacity_arms
from hedgeflow.studies.arms.controls import control_arms
from hedgeflow.studies.arms.costs import cost_arms
from hedgeflow.studies.arms.latency import latency_arms
from hedgeflow.studies.arms.stress import stress_arms

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.evidence import Arm
    from hedgeflow.studies.arms.rerun import Rerun


def own_arms(rerun: Rerun) -> list[Arm]:
    """Return the arms that only the run's strategy has, its placebos among them."""
    return rerun.study.arms(rerun, rerun.config)


GROUPS: Final[tuple[Callable[[Rerun], list[Arm]], ...]] = (
    cost_arms,
    latency_arms,
    own_arms,
    control_arms,
    stress_arms,
    capacity_arms,
)


def arms_of(rerun: Rerun) -> list[Arm]:
    """Return every arm; none where the run has no trades to set beside them."""
    if rerun.result.trades.is_empty():
        return []
    return [arm for group in GROUPS for arm in group(rerun)]
