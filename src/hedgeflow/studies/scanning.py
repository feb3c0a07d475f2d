"""A scan of a whole market: the fold over its option tape, day by day, and what it found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import MINUTE_NS, SECOND_NS, iso
from hedgeflow.signals.alerts import alert_frame, alert_rows, with_class_at_close
from hedgeflow.signals.daily_volume import DailyVolumes
from hedgeflow.signals.rules import ANOMALY, CLOSE, BaselineOrigin, FlowClass, SigningRule
from hedgeflow.signals.scan import ShockScan
from hedgeflow.signals.trade_reference import TradeReference
from hedgeflow.strategies.volume_shock.rules import alert_terms, scan_rules
from hedgeflow.studies.markets import describe_resolution
from hedgeflow.studies.study import ScanResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hedgeflow.market.sessions import Sessions
    from hedgeflow.signals.hedge_reference import HedgeReference
    from hedgeflow.signals.outputs import ScanOutput
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.markets import Market


def scan_market(
    market: Market,
    config: VolumeShockConfig,
    progress: Callable[[int, int], None] | None = None,
    *,
    advance: Callable[[ShockScan, pl.DataFrame], ScanOutput] = ShockScan.advance,
) -> ScanResult:
    """Fold the market's option tape and return what came to light.

    Of a part of a market, what came before it is folded and known, but neither its anomalies nor
    its events nor its alerts are counted.

    Parameters
    ----------
    market : Market
    config : VolumeShockConfig
    progress : callable, optional
        Called with prints done and prints in all.
    advance : callable, optional
        Folds a slice; for studies that look at each before and after it is folded.
    """
    reference = market.reference(config)
    scan = shock_scan(market, config, reference)
    terms = alert_terms(config, market.underlying, market.hedge, market.sessions.minutes_per_year)
    rows: list[dict[str, Any]] = []
    anomalies: list[NDArray[Any]] = []
    closes: list[NDArray[Any]] = []
    for frame in market.option_tape.slices():
        output = advance(scan, frame)
        rows += alert_rows(output, scan, terms)
        anomalies.append(output.anomalies)
        closes.append(output.closes)
        if progress is not None:
            progress(scan.prints, market.option_tape.rows)
    closes.append(scan.finish().closes)
    closed = np.concatenate(closes) if closes else np.zeros(0, CLOSE)
    found = np.concatenate(anomalies) if anomalies else np.zeros(0, ANOMALY)
    since = pl.lit(-(2**63) if market.from_ns is None else market.from_ns)
    return ScanResult(
        alerts=alert_frame(with_class_at_close(rows, closed)).filter(
            pl.col("detected_ns") >= since
        ),
        anomalies=_anomaly_frame(found, scan).filter(pl.col("at_ns") >= since),
        events=_event_frame(closed).filter(pl.col("closed_ns") >= since),
        prints=scan.prints,
        counts={
            "prints_outside_sessions": scan.outside_sessions,
            "candidates_without_baseline": scan.candidates_without_baseline,
            "events_without_scale": int(closed["no_scale"].sum()),
        },
        scale_volume=_typical_scale(market, config),
        notes=(
            *_notes(market, config, scan, reference, found),
            *_late_prices(rows, market.options.resolution_ns),
        ),
    )


def shock_scan(market: Market, config: VolumeShockConfig, reference: HedgeReference) -> ShockScan:
    """Return the fold of a market's option tape, before its first print."""
    lot = float(market.contracts["lot"][0]) if market.contracts.height else 1.0
    rules = scan_rules(config, lot)
    daily = market.days
    return ShockScan(
        rules,
        market.contracts,
        market.sessions,
        market.option_coverage.slots(market.sessions),
        reference,
        market.options.resolution_ns,
        None if daily is None else DailyVolumes(daily, market.sessions, rules.baselines),
    )


def in_sessions(frame: pl.DataFrame, sessions: Sessions) -> pl.DataFrame:
    """Return the prints that a scan takes in: those at a time at which the market trades."""
    stamps = frame["ts"].dt.epoch("ns").to_numpy()
    return frame.filter(pl.Series(sessions.index_of(stamps) >= 0, dtype=pl.Boolean))


def signing_rules(signing_json: str, config: VolumeShockConfig) -> list[dict[str, Any]]:
    """Return which rules signed an alert's prints: each rule's share of lots and probability."""
    probabilities = scan_rules(config, 1.0).prints.probabilities
    shares: dict[str, float] = json.loads(signing_json)
    return [
        {"rule": rule.name, "share": shares[rule.name], "probability": probabilities[rule]}
        for rule in SigningRule
        if rule.name in shares
    ]


SIGNED_BY: Final = {
    SigningRule.AGGRESSOR: "the taker's side",
    SigningRule.QUOTE: "the quote rule",
    SigningRule.TICK: "the tick rule",
    SigningRule.COMPLEX: "nothing, as legs of complex orders",
    SigningRule.ASSUMED: "the assumption that customers bought",
    SigningRule.NONE: "nothing",
}


def signing_words(alerts: pl.DataFrame, config: VolumeShockConfig) -> str:
    """Return by which rules the volume of alerts was signed, as in ``the tick rule (98 %)``."""
    volume = dict.fromkeys(SigningRule, 0.0)
    for shares_json, contracts in alerts.select("signing_json", "volume_contracts").rows():
        shares: dict[str, float] = json.loads(shares_json)
        for rule in SigningRule:
            volume[rule] += shares.get(rule.name, 0.0) * contracts
    total = sum(volume.values())
    if not total:
        return f"{config.signing.mode}, but there was no alert"
    ordered = sorted(SIGNED_BY, key=lambda rule: -volume[rule])
    return ", ".join(
        f"{SIGNED_BY[rule]} ({100 * volume[rule] / total:.0f} %)"
        for rule in ordered
        if volume[rule]
    )


def _anomaly_frame(found: NDArray[Any], scan: ShockScan) -> pl.DataFrame:
    symbols = np.array([*scan.book.symbols, ""], dtype=object)
    windows = np.array(scan.windows_ns)
    return pl.DataFrame(
        {
            "at_ns": found["ts"],
            "contract": pl.Series(symbols[found["contract"]].tolist(), dtype=pl.String),
            "window_seconds": windows[found["window"]] / SECOND_NS,
            "contracts": found["lots"] * scan.book.lot,
            "baseline_contracts": found["baseline_lots"] * scan.book.lot,
            "floor_contracts": found["floor_lots"] * scan.book.lot,
            "ratio": found["ratio"],
            "origin": found["origin"],
            "demand": found["demand"],
            "event_id": found["event"],
        }
    )


def _event_frame(closed: NDArray[Any]) -> pl.DataFrame:
    names = [name for name in CLOSE.names or () if name != "flow_class"]
    classes = [FlowClass(int(code)).name for code in closed["flow_class"]]
    frame = pl.DataFrame({name: closed[name] for name in names})
    return frame.rename({"event": "event_id"}).with_columns(
        pl.Series("flow_class_at_close", classes, dtype=pl.String),
        pl.col("decided", "no_scale").cast(pl.Boolean),
    )


def _typical_scale(market: Market, config: VolumeShockConfig) -> float | None:
    if config.scale.demand == "absolute":
        return None
    values = [
        value
        for session in market.tested_sessions(needs_scale=config.scale.demand == "relative")
        if (value := market.volume.scale_volume(int(market.sessions.open_ns[session]))) is not None
    ]
    return float(np.median(values)) if values else None


def _notes(
    market: Market,
    config: VolumeShockConfig,
    scan: ShockScan,
    reference: HedgeReference,
    found: NDArray[Any],
) -> list[str]:
    notes: list[str] = []
    if market.from_ns is not None:
        notes.append(
            f"What was recorded before {iso(market.from_ns)} made baselines and calibrations:"
            " anomalies, events, alerts and trades count from then on."
        )
    dropped = [window for window in scan.rules.windows_ns if window not in scan.windows_ns]
    if dropped:
        listed = ", ".join(f"{window / SECOND_NS:g} s" for window in dropped)
        notes.append(
            f"Windows of {listed} were not evaluated: the option tape's stamps resolve"
            f" {describe_resolution(market.options.resolution_ns)}."
        )
    if config.response.model == "calibrated" and market.trades is None:
        notes.append(
            "The response could not be calibrated: the catalog has no signed trades of"
            f" {market.hedge.symbol}, so the tiers of 2, 5 and 10 minutes were used."
        )
    if isinstance(reference, TradeReference):
        notes.append(_calibration(reference, config))
    if scan.daily is not None:
        notes += _days_notes(scan.daily, found)
    if bool(market.contracts["inverse"].any()):
        notes.append(
            "Deltas use the printed index price as the forward of every expiry, so long expiries"
            " are off by the basis."
        )
    if config.tape.complex == "net":
        notes.append("Complex orders were netted and count once, at their lead leg.")
    notes.append("The error band of demand takes prints as independent, which understates it.")
    return notes


def _days_notes(daily: DailyVolumes, found: NDArray[Any]) -> list[str]:
    notes: list[str] = []
    of_days = found[found["origin"] == BaselineOrigin.DAYS]
    if of_days.size:
        notes.append(
            f"{of_days.size:,} anomalies of {np.unique(of_days['contract']).size:,} contracts were"
            " measured against daily volumes, for want of intraday history: the mean of whole"
            " sessions, which does not know the time of day, so that the busy open and close look"
            " busier than they are."
        )
    if daily.outside_sessions:
        notes.append(
            f"{daily.outside_sessions:,} daily volumes belong to no session and were left out."
        )
    return notes


def _late_prices(alerts: list[dict[str, Any]], resolution_ns: int) -> list[str]:
    """Say where the quote rule compares prices with quotes that were much older."""
    quoted = any(SigningRule.QUOTE.name in json.loads(row["signing_json"]) for row in alerts)
    if not quoted or resolution_ns < MINUTE_NS:
        return []
    resolution = describe_resolution(resolution_ns)
    note = (
        f"The option tape's stamps resolve {resolution}: the quote rule compares a price with a"
        " quote that may be so much older, so that its sign also follows the market's move in"
        " between. How much less often it is right then is not known."
    )
    return [note]


def _calibration(reference: TradeReference, config: VolumeShockConfig) -> str:
    fit = reference.response
    if fit is None:
        return (
            "The response was not calibrated: fewer than"
            f" {config.response.calibration_observations} hedges could be told from ordinary flow,"
            " so the tiers were used."
        )
    return (
        f"The response was calibrated on {fit.observations} past hedges by the last session: log"
        f" minutes = {fit.a:.3g} {fit.b:+.3g} log abs(D), standard error of the slope"
        f" {fit.slope_error:.2g}, of a prediction {fit.residual_error:.2g} log minutes."
    )
