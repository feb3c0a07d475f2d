"""What verdict each world got: how often VALIDATED, how often each gate, at what profit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.evidence import Status, Verdict
from hedgeflow.evidence.rates import exact_bounds
from hedgeflow.strategies.volume_shock.claims import GATES

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNIFICANT: Final = 0.01
"""Level of the significance gate."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some trials, with the exact 95 % interval of their rate."""

    count: int
    trials: int

    @property
    def rate(self) -> float:
        """The share itself."""
        return self.count / self.trials

    @property
    def bounds(self) -> tuple[float, float]:
        """Clopper–Pearson bounds, two-sided."""
        return exact_bounds(self.count, self.trials)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All trials of one world at one size of the effect.

    Attributes
    ----------
    world : str
    peak_bps : float
    trials : int
    fewest_trades, median_trades : int
        Of a trial.
    validated, source_validated, insufficient : Share
        Verdicts: ours, by the source's point rules, and INSUFFICIENT_DATA.
    gates : mapping of str to Share
        Trials in which each gate passed.
    significant : Share
        Trials whose p-value, the largest of those against the nulls, is below `SIGNIFICANT`.
    win_rate, barrier_rate, net_bps : float or None
        Over all trades of all trials; the barriers' rate over trials.
    """

    world: str
    peak_bps: float
    trials: int
    fewest_trades: int
    median_trades: int
    validated: Share
    source_validated: Share
    insufficient: Share
    gates: Mapping[str, Share]
    significant: Share
    win_rate: float | None
    barrier_rate: float | None
    net_bps: float | None


def share_of(rows: pl.DataFrame, hits: pl.Expr) -> Share:
    """Return in how many of some trials something holds; where it is not known, it does not."""
    return Share(int(rows.select(hits.fill_null(value=False).sum()).item()), rows.height)


def outcomes(table: pl.DataFrame) -> tuple[Outcome, ...]:
    """Return the outcome of each world and size, in the order of the results.

    Parameters
    ----------
    table : polars.DataFrame
        Results, see `Bench.schema`.
    """
    groups = table.group_by("world", "peak_bps", maintain_order=True)
    return tuple(_outcome(str(world), float(str(peak)), rows) for (world, peak), rows in groups)


def _outcome(world: str, peak_bps: float, rows: pl.DataFrame) -> Outcome:
    share = partial(share_of, rows)
    trades = int(rows["trades"].sum())
    return Outcome(
        world=world,
        peak_bps=peak_bps,
        trials=rows.height,
        fewest_trades=int(rows.select(pl.col("trades").min()).item()),
        median_trades=round(rows.select(pl.col("trades").median()).item()),
        validated=share(pl.col("verdict") == Verdict.VALIDATED),
        source_validated=share(pl.col("source_verdict") == Verdict.VALIDATED),
        insufficient=share(pl.col("verdict") == Verdict.INSUFFICIENT_DATA),
        gates={gate.id: share(pl.col(f"gate:{gate.id}") == Status.PASSED) for gate in GATES},
        significant=share(pl.col("p:mean") < SIGNIFICANT),
        win_rate=float(rows["sum:wins"].sum()) / trades if trades else None,
        barrier_rate=rows.select(pl.col("barrier_rate").mean()).item(),
        net_bps=float(rows["sum:net_bps"].sum()) / trades if trades else None,
    )
