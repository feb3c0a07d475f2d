"""From a market and a configuration to a verdict: the whole way, in one call."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.evidence import (
    Coverage,
    Evidence,
    EvidenceTables,
    Inputs,
    Manifest,
    arm_trades,
    assess,
    package_document,
    restore,
    write_package,
)
from hedgeflow.journal import columns
from hedgeflow.market.errors import EvidenceError
from hedgeflow.market.time import iso
from hedgeflow.studies.arms import Rerun, arms_of
from hedgeflow.studies.backtesting import (
    Backtest,
    backtest,
    resolved_config,
)
from hedgeflow.studies.poison import check_leakage
from hedgeflow.studies.readings import staged
from hedgeflow.studies.scanning import ScanResult
from hedgeflow.studies.standing import with_standing
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.vaults import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hedgeflow.evidence import Arm, Leakage
    from hedgeflow.journal import Journal
    from hedgeflow.market.coverage import Coverage as Intervals
    from hedgeflow.market.sessions import Sessions
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.risk import Calendar
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market


@dataclass(frozen=True, slots=True)
class Validation:
    """A verdict and everything behind it.

    Attributes
    ----------
    evidence : Evidence
    tables : EvidenceTables
    backtest : Backtest
    """

    evidence: Evidence
    tables: EvidenceTables
    backtest: Backtest


def validate(
    market: Market,
    config: StrategyConfig,
    journal: Journal,
    *,
    calendar: Calendar | None = None,
    truth: pl.DataFrame | None = None,
    progress: Callable[[int, int], None] | None = None,
    as_stated: Callable[[Manifest], Manifest] | None = None,
    leakage: bool = False,
) -> Validation:
    """Backtest one configuration and judge its claims on what the journal then holds.

    Look-ahead: the market is seen up to its first sealed vault.

    Parameters
    ----------
    market : Market
    config : StrategyConfig
    journal : Journal
    calendar : Calendar, optional
        Earnings and scheduled releases.
    truth : polars.DataFrame, optional
        In simulation: the shocks as they were (event class and time); never seen by the signals.
    progress : callable, optional
        Called with prints scanned and prints in all.
    as_stated : callable, optional
        What is put in the manifest in place of what the journal says now, when a package is made
        again that was made when fewer configurations had been tried.
    leakage : bool, optional
        Whether the future is poisoned too, to see whether the past notices: more scans.
    """
    study = study_of(config)
    market = visible(market, config, journal)
    result = backtest(market, config, journal, calendar=calendar, progress=staged(progress, 0, 2))
    tables, notes = study.evidence_tables(market, config, result, truth)
    _keep_predictions(journal, result, tables)
    notes += study.reader_notes(market, config, result, staged(progress, 1, 2))
    arms = arms_of(Rerun(market, config, result, calendar, study, tables.sessions))
    pictured = replace(study.pictured(tables, market, config, result), arms=arm_trades(arms))

    def standing(manifest: Manifest) -> Manifest:
        found = with_standing(manifest, journal, market, config, tables.sessions)
        return found if as_stated is None else as_stated(found)

    leaks = check_leakage(market, config, result.alerts, calendar) if leakage else None
    return _judged(market, config, result, pictured, notes, arms, standing, leaks)


def verdict(
    market: Market,
    config: StrategyConfig,
    journal: Journal,
    truth: pl.DataFrame | None = None,
    scan: ScanResult | None = None,
) -> Validation:
    """Do what `validate` does without what only a reader needs: pictures, the other readings.

    Trades, gates, p-values and intervals are the same; that a run used its future, which `validate`
    tests where it is asked to, is not looked for. A scan is made unless it is handed in, as
    `backtest` takes it.
    """
    if scan is None:
        market = visible(market, config, journal)
    result = backtest(market, config, journal, scan=scan)
    tables, notes = study_of(config).evidence_tables(market, config, result, truth)
    return _judged(
        market,
        config,
        result,
        tables,
        notes,
        standing=lambda manifest: with_standing(manifest, journal, market, config, tables.sessions),
    )


def _judged(
    market: Market,
    config: StrategyConfig,
    result: Backtest,
    tables: EvidenceTables,
    notes: list[str],
    arms: Sequence[Arm] = (),
    standing: Callable[[Manifest], Manifest] | None = None,
    leaks: Leakage | None = None,
) -> Validation:
    inputs = _inputs(market, config, result, truth=tables.truth is not None)
    manifest = _manifest(market, config, result, notes, inputs)
    if standing is not None:
        manifest = standing(manifest)
    return Validation(
        assess(tables, study_of(config).declaration, manifest, arms, leaks), tables, result
    )


def _keep_predictions(journal: Journal, result: Backtest, tables: EvidenceTables) -> None:
    """Journal what became of each prediction; a second run brings the same and adds nothing."""
    if tables.predictions is not None:
        kept = tables.predictions.select(columns("predictions"))
        journal.append_predictions(result.run.run_id, kept)


def check_out(out: Path) -> None:
    """Refuse to write a package over anything but a package or an empty folder.

    What an interrupted replacement left aside is first put back.

    Raises
    ------
    EvidenceError
        `out` is a file, or holds files that no package has.
    """
    restore(out)
    if not out.exists():
        return
    hint = "Name another folder with --out; only packages are replaced"
    if not out.is_dir():
        raise EvidenceError("is a file, not a folder", where=str(out), hint=hint)
    foreign = sorted(
        path.name for path in out.iterdir() if path.suffix not in {".json", ".parquet", ".html"}
    )
    if foreign or (any(out.iterdir()) and not (out / "evidence.json").is_file()):
        held = f": it holds {foreign[0]}" if foreign else ""
        raise EvidenceError(
            f"the folder exists and is no evidence package{held}", where=str(out), hint=hint
        )


def write_validation(validation: Validation, out: Path, timestamp: str) -> Path:
    """Write the package with its report and return the report's path.

    A package that stands at `out` already is replaced, whole; anything else there is refused.

    Raises
    ------
    EvidenceError
        `out` exists and is no package.
    """
    from hedgeflow.evidence.report.evidence_page import render_report

    check_out(out)
    evidence, tables = validation.evidence, validation.tables
    document = package_document(evidence, timestamp=timestamp, files={})
    report = render_report(document, tables, tables.event_study)
    write_package(evidence, tables, out, timestamp=timestamp, report_html=report, replace=True)
    return out / "report.html"


def _manifest(
    market: Market,
    config: StrategyConfig,
    result: Backtest,
    findings: list[str],
    inputs: Inputs,
) -> Manifest:
    study = study_of(config)
    return Manifest(
        strategy=config.STRATEGY,
        preset=config.preset,
        simulated=market.simulated,
        data_hash=f"{market.option_hash}+{market.hedge_hash}",
        config=resolved_config(market, config),
        code_version=result.run.code_version,
        seed=config.seed,
        inputs=inputs,
        trials=result.configurations,
        hedge_instrument=market.hedge.symbol,
        hedge_venue=market.hedge.venue,
        scale_volume=result.scan.scale_volume,
        signing_mode=study.signing_words(result.scan.alerts, config),
        null_hypothesis=study.declaration.null_hypothesis,
        notes=(*result.notes, *study.counts(result, config), *findings),
        coverage=coverage_of(market),
    )


def coverage_of(market: Market) -> tuple[Coverage, ...]:
    """Return what the option tape and the hedge instrument's bars cover."""
    return (
        _coverage(market.options, market.option_coverage, market.sessions),
        _coverage(market.bars_key, market.bar_coverage, market.sessions),
    )


def _inputs(market: Market, config: StrategyConfig, result: Backtest, *, truth: bool) -> Inputs:
    tried = json.loads(result.trial_text)
    return Inputs(
        underlying=market.underlying,
        run_id=result.run.run_id,
        trial_hash=result.run.config_hash,
        option_data=market.option_hash,
        hedge_data=market.hedge_hash,
        calendar=tried["calendar"],
        volatility_index=tried["volatility_index"],
        traded_from=None if market.from_ns is None else iso(market.from_ns),
        traded_until=None if market.until_ns is None else iso(market.until_ns),
        named_instrument=config.hedge_instrument,
        named_venue=config.hedge_venue,
        truth=truth,
    )


def _coverage(key: TapeKey, covered: Intervals, sessions: Sessions) -> Coverage:
    count = covered.start_ns.size
    return Coverage(
        tape=f"{key.kind} {key.instrument} on {key.venue}",
        start=iso(int(covered.start_ns[0])) if count else "",
        end=iso(int(covered.end_ns[-1])) if count else "",
        sessions=int(covered.slots(sessions).any(axis=1).sum()),
        note="no gap" if count == 1 else f"{count} intervals with gaps between them",
    )
