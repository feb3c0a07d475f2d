"""Shocks as they were and what a scan found, in the columns that comparisons need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.pressure import pressure
from hedgeflow.market.time import SECOND_NS
from hedgeflow.signals.response import tier_response_minutes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.scanning import ScanResult


TIERS: Final = "tiers"
RESPONSE_MODELS: Final = (TIERS, "calibrated")
"""What an alert's expected response was made by."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there was and what was found.

    Attributes
    ----------
    shocks : polars.DataFrame
        Of `true_shocks`, in order of time.
    contracts : polars.DataFrame
        A row a shock and contract: `shock_id`, `contract`, `shock_first_ns`, `shock_last_ns`.
    alerts, events, anomalies : polars.DataFrame
        The tables of a scan with `first_ns` and `until_ns`, from the first anomaly to the trigger,
        to the last anomaly, to the anomaly itself; alerts with `response_model` too.
    window_ns : int
        The longest window in which anomalies are looked for.
    """

    shocks: pl.DataFrame
    contracts: pl.DataFrame
    alerts: pl.DataFrame
    events: pl.DataFrame
    anomalies: pl.DataFrame
    window_ns: int


def found_by(
    scan: ScanResult, shocks: pl.DataFrame, contracts: pl.DataFrame, config: VolumeShockConfig
) -> Found:
    """Return what a scan found beside the shocks that there were."""
    return Found(
        shocks=shocks,
        contracts=contracts,
        alerts=alert_spans(scan.alerts, scan.events).with_columns(
            response_model=_response_models(scan.alerts, config)
        ),
        events=scan.events.with_columns(until_ns=pl.col("last_ns")),
        anomalies=scan.anomalies.with_columns(
            first_ns=pl.col("at_ns"),
            until_ns=pl.col("at_ns"),
            window_ns=(pl.col("window_seconds") * SECOND_NS).round().cast(pl.Int64),
        ),
        window_ns=longest_window_ns(config),
    )


def longest_window_ns(config: VolumeShockConfig) -> int:
    """Return the longest window in which a configuration looks for anomalies."""
    return round(max(config.anomaly.windows_seconds) * SECOND_NS)


def alert_spans(alerts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Return alerts with `first_ns`, their event's first anomaly, and `until_ns`, the trigger."""
    begun = alerts.join(
        events.select("event_id", "first_ns"),
        on="event_id",
        how="left",
        maintain_order="left",
    )
    return begun.with_columns(until_ns=pl.col("triggered_ns"))


def shock_spans(truth: pl.DataFrame) -> pl.DataFrame:
    """Return the truth of shocks with `shock_first_ns` and `shock_last_ns`, in order of time."""
    return truth.with_columns(
        shock_first_ns=pl.col("ts").dt.epoch("ns"),
        shock_last_ns=pl.col("last_print").dt.epoch("ns"),
    ).sort("shock_first_ns", maintain_order=True)


def true_shocks(
    truth: pl.DataFrame, contracts: pl.DataFrame, market: Market, config: VolumeShockConfig
) -> pl.DataFrame:
    """Return the shocks, each with what a perfect observer would have decided on.

    Columns: `shock_id`, `shock_class`, `contract`, `strikes`, `shock_first_ns`, `shock_last_ns`;
    `demand`, the true hedge demand, and `demand_scaled`, the same in the units of the thresholds
    with the V5 that the scan had, null where it had none; `concentration`, the share of the
    largest strike in its lots; `response_minutes`, from its first print to half of its hedge, null
    where nobody hedged; `should_alert`, whether these two give a pressure above the threshold.
    """
    shocks = shock_spans(truth).rename({"delta": "demand"})
    strike = contracts.group_by("shock_id", "expiry", "strike").agg(pl.col("lots").sum())
    largest = strike.group_by("shock_id").agg(
        concentration=pl.col("lots").max() / pl.col("lots").sum()
    )
    with_strikes = shocks.join(largest, on="shock_id", how="left", maintain_order="left")
    scaled = _scaled(with_strikes, market, config)
    response = with_strikes["response_minutes"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    threshold = config.alert.pressure_threshold
    should = [
        bool(pressure(demand, minutes) > threshold)
        for demand, minutes in zip(scaled.tolist(), response.tolist(), strict=True)
    ]
    return with_strikes.with_columns(
        demand_scaled=pl.Series(scaled).fill_nan(None),
        should_alert=pl.Series(should, dtype=pl.Boolean),
    ).select(
        "shock_id", "shock_class", "contract", "strikes", "shock_first_ns", "shock_last_ns",
        "demand", "demand_scaled", "concentration", "response_minutes", "should_alert",
    )  # fmt: skip


def _scaled(shocks: pl.DataFrame, market: Market, config: VolumeShockConfig) -> NDArray[np.float64]:
    demand = shocks["demand"].to_numpy()
    if config.scale.demand == "absolute":
        return demand
    sessions = market.sessions.index_of(shocks["shock_first_ns"].to_numpy())
    opens = market.sessions.open_ns
    scale = np.array(
        [market.volume.scale_volume(int(opens[index])) or np.nan for index in sessions.tolist()]
    )
    return config.scale.reference_demand * demand / scale


def _response_models(alerts: pl.DataFrame, config: VolumeShockConfig) -> pl.Series:
    """Return what made each alert's expected response: the calibrated model unless tiers say it."""
    rules = config.response
    tiers = [
        tier_response_minutes(
            scaled,
            rules.emergency_demand,
            rules.urgent_demand,
            rules.emergency_minutes,
            rules.urgent_minutes,
            rules.routine_minutes,
        )
        for scaled in alerts["demand_scaled"].to_list()
    ]
    of_tiers = alerts["response_minutes"].to_numpy() == np.array(tiers, dtype=np.float64)
    return pl.Series(np.where(of_tiers, *RESPONSE_MODELS).tolist(), dtype=pl.String)
