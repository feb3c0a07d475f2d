"""Small finished tables with known contents, for the tests of evidence."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl

from hedgeflow.evidence import Coverage, EvidenceTables, Manifest, NullDraws
from hedgeflow.evidence.tables import (
    ALERT_COLUMNS,
    DECISION_COLUMNS,
    FLOW_COLUMNS,
    LEDGER_COLUMNS,
    SHOCK_ALERT_COLUMNS,
    TRADE_COLUMNS,
)
from hedgeflow.strategies.claims import NullKind
from hedgeflow.strategies.volume_shock.claims import NULL_HYPOTHESIS

MINUTE_NS = 60_000_000_000
CAPITAL_USD = 100_000.0
SWEEP, EMERGENCY = "INSTITUTIONAL_SWEEP", "GAMMA_EMERGENCY"


def sessions(count: int) -> tuple[str, ...]:
    first = dt.date(2024, 1, 1)
    return tuple((first + dt.timedelta(days=day)).isoformat() for day in range(count))


def manifest(**changes: object) -> Manifest:
    base = Manifest(
        strategy="volume-shock",
        preset="normalized",
        simulated=False,
        data_hash="sha256:data",
        config={
            "preset": "normalized",
            "response": {"model": "calibrated"},
            "alert": {"confidence_cap": 0.95},
        },
        code_version="0.1.0",
        seed=7,
        trials=3,
        hedge_instrument="BTC-PERPETUAL",
        hedge_venue="EXAMPLE",
        scale_volume=315.0,
        signing_mode="aggressor",
        null_hypothesis=NULL_HYPOTHESIS,
        notes=("no earnings calendar was given",),
        coverage=(Coverage("option_trades", "2024-01-01", "2024-02-29", 60),),
    )
    return replace(base, **changes)


def trades_table(
    days: tuple[str, ...],
    outcomes: list[bool],
    *,
    win_points: float = 15.0,
    loss_points: float = 8.0,
    seed: int = 1,
    class_of=lambda number: (SWEEP, EMERGENCY)[number % 2],
) -> pl.DataFrame:
    """One trade per outcome, spread evenly over the days; a win earns about `win_points`."""
    generator = np.random.default_rng(seed)
    rows = []
    for number, won in enumerate(outcomes):
        day = number * len(days) // len(outcomes)
        start = int(dt.datetime.fromisoformat(days[day]).replace(tzinfo=dt.UTC).timestamp()) * 10**9
        entry = start + (600 + number) * MINUTE_NS
        points = (win_points if won else -loss_points) * float(generator.uniform(0.9, 1.1))
        gross = points * 10.0 + 3.0
        rows.append(
            {
                "trade_id": f"T{number:04d}",
                "alert_id": f"A{number:04d}",
                "event_id": number,
                "session": days[day],
                "flow_class": class_of(number),
                "exit_reason": "EXIT_TARGET_HIT" if won else "EXIT_STOP_HIT",
                "entry_ns": entry,
                "exit_ns": entry + (5 + number % 4) * MINUTE_NS,
                "target_distance": 25.0,
                "stop_distance": 8.0,
                "age_seconds": 61.0 if number % 3 else 150.0,
                "gross_usd": gross,
                "fees_usd": 2.0,
                "spread_usd": 1.0,
                "slippage_usd": 0.0,
                "net_usd": gross - 3.0,
                "gross_points": points + 0.3,
                "net_points": points,
                "net_bps": points * 1.5,
            }
        )
    schema = TRADE_COLUMNS | {"event_id": pl.Int64}
    return pl.DataFrame(rows, schema=schema)


def ledger_table(trades: pl.DataFrame) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {"trade_id": None, "at_ns": 0, "kind": "DEPOSIT", "amount_usd": CAPITAL_USD}
    ]
    for trade in trades.iter_rows(named=True):
        for kind, at_ns, amount in (
            ("TRADE_PNL", trade["exit_ns"], trade["gross_usd"]),
            ("FEE", trade["exit_ns"], -trade["fees_usd"]),
            ("SPREAD", trade["entry_ns"], -trade["spread_usd"]),
        ):
            rows.append(
                {"trade_id": trade["trade_id"], "at_ns": at_ns, "kind": kind, "amount_usd": amount}
            )
    entries = [{"entry_id": f"L{row:05d}", **entry} for row, entry in enumerate(rows)]
    return pl.DataFrame(entries, schema=LEDGER_COLUMNS)


def alerts_table(trades: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            "alert_id": trade["alert_id"],
            "event_id": trade["event_id"],
            "flow_class": trade["flow_class"],
            "demand": 3_000.0 + 100.0 * trade["event_id"],
            "response_minutes": 5.0,
            "confidence": 0.95 if trade["event_id"] % 4 == 0 else 0.5,
        }
        for trade in trades.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=ALERT_COLUMNS | SHOCK_ALERT_COLUMNS)


def decisions_table(alerts: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {"alert_id": alert, "kind": "plan", "reason_code": None}
        for alert in alerts["alert_id"].to_list()
    ]
    skip = {"alert_id": "S0001", "kind": "skip", "reason_code": "NO_SIZE"}
    return pl.DataFrame([*rows, skip], schema=DECISION_COLUMNS)


def null_draws(
    trades: pl.DataFrame,
    *,
    draws: int = 1_000,
    seed: int = 3,
    name: str = "matched random entries",
) -> NullDraws:
    generator = np.random.default_rng(seed)
    observed = (0.0, 0.0)
    if trades.height:
        wins = int((trades["net_usd"] > 0).sum())
        observed = (float(trades["net_bps"].mean()), wins / trades.height)
    return NullDraws(
        name,
        "same days, minutes, directions and exits",
        generator.normal(-0.5, 1.0, draws),
        np.clip(generator.normal(0.3, 0.05, draws), 0.0, 1.0),
        *observed,
    )


def nulls(trades: pl.DataFrame, **changes: NullDraws) -> dict[NullKind, NullDraws]:
    """Draws of every null of the volume shock; `changes` name those that are others."""
    drawn = {
        "MATCHED_ENTRIES": null_draws(trades),
        "DIRECTIONS": null_draws(trades, draws=600, seed=4, name="directions dealt out again"),
        "SESSION_DIRECTIONS": null_draws(
            trades, draws=800, seed=6, name="directions of whole sessions turned"
        ),
    } | changes
    return {NullKind[name]: draws for name, draws in drawn.items()}


def flow_table(days: tuple[str, ...], *, noise: float, seed: int = 5) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(3 * len(days)):
        predicted = float(generator.normal(0.0, 3_000.0)) or 1.0
        rows.append(
            {
                "session": days[number // 3],
                "flow_class": (SWEEP, EMERGENCY)[number % 2],
                "predicted": predicted,
                "observed": 0.8 * predicted + noise * float(generator.normal(0.0, 3_000.0)),
                "predicted_minutes": 5.0,
                "observed_minutes": 4.0 + 6.0 * float(generator.uniform()) * (number % 2 + 1),
            }
        )
    return pl.DataFrame(rows, schema=FLOW_COLUMNS)


def tables(
    outcomes: list[bool],
    *,
    days: int = 60,
    flow_noise: float | None = None,
    win_points: float = 15.0,
    loss_points: float = 8.0,
    **changes: object,
) -> EvidenceTables:
    dates = sessions(days)
    trades = trades_table(dates, outcomes, win_points=win_points, loss_points=loss_points)
    alerts = alerts_table(trades)
    built = EvidenceTables(
        trades,
        alerts,
        decisions_table(alerts),
        ledger_table(trades),
        dates,
        365.0,
        nulls=nulls(trades),
        flow=None if flow_noise is None else flow_table(dates, noise=flow_noise),
        costs_note="taker 5 bp",
    )
    return replace(built, **changes) if changes else built


def mixed(wins: int, losses: int, seed: int = 11) -> list[bool]:
    """Wins and losses in a fixed random order."""
    outcomes = np.array([True] * wins + [False] * losses)
    return np.random.default_rng(seed).permutation(outcomes).tolist()
