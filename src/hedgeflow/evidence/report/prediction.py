"""The report's pictures of prediction: pressure and outcome, stated confidence and what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.canvas import (
    SERIES,
    SYMBOLS,
    Absent,
    Bounded,
    Drawn,
    Picture,
    floats,
    spec_of,
)
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.evidence.report.words import counted, decimal, estimate, label, p_is, prose

PRICE_MOVES = (
    ("prior_move_bps", "before the alert"),
    ("move_bps", "after it"),
    ("placebo_move_bps", "after it, earlier days"),
    ("excess_move_bps", "difference"),
    ("acceleration_bps", "turn at the end"),
    ("placebo_acceleration_bps", "turn, earlier days"),
    ("excess_acceleration_bps", "difference of the turns"),
)
TO_COMPARE = 5
"""Trades, outcomes or days below which a picture shows single ones and no relation."""
CURVES = (("trades", "trades won"), ("directions", "hedges in the predicted direction"))


def pressure_picture(
    trades: pl.DataFrame, alerts: pl.DataFrame, classes: Sequence[str], *, simulated: bool
) -> Drawn:
    """Return each trade's net result against the pressure of its alert."""
    title = "Pressure against outcome"
    if trades.is_empty() or "pressure" not in alerts.columns:
        why = "there are no trades" if trades.is_empty() else "alerts state no pressure"
        return Absent(title, why)
    joined = trades.join(
        alerts.select("alert_id", "pressure").unique("alert_id", keep="first"), on="alert_id"
    ).filter(pl.col("pressure") > 0.0)
    if joined.is_empty():
        return Absent(title, "no trade's alert states a pressure")
    if joined.height < TO_COMPARE:
        said = counted(joined.height, "trade")
        return Absent(title, f"{said}; a slope takes {TO_COMPARE} at least")
    chart = go.Figure()
    for name in classes:
        rows = joined.filter(pl.col("flow_class") == name).sort("exit_ns", "trade_id")
        if rows.is_empty():
            continue
        place = classes.index(name) % SERIES
        chart.add_trace(
            go.Scatter(
                x=floats(rows, "pressure"),
                y=floats(rows, "net_points"),
                mode="markers",
                name=label(name),
                marker={"color": f"var(--series-{place})", "symbol": SYMBOLS[place], "size": 6},
                hovertemplate="pressure %{x:.4g}: %{y:.2f} points<extra>%{fullData.name}</extra>",
            )
        )
    chart.update_xaxes(title="pressure of the alert (logarithmic)", type="log")
    chart.update_yaxes(title="net points", zeroline=True)
    return Picture(
        "fig-pressure",
        title,
        "Each trade's net result against the pressure of its alert. If pressure measures how hard"
        " dealers must trade, results rise from left to right.",
        "a cloud without a slope, around the costs below 0.",
        "targets and stops: classes have their own, and make levels that pressure did not.",
        320,
        spec_of(chart, simulated),
    )


def reliability_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return how often alerts of each stated confidence came true."""
    title = "Stated confidence, and how often it came true"
    record = section(package, "hypothesis_validation", "reliability")
    curves = [(section(record, key), words) for key, words in CURVES]
    held = [(curve, words) for curve, words in curves if objects(curve, "bins")]
    if not held:
        reasons = [text(curve, "reason") for curve, _ in curves if text(curve, "reason")]
        return Absent(title, prose(reasons[0]) if reasons else "no outcome was recorded")
    told = max(_outcomes(curve) for curve, _ in held)
    if told < TO_COMPARE:
        return Absent(title, f"{counted(told, 'outcome')}; a curve takes {TO_COMPARE} at least")
    chart = curves_chart(held)
    chart.update_xaxes(title="confidence stated, %", range=[-2, 102])
    chart.update_yaxes(title="came true, %", range=[-2, 102])
    return Picture(
        "fig-reliability",
        title,
        "Alerts grouped by the confidence that they stated, and the share that came true, with 95 %"
        f" intervals. {' '.join(_brier(curve, words) for curve, words in held)}".strip(),
        "a level line: whatever is stated, the same share comes true.",
        "how many alerts stand behind a point; hover over it, or look at the width of its"
        " interval.",
        360,
        spec_of(chart, simulated),
    )


def _outcomes(curve: JsonObject) -> int:
    return sum(int(number(item, "count") or 0) for item in objects(curve, "bins"))


def curves_chart(held: Sequence[tuple[JsonObject, str]]) -> Any:
    """Return reliability curves of the package, each with its name, beside "as stated"."""
    chart = go.Figure()
    chart.add_trace(
        go.Scatter(
            x=[0, 100],
            y=[0, 100],
            mode="lines",
            name="as stated",
            line={"color": "var(--ink-soft)", "width": 1.3, "dash": "dot"},
            hoverinfo="skip",
        )
    )
    for place, (curve, words) in enumerate(held):
        bins = objects(curve, "bins")
        points = Bounded.of(
            [100.0 * (number(item, "mean_confidence") or 0.0) for item in bins],
            [section(item, "rate") for item in bins],
            100.0,
        )
        colour = f"var(--series-{place})"
        chart.add_trace(
            go.Scatter(
                x=points.at,
                y=points.value,
                error_y=points.bars(colour),
                mode="lines+markers",
                name=words,
                line={"color": colour, "width": 1.5},
                marker={"color": colour, "symbol": SYMBOLS[place], "size": 8},
                customdata=[number(item, "count") for item in bins],
                hovertemplate="stated %{x:.0f} %: %{y:.1f} % of %{customdata}<extra></extra>",
            )
        )
    return chart


def _brier(curve: JsonObject, words: str) -> str:
    score = number(curve, "brier", "value")
    if score is None:
        return ""
    stated = estimate(section(curve, "mean_confidence"), "share")
    came = estimate(section(curve, "rate"), "share")
    resolution = number(curve, "resolution")
    told = "" if resolution is None else f", resolution {decimal(resolution, 3)}"
    return (
        f"Of {words}: stated {stated.value} on average, came {came.value}; Brier score"
        f" {decimal(score, 3)}{told}."
    )


def price_response_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return how prices moved before and after alerts, beside the same minutes of earlier days."""
    title = "What prices did, beside the same minutes of earlier days"
    record = section(package, "hypothesis_validation", "price_response")
    rows = [
        (words, section(record, key))
        for key, words in PRICE_MOVES
        if number(record, key, "value") is not None
    ]
    if not rows:
        why = text(section(record, "move_bps"), "reason")
        return Absent(title, prose(why) or "prices after events were not studied")
    points = Bounded.of([words for words, _ in rows], [found for _, found in rows])
    colour = "var(--series-0)"
    chart = go.Figure(
        go.Scatter(
            x=points.value,
            y=points.at,
            error_x=points.bars(colour),
            mode="markers",
            showlegend=False,
            marker={"color": colour, "size": 9},
            hovertemplate="%{y}: %{x:.2f} bps<extra></extra>",
        )
    )
    chart.add_vline(x=0, line={"color": "var(--ink-soft)", "width": 1.3, "dash": "dot"})
    chart.update_xaxes(title="bps, in the predicted direction", zeroline=False)
    chart.update_yaxes(autorange="reversed", tickfont={"size": 11})
    basis = text(record, "acceleration_basis")
    return Picture(
        "fig-price-response",
        title,
        f"Mean price moves of {_events(record)} in the predicted direction, with 95 % intervals,"
        " and how the price turned where the hedge was done (right of 0: it sped up)."
        f"{_p_values(record)}",
        "moves and accelerations lie where those of earlier days lie, and every difference on 0. A"
        " move before the alert means that something else moved price and options.",
        f"whose trades moved the price. The turn is the {basis}."
        if basis
        else "whose trades moved the price.",
        110 + 40 * len(rows),
        spec_of(chart, simulated),
    )


def _events(record: JsonObject) -> str:
    events, out = (int(number(record, key) or 0) for key in ("events", "left_out"))
    left = f", {decimal(out, 0)} left out for want of a price or of such minutes" if out else ""
    return f"{counted(events, 'event')}{left}"


def _p_values(record: JsonObject) -> str:
    found = [
        f"{words}: {p_is(value)}"
        for key, words in (
            ("p_value_move", "the move exceeds that of earlier days"),
            ("acceleration_p_value", "the turn differs from that of earlier days"),
        )
        if (value := number(record, key, "value")) is not None
    ]
    return f" That {'; that '.join(found)}." if found else ""
