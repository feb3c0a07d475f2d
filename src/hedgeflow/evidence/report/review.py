"""A weekly review as people read it: one HTML page that loads nothing, and the same as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from hedgeflow.evidence.estimates import Estimate
from hedgeflow.evidence.performance import Results
from hedgeflow.evidence.report.page import rendered
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import (
    decimal,
    estimate,
    figure,
    label,
    money,
    percent,
    prose,
    threshold,
    to_the_second,
)
from hedgeflow.evidence.weekly_review import Drift, Review

_POSITIONS = {"inside": "", "below": "under the band", "above": "over the band", "no figure": ""}


def render_review(review: Review, timestamp: str) -> str:
    """Return the page of a review.

    Parameters
    ----------
    review : Review
    timestamp : str
        When it was written, ISO 8601.
    """
    week = review.week
    return rendered(
        "review.html.j2",
        {
            "simulated": review.simulated,
            "title": _title(review),
            "week": week,
            "made": f"Written {to_the_second(timestamp)}",
            "attention": [prose(each) for each in review.attention],
            "figures": figure_table(review),
            "sequence": sequence_table(review),
            "drift": drift_table(review),
            "skips": skips_table(review),
            "costs": costs_table(review),
        },
    )


def review_markdown(review: Review, timestamp: str) -> str:
    """Return a review as Markdown, for mail and for terminals.

    Parameters
    ----------
    review : Review
    timestamp : str
        When it was written, ISO 8601.
    """
    week = review.week
    lines = [f"# {'SIMULATED: ' if review.simulated else ''}{_title(review)}", ""]
    if review.simulated:
        lines += ["These data can never be read as evidence about a market.", ""]
    if week.corrects:
        lines += [f"**Version {week.version}.** {prose(week.corrects)}", ""]
    lines += ["## What to look at", ""]
    lines += [f"- {prose(each)}" for each in review.attention]
    for table in (
        figure_table(review),
        sequence_table(review),
        drift_table(review),
        skips_table(review),
        costs_table(review),
    ):
        if table is not None:
            lines += ["", f"## {table.label}", "", *_markdown(table)]
    lines += ["", *(f"- {prose(each)}" for each in week.notes)]
    written = f"Written {to_the_second(timestamp)}."
    lines += ["", f"Run {week.run_id}, {week.code_version}. {written}", ""]
    return "\n".join(lines)


def _title(review: Review) -> str:
    week = review.week
    return f"{week.strategy} on {week.underlying}, week {week.name}"


def figure_table(review: Review) -> Table:
    """Return the week's figures: all trades, then each class, then all trades so far."""
    columns = (
        ("Trades of", False),
        ("Trades", True),
        ("Won", True),
        ("Net, bps a trade", True),
        ("Net, points a trade", True),
        ("Average win", True),
        ("Average loss", True),
        ("Held", True),
        ("Net", True),
    )
    rows = [_figures("this week", review.overall)]
    rows += [_figures(label(name), each) for name, each in review.by_class.items() if each.trades]
    rows.append(_figures("the run so far", review.to_date))
    return Table("The week's figures", columns, tuple(rows))


def _figures(name: str, results: Results) -> tuple[Cell, ...]:
    def shown(statistic: str, estimated: Estimate, detail: str = "") -> Cell:
        value = estimated.value
        return Cell("—" if value is None else figure(statistic, value), detail=detail)

    net = results.expectancy_usd.value
    return (
        Cell(name),
        Cell(decimal(results.trades, 0)),
        shown("win_rate", results.win_rate, f"{results.wins} of {results.trades}"),
        shown("expectancy_bps", results.expectancy_bps),
        shown("expectancy_points", results.expectancy_points),
        shown("average_win_points", results.average_win_points),
        shown("average_loss_points", results.average_loss_points),
        shown("hold_minutes", results.hold_minutes),
        Cell("—" if net is None else money(net * results.trades)),
    )


def sequence_table(review: Review) -> Table:
    """Return the confidence sequences at the end of the week."""
    sequence = review.sequence
    decided = (
        "open"
        if sequence.decided_after is None
        else f"{sequence.decision}, since trade {sequence.decided_after}"
    )
    rows = (
        (
            Cell("Win rate"),
            *_interval(sequence.win_rate, "win_rate"),
            Cell(percent(sequence.claimed_win_rate)),
            Cell(decided),
        ),
        (Cell("Net result a trade"), *_interval(sequence.net_bps, "net_bps"), Cell("—"), Cell("—")),
    )
    columns = (
        ("Figure", False),
        ("So far", True),
        ("Interval, valid at any time", True),
        ("Claimed", True),
        ("Decided", False),
    )
    return Table("The confidence sequence so far", columns, rows)


def _interval(estimated: Estimate, statistic: str) -> tuple[Cell, Cell]:
    if estimated.value is None:
        return Cell("—"), Cell(estimated.reason)
    record = {"value": estimated.value, "lower": estimated.lower, "upper": estimated.upper}
    shown = estimate(record, statistic)
    return Cell(shown.value), Cell(shown.interval or estimated.reason)


def drift_table(review: Review) -> Table:
    """Return each claim that trades alone can tell of, beside this week and all weeks so far."""
    columns = (
        ("Claim", False),
        ("Claimed", True),
        ("This week", True),
        ("So far", True),
        ("To date", False),
    )
    rows = tuple(
        (
            Cell(prose(each.statement)),
            Cell(claimed(each)),
            _beside(each, each.week),
            _beside(each, each.value),
            Cell("", state=each.status.value),
        )
        for each in review.drift
    )
    return Table("Drift against what is claimed", columns, rows)


def claimed(item: Drift) -> str:
    """Return a claim's band with its unit."""
    comparison = "within" if item.upper_threshold is not None else item.comparison
    return threshold(item.statistic, comparison, item.threshold, item.upper_threshold)


def _beside(item: Drift, value: float | None) -> Cell:
    if value is None:
        return Cell("—")
    return Cell(figure(item.statistic, value), detail=_POSITIONS[item.beside(value)])


def skips_table(review: Review) -> Table | None:
    """Return why alerts were not traded; None where none was skipped."""
    if not review.alerts.skip_reasons:
        return None
    counts = sorted(review.alerts.skip_reasons.items(), key=lambda each: (-each[1], each[0]))
    rows = tuple(
        (Cell(reason), Cell(decimal(count, 0)), Cell(percent(count / review.alerts.alerts)))
        for reason, count in counts
    )
    return Table(
        "Alerts that were not traded", (("Reason", False), ("Alerts", True), ("Share", True)), rows
    )


def costs_table(review: Review) -> Table | None:
    """Return what the week's trades cost; None without trades."""
    profit = review.profit
    names = (
        ("Gross", profit.gross_usd),
        ("Fees", profit.fees_usd),
        ("Spread", profit.spread_usd),
        ("Slippage", profit.slippage_usd),
        ("Net", profit.net_usd),
    )
    if not review.overall.trades:
        return None
    rows: Sequence[tuple[Cell, ...]] = [
        (
            Cell(name),
            Cell("—" if value is None else money(value)),
            Cell("—" if value is None else money(value / review.overall.trades)),
        )
        for name, value in names
    ]
    columns = (("Costs", False), ("In all", True), ("A trade", True))
    return Table("What it cost", columns, tuple(rows))


def _markdown(table: Table) -> list[str]:
    head = "| " + " | ".join(name for name, _ in table.columns) + " |"
    rule = "| " + " | ".join("---:" if numeric else "---" for _, numeric in table.columns) + " |"
    rows = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table.rows]
    return [head, rule, *rows]


def _cell(cell: Cell) -> str:
    words = cell.state.replace("_", " ") if cell.state else cell.text
    return f"{words} ({cell.detail})" if cell.detail else words
