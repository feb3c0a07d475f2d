"""The wildest days on their own, and the rest (evidence.md 3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.evidence import Arm, ArmGroup
from hedgeflow.studies.arms.days import session_bars

if TYPE_CHECKING:
    from hedgeflow.studies.arms.rerun import Rerun

SHARE: Final = 0.05
"""Of the sessions, at least one."""
NAMED: Final = 10
"""So many days are named."""


def stress_arms(rerun: Rerun) -> list[Arm]:
    """Return the run's trades on the most volatile twentieth of its sessions, and on the others.

    Volatility is realised: the root of the mean squared return of the hedge instrument's bars.
    """
    days = session_bars(rerun.market).filter(
        pl.col("session").is_in(rerun.sessions) & pl.col("variance").is_not_null()
    )
    if days.is_empty():
        return []
    count = max(1, math.ceil(SHARE * days.height))
    ranked = days.sort("variance", "session", descending=[True, False])
    wild = tuple(sorted(ranked["session"][:count].to_list()))
    calm = tuple(sorted(set(rerun.sessions) - set(wild)))
    minutes = rerun.market.bars_key.resolution_ns / 60e9
    yearly = math.sqrt(rerun.market.sessions.minutes_per_year / minutes)
    variances = ranked["variance"].to_numpy()
    least, middle = (
        100.0 * yearly * math.sqrt(value)
        for value in (float(variances[count - 1]), float(np.median(variances)))
    )
    named = ", ".join(wild[:NAMED]) + (f" and {count - NAMED} more" if count > NAMED else "")
    note = (
        f"{named}: realised volatility of at least {least:.0f} % a year, against a median of"
        f" {middle:.0f} %."
    )
    own = rerun.own

    def part(name: str, words: str, dates: tuple[str, ...], note: str) -> Arm:
        trades = own.filter(pl.col("session").is_in(dates))
        return rerun.arm(ArmGroup.STRESS, name, words, None, trades, sessions=dates, note=note)

    share = f"the most volatile {100 * SHARE:g} % of sessions ({count} of {days.height})"
    return [
        part("wild", share, wild, note),
        part("rest", "the other sessions", calm, ""),
    ]
