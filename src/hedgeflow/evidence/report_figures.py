"""The report's pictures of money and luck, in colours that the page resolves, light or dark."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report_sections import first_null, objects
from hedgeflow.evidence.report_words import decimal, instant, label

SERIES = 5
"""Colours there are before they repeat; dashes tell lines apart as well."""
HISTOGRAM_BINS = 40

_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x")
_BASIS = 1e-9


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure of the report.

    Attributes
    ----------
    id : str
        Its element's id.
    title, caption : str
        What it shows, and how to read it, in plain words.
    height : int
        Pixels.
    spec : dict
        Plotly's ``data`` and ``layout``.
    """

    id: str
    title: str
    caption: str
    height: int
    spec: dict[str, Any]


def equity_picture(ledger: pl.DataFrame, *, simulated: bool) -> Picture | None:
    """Return the account and its fall from the peak, entry by entry; None without money.

    Parameters
    ----------
    ledger : polars.DataFrame
        Ledger entries; those of one instant count together, and a deposit raises the peak.
    simulated : bool
        Mark the picture SIMULATED.
    """
    deposit = pl.col("kind") == "DEPOSIT"
    steps = (
        ledger.group_by("at_ns")
        .agg(
            pl.col("amount_usd").filter(deposit).sum().alias("deposit"),
            pl.col("amount_usd").filter(~deposit).sum().alias("profit"),
        )
        .sort("at_ns")
    )
    if steps.height < 2 or not float(steps["deposit"].sum()) > 0.0:
        return None
    times: list[str] = []
    account: list[float] = []
    falls: list[float] = []
    equity = peak = 0.0
    for at_ns, added, earned in steps.iter_rows():
        equity += added + earned
        peak = max(peak + added, equity)
        times.append(instant(at_ns))
        account.append(round(equity, 2))
        falls.append(-100.0 * (peak - equity) / peak if peak > 0.0 else 0.0)
    chart = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.65, 0.35], vertical_spacing=0.06
    )
    line = {"shape": "hv", "width": 1.8, "color": "var(--series-0)"}
    chart.add_trace(
        go.Scatter(
            x=times,
            y=account,
            line=line,
            mode="lines",
            showlegend=False,
            hovertemplate="%{x}: %{y:,.2f} USD<extra></extra>",
        ),
        row=1,
        col=1,
    )
    chart.add_trace(
        go.Scatter(
            x=times,
            y=falls,
            mode="lines",
            showlegend=False,
            fill="tozeroy",
            line=line | {"color": "var(--series-1)"},
            fillcolor="var(--series-1-band)",
            hovertemplate="%{x}: %{y:.2f} %<extra></extra>",
        ),
        row=2,
        col=1,
    )
    chart.update_yaxes(title="account, USD", tickformat=",.0f", row=1, col=1)
    chart.update_yaxes(title="below peak, %", row=2, col=1)
    chart.update_xaxes(title="UTC", row=2, col=1)
    return Picture(
        "fig-equity",
        "Account and drawdown",
        "Above: the account after every ledger entry, all costs charged; the axis does not begin at"
        " 0. Below: how far it stood under its highest value so far, in per cent of that value.",
        420,
        spec_of(chart, simulated),
    )


def trades_picture(
    trades: pl.DataFrame, classes: Sequence[str], *, simulated: bool
) -> Picture | None:
    """Return the net result of each trade in order of exit; None without trades."""
    if trades.is_empty():
        return None
    ordered = trades.sort("exit_ns", "trade_id").with_row_index("order", offset=1)
    chart = go.Figure()
    for name in classes:
        rows = ordered.filter(pl.col("flow_class") == name)
        if rows.is_empty():
            continue
        place = classes.index(name) % SERIES
        colour = f"var(--series-{place})"
        chart.add_trace(
            go.Scatter(
                x=rows["order"].to_list(),
                y=floats(rows, "net_usd"),
                mode="markers",
                name=label(name),
                marker={"color": colour, "symbol": _SYMBOLS[place], "size": 6},
                error_y=_stems(rows, colour),
                customdata=[instant(at) for at in rows["exit_ns"].to_list()],
                hovertemplate="%{customdata} UTC: %{y:,.2f} USD<extra>%{fullData.name}</extra>",
            )
        )
    chart.update_xaxes(title="trade, in order of exit")
    chart.update_yaxes(title="net, USD", tickformat=",.0f", zeroline=True)
    return Picture(
        "fig-trades",
        "Trade by trade",
        "Net result of every trade after fees, spread and slippage; above 0 it won. Look for a"
        " profit that hangs on a few trades or on one stretch of time.",
        320,
        spec_of(chart, simulated),
    )


def _stems(rows: pl.DataFrame, colour: str) -> dict[str, Any]:
    values = floats(rows, "net_usd")
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, -value) for value in values],
        "arrayminus": [max(0.0, value) for value in values],
        "width": 0,
        "thickness": 1,
        "color": colour,
    }


def results_picture(trades: pl.DataFrame, *, simulated: bool) -> Picture | None:
    """Return the distribution of net results of single trades; None without trades."""
    if trades.is_empty():
        return None
    values = floats(trades, "net_bps")
    mean = sum(values) / len(values)
    chart = go.Figure(
        go.Histogram(
            x=values,
            nbinsx=HISTOGRAM_BINS,
            marker={"color": "var(--series-0-band)", "line": _outline("var(--series-0)")},
            hovertemplate="%{x} bps: %{y} trades<extra></extra>",
            showlegend=False,
        )
    )
    _mark(chart, mean, f"mean {decimal(mean)} bps")
    chart.update_xaxes(title="net result of a trade, bps of what was traded")
    chart.update_yaxes(title="trades")
    return Picture(
        "fig-results",
        "Results of single trades",
        "How often each net result came up. The mean is marked; two heaps are the mark of a target"
        " and a stop, and then the win rate alone says little.",
        320,
        spec_of(chart, simulated),
    )


def pressure_picture(
    trades: pl.DataFrame, alerts: pl.DataFrame, classes: Sequence[str], *, simulated: bool
) -> Picture | None:
    """Return each trade's net result against the pressure of its alert; None without either."""
    if trades.is_empty() or "pressure" not in alerts.columns:
        return None
    joined = trades.join(
        alerts.select("alert_id", "pressure").unique("alert_id", keep="first"), on="alert_id"
    ).filter(pl.col("pressure") > 0.0)
    if joined.is_empty():
        return None
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
                marker={"color": f"var(--series-{place})", "symbol": _SYMBOLS[place], "size": 6},
                hovertemplate="pressure %{x:.4g}: %{y:.2f} points<extra>%{fullData.name}</extra>",
            )
        )
    chart.update_xaxes(title="pressure of the alert (logarithmic)", type="log")
    chart.update_yaxes(title="net points", zeroline=True)
    return Picture(
        "fig-pressure",
        "Pressure against outcome",
        "If pressure measures how hard dealers must trade, results rise from left to right; a cloud"
        " without a slope says that it does not.",
        320,
        spec_of(chart, simulated),
    )


def null_picture(package: JsonObject, *, simulated: bool) -> Picture | None:
    """Return what matched random entries earned beside the strategy's mean; None without draws."""
    nulls = objects(section(package, "statistical_measures"), "nulls")
    null = first_null(package)
    bins = cast("list[JsonObject]", null.get("histogram_mean_net_bps") or [])
    observed = number(null, "observed_mean_net_bps")
    if not bins or observed is None:
        return None
    edges = [(number(item, "lower") or 0.0, number(item, "upper") or 0.0) for item in bins]
    counts = [number(item, "count") or 0.0 for item in bins]
    chart = go.Figure(
        go.Bar(
            x=[(lower + upper) / 2.0 for lower, upper in edges],
            y=counts,
            width=[max(_BASIS, upper - lower) for lower, upper in edges],
            marker={"color": "var(--series-2-band)", "line": _outline("var(--series-2)")},
            hovertemplate="%{x:.2f} bps: %{y} draws<extra></extra>",
            showlegend=False,
        )
    )
    _mark(chart, observed, f"this strategy {decimal(observed)} bps")
    chart.update_xaxes(title="mean net result a trade, bps")
    chart.update_yaxes(title="draws")
    draws, reached = number(null, "draws") or 0.0, number(null, "exceedances_mean") or 0.0
    return Picture(
        "fig-null",
        "Could it be luck?",
        f"Each of {decimal(draws, 0)} draws trades at random entries that match the strategy's"
        " days, times of day, directions and exits. The bars show the mean net result of the draws,"
        f" the line that of the strategy; {decimal(reached, 0)} draws did at least as well."
        + "".join(_directions(other) for other in nulls if other.get("kind") == "directions"),
        320,
        spec_of(chart, simulated),
    )


def _directions(null: JsonObject) -> str:
    draws, reached = number(null, "draws"), number(null, "exceedances_mean")
    if not draws or reached is None:
        return ""
    return (
        " What prices do after alerts happens whichever way one trades, so there is a second test:"
        f" of {decimal(draws, 0)} draws of the same entries with their directions dealt out again,"
        f" {decimal(reached, 0)} did at least as well. The larger p-value counts."
    )


def _mark(chart: Any, at: float, words: str) -> None:
    chart.add_vline(x=at, line={"color": "var(--ink)", "width": 2})
    chart.add_annotation(
        x=at,
        y=1.0,
        yref="paper",
        yanchor="bottom",
        text=words,
        showarrow=False,
        font={"color": "var(--ink)", "size": 12},
    )


def _outline(colour: str) -> dict[str, Any]:
    return {"color": colour, "width": 1}


def floats(frame: pl.DataFrame, column: str) -> list[float]:
    """Return a column as plain numbers."""
    return [float(value) for value in frame[column].cast(pl.Float64).to_list()]


def spec_of(chart: Any, simulated: bool) -> dict[str, Any]:
    """Return a chart's data and layout in the report's style, marked where it is simulated."""
    axis = {
        "gridcolor": "var(--line)",
        "zerolinecolor": "var(--ink-soft)",
        "linecolor": "var(--line)",
        "automargin": True,
        "fixedrange": False,
    }
    chart.update_xaxes(**axis)
    chart.update_yaxes(**axis)
    chart.update_layout(
        template=go.layout.Template(),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "var(--ink)", "size": 12},
        margin={"l": 56, "r": 12, "t": 28, "b": 44},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"bgcolor": "var(--paper)", "font": {"color": "var(--ink)"}},
        bargap=0.04,
    )
    if simulated:
        chart.add_annotation(
            text="SIMULATED",
            xref="paper",
            yref="paper",
            x=0.5,
            y=0.5,
            showarrow=False,
            textangle=-18,
            font={"size": 44, "color": "var(--watermark)"},
        )
    return cast("dict[str, Any]", json.loads(chart.to_json()))
