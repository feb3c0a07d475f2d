"""A sweep in words: how many were tried, what the best shows by itself, and what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.evidence import Verdict
from hedgeflow.evidence.report.words import counted, decimal, percent, probability
from hedgeflow.evidence.snooping import SESSIONS_FOR_BOOTSTRAP, SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgeflow.evidence.estimates import Estimate
    from hedgeflow.evidence.overfitting import Overfitting
    from hedgeflow.evidence.snooping import Snooping
    from hedgeflow.studies.sweep.documents import Best, FoldResult, Searched, Stitched

CONFIDENT: Final = 0.95
"""Probability of a true ratio above luck's from which the best is more than luck."""


def sweep_words(
    search: Searched,
    best: Best | None,
    snooping: Snooping,
    overfitting: Overfitting,
    judged: int,
    validated: int,
) -> tuple[str, ...]:
    """Return what a hostile reader needs to know, in sentences; the last says what is left."""
    count, ledger = search.configurations, search.ledger_configurations
    tried = f"{counted(count, 'configuration')} {_were(count)} tried here"
    also = "" if ledger == count else f"; with what was tried before, {ledger:,} on this data set"
    fully = (
        f"{counted(judged, 'configuration')} {_were(judged)} put before the full judge: the best,"
        " and every one whose counts leave VALIDATED open (trades enough, and enough of them won)."
        f" VALIDATED: {validated:,}."
    )
    if best is None:
        none = (
            f"{tried}{also}. None had {search.fewest_trades} trades and a figure to choose by, so"
            " there is no best."
        )
        return (none, *((fully,) if judged else ()), "What is left: nothing to judge.")
    return (
        f"{tried}{also}.",
        _alone(best),
        _lucky(best),
        _snooped(snooping),
        _overfitted(overfitting),
        fully,
        f"Judged in full, the best is {best.judged.label}.",
        _left(best, snooping),
    )


def walk_forward_words(
    search: Searched, folds: Sequence[FoldResult], stitched: Stitched
) -> tuple[str, ...]:
    """Return what a walk-forward found, in sentences; the last says what is left."""
    count, number = search.configurations, len(folds)
    without = sum(each.chosen is None for each in folds)
    none = f" In {counted(without, 'fold')} none had trades enough to be chosen." if without else ""
    inside, outside = stitched.in_sample_usd_a_session, stitched.out_of_sample_usd_a_session
    kept = stitched.efficiency
    share = f"{percent(kept.value)} of it was left" if kept.value is not None else kept.reason
    tried = (
        f"{counted(count, 'configuration')} {_were(count)} tried in {counted(number, 'fold')}; the"
        f" ledger counts {search.ledger_configurations:,} on this data set, for each fold's choice,"
        f" traded alone, is a trial of its own.{none}"
    )
    words = [tried]
    if inside.value is not None:
        words.append(
            f"Those chosen earned {_value(inside)} USD a session where they were chosen and"
            f" {_value(outside)} where they were then traded: {share}."
        )
    words.append(
        f"Out of sample: {counted(stitched.trades, 'trade')} in"
        f" {counted(stitched.sessions, 'session')},"
        f" win rate {_rate(stitched.win_rate)}, mean net result {_bounded(stitched.expectancy_bps)}"
        f" bps a trade, Sharpe ratio {_bounded(stitched.sharpe_annualised)} a year."
    )
    lower = stitched.expectancy_bps.lower
    words.append(
        "What is left: choosing on the past pays afterwards, after costs."
        if lower is not None and lower > 0
        else "What is left: nothing that shows that choosing on the past pays afterwards."
    )
    return tuple(words)


def _bounded(found: Estimate) -> str:
    if found.lower is None or found.upper is None:
        return _value(found)
    return f"{_value(found)} ({decimal(found.lower)} to {decimal(found.upper)})"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _alone(best: Best) -> str:
    judged = best.judged
    return (
        f"The best, number {judged.number}, shows a Sharpe ratio of"
        f" {_value(judged.sharpe_annualised)} a year and wins {_rate(judged.win_rate)} of"
        f" {counted(judged.trades, 'trade')}. As if nothing else had been tried, its p-value is"
        f" {_probability(judged.p_value)}."
    )


def _lucky(best: Best) -> str:
    deflated = best.deflated_sharpe
    return (
        f"Of {deflated.configurations:,} configurations without any edge the best would show about"
        f" {_value(deflated.expected_maximum)} a year; the probability that this one's true ratio"
        f" exceeds that (the deflated Sharpe ratio) is {_probability(deflated.deflated)}."
    )


def _snooped(found: Snooping) -> str:
    if found.reason:
        return f"Whether any of them is better than no trade was not tested: {found.reason}."
    names = len(found.superior)
    return (
        "That none of them is better than no trade: p ="
        f" {_probability(found.spa_p_value)} by Hansen's test,"
        f" {_probability(found.reality_check_p_value)} by White's reality check,"
        f" {_probability(found.sign_flip_p_value)} with the signs of whole sessions drawn;"
        f" the stepwise test finds {counted(names, 'configuration')} better.{_too_few(found)}"
    )


def _too_few(found: Snooping) -> str:
    if found.sessions >= SESSIONS_FOR_BOOTSTRAP:
        return ""
    return (
        f" Over {found.sessions} sessions Hansen's and the stepwise test find something in nothing"
        f" too often, all the more where small wins go with rare large losses; they are to be"
        f" relied on from about {SESSIONS_FOR_BOOTSTRAP} on."
    )


def _overfitted(found: Overfitting) -> str:
    if found.reason:
        return f"The probability of overfitting was not computed: {found.reason}."
    share = 0.0 if found.probability.value is None else found.probability.value
    return (
        f"Whoever chose the best of one half of the record had, in {percent(share)} of"
        f" {found.combinations:,} ways to halve it, no better than the median on the other half;"
        " choosing blindly gives 50 %."
    )


def _left(best: Best, snooping: Snooping) -> str:
    deflated = best.deflated_sharpe.deflated.value
    tests = (snooping.spa_p_value.value, snooping.sign_flip_p_value.value)
    lucky = deflated is None or deflated < CONFIDENT
    snooped = any(p is None or p >= SIZE for p in tests)
    if best.judged.verdict is Verdict.VALIDATED and not (lucky or snooped):
        return (
            "What is left: the claim holds for the best, and so many trials do not explain it. It"
            " was chosen on these data; only data that nobody has looked at can confirm it."
        )
    if lucky and snooped:
        return "What is left: nothing that so many trials would not show by luck."
    if best.judged.verdict is not Verdict.VALIDATED:
        return (
            "What is left: more than luck would explain by one measure at least, but not what the"
            " claim says."
        )
    return (
        "What is left: a verdict that the trials put in doubt, for by one measure luck explains the"
        " best."
    )


def _value(found: Estimate) -> str:
    return "(none)" if found.value is None else decimal(found.value)


def _rate(found: Estimate) -> str:
    return "(none)" if found.value is None else percent(found.value)


def _probability(found: Estimate) -> str:
    return f"not known ({found.reason})" if found.value is None else probability(found.value)
