"""What evidence judges of a volume shock: the record, and what dealers and prices then did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.evidence import EvidenceTables, NullDraws
from hedgeflow.evidence.tables import with_figures
from hedgeflow.fills import CostModel
from hedgeflow.signals.rules import FlowClass
from hedgeflow.strategies.claims import NullKind
from hedgeflow.studies.matched_entries import direction_null, matched_null, session_direction_null
from hedgeflow.studies.predictions import predicted_and_observed
from hedgeflow.studies.scoring.matching import latest_shock
from hedgeflow.studies.scoring.shocks import alert_spans, longest_window_ns, shock_spans
from hedgeflow.studies.sessions import session_dates

if TYPE_CHECKING:
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.backtesting import Backtest
    from hedgeflow.studies.markets import Market

FLOW_UNTESTABLE = (
    "the catalog has no signed trades of the hedge instrument: bars say how much was traded, not"
    " who had to"
)


def evidence_tables(
    market: Market,
    config: VolumeShockConfig,
    result: Backtest,
    truth: pl.DataFrame | None = None,
) -> tuple[EvidenceTables, list[str]]:
    """Return the tables that evidence judges, and what to say of them.

    They are the record, and studies made of it.
    """
    classes = (
        None
        if truth is None
        else true_classes(result.alerts, result.scan.events, truth, longest_window_ns(config))
    )
    seen = predicted_and_observed(market, config, result, classes)
    reached = [
        frame["session"].to_list()
        for frame in (result.trades, seen.flow, with_figures(seen.prices))
        if frame is not None
    ]
    tables = EvidenceTables(
        trades=result.trades,
        alerts=result.alerts,
        decisions=result.decisions,
        ledger_entries=result.ledger_entries,
        sessions=session_dates(market, config, {date for dates in reached for date in dates}),
        sessions_per_year=float(market.sessions.per_year),
        nulls=_drawn(config, result),
        nulls_missing="there are no trades to match",
        flow=seen.flow,
        flow_untestable_reason=FLOW_UNTESTABLE,
        predictions=seen.predictions,
        prices=seen.prices,
        acceleration_basis=seen.acceleration_basis,
        truth=classes,
        events=result.scan.events,
        anomalies=result.scan.anomalies,
        costs_note=CostModel.of(config.costs, market.hedge).sentence,
        latency_limit_seconds=config.plan.oldest_alert_minutes * 60.0,
    )
    return tables, list(seen.notes)


def _drawn(config: VolumeShockConfig, result: Backtest) -> dict[NullKind, NullDraws]:
    draws = {
        NullKind.MATCHED_ENTRIES: matched_null(result.trades, result.tape, config),
        NullKind.DIRECTIONS: direction_null(result.trades, result.tape, config),
        NullKind.SESSION_DIRECTIONS: session_direction_null(result.trades, result.tape, config),
    }
    return {kind: null for kind, null in draws.items() if null is not None}


def true_classes(
    alerts: pl.DataFrame, events: pl.DataFrame, truth: pl.DataFrame, window_ns: int
) -> pl.DataFrame:
    """Return the class of the shock that each alert overlaps; of none, AMBIGUOUS_SIGNAL.

    The rule is that of `matching.overlaps`.
    """
    shocks = shock_spans(truth).select("shock_class", "shock_first_ns", "shock_last_ns")
    matched = latest_shock(alert_spans(alerts, events), shocks, window_ns)
    true_class = pl.col("shock_class").fill_null(FlowClass.AMBIGUOUS_SIGNAL.name)
    return matched.select("alert_id", true_class=true_class)
