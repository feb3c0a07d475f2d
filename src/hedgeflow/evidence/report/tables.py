"""The report's tables of single records: what was skipped, how trades ended, alerts and trades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from hedgeflow.evidence.report.words import (
    decimal,
    instant,
    label,
    money,
    percent,
    prose,
    significant,
)

SHOWN_ROWS = 200
"""Alerts and trades listed; the Parquet files hold all."""
NS_PER_MINUTE = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a figure or words, a smaller line under it, and the state it shows, if any."""

    text: str
    detail: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes
    ----------
    label : str
        What it holds, for those who cannot see it.
    columns : tuple of (str, bool)
        Heading, and whether figures stand under it.
    rows : tuple of tuple of Cell
        The first cell of a row is its heading.
    wide : bool
        Rows of one line each, which may scroll sideways.
    """

    label: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]
    wide: bool = False


def skip_table(decisions: pl.DataFrame) -> Table | None:
    """Return why alerts were not traded: counts and an example; None when none was skipped."""
    skips = decisions.filter(pl.col("kind") == "skip")
    if skips.is_empty():
        return None
    if "sentence" not in skips.columns:
        skips = skips.with_columns(sentence=pl.lit(""))
    groups = (
        skips.with_columns(pl.col("reason_code").fill_null("not stated"))
        .sort("alert_id")
        .group_by("reason_code", maintain_order=True)
        .agg(pl.len().alias("count"), pl.col("sentence").first())
        .sort(["count", "reason_code"], descending=[True, False])
    )
    rows = tuple(
        (
            Cell(label(code), detail=code if label(code) != code else ""),
            Cell(decimal(count, 0)),
            Cell(percent(count / skips.height)),
            Cell(prose(sentence) if sentence else "no sentence was recorded"),
        )
        for code, count, sentence in groups.iter_rows()
    )
    columns = (
        ("Reason", False),
        ("Alerts", True),
        ("Share of skips", True),
        ("For example", False),
    )
    return Table("Alerts that were not traded, by reason", columns, rows)


def exit_table(trades: pl.DataFrame) -> Table | None:
    """Return how trades ended and what each kind of end earned; None without trades."""
    if trades.is_empty():
        return None
    groups = (
        trades.group_by("exit_reason")
        .agg(
            pl.len().alias("count"),
            (pl.col("net_usd") > 0).sum().alias("wins"),
            pl.col("net_usd").sum().alias("total"),
            pl.col("net_points").mean().alias("points"),
        )
        .sort(["count", "exit_reason"], descending=[True, False])
    )
    rows = tuple(
        (
            Cell(label(reason)),
            Cell(decimal(count, 0)),
            Cell(percent(count / trades.height)),
            Cell(percent(wins / count)),
            Cell(decimal(points)),
            Cell(money(total)),
        )
        for reason, count, wins, total, points in groups.iter_rows()
    )
    columns = (
        ("Exit", False),
        ("Trades", True),
        ("Share", True),
        ("Won", True),
        ("Net points a trade", True),
        ("Net in all", True),
    )
    return Table("Trades by the reason of their exit", columns, rows)


def trade_table(trades: pl.DataFrame) -> Table | None:
    """Return the latest trades, one row each; None without trades."""
    frame = trades.sort("exit_ns", "trade_id", descending=True).head(SHOWN_ROWS)
    if frame.is_empty():
        return None
    frame = frame.with_columns(
        held=(pl.col("exit_ns") - pl.col("entry_ns")) / NS_PER_MINUTE,
        costs=pl.col("fees_usd") + pl.col("spread_usd") + pl.col("slippage_usd"),
    )
    columns: list[_Column] = [
        _Column("Entry, UTC", "entry_ns", instant, numeric=False),
        _Column("Class", "flow_class", label, numeric=False),
        _Column("Instrument", "instrument", str, numeric=False),
        _Column("Side", "direction", _side, numeric=False),
        _Column("Units", "units", _units),
        _Column("Entry price", "entry_price", _price),
        _Column("Exit price", "exit_price", _price),
        _Column("Exit", "exit_reason", label, numeric=False),
        _Column("Held, min", "held", _one_digit),
        _Column("Gross, USD", "gross_usd", decimal),
        _Column("Costs, USD", "costs", decimal),
        _Column("Net, USD", "net_usd", decimal),
        _Column("Net points", "net_points", decimal),
        _Column("Net bps", "net_bps", decimal),
        _Column("Flags", "flags", _flags, numeric=False),
    ]
    if set(frame.get_column("flags", default=pl.Series([""])).to_list()) <= {"", None}:
        columns = [column for column in columns if column.name != "flags"]
    if "instrument" in frame.columns and frame["instrument"].n_unique() == 1:
        columns = [column for column in columns if column.name != "instrument"]
    return _listed("The latest trades", frame, columns)


def alert_table(alerts: pl.DataFrame, decisions: pl.DataFrame) -> Table | None:
    """Return the latest alerts with what was decided, one row each; None without alerts."""
    if alerts.is_empty():
        return None
    newest = "detected_ns" if "detected_ns" in alerts.columns else "alert_id"
    frame = alerts.sort(newest, "alert_id", descending=True).head(SHOWN_ROWS)
    decided = decisions.unique("alert_id", keep="first", maintain_order=True).select(
        "alert_id", "kind", pl.col("reason_code").cast(pl.String)
    )
    frame = frame.join(decided, on="alert_id", how="left", maintain_order="left").with_columns(
        decision=pl.when(pl.col("kind") == "plan")
        .then(pl.lit("planned"))
        .when(pl.col("kind") == "skip")
        .then(pl.lit("skipped: ") + pl.col("reason_code").fill_null("not stated"))
        .otherwise(pl.lit("no decision"))
    )
    columns: list[_Column] = [
        _Column("Alert", "alert_id", str, numeric=False),
        _Column("Detected, UTC", "detected_ns", instant, numeric=False),
        _Column("Contract", "contract", str, numeric=False),
        _Column("Direction", "direction", label, numeric=False),
        _Column("Class", "flow_class", label, numeric=False),
        _Column("Urgency", "urgency", label, numeric=False),
        _Column("Strike", "strike", _price),
        _Column("Minutes left", "minutes_left", _one_digit),
        _Column("Demand, units", "demand", significant),
        _Column("Pressure", "pressure", significant),
        _Column("Response, min", "response_minutes", _one_digit),
        _Column("Confidence", "confidence", decimal),
        _Column("Decision", "decision", str, numeric=False),
    ]
    if "detected_ns" in alerts.columns:
        columns = columns[1:]
    return _listed("The latest alerts", frame, columns)


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    name: str
    write: Callable[[Any], str]
    numeric: bool = True


def _listed(name: str, frame: pl.DataFrame, columns: Sequence[_Column]) -> Table:
    held = [column for column in columns if column.name in frame.columns]
    rows = tuple(
        tuple(
            Cell("—" if row[column.name] is None else column.write(row[column.name]))
            for column in held
        )
        for row in frame.iter_rows(named=True)
    )
    return Table(name, tuple((column.heading, column.numeric) for column in held), rows, wide=True)


def _side(direction: int) -> str:
    return "long" if direction > 0 else "short"


def _price(value: float) -> str:
    return decimal(value, 2 if abs(value) >= 100.0 else 4)


def _units(value: float) -> str:
    return decimal(value, 3)


def _one_digit(value: float) -> str:
    return decimal(value, 1)


def _flags(flags: str) -> str:
    return flags.replace(",", ", ") or "—"
