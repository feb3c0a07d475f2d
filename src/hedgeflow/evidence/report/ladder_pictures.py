"""The pictures of a ladder: open interest and pressure, dealers' gamma and chances, by strike."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.canvas import DASHES, SYMBOLS, Picture, spec_of
from hedgeflow.evidence.report.ladder_words import local
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.evidence.report.words import decimal, significant

HEIGHT: Final = 620
MOST_LABELS: Final = 24
"""Strikes whose rungs are labelled; of more every second, third, ... is."""
MARGIN: Final = 58
"""Pixels on the right for what the levels are called."""
LABEL_HEIGHT: Final = 34.0
"""Pixels that a level's name and figure take up, one above the other."""
LEAST_PLOT: Final = 400.0
"""Pixels between the lowest strike and the highest, on a narrow page."""
BAR_SHARE: Final = 0.72
"""Of the smallest spacing of strikes."""

CHANCES: Final = (
    ("source", "source", 0),
    ("lognormal", "lognormal", 4),
    ("empirical", "empirical", 3),
    ("in_the_money_call", "call in the money", 2),
)
"""Column, name and colour of each curve of chances."""


def interest_picture(ladder: JsonObject, *, simulated: bool) -> Picture:
    """Return open interest, settled and estimated, beside pressure."""
    rungs = objects(ladder, "rungs")
    strikes = _values(rungs, "strike")
    chart = _panels(("open interest, contracts", "pressure"), (0.6, 0.4))
    since = _since(ladder, rungs)
    for key, name, place in (("settled_calls", "calls", 0), ("settled_puts", "puts", 1)):
        chart.add_trace(
            _bars(strikes, _values(rungs, key), f"settled {name}", place, since), row=1, col=1
        )
    estimated = _values(rungs, "estimated_oi")
    low, high = _values(rungs, "oi_low"), _values(rungs, "oi_high")
    chart.add_trace(
        go.Scatter(
            x=estimated,
            y=strikes,
            mode="markers",
            name="estimated, with its band",
            marker={"color": "var(--ink)", "symbol": "diamond", "size": 7},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [top - at for top, at in zip(high, estimated, strict=True)],
                "arrayminus": [at - end for at, end in zip(estimated, low, strict=True)],
                "color": "var(--ink-soft)",
                "thickness": 1.2,
                "width": 3,
            },
            customdata=list(zip(low, high, strict=True)),
            hovertemplate="%{y}: estimated %{x:,.0f}, band %{customdata[0]:,.0f} to"
            " %{customdata[1]:,.0f}<extra></extra>",
        ),
        row=1,
        col=1,
    )
    _pressure_panel(chart, ladder, rungs, strikes)
    _levels(chart, strikes, {"price": number(ladder, "price")})
    chart.update_layout(barmode="stack")
    return Picture(
        "fig-interest",
        "Open interest and pressure",
        "Left, the contracts open at each strike: bars are the last official count, diamonds what"
        " signed volume since makes of it, and the lines through them what all volume since"
        " allows. Right, pressure, as it is defined above; a filled bar is a strike whose alert"
        " condition holds. The dotted upright is the pressure that an alert needs.",
        "no strike beyond the dotted upright; open interest alone does not move a price.",
        "who holds the contracts, and whether they will be closed before expiry.",
        HEIGHT,
        _spec(chart, strikes, simulated=simulated),
    )


def dealer_picture(ladder: JsonObject, *, simulated: bool) -> Picture:
    """Return dealers' gamma by strike beside the chances of each strike."""
    rungs = objects(ladder, "rungs")
    strikes = _values(rungs, "strike")
    chart = _panels(("dealers’ gamma, units per 1", "chance, %"), (0.5, 0.5))
    gamma = _values(rungs, "dealer_gamma")
    since = _since(ladder, rungs)
    for name, place, sign in (("dealers long", 4, 1.0), ("dealers short", 1, -1.0)):
        mine = [each if sign * each > 0.0 else None for each in gamma]
        chart.add_trace(_bars(strikes, mine, name, place, since, in_legend=False), row=1, col=1)
    chart.update_xaxes(nticks=4, tickangle=0, row=1, col=1)
    for line, (key, name, place) in enumerate(CHANCES):
        known = [
            (100.0 * chance, strike)
            for each, strike in zip(rungs, strikes, strict=True)
            if (chance := number(each, key)) is not None
        ]
        if known:
            chart.add_trace(
                go.Scatter(
                    x=[each[0] for each in known],
                    y=[each[1] for each in known],
                    mode="lines+markers",
                    name=name,
                    line={"color": f"var(--series-{place})", "dash": DASHES[line], "width": 1.8},
                    marker={"symbol": SYMBOLS[line], "size": 5},
                    hovertemplate="%{y}: %{x:.1f} %<extra>%{fullData.name}</extra>",
                ),
                row=1,
                col=2,
            )
    chart.update_xaxes(range=[-4, 104], tickvals=[0, 25, 50, 75, 100], row=1, col=2)
    profile = section(ladder, "profile")
    levels = {"price": number(ladder, "price"), "flip": number(profile, "flip")}
    _levels(chart, strikes, levels)
    _walls(chart, profile, strikes)
    chart.update_layout(barmode="relative")
    return Picture(
        "fig-dealers",
        "Dealers’ gamma and the chances",
        "Left, dealers’ gamma at each strike: to the right they are long and hold the price back,"
        " to the left they are short and push it on. The dashed level is where their net gamma"
        " changes sign. Right, the chance of finishing at each strike by each model, and of a call"
        " there being exercised where that is possible.",
        "gamma to either side of 0 without order. The chances would be as they are: a model knows"
        " how far a strike is and how long it takes, and nothing of who pulls the price there.",
        _basis_words(rungs),
        HEIGHT,
        _spec(chart, strikes, simulated=simulated),
    )


def _basis_words(rungs: list[JsonObject]) -> str:
    bases = [text(each, "gamma_basis") for each in rungs]
    signed = bases.count("SIGNED_FLOW")
    assumed = len(bases) - signed
    told = f"what dealers really hold: at {signed} of these strikes their side is told by signed"
    return f"{told} volume, at {assumed} it is assumed by a convention."


def _spec(chart: Any, strikes: list[float], *, simulated: bool) -> dict[str, Any]:
    """Return the chart's data and layout with a label at each rung and room for the levels'."""
    spec = spec_of(chart, simulated)
    labelled = strikes[:: max(1, math.ceil(len(strikes) / MOST_LABELS))]
    spec["layout"]["margin"]["r"] = MARGIN
    for axis in ("yaxis", "yaxis2"):
        spec["layout"][axis] |= {
            "tickvals": labelled,
            "ticktext": [significant(each, 7) for each in labelled],
        }
    return spec


def _panels(titles: tuple[str, str], widths: tuple[float, float]) -> Any:
    chart = make_subplots(
        rows=1, cols=2, shared_yaxes=True, column_widths=list(widths), horizontal_spacing=0.05
    )
    for column, title in enumerate(titles, 1):
        chart.update_xaxes(title=title, row=1, col=column)
    return chart


def _values(rungs: list[JsonObject], key: str) -> list[float]:
    return [number(each, key) or 0.0 for each in rungs]


def _since(ladder: JsonObject, rungs: list[JsonObject]) -> list[str]:
    """Return since when each rung's count stands, by the exchange's clock."""
    return [
        local(at, ladder, "%Y-%m-%d %H:%M:%S") if (at := text(each, "settled")) else "nobody knows"
        for each in rungs
    ]


def _bars(
    strikes: list[float],
    values: list[float] | list[float | None],
    name: str,
    place: int,
    since: list[str],
    *,
    in_legend: bool = True,
) -> Any:
    return go.Bar(
        x=values,
        y=strikes,
        orientation="h",
        name=name,
        showlegend=in_legend,
        width=_bar_width(strikes),
        marker={
            "color": f"var(--series-{place}-band)",
            "line": {"color": f"var(--series-{place})", "width": 1.2},
        },
        customdata=since,
        hovertemplate="%{y}: %{x:,.0f}<br>unchanged since %{customdata}"
        "<extra>%{fullData.name}</extra>",
    )


def _bar_width(strikes: list[float]) -> float:
    return BAR_SHARE * min((above - below for below, above in pairwise(strikes)), default=1.0)


def _pressure_panel(
    chart: Any, ladder: JsonObject, rungs: list[JsonObject], strikes: list[float]
) -> None:
    alert = [bool(text(each, "urgency")) for each in rungs]
    chart.add_trace(
        go.Bar(
            x=_values(rungs, "pressure"),
            y=strikes,
            orientation="h",
            width=_bar_width(strikes),
            showlegend=False,
            marker={
                "color": ["var(--series-3)" if each else "var(--series-3-band)" for each in alert],
                "line": {"color": "var(--series-3)", "width": 1.2},
            },
            hovertemplate="%{y}: pressure %{x:,.2f}<extra></extra>",
        ),
        row=1,
        col=2,
    )
    threshold = number(ladder, "threshold")
    if threshold is not None:
        chart.add_vline(
            x=threshold,
            line={"color": "var(--ink)", "width": 1.4, "dash": "dot"},
            row=1,
            col=2,
        )


def _levels(chart: Any, strikes: list[float], levels: dict[str, float | None]) -> None:
    """Draw the price, and levels that lie among the strikes, across both panels."""
    shown = {
        name: at
        for name, at in levels.items()
        if at is not None and strikes and strikes[0] <= at <= strikes[-1]
    }
    shifts = _apart(strikes, shown)
    for name, at in shown.items():
        dash = "solid" if name == "price" else "dash"
        for column in (1, 2):
            chart.add_hline(
                y=at, line={"color": "var(--ink)", "width": 1.6, "dash": dash}, row=1, col=column
            )
        chart.add_annotation(
            x=1.0,
            xref="paper",
            y=at,
            yref="y",
            xanchor="left",
            text=f"{name}<br>{decimal(at)}",
            align="left",
            showarrow=False,
            yshift=shifts[name],
            font={"size": 11, "color": "var(--ink)"},
        )


def _apart(strikes: list[float], levels: dict[str, float]) -> dict[str, float]:
    """Return by how many pixels labels of levels are moved up so that none is over another."""
    shifts = dict.fromkeys(levels, 0.0)
    if len(levels) < 2:
        return shifts
    low, high = sorted(levels, key=lambda name: levels[name])
    span = strikes[-1] - strikes[0] or 1.0
    between = (levels[high] - levels[low]) / span * LEAST_PLOT
    missing = max(0.0, LABEL_HEIGHT - between)
    return {low: -missing / 2.0, high: missing / 2.0}


def _walls(chart: Any, profile: JsonObject, strikes: list[float]) -> None:
    """Name the walls on the empty side of their bars."""
    for key, name, anchor in (
        ("call_wall", "call wall", "right"),
        ("put_wall", "put wall", "left"),
    ):
        wall = number(profile, key)
        if wall is not None and wall in strikes:
            chart.add_annotation(
                x=0,
                y=wall,
                xref="x",
                yref="y",
                xanchor=anchor,
                text=name,
                bgcolor="var(--paper)",  # a level may lie right behind it
                showarrow=False,
                xshift=-6 if anchor == "right" else 6,
                font={"size": 11, "color": "var(--ink)"},
            )
