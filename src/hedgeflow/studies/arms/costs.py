"""The record at other costs: what fees, spreads and slippage take (evidence.md 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hedgeflow.evidence import Arm, ArmGroup

if TYPE_CHECKING:
    from hedgeflow.replay import HedgeTape
    from hedgeflow.studies.arms.rerun import Rerun

MULTIPLES: Final = (0.0, 1.0, 2.0)
"""Times the costs of fee table, spread and slippage."""


def cost_arms(rerun: Rerun) -> list[Arm]:
    """Return the run at no costs, at its own, at those of the tables and at twice those.

    Costs change which trades are taken where limits depend on the account, so each is a replay.
    Where fills are at quotes the spread is in them: the quotes then move towards the middle or
    away from it by the same multiple.
    """
    own = rerun.config.costs.cost_multiple
    arms: list[Arm] = []
    for multiple in sorted({*MULTIPLES, own}):
        tape, note = rerun.result.tape, ""
        if own > 0.0 and multiple != own and tape.quoted:
            tape = spread_times(tape, multiple / own)
            note = "Fills are at the quotes, so the quoted spread was scaled about its middle."
        config = rerun.changed({"costs": {"cost_multiple": multiple}})
        trades = rerun.own if multiple == own else rerun.trades(config=config, tape=tape)
        words = f"at {multiple:g} times the costs" if multiple else "without any costs"
        arms.append(
            rerun.arm(
                ArmGroup.COST,
                f"{multiple:g}x",
                words,
                multiple,
                trades,
                reference=multiple == own,
                note=note,
            )
        )
    return arms


def spread_times(tape: HedgeTape, multiple: float) -> HedgeTape:
    """Return a tape whose quotes are so many times as far from their middle."""
    ticks = tape.ticks
    if ticks is None:
        return tape
    middle = (ticks.bid + ticks.ask) / 2.0
    half = multiple * (ticks.ask - ticks.bid) / 2.0
    return replace(tape, ticks=ticks._replace(bid=middle - half, ask=middle + half))
