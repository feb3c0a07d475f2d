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
    NullDraws,
    arm_trades,
    assess,
    package_document,
    restore,
    write_package,
)
from hedgeflow.evidence.tables import with_figures
from hedgeflow.fills import CostModel
from hedgeflow.journal import columns
from hedgeflow.market.errors import EvidenceError
from hedgeflow.market.sessions import session_date
from hedgeflow.market.time import iso
from hedgeflow.signals.rules import FlowClass
from hedgeflow.strategies.claims import NullKind
from hedgeflow.strategies.volume_shock.claims import DECLARATION
from hedgeflow.studies.arms import Rerun, arms_of
from hedgeflow.studies.backtesting import (
    STRATEGY,
    Backtest,
    backtest,
    resolved_config,
)
from hedgeflow.studies.event_study import event_study
from hedgeflow.studies.matched_entries import direction_null, matched_null, session_direction_null
from hedgeflow.studies.poison import check_leakage
from hedgeflow.studies.predictions import predicted_and_observed
from hedgeflow.studies.readings import other_readings, reading_count, staged
from hedgeflow.studies.response_fit import response_notes
from hedgeflow.studies.scanning import ScanResult, signing_words
from hedgeflow.studies.scoring.matching import latest_shock
from hedgeflow.studies.scoring.shocks import alert_spans, longest_window_ns, shock_spans
from hedgeflow.studies.standing import with_standing
from hedgeflow.studies.vaults import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from hedgeflow.evidence import Arm, Leakage
    from hedgeflow.journal import Journal
    from hedgeflow.market.coverage import Coverage as Intervals
    from hedgeflow.market.sessions import Sessions
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.risk import Calendar
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.markets import Market

FLOW_UNTESTABLE = (
    "the catalog has no signed trades of the hedge instrument: bars say how much was traded, not"
    " who had to"
)


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
    config: VolumeShockConfig,
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
    config : VolumeShockConfig
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
    count = reading_count(config) + 1
    stages = [staged(progress, stage, count) for stage in range(count)]
    market = visible(market, config, journal)
    result = backtest(market, config, journal, calendar=calendar, progress=stages[0])
    tables, notes = evidence_tables(market, config, result, truth)
    _keep_predictions(journal, result, tables)
    notes += other_readings(market, config, result.scan, stages[1:])
    notes += response_notes(market, config, result.scan.events)
    arms = arms_of(Rerun(market, config, result, calendar, DECLARATION, tables.sessions))
    pictured = replace(
        tables,
        event_study=event_study(market, config, result.alerts),
        arms=arm_trades(arms),
    )

    def standing(manifest: Manifest) -> Manifest:
        found = with_standing(manifest, journal, market, config, tables.sessions)
        return found if as_stated is None else as_stated(found)

    leaks = check_leakage(market, config, result.alerts, calendar) if leakage else None
    return _judged(market, config, result, pictured, notes, arms, standing, leaks)


def verdict(
    market: Market,
    config: VolumeShockConfig,
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
    tables, notes = evidence_tables(market, config, result, truth)
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
    config: VolumeShockConfig,
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
    return Validation(assess(tables, DECLARATION, manifest, arms, leaks), tables, result)


def _keep_predictions(journal: Journal, result: Backtest, tables: EvidenceTables) -> None:
    """Journal what became of each prediction; a second run brings the same and adds nothing."""
    if tables.predictions is not None:
        kept = tables.predictions.select(columns("predictions"))
        journal.append_predictions(result.run.run_id, kept)


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


def session_dates(
    market: Market, config: VolumeShockConfig, reached: Iterable[str]
) -> tuple[str, ...]:
    """Return the sessions that could be traded, and those that others of its figures reached."""
    sessions = market.sessions
    tested = {
        session_date(sessions, int(sessions.open_ns[index]))
        for index in market.tested_sessions(config)
    }
    return tuple(sorted(tested.union(reached)))


def _manifest(
    market: Market,
    config: VolumeShockConfig,
    result: Backtest,
    findings: list[str],
    inputs: Inputs,
) -> Manifest:
    return Manifest(
        strategy=STRATEGY,
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
        signing_mode=signing_words(result.scan.alerts, config),
        null_hypothesis=DECLARATION.null_hypothesis,
        notes=(*result.notes, *_counts(result, config.alert.confidence_cap), *findings),
        coverage=coverage_of(market),
    )


def coverage_of(market: Market) -> tuple[Coverage, ...]:
    """Return what the option tape and the hedge instrument's bars cover."""
    return (
        _coverage(market.options, market.option_coverage, market.sessions),
        _coverage(market.bars_key, market.bar_coverage, market.sessions),
    )


def _inputs(market: Market, config: VolumeShockConfig, result: Backtest, *, truth: bool) -> Inputs:
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


def _counts(result: Backtest, cap: float) -> list[str]:
    counts = result.scan.counts
    found = (
        f"{result.scan.prints:,} option prints gave {result.scan.anomalies.height:,} anomalies,"
        f" {result.scan.events.height:,} shock events and {result.alerts.height:,} alerts."
    )
    notes = [found]
    if counts["prints_outside_sessions"]:
        notes.append(f"{counts['prints_outside_sessions']:,} prints lay outside trading hours.")
    if counts["candidates_without_baseline"]:
        notes.append(
            f"NO_BASELINE: {counts['candidates_without_baseline']:,} times volume passed its floor"
            " where neither contract nor bucket had a history."
        )
    if counts["events_without_scale"]:
        notes.append(
            f"NO_SCALE: {counts['events_without_scale']:,} events came before the hedge instrument"
            " had one complete session, so that V5 was not known."
        )
    confidence = result.alerts["confidence"].to_numpy()
    if confidence.size:
        share = 100.0 * float((confidence >= cap).mean())
        notes.append(f"{share:.1f} % of alerts have the capped confidence {cap:g}.")
    return notes


def _coverage(key: TapeKey, covered: Intervals, sessions: Sessions) -> Coverage:
    count = covered.start_ns.size
    return Coverage(
        tape=f"{key.kind} {key.instrument} on {key.venue}",
        start=iso(int(covered.start_ns[0])) if count else "",
        end=iso(int(covered.end_ns[-1])) if count else "",
        sessions=int(covered.slots(sessions).any(axis=1).sum()),
        note="no gap" if count == 1 else f"{count} intervals with gaps between them",
    )
