"""hedgeflow from Python: the main job's steps as functions, whose results show themselves.

What is run, counted and journalled is what the commands of the same names run, count and journal.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from hedgeflow.evidence import package_document
from hedgeflow.evidence.opening import open_package
from hedgeflow.evidence.report.notebook import Page, figures_of, fragment, verdict_fragment
from hedgeflow.market.errors import EvidenceError
from hedgeflow.market.time import iso
from hedgeflow.studies import backtesting, validation
from hedgeflow.studies.asking import (
    Asked,
    asked_calendar,
    asked_journal,
    asked_market,
    check_strategy,
)
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.vaults import vault_notes, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hedgeflow.evidence import Evidence
    from hedgeflow.evidence.checks import JsonObject
    from hedgeflow.journal import Journal
    from hedgeflow.strategies.settings import StrategyConfig

    Progress = Callable[[int, int], None]
    """Called with prints scanned and prints in all."""

SHOWN_ROWS = 10
STRATEGY = "volume-shock"

__all__ = [
    "Backtest",
    "Package",
    "Scan",
    "Validation",
    "backtest",
    "load_package",
    "scan",
    "validate",
]


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What a scan found.

    Attributes
    ----------
    run_id : str
        Its name in the journal.
    simulated : bool
    config : StrategyConfig
    alerts, events, anomalies : polars.DataFrame
        Alerts with the highest pressure first.
    counts : mapping of str to int
        What was read, and what came of it.
    notes : tuple of str
    found : str
        What was read and found on the way to alerts, in a few words.
    """

    run_id: str
    simulated: bool
    config: StrategyConfig
    alerts: pl.DataFrame
    events: pl.DataFrame
    anomalies: pl.DataFrame
    counts: Mapping[str, int]
    notes: tuple[str, ...]

    found: str

    @property
    def _line(self) -> str:
        return f"{self.found}; run {self.run_id}"

    def __repr__(self) -> str:
        return f"{_mark(self.simulated)}{self.alerts.height:,} alerts: {self._line}"

    def _repr_html_(self) -> str:
        shown = study_of(self.config).alert_columns
        rows = [
            (iso(row["detected_ns"]), *(_cell(row[column.name]) for column in shown))
            for row in self.alerts.head(SHOWN_ROWS).iter_rows(named=True)
        ]
        columns = [
            ("detected", False),
            *((column.heading.replace("_", " "), column.is_number) for column in shown),
        ]
        return fragment(
            f"{self.alerts.height:,} alerts",
            self._line,
            [(columns, rows)] if rows else [],
            simulated=self.simulated,
            notes=self.notes,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """The record of one configuration on one market; no verdict.

    Attributes
    ----------
    run_id : str
    simulated : bool
    config : StrategyConfig
    alerts, decisions, trades, ledger_entries : polars.DataFrame
        The journal's tables of the run.
    configurations : int
        Tried on these data so far, this one included.
    notes : tuple of str
    """

    run_id: str
    simulated: bool
    config: StrategyConfig
    alerts: pl.DataFrame
    decisions: pl.DataFrame
    trades: pl.DataFrame
    ledger_entries: pl.DataFrame
    configurations: int
    notes: tuple[str, ...]

    @property
    def gross_usd(self) -> float:
        """What the trades earned before costs."""
        return float(self.trades["gross_usd"].sum())

    @property
    def net_usd(self) -> float:
        """What they earned after all costs."""
        return float(self.trades["net_usd"].sum())

    @property
    def _line(self) -> str:
        gross, net = self.gross_usd, self.net_usd
        return (
            f"{self.alerts.height:,} alerts, gross {gross:,.2f} USD, costs {gross - net:,.2f}, net"
            f" {net:,.2f}; configuration {self.configurations:,} on these data; run {self.run_id}"
        )

    def __repr__(self) -> str:
        return f"{_mark(self.simulated)}{self.trades.height:,} trades: {self._line}"

    def _repr_html_(self) -> str:
        tables = [
            (((name, False), (what, True)), frame[column].value_counts(sort=True).rows())
            for name, what, frame, column in (
                ("Decision", "Alerts", self.decisions, "reason_code"),
                ("Exit", "Trades", self.trades, "exit_reason"),
            )
            if frame.height
        ]
        return fragment(
            f"{self.trades.height:,} trades",
            self._line,
            tables,
            simulated=self.simulated,
            notes=self.notes,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """A verdict and everything behind it.

    Attributes
    ----------
    document : mapping
        evidence.json as it will be written.
    evidence : Evidence
        The same as records.
    backtest : Backtest
        What was traded.
    report : pathlib.Path or None
        The report, if a folder was named to write the package to.
    """

    document: JsonObject
    evidence: Evidence
    backtest: Backtest
    report: Path | None
    _made: validation.Validation

    @property
    def verdict(self) -> str:
        """VALIDATED, REJECTED or INSUFFICIENT_DATA."""
        return self.evidence.decision.verdict.value

    @property
    def simulated(self) -> bool:
        """Whether the market was simulated."""
        return self.evidence.manifest.simulated

    @property
    def trades(self) -> pl.DataFrame:
        """The trades of the run."""
        return self.backtest.trades

    @property
    def gates(self) -> pl.DataFrame:
        """Every gate, judged."""
        return _judged(self.document, "experimental_validity", "gates")

    @property
    def claims(self) -> pl.DataFrame:
        """Every claim, judged."""
        return _judged(self.document, "hypothesis_validation", "claims")

    def save(self, folder: str | Path) -> Path:
        """Write the package with its report and return the report's path.

        Raises
        ------
        EvidenceError
            The folder holds something that is no package.
        """
        return validation.write_validation(self._made, Path(folder), _now())

    def show(self) -> Page:
        """Return the whole report, which shows itself in a notebook."""
        from hedgeflow.evidence.report.evidence_page import render_report

        tables = self._made.tables
        return Page(render_report(self.document, tables, tables.event_study))

    def __repr__(self) -> str:
        return _verdict_words(self.document)

    def _repr_html_(self) -> str:
        return verdict_fragment(self.document)


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """An evidence package that lies in a folder.

    Attributes
    ----------
    folder : pathlib.Path
    document : mapping
        Its evidence.json.
    """

    folder: Path
    document: JsonObject

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of its tables."""
        return tuple(sorted(path.stem for path in self.folder.glob("*.parquet")))

    def table(self, name: str) -> pl.DataFrame:
        """Return one of its tables, such as trades.

        Raises
        ------
        EvidenceError
            It has no such table.
        """
        if name not in self.tables:
            raise EvidenceError(
                f"has no table {name!r}",
                where=str(self.folder),
                hint=f"It has {', '.join(self.tables)}",
            )
        return pl.read_parquet(self.folder / f"{name}.parquet")

    @property
    def trades(self) -> pl.DataFrame:
        """Its trades."""
        return self.table("trades")

    @property
    def gates(self) -> pl.DataFrame:
        """Every gate, judged."""
        return _judged(self.document, "experimental_validity", "gates")

    @property
    def claims(self) -> pl.DataFrame:
        """Every claim, judged."""
        return _judged(self.document, "hypothesis_validation", "claims")

    def show(self) -> Page:
        """Return its report, which shows itself in a notebook."""
        report = self.folder / "report.html"
        if not report.is_file():
            raise EvidenceError(
                "has no report.html",
                where=str(self.folder),
                hint="Make the package again with hedgeflow validate --from",
            )
        return Page(report.read_text(encoding="utf-8"))

    def __repr__(self) -> str:
        return _verdict_words(self.document)

    def _repr_html_(self) -> str:
        return verdict_fragment(self.document)


def scan(
    catalog: str | Path,
    underlying: str,
    *,
    strategy: str = STRATEGY,
    preset: str | None = None,
    config: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    journal: str | Path | None = None,
    progress: Progress | None = None,
) -> Scan:
    """Find what a strategy trades on and journal the alerts.

    Parameters
    ----------
    catalog : str or Path
    underlying : str
        What the options are on, as in BTC.
    strategy : str
        ``volume-shock`` or ``expiration-pressure``.
    preset : str, optional
        ``normalized`` or ``source``.
    config : str or Path, optional
        TOML over the preset.
    settings : mapping, optional
        Single settings over both, by dotted keys or by sections.
    journal : str or Path, optional
        A file or an address; else the catalog's own.
    progress : callable, optional
        Called with prints scanned and prints in all.

    Raises
    ------
    HedgeflowError
        As the command: its message says what is wrong, where, and what to do.
    """
    check_strategy(strategy)
    asked = _asked(strategy, catalog, underlying, preset, config, settings, must_trade=False)
    with _journal(catalog, journal) as record:
        market = visible(asked.market, asked.config, record)
        run, found = backtesting.scan_to_journal(market, asked.config, record, progress)
        of_vault = vault_notes(record, market)
    order = ["pressure", "triggered_ns", "contract"]
    return Scan(
        run_id=run.run_id,
        simulated=asked.market.simulated,
        config=asked.config,
        alerts=found.alerts.sort(order, descending=[True, False, False]),
        events=found.events,
        anomalies=found.anomalies,
        counts=study_of(asked.config).scan_counts(found),
        notes=(*_own_settings(asked), *of_vault, *market.notes, *found.notes),
        found=study_of(asked.config).scan_words(found),
    )


def backtest(
    catalog: str | Path,
    underlying: str,
    *,
    strategy: str = STRATEGY,
    preset: str | None = None,
    config: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    journal: str | Path | None = None,
    calendar: Sequence[str | Path] = (),
    calendar_kind: str | None = None,
    calendar_timezone: str | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Trade the alerts in replay and journal every decision; no verdict, see `validate`.

    Parameters
    ----------
    catalog, underlying, strategy, preset, config, settings, journal, progress
        As `scan`.
    calendar : sequence of str or Path
        CSV or iCalendar files of earnings and economic releases.
    calendar_kind, calendar_timezone : str, optional
        What events are that do not say it, and the zone of dates and of times that carry none.

    Raises
    ------
    HedgeflowError
        As the command.
    """
    check_strategy(strategy)
    asked = _asked(strategy, catalog, underlying, preset, config, settings)
    paths = [Path(each) for each in calendar]
    events = asked_calendar(paths, asked.market, kind=calendar_kind, timezone=calendar_timezone)
    with _journal(catalog, journal) as record:
        market = visible(asked.market, asked.config, record)
        made = backtesting.backtest(
            market, asked.config, record, calendar=events, progress=progress
        )
        of_vault = vault_notes(record, market)
    return _backtest(made, asked, of_vault)


def validate(
    catalog: str | Path,
    underlying: str,
    *,
    strategy: str = STRATEGY,
    preset: str | None = None,
    config: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    journal: str | Path | None = None,
    calendar: Sequence[str | Path] = (),
    calendar_kind: str | None = None,
    calendar_timezone: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Say whether the claim holds: backtest, test, and write the package if a folder is named.

    Parameters
    ----------
    catalog, underlying, strategy, preset, config, settings, journal, progress
        As `scan`.
    calendar, calendar_kind, calendar_timezone
        As `backtest`.
    out : str or Path, optional
        Folder of the package; `Validation.save` writes it too.

    Raises
    ------
    HedgeflowError
        As the command.
    """
    check_strategy(strategy)
    if out is not None:
        validation.check_out(Path(out))
    asked = _asked(strategy, catalog, underlying, preset, config, settings)
    paths = [Path(each) for each in calendar]
    events = asked_calendar(paths, asked.market, kind=calendar_kind, timezone=calendar_timezone)
    with _journal(catalog, journal) as record:
        made = validation.validate(
            asked.market, asked.config, record, calendar=events, progress=progress
        )
    document = package_document(made.evidence, timestamp=_now(), files={})
    return Validation(
        document=document,
        evidence=made.evidence,
        backtest=_backtest(made.backtest, asked),
        report=None if out is None else validation.write_validation(made, Path(out), _now()),
        _made=made,
    )


def load_package(folder: str | Path) -> Package:
    """Return the package in a folder, checked against its schema and the hashes of its files.

    Raises
    ------
    EvidenceError
        There is no package, another schema version wrote it, or a file was changed since.
    """
    found = open_package(Path(folder))
    return Package(found.folder, found.document)


def _asked(
    strategy: str,
    catalog: str | Path,
    underlying: str,
    preset: str | None,
    config: str | Path | None,
    settings: Mapping[str, Any] | None,
    *,
    must_trade: bool = True,
) -> Asked:
    return asked_market(
        Path(catalog),
        underlying,
        strategy=strategy,
        preset=preset,
        config=None if config is None else Path(config),
        settings=list(_assignments(settings or {})),
        must_trade=must_trade,
    )


def _journal(catalog: str | Path, journal: str | Path | None) -> Journal:
    """Return the journal that is named, here or in the environment, else the catalog's own."""
    named = journal or os.environ.get("HEDGEFLOW_JOURNAL")
    return asked_journal(Path(catalog), named, clock=time.time_ns)


def _assignments(settings: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield ``section.key=value`` for each setting: JSON's scalars and lists are TOML's too."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _assignments(cast("Mapping[str, Any]", value), f"{before}{key}.")
        else:
            yield f"{before}{key}={json.dumps(value, default=str)}"


def _own_settings(asked: Asked) -> tuple[str, ...]:
    if not asked.of_the_scenario:
        return ()
    told = json.dumps(asked.of_the_scenario)
    return (f"The simulated market's own settings lie under yours: {told}.",)


def _backtest(made: backtesting.Backtest, asked: Asked, of_vault: tuple[str, ...] = ()) -> Backtest:
    return Backtest(
        run_id=made.run.run_id,
        simulated=asked.market.simulated,
        config=asked.config,
        alerts=made.alerts,
        decisions=made.decisions,
        trades=made.trades,
        ledger_entries=made.ledger_entries,
        configurations=made.configurations,
        notes=(*_own_settings(asked), *of_vault, *made.notes),
    )


def _judged(document: JsonObject, part: str, name: str) -> pl.DataFrame:
    rows = cast("dict[str, list[dict[str, Any]]]", document[part])[name]
    kept = ("id", "statement", "status", "value", "lower", "upper", "sample_size", "threshold",
            "upper_threshold", "reason")  # fmt: skip
    numbers = {"value", "lower", "upper", "threshold", "upper_threshold"}
    schema = {
        name: pl.Float64 if name in numbers else pl.Int64 if name == "sample_size" else pl.String
        for name in kept
    }
    return pl.DataFrame([{name: row[name] for name in kept} for row in rows], schema=schema)


def _verdict_words(document: JsonObject) -> str:
    validity = cast("dict[str, Any]", document["experimental_validity"])
    figures = (f"  {name}: {words}" for name, words in figures_of(document).items())
    return "\n".join([str(validity["label"]), *figures])


def _mark(simulated: bool) -> str:
    return "SIMULATED: " if simulated else ""


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _now() -> str:
    return iso(time.time_ns())
