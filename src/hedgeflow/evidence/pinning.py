"""Does the price pin: closes beside strikes, and the last move beside dealers' gamma."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from hedgeflow.evidence.day_labels import PULL_BPS, mean_of_days
from hedgeflow.evidence.differences import holm
from hedgeflow.evidence.estimates import Estimate, Measure
from hedgeflow.evidence.expiry_tables import CYCLES, fresh_closes
from hedgeflow.evidence.gamma_drift import GammaDrift, gamma_drift
from hedgeflow.evidence.strike_tests import StrikeTest, heaviest_test, nearest_test
from hedgeflow.evidence.tables import EvidenceTables

BINS = 8
"""Of the picture, from a strike to half-way between two."""


@dataclass(frozen=True, slots=True)
class DistanceBin:
    """Closes at about one distance from their nearest strike.

    Attributes
    ----------
    lower, upper : float
        Distance from, and up to, in spacings.
    expiry_days, control_days : int
        Closes at that distance, each underlying's own.
    """

    lower: float
    upper: float
    expiry_days: int
    control_days: int


@dataclass(frozen=True, slots=True)
class CycleDistance:
    """The closes of one kind of expiry.

    Attributes
    ----------
    cycle : str
        ``daily``, ``weekly``, ``monthly`` or ``quarterly``.
    distance : Estimate
        Mean distance of the close from its nearest strike, spacings.
    """

    cycle: str
    distance: Estimate


@dataclass(frozen=True, slots=True)
class Pinning:
    """Whether prices are drawn to strikes, or driven from them, as options expire.

    Attributes
    ----------
    nearest, heaviest : StrikeTest
        Closes beside the nearest strike, and beside the one with the most open interest.
    drift : GammaDrift
        Whether prices move towards the strike where dealers are long gamma, and away where short.
    distances : tuple of DistanceBin
        How closes lie between strikes.
    cycles : tuple of CycleDistance
        By kind of expiry.
    tests : int
        Tests that Holm's correction runs over: those of expiries that could be made.
    """

    nearest: StrikeTest
    heaviest: StrikeTest
    drift: GammaDrift
    distances: tuple[DistanceBin, ...]
    cycles: tuple[CycleDistance, ...]
    tests: int


def pinning(tables: EvidenceTables, *, seed: int) -> Pinning | None:
    """Test whether the price pins; None where the tables say nothing of expiries.

    Parameters
    ----------
    tables : EvidenceTables
        With `expiries`, and `expiry_prices` where prices before the close are known.
    seed : int
        Of labels, draws and signs.
    """
    expiries = tables.expiries
    if expiries is None:
        return None
    rows = between_strikes(expiries, tables.expiry_prices)
    count = expiries.filter("is_expiry")["date"].n_unique()
    none = "no close of an expiry day lies between two listed strikes at a known price"
    if not count:
        none = tables.expiries_missing
    nearest = nearest_test(rows, expiries=count, none=none, seed=seed)
    heaviest = heaviest_test(
        rows, expiries=count, none=none if not count else _without_weight(rows, none), seed=seed
    )
    drift = gamma_drift(tables, seed=seed)
    own = (
        nearest.p_value,
        nearest.share_p_value,
        heaviest.p_value,
        heaviest.share_p_value,
        drift.p_value,
    )
    known = [each.value for each in own if each.value is not None]
    corrected = iter(holm(known))
    after = [None if each.value is None else next(corrected) for each in own]
    return Pinning(
        replace(nearest, p_value_holm=after[0], share_p_value_holm=after[1]),
        replace(heaviest, p_value_holm=after[2], share_p_value_holm=after[3]),
        replace(drift, p_value_holm=after[4]),
        _bins(rows),
        _cycles(rows),
        len(known),
    )


def pinning_measures(found: Pinning | None) -> dict[tuple[str, str], Measure]:
    """Return what claims can name of pinning; nothing where nothing is said of expiries."""
    if found is None:
        return {}
    measures: dict[tuple[str, str], Measure] = {}
    for name, test in (("pinning", found.nearest), ("pinning_heaviest", found.heaviest)):
        size = test.expiry_days
        measures |= _p_values(name, test.p_value, test.p_value_holm, size, test.smallest)
        measures |= _p_values(
            f"{name}_share", test.share_p_value, test.share_p_value_holm, size, test.smallest
        )
        measures[f"{name}_distance_difference", ""] = Measure(test.difference, size)
    drift = found.drift
    measures |= _p_values(
        "gamma_drift", drift.p_value, drift.p_value_holm, drift.compared_days, drift.smallest
    )
    measures["gamma_drift_bps", ""] = Measure(drift.slope_bps, drift.compared_days)
    return measures


def _p_values(
    name: str, own: Estimate, corrected: float | None, size: int, smallest: float
) -> dict[tuple[str, str], Measure]:
    after = own
    if corrected is not None:
        after = replace(own, value=corrected, method=f"{own.method}, Holm")
    return {
        (f"{name}_p_value", ""): Measure(own, size, exact=True, smallest=smallest),
        (f"{name}_holm_p_value", ""): Measure(after, size, exact=True, smallest=smallest),
    }


def between_strikes(expiries: pl.DataFrame, prices: pl.DataFrame | None) -> pl.DataFrame:
    """Return the days whose close is known and lies between strikes, and how it lies there.

    Parameters
    ----------
    expiries : polars.DataFrame
    prices : polars.DataFrame, optional

    Returns
    -------
    polars.DataFrame
        With `spacing`; `nearest` and `heaviest`, the distances from those strikes, and `pull`, the
        published one, all in spacings; and `mark_price`, the price at the earliest mark.
    """
    spacing = pl.col("strike_above") - pl.col("strike_below")
    from_below = (pl.col("close") - pl.col("strike_below")) / spacing
    rows = (
        fresh_closes(expiries)
        .drop_nulls(["strike_below", "strike_above"])
        .with_columns(
            spacing=spacing,
            nearest=pl.min_horizontal(from_below, 1.0 - from_below),
            heaviest=(pl.col("close") - pl.col("heaviest_strike")).abs() / spacing,
            pull=1e-4 * PULL_BPS * pl.col("close") / spacing,
        )
    )
    if prices is None:
        return rows.with_columns(mark_price=pl.lit(None, pl.Float64))
    earliest = (
        prices.filter(pl.col("minutes_before") > 0.0)
        .sort("mark_minutes", descending=True)
        .unique(["underlying", "date"], keep="first", maintain_order=True)
        .select("underlying", "date", mark_price="price")
    )
    return rows.join(earliest, on=["underlying", "date"], how="left").sort("date", "underlying")


def _without_weight(rows: pl.DataFrame, none: str) -> str:
    known = rows.filter("is_expiry")
    if known.is_empty() or not known["heaviest_strike"].is_null().all():
        return none
    return "no open interest was known before the close on any expiry day"


def _bins(rows: pl.DataFrame) -> tuple[DistanceBin, ...]:
    edges = np.linspace(0.0, 0.5, BINS + 1)
    counts = [
        np.histogram(rows.filter(pl.col("is_expiry") == kind)["nearest"].to_numpy(), edges)[0]
        for kind in (True, False)
    ]
    return tuple(
        DistanceBin(
            float(edges[row]), float(edges[row + 1]), int(counts[0][row]), int(counts[1][row])
        )
        for row in range(BINS)
        if rows.height
    )


def _cycles(rows: pl.DataFrame) -> tuple[CycleDistance, ...]:
    by_date = (
        rows.filter("is_expiry")
        .group_by("cycle", "date")
        .agg(pl.col("nearest").mean())
        .sort("date")
    )
    return tuple(
        CycleDistance(cycle, mean_of_days(values, "no days"))
        for cycle in CYCLES
        for values in (
            by_date.filter(pl.col("cycle") == cycle)["nearest"].to_numpy().astype(np.float64),
        )
        if values.size
    )
