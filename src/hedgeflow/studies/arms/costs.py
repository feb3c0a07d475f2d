"""The record at other costs: what fees, spreads and slippage take (evidence.md 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.evidence import Arm, ArmGroup

if TYPE_CHECKING:
    from hedgeflow.studies.arms.rerun import Rerun

MULTIPLES: Final = (0.0, 1.0, 2.0)
"""Times the costs that the run was charged."""


def cost_arms(rerun: Rerun) -> list[Arm]:
    """Return the run at no costs, at its own and at twice its own.

    Costs change which trades are taken where limits depend on the account, so each is a replay.
    """
    own = rerun.config.costs.cost_multiple
    return [
        rerun.arm(
            ArmGroup.COST,
            f"{multiple:g}x",
            "without any costs" if multiple == 0.0 else f"at {multiple:g} times the costs charged",
            multiple,
            rerun.trades(config=rerun.changed({"costs": {"cost_multiple": multiple * own}})),
            reference=multiple == 1.0,
        )
        for multiple in MULTIPLES
    ]
