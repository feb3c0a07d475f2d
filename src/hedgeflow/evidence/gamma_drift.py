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
    effect_on_days,
    mean_of_days,
    untold_effect,
)
from hedgeflow.evidence.dealt_signs import dealt_p_value, sign_slope, tell_apart
from hedgeflow.evidence.estimates import Estimate, FloatArray, IntArray, missing
from hedgeflow.evidence.expiry_tables import fresh_closes
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.wording import counted, percent

FIRST_CHOICE_MINUTES = 60
"""The mark that is tested where enough days have a price there, fixed before any data were seen;
else the next longer one that they have, else the longest."""
NEAR_SIGMAS = 2.0
"""Only days whose strike lies within so many expected moves of the price are tested: dealers'
gamma at a strike that will not be reached moves nothing."""
FAR_FROM_HALF = 0.1
"""So far from one half, the share of days that predict a rise is worth a caution."""
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
        The mark that is tested; None where no mark has days enough.
    minutes_before : float or None
        Median time from the prices there to the instant.
    days, left_out : int
        Expiry days with price, strike, dealers' gamma and expected move, near enough; and those
        without.
    compared_days : int
        Those on a side of the strike where dealers were long gamma on some days and short on
        others: only these are tested, the rest cannot tell gamma from drift.
    bases : dict of str to int
        On what dealers' gamma rests, and on how many of the days.
    up_share : float or None
        Share of the days on which dealers' gamma predicts a rise; None without days.
    caution : str
        What is in the plain means because that share is far from one half; empty if it is not.
    signed_bps, signed_sigmas : Estimate
        Mean move towards the strike where dealers were long gamma at it, away from it where short;
        of all days. Where dealers' gamma mostly predicts a rise it holds the drift of prices too.
    slope_bps, slope : Estimate
        Of the move towards the strike on the sign of dealers' gamma, in basis points and in
        expected moves, among days with the strike on the same side of the price: half the
        difference between long and short. Whatever moves those days alike, drift or a pull to
        strikes whoever holds them, is no part of it.
    p_value : Estimate
        One-sided, of `slope` above zero, the signs of gamma dealt out among days with the strike on
        the same side.
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
    compared_days: int
    bases: dict[str, int]
    up_share: float | None
    caution: str
    signed_bps: Estimate
    signed_sigmas: Estimate
    slope_bps: Estimate
    slope: Estimate
    p_value: Estimate
    p_value_holm: float | None
    smallest: float
    published: PublishedEffect
    marks: tuple[DriftAtMark, ...]
    by_distance: tuple[DriftAtDistance, ...]


def gamma_drift(tables: EvidenceTables, *, seed: int) -> GammaDrift:
    """Test whether prices move with dealers' gamma in the last minutes before an expiry.

    If dealers' gamma does nothing, then of two days with the strike above the price, or of two with
    it below, either might have had the gamma of the other; so its signs are dealt out again among
    them. Days are not compared across the two sides: by a convention that gives dealers long calls
    and short puts, gamma predicts a rise on most days, and a market that rises would look like it.

    Parameters
    ----------
    tables : EvidenceTables
        With `expiries` and, where prices before the close are known, `expiry_prices`.
    seed : int
        Of the dealings.

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
    bases = rows.group_by("gamma_basis").agg(pl.col("date").n_unique()).sort("gamma_basis")
    up_share = float(_by_date(rows, "up").mean())
    found = _within_sides(rows, days, seed)
    return GammaDrift(
        mark,
        _median(rows["minutes_before"]),
        days,
        of_expiries - days,
        found.days,
        {str(name or "not stated"): int(count) for name, count in bases.iter_rows()},
        up_share,
        _caution(up_share),
        mean_of_days(_by_date(rows, "signed_bps"), "no days"),
        mean_of_days(sigmas, "no days"),
        found.slope_bps,
        found.slope,
        found.p_value,
        None,
        found.smallest,
        found.published,
        marks,
        tuple(
            _at_distance(all_of_mark, lower, upper) for lower, upper in itertools.pairwise(_EDGES)
        ),
    )


@dataclass(frozen=True, slots=True)
class _WithinSides:
    days: int
    slope_bps: Estimate
    slope: Estimate
    p_value: Estimate
    smallest: float
    published: PublishedEffect


def _within_sides(rows: pl.DataFrame, days: int, seed: int) -> _WithinSides:
    """Compare long with short among days whose strike is on the same side of the price."""
    signs, kinds = _by_day(rows, "sign"), _kinds(_by_day(rows, "side"))
    told = tell_apart(signs, kinds)
    compared = int(told.sum())
    if compared < DAYS_NEEDED:
        reason = (
            f"of {counted(days, 'expiry day')} {compared or 'none'} had the strike on a side of the"
            " price where dealers were long gamma on some days and short on others: gamma cannot"
            f" be told from drift; the test needs {DAYS_NEEDED}"
        )
        gone = missing(reason, n=compared)
        return _WithinSides(compared, gone, gone, gone, 1.0, untold_effect(compared, reason))
    signs, kinds = signs[told], kinds[told]
    bps, sigmas = (_by_day(rows, unit)[told] for unit in ("bps", "sigmas"))
    slope = sign_slope(signs, bps, kinds)
    return _WithinSides(
        compared,
        slope.estimate,
        sign_slope(signs, sigmas, kinds).estimate,
        *dealt_p_value(signs, sigmas, kinds, seed=seed),
        effect_on_days(PULL_BPS, slope.deviation, compared, slope.worth),
    )


def _by_day(rows: pl.DataFrame, name: str) -> FloatArray:
    """Return days by underlyings, 0 where one is missing; a day counts once, whatever it has."""
    found = np.zeros((rows["date"].n_unique(), rows["underlying"].n_unique()))
    places = (rows[key].rank("dense").to_numpy().astype(np.int64) - 1 for key in _KEYS)
    found[tuple(places)] = rows[name].to_numpy()
    present = np.bincount(rows["date"].rank("dense").to_numpy().astype(np.int64) - 1)
    # The root, so that the product of a sign and a move is a mean over underlyings.
    return found / np.sqrt(present)[:, None]


_KEYS = ("date", "underlying")


def _kinds(sides: FloatArray) -> IntArray:
    """Return a number for each day, the same where the same strikes are above and below prices."""
    return np.unique(sides, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def _caution(up_share: float) -> str:
    if abs(up_share - 0.5) <= FAR_FROM_HALF:
        return ""
    return (
        f"dealers’ gamma predicted a rise on {percent(up_share)} of the days, so whatever drift"
        " prices had is in the plain mean move; the test compares days with the strike on the same"
        " side of the price, on which drift is the same"
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
            side=side,
            sign=pl.col("dealer_gamma").sign(),
            up=(side * pl.col("dealer_gamma") > 0.0).cast(pl.Float64),
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
        None, None, days, left_out, 0, {}, None, "", gone, gone, gone, gone, gone, None, 1.0,
        untold_effect(days, reason), marks, (),
    )  # fmt: skip
