"""Expiration pressure as the studies see it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow.evidence import ArmGroup
from hedgeflow.market.time import iso
from hedgeflow.replay import replay_conditions
from hedgeflow.replay.expiration import known_decisions
from hedgeflow.signals.settlement_rules import SignalClass
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.claims import DECLARATION
from hedgeflow.strategies.expiration_pressure.feasibility import explain_config
from hedgeflow.strategies.expiration_pressure.search_space import SCAN_READS, SEARCH_SPACE
from hedgeflow.studies.expiration.explaining import explained_strike
from hedgeflow.studies.expiration.markets import is_stand_in, load_expiry_market, require_tapes
from hedgeflow.studies.expiration.placebos import placebo_arms
from hedgeflow.studies.expiration.scanning import looked_at, scan_expiries
from hedgeflow.studies.expiration.tables import NOT_OF_SHOCKS, evidence_tables
from hedgeflow.studies.hedge_tapes import hedge_tape
from hedgeflow.studies.of_strategy import OfStrategy
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
    from hedgeflow.studies.explaining import AlertCase, StrikeExplanation
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.study import ScanResult

DIRECTIONS: Final = {
    "steer-away": "every strike repels, as the source has it",
    "pin": "every strike attracts",
    "dealer-gamma": "long dealers pin, short dealers steer away",
}
"""The three ways in which every backtest is made (expiration-pressure.md 3)."""

ALERT_COLUMNS: Final = (
    AlertColumn("alert_id", "alert_id", False),
    AlertColumn("contract", "strike", False),
    AlertColumn("direction", "direction", False),
    AlertColumn("spot", "price", True),
    AlertColumn("volume_contracts", "open interest", True),
    AlertColumn("pressure", "pressure", True),
    AlertColumn("response_minutes", "minutes left", True),
    AlertColumn("urgency", "urgency", False),
    AlertColumn("flow_class", "class", False),
    AlertColumn("confidence", "confidence", True),
)


class ExpirationStudy(OfStrategy[ExpirationPressureConfig]):
    """Expiration pressure; every method is that of `Study`."""

    def __init__(self, declaration: Declaration = DECLARATION) -> None:
        """Take what the strategy says of itself, or another declaration of it."""
        super().__init__(
            declaration=declaration,
            search_space=SEARCH_SPACE,
            config_type=ExpirationPressureConfig,
            explained=explain_config,
            reads=SCAN_READS,
        )

    def load_market(
        self,
        catalog: Catalog,
        underlying: str,
        config: ExpirationPressureConfig,
        *,
        must_trade: bool = True,
    ) -> Market:
        """Return the chain's tape, its open interest, and what is traded."""
        return load_expiry_market(catalog, underlying, config, must_trade=must_trade)

    def require_hedge(
        self, catalog: Catalog, options: TapeKey, config: ExpirationPressureConfig
    ) -> None:
        """Refuse a catalog without a price, or without open interest."""
        require_tapes(catalog, options, config)

    def tested_sessions(self, market: Market, config: ExpirationPressureConfig) -> tuple[int, ...]:
        """Return the sessions in which it could trade, were there earlier expiries enough.

        Those before the tenth expiry count as days without a trade: a Sharpe ratio is the lower.
        """
        needs_scale = config.scale.demand == "relative"
        if needs_scale and is_stand_in(market.hedge):
            return ()
        return market.tested_sessions(needs_scale=needs_scale)

    def check(self, market: Market, config: ExpirationPressureConfig) -> None:
        """Every configuration can be served: what is not known gives no alert, and is counted."""

    def scan(
        self,
        market: Market,
        config: ExpirationPressureConfig,
        progress: Callable[[int, int], None] | None = None,
    ) -> ScanResult:
        """Fold prices, open interest and volume."""
        return scan_expiries(market, config, progress)

    def anomaly_rows(self, scan: ScanResult) -> pl.DataFrame:
        """Return no rows: no step of this strategy is an anomaly."""
        return scan.anomalies

    def scan_counts(self, scan: ScanResult) -> dict[str, int]:
        """Return rows read, expiries looked at, and what became of the looks."""
        return {
            "option_rows": scan.prints,
            "expiries": scan.more["expiry_counts"].height,
            **scan.counts,
        }

    def scan_words(self, scan: ScanResult) -> str:
        """Return how many rows were read, and how many expiries looked at how often."""
        below = scan.counts["below_open_interest"]
        return (
            f"{scan.prints:,} rows of the option tape,"
            f" {looked_at(scan.more['expiry_counts'].height)} {scan.counts['evaluations']:,} times"
            + (f", at {below:,} of them no strike had enough open interest" if below else "")
        )

    @property
    def silent_columns(self) -> tuple[str, ...]:
        """The columns that are of shocks alone."""
        return NOT_OF_SHOCKS

    @property
    def alert_columns(self) -> tuple[AlertColumn, ...]:
        """The columns of alerts that people are shown."""
        return ALERT_COLUMNS

    def hedge_tape(self, market: Market) -> HedgeTape:
        """Return the tape of what is traded; of an index no volume is known."""
        tape = hedge_tape(market)
        if not is_stand_in(market.hedge):
            return tape
        unknown = np.full_like(tape.session_volume_contracts, np.nan)
        return replace(tape, session_volume_contracts=unknown)

    def replay(
        self,
        market: Market,
        config: ExpirationPressureConfig,
        scan: ScanResult,
        alerts: pl.DataFrame,
        tape: HedgeTape,
        calendar: Calendar | None,
    ) -> ReplayResult:
        """Return what would have been traded while conditions held."""
        return replay_conditions(
            scan.more["conditions"],
            alerts,
            tape,
            config,
            calendars=calendar,
            volatility_index=market.volatility_index,
        )

    def known_decisions(self, result: ReplayResult, alerts: pl.DataFrame) -> pl.DataFrame:
        """Return decisions, known with the fill or, of a skip, once nothing can follow it."""
        return known_decisions(result, alerts)

    def alert_documents(
        self, alerts: pl.DataFrame, config: ExpirationPressureConfig
    ) -> list[dict[str, Any]]:
        """Return alerts with what is known of their strikes."""
        del config
        shown = (
            "alert_id", "underlying", "contract", "direction", "pressure", "urgency", "flow_class",
            "confidence", "spot", "point", "sigma", "sigma_source", "scale_volume", "sentence",
        )  # fmt: skip
        return [
            {
                "type": "EXPIRATION_PRESSURE",
                **{name: row[name] for name in shown},
                "open_interest": row["volume_contracts"],
                "minutes_left": row["response_minutes"],
                "detected": iso(row["detected_ns"]),
                **json.loads(row["members_json"]),
            }
            for row in alerts.iter_rows(named=True)
        ]

    def explain(self, case: AlertCase) -> StrikeExplanation:
        """Return open interest by its sources, probabilities, pressure and gamma of a strike."""
        return explained_strike(case)

    def signing_words(self, alerts: pl.DataFrame, config: ExpirationPressureConfig) -> str:
        """Return by what dealers' side at the strikes was told."""
        del config
        if alerts.is_empty():
            return "nothing, for want of alerts"
        basis = [json.loads(text)["gamma_basis"] for text in alerts["members_json"].to_list()]
        shares = {name: basis.count(name) / len(basis) for name in dict.fromkeys(basis)}
        told = {
            "SIGNED_FLOW": "the volume signed since the tapes begin",
            "LONG_CALLS_SHORT_PUTS": "the convention of long calls and short puts",
            "SHORT_ALL": "the convention that dealers are short every option",
        }
        return ", ".join(
            f"{told[name]} ({100.0 * share:.0f} % of alerts)" for name, share in shares.items()
        )

    def evidence_tables(
        self,
        market: Market,
        config: ExpirationPressureConfig,
        result: Backtest,
        truth: pl.DataFrame | None,
    ) -> tuple[EvidenceTables, list[str]]:
        """Return the record, closes beside strikes, probabilities, and what chance would do."""
        del truth
        return evidence_tables(market, config, result)

    def reader_notes(
        self,
        market: Market,
        config: ExpirationPressureConfig,
        result: Backtest,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[str]:
        """Return what a reader should know of the notices that were given."""
        del market, config
        if progress is not None:
            progress(1, 1)
        notices = result.scan.more["notices"]
        prepare = notices.filter(pl.col("strike").is_not_nan()).height
        given = f"{notices.height - prepare:,} timed notices and {prepare:,} times"
        return [f"{given} PREPARE_FOR_PANIC_MODE were given."]

    def pictured(
        self,
        tables: EvidenceTables,
        market: Market,
        config: ExpirationPressureConfig,
        result: Backtest,
    ) -> EvidenceTables:
        """Return the tables as they are: their pictures are made of what is judged."""
        del market, config, result
        return tables

    def arms(self, rerun: Rerun, config: ExpirationPressureConfig) -> list[Arm]:
        """Return the three directions side by side, and the run where nothing should be found."""
        own = config.direction.model
        arms: list[Arm] = []
        for model, words in DIRECTIONS.items():
            trades = (
                rerun.own
                if model == own
                else rerun.trades(
                    alerts=rerun.result.alerts,
                    config=rerun.changed({"direction": {"model": model}}),
                )
            )
            arms.append(
                rerun.arm(ArmGroup.DIRECTION, model, words, None, trades, reference=model == own)
            )
        return [*arms, *placebo_arms(rerun, config)]

    def counts(self, result: Backtest, config: ExpirationPressureConfig) -> list[str]:
        """Return how many alerts there were of each class, and of how many the filter made none."""
        del config
        alerts = result.alerts
        by_class = dict(alerts["flow_class"].value_counts().rows())
        listed = ", ".join(
            f"{by_class[each.name]:,} {each.name}" for each in SignalClass if each.name in by_class
        )
        kept = result.scan.counts
        stopped = (
            f"The filter stopped {kept['oi_too_small']:,} times too little open interest,"
            f" {kept['too_far']:,} too far, {kept['too_early']:,} too early and"
            f" {kept['too_weak']:,} too weak, counted at every look."
        )
        return [f"{alerts.height:,} alerts{': ' if listed else ''}{listed}.", stopped]
