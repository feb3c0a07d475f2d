"""The report's pictures of chance: draws of the nulls, looking often, trying many."""

from __future__ import annotations

import plotly.graph_objects as go

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.canvas import (
    Absent,
    Bounded,
    Drawn,
    Picture,
    band,
    level,
    mark,
    outline,
    spec_of,
    whole,
)
from hedgeflow.evidence.report.sections import first_null, objects, text
from hedgeflow.evidence.report.words import counted, decimal, likely, percent, prose

TO_DRAW = 2
"""Sessions with trades that a line takes."""
_NARROWEST = 1e-9
"""Width of a bar whose bin has none."""
DECISIONS = {
    "above": "it was shown to be above the claimed rate",
    "below": "it was shown to be below the claimed rate",
}


def null_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return what draws of the first null earned beside the strategy's mean."""
    title = "Could it be luck?"
    nulls = objects(package, "statistical_measures", "nulls")
    null = first_null(package)
    bins = objects(null, "histogram_mean_net_bps")
    observed = number(null, "observed_mean_net_bps")
    if not bins or observed is None:
        why = prose(text(null, "reason")) or "the package does not say why"
        return Absent(title, f"no null was drawn, so luck cannot be ruled out: {why}")
    edges = [(number(item, "lower") or 0.0, number(item, "upper") or 0.0) for item in bins]
    chart = go.Figure(
        go.Bar(
            x=[(lower + upper) / 2.0 for lower, upper in edges],
            y=[number(item, "count") or 0.0 for item in bins],
            width=[max(_NARROWEST, upper - lower) for lower, upper in edges],
            marker={"color": "var(--series-2-band)", "line": outline("var(--series-2)")},
            hovertemplate="%{x:.2f} bps: %{y} draws<extra></extra>",
            showlegend=False,
        )
    )
    mark(chart, observed, f"this strategy {decimal(observed)} bps")
    chart.update_xaxes(title="mean net result a trade, bps")
    chart.update_yaxes(title="draws")
    return Picture(
        "fig-null",
        title,
        f"The bars are the mean net result of {_draws(null)}, the line is the strategy's;"
        f" {_reached(null)} did at least as well."
        + "".join(
            f" Of {_draws(other)} {_reached(other)} did."
            for other in nulls[1:]
            if number(other, "draws")
        )
        + (" The largest p-value counts." if len(nulls) > 1 else ""),
        "the line stands within the heap.",
        "whether the draws know all that the strategy could have known without its signal: what"
        " each draw keeps is stated below.",
        320,
        spec_of(chart, simulated),
    )


def _draws(null: JsonObject) -> str:
    return f"{decimal(number(null, 'draws') or 0.0, 0)} draws of {text(null, 'name')}"


def _reached(null: JsonObject) -> str:
    return decimal(number(null, "exceedances_mean") or 0.0, 0)


def monitoring_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return the win rate's confidence sequence, session by session."""
    title = "The win rate as trades came in"
    record = section(package, "statistical_measures", "monitoring")
    points = objects(record, "points")
    if not points:
        return Absent(title, "there are no trades to watch")
    if len(points) < TO_DRAW:
        said = f"{counted(int(number(points[-1], 'trades') or 0), 'trade')} on 1 session"
        return Absent(title, f"{said}; a line needs {TO_DRAW} sessions")
    at = [number(point, "trades") or 0.0 for point in points]
    value, lower, upper = (
        [100.0 * (number(point, key) or 0.0) for point in points]
        for key in ("value", "lower", "upper")
    )
    chart = go.Figure()
    chart.add_trace(band(at, lower, upper, 0))
    chart.add_trace(
        go.Scatter(
            x=at,
            y=value,
            mode="lines",
            showlegend=False,
            line={"color": "var(--series-0)", "width": 2},
            customdata=[text(point, "session") for point in points],
            hovertemplate="%{customdata}, %{x} trades: %{y:.1f} %<extra></extra>",
        )
    )
    claimed = number(record, "claimed_win_rate")
    if claimed is not None:
        level(chart, 100.0 * claimed, f"claimed {percent(claimed, 0)}", dash="dash")
    overall = section(package, "performance_metrics", "overall")
    barrier = number(overall, "barrier_implied_win_rate", "value")
    if barrier is not None:
        level(chart, 100.0 * barrier, f"barriers alone {percent(barrier)}")
    chart.update_xaxes(title="trades closed", **whole(at))
    chart.update_yaxes(title="won so far, %", range=[0, 103])
    return Picture(
        "fig-monitoring",
        title,
        "Share of trades won, averaged over the sessions so far, with an interval that holds at"
        f" every session at once, so that one may look every day. {decided(record)}",
        "the line settles near the rate that the barriers alone imply, and the interval never"
        " leaves it.",
        "profit, for a rate says nothing of the size of wins and losses. The interval is wider than"
        " the one in the headline, which is for a single look, and takes trades as independent.",
        340,
        spec_of(chart, simulated),
    )


def decided(record: JsonObject) -> str:
    """Return when the confidence sequence decided about the claimed rate."""
    decision, after = text(record, "decision"), number(record, "decided_after")
    if after is None or decision not in DECISIONS:
        return "So far it has decided neither for nor against the claimed rate."
    return f"After {counted(int(after), 'trade')} {DECISIONS[decision]}."


def trials_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return the Sharpe ratio beside what the best of all trials would show by luck."""
    title = "The Sharpe ratio, and how many were tried"
    record = section(package, "statistical_measures", "deflated_sharpe")
    annual = section(package, "performance_metrics", "sharpe_annualised")
    luck = number(record, "expected_maximum", "value")
    if number(annual, "value") is None or luck is None:
        why = text(annual, "reason") or text(section(record, "expected_maximum"), "reason")
        return Absent(title, prose(why) or "the package holds no Sharpe ratio")
    tried = int(number(record, "configurations") or 0)
    chart = go.Figure()
    curve = objects(record, "luck_by_trials")
    if curve:
        chart.add_trace(
            go.Scatter(
                x=[number(point, "configurations") for point in curve],
                y=[number(point, "expected_maximum") for point in curve],
                mode="lines",
                name="best of so many without an edge",
                line={"color": "var(--series-2)", "width": 2, "dash": "dash"},
                hovertemplate="%{x} tried: %{y:.2f}<extra></extra>",
            )
        )
    chart.add_trace(
        go.Scatter(
            x=[tried],
            y=[luck],
            mode="markers",
            name="luck to expect here",
            marker={"color": "var(--series-2)", "symbol": "square", "size": 9},
            hovertemplate="%{x} tried: %{y:.2f}<extra>luck to expect</extra>",
        )
    )
    own = Bounded.of([tried], [annual])
    chart.add_trace(
        go.Scatter(
            x=own.at,
            y=own.value,
            error_y=own.bars("var(--series-0)"),
            mode="markers",
            name="this run, 95 %",
            marker={"color": "var(--series-0)", "size": 10},
            hovertemplate="%{y:.2f}<extra>this run</extra>",
        )
    )
    claimed = _claimed_sharpe(package)
    if claimed is not None:
        level(chart, claimed, f"claimed {claimed:g}", dash="dash")
    chart.update_xaxes(title="configurations tried (logarithmic)", type="log")
    chart.update_yaxes(title="Sharpe ratio, annualised", zeroline=True)
    return Picture(
        "fig-trials",
        title,
        "This run's Sharpe ratio with its interval, and the ratio that the best of"
        f" {counted(tried, 'configuration')} without any edge would show by luck."
        f" {deflated_words(record)}",
        "the run lies at or under the dashed line.",
        "what was tried elsewhere, on paper or in another journal: the count is this journal's.",
        320,
        spec_of(chart, simulated),
    )


def deflated_words(record: JsonObject) -> str:
    """Return the probabilistic and the deflated Sharpe ratio in a sentence."""
    count = int(number(record, "configurations") or 0)
    luck = number(record, "deflated", "value") if count > 1 else None
    parts = [
        f"{likely(value)} to exceed {than}"
        for value, than in (
            (number(record, "probabilistic", "value"), "zero"),
            (luck, f"the best of {counted(count, 'configuration')} by luck (deflated)"),
        )
        if value is not None
    ]
    return f"Probability of the true Sharpe ratio: {', '.join(parts)}." if parts else ""


def _claimed_sharpe(package: JsonObject) -> float | None:
    gates = objects(package, "experimental_validity", "gates")
    found = [gate for gate in gates if text(gate, "statistic") == "sharpe_annualised"]
    return number(found[0], "threshold") if found else None
