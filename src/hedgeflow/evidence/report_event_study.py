"""The report's pictures of what price and signed flow did around alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import plotly.graph_objects as go
import polars as pl

from hedgeflow.evidence.report_figures import SERIES, Picture, floats, spec_of
from hedgeflow.evidence.report_words import decimal, label
from hedgeflow.market.errors import EvidenceError

PRICE_COLUMNS = ("flow_class", "minute", "events", "price_bps", "price_low", "price_high")
FLOW_COLUMNS = ("signed_flow", "flow_low", "flow_high")
ALL_CLASSES = "ALL"
"""The event study's name for all classes together."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def event_study_pictures(
    study: pl.DataFrame, classes: Sequence[str], *, simulated: bool
) -> list[Picture]:
    """Return price, and signed flow where the study has it, around alerts by class.

    Parameters
    ----------
    study : polars.DataFrame
        `PRICE_COLUMNS`, and `FLOW_COLUMNS` where flow was observed; one row per class and minute
        from the alert, positive in the direction of the predicted hedge, with 95 % bands.
    classes : sequence of str
        Order of the classes, which fixes their colours.
    simulated : bool
        Mark the picture SIMULATED.

    Raises
    ------
    EvidenceError
        When a column is missing.
    """
    for column in PRICE_COLUMNS:
        if column not in study.columns:
            raise EvidenceError(f"column {column!r} is missing", where="event_study")
    if study["price_bps"].null_count() == study.height:
        return []
    bands = (
        " Bands are 95 % intervals over events taken as independent; events that share a day are"
        " not quite that, so read them as the narrowest they could be."
    )
    price = ("price_bps", "price_low", "price_high")
    pictures = [
        Picture(
            "fig-event-price",
            "Price around alerts",
            "Mean price move from the alert (minute 0), in basis points, counted positive when the"
            " price moves the way the predicted hedge would push it. The claim needs a line that is"
            " flat before 0 and rises after it; one that had moved before 0 came from alerts that"
            f" were late.{bands}",
            400,
            _study(study, price, "bps from the alert", classes, simulated),
        )
    ]
    if has_flow(study):
        pictures.append(
            Picture(
                "fig-event-flow",
                "Signed flow around alerts",
                "Signed volume of the hedge instrument, summed from the alert on, in underlying"
                " units, counted positive in the direction of the predicted hedge. Dealers who"
                f" hedge as predicted make it rise after 0.{bands}",
                360,
                _study(study, FLOW_COLUMNS, "underlying units", classes, simulated),
            )
        )
    return pictures


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
        rows = study.filter(
            (pl.col("flow_class") == name) & pl.all_horizontal(pl.col(columns).is_not_null())
        ).sort("minute")
        if not rows.is_empty():
            place = None if name == ALL_CLASSES else classes.index(name) % SERIES
            chart.add_traces(_path(rows, columns, name, place))
    chart.add_vline(x=0, line={"color": "var(--ink-soft)", "width": 1, "dash": "dot"})
    chart.update_xaxes(title="minutes from the alert", zeroline=False)
    chart.update_yaxes(title=axis, zeroline=True)
    return spec_of(chart, simulated)


def _path(
    rows: pl.DataFrame, columns: tuple[str, str, str], name: str, place: int | None
) -> list[Any]:
    minutes = floats(rows, "minute")
    middle, lower, upper = (floats(rows, column) for column in columns)
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
    if place is None:
        return [line]
    band = go.Scatter(
        x=[*minutes, *reversed(minutes)],
        y=[*upper, *reversed(lower)],
        fill="toself",
        fillcolor=f"var(--series-{place}-band)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=name,
    )
    return [band, line]
