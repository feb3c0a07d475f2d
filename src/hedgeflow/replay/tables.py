"""The tables that a replay hands on: their columns and types."""

from __future__ import annotations

from typing import Final

import polars as pl

Schema = dict[str, pl.DataType | type[pl.DataType]]

DECISION_SCHEMA: Final[Schema] = {
    "alert_id": pl.String,
    "decided_ns": pl.Int64,
    "kind": pl.String,
    "reason_code": pl.String,
    "sentence": pl.String,
    "plan_json": pl.String,
}

TRADE_SCHEMA: Final[Schema] = {
    "trade_id": pl.String,
    "alert_id": pl.String,
    "event_id": pl.Int64,
    "session": pl.String,
    "underlying": pl.String,
    "instrument": pl.String,
    "venue": pl.String,
    "flow_class": pl.String,
    "urgency": pl.String,
    "direction": pl.Int64,
    "size_contracts": pl.Float64,
    "units": pl.Float64,
    "detected_ns": pl.Int64,
    "entry_ns": pl.Int64,
    "entry_price": pl.Float64,
    "exit_ns": pl.Int64,
    "exit_price": pl.Float64,
    "target": pl.Float64,
    "stop": pl.Float64,
    "target_distance": pl.Float64,
    "stop_distance": pl.Float64,
    "limit_minutes": pl.Float64,
    "point": pl.Float64,
    "exit_reason": pl.String,
    "flags": pl.String,
    "age_seconds": pl.Float64,
    "gross_usd": pl.Float64,
    "fees_usd": pl.Float64,
    "spread_usd": pl.Float64,
    "slippage_usd": pl.Float64,
    "net_usd": pl.Float64,
    "gross_points": pl.Float64,
    "net_points": pl.Float64,
    "net_bps": pl.Float64,
    "risk_usd": pl.Float64,
    "sentence": pl.String,
}
