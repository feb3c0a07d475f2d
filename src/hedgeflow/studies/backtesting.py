"""A backtest: scan, decide, trade and journal one configuration on one market."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

import hedgeflow
from hedgeflow.journal import Journal, Run, Trial
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.trial_ledger import data_set_of
from hedgeflow.studies.vaults import refuse_sealed, visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.replay import HedgeTape
    from hedgeflow.risk import Calendar
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.study import ScanResult

JOURNAL_FILE = "journal.sqlite"
SOURCE_SUFFIXES = frozenset({".py", ".json", ".html", ".css", ".js"})


@dataclass(frozen=True, slots=True)
class Backtest:
    """One configuration's record on one market, read back from the journal.

    Attributes
    ----------
    run : Run
    trial_text : str
        What was tried, as `trial_document` writes it.
    scan : ScanResult
    alerts, decisions, trades, ledger_entries : polars.DataFrame
        The journal's tables of this run.
    tape : HedgeTape
        What was traded on.
    configurations : int
        Configurations tried so far on this data set, this one included.
    notes : tuple of str
    """

    run: Run
    trial_text: str
    scan: ScanResult
    tape: HedgeTape
    alerts: pl.DataFrame
    decisions: pl.DataFrame
    trades: pl.DataFrame
    ledger_entries: pl.DataFrame
    configurations: int
    notes: tuple[str, ...]


def resolved_config(market: Market, config: StrategyConfig) -> dict[str, Any]:
    """Return every setting as JSON holds it, with the hedge instrument that was chosen."""
    chosen = {"hedge_instrument": market.hedge.symbol, "hedge_venue": market.hedge.venue}
    return config.model_dump(mode="json") | chosen


def trial_document(market: Market, config: StrategyConfig, calendar: Calendar | None = None) -> str:
    """Return what is tried as canonical JSON: settings, hedge tapes, calendar, period.

    The data set of a trial is the option tape. The hedge venue is part of the configuration, so
    that trying another one counts.
    """
    index = market.volatility_index
    events = [] if calendar is None else [astuple(event) for event in calendar.events]
    document: dict[str, Any] = {
        "settings": resolved_config(market, config),
        "hedge_data": market.hedge_hash,
        "calendar": hashlib.sha256(json.dumps(events).encode()).hexdigest() if events else None,
        "volatility_index": None if index is None else index.sha256,
    }
    if market.from_ns is not None or market.until_ns is not None:
        document["period"] = [market.from_ns, market.until_ns]
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return the version and a digest of the package's own source files."""
    root = Path(hedgeflow.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix in SOURCE_SUFFIXES):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return f"{hedgeflow.__version__}+{digest.hexdigest()[:12]}"


def run_of(market: Market, config: StrategyConfig, trial_text: str) -> Run:
    """Return the run that a configuration makes on a market; its name follows from both."""
    return Run(
        data_hash=market.option_hash,
        config_hash=hashlib.sha256(trial_text.encode()).hexdigest(),
        code_version=code_version(),
        strategy=config.STRATEGY,
        preset=config.preset,
        underlying=market.underlying,
        seed=config.seed,
        simulated=market.simulated,
    )


def record_trial(journal: Journal, run: Run, trial_text: str, market: Market) -> int:
    """Count a configuration in the trial ledger and return how many there are on this data.

    Raises
    ------
    VaultError
        The market reaches into a sealed vault: what is tried may not have seen it.
    """
    refuse_sealed(market, journal)
    trial = Trial(
        data_hash=run.data_hash,
        config_hash=run.config_hash,
        code_version=run.code_version,
        strategy=run.strategy,
        config_json=trial_text,
    )
    return journal.record_trial(trial, data_set_of(market)).configurations


def traded_alerts(market: Market, scan: ScanResult) -> pl.DataFrame:
    """Return the alerts of a scan that fall into the part of the market that is traded."""
    if market.from_ns is None:
        return scan.alerts
    return scan.alerts.filter(pl.col("detected_ns") >= market.from_ns)


def scan_to_journal(
    market: Market,
    config: StrategyConfig,
    journal: Journal,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Run, ScanResult]:
    """Scan a market and journal its anomalies and alerts, before anything acts on them.

    Look-ahead: the market is seen up to its first sealed vault.
    """
    study = study_of(config)
    market = visible(market, config, journal)
    text = trial_document(market, config)
    run = run_of(market, config, text)
    record_trial(journal, run, text, market)
    result = study.scan(market, config, progress)
    if not journal.begin_run(run):
        journal.append_anomalies(run.run_id, study.anomaly_rows(result))
        journal.append_alerts(run.run_id, result.alerts)
    return run, result


def backtest(
    market: Market,
    config: StrategyConfig,
    journal: Journal,
    *,
    calendar: Calendar | None = None,
    scan: ScanResult | None = None,
    tape: HedgeTape | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Run one configuration on one market and return what the journal then holds.

    Look-ahead: the market is seen up to its first sealed vault.

    Parameters
    ----------
    market : Market
    config : StrategyConfig
    journal : Journal
        The trial is counted once however often it is run; a second run must give the same rows.
    calendar : Calendar, optional
        Earnings and scheduled releases.
    scan : ScanResult, optional
        The market's scan under a configuration that differs at most in what no scan reads.
    tape : HedgeTape, optional
        The market's, as `hedge_tape` makes it.
    progress : callable, optional
        Called with prints scanned and prints in all.

    Raises
    ------
    VaultError
        Nothing is left outside of sealed vaults, or the scan's market reaches into one.
    ConfigError
        Positions are to end when the hedge is done, and no trades of the market are signed.
    """
    study = study_of(config)
    study.check(market, config)
    if scan is None:  # one that was made already is of the market as it is
        market = visible(market, config, journal)
    text = trial_document(market, config, calendar)
    run = run_of(market, config, text)
    configurations = record_trial(journal, run, text, market)
    scan = scan or study.scan(market, config, progress)
    alerts = traded_alerts(market, scan)
    if not journal.begin_run(run):
        journal.append_alerts(run.run_id, alerts)
    tape = tape or study.hedge_tape(market)
    result = study.replay(market, config, scan, alerts, tape, calendar)
    journal.record_run(
        run,
        anomalies=study.anomaly_rows(scan),
        alerts=alerts,
        decisions=result.decisions,
        trades=result.trades,
        ledger_entries=result.ledger_entries,
    )
    tables = {
        name: journal.table(name, run.run_id).drop("run_id")
        for name in ("alerts", "decisions", "trades", "ledger_entries")
    }
    return Backtest(
        run=run,
        trial_text=text,
        scan=scan,
        tape=tape,
        alerts=tables["alerts"],
        decisions=tables["decisions"],
        trades=tables["trades"],
        ledger_entries=tables["ledger_entries"],
        configurations=configurations,
        notes=(*market.notes, *scan.notes, *result.notes),
    )
