"""How far each prediction of a hedge was off: direction, magnitude, timing, and the score."""

from __future__ import annotations

import polars as pl


def scored(frame: pl.DataFrame) -> pl.DataFrame:
    """Return predictions with what was right and wrong about them (evidence.md 1).

    Adds `observed_direction`, `direction_right`, `magnitude_error`, `timing_error` and `score`.
    Errors are relative to the prediction and capped at 1; score = direction × (1 − magnitude
    error) × (1 − timing error). "No hedge observed" has the direction 0, which is wrong, a
    timing error of 1 and the score 0. Where `observed` is null it could not be told, and all five
    are null.

    Parameters
    ----------
    frame : polars.DataFrame
        `predicted` (signed, not 0) and `observed` hedge in one unit, `predicted_minutes` and
        `observed_minutes`, the last null where no hedge was observed.
    """
    predicted, observed = pl.col("predicted"), pl.col("observed")
    minutes = pl.col("predicted_minutes")
    hedged = pl.col("observed_minutes").is_not_null()
    told = observed.is_not_null()
    late = ((pl.col("observed_minutes") - minutes).abs() / minutes).fill_null(1.0)
    right = hedged & minutes.is_not_null() & (predicted.sign() == observed.sign())
    magnitude = ((observed - predicted).abs() / predicted.abs()).clip(0.0, 1.0)
    timing = late.clip(0.0, 1.0)
    nothing = pl.lit(None)
    return frame.with_columns(
        observed_direction=pl.when(told)
        .then(pl.when(hedged).then(observed.sign().cast(pl.Int64)).otherwise(0))
        .otherwise(nothing),
        direction_right=pl.when(told).then(right).otherwise(nothing),
        magnitude_error=magnitude,
        timing_error=pl.when(told).then(timing).otherwise(nothing),
    ).with_columns(
        score=pl.col("direction_right").cast(pl.Float64)
        * (1.0 - pl.col("magnitude_error"))
        * (1.0 - pl.col("timing_error"))
    )
