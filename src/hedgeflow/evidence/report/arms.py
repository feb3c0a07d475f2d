"""The same alerts run other ways, group by group: curves, dots and the price of each control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hedgeflow.evidence.arms import ArmGroup
from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.canvas import (
    Absent,
    Bounded,
    Drawn,
    Picture,
    level,
    sentence,
    spec_of,
)
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import decimal, estimate, money, p_is, prose

ROW_PIXELS, LINE_PIXELS = 34, 16
"""Of a picture in which every arm has a row of its own: a row at least, and a line of its words."""
MANY_TIMES = 20.0
"""A curve whose parameter grows by as much is drawn over its logarithm."""
SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Panel:
    """How a group of arms is shown.

    Attributes
    ----------
    title, shows, if_nothing, not_shown
        As in `Picture`.
    kind : str
        ``curve`` over the arms' parameter, ``dots`` of what each earned, or ``differences`` from
        the run itself.
    axis : str
        What a curve's parameter is.
    scale : float
        By which the parameter is divided for the axis.
    """

    title: str
    shows: str
    if_nothing: str
    not_shown: str
    kind: Literal["curve", "dots", "differences"] = "dots"
    axis: str = ""
    scale: float = 1.0


PANELS: dict[str, Panel] = {
    ArmGroup.LATENCY: Panel(
        "What delay costs",
        "The same alerts, entered later: mean net result a trade above, win rate below, with 95 %"
        " intervals. The hollow mark is the run as it was.",
        "level lines: a moment of entry that carries no information loses nothing by waiting.",
        "what others do meanwhile, and what our own order would move.",
        "curve",
        "minutes of delay added",
        SECONDS_PER_MINUTE,
    ),
    ArmGroup.PLACEBO: Panel(
        "The run beside its placebos",
        "Mean net result a trade, with 95 % intervals, of the run itself (hollow) and of runs that"
        " should earn nothing: alerts at other times, on other days, in the other direction.",
        "all of them lie together, and the run is one among them.",
        "a test: the p-value comes from thousands of draws, these are a few examples to look at.",
    ),
    ArmGroup.COST: Panel(
        "What costs take",
        "The same alerts at multiples of the costs charged: mean net result a trade above, win rate"
        " below, with 95 % intervals. The hollow mark is the run as it was.",
        "a line that falls from 0 at the left.",
        "costs that grow with our own size: they are under capacity.",
        "curve",
        "times the costs charged",
    ),
    ArmGroup.CAPACITY: Panel(
        "How large it could be traded",
        "The same alerts at multiples of our size, our own impact charged by the impact model: mean"
        " net result a trade above, win rate below, with 95 % intervals.",
        "a line that is under 0 at any size.",
        "a measured impact: it is a model's, and nobody who reacts to us is in it.",
        "curve",
        "times our size",
    ),
    ArmGroup.STRESS: Panel(
        "The wildest days on their own",
        "Mean net result a trade on the most volatile sessions and on the others, with 95 %"
        " intervals, beside the run itself.",
        "all of them lie together.",
        "days wilder than any in this record.",
    ),
    ArmGroup.RISK_CONTROL: Panel(
        "Risk controls on trial",
        "Net profit a session with one rule switched off, less that of the run itself, in USD with"
        " 95 % intervals. Right of 0: the rule cost that much. Left of 0: it saved that much.",
        "every interval holds 0. A point on 0 without an interval is a rule that never acted.",
        "disasters that did not happen here. A rule against them looks like a cost until the day;"
        " what each did to the largest drawdown stands in the table.",
        "differences",
    ),
    ArmGroup.DIRECTION: Panel(
        "The three directions side by side",
        "Mean net result a trade, with 95 % intervals, of the same alerts traded away from the"
        " strike, towards it, and as dealers’ gamma has it; the run itself is hollow.",
        "away from every strike and towards every strike lie on both sides of the costs, mirror"
        " images but for targets and stops, and what dealers’ gamma has lies between them.",
        "whether another choice of direction would have paid: only these were declared.",
    ),
}
"""Groups in the order of the report; one that is not listed is shown as dots under its name."""


@dataclass(frozen=True, slots=True)
class ArmSection:
    """One group of arms: its picture or why there is none, its figures, its table."""

    drawn: Drawn
    findings: tuple[tuple[str, str], ...]
    table: Table | None


def arm_sections(package: JsonObject, *, simulated: bool) -> dict[str, ArmSection]:
    """Return every group of arms, known ones first, each drawn or said why not.

    Parameters
    ----------
    package : mapping
    simulated : bool
        Mark the pictures SIMULATED.
    """
    arms = objects(package, "experimental_validity", "arms")
    names = dict.fromkeys([*PANELS, *(text(arm, "group") for arm in arms)])
    return {str(name): _section(package, str(name), arms, simulated) for name in names}


def _section(
    package: JsonObject, group: str, arms: Sequence[JsonObject], simulated: bool
) -> ArmSection:
    panel = PANELS.get(group) or Panel(
        group.replace("-", " ").capitalize(),
        "Mean net result a trade, with 95 % intervals, beside the run itself (hollow).",
        "all of them lie together.",
        "anything but the mean: the table has the rest.",
    )
    members = [arm for arm in arms if text(arm, "group") == group]
    shown = [arm for arm in members if number(arm, "trades")]
    if not shown:
        return ArmSection(Absent(panel.title, _why(package, members)), (), _table(panel, members))
    draw = {"curve": _curve, "dots": _dots, "differences": _differences}[panel.kind]
    drawn = draw(package, group, panel, shown, simulated)
    findings = tuple(
        (sentence(text(item, "words")).removesuffix("."), _finding(item))
        for item in objects(package, "experimental_validity", "arm_findings")
        if text(item, "group") == group
    )
    return ArmSection(drawn, findings, _table(panel, members))


def _why(package: JsonObject, members: Sequence[JsonObject]) -> str:
    if not number(package, "performance_metrics", "trades"):
        return "there are no trades to run again"
    if members:
        notes = [text(arm, "note") for arm in members if text(arm, "note")]
        return prose(notes[0]).rstrip(".") if notes else "none of these runs traded"
    return "this run did not make them"


def _curve(
    package: JsonObject, group: str, panel: Panel, arms: Sequence[JsonObject], simulated: bool
) -> Drawn:
    placed = sorted(
        (arm for arm in arms if number(arm, "parameter") is not None),
        key=lambda arm: number(arm, "parameter") or 0.0,
    )
    if not placed:
        return _dots(package, group, panel, arms, simulated)
    at = [(number(arm, "parameter") or 0.0) / panel.scale for arm in placed]
    chart = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.09)
    for row, (key, scale, words) in enumerate(
        (("expectancy_bps", 1.0, "bps"), ("win_rate", 100.0, "%")), start=1
    ):
        colour = f"var(--series-{row - 1})"
        points = Bounded.of(at, [section(arm, key) for arm in placed], scale)
        hollow = [
            bool(arm.get("reference")) for arm in placed if number(arm, key, "value") is not None
        ]
        chart.add_trace(
            go.Scatter(
                x=points.at,
                y=points.value,
                error_y=points.bars(colour),
                mode="lines+markers",
                showlegend=False,
                line={"color": colour, "width": 1.8},
                marker=_marker(colour, hollow),
                hovertemplate=f"%{{x:g}} {panel.axis}: %{{y:.2f}} {words}<extra></extra>",
            ),
            row=row,
            col=1,
        )
    barrier = number(package, "performance_metrics", "overall", "barrier_implied_win_rate", "value")
    if barrier is not None:
        level(chart, 100.0 * barrier, "barriers alone", row=2)
    for item in objects(package, "experimental_validity", "arm_findings"):
        ends = number(item, "figure", "value")
        if text(item, "group") == group and is_end(item) and ends is not None and ends <= max(at):
            chart.add_vline(x=ends, line={"color": "var(--ink)", "width": 1.5, "dash": "dash"})
            chart.add_annotation(
                x=ends,
                y=1.0,
                yref="paper",
                yanchor="bottom",
                text=f"nothing left at {decimal(ends)}",
                showarrow=False,
            )
    chart.update_yaxes(title="net bps a trade", zeroline=True, row=1, col=1)
    chart.update_yaxes(title="won, %", row=2, col=1)
    if min(at) > 0.0 and max(at) >= MANY_TIMES * min(at):
        chart.update_xaxes(type="log", dtick=1)
    chart.update_xaxes(title=panel.axis, row=2, col=1)
    return _picture(group, panel, 440, chart, simulated)


def _dots(
    package: JsonObject, group: str, panel: Panel, arms: Sequence[JsonObject], simulated: bool
) -> Drawn:
    run = {
        "words": "the run itself",
        "reference": True,
        "expectancy_bps": section(package, "performance_metrics", "overall", "expectancy_bps"),
    }
    own = [] if any(arm.get("reference") for arm in arms) else [run]
    rows = [*own, *sorted(arms, key=lambda arm: not arm.get("reference"))]
    return _lines(group, panel, rows, "expectancy_bps", "net bps a trade", simulated)


def _differences(
    package: JsonObject, group: str, panel: Panel, arms: Sequence[JsonObject], simulated: bool
) -> Drawn:
    del package
    rows = [arm for arm in arms if not arm.get("reference")]
    return _lines(group, panel, rows, "difference_usd", "USD a session", simulated)


def _lines(
    group: str, panel: Panel, rows: Sequence[JsonObject], key: str, axis: str, simulated: bool
) -> Drawn:
    held = [row for row in rows if number(row, key, "value") is not None]
    if not held:
        reasons = [text(row, key, "reason") for row in rows]
        return Absent(panel.title, next((prose(each) for each in reasons if each), "no figure"))
    common = _common_start([text(row, "words") for row in held])
    names = [_wrapped(text(row, "words").removeprefix(common)) for row in held]
    lines = max(name.count("<br>") + 1 for name in names)
    points = Bounded.of(names, [section(row, key) for row in held])
    colour = "var(--series-0)"
    chart = go.Figure(
        go.Scatter(
            x=points.value,
            y=points.at,
            error_x=points.bars(colour),
            mode="markers",
            showlegend=False,
            marker=_marker(colour, [bool(row.get("reference")) for row in held]),
            hovertemplate="%{y}: %{x:.2f}<extra></extra>",
        )
    )
    chart.add_vline(x=0, line={"color": "var(--ink-soft)", "width": 1.3, "dash": "dot"})
    chart.update_xaxes(title=axis, zeroline=False)
    chart.update_yaxes(autorange="reversed", tickfont={"size": 11})
    row_pixels = max(ROW_PIXELS, LINE_PIXELS * lines + 4)
    return _picture(group, panel, 110 + row_pixels * len(held), chart, simulated)


def _marker(colour: str, hollow: Sequence[bool]) -> dict[str, object]:
    return {
        "color": ["var(--paper)" if each else colour for each in hollow],
        "line": {"color": colour, "width": 2},
        "size": [12 if each else 8 for each in hollow],
        "opacity": 1,
    }


def _common_start(words: Sequence[str]) -> str:
    """Return what all of several names begin with, up to a colon; nothing of one name."""
    start, colon, _ = words[0].partition(": ")
    shared = f"{start}{colon}"
    together = len(words) > 1 and colon and all(each.startswith(shared) for each in words)
    return shared if together else ""


def _wrapped(words: str, width: int = 30) -> str:
    """Return words in lines that leave a phone room for the picture."""
    lines = [""]
    for word in prose(words).split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)


def _picture(group: str, panel: Panel, height: int, chart: object, simulated: bool) -> Picture:
    return Picture(
        f"fig-{group}",
        panel.title,
        panel.shows,
        panel.if_nothing,
        panel.not_shown,
        height,
        spec_of(chart, simulated),
    )


def is_end(item: JsonObject) -> bool:
    """Return whether a group's figure is where, along its parameter, nothing is earned any more."""
    return text(item, "unit").startswith("times")


def _finding(item: JsonObject) -> str:
    unit = text(item, "unit")
    record = section(item, "figure")
    if unit == "p-value":
        value = number(record, "value")
        return estimate(record, "p_value").text if value is None else p_is(value)
    if unit.startswith("share"):
        shown, rest = estimate(record, "share"), unit.removeprefix("share")
    else:
        shown, rest = estimate(record, "times" if is_end(item) else ""), f" {unit}"
    if not shown.value:
        return shown.text
    return f"{shown.value}{rest}" + (f" ({shown.interval})" if shown.interval else "")


def _table(panel: Panel, arms: Sequence[JsonObject]) -> Table | None:
    rows = tuple(
        (
            Cell(
                sentence(text(arm, "words")).removesuffix("."),
                detail="the run itself" if arm.get("reference") else prose(text(arm, "note")),
            ),
            Cell(decimal(number(arm, "trades") or 0.0, 0)),
            _cell(arm, "win_rate"),
            _cell(arm, "expectancy_bps"),
            Cell(money(number(arm, "net_usd") or 0.0)),
            _cell(arm, "difference_usd"),
            _cell(arm, "difference_drawdown_usd"),
            _cell(arm, "return_on_time_bps"),
        )
        for arm in arms
    )
    columns = (
        ("What was done", False),
        ("Trades", True),
        ("Won", True),
        ("Net a trade", True),
        ("Net in all", True),
        ("A session, less the run", True),
        ("Drawdown, less the run’s", True),
        ("An hour held", True),
    )
    return Table(panel.title, columns, rows) if rows else None


def _cell(arm: JsonObject, key: str) -> Cell:
    shown = estimate(section(arm, key), key)
    return Cell(shown.value or "—", detail=shown.interval or ("" if shown.value else shown.reason))
