"""The edge against our own size, through the square-root impact model (evidence.md 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.evidence import Arm, ArmGroup
from hedgeflow.strategies.volume_shock.plan import square_root_impact
from hedgeflow.studies.arms.days import session_bars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.studies.arms.rerun import Rerun

SIZES: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Times our size."""
BPS: Final = 1e4
NOTE: Final = (
    "From the recorded trades, not replayed: each side pays the whole temporary impact"
    " Y·σ·√(Q/V), volatility σ and volume V of a bar of the hedge instrument in the trade's own"
    " session; limits and exits stay as they were."
)


def capacity_arms(rerun: Rerun) -> list[Arm]:
    """Return the run's trades at multiples of their size, each side paying its own impact.

    Notes
    -----
    Impact is Y·σ·√(Q/V) with σ and V over one horizon, whichever: both grow with time so that it
    cancels. B. Tóth et al., *Physical Review X* 1 (2011) 021006; the average fill pays about two
    thirds of it, so that the whole is charged on the safe side.
    """
    trades = rerun.own
    impact = impact_bps(rerun, trades)
    if impact is None:
        return []
    notional = trades["units"] * trades["entry_price"]
    arms: list[Arm] = []
    for size in SIZES:
        bps = trades["net_bps"] - pl.Series(2.0 * np.sqrt(size) * impact)
        larger = trades.with_columns(net_bps=bps, net_usd=bps / BPS * notional * size)
        words = f"at {size:g} times our size"
        note = "" if arms else NOTE
        arms.append(rerun.arm(ArmGroup.CAPACITY, f"{size:g}x", words, size, larger, note=note))
    return arms


def impact_bps(rerun: Rerun, trades: pl.DataFrame) -> NDArray[np.float64] | None:
    """Return the impact of each trade's own size, basis points a side.

    None where no session has volume and volatility; a trade in a session without takes the
    medians of the others.
    """
    days = session_bars(rerun.market)
    joined = trades.select("session", "units").join(
        days, on="session", how="left", maintain_order="left"
    )
    median = days.filter(pl.col("volume") > 0.0)
    if median["variance"].drop_nulls().is_empty():
        return None
    usable = (pl.col("volume") > 0.0) & pl.col("variance").is_not_null()
    filled = joined.with_columns(
        volume=pl.when(usable).then(pl.col("volume")).otherwise(median["volume"].median()),
        variance=pl.when(usable).then(pl.col("variance")).otherwise(median["variance"].median()),
    )
    coefficient = rerun.config.plan.impact_coefficient
    return np.array(
        [
            BPS * square_root_impact(coefficient, float(np.sqrt(variance)), units, volume)
            for units, volume, variance in filled.select("units", "volume", "variance").rows()
        ]
    )
