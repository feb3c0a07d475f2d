"""Small tapes and alerts for replays."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.replay import HedgeTape

DAY = 20_188 * DAY_NS  # 2025-04-10T00:00:00Z, a Thursday

ALERT = {
    "alert_id": "a1",
    "event_id": 1,
    "unit": "event",
    "triggered_ns": DAY,
    "detected_ns": DAY,
    "underlying": "BTC",
    "contract": "BTC-25APR25-80000-C",
    "direction": "BUY_FUTURES",
    "demand": 12.0,
    "demand_scaled": 4_000.0,
    "pressure": 250.0,
    "response_minutes": 4.0,
    "urgency": "HIGH",
    "flow_class": "GAMMA_EMERGENCY",
    "confidence": 0.5,
    "point": 20.0,
    "sigma": 0.3,
    "sigma_source": "implied",
    "scale_volume": 300.0,
}


@pytest.fixture
def day() -> int:
    """Return the first instant of the tapes' second day."""
    return DAY


@pytest.fixture
def make_alerts():
    """Return a maker of alerts from changes to a usual one; `minute` counts from the day."""

    def make(*changes):
        rows = []
        for i, change in enumerate(changes):
            row = ALERT | {"alert_id": f"a{i + 1}", "event_id": i + 1} | change
            if "minute" in row:
                at = DAY + round(row.pop("minute") * MINUTE_NS)
                row |= {"detected_ns": at, "triggered_ns": at - MINUTE_NS}
            rows.append(row)
        return pl.DataFrame(rows, schema_overrides={"sigma": pl.Float64})

    return make


@pytest.fixture
def make_frame():
    """Return a maker of minute bars from the day before on; `prices` maps a minute to a bar."""

    def make(prices=None, *, minutes=60, volume=50.0, before=1_440, drop=()):
        count = before + minutes
        table = np.full((count, 4), 80_000.0)
        for minute, bar in (prices or {}).items():
            table[before + minute] = bar
        start = DAY + (np.arange(count) - before) * MINUTE_NS
        frame = pl.DataFrame(
            {
                "ts": start,
                "open": table[:, 0],
                "high": table[:, 1],
                "low": table[:, 2],
                "close": table[:, 3],
                "volume": np.full(count, volume),
            }
        )
        keep = ~np.isin(np.arange(count) - before, list(drop))
        return frame.filter(pl.Series(keep))

    return make


@pytest.fixture
def make_tape(make_frame):
    """Return a maker of perpetual tapes from the same arguments."""

    def make(prices=None, *, symbol="BTC-PERP", **options):
        instrument = hedge_instrument(symbol, "binance")
        return HedgeTape.from_bars(make_frame(prices, **options), instrument, MINUTE_NS)

    return make
