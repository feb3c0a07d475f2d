"""The volume shock as the studies see it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import polars as pl

from hedgeflow.market.time import SECOND_NS, iso
from hedgeflow.replay import replay_alerts, require_signed_trades
from hedgeflow.signals.hedge_progress import HedgeProgress
from hedgeflow.signals.rules import BaselineOrigin
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.strategies.volume_shock.claims import DECLARATION
from hedgeflow.strategies.volume_shock.feasibility import explain_config
from hedgeflow.strategies.volume_shock.rules import observation_rules
from hedgeflow.strategies.volume_shock.search_space import SCAN_READS, SEARCH_SPACE
from hedgeflow.studies.arms.placebos import placebo_arms
from hedgeflow.studies.event_study import event_study
from hedgeflow.studies.explaining import explained
from hedgeflow.studies.hedge_choice import choose_hedge
from hedgeflow.studies.hedge_tapes import hedge_tape
from hedgeflow.studies.markets import load_market
from hedgeflow.studies.of_strategy import OfStrategy
from hedgeflow.studies.readings import other_readings, reading_count, staged
from hedgeflow.studies.response_fit import response_notes
from hedgeflow.studies.scanning import scan_market, signing_rules, signing_words
from hedgeflow.studies.shock_tables import evidence_tables
from hedgeflow.studies.study import AlertColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.evidence import Arm, EvidenceTables
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.replay import HedgeTape, ReplayResult
    from hedgeflow.risk import Calendar
    from hedgeflow.strategies.claims import Declaration
    from hedgeflow.studies.arms.rerun import Rerun
    from hedgeflow.studies.backtesting import Backtest
    from hedgeflow.studies.explaining import AlertCase, Explanation
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.study import ScanResult


ALERT_COLUMNS: Final = (
    AlertColumn("alert_id", "alert_id", False),
    AlertColumn("contract", "contract", False),
    AlertColumn("direction", "direction", False),
    AlertColumn("demand", "demand", True),
    AlertColumn("pressure", "pressure", True),
    AlertColumn("response_minutes", "response_minutes", True),
    AlertColumn("urgency", "urgency", False),
    AlertColumn("flow_class", "flow_class", False),
    AlertColumn("confidence", "confidence", True),
)


class ShockStudy(OfStrategy[VolumeShockConfig]):
    """The volume shock; every method is that of `Study`."""

    def __init__(self, declaration: Declaration = DECLARATION) -> None:
        """Take what the strategy says of itself, or another declaration of it."""
        super().__init__(
            declaration=declaration,
            search_space=SEARCH_SPACE,
            config_type=VolumeShockConfig,
            explained=explain_config,
            reads=SCAN_READS,
        )

    def load_market(
        self,
        catalog: Catalog,
        underlying: str,
        config: VolumeShockConfig,
        *,
        must_trade: bool = True,
    ) -> Market:
        """Return the option tape and the instrument that hedges it."""
        return load_market(catalog, underlying, config, must_trade=must_trade)

    def require_hedge(self, catalog: Catalog, options: TapeKey, config: VolumeShockConfig) -> None:
        """Refuse a catalog without an instrument that can be traded."""
        choose_hedge(catalog, options, config, must_trade=True)

    def tested_sessions(self, market: Market, config: VolumeShockConfig) -> tuple[int, ...]:
        """Return the sessions in which it could have traded."""
        return market.tested_sessions(needs_scale=config.scale.demand == "relative")

    def check(self, market: Market, config: VolumeShockConfig) -> None:
        """Refuse to wait for hedges that nothing shows."""
        require_signed_trades(config, known=market.flow is not None)

    def scan(
        self,
        market: Market,
        config: VolumeShockConfig,
        progress: Callable[[int, int], None] | None = None,
    ) -> ScanResult:
        """Fold the option tape."""
        return scan_market(market, config, progress)

    def anomaly_rows(self, scan: ScanResult) -> pl.DataFrame:
        """Return a scan's anomalies, each with its own D (precise.md 17)."""
        origins = {origin.value: origin.name for origin in BaselineOrigin}
        return scan.anomalies.select(
            "at_ns",
            "contract",
            "event_id",
            "contracts",
            "baseline_contracts",
            "floor_contracts",
            "ratio",
            "demand",
            window_ns=(pl.col("window_seconds") * SECOND_NS).round().cast(pl.Int64),
            baseline_origin=pl.col("origin").replace_strict(origins, return_dtype=pl.String),
        )

    def scan_counts(self, scan: ScanResult) -> dict[str, int]:
        """Return how many prints, anomalies and events there were, and what was left out."""
        return {
            "prints": scan.prints,
            "anomalies": scan.anomalies.height,
            "events": scan.events.height,
            **scan.counts,
        }

    def scan_words(self, scan: ScanResult) -> str:
        """Return how many prints, anomalies and events there were."""
        return (
            f"{scan.prints:,} prints, {scan.anomalies.height:,} anomalies,"
            f" {scan.events.height:,} events"
        )

    @property
    def silent_columns(self) -> tuple[str, ...]:
        """None: the journal's alerts were made for it."""
        return ()

    @property
    def alert_columns(self) -> tuple[AlertColumn, ...]:
        """The columns of alerts that people are shown."""
        return ALERT_COLUMNS

    def hedge_tape(self, market: Market) -> HedgeTape:
        """Return the hedge instrument's tape."""
        return hedge_tape(market)

    def replay(
        self,
        market: Market,
        config: VolumeShockConfig,
        scan: ScanResult,
        alerts: pl.DataFrame,
        tape: HedgeTape,
        calendar: Calendar | None,
    ) -> ReplayResult:
        """Return what would have been traded."""
        return replay_alerts(
            alerts,
            tape,
            config,
            calendars=calendar,
            volatility_index=market.volatility_index,
            hedges=hedge_progress(market, config, scan),
        )

    def known_decisions(self, result: ReplayResult, alerts: pl.DataFrame) -> pl.DataFrame:
        """Return decisions, each known when it is made."""
        del alerts
        return result.decisions.with_columns(known_ns="decided_ns")

    def alert_documents(
        self, alerts: pl.DataFrame, config: VolumeShockConfig
    ) -> list[dict[str, Any]]:
        """Return alerts with their members and how they were signed."""
        return [_alert_document(row, config) for row in alerts.iter_rows(named=True)]

    def explain(self, case: AlertCase) -> Explanation:
        """Return the prints behind an alert, how each was signed, and the baselines."""
        return explained(case)

    def signing_words(self, alerts: pl.DataFrame, config: VolumeShockConfig) -> str:
        """Return by which rules the volume was signed."""
        return signing_words(alerts, config)

    def evidence_tables(
        self,
        market: Market,
        config: VolumeShockConfig,
        result: Backtest,
        truth: pl.DataFrame | None,
    ) -> tuple[EvidenceTables, list[str]]:
        """Return the record, what dealers and prices did after alerts, and what chance would."""
        return evidence_tables(market, config, result, truth)

    def reader_notes(
        self,
        market: Market,
        config: VolumeShockConfig,
        result: Backtest,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[str]:
        """Return the tape's other readings, and the responses that were fitted."""
        count = reading_count(config)
        stages = [staged(progress, stage, count) for stage in range(count)]
        notes = other_readings(market, config, result.scan, stages)
        return [*notes, *response_notes(market, config, result.scan.events)]

    def pictured(
        self,
        tables: EvidenceTables,
        market: Market,
        config: VolumeShockConfig,
        result: Backtest,
    ) -> EvidenceTables:
        """Return the tables with what price and flow did around alerts."""
        return replace(tables, event_study=event_study(market, config, result.alerts))

    def arms(self, rerun: Rerun, config: VolumeShockConfig) -> list[Arm]:
        """Return the run where nothing should be found."""
        return placebo_arms(rerun, config)

    def counts(self, result: Backtest, config: VolumeShockConfig) -> list[str]:
        """Return how many prints, anomalies, events and alerts there were."""
        scan, cap = result.scan, config.alert.confidence_cap
        found = (
            f"{scan.prints:,} option prints gave {scan.anomalies.height:,} anomalies,"
            f" {scan.events.height:,} shock events and {result.alerts.height:,} alerts."
        )
        notes = [found]
        if scan.counts["prints_outside_sessions"]:
            outside = scan.counts["prints_outside_sessions"]
            notes.append(f"{outside:,} prints lay outside trading hours.")
        if scan.counts["candidates_without_baseline"]:
            notes.append(
                f"NO_BASELINE: {scan.counts['candidates_without_baseline']:,} times volume passed"
                " its floor where neither contract nor bucket had a history."
            )
        if scan.counts["events_without_scale"]:
            notes.append(
                f"NO_SCALE: {scan.counts['events_without_scale']:,} events came before the hedge"
                " instrument had one complete session, so that V5 was not known."
            )
        confidence = result.alerts["confidence"].to_numpy()
        if confidence.size:
            share = 100.0 * float((confidence >= cap).mean())
            notes.append(f"{share:.1f} % of alerts have the capped confidence {cap:g}.")
        return notes


def hedge_progress(
    market: Market, config: VolumeShockConfig, scan: ScanResult
) -> HedgeProgress | None:
    """Return what shows how much of each event's hedge is done; None without signed trades."""
    if market.flow is None or market.trades is None or not config.plan.exit_when_hedged:
        return None
    delay = (market.trades["known_at"] - market.trades["ts"]).dt.total_nanoseconds().max()
    began = scan.events.select("event_id", "first_ns").iter_rows()
    return HedgeProgress(
        market.flow,
        observation_rules(config),
        dict(began),
        known_after_ns=int(delay) if isinstance(delay, int) else 0,
    )


def _alert_document(row: dict[str, Any], config: VolumeShockConfig) -> dict[str, Any]:
    signing = cast("dict[str, Any]", json.loads(row["signing_json"]))
    return {
        **{name: value for name, value in row.items() if not name.endswith("_json")},
        "type": "VOLUME_SHOCK",
        "triggered": iso(row["triggered_ns"]),
        "detected": iso(row["detected_ns"]),
        "signing": signing_rules(row["signing_json"], config),
        "institutional_share": signing["INSTITUTIONAL"],
        "members": json.loads(row["members_json"]),
    }
