"""Replays a recorded run's alerts again with something changed, without touching the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from hedgeflow.evidence import Arm, ArmGroup
from hedgeflow.market.settings import merged
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.replay import TRADE_SCHEMA
from hedgeflow.studies.backtesting import traded_alerts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.replay import HedgeTape
    from hedgeflow.risk import Calendar
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.backtesting import Backtest
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.study import ScanResult, Study

READ: Final = ("alert_id", "session", "exit_ns", "net_usd", "net_bps", "age_seconds")
"""Columns of a trade that evidence reads as they are."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """A recorded run, ready to be replayed with something changed.

    An arm is no configuration that somebody may choose: it is not counted as a trial, and the
    package says how many arms were looked at.

    Attributes
    ----------
    market : Market
    config : StrategyConfig
        As it was run.
    result : Backtest
    calendar : Calendar or None
    study : Study
        Of the strategy: its replay, and its risk controls.
    sessions : tuple of str
        Those that the run is judged on, ascending.
    """

    market: Market
    config: StrategyConfig
    result: Backtest
    calendar: Calendar | None
    study: Study[Any]
    sessions: tuple[str, ...]

    @property
    def own(self) -> pl.DataFrame:
        """The run's trades as they were recorded; a replay without any change gives the same."""
        return self.result.trades.select(list(TRADE_SCHEMA))

    def changed(self, settings: Mapping[str, Mapping[str, object]]) -> StrategyConfig:
        """Return the configuration with some settings changed, section by section."""
        document: dict[str, Any] = {name: dict(values) for name, values in settings.items()}
        return self.study.of_settings(merged(self.config.model_dump(), document))

    def trades(
        self,
        *,
        alerts: pl.DataFrame | None = None,
        config: StrategyConfig | None = None,
        tape: HedgeTape | None = None,
        scan: ScanResult | None = None,
    ) -> pl.DataFrame:
        """Return the trades that a replay gives, as `replay.tables.TRADE_SCHEMA`.

        Where a setting changes that a scan reads, the market is scanned anew.

        Parameters
        ----------
        alerts : polars.DataFrame, optional
            In place of the run's own.
        config : StrategyConfig, optional
        tape : HedgeTape, optional
        scan : ScanResult, optional
            What the alerts are of, where they are not the run's own.
        """
        settings = self.config if config is None else config
        if alerts is None:
            scan, alerts = self._seen(settings)
        return self.study.replay(
            self.market,
            settings,
            self.result.scan if scan is None else scan,
            alerts,
            self.result.tape if tape is None else tape,
            self.calendar,
        ).trades

    def _seen(self, config: StrategyConfig) -> tuple[ScanResult, pl.DataFrame]:
        """Return the scan and the alerts that a configuration sees."""
        if self.study.scan_settings(config) == self.study.scan_settings(self.config):
            return self.result.scan, self.result.alerts
        scan = self.study.scan(self.market, config)
        return scan, traded_alerts(self.market, scan)

    def arm(
        self,
        group: ArmGroup,
        name: str,
        words: str,
        parameter: float | None,
        trades: pl.DataFrame,
        *,
        sessions: tuple[str, ...] | None = None,
        reference: bool = False,
        note: str = "",
    ) -> Arm:
        """Return trades as evidence reads an arm's.

        Trades in sessions that the run is not judged on are left out, and the note says so.
        """
        held = (pl.col("exit_ns") - pl.col("entry_ns")) / MINUTE_NS
        columns = trades.select(*READ, hold_minutes=held.cast(pl.Float64))
        inside = columns.filter(pl.col("session").is_in(self.sessions))
        if inside.height < columns.height:
            left_out = f"{columns.height - inside.height:,} trades of other sessions were left out."
            note = f"{note} {left_out}".strip()
        return Arm(group, name, words, parameter, inside, sessions, reference, note)
