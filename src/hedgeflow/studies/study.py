"""What a strategy brings so that every study serves it: tapes, scan, replay, figures, words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

import polars as pl

from hedgeflow.strategies.settings import StrategyConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hedgeflow.evidence import Arm, EvidenceTables
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.contracts import HedgeInstrument
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.replay import HedgeTape, ReplayResult
    from hedgeflow.risk import Calendar
    from hedgeflow.strategies.claims import Declaration
    from hedgeflow.strategies.feasibility import Finding
    from hedgeflow.strategies.search import Choices, Span
    from hedgeflow.studies.arms.rerun import Rerun
    from hedgeflow.studies.backtesting import Backtest
    from hedgeflow.studies.explaining import AlertCase, Explanation, StrikeExplanation
    from hedgeflow.studies.markets import Market

ConfigT = TypeVar("ConfigT", bound=StrategyConfig)


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan of a market found.

    Attributes
    ----------
    alerts : polars.DataFrame
        The journal's alerts table.
    anomalies : polars.DataFrame
        What led to alerts, one row each; empty where a strategy has no such step.
    events : polars.DataFrame
        One row an event that alerts belong to, as it stood when it closed.
    prints : int
        Rows of the option tape that were read.
    counts : dict of str to int
        What was left out, and why.
    scale_volume : float or None
        Median over the tested sessions of V5, underlying units.
    notes : tuple of str
    more : mapping
        What else a strategy's own replay and evidence read, by name.
    """

    alerts: pl.DataFrame
    anomalies: pl.DataFrame
    events: pl.DataFrame
    prints: int
    counts: dict[str, int]
    scale_volume: float | None
    notes: tuple[str, ...]
    more: Mapping[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame])


class AlertColumn(NamedTuple):
    """A column of the alerts table that people are shown.

    Attributes
    ----------
    name : str
        In the journal's table.
    heading : str
        What it holds for the strategy at hand.
    is_number : bool
    """

    name: str
    heading: str
    is_number: bool


class Study(Protocol, Generic[ConfigT]):
    """One strategy, as the studies that serve every strategy see it.

    Journal, trials, vaults, registrations, arms, sweeps, walk-forwards, verdicts and packages know
    no strategy but through this.
    """

    @property
    def declaration(self) -> Declaration:
        """What it claims, and what it must beat."""
        ...

    @property
    def search_space(self) -> tuple[Span | Choices, ...]:
        """What a sweep varies unless told otherwise."""
        ...

    def load_config(
        self,
        preset: str | None = None,
        path: Path | None = None,
        settings: Sequence[str] = (),
        *,
        market_settings: Mapping[str, Any] | None = None,
    ) -> ConfigT:
        """Return a configuration from a preset, a file and single settings."""
        ...

    def of_settings(self, document: Mapping[str, Any], where: str = "") -> ConfigT:
        """Return the configuration that a whole document of settings is."""
        ...

    def of_preset(self, preset: str) -> ConfigT:
        """Return a preset."""
        ...

    def explain_config(
        self,
        config: ConfigT,
        *,
        price: float | None = None,
        hedge: HedgeInstrument | None = None,
    ) -> Sequence[Finding]:
        """Return what conflicts, never binds or cannot pay its costs."""
        ...

    def scan_settings(self, config: ConfigT) -> dict[str, Any]:
        """Return all that alerts and the choice of tapes depend on; equal ones give equal scans."""
        ...

    def is_scanned(self, key: str) -> bool:
        """Say whether a scan must be made anew when a setting changes."""
        ...

    def load_market(
        self, catalog: Catalog, underlying: str, config: ConfigT, *, must_trade: bool = True
    ) -> Market:
        """Return the market of an underlying in a catalog."""
        ...

    def require_hedge(self, catalog: Catalog, options: TapeKey, config: ConfigT) -> None:
        """Refuse a catalog in which there is nothing to trade, before its tapes are read."""
        ...

    def tested_sessions(self, market: Market, config: ConfigT) -> tuple[int, ...]:
        """Return the sessions in which it could have traded."""
        ...

    def check(self, market: Market, config: ConfigT) -> None:
        """Refuse a configuration that a market cannot serve."""
        ...

    def scan(
        self,
        market: Market,
        config: ConfigT,
        progress: Callable[[int, int], None] | None = None,
    ) -> ScanResult:
        """Return what a market's tapes show."""
        ...

    def anomaly_rows(self, scan: ScanResult) -> pl.DataFrame:
        """Return a scan's anomalies as the journal takes them."""
        ...

    def scan_counts(self, scan: ScanResult) -> dict[str, int]:
        """Return what was read and what came of it, by name."""
        ...

    def scan_words(self, scan: ScanResult) -> str:
        """Return what was read and found on the way to alerts, in a few words."""
        ...

    @property
    def silent_columns(self) -> tuple[str, ...]:
        """Columns of the journal's alerts that it has nothing to say in; evidence gets none."""
        ...

    @property
    def alert_columns(self) -> tuple[AlertColumn, ...]:
        """The columns of alerts that people are shown."""
        ...

    def hedge_tape(self, market: Market) -> HedgeTape:
        """Return what is traded on."""
        ...

    def replay(
        self,
        market: Market,
        config: ConfigT,
        scan: ScanResult,
        alerts: pl.DataFrame,
        tape: HedgeTape,
        calendar: Calendar | None,
    ) -> ReplayResult:
        """Return what would have been traded on alerts of a scan."""
        ...

    def known_decisions(self, result: ReplayResult, alerts: pl.DataFrame) -> pl.DataFrame:
        """Return decisions with `known_ns`, from when on nothing later can change them."""
        ...

    def alert_documents(self, alerts: pl.DataFrame, config: ConfigT) -> list[dict[str, Any]]:
        """Return alerts as JSON shows them."""
        ...

    def explain(self, case: AlertCase) -> Explanation | StrikeExplanation:
        """Return what an alert rests on, recomputed from the tapes."""
        ...

    def signing_words(self, alerts: pl.DataFrame, config: ConfigT) -> str:
        """Return by which rules the volume of alerts was signed."""
        ...

    def evidence_tables(
        self, market: Market, config: ConfigT, result: Backtest, truth: pl.DataFrame | None
    ) -> tuple[EvidenceTables, list[str]]:
        """Return what evidence judges, and what to say of it."""
        ...

    def reader_notes(
        self,
        market: Market,
        config: ConfigT,
        result: Backtest,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[str]:
        """Return what only a reader needs: other readings of the tape, fits."""
        ...

    def pictured(
        self, tables: EvidenceTables, market: Market, config: ConfigT, result: Backtest
    ) -> EvidenceTables:
        """Return the tables with what only pictures are made of."""
        ...

    def arms(self, rerun: Rerun, config: ConfigT) -> list[Arm]:
        """Return the run's arms that only this strategy has."""
        ...

    def counts(self, result: Backtest, config: ConfigT) -> list[str]:
        """Return what was found on the way from prints to alerts, in sentences."""
        ...
