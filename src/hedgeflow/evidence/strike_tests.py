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
from hedgeflow.evidence.wording import counted, percent

WITHIN = 0.125
"""Share of the spacing within which a close counts as at the strike."""
SIDES_APART = 0.2
"""So much more often above the price on one kind of days, a strike lets drift into the result."""
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

NOT_MIRRORED = "the nearest strike is compared without mirror images"

Law = Literal["control days", "uniform", "mirror images", "mirror images beside control days"]
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
        evenly between strikes; ``mirror images`` of the last move about the price before it, or
        ``mirror images beside control days``, which have mirror images too.
    caution : str
        What else than expiries could make the same difference; empty if nothing is known.
    expiry_days, control_days, left_out : int
        Days compared, and expiry days whose close or strike is not known well enough.
    distance, expected : Estimate
        Mean distance from the strike on expiry days, and by that law, in spacings; of mirror images
        their own on expiry days.
    control_difference : Estimate
        Mean distance less that of mirror images on control days; missing where they were not
        compared in this way.
    difference : Estimate
        `distance` less `expected`, and less `control_difference` where that is known; negative:
        nearer, so pinned.
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
    control_difference: Estimate
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
    own = _Expiries("nearest", rows, expiries)
    if _dates(rows, expiry=False) >= DAYS_NEEDED:
        levelled = _levelled(rows, ("distance", "share"))
        distance, other = (_by_date(levelled, "distance", expiry=kind) for kind in (True, False))
        share, other_share = (_by_date(levelled, "share", expiry=kind) for kind in (True, False))
        return _found(
            own,
            "control days",
            _weekday_caution(rows),
            (distance, mean_of_days(other, none)),
            missing(NOT_MIRRORED),
            difference_of_days(distance, other, none),
            (share, _share(other_share, none)),
            *_labelled((distance, share), (other, other_share), seed),
            published_effect(effect, distance, other),
        )
    distance, share = (_by_date(rows, name, expiry=True) for name in ("distance", "share"))
    even = "closes spread evenly between strikes"
    return _found(
        own,
        "uniform",
        ROUND_NUMBERS,
        (distance, Estimate(0.25, method=even)),
        missing(NOT_MIRRORED),
        mean_of_days(distance - 0.25, none),
        (share, Estimate(2.0 * WITHIN, method=even)),
        *uniform_p_values(distance, share, WITHIN, seed=seed),
        published_effect(effect, distance),
    )


def heaviest_test(rows: pl.DataFrame, *, expiries: int, none: str, seed: int) -> StrikeTest:
    """Hold the distance from the strike with the most open interest against its mirror image.

    The mirror image of a close lies as far on the other side of the price at the day's earliest
    mark, when the strike was chosen: where the last move is as likely up as down, either is as near
    to the strike, however far that was. Where there are days without an expiry, what their last
    moves did in this way is held against it. The distances themselves are never compared: open
    interest builds towards the money as an expiry nears, so its strike is nearer on expiry days
    whatever the last move does.

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
    if _dates(rows, expiry=True) >= DAYS_NEEDED:
        none = "the price before the last move is known on too few expiry days"
    rows = _with_mirror(rows.drop_nulls("mark_price"))
    # A pull drives the mirror image as far away, unless the strike lies between it and the close:
    # then it draws the image as near, and nothing is left of it.
    pull = pl.min_horizontal("pull", "distance")
    effect = _mean_of_expiries(rows, 2.0 * pl.when("same_side").then(pull).otherwise(0.0))
    days = _dates(rows, expiry=True)
    if days < DAYS_NEEDED:
        return _untested("heaviest", rows, expiries, none)
    own = _Expiries("heaviest", rows, expiries)
    distance, image, share, image_share, gain, share_gain = (
        _by_date(rows, name, expiry=True)
        for name in ("distance", "image", "share", "image_share", "gain", "share_gain")
    )
    expected, expected_share = mean_of_days(image, none), _share(image_share, none)
    if _dates(rows, expiry=False) >= DAYS_NEEDED:
        levelled = _levelled(rows, ("gain", "share_gain"))
        (gain, other), (share_gain, other_share) = (
            tuple(_by_date(levelled, name, expiry=kind) for kind in (True, False))
            for name in ("gain", "share_gain")
        )
        return _found(
            own,
            "mirror images beside control days",
            "; ".join(filter(None, (_weekday_caution(rows), _side_caution(rows)))),
            (distance, expected),
            mean_of_days(other, none),
            difference_of_days(gain, other, none),
            (share, expected_share),
            tuple(
                _flipped(own_gain, its, seed)
                for own_gain, its in ((gain, other), (share_gain, other_share))
            ),
            smallest_p_value(int(gain.size + other.size), "two-sided"),
            published_effect(effect, gain, other),
        )
    return _found(
        own,
        "mirror images",
        LAST_MOVE,
        (distance, expected),
        missing("no days without an expiry"),
        mean_of_days(gain, none),
        (share, expected_share),
        tuple(_flipped(each, np.zeros(0), seed) for each in (gain, share_gain)),
        smallest_p_value(days, "two-sided"),
        published_effect(effect, gain),
    )


@dataclass(frozen=True, slots=True)
class _Expiries:
    strike: str
    rows: pl.DataFrame
    count: int


def _found(
    own: _Expiries,
    law: Law,
    caution: str,
    distance: tuple[FloatArray, Estimate],
    control_difference: Estimate,
    difference: Estimate,
    share: tuple[FloatArray, Estimate],
    p_values: tuple[Estimate, ...],
    smallest: float,
    published: PublishedEffect,
) -> StrikeTest:
    days = _dates(own.rows, expiry=True)
    return StrikeTest(
        own.strike,
        law,
        caution,
        days,
        _dates(own.rows, expiry=False) if "control days" in law else 0,
        own.count - days,
        mean_of_days(distance[0], "no days"),
        distance[1],
        control_difference,
        difference,
        _direction(difference.value),
        p_values[0],
        None,
        _share(share[0], "no days"),
        share[1],
        p_values[1],
        None,
        smallest,
        published,
    )


def _labelled(
    expiry: tuple[FloatArray, FloatArray], other: tuple[FloatArray, FloatArray], seed: int
) -> tuple[tuple[Estimate, ...], float]:
    """Return the p-values of expiry days that are like other days, and the smallest of all."""
    both = np.column_stack([np.concatenate(pair) for pair in zip(expiry, other, strict=True)])
    labels = np.arange(expiry[0].size + other[0].size) < expiry[0].size
    return label_p_values(both, labels, seed=seed)


def _flipped(gain: FloatArray, other: FloatArray, seed: int) -> Estimate:
    """Return the p-value of gains over mirror images that are alike on both kinds of days.

    Labels may not be dealt out here: a strike that is far away varies otherwise than a near one,
    and it is farther on days without an expiry. But of every day the close and its mirror image may
    change places. What all days do in the same way cancels in the difference, and only makes the
    test more careful.
    """
    means = np.concatenate([gain / gain.size, -other / max(1, other.size)])
    days: IntArray = np.arange(means.size)
    return sign_flip_p_value(means, days, seed=seed, sides="two-sided", none="no days")


def _with_mirror(rows: pl.DataFrame) -> pl.DataFrame:
    from_strike = pl.col("close") - pl.col("heaviest_strike")
    mirrored = 2.0 * pl.col("mark_price") - pl.col("close") - pl.col("heaviest_strike")
    image = mirrored.abs() / pl.col("spacing")
    image_share = (image <= WITHIN).cast(pl.Float64)
    return rows.with_columns(
        image=image,
        image_share=image_share,
        same_side=from_strike * mirrored > 0.0,
        gain=pl.col("distance") - image,
        share_gain=pl.col("share") - image_share,
    )


def _weekday_caution(rows: pl.DataFrame) -> str:
    shared = _weekdays(rows, expiry=True) & _weekdays(rows, expiry=False)
    return "" if shared else OTHER_WEEKDAYS


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


def _side_caution(rows: pl.DataFrame) -> str:
    above = (pl.col("heaviest_strike") > pl.col("mark_price")).cast(pl.Float64)
    expiry, other = (
        float(_by_date(rows.with_columns(above=above), "above", expiry=kind).mean())
        for kind in (True, False)
    )
    if abs(expiry - other) <= SIDES_APART:
        return ""
    return (
        f"the strike stood above the price on {percent(expiry)} of the expiry days and on"
        f" {percent(other)} of the others, so a drift of prices does not cancel between them"
    )


def _levelled(rows: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Return the rows with each underlying's mean brought to that of all, its own days compared."""
    return rows.with_columns(
        pl.col(name) - pl.col(name).mean().over("underlying") + pl.col(name).mean()
        for name in names
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
