"""Small tapes, conditions and alerts towards one expiry, for replays and their nulls."""

from __future__ import annotations

import numpy as np
import polars as pl

from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from hedgeflow.replay import HedgeTape
from hedgeflow.signals.settlement_rules import CONDITION, SignalClass, Urgency
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.config import Direction, Plan, Risk

EXPIRY = 20_188 * DAY_NS + 20 * HOUR_NS  # 2025-04-10T20:00:00Z: the close in New York
MICRO = hedge_instrument("MESM25", "cme")
FLAT = 5_005.0

UNDERLYING = "SPX"


def config(**sections) -> ExpirationPressureConfig:
    """Return settings that steer away from strikes and ask for no reward."""
    plan = {"min_reward_risk": 0.0} | sections.pop("plan", {})
    risk = {"own_volume_share": 1.0} | sections.pop("risk", {})
    direction = sections.pop("direction", "steer-away")
    return ExpirationPressureConfig(
        plan=Plan(**plan), risk=Risk(**risk), direction=Direction(model=direction), **sections
    )


def urgency_of(left: float) -> Urgency:
    """Return the urgency at so many minutes left."""
    return Urgency.CRISIS if left < 15 else Urgency.HIGH if left < 45 else Urgency.LOW


def conditions(*rows) -> pl.DataFrame:
    """Return conditions of changes to a usual one; `left` is in minutes before expiry.

    Each strike has one alert an urgency, as from a scan.
    """
    table = np.zeros(len(rows), CONDITION)
    numbers: dict[tuple, int] = {}
    fixing = []
    for line, given in zip(table, rows, strict=True):
        row = {
            "fixing_minutes": 0.0,
            "strike": 5_000.0,
            "price": FLAT,
            "pressure": 100.0,
            "confidence": 0.95,
            "point": 1.0,
            "sigma": 0.2,
            "dealer_gamma": -1.0,
            "dealer_units": -1.0,
            "scale": np.nan,
            "oi": 5_000.0,
            "expiry_ns": EXPIRY,
        } | given
        left = row.pop("left")
        fixing.append(row.pop("fixing_minutes"))
        urgency = urgency_of(left)
        distance = abs(row["price"] - row["strike"])
        row = {
            "at_ns": row["expiry_ns"] - round(left * MINUTE_NS),
            "price_ns": row["expiry_ns"] - round(left * MINUTE_NS),
            "minutes_left": left,
            "urgency": urgency,
            "signal_class": SignalClass.OTHER,
            "distance": distance,
            "target_distance": max(15.0, 1.5 * distance),
        } | row
        key = (row["expiry_ns"], row["strike"], urgency)
        row["is_new"] = key not in numbers
        row["alert_number"] = numbers.setdefault(key, len(numbers))
        for name, value in row.items():
            line[name] = value
    columns = {name: table[name] for name in table.dtype.names or ()}
    return pl.DataFrame({**columns, "fixing_minutes": fixing})


def alerts_of(frame: pl.DataFrame, **changes) -> pl.DataFrame:
    """Return the alerts of conditions, as the journal's table has them."""
    first = frame.sort("at_ns", maintain_order=True).unique("alert_number", keep="first")
    return first.sort("alert_number").select(
        alert_id=pl.format("a{}", "alert_number"),
        event_id=pl.col("alert_number"),
        detected_ns=pl.col("at_ns"),
        response_minutes=pl.col("minutes_left"),
        underlying=pl.lit(changes.get("underlying", UNDERLYING)),
        sigma_source=pl.lit(changes.get("sigma_source", "implied")),
    )


def bars(prices=None, *, before=400, after=10, drop=(), volume=1_000.0) -> pl.DataFrame:
    """Return minute bars around expiry; `prices` maps minutes left at a bar's start to prices.

    A price is one number for the whole bar, or open, high, low and close; it holds for its bar
    only, unless it stands under a range (first, last) of minutes left.
    """
    left = np.arange(before, -after, -1)
    table = np.full((left.size, 4), FLAT)
    for when, price in (prices or {}).items():
        first, last = when if isinstance(when, tuple) else (when, when)
        table[(left <= first) & (left >= last)] = price
    frame = pl.DataFrame(
        {
            "ts": EXPIRY - left * MINUTE_NS,
            **{name: table[:, k] for k, name in enumerate(("open", "high", "low", "close"))},
            "volume": np.full(left.size, volume),
        }
    )
    return frame.filter(pl.Series(~np.isin(left, list(drop))))


def bar_tape(prices=None, instrument=MICRO, **options) -> HedgeTape:
    """Return a tape of such bars."""
    return HedgeTape.from_bars(bars(prices, **options), instrument, MINUTE_NS)


def tick_tape(price_at=None, *, before=120, after=5, spread=0.5, step_seconds=10) -> HedgeTape:
    """Return quotes every so many seconds; `price_at` maps minutes left to the middle."""
    left = np.arange(before * 60, -after * 60, -step_seconds) / 60.0
    middle = np.full(left.size, FLAT)
    if price_at is not None:
        middle = np.array([price_at(minutes) for minutes in left])
    quotes = pl.DataFrame(
        {
            "ts": EXPIRY - np.rint(left * 60).astype(np.int64) * SECOND_NS,
            "bid": middle - spread / 2,
            "ask": middle + spread / 2,
        }
    )
    return HedgeTape.from_ticks(None, quotes, MICRO)


def random_world(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return conditions of three strikes and minute bars that wander, with gaps."""
    rng = np.random.default_rng(seed)
    close = 5_000.0 + np.cumsum(rng.normal(0.0, 1.5, 410))
    opened = np.concatenate((close[:1], close[:-1])) + rng.normal(0.0, 0.3, 410)
    frame = bars().with_columns(
        open=pl.Series(opened),
        high=pl.Series(np.maximum(opened, close) + rng.exponential(0.8, 410)),
        low=pl.Series(np.minimum(opened, close) - rng.exponential(0.8, 410)),
        close=pl.Series(close),
    )
    frame = frame.filter(pl.Series(rng.random(410) > 0.01))
    rows = []
    for k in range(300, 400):
        rows += [
            {
                "left": 400.0 - k,
                "strike": strike,
                "price": close[k - 1],
                "pressure": float(rng.exponential(50.0)),
                "confidence": float(rng.uniform(0.1, 0.95)),
                "dealer_gamma": float(rng.normal()),
            }
            for strike in (4_990.0, 5_000.0, 5_010.0)
            if rng.random() < 0.5
        ]
    return conditions(*rows), frame
