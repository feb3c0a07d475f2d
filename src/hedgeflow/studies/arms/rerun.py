"""Replays a recorded run's alerts again with something changed, without touching the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from hedgeflow.evidence import Arm, ArmGroup
from hedgeflow.market.settings import merged, validated
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.replay import replay_alerts
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.replay import HedgeTape
    from hedgeflow.risk import Calendar
    from hedgeflow.studies.backtesting import Backtest
    from hedgeflow.studies.markets import Market


ARM_COLUMNS_OF_TRADES: Final = (
    "alert_id", "session", "exit_ns", "net_usd", "net_bps", "age_seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rerun:
    """A recorded run, ready to be replayed with something changed.

    An arm is no configuration that somebody may choose: it is not counted as a trial, and the
    package says how many arms were looked at.

    Attributes
    ----------
    market : Market
    config : VolumeShockConfig
        As it was run.
    result : Backtest
    calendar : Calendar or None
    """

    market: Market
    config: VolumeShockConfig
    result: Backtest
    calendar: Calendar | None

    def changed(self, settings: Mapping[str, Mapping[str, object]]) -> VolumeShockConfig:
        """Return the configuration with some settings changed, section by section."""
        document: dict[str, Any] = {name: dict(values) for name, values in settings.items()}
        return validated(VolumeShockConfig, merged(self.config.model_dump(), document))

    def trades(
        self,
        *,
        alerts: pl.DataFrame | None = None,
        config: VolumeShockConfig | None = None,
        tape: HedgeTape | None = None,
    ) -> pl.DataFrame:
        """Return the trades that a replay gives, as `replay.tables.TRADE_SCHEMA`.

        Parameters
        ----------
        alerts : polars.DataFrame, optional
            In place of the run's own.
        config : VolumeShockConfig, optional
        tape : HedgeTape, optional
        """
        return replay_alerts(
            self.result.alerts if alerts is None else alerts,
            self.result.tape if tape is None else tape,
            self.config if config is None else config,
            calendars=self.calendar,
            volatility_index=self.market.volatility_index,
        ).trades

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
        """Return trades as evidence reads an arm's."""
        held = (pl.col("exit_ns") - pl.col("entry_ns")) / MINUTE_NS
        columns = trades.select(*ARM_COLUMNS_OF_TRADES, hold_minutes=held.cast(pl.Float64))
        return Arm(group, name, words, parameter, columns, sessions, reference, note)
