"""The report's pictures of what price and signed flow did around alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import plotly.graph_objects as go
import polars as pl

from hedgeflow.evidence.report.canvas import (
    DASHES,
    SERIES,
    Absent,
    Drawn,
    Picture,
    band,
    floats,
    spec_of,
)
from hedgeflow.evidence.report.words import decimal, label
from hedgeflow.market.errors import EvidenceError

PRICE_COLUMNS = ("flow_class", "minute", "events", "price_bps", "price_low", "price_high")
PRICES = ("price_bps", "price_low", "price_high")
FLOW_COLUMNS = ("signed_flow", "flow_low", "flow_high")
PLACEBO_COLUMNS = ("placebo_bps", "placebo_low", "placebo_high")
BANDS = "the bands are 95 % intervals, which know that events of one day move together."
ALL_CLASSES = "ALL"
"""The event study's name for all classes together."""


def event_study_pictures(
    study: pl.DataFrame | None, classes: Sequence[str], *, flow_reason: str, simulated: bool
) -> list[Drawn]:
    """Return price and signed flow around alerts by class, or why they cannot be drawn.

    Parameters
    ----------
    study : polars.DataFrame or None
        `PRICE_COLUMNS`, and `FLOW_COLUMNS` where flow was observed; one row per class and minute
        from the alert, positive in the direction of the predicted hedge, with 95 % bands.
    classes : sequence of str
        Order of the classes, which fixes their colours.
    flow_reason : str
        Why there is no signed flow, where there is none.
    simulated : bool
        Mark the picture SIMULATED.

    Raises
    ------
    EvidenceError
        When a column is missing.
    """
    titles = ("Price around alerts", "Signed flow around alerts")
    if study is None or study.is_empty():
        return [Absent(title, "no alert had prices around it") for title in titles]
    for column in PRICE_COLUMNS:
        if column not in study.columns:
            raise EvidenceError(f"column {column!r} is missing", where="event_study")
    drawn: list[Drawn] = [Absent(titles[0], "no alert had prices around it")]
    if study["price_bps"].null_count() < study.height:
        drawn = [
            Picture(
                "fig-event-price",
                titles[0],
                "Mean price move from the alert (minute 0), in basis points, counted positive when"
                f" the price moves the way the predicted hedge would push it; {BANDS}",
                "level lines whose bands hold 0 all along, like the same minutes on earlier days"
                " where those are drawn. A line that rose before minute 0 comes from late alerts.",
                "what could have been earned of it: waiting for the alert, costs and exits are not"
                " in this picture.",
                400,
                _study(study, PRICES, "bps from the alert", classes, simulated),
            )
        ]
    if not has_flow(study):
        reason = f"untestable on these data: {flow_reason}"
        return [*drawn, Absent(titles[1], reason)]
    flow = Picture(
        "fig-event-flow",
        titles[1],
        "Signed volume of the hedge instrument, summed from the alert on, in underlying units,"
        f" counted positive in the direction of the predicted hedge; {BANDS}",
        "level lines. Dealers who hedge as predicted make them rise after minute 0.",
        "who traded: anybody's orders count, and whoever trades on the same news looks alike.",
        360,
        _study(study, FLOW_COLUMNS, "underlying units", classes, simulated),
    )
    return [*drawn, flow]


def has_flow(study: pl.DataFrame | None) -> bool:
    """Return whether an event study holds signed flow."""
    return (
        study is not None
        and all(column in study.columns for column in FLOW_COLUMNS)
        and study["signed_flow"].null_count() < study.height
    )


def _study(
    study: pl.DataFrame,
    columns: tuple[str, str, str],
    axis: str,
    classes: Sequence[str],
    simulated: bool,
) -> dict[str, Any]:
    chart = go.Figure()
    held = set(study["flow_class"].to_list())
    present = [name for name in classes if name in held]
    for name in [*present, *([ALL_CLASSES] if len(present) != 1 and ALL_CLASSES in held else [])]:
        rows = study.filter((pl.col("flow_class") == name) & pl.col(columns[0]).is_not_null()).sort(
            "minute"
        )
        if not rows.is_empty():
            place = None if name == ALL_CLASSES else classes.index(name) % SERIES
            chart.add_traces(_path(rows, columns, name, place))
    if columns == PRICES:
        chart.add_traces(_placebo(study))
    chart.add_vline(x=0, line={"color": "var(--ink-soft)", "width": 1, "dash": "dot"})
    chart.update_xaxes(title="minutes from the alert", zeroline=False)
    chart.update_yaxes(title=axis, zeroline=True)
    return spec_of(chart, simulated)


def _path(
    rows: pl.DataFrame, columns: tuple[str, str, str], name: str, place: int | None
) -> list[Any]:
    minutes = floats(rows, "minute")
    middle = floats(rows, columns[0])
    events = decimal(int(cast("int", rows["events"].max())), 0)
    colour = "var(--ink)" if place is None else f"var(--series-{place})"
    line = go.Scatter(
        x=minutes,
        y=middle,
        mode="lines",
        name=f"{'All' if place is None else label(name)} ({events})",
        legendgroup=name,
        line={
            "color": colour,
            "dash": "solid" if place is None else DASHES[place],
            "width": 1.2 if place is None else 2,
        },
        hovertemplate="%{x:g} min: %{y:.2f}<extra>%{fullData.name}</extra>",
    )
    bounded = rows.drop_nulls(list(columns[1:]))
    if place is None or bounded.is_empty():
        return [line]
    lower, upper = (floats(bounded, column) for column in columns[1:])
    return [band(floats(bounded, "minute"), lower, upper, place, legendgroup=name), line]


def _placebo(study: pl.DataFrame) -> list[Any]:
    """Return the path of the same minutes on other days, over all classes; none without it."""
    if not set(PLACEBO_COLUMNS) <= set(study.columns):
        return []
    rows = study.filter(pl.col("flow_class") == ALL_CLASSES).drop_nulls("placebo_bps")
    if rows.is_empty():
        return []
    rows = rows.sort("minute")
    name = "same minutes on earlier days"
    line = go.Scatter(
        x=floats(rows, "minute"),
        y=floats(rows, "placebo_bps"),
        mode="lines",
        name=name,
        legendgroup=name,
        line={"color": "var(--series-4)", "dash": "longdash", "width": 2},
        hovertemplate="%{x:g} min: %{y:.2f}<extra>%{fullData.name}</extra>",
    )
    bounded = rows.drop_nulls(list(PLACEBO_COLUMNS[1:]))
    if bounded.is_empty():
        return [line]
    lower, upper = (floats(bounded, column) for column in PLACEBO_COLUMNS[1:])
    return [band(floats(bounded, "minute"), lower, upper, 4, legendgroup=name), line]
