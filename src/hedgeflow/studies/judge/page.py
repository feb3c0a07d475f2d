"""The calibration as a page of the documentation: plain Markdown, made of the results alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.studies.judge.cells import (
    counted,
    exact,
    gates_table,
    interval,
    levels_sentence,
    number,
    page_with,
    percent,
    table_of,
)
from hedgeflow.studies.judge.figures import TESTS
from hedgeflow.studies.judge.levels import FEWEST_TRIALS, TAIL
from hedgeflow.studies.judge.worlds import EFFECT, MEANING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgeflow.studies.judge.calibration import Calibration
    from hedgeflow.studies.judge.outcomes import Outcome

PUBLISHED: Final = (
    ("Golez & Jackwerth, JFE 106 (2012)", "ES around expiries of its options", "under 10"),
    ("Ni, Pearson & Poteshman, JFE 78 (2005)", "single stocks on expiry days", "16.5 and more"),
    ("Beckmeyer & Moerke, working paper (2021)", "near the close, a move of 100", "18"),
)
"""Sizes of hedging effects in the literature, basis points."""


def page_of(found: Calibration) -> str:
    """Return the page."""
    without_edge, with_edge = found.without_edge, found.with_edge
    return page_with(
        "hedgeflow.studies.judge",
        found,
        TESTS,
        meanings="\n".join(f"- `{each.world}`: {MEANING[each.world]}." for each in without_edge),
        without_edge=_verdicts(without_edge),
        gates_without_edge=_gates(without_edge),
        tail=percent(TAIL),
        coverage_verdict=coverage_verdict(found),
        coverage=_coverage(found),
        power=_power(with_edge),
        gates_with_edge=_gates(with_edge),
        literature=table_of(("source", "where", "basis points"), PUBLISHED),
    )


def levels_verdict(found: Calibration) -> str:
    """Return in a sentence which tests reject too often."""
    return levels_sentence(found.oversized, TESTS)


def coverage_verdict(found: Calibration) -> str:
    """Return in a sentence which lower bounds exceed the truth too often."""
    if not found.coverage:
        return f"Too few trials to say: a world needs {FEWEST_TRIALS}."
    if not found.overconfident:
        return "No lower bound is too high more often than it may be."
    parts = [f"`{each.what}` in {each.world}" for each in found.overconfident]
    return f"**Too high too often: {'; '.join(parts)}.**"


def _verdicts(worlds: Sequence[Outcome]) -> str:
    columns = (
        "world", "trials", "trades a trial, median (fewest)", "win rate", "barriers' rate",
        "net bps a trade", "VALIDATED", "95 % interval", "INSUFFICIENT_DATA",
        "VALIDATED by the source's point rules",
    )  # fmt: skip
    rows = [
        (
            f"`{each.world}`",
            f"{each.trials:,}",
            f"{each.median_trades} ({each.fewest_trades})",
            percent(each.win_rate),
            percent(each.barrier_rate),
            number(each.net_bps),
            str(each.validated.count),
            interval(each.validated, 2),
            str(each.insufficient.count),
            str(each.source_validated.count),
        )
        for each in worlds
    ]
    return table_of(columns, rows, flush=range(1, 10))


def _gates(worlds: Sequence[Outcome]) -> str:
    return gates_table(
        (f"{each.peak_bps:g} bps" if each.world == EFFECT else f"`{each.world}`", each.gates)
        for each in worlds
    )


def _coverage(found: Calibration) -> str:
    columns = (
        "interval", "world", "trials", "truth", "lower bound above it: count / most", "share",
        "upper bound below it",
    )  # fmt: skip
    rows = [
        (
            f"`{each.too_high.what}`",
            each.too_high.world,
            f"{each.too_high.trials:,}",
            f"{each.truth:.4g}",
            counted(each.too_high),
            percent(each.too_high.count / each.too_high.trials),
            percent(each.too_low.rate),
        )
        for each in found.coverage
    ]
    return table_of(columns, rows, flush=range(2, 7))


def _power(worlds: Sequence[Outcome]) -> str:
    columns = (
        "peak impact, bps", "trials", "net bps a trade", "win rate", "p below 0.01", "VALIDATED",
    )  # fmt: skip
    rows = [
        (
            f"{each.peak_bps:g}",
            f"{each.trials:,}",
            number(each.net_bps),
            percent(each.win_rate),
            exact(each.significant, 0),
            exact(each.validated, 0),
        )
        for each in worlds
    ]
    return table_of(columns, rows, flush=range(6))
