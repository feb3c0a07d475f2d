"""The calibration as a page of the documentation: plain Markdown, made of the results alone."""

from __future__ import annotations

from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Final

from hedgeflow.studies.judge.figures import TESTS
from hedgeflow.studies.judge.levels import BAND, FEWEST_TRIALS, LEVELS, TAIL
from hedgeflow.studies.judge.worlds import EFFECT, MEANING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hedgeflow.studies.judge.calibration import Calibration
    from hedgeflow.studies.judge.levels import Counted
    from hedgeflow.studies.judge.outcomes import Outcome, Share

MARK: Final = "<!-- Written by hedgeflow calibrate-judge; run it again instead of editing. -->"
"""First line of a page that may be replaced."""

PUBLISHED: Final = (
    ("Golez & Jackwerth, JFE 106 (2012)", "ES around expiries of its options", "under 10"),
    ("Ni, Pearson & Poteshman, JFE 78 (2005)", "single stocks on expiry days", "16.5 and more"),
    ("Beckmeyer & Moerke, working paper (2021)", "near the close, a move of 100", "18"),
)
"""Sizes of hedging effects in the literature, basis points."""

_TITLES: Final = {test.name: test.title for test in TESTS}


def page_of(found: Calibration) -> str:
    """Return the page."""
    first, last = found.made
    template = resources.files("hedgeflow.studies.judge").joinpath("page.md")
    without_edge, with_edge = found.without_edge, found.with_edge
    return Template(template.read_text(encoding="utf-8")).substitute(
        mark=MARK,
        trials=f"{found.trials:,}",
        scenario=found.scenario,
        days=found.days,
        first_seed=found.first_seed,
        code_version=found.code_version,
        when=f"on {first}" if first == last else f"from {first} to {last}",
        minutes=f"{found.seconds / 60.0:,.1f}",
        meanings="\n".join(f"- `{each.world}`: {MEANING[each.world]}." for each in without_edge),
        without_edge=_verdicts(without_edge),
        gates_without_edge=_gates(without_edge),
        band=_percent(1.0 - BAND, 0),
        band_error=_percent(BAND, 0),
        comparisons=len(found.levels),
        levels_verdict=levels_verdict(found),
        levels=_levels(found.levels),
        notes=_notes(found.levels),
        tail=_percent(TAIL),
        coverage_verdict=coverage_verdict(found),
        coverage=_coverage(found),
        power=_power(with_edge),
        gates_with_edge=_gates(with_edge),
        literature=_table(("source", "where", "basis points"), PUBLISHED),
    )


def levels_verdict(found: Calibration) -> str:
    """Return in a sentence which tests reject too often."""
    if not found.oversized:
        return "No test rejects more often than it may."
    parts = [
        f"{_TITLES[each.what]} in `{each.world}` at {_percent(each.nominal, 0)} ({each.count} of"
        f" {each.trials:,})"
        for each in found.oversized
    ]
    return f"**Too often: {'; '.join(parts)}.**"


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
            _percent(each.win_rate),
            _percent(each.barrier_rate),
            _number(each.net_bps),
            str(each.validated.count),
            _interval(each.validated, 2),
            str(each.insufficient.count),
            str(each.source_validated.count),
        )
        for each in worlds
    ]
    return _table(columns, rows, flush=range(1, 10))


def _gates(worlds: Sequence[Outcome]) -> str:
    names = tuple(worlds[0].gates) if worlds else ()
    rows = [
        (
            f"{each.peak_bps:g} bps" if each.world == EFFECT else f"`{each.world}`",
            *(f"{each.gates[name].count} of {each.trials}" for name in names),
        )
        for each in worlds
    ]
    return _table(("world", *names), rows, flush=range(1, len(names) + 1))


def _levels(levels: Sequence[Counted]) -> str:
    groups: dict[tuple[str, str], list[Counted]] = {}
    for each in levels:
        groups.setdefault((each.what, each.world), []).append(each)
    columns = (
        "test",
        "world",
        "trials",
        *(f"at {_percent(level, 0)}: count / most" for level in LEVELS),
    )
    rows = [
        (_TITLES[name], f"`{world}`", f"{counts[0].trials:,}", *(_counted(one) for one in counts))
        for (name, world), counts in groups.items()
    ]
    return _table(columns, rows, flush=range(2, 3 + len(LEVELS)))


def _notes(levels: Sequence[Counted]) -> str:
    noted: dict[str, list[str]] = {}
    for test in TESTS:
        if test.note:
            noted.setdefault(test.note, []).append(test.title)
    lines = [f"- {'; '.join(titles)}: {note}." for note, titles in noted.items()]
    tried = {each.what for each in levels}
    lines += [f"- {test.title}: in no trial computed." for test in TESTS if test.name not in tried]
    return "\n".join(lines)


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
            _counted(each.too_high),
            _percent(each.too_high.count / each.too_high.trials),
            _percent(each.too_low.rate),
        )
        for each in found.coverage
    ]
    return _table(columns, rows, flush=range(2, 7))


def _power(worlds: Sequence[Outcome]) -> str:
    columns = (
        "peak impact, bps", "trials", "net bps a trade", "win rate", "p below 0.01", "VALIDATED",
    )  # fmt: skip
    rows = [
        (
            f"{each.peak_bps:g}",
            f"{each.trials:,}",
            _number(each.net_bps),
            _percent(each.win_rate),
            f"{_percent(each.significant.rate, 0)} ({_interval(each.significant, 0)})",
            f"{_percent(each.validated.rate, 0)} ({_interval(each.validated, 0)})",
        )
        for each in worlds
    ]
    return _table(columns, rows, flush=range(6))


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], flush: Iterable[int] = ()) -> str:
    right = set(flush)
    rule = ["---:" if place in right else "---" for place in range(len(columns))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, rule, *rows))


def _counted(each: Counted) -> str:
    text = f"{each.count} / {each.most}"
    return f"**{text}**" if each.above else text


def _interval(share: Share, digits: int) -> str:
    low, high = share.bounds
    return f"{100.0 * low:.{digits}f} to {_percent(high, digits)}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{100.0 * value:.{digits}f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"
