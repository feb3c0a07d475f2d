"""Does the price move towards a strike where dealers are long gamma, and away where short."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from hedgeflow.evidence.day_labels import (
    DAYS_NEEDED,
    PULL_BPS,
    PublishedEffect,
    difference_of_days,
    mean_of_days,
    published_effect,
    untold_effect,
)
from hedgeflow.evidence.estimates import Estimate, FloatArray, missing
from hedgeflow.evidence.expiry_tables import fresh_closes
from hedgeflow.evidence.sign_flips import sign_flip_p_value, smallest_p_value
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.wording import counted

FIRST_CHOICE_MINUTES = 60
"""The mark that is tested where enough days have a price there, fixed before any data were seen;
else the next longer one that they have, else the longest."""
NEAR_SIGMAS = 2.0
"""Only days whose strike lies within so many expected moves of the price are tested: dealers'
gamma at a strike that will not be reached moves nothing."""
_EDGES = (0.0, 0.5, 1.0, NEAR_SIGMAS, math.inf)


@dataclass(frozen=True, slots=True)
class DriftAtMark:
    """The last move from one mark to the close.

    Attributes
    ----------
    mark_minutes : int
        Before the instant.
    minutes_before : float or None
        Median time from the prices to the instant, longer than the mark where the last snapshot
        was; None without days.
    days : int
        Expiry days with price, strike, dealer gamma and expected move, near enough.
    long_bps, short_bps : Estimate
        Mean move towards the strike in basis points, where dealers were long gamma at it, and where
        short.
    long_sigmas, short_sigmas : Estimate
        The same in expected moves.
    signed_bps, signed_sigmas : Estimate
        Towards the strike where they were long, away from it where short.
    """

    mark_minutes: int
    minutes_before: float | None
    days: int
    long_bps: Estimate
    short_bps: Estimate
    long_sigmas: Estimate
    short_sigmas: Estimate
    signed_bps: Estimate
    signed_sigmas: Estimate


@dataclass(frozen=True, slots=True)
class DriftAtDistance:
    """The last move by how far the strike was.

    Attributes
    ----------
    lower, upper : float or None
        Distance at the mark from, and up to, in expected moves; the last has no end.
    days : int
        Expiry days.
    signed_sigmas : Estimate
        Mean move with dealers' gamma, in expected moves.
    """

    lower: float
    upper: float | None
    days: int
    signed_sigmas: Estimate


@dataclass(frozen=True, slots=True)
class GammaDrift:
    """Whether the last move goes where dealers' gamma sends it.

    Attributes
    ----------
    mark_minutes : int or None
        The mark that is tested; None where none is known.
    minutes_before : float or None
        Median time from the prices there to the instant.
    days, left_out : int
        Expiry days tested, and those that lack a price, a strike, dealers' gamma or an expected
        move, or whose strike is too far.
    bases : dict of str to int
        On what dealers' gamma rests, and on how many of the days tested.
    signed_bps, signed_sigmas : Estimate
        Mean move towards the strike where dealers were long gamma at it, away from it where short.
    slope : Estimate
        Of the move towards the strike, in expected moves, on the sign of dealers' gamma: half the
        difference between long and short. Unlike the means above it is blind to whatever draws
        prices to strikes, or drives them from strikes, in either case.
    p_value : Estimate
        One-sided, of `signed_sigmas` above zero, signs flipped by day.
    p_value_holm : float or None
        After Holm over the tests of expiries.
    smallest : float
        The smallest p-value that so many days can give.
    published : PublishedEffect
        Whether so many days could show what is published.
    marks : tuple of DriftAtMark
        Every mark, whatever is tested.
    by_distance : tuple of DriftAtDistance
        At the tested mark.
    """

    mark_minutes: int | None
    minutes_before: float | None
    days: int
    left_out: int
    bases: dict[str, int]
    signed_bps: Estimate
    signed_sigmas: Estimate
    slope: Estimate
    p_value: Estimate
    p_value_holm: float | None
    smallest: float
    published: PublishedEffect
    marks: tuple[DriftAtMark, ...]
    by_distance: tuple[DriftAtDistance, ...]


def gamma_drift(tables: EvidenceTables, *, seed: int) -> GammaDrift:
    """Test whether prices move with dealers' gamma in the last minutes before an expiry.

    Without drift the last move is as likely towards the strike as away from it, however far it is,
    whatever dealers hold; so its sign may be flipped day by day.

    Parameters
    ----------
    tables : EvidenceTables
        With `expiries` and, where prices before the close are known, `expiry_prices`.
    seed : int
        Of the signs.

    Notes
    -----
    Dealers who are long gamma at a strike sell above it and buy below it: M. Avellaneda and M. D.
    Lipkin, *Quantitative Finance* 3 (2003) 417–425.
    """
    expiries = tables.expiries
    if expiries is None or expiries.is_empty():
        return _untested(tables.expiries_missing, 0, ())
    moves = _moves(expiries, tables.expiry_prices)
    of_expiries = expiries.filter("is_expiry")["date"].n_unique()
    marks = tuple(
        _at_mark(mark, moves.filter(pl.col("mark_minutes") == mark, pl.col("near")))
        for mark in sorted(moves["mark_minutes"].unique().to_list(), reverse=True)
    )
    if not marks:
        return _untested(_why_none(expiries, tables.expiry_prices), of_expiries, ())
    enough = [each.mark_minutes for each in marks if each.days >= DAYS_NEEDED]
    mark = _tested_mark(enough or [each.mark_minutes for each in marks])
    all_of_mark = moves.filter(pl.col("mark_minutes") == mark)
    rows = all_of_mark.filter("near")
    sigmas = _by_date(rows, "signed_sigmas")
    days = int(sigmas.size)
    if days < DAYS_NEEDED:
        reason = (
            f"{counted(days, 'expiry day')} with dealers’ gamma and a price {mark} min before, its"
            f" strike within {NEAR_SIGMAS:g} expected moves; the test needs {DAYS_NEEDED}"
        )
        return _untested(reason, of_expiries - days, marks, days)
    bps = _by_date(rows, "signed_bps")
    bases = rows.group_by("gamma_basis").agg(pl.col("date").n_unique()).sort("gamma_basis")
    return GammaDrift(
        mark,
        _median(rows["minutes_before"]),
        days,
        of_expiries - days,
        {str(name or "not stated"): int(count) for name, count in bases.iter_rows()},
        mean_of_days(bps, "no days"),
        mean_of_days(sigmas, "no days"),
        _slope(rows),
        sign_flip_p_value(sigmas, np.arange(days), seed=seed, sides="greater", none="no days"),
        None,
        smallest_p_value(days, "greater"),
        published_effect(PULL_BPS, bps),
        marks,
        tuple(
            _at_distance(all_of_mark, lower, upper) for lower, upper in itertools.pairwise(_EDGES)
        ),
    )


def _moves(expiries: pl.DataFrame, prices: pl.DataFrame | None) -> pl.DataFrame:
    """Return the move towards the strike from every mark of an expiry day, signed by gamma."""
    known = (
        fresh_closes(expiries)
        .filter("is_expiry")
        .drop_nulls(["heaviest_strike", "dealer_gamma"])
        .filter(pl.col("dealer_gamma") != 0.0)
    )
    empty = {"mark_minutes": pl.Int64, "near": pl.Boolean, "date": pl.String}
    if prices is None or prices.is_empty() or known.is_empty():
        return pl.DataFrame(schema=empty)
    side = (pl.col("heaviest_strike") - pl.col("price")).sign()
    towards = side * (pl.col("close") - pl.col("price"))
    return (
        known.join(prices, on=["underlying", "date"], how="inner")
        .filter(pl.col("expected_move") > 0.0, pl.col("minutes_before") > 0.0, side != 0.0)
        .with_columns(
            sign=pl.col("dealer_gamma").sign(),
            distance=(pl.col("heaviest_strike") - pl.col("price")).abs() / pl.col("expected_move"),
            bps=1e4 * towards / pl.col("price"),
            sigmas=towards / pl.col("expected_move"),
        )
        .with_columns(
            near=pl.col("distance") < NEAR_SIGMAS,
            signed_bps=pl.col("sign") * pl.col("bps"),
            signed_sigmas=pl.col("sign") * pl.col("sigmas"),
        )
        .sort("date", "underlying")
    )


def _tested_mark(marks: list[int]) -> int:
    longer = [mark for mark in marks if mark >= FIRST_CHOICE_MINUTES]
    return min(longer) if longer else max(marks)


def _at_mark(mark: int, rows: pl.DataFrame) -> DriftAtMark:
    long, short = rows.filter(pl.col("sign") > 0.0), rows.filter(pl.col("sign") < 0.0)
    return DriftAtMark(
        mark,
        _median(rows["minutes_before"]),
        rows["date"].n_unique(),
        *(
            mean_of_days(_by_date(part, unit), f"dealers were {name} gamma on no day")
            for unit in ("bps", "sigmas")
            for name, part in (("long", long), ("short", short))
        ),
        *(
            mean_of_days(_by_date(rows, f"signed_{unit}"), "no days near enough")
            for unit in ("bps", "sigmas")
        ),
    )


def _at_distance(rows: pl.DataFrame, lower: float, upper: float) -> DriftAtDistance:
    inside = rows.filter(pl.col("distance") >= lower, pl.col("distance") < upper)
    values = _by_date(inside, "signed_sigmas")
    end = upper if math.isfinite(upper) else None
    return DriftAtDistance(lower, end, int(values.size), mean_of_days(values, "no days"))


def _slope(rows: pl.DataFrame) -> Estimate:
    """Return half the difference of the move towards the strike between long and short days."""
    long, short = (_by_date(rows.filter(pl.col("sign") == sign), "sigmas") for sign in (1.0, -1.0))
    found = difference_of_days(long, short, "dealers’ gamma had one sign on every day")
    method = "least squares on the sign of dealers’ gamma, Welch’s errors"
    halves = (
        None if each is None else 0.5 * each for each in (found.value, found.lower, found.upper)
    )
    return Estimate(*halves, n=int(long.size + short.size), method=method, reason=found.reason)


def _by_date(rows: pl.DataFrame, name: str) -> FloatArray:
    means = rows.group_by("date").agg(pl.col(name).mean()).sort("date")
    return means[name].to_numpy().astype(np.float64)


def _median(values: pl.Series) -> float | None:
    found = values.median()
    return float(found) if isinstance(found, float) else None


def _why_none(expiries: pl.DataFrame, prices: pl.DataFrame | None) -> str:
    known = fresh_closes(expiries).filter("is_expiry")
    if known.is_empty():
        return "no close of an expiry day is known"
    if known["dealer_gamma"].is_null().all():
        return "dealers’ gamma is known on no expiry day"
    if prices is None or prices.is_empty():
        return "no price before the close is known"
    return "no expiry day has dealers’ gamma, a price before the close and an expected move"


def _untested(
    reason: str, left_out: int, marks: tuple[DriftAtMark, ...], days: int = 0
) -> GammaDrift:
    gone = missing(reason, n=days)
    return GammaDrift(
        None, None, days, left_out, {}, gone, gone, gone, gone, None, 1.0,
        untold_effect(days, reason), marks, (),
    )  # fmt: skip
