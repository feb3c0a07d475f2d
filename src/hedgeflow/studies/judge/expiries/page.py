"""The calibration on expirations as a page: plain Markdown, made of the results alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.evidence.rates import wilson_bounds
from hedgeflow.studies.expiration.study import DIRECTIONS
from hedgeflow.studies.judge.cells import (
    exact,
    gates_table,
    interval,
    levels_sentence,
    number,
    of_trials,
    page_with,
    percent,
    table_of,
)
from hedgeflow.studies.judge.expiries.calibration import OTHERS
from hedgeflow.studies.judge.expiries.figures import PINNING, TESTS
from hedgeflow.studies.judge.expiries.worlds import MEANING, PUBLISHED
from hedgeflow.studies.judge.outcomes import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hedgeflow.studies.judge.expiries.calibration import ExpiryCalibration, ExpiryOutcome

_COIN: Final = 0.5


def page_of(found: ExpiryCalibration) -> str:
    """Return the page."""
    without_edge, with_edge = found.without_edge, found.with_edge
    shown = {each.world.removesuffix(PUBLISHED) for each in found.outcomes}
    return page_with(
        "hedgeflow.studies.judge.expiries",
        found,
        TESTS,
        meanings="\n".join(f"- `{name}`: {MEANING[name]}." for name in MEANING if name in shown),
        validated_words=validated_words(without_edge),
        without_edge=_verdicts(without_edge),
        gates_without_edge=_gates(without_edge),
        sides=_sides(found.outcomes),
        sides_words=sides_words(found.outcomes),
        earned=_earned(found.outcomes),
        power=_power(with_edge),
        power_words=power_words(with_edge),
        gates_with_edge=_gates(with_edge),
        pinning=_pinning(found.outcomes),
        expiries=max(each.expiries for each in found.outcomes),
    )


def levels_verdict(found: ExpiryCalibration) -> str:
    """Return in a sentence which tests reject too often."""
    return levels_sentence(found.oversized, TESTS)


def validated_words(without_edge: Sequence[ExpiryOutcome]) -> str:
    """Return in a sentence how often nothing was VALIDATED."""
    both = _together(without_edge, lambda each: each.validated)
    if both.trials == 0:
        return "None of their trials was run."
    words = f"{both.count} of {both.trials:,} trials of both came out so: {exact(both, 2)}."
    return f"**{words}**" if both.count else words


def sides_words(outcomes: Sequence[ExpiryOutcome]) -> str:
    """Return in sentences how often dealers' side was told right, by the scan and by convention."""
    told = _together(outcomes, lambda each: each.sides.told)
    if told.trials == 0:
        return "No strike had an alert in any trial."
    convention = _together(outcomes, lambda each: each.sides.convention)
    low, high = _wilson_bounds(convention)
    against = (
        "which a coin would do as well"
        if low <= _COIN <= high
        else "worse than a coin"
        if high < _COIN
        else "better than a coin"
    )
    return (
        f"Over all worlds the scan tells the side of {_rate(told)} of {told.trials:,} strikes, the"
        f" convention of long calls and short puts that of {_rate(convention)}, {against}."
    )


def power_words(with_edge: Sequence[ExpiryOutcome]) -> str:
    """Return in sentences what is found at each size, and what stands in VALIDATED's way."""
    lines: list[str] = []
    for name, ends in (("there to be seen", False), ("published", True)):
        of_size = [each for each in with_edge if each.world.endswith(PUBLISHED) is ends]
        found = _together(of_size, lambda each: each.significant)
        directions = _together(of_size, lambda each: each.nulls["mean-directions"])
        if found.trials:
            lines.append(
                f"At the size that is {name} {found.count} of {found.trials} trials have p below"
                f" 0.01 ({interval(found, 0)}), {directions.count} of {directions.trials} against"
                " directions dealt out again alone."
            )
    validated = _together(with_edge, lambda each: each.validated)
    if validated.trials:
        passed = {
            name: sum(each.gates[name].count for each in with_edge) for name in with_edge[0].gates
        }
        hardest = min(passed, key=lambda name: passed[name])
        lines.append(
            f"{validated.count} of {validated.trials} come out VALIDATED; the gate that passes"
            f" least often is `{hardest}`, in {passed[hardest]}."
        )
    return " ".join(lines)


def _verdicts(worlds: Sequence[ExpiryOutcome]) -> str:
    columns = (
        "world", "trials", "expiries", "trades a trial, median (fewest)", "VALIDATED",
        "95 % interval", "INSUFFICIENT_DATA", "VALIDATED by the source's point rules",
    )  # fmt: skip
    rows = [
        (
            f"`{each.world}`",
            f"{each.trials:,}",
            str(each.expiries),
            f"{each.median_trades} ({each.fewest_trades})",
            str(each.validated.count),
            interval(each.validated, 2),
            str(each.insufficient.count),
            str(each.source_validated.count),
        )
        for each in worlds
    ]
    return table_of(columns, rows, flush=range(1, 8))


def _gates(worlds: Sequence[ExpiryOutcome]) -> str:
    return gates_table((f"`{each.world}`", each.gates) for each in worlds)


def _sides(outcomes: Sequence[ExpiryOutcome]) -> str:
    columns = (
        "world", "strikes", "told", "by long calls and short puts", "by short all", "trades",
        "traded", "moved with",
    )  # fmt: skip
    rows = [
        (
            f"`{each.world}`",
            f"{each.sides.told.trials:,}",
            _rate(each.sides.told),
            _rate(each.sides.convention),
            _rate(each.sides.short_all),
            f"{each.sides.traded.trials:,}",
            _rate(each.sides.traded),
            _rate(each.sides.moved),
        )
        for each in outcomes
    ]
    return table_of(columns, rows, flush=range(1, 8))


def _earned(outcomes: Sequence[ExpiryOutcome]) -> str:
    columns = (
        "world",
        *(f"{model}: net bps (win rate)" for model in DIRECTIONS),
        *(f"better than {model}" for model in OTHERS),
    )
    rows = [
        (
            f"`{each.world}`",
            *(
                f"{number(one.net_bps)} ({percent(one.win_rate)})"
                for one in (each.directions[model] for model in DIRECTIONS)
            ),
            *(of_trials(each.directions[model].beaten) for model in OTHERS),
        )
        for each in outcomes
    ]
    return table_of(columns, rows, flush=range(1, 1 + len(DIRECTIONS) + len(OTHERS)))


def _power(worlds: Sequence[ExpiryOutcome]) -> str:
    columns = (
        "world", "trials", "net bps a trade", "p below 0.01", "against random entries",
        "against directions dealt out", "against sessions turned", "above zero", "VALIDATED",
    )  # fmt: skip
    rows = [
        (
            f"`{each.world}`",
            f"{each.trials:,}",
            number(each.directions["dealer-gamma"].net_bps),
            exact(each.significant, 0),
            *(of_trials(one) for one in each.nulls.values()),
            exact(each.positive, 0),
            exact(each.validated, 0),
        )
        for each in worlds
    ]
    return table_of(columns, rows, flush=range(1, 9))


def _pinning(outcomes: Sequence[ExpiryOutcome]) -> str:
    titles = {test.name: test.title for test in TESTS}
    columns = ("world", "trials", *(titles[name] for name in PINNING), "move, bps")
    rows = [
        (
            f"`{each.world}`",
            f"{each.trials:,}",
            *(of_trials(one) for one in each.pinning.values()),
            number(each.drift_bps),
        )
        for each in outcomes
    ]
    return table_of(columns, rows, flush=range(1, 3 + len(PINNING)))


def _together(outcomes: Iterable[ExpiryOutcome], part: Callable[[ExpiryOutcome], Share]) -> Share:
    shares = [part(each) for each in outcomes]
    return Share(sum(each.count for each in shares), sum(each.trials for each in shares))


def _wilson_bounds(share: Share) -> tuple[float, float]:
    return wilson_bounds(share.count, share.trials)


def _rate(share: Share) -> str:
    """Return a share with its Wilson interval, or a dash where there is nothing to share."""
    if share.trials == 0:
        return percent(None)
    low, high = _wilson_bounds(share)
    return f"{percent(share.rate)} ({100.0 * low:.1f} to {percent(high)})"
