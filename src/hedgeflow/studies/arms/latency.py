"""The same alerts acted on later: what a second or ten minutes of delay cost (evidence.md 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.evidence import Arm, ArmGroup
from hedgeflow.market.time import SECOND_NS

if TYPE_CHECKING:
    from hedgeflow.studies.arms.rerun import Rerun

DELAYS_SECONDS: Final = (0, 1, 5, 15, 30, 60, 120, 180, 300, 600)
"""Added to the run's own latency."""


def latency_arms(rerun: Rerun) -> list[Arm]:
    """Return the run with every alert detected later, by the same delay.

    The delay is given, not observed: it cannot depend on what an alert is worth. The decision is
    made late too, on what is known then; exits react as fast as ever. The age limit counts from
    the late detection, and so never forbids an entry for its delay.
    """
    arms: list[Arm] = []
    entries: dict[str, int] = {}
    shared = 0
    for delay in DELAYS_SECONDS:
        late = rerun.result.alerts.with_columns(pl.col("detected_ns") + delay * SECOND_NS)
        trades = rerun.trades(alerts=late) if delay else rerun.own
        trades = trades.with_columns(pl.col("age_seconds") + float(delay))
        fills = dict(trades.select("alert_id", "entry_ns").iter_rows())
        notes: list[str] = []
        if delay and fills == entries:
            notes.append(f"The fills are those at {shared} s: the tape cannot tell them apart.")
        else:
            entries, shared = fills, delay
        if delay:
            notes.append("The age limit was lifted by the delay.")
        arms.append(
            rerun.arm(
                ArmGroup.LATENCY,
                f"{delay}s",
                f"every alert {_words(delay)} later" if delay else "as it was run",
                float(delay),
                trades,
                reference=delay == 0,
                note=" ".join(notes),
            )
        )
    return arms


def _words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"
