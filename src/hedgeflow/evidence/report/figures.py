"""The report's pictures of money: the account, trade by trade, and how results are spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from hedgeflow.evidence.report.canvas import (
    SERIES,
    SYMBOLS,
    Absent,
    Drawn,
    Picture,
    floats,
    mark,
    outline,
    spec_of,
    whole,
)
from hedgeflow.evidence.report.words import counted, decimal, instant, label

HISTOGRAM_BINS = 40
TO_DISTRIBUTE = 5
"""Trades below which a histogram shows single trades and no distribution."""


def equity_picture(ledger: pl.DataFrame, *, traded: bool, simulated: bool) -> Drawn:
    """Return the account and its fall from the peak, entry by entry.

    Parameters
    ----------
    ledger : polars.DataFrame
        Ledger entries; those of one instant count together, and a deposit raises the peak.
    traded : bool
        Whether there were trades; without them there is nothing to draw.
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
    title = "Account and drawdown"
    if not traded:
        return Absent(title, "there is no account to draw: the ledger holds no trade")
    if steps.height < 2 or not float(steps["deposit"].sum()) > 0.0:
        return Absent(title, "the ledger holds no deposit that a fall could be measured from")
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
        title,
        "Above, the account after every ledger entry, all costs charged; the axis does not begin at"
        " 0. Below, how far it stood under its highest value so far, in per cent of that value.",
        "a path that wanders without a direction, and sinks by the costs.",
        "losses within a trade before it was closed, and falls that other days would have brought:"
        " the largest drawdown of resampled histories stands below.",
        420,
        spec_of(chart, simulated),
    )


def trades_picture(trades: pl.DataFrame, classes: Sequence[str], *, simulated: bool) -> Drawn:
    """Return the net result of each trade in order of exit."""
    title = "Trade by trade"
    if trades.is_empty():
        return Absent(title, "there are no trades")
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
                marker={"color": colour, "symbol": SYMBOLS[place], "size": 6},
                error_y=_stems(rows, colour),
                customdata=[instant(at) for at in rows["exit_ns"].to_list()],
                hovertemplate="%{customdata} UTC: %{y:,.2f} USD<extra>%{fullData.name}</extra>",
            )
        )
    chart.update_xaxes(title="trade, in order of exit", **whole([ordered.height]))
    chart.update_yaxes(title="net, USD", tickformat=",.0f", zeroline=True)
    return Picture(
        "fig-trades",
        title,
        "Net result of every trade after fees, spread and slippage; above 0 it won. Look for a"
        " profit that hangs on a few trades or on one stretch of time.",
        "results on both sides of 0 that do not change along the axis, a little more below it.",
        "how much was at stake in each: results in basis points stand in the table of trades.",
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


def results_picture(trades: pl.DataFrame, *, simulated: bool) -> Drawn:
    """Return the distribution of net results of single trades."""
    title = "Results of single trades"
    if trades.is_empty():
        return Absent(title, "there are no trades")
    values = floats(trades, "net_bps")
    mean = sum(values) / len(values)
    if len(values) < TO_DISTRIBUTE:
        said = f"{counted(len(values), 'trade')} of {decimal(mean)} bps on average"
        return Absent(title, f"{said}; a distribution takes {TO_DISTRIBUTE} at least")
    chart = go.Figure(
        go.Histogram(
            x=values,
            nbinsx=HISTOGRAM_BINS,
            marker={"color": "var(--series-0-band)", "line": outline("var(--series-0)")},
            hovertemplate="%{x} bps: %{y} trades<extra></extra>",
            showlegend=False,
        )
    )
    mark(chart, mean, f"mean {decimal(mean)} bps")
    chart.update_xaxes(title="net result of a trade, bps of what was traded")
    chart.update_yaxes(title="trades", **whole([len(values)]))
    return Picture(
        "fig-results",
        title,
        "How often each net result came up, the mean marked. Two heaps are the mark of a target and"
        " a stop, and then the win rate alone says little.",
        "a mean left of 0 by what a trade costs.",
        "the order of the trades, and that trades of one day are alike.",
        320,
        spec_of(chart, simulated),
    )
