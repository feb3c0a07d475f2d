"""Expiries with a known truth: days on which prices are drawn to strikes, or not."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from hedgeflow.evidence.expiry_tables import (
    EXPIRY_COLUMNS,
    EXPIRY_PRICE_COLUMNS,
    STRIKE_PROBABILITY_COLUMNS,
)

SPACING = 5.0
MARKS = (180, 60, 30, 15)
FIRST = dt.date(2020, 1, 6)
BPS = 1e-4


def date_of(number: int) -> str:
    return (FIRST + dt.timedelta(days=number)).isoformat()


def expiries(
    closes,
    is_expiry,
    *,
    underlying: str = "X",
    heaviest=None,
    gamma=None,
    basis: str = "signed",
    stale: float = 0.0,
) -> pl.DataFrame:
    """One day a close; without `heaviest` no open interest was known."""
    rows = []
    for number, (close, expires) in enumerate(zip(closes, is_expiry, strict=True)):
        below = SPACING * np.floor(close / SPACING)
        rows.append(
            {
                "underlying": underlying,
                "date": date_of(number),
                "is_expiry": bool(expires),
                "cycle": "weekly" if expires else None,
                "instant_ns": number * 86_400 * 10**9,
                "close": float(close),
                "stale_minutes": stale,
                "strike_below": float(below),
                "strike_above": float(below + SPACING),
                "heaviest_strike": None if heaviest is None else float(heaviest[number]),
                "heaviest_open_interest": None if heaviest is None else 20_000.0,
                "dealer_gamma": None if gamma is None else float(gamma[number]),
                "gamma_basis": None if gamma is None else basis,
            }
        )
    return pl.DataFrame(rows, schema=EXPIRY_COLUMNS)


def expiry_prices(paths, move: float, *, underlying: str = "X") -> pl.DataFrame:
    """Prices at `MARKS` of each day; `move` is the expected one of a whole minute, squared root."""
    rows = [
        {
            "underlying": underlying,
            "date": date_of(number),
            "mark_minutes": mark,
            "minutes_before": float(mark),
            "price": float(price),
            "expected_move": move * mark**0.5,
        }
        for number, path in enumerate(paths)
        for mark, price in zip(MARKS, path, strict=True)
    ]
    return pl.DataFrame(rows, schema=EXPIRY_PRICE_COLUMNS)


def market(
    days: int,
    *,
    seed: int,
    every: int = 5,
    pull_bps: float = 0.0,
    gamma_pull_bps: float = 0.0,
    move: float = 0.25,
    away: tuple[int, int] = (0, 0),
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return days and prices before their closes; every fifth day is an expiry.

    On expiry days the last hour moves by `pull_bps` towards the heaviest strike, or past it never,
    and by `gamma_pull_bps` towards it where dealers are long gamma, away where they are short. That
    strike stands so many spacings `away` from the price on expiry days, and on other days.
    """
    rng = np.random.default_rng(seed)
    is_expiry = np.arange(days) % every == every - 1
    start = rng.uniform(180.0, 220.0, days)
    heaviest = SPACING * np.round(start / SPACING)
    either = np.random.default_rng([seed, 1]).choice([-1.0, 1.0], days)
    heaviest += SPACING * either * np.where(is_expiry, *away)
    gamma = rng.choice([-1.0, 1.0], days) * rng.uniform(50.0, 200.0, days)
    minutes = (*MARKS, 0)
    path = np.empty((days, len(minutes)))
    path[:, 0] = start
    for place in range(1, len(minutes)):
        elapsed = minutes[place - 1] - minutes[place]
        path[:, place] = path[:, place - 1] + move * elapsed**0.5 * rng.standard_normal(days)
    gap = heaviest - path[:, -1]
    pull = np.sign(gap) * np.minimum(np.abs(gap), pull_bps * BPS * path[:, -1])
    side = np.sign(heaviest - path[:, 1]) * np.sign(gamma)
    drawn = np.where(is_expiry, pull + side * gamma_pull_bps * BPS * path[:, -1], 0.0)
    closes = path[:, -1] + drawn
    return (
        expiries(closes, is_expiry, heaviest=heaviest, gamma=gamma),
        expiry_prices(path[:, :-1], move),
    )


def probabilities(days: int, *, seed: int, strikes: int = 9) -> pl.DataFrame:
    """Strikes around prices whose last move is normal, so that the lognormal model is right."""
    from scipy.special import ndtr

    rng = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        sigma = float(rng.uniform(2.0, 6.0))
        price = float(rng.uniform(198.0, 202.0))
        close = price + sigma * float(rng.standard_normal())
        middle = SPACING * round(price / SPACING)
        for place in range(-(strikes // 2), strikes // 2 + 1):
            strike = middle + place * SPACING
            low, high = strike - 0.5 * SPACING, strike + 0.5 * SPACING
            right = float(ndtr((high - price) / sigma) - ndtr((low - price) / sigma))
            rows.append(
                {
                    "underlying": "X",
                    "date": date_of(day),
                    "mark_minutes": 60,
                    "strike": strike,
                    "distance_sigmas": abs(price - strike) / sigma,
                    "source": max(0.2, 1.0 - abs(price - strike) / 30.0),
                    "lognormal": right,
                    "empirical": None if day < 10 else 0.9 * right + 0.02,
                    "inside": low <= close < high,
                }
            )
    return pl.DataFrame(rows, schema=STRIKE_PROBABILITY_COLUMNS)
