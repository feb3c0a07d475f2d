"""What the functions give back: tables and words that show themselves in a notebook."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from hedgeflow.evidence.report.notebook import Page, figures_of, fragment, verdict_fragment
from hedgeflow.market.errors import EvidenceError
from hedgeflow.market.time import iso
from hedgeflow.studies import validation
from hedgeflow.studies.strategies import study_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hedgeflow.evidence import Evidence
    from hedgeflow.evidence.checks import JsonObject
    from hedgeflow.strategies.settings import StrategyConfig

    Progress = Callable[[int, int], None]
    """Called with prints scanned and prints in all."""

SHOWN_ROWS = 10


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
        return validation.write_validation(self._made, Path(folder), now())

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


def now() -> str:
    """Return the instant by the machine's clock, ISO 8601: a notebook is a front door."""
    return iso(time.time_ns())
