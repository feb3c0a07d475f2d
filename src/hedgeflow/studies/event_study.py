"""What price and signed flow did around alerts, in the direction of the predicted hedge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL
from hedgeflow.market.sessions import session_date
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.price_moves import BPS, KnownPrices, known_closes, windows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.markets import Market

BEFORE_MINUTES: Final = 15
AFTER_MINUTES: Final = 30
ALL_CLASSES: Final = "ALL"

EVENT_STUDY_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "flow_class": pl.String,
    "minute": pl.Int64,
    "price_bps": pl.Float64,
    "price_low": pl.Float64,
    "price_high": pl.Float64,
    "placebo_bps": pl.Float64,
    "placebo_low": pl.Float64,
    "placebo_high": pl.Float64,
    "signed_flow": pl.Float64,
    "flow_low": pl.Float64,
    "flow_high": pl.Float64,
    "events": pl.Int64,
}
"""Mean path by class and minute after detection, with 95 % bands; flow in underlying units.

Bands are null where all events lie on one session, the placebo's where none has placebo windows.
"""


def event_study(market: Market, config: VolumeShockConfig, alerts: pl.DataFrame) -> pl.DataFrame:
    """Return the mean path of price and signed flow around the first alert of each event.

    Prices are what was known at each minute, in basis points from the price known at detection,
    positive in the direction of the predicted hedge; flow is cumulative from detection. The placebo
    is the same minutes of earlier sessions, each event's mean over those that are known on every
    minute, in the same direction. Events of a session move together: the bands are Student's
    quantile of sessions − 1 times the standard error clustered by session (K.-Y. Liang and S. L.
    Zeger, *Biometrika* 73 (1986) 13–22, × n / (n − 1)). Events without a price on every minute are
    left out.

    Look-ahead: a picture of what followed; nothing here is seen by signals or by a replay.
    """
    first = alerts.sort("detected_ns", "alert_id").unique("event_id", keep="first").sort("event_id")
    minutes = np.arange(-BEFORE_MINUTES, AFTER_MINUTES + 1)
    detected = first["detected_ns"].to_numpy()
    side = np.where(first["direction"].to_numpy() == "BUY_FUTURES", 1.0, -1.0)
    sessions = np.array([session_date(market.sessions, at) for at in detected.tolist()])
    prices = known_closes(market.bars, market.bars_key.resolution_ns)
    count = config.observation.placebo_sessions
    windows = windows_of(market.sessions, detected, count, market.bar_coverage)
    paths = side[:, None, None] * _paths(prices, windows, minutes)
    flows = _flow_paths(market, detected, minutes, side)
    usable = np.isfinite(paths[:, 0]).all(axis=1)
    placebos = _mean_of_known(paths[:, 1:])
    classes = first["flow_class"].to_numpy()
    rows: list[dict[str, object]] = []
    for name in (ALL_CLASSES, *sorted(set(classes.tolist()))):
        chosen = usable if name == ALL_CLASSES else usable & (classes == name)
        if not chosen.any():
            continue
        bands = {
            ("price_bps", "price_low", "price_high"): paths[chosen, 0],
            ("placebo_bps", "placebo_low", "placebo_high"): placebos[chosen],
            ("signed_flow", "flow_low", "flow_high"): None if flows is None else flows[chosen],
        }
        rows += _class_rows(name, minutes, bands, sessions[chosen])
    return pl.DataFrame(rows, schema=EVENT_STUDY_SCHEMA, orient="row")


def _paths(
    prices: KnownPrices, windows: NDArray[np.int64], minutes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return price paths of windows, bps from minute 0, shape (events, windows, minutes)."""
    known = prices(windows[:, :, None] + minutes * MINUTE_NS)
    anchor = known[:, :, BEFORE_MINUTES : BEFORE_MINUTES + 1]
    return (known / anchor - 1.0) * BPS


def _mean_of_known(paths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each event's mean over the windows known on every minute; NaN where none is."""
    known = np.asarray(np.isfinite(paths).all(axis=2))
    count = known.sum(axis=1)[:, None]
    total = np.where(known[:, :, None], paths, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


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
    bands: dict[tuple[str, str, str], NDArray[np.float64] | None],
    sessions: NDArray[np.str_],
) -> list[dict[str, object]]:
    columns: dict[str, object] = {"minute": minutes}
    for names, paths in bands.items():
        known = None if paths is None else np.isfinite(paths).all(axis=1)
        if paths is not None and known is not None and known.any():
            columns |= dict(zip(names, clustered_band(paths[known], sessions[known]), strict=True))
    frame = pl.DataFrame(columns).fill_nan(None)
    return frame.with_columns(
        flow_class=pl.lit(name), events=pl.lit(sessions.size, pl.Int64)
    ).to_dicts()


def clustered_band(
    paths: NDArray[np.float64], sessions: NDArray[np.str_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return mean, low and high of each minute; bounds are NaN where there is one session.

    Parameters
    ----------
    paths : ndarray of shape (events, minutes)
    sessions : ndarray of shape (events,)
        Which session each event lies on.
    """
    from scipy.stats import t

    mean = paths.mean(axis=0)
    names, place = np.unique(sessions, return_inverse=True)
    count = int(names.size)
    if count < 2:
        unknown = np.full(mean.shape, np.nan)
        return mean, unknown, unknown
    sums = np.zeros((count, mean.size))
    np.add.at(sums, place, paths - mean)
    error = np.sqrt((sums**2).sum(axis=0) * count / (count - 1)) / paths.shape[0]
    half = float(t.ppf(0.5 + CONFIDENCE_LEVEL / 2.0, count - 1)) * error
    return mean, mean - half, mean + half
