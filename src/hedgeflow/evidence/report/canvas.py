"""What every picture of the report shares: its caption, its colours, its marks, its watermark."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import plotly.graph_objects as go
import polars as pl

from hedgeflow.evidence.checks import JsonObject, number
from hedgeflow.evidence.report.words import prose

SERIES = 5
"""Colours there are before they repeat; symbols and dashes tell series apart as well."""
FEW = 8
"""Up to so many things counted, an axis has a tick for each."""
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure of the report.

    Attributes
    ----------
    id : str
        Its element's id.
    title : str
    shows : str
        What one sees.
    if_nothing : str
        What it would look like if there were nothing to find.
    not_shown : str
        What it does not say.
    height : int
        Pixels.
    spec : dict
        Plotly's ``data`` and ``layout``.
    """

    id: str
    title: str
    shows: str
    if_nothing: str
    not_shown: str
    height: int
    spec: dict[str, Any]

    @property
    def description(self) -> str:
        """The whole caption, for those who cannot see the picture."""
        return (
            f"{self.title}. {self.shows} If there were nothing: {self.if_nothing}"
            f" Not shown: {self.not_shown}"
        )


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that these data cannot draw.

    Attributes
    ----------
    title : str
    reason : str
        Why, in a sentence without its full stop.
    """

    title: str
    reason: str


Drawn = Picture | Absent


@dataclass(frozen=True, slots=True)
class Bounded:
    """Estimates along a line, their bounds as bars; points without a value are left out.

    Attributes
    ----------
    at : list
        Where each stands.
    value, minus, plus : list of float
        The figure, and how far its bounds lie from it; 0 where it has none.
    """

    at: list[Any]
    value: list[float]
    minus: list[float]
    plus: list[float]

    @classmethod
    def of(cls, at: Sequence[Any], estimates: Sequence[JsonObject], scale: float = 1.0) -> Bounded:
        """Return estimates of the package, times `scale`, where they have a value."""
        places: list[Any] = []
        found: list[tuple[float, float, float]] = []
        for place, record in zip(at, estimates, strict=True):
            value, lower, upper = (number(record, key) for key in ("value", "lower", "upper"))
            if value is None:
                continue
            low, high = (value if bound is None else bound for bound in (lower, upper))
            places.append(place)
            found.append((scale * value, scale * (value - low), scale * (high - value)))
        return cls(
            places,
            [each[0] for each in found],
            [max(0.0, each[1]) for each in found],
            [max(0.0, each[2]) for each in found],
        )

    def bars(self, colour: str) -> dict[str, Any]:
        """Return the bounds as Plotly's error bars."""
        return {
            "type": "data",
            "symmetric": False,
            "array": self.plus,
            "arrayminus": self.minus,
            "color": colour,
            "thickness": 1.4,
            "width": 4,
        }


def band(at: list[Any], lower: list[float], upper: list[float], place: int, **more: Any) -> Any:
    """Return the area between two lines in a series' own colour."""
    return go.Scatter(
        x=[*at, *reversed(at)],
        y=[*upper, *reversed(lower)],
        fill="toself",
        fillcolor=f"var(--series-{place}-band)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        **more,
    )


def level(chart: Any, at: float, words: str, *, row: int | None = None, dash: str = "dot") -> None:
    """Draw a level that values are held against, named at its right end."""
    where = {} if row is None else {"row": row, "col": 1}
    chart.add_hline(
        y=at,
        line={"color": "var(--ink-soft)", "width": 1.3, "dash": dash},
        annotation={
            "text": words,
            "font": {"size": 11, "color": "var(--ink-soft)"},
            "bgcolor": "var(--paper)",
        },
        annotation_position="top right",
        **where,
    )


def mark(chart: Any, at: float, words: str) -> None:
    """Draw an upright line that names a value."""
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


def whole(counts: Sequence[float]) -> dict[str, Any]:
    """Return the ticks of an axis of counts, at whole numbers where few would be broken."""
    few = max(counts, default=0.0) <= FEW
    return {"tick0": 0, "dtick": 1} if few else {}


def outline(colour: str) -> dict[str, Any]:
    """Return the edge of a bar."""
    return {"color": colour, "width": 1}


def floats(frame: pl.DataFrame, column: str) -> list[float]:
    """Return a column as plain numbers."""
    return [float(value) for value in frame[column].cast(pl.Float64).to_list()]


def sentence(words: str) -> str:
    """Return words as a sentence: a capital first, a full stop last."""
    text = prose(words).strip()
    if not text:
        return ""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


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
