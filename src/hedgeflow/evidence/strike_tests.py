"""Do closes of expiry days lie nearer to strikes, or farther, than nothing would have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from hedgeflow.evidence.day_labels import (
    DAYS_NEEDED,
    PublishedEffect,
    difference_of_days,
    label_p_values,
    mean_of_days,
    published_effect,
    uniform_p_values,
    untold_effect,
)
from hedgeflow.evidence.estimates import Estimate, FloatArray, IntArray, missing
from hedgeflow.evidence.rates import win_rate
from hedgeflow.evidence.sign_flips import sign_flip_p_value, smallest_p_value
from hedgeflow.evidence.wording import counted

WITHIN = 0.125
"""Share of the spacing within which a close counts as at the strike."""
ROUND_NUMBERS = (
    "prices that cluster at round numbers on every day would look the same: no days without an"
    " expiry were given to tell"
)
LAST_MOVE = (
    "a last move that drifts, whatever expires, would look the same: no days without an expiry"
    " were given to tell"
)
OTHER_WEEKDAYS = (
    "no day without an expiry fell on a weekday of the expiries, so whatever such weekdays do"
    " besides is in the difference"
)

Law = Literal["control days", "uniform", "mirror images"]
Direction = Literal["nearer", "farther", ""]


@dataclass(frozen=True, slots=True)
class StrikeTest:
    """Whether closes of expiry days lie nearer to a strike, or farther, than nothing would have it.

    Attributes
    ----------
    strike : str
        ``nearest``: the strike next to the close; ``heaviest``: the one with the most open interest
        near the money, chosen before.
    law : str
        What they are held against: ``control days`` without an expiry; ``uniform``, closes spread
        evenly between strikes; ``mirror images`` of the last move about the price before it.
    caution : str
        What else than expiries could make the same difference; empty if nothing is known.
    expiry_days, control_days, left_out : int
        Days compared, and expiry days whose close or strike is not known well enough.
    distance, expected : Estimate
        Mean distance from the strike on expiry days, and by that law, in spacings.
    difference : Estimate
        The first less the second; negative: nearer, so pinned.
    direction : str
        ``nearer`` or ``farther``; empty where nothing was compared or both are the same.
    p_value : Estimate
        Two-sided, of the mean distance.
    p_value_holm : float or None
        After Holm over the tests of expiries.
    share, share_expected : Estimate
        Share of days within an eighth of the spacing, on expiry days and by that law.
    share_p_value : Estimate
        Two-sided, of that share.
    share_p_value_holm : float or None
        After Holm over the tests of expiries.
    smallest : float
        The smallest p-value that so many days can give.
    published : PublishedEffect
        Whether so many days could show what is published.
    """

    strike: str
    law: Law
    caution: str
    expiry_days: int
    control_days: int
    left_out: int
    distance: Estimate
    expected: Estimate
    difference: Estimate
    direction: Direction
    p_value: Estimate
    p_value_holm: float | None
    share: Estimate
    share_expected: Estimate
    share_p_value: Estimate
    share_p_value_holm: float | None
    smallest: float
    published: PublishedEffect


def nearest_test(rows: pl.DataFrame, *, expiries: int, none: str, seed: int) -> StrikeTest:
    """Hold the distance of closes from their nearest strike against other days, or an even spread.

    Parameters
    ----------
    rows : polars.DataFrame
        Days as `pinning.between_strikes` returns them.
    expiries : int
        Expiry days there are, known or not.
    none : str
        Why none is known, where that is so.
    seed : int
        Of labels and draws.
    """
    rows = _with_share(rows, "nearest")
    reach = pl.col("pull").clip(upper_bound=0.5)
    effect = _mean_of_expiries(rows, reach - reach**2)
    days = _dates(rows, expiry=True)
    if days < DAYS_NEEDED:
        return _untested("nearest", rows, expiries, none)
    if _dates(rows, expiry=False) >= DAYS_NEEDED:
        return _against_controls("nearest", rows, expiries, effect, seed)
    distance, share = (_by_date(rows, name, expiry=True) for name in ("distance", "share"))
    even = "closes spread evenly between strikes"
    (p_value, share_p_value), smallest = uniform_p_values(distance, share, WITHIN, seed=seed)
    return StrikeTest(
        "nearest",
        "uniform",
        ROUND_NUMBERS,
        days,
        0,
        expiries - days,
        mean_of_days(distance, none),
        Estimate(0.25, method=even),
        mean_of_days(distance - 0.25, none),
        _direction(float(distance.mean()) - 0.25),
        p_value,
        None,
        _share(share, none),
        Estimate(2.0 * WITHIN, method=even),
        share_p_value,
        None,
        smallest,
        published_effect(effect, distance),
    )


def heaviest_test(rows: pl.DataFrame, *, expiries: int, none: str, seed: int) -> StrikeTest:
    """Hold the distance from the strike with the most open interest against other days.

    Without other days each close is held against its mirror image about the price at the day's
    earliest mark: where the last move is as likely up as down, either is as near to the strike.

    Parameters
    ----------
    rows : polars.DataFrame
        Days as `pinning.between_strikes` returns them, with the price at the earliest mark.
    expiries : int
        Expiry days there are, known or not.
    none : str
        Why none is known, where that is so.
    seed : int
        Of labels and signs.
    """
    rows = _with_share(rows.drop_nulls("heaviest"), "heaviest")
    effect = _mean_of_expiries(rows, pl.min_horizontal("pull", "distance"))
    enough = _dates(rows, expiry=True) >= DAYS_NEEDED
    if enough and _dates(rows, expiry=False) >= DAYS_NEEDED:
        return _against_controls("heaviest", rows, expiries, effect, seed)
    own = rows.filter("is_expiry").drop_nulls("mark_price")
    if not enough or _dates(own, expiry=True) < DAYS_NEEDED:
        if enough:
            none = "neither days without an expiry nor prices before the close are known"
        return _untested("heaviest", rows, expiries, none)
    return _against_mirror(own, expiries, effect, none, seed)


def _against_controls(
    strike: str, rows: pl.DataFrame, expiries: int, effect: float, seed: int
) -> StrikeTest:
    levelled = _levelled(rows)
    groups = {
        name: tuple(_by_date(levelled, name, expiry=kind) for kind in (True, False))
        for name in ("distance", "share")
    }
    (distance, other), (share, other_share) = groups["distance"], groups["share"]
    labels = np.arange(distance.size + other.size) < distance.size
    both = np.column_stack([np.concatenate(groups[name]) for name in ("distance", "share")])
    (p_value, share_p_value), smallest = label_p_values(both, labels, seed=seed)
    difference = difference_of_days(distance, other, "no days")
    return StrikeTest(
        strike,
        "control days",
        "" if _weekdays(rows, expiry=True) & _weekdays(rows, expiry=False) else OTHER_WEEKDAYS,
        int(distance.size),
        int(other.size),
        expiries - int(distance.size),
        mean_of_days(distance, "no days"),
        mean_of_days(other, "no days"),
        difference,
        _direction(difference.value),
        p_value,
        None,
        _share(share, "no days"),
        _share(other_share, "no days"),
        share_p_value,
        None,
        smallest,
        published_effect(effect, distance, other),
    )


def _against_mirror(
    rows: pl.DataFrame, expiries: int, effect: float, none: str, seed: int
) -> StrikeTest:
    mirrored = 2.0 * pl.col("mark_price") - pl.col("close")
    image = (mirrored - pl.col("heaviest_strike")).abs() / pl.col("spacing")
    rows = rows.with_columns(image=image, image_share=(image <= WITHIN).cast(pl.Float64))
    distance, expected, share, image_share = (
        _by_date(rows, name, expiry=True) for name in ("distance", "image", "share", "image_share")
    )
    days: IntArray = np.arange(distance.size)
    p_value, share_p_value = (
        sign_flip_p_value(values, days, seed=seed, sides="two-sided", none=none)
        for values in (distance - expected, share - image_share)
    )
    difference = mean_of_days(distance - expected, none)
    return StrikeTest(
        "heaviest",
        "mirror images",
        LAST_MOVE,
        int(days.size),
        0,
        expiries - int(days.size),
        mean_of_days(distance, none),
        mean_of_days(expected, none),
        difference,
        _direction(difference.value),
        p_value,
        None,
        _share(share, none),
        _share(image_share, none),
        share_p_value,
        None,
        smallest_p_value(int(days.size), "two-sided"),
        # What draws the close to the strike drives its mirror image as far from it.
        published_effect(2.0 * effect, distance - expected),
    )


def _untested(strike: str, rows: pl.DataFrame, expiries: int, none: str) -> StrikeTest:
    days, others = _dates(rows, expiry=True), _dates(rows, expiry=False)
    reason = none
    if 0 < days < DAYS_NEEDED:
        reason = f"{counted(days, 'expiry day')} with a known close; the test needs {DAYS_NEEDED}"
    gone = missing(reason, n=days)
    distance, share = (_by_date(rows, name, expiry=True) for name in ("distance", "share"))
    return StrikeTest(
        strike,
        "control days",
        "",
        days,
        others,
        expiries - days,
        mean_of_days(distance, reason),
        mean_of_days(_by_date(rows, "distance", expiry=False), "no days without an expiry"),
        gone,
        "",
        gone,
        None,
        _share(share, reason),
        _share(_by_date(rows, "share", expiry=False), "no days without an expiry"),
        gone,
        None,
        1.0,
        untold_effect(days, reason),
    )


def _with_share(rows: pl.DataFrame, distance: str) -> pl.DataFrame:
    near = (pl.col(distance) <= WITHIN).cast(pl.Float64)
    return rows.with_columns(distance=distance, share=near)


def _levelled(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with each underlying's mean brought to that of all, its own days compared."""
    return rows.with_columns(
        pl.col(name) - pl.col(name).mean().over("underlying") + pl.col(name).mean()
        for name in ("distance", "share")
        if rows["underlying"].n_unique() > 1
    )


def _by_date(rows: pl.DataFrame, name: str, *, expiry: bool) -> FloatArray:
    """Return a mean for each date: one day counts once, however many underlyings it has."""
    chosen = rows.filter(pl.col("is_expiry") == expiry)
    means = chosen.group_by("date").agg(pl.col(name).mean()).sort("date")
    return means[name].to_numpy().astype(np.float64)


def _dates(rows: pl.DataFrame, *, expiry: bool) -> int:
    return rows.filter(pl.col("is_expiry") == expiry)["date"].n_unique()


def _weekdays(rows: pl.DataFrame, *, expiry: bool) -> set[int]:
    chosen = rows.filter(pl.col("is_expiry") == expiry)["date"]
    return set(chosen.str.to_date().dt.weekday().to_list())


def _mean_of_expiries(rows: pl.DataFrame, what: pl.Expr) -> float:
    found = rows.filter("is_expiry").select(what.mean()).item()
    return float(found) if found is not None else 0.0


def _share(values: FloatArray, none: str) -> Estimate:
    """Return a share of days; as a mean where several underlyings make a day's share a fraction."""
    if values.size and np.isin(values, (0.0, 1.0)).all():
        return win_rate(int(values.sum()), int(values.size))
    return mean_of_days(values, none)


def _direction(difference: float | None) -> Direction:
    if not difference:
        return ""
    return "nearer" if difference < 0.0 else "farther"
