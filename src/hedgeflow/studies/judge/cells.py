"""Cells, tables and sentences that the pages of every calibration have."""

from __future__ import annotations

from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any, Final

from hedgeflow.studies.judge.levels import BAND, LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hedgeflow.studies.judge.calibration import TrialsOf
    from hedgeflow.studies.judge.figures import TriedTest
    from hedgeflow.studies.judge.levels import Counted
    from hedgeflow.studies.judge.outcomes import Share


MARK: Final = "<!-- Written by hedgeflow calibrate-judge; run it again instead of editing. -->"
"""First line of a page that may be replaced."""


def page_with(
    package: str, found: TrialsOf[Any], tests: Sequence[TriedTest], **own: str | int
) -> str:
    """Return a package's `page.md` with its own cells, and those on the run and its levels."""
    template = resources.files(package).joinpath("page.md").read_text(encoding="utf-8")
    return Template(template).substitute(
        mark=MARK,
        trials=f"{found.trials:,}",
        scenario=found.scenario,
        days=found.days,
        first_seed=found.first_seed,
        code_version=found.code_version,
        when=_days_of_run(found.made),
        minutes=f"{found.seconds / 60.0:,.1f}",
        band=percent(1.0 - BAND, 0),
        band_error=percent(BAND, 0),
        comparisons=len(found.levels),
        levels_verdict=levels_sentence(found.oversized, tests),
        levels=_levels_table(found.levels, tests),
        notes=_levels_notes(found.levels, tests),
        **own,
    )


def table_of(
    columns: Sequence[str], rows: Iterable[Sequence[str]], flush: Iterable[int] = ()
) -> str:
    """Return a table of Markdown, the columns in `flush` with their cells to the right."""
    right = set(flush)
    rule = ["---:" if place in right else "---" for place in range(len(columns))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, rule, *rows))


def _levels_table(levels: Sequence[Counted], tests: Sequence[TriedTest]) -> str:
    """Return how often tests rejected, beside how often they may."""
    titles = {test.name: test.title for test in tests}
    groups: dict[tuple[str, str], list[Counted]] = {}
    for each in levels:
        groups.setdefault((each.what, each.world), []).append(each)
    columns = (
        "test",
        "world",
        "trials",
        *(f"at {percent(level, 0)}: count / most" for level in LEVELS),
    )
    rows = [
        (titles[name], f"`{world}`", f"{counts[0].trials:,}", *(counted(one) for one in counts))
        for (name, world), counts in groups.items()
    ]
    return table_of(columns, rows, flush=range(2, 3 + len(LEVELS)))


def _levels_notes(levels: Sequence[Counted], tests: Sequence[TriedTest]) -> str:
    """Return why some tests are tried in some worlds only, and which could not be tried."""
    noted: dict[str, list[str]] = {}
    for test in tests:
        if test.note:
            noted.setdefault(test.note, []).append(test.title)
    lines = [f"- {'; '.join(titles)}: {note}." for note, titles in noted.items()]
    tried = {each.what for each in levels}
    lines += [f"- {test.title}: in no trial computed." for test in tests if test.name not in tried]
    return "\n".join(lines)


def gates_table(worlds: Iterable[tuple[str, Mapping[str, Share]]]) -> str:
    """Return in how many trials each gate passed, a row for each world's cell and gates."""
    gates = list(worlds)
    names = tuple(gates[0][1]) if gates else ()
    rows = [(world, *(of_trials(shares[name]) for name in names)) for world, shares in gates]
    return table_of(("world", *names), rows, flush=range(1, len(names) + 1))


def levels_sentence(oversized: Sequence[Counted], tests: Sequence[TriedTest]) -> str:
    """Return in a sentence which tests reject too often."""
    if not oversized:
        return "No test rejects more often than it may."
    titles = {test.name: test.title for test in tests}
    parts = [
        f"{titles[each.what]} in `{each.world}` at {percent(each.nominal, 0)} ({each.count} of"
        f" {each.trials:,})"
        for each in oversized
    ]
    return f"**Too often: {'; '.join(parts)}.**"


def _days_of_run(made: tuple[str, str]) -> str:
    """Return on which dates trials were run."""
    first, last = made
    return f"on {first}" if first == last else f"from {first} to {last}"


def counted(each: Counted) -> str:
    """Return a count beside the largest that luck explains, in bold where it is larger."""
    text = f"{each.count} / {each.most}"
    return f"**{text}**" if each.above else text


def of_trials(share: Share) -> str:
    """Return a count and of how many."""
    return f"{share.count} of {share.trials}"


def exact(share: Share, digits: int) -> str:
    """Return a share in percent with its exact 95 % interval."""
    return f"{percent(share.rate, digits)} ({interval(share, digits)})"


def interval(share: Share, digits: int) -> str:
    """Return the exact 95 % interval of a share."""
    low, high = share.bounds
    return f"{100.0 * low:.{digits}f} to {percent(high, digits)}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share in percent, or a dash."""
    return "–" if value is None else f"{100.0 * value:.{digits}f} %"


def number(value: float | None) -> str:
    """Return a number with a digit behind the point, or a dash."""
    return "–" if value is None else f"{value:,.1f}"
