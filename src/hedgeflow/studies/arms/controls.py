"""Each risk control switched off, alone: what it cost and what it saved (evidence.md 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.evidence import Arm, ArmGroup

if TYPE_CHECKING:
    from hedgeflow.studies.arms.rerun import Rerun

NEVER_BOUND: Final = "Never bound: identical trades."
NEED_A_CALENDAR: Final = frozenset({"earnings_hours", "release_minutes"})
SAME_SIZE: Final = 0.01
"""Sizes whose mean differs by less than this share count as the same."""


def control_arms(rerun: Rerun) -> list[Arm]:
    """Return the run without each of the controls that the strategy declares.

    What an arm earned less than the run, the control saved; what it earned more, the control cost.
    """
    own = rerun.own
    arms: list[Arm] = []
    for control in rerun.study.declaration.controls:
        settings = {name for values in control.off.values() for name in values}
        if rerun.calendar is None and settings <= NEED_A_CALENDAR:
            trades, note = own, f"{NEVER_BOUND} No calendar was given."
        else:
            trades = rerun.trades(config=rerun.changed(control.off))
            note = NEVER_BOUND if trades.equals(own) else _other_sizes(trades, own)
        arms.append(
            rerun.arm(
                ArmGroup.RISK_CONTROL,
                control.id,
                f"switched off: {control.words}",
                None,
                trades,
                note=note,
            )
        )
    return arms


def _other_sizes(trades: pl.DataFrame, own: pl.DataFrame) -> str:
    """Say how much larger trades are on average, and what they had earned at the run's own size."""
    turnover = pl.col("units") * pl.col("entry_price")
    mine, theirs = (each.select(turnover.mean()).item() for each in (trades, own))
    if mine is None or not theirs or abs(mine / theirs - 1.0) < SAME_SIZE:
        return ""
    net = float(trades["net_usd"].sum()) * theirs / mine
    return (
        f"Trades are on average {mine / theirs:.2f} times as large as the run's; at its average"
        f" size they had earned {net:+,.0f} USD."
    )
