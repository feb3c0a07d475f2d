"""Alerts as rows: what was seen, how it was signed, how sure, and one sentence that says so."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import MINUTE_NS, SECOND_NS, iso
from hedgeflow.signals.implied_move import source_point
from hedgeflow.signals.response import hedge_to_come, tier_of
from hedgeflow.signals.rules import BaselineOrigin, FlowClass, SigningRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.signals.outputs import ScanOutput
    from hedgeflow.signals.scan import ShockScan
    from hedgeflow.signals.scan_rules import ScanRules

BAND_WIDTH: Final = 1.96
"""Half width of the sign band in standard deviations (precise.md 7)."""

ALERT_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "alert_id": pl.String,
    "event_id": pl.Int64,
    "unit": pl.String,
    "triggered_ns": pl.Int64,
    "detected_ns": pl.Int64,
    "underlying": pl.String,
    "contract": pl.String,
    "direction": pl.String,
    "demand": pl.Float64,
    "demand_scaled": pl.Float64,
    "demand_expected": pl.Float64,
    "demand_low": pl.Float64,
    "demand_high": pl.Float64,
    "pressure": pl.Float64,
    "response_minutes": pl.Float64,
    "tier": pl.String,
    "urgency": pl.String,
    "flow_class": pl.String,
    "flow_class_at_close": pl.String,
    "confidence": pl.Float64,
    "ratio": pl.Float64,
    "strikes": pl.Int64,
    "concentration": pl.Float64,
    "volume_contracts": pl.Float64,
    "expected_hedge_contracts": pl.Float64,
    "hedge_to_come": pl.Float64,
    "spot": pl.Float64,
    "point": pl.Float64,
    "sigma": pl.Float64,
    "sigma_source": pl.String,
    "scale_volume": pl.Float64,
    "baseline_origin": pl.String,
    "signing_json": pl.String,
    "members_json": pl.String,
    "sentence": pl.String,
}
"""The alerts table; times UTC ns, demand in underlying units, `demand_scaled` in reference ones."""


@dataclass(frozen=True, slots=True)
class AlertTerms:
    """What turns a decision of the fold into an alert.

    Attributes
    ----------
    underlying : str
    unit : str
        ``event`` or ``contract``.
    minutes_per_year : float
    high_urgency_minutes : float
    log_confidence : bool
        log2(ratio) / divisor, else ratio / divisor.
    confidence_divisor, confidence_cap : float
    distance : str
        ``sigma``, ``bps`` or ``points``.
    bps_per_point : float
    emergency_demand, urgent_demand : float
        For the tier's label.
    units_per_contract : float
        Underlying units in one standard contract of the hedge instrument.
    hedge_share : float
    """

    underlying: str
    unit: str
    minutes_per_year: float
    high_urgency_minutes: float
    log_confidence: bool
    confidence_divisor: float
    confidence_cap: float
    distance: str
    bps_per_point: float
    emergency_demand: float
    urgent_demand: float
    units_per_contract: float
    hedge_share: float


def confidence(ratio: float, terms: AlertTerms) -> float:
    """Return min(0.95, log2(ratio) / 10), or the source's min(0.95, ratio / 10) (precise.md 14)."""
    score = math.log2(ratio) if terms.log_confidence else ratio
    return min(terms.confidence_cap, max(0.0, score / terms.confidence_divisor))


def alert_rows(output: ScanOutput, scan: ShockScan, terms: AlertTerms) -> list[dict[str, Any]]:
    """Return the alerts of a scan's output, highest pressure first within a trigger time.

    The class at the close is not known yet and stays null; see `with_class_at_close`.
    """
    rows = [_alert_row(output, place, scan, terms) for place in range(output.decisions.size)]
    rows.sort(key=lambda row: (row["triggered_ns"], -row["pressure"], row["contract"]))
    return rows


def with_class_at_close(rows: list[dict[str, Any]], closes: NDArray[Any]) -> list[dict[str, Any]]:
    """Return alerts with the class that their event had when it closed, for the record only."""
    at_close = {int(close["event"]): FlowClass(int(close["flow_class"])).name for close in closes}
    return [{**row, "flow_class_at_close": at_close.get(row["event_id"])} for row in rows]


def alert_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return alerts as the alerts table."""
    return pl.DataFrame(rows, schema=ALERT_SCHEMA, orient="row")


def _alert_row(
    output: ScanOutput, place: int, scan: ShockScan, terms: AlertTerms
) -> dict[str, Any]:
    book = scan.book
    decision = output.decisions[place]
    triggered = int(decision["ts"])
    detected = int(output.detected_ns[place])
    demand, response = float(decision["demand"]), float(decision["response_minutes"])
    scaled, ratio = float(decision["scaled"]), float(decision["ratio"])
    expected = float(decision["demand_expected"])
    band = BAND_WIDTH * math.sqrt(float(decision["demand_variance"]))
    sigma = float(output.volatility[place])
    spot = float(decision["spot"])
    contract = book.symbols[int(decision["contract"])]
    elapsed = (detected - int(decision["first_ns"])) / MINUTE_NS
    members = output.members[int(decision["member_from"]) : int(decision["member_to"])]
    scale = float(output.scale_volume[place])
    row: dict[str, Any] = {
        "alert_id": _alert_id(terms, triggered, contract, int(decision["window"])),
        "event_id": int(decision["event"]),
        "unit": terms.unit,
        "triggered_ns": triggered,
        "detected_ns": detected,
        "underlying": terms.underlying,
        "contract": contract,
        "direction": "BUY_FUTURES" if demand > 0 else "SELL_FUTURES",
        "demand": demand,
        "demand_scaled": scaled,
        "demand_expected": expected,
        "demand_low": expected - band,
        "demand_high": expected + band,
        "pressure": float(decision["pressure"]),
        "response_minutes": response,
        "tier": tier_of(scaled, terms.emergency_demand, terms.urgent_demand).name,
        "urgency": "HIGH" if response < terms.high_urgency_minutes else "LOW",
        "flow_class": FlowClass(int(decision["flow_class"])).name,
        "flow_class_at_close": None,
        "confidence": confidence(ratio, terms),
        "ratio": ratio,
        "strikes": int(decision["strikes"]),
        "concentration": float(decision["concentration"]),
        "volume_contracts": int(decision["lots"]) * book.lot,
        "expected_hedge_contracts": abs(demand) / terms.units_per_contract * terms.hedge_share,
        "hedge_to_come": hedge_to_come(demand, elapsed, response),
        "spot": spot,
        "point": _point(spot, sigma, scan.rules, terms),
        "sigma": sigma if math.isfinite(sigma) else None,
        "sigma_source": output.volatility_source[place],
        "scale_volume": scale if math.isfinite(scale) else None,
        "baseline_origin": BaselineOrigin(int(decision["origin"])).name,
        "signing_json": _signing(decision),
        "members_json": json.dumps(
            [_member(member, scan, triggered) for member in members], sort_keys=True
        ),
    }
    row["sentence"] = _sentence(row, len(members))
    return row


def _alert_id(terms: AlertTerms, triggered: int, contract: str, window: int) -> str:
    key = f"VOLUME_SHOCK|{terms.underlying}|{terms.unit}|{triggered}|{contract}|{window}"
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _point(spot: float, sigma: float, rules: ScanRules, terms: AlertTerms) -> float | None:
    if terms.distance == "points":
        return 1.0
    if terms.distance == "bps":
        return spot * terms.bps_per_point / 10_000
    if not math.isfinite(sigma):
        return None
    return source_point(spot, sigma, rules.move, terms.minutes_per_year)


def _signing(decision: Any) -> str:
    """Return the share of lots that each rule signed, and the institutional share, as JSON."""
    lots = np.asarray(decision["rule_lots"], dtype=np.int64)
    total = max(1, int(lots.sum()))
    shares = {
        rule.name: round(int(lots[rule]) / total, 6) for rule in SigningRule if int(lots[rule])
    }
    shares["INSTITUTIONAL"] = round(int(decision["institutional_lots"]) / total, 6)
    return json.dumps(shares, sort_keys=True)


def _member(member: Any, scan: ShockScan, triggered: int) -> dict[str, Any]:
    window = scan.windows_ns[int(member["window"])]
    start = int(member["start_ns"]) or triggered - window
    return {
        "contract": scan.book.symbols[int(member["contract"])],
        "window_seconds": window / SECOND_NS,
        "since_ns": start,
        "contracts": round(int(member["lots"]) * scan.book.lot, 9),
        "demand": float(member["demand"]),
        "ratio": float(member["ratio"]),
        "baseline": BaselineOrigin(int(member["origin"])).name,
    }


def _sentence(row: dict[str, Any], members: int) -> str:
    side = "buy" if row["demand"] > 0 else "sell"
    names = row["contract"] if members == 1 else f"{members} contracts, {row['contract']} first,"
    return (
        f"At {iso(row['detected_ns'])} {names} had traded {row['volume_contracts']:,.1f} contracts,"
        f" at most {row['ratio']:.1f} times the usual; dealers are left to {side}"
        f" {abs(row['demand']):,.1f} units within about {row['response_minutes']:.1f} minutes"
        f" (pressure {row['pressure']:.1f}, {row['flow_class']})."
    )
