"""What price and signed flow did around alerts, in the direction of the predicted hedge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.studies.markets import Market

BEFORE_MINUTES: Final = 15
AFTER_MINUTES: Final = 30
BAND: Final = 1.96
BPS: Final = 10_000.0
ALL_CLASSES: Final = "ALL"

EVENT_STUDY_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "flow_class": pl.String,
    "minute": pl.Int64,
    "price_bps": pl.Float64,
    "price_low": pl.Float64,
    "price_high": pl.Float64,
    "signed_flow": pl.Float64,
    "flow_low": pl.Float64,
    "flow_high": pl.Float64,
    "events": pl.Int64,
}
"""Mean path by class and minute after detection, with 95 % bands; flow in underlying units."""


def event_study(market: Market, alerts: pl.DataFrame) -> pl.DataFrame:
    """Return the mean path of price and signed flow around the first alert of each event.

    Prices are what was known at each minute, in basis points from the price known at detection,
    positive in the direction of the predicted hedge; flow is cumulative from detection. The bands
    are 1.96 standard errors over events taken as independent. Events without a price on every
    minute are left out.
    """
    first = alerts.sort("detected_ns", "alert_id").unique("event_id", keep="first").sort("event_id")
    minutes = np.arange(-BEFORE_MINUTES, AFTER_MINUTES + 1)
    detected = first["detected_ns"].to_numpy()
    side = np.where(first["direction"].to_numpy() == "BUY_FUTURES", 1.0, -1.0)
    prices = _known_prices(market, detected[:, None] + minutes[None, :] * MINUTE_NS)
    anchor = prices[:, BEFORE_MINUTES : BEFORE_MINUTES + 1]
    paths = side[:, None] * (prices / anchor - 1.0) * BPS
    flows = _flow_paths(market, detected, minutes, side)
    usable = np.isfinite(paths).all(axis=1)
    classes = first["flow_class"].to_numpy()
    rows: list[dict[str, object]] = []
    for name in (ALL_CLASSES, *sorted(set(classes.tolist()))):
        chosen = usable if name == ALL_CLASSES else usable & (classes == name)
        if chosen.any():
            rows += _class_rows(
                name, minutes, paths[chosen], None if flows is None else flows[chosen]
            )
    return pl.DataFrame(rows, schema=EVENT_STUDY_SCHEMA, orient="row")


def _known_prices(market: Market, at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the close of the last bar known at each instant; NaN where that is too long ago."""
    known = market.bars["known_at"].dt.timestamp("ns").to_numpy()
    close = market.bars["close"].to_numpy()
    place = np.searchsorted(known, at_ns, side="right") - 1
    safe = np.maximum(place, 0)
    stale = at_ns - known[safe] > max(market.bars_key.resolution_ns, MINUTE_NS)
    return np.where((place < 0) | stale, np.nan, close[safe])


def _flow_paths(
    market: Market,
    detected: NDArray[np.int64],
    minutes: NDArray[np.int64],
    side: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    flow = market.flow
    if flow is None:
        return None
    paths = np.full((detected.size, minutes.size), np.nan)
    span = 60 * int(minutes[-1] - minutes[0])
    for row, at in enumerate(detected.tolist()):
        path = flow.path(at + int(minutes[0]) * MINUTE_NS, span)
        if path is not None:
            sampled = path[::60]
            paths[row] = side[row] * (sampled - sampled[BEFORE_MINUTES])
    return paths


def _class_rows(
    name: str,
    minutes: NDArray[np.int64],
    paths: NDArray[np.float64],
    flows: NDArray[np.float64] | None,
) -> list[dict[str, object]]:
    price = _mean_and_band(paths)
    flow = None if flows is None else _mean_and_band(flows[np.isfinite(flows).all(axis=1)])
    return [
        {
            "flow_class": name,
            "minute": int(minute),
            "price_bps": float(price[0, k]),
            "price_low": float(price[1, k]),
            "price_high": float(price[2, k]),
            "signed_flow": None if flow is None else float(flow[0, k]),
            "flow_low": None if flow is None else float(flow[1, k]),
            "flow_high": None if flow is None else float(flow[2, k]),
            "events": int(paths.shape[0]),
        }
        for k, minute in enumerate(minutes)
    ]


def _mean_and_band(paths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean, low and high of each minute, shape (3, minutes); zeros without paths."""
    if paths.shape[0] == 0:
        return np.zeros((3, paths.shape[1]))
    mean = paths.mean(axis=0)
    error = np.zeros(paths.shape[1])
    if paths.shape[0] > 1:
        error = BAND * paths.std(axis=0, ddof=1) / np.sqrt(paths.shape[0])
    return np.stack((mean, mean - error, mean + error))
