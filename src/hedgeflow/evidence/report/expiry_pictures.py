"""The report's pictures of expiries: distances from strikes, drift beside gamma, probabilities."""

from __future__ import annotations

import plotly.graph_objects as go

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.canvas import Absent, Bounded, Drawn, Picture, level, spec_of
from hedgeflow.evidence.report.expiry_words import (
    MODELS,
    WITHOUT,
    mark_words,
    named,
    pinning_of,
    probabilities_of,
    reason_of,
)
from hedgeflow.evidence.report.prediction import TO_COMPARE, curves_chart
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.evidence.report.words import counted, decimal, prose

_DAYS = {"expiry_days": "expiry days", "control_days": f"days {WITHOUT}"}
_ENDS = ("lower", "upper")


def distance_picture(package: JsonObject, others: str = WITHOUT, *, simulated: bool) -> Drawn:
    """Return how closes lie between strikes, on expiry days beside the others.

    Parameters
    ----------
    package : mapping
    others : str
        What `other_days` says of the control.
    simulated : bool
        Mark the picture SIMULATED.
    """
    title = "How far closes are from their nearest strike"
    bins = objects(pinning_of(package), "distances")
    totals = {key: sum(int(number(item, key) or 0) for item in bins) for key in _DAYS}
    if not totals["expiry_days"]:
        why = reason_of(section(pinning_of(package), "nearest"), "p_value")
        return Absent(title, why)
    chart = go.Figure()
    for place, (key, name) in enumerate(_DAYS.items()):
        if not totals[key]:
            continue
        counts = [int(number(item, key) or 0) for item in bins]
        chart.add_trace(
            go.Bar(
                x=[50.0 * sum(number(item, end) or 0.0 for end in _ENDS) for item in bins],
                y=[100.0 * count / totals[key] for count in counts],
                name=f"{named(name, others)} ({decimal(totals[key], 0)})",
                showlegend=True,
                marker={
                    "color": f"var(--series-{place}-band)",
                    "line": {"color": f"var(--series-{place})", "width": 1.5},
                    "pattern": {"shape": ("", "/")[place]},
                },
                customdata=counts,
                hovertemplate="%{customdata} closes, %{y:.1f} %<extra>%{fullData.name}</extra>",
            )
        )
    level(chart, 100.0 / len(bins), "spread evenly")
    chart.update_layout(barmode="group")
    chart.update_xaxes(
        title="distance from the nearest strike, % of the spacing",
        range=[0, 50],
        tickvals=[0, 12.5, 25, 37.5, 50],
    )
    chart.update_yaxes(title="share of closes, %")
    beside = (
        "bars of both kinds of days alike, around the dotted line"
        if totals["control_days"]
        else "bars around the dotted line"
    )
    return Picture(
        "fig-distances",
        title,
        "Closes by their distance from the nearest listed strike: 0 at a strike, 50 % half-way"
        " between two. Pinning piles expiry days up at the left, repelling at the right.",
        f"{beside}; prices that like round numbers rise at the left on every day.",
        "how far each close would have been had nothing expired; no day tells that.",
        340,
        spec_of(chart, simulated),
    )


def drift_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return the last moves towards the strike, where dealers are long gamma and where short."""
    title = "The last move beside dealers’ gamma"
    drift = section(pinning_of(package), "drift")
    marks = [each for each in objects(drift, "marks") if number(each, "days")]
    if not marks:
        return Absent(title, reason_of(drift, "p_value"))
    chart = go.Figure()
    for place, (key, name) in enumerate(
        (("long_bps", "dealers long gamma"), ("short_bps", "dealers short gamma"))
    ):
        names = [mark_words(each) for each in marks]
        estimates = [section(each, key) for each in marks]
        points = Bounded.of(names, estimates)
        days = [
            counted(int(number(each, "n") or 0), "day")
            for each in estimates
            if number(each, "value") is not None
        ]
        colour = f"var(--series-{place})"
        if points.at:
            chart.add_trace(
                go.Scatter(
                    x=points.at,
                    y=points.value,
                    error_y=points.bars(colour),
                    mode="markers+text",
                    name=name,
                    showlegend=True,
                    marker={"color": colour, "symbol": ("circle", "diamond")[place], "size": 10},
                    text=days,
                    textposition=("middle left", "middle right")[place],
                    textfont={"size": 11, "color": colour},
                    hovertemplate="%{x}: %{y:.2f} bps, %{text}<extra>%{fullData.name}</extra>",
                )
            )
    chart.add_hline(y=0, line={"color": "var(--ink-soft)", "width": 1.3, "dash": "dot"})
    chart.update_layout(scattermode="group")
    chart.update_xaxes(title="from so long before the expiry to the close", type="category")
    chart.update_yaxes(title="bps towards the strike", zeroline=False)
    return Picture(
        "fig-drift",
        title,
        "Mean move towards the strike with the most open interest (above 0) or away from it, with"
        " 95 % intervals where days are enough, and the number of days beside each; only days whose"
        " strike was within reach. Dealers who are long gamma"
        " should draw the price to the strike, dealers who are short drive it away.",
        "both lie on 0, whatever dealers hold.",
        "who held what: dealers’ gamma is an estimate, and by a convention no more than a guess.",
        340,
        spec_of(chart, simulated),
    )


def probability_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return how often the price finished at strikes that each model gave each probability."""
    title = "The probability of finishing at a strike, and how often it did"
    models = probabilities_of(package)
    held = [
        (section(each, "curve"), MODELS[text(each, "model")])
        for each in models
        if objects(each, "curve", "bins")
    ]
    if not held:
        reasons = [text(each, "curve", "reason") for each in models]
        return Absent(title, next((prose(each) for each in reasons if each), "no model was scored"))
    days = max(int(number(each, "days") or 0) for each in models)
    if days < TO_COMPARE:
        return Absent(title, f"{counted(days, 'expiry day')}; a curve takes {TO_COMPARE} at least")
    chart = curves_chart(held)
    chart.update_xaxes(title="probability stated, %", range=[-2, 102])
    chart.update_yaxes(title="finished at the strike, %", range=[-2, 102])
    return Picture(
        "fig-strike-probabilities",
        title,
        "Strikes grouped by the probability that each model stated, and the share at which the"
        " price finished, with 95 % intervals by resampled days. Points on the dotted line are"
        " as likely as stated; points below it were overstated.",
        "a level line: whatever is stated, the same share comes true.",
        "how many strikes stand behind a point; hover over it. Strikes far away are most of them.",
        380,
        spec_of(chart, simulated),
    )
