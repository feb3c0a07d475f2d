"""A claim in four figures (win rate, payoff, frequency, Sharpe): what each implies of the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from hedgeflow.evidence.checks import Check
from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL
from hedgeflow.evidence.foreign import SHARPE_FACTOR
from hedgeflow.evidence.rates import binomial_p_value, exact_bounds, wilson_bounds, wins_needed
from hedgeflow.evidence.sharpe import (
    implied_frequency,
    implied_payoff,
    implied_sharpe,
    implied_win_rate,
)
from hedgeflow.evidence.significance import POWER, power_of_rate, trades_needed

LEVELS = (0.01, 0.05)
"""Levels of the one-sided tests for which trades are counted."""


@dataclass(frozen=True, slots=True)
class StatedClaim:
    """What somebody says of a strategy; whatever is not said is None.

    Attributes
    ----------
    win_rate : float or None
        Share of wins.
    win_rate_unit : float
        One unit of its last printed digit, to tell whether counts can make it.
    average_win, average_loss : float or None
        Both positive, in one unit.
    target, stop : float or None
        Distances of the barriers from entry, in that unit.
    trades_per_session : float or None
    sharpe : float or None
        Annualised.
    trades, wins : int or None
    sessions_per_year : float
    threshold : float
        Win rate that the lower bound is to reach.
    """

    win_rate: float | None = None
    win_rate_unit: float = 0.0
    average_win: float | None = None
    average_loss: float | None = None
    target: float | None = None
    stop: float | None = None
    trades_per_session: float | None = None
    sharpe: float | None = None
    trades: int | None = None
    wins: int | None = None
    sessions_per_year: float = 252.0
    threshold: float = 0.80


@dataclass(frozen=True, slots=True)
class Implied:
    """What the other figures imply of each one; None where they do not say it, or nothing does.

    Attributes
    ----------
    sharpe : float or None
        Annualised, from win rate, payoff and frequency.
    win_rate : float or None
        From Sharpe, payoff and frequency.
    trades_per_session : float or None
        From Sharpe, win rate and payoff.
    payoff : float or None
        Average win over average loss, from Sharpe, win rate and frequency.
    """

    sharpe: float | None
    win_rate: float | None
    trades_per_session: float | None
    payoff: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What counts of trades and wins show.

    Attributes
    ----------
    trades, wins : int
    win_rate : float
    wilson, exact : tuple of float
        Bounds at 95 %, two-sided.
    p_value : float or None
        Exact binomial, one-sided, against the rate that takes no edge; None where it is not known.
    wins_needed : int or None
        Fewest wins of so many trades whose lower bound reaches the threshold; None if none does.
    reaches : bool
        Whether these wins do.
    """

    trades: int
    wins: int
    win_rate: float
    wilson: tuple[float, float]
    exact: tuple[float, float]
    p_value: float | None
    wins_needed: int | None
    reaches: bool


@dataclass(frozen=True, slots=True)
class SampleNeeded:
    """How many trades it takes to know.

    Attributes
    ----------
    alpha : float
        Level of the one-sided test.
    trades : int or None
        For power 0.8 if the claimed rate is true; None where it is not above the null.
    power : float or None
        At the stated number of trades; None where none is stated.
    """

    alpha: float
    trades: int | None
    power: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A claim, worked out.

    Attributes
    ----------
    win_rate : float or None
        As stated, else from the counts.
    payoff : float or None
        Average win over average loss; of the barriers, where only they are stated.
    break_even : float or None
        Win rate at which nothing is earned: loss / (win + loss).
    barrier_implied : float or None
        Win rate of a driftless price: stop / (stop + target).
    null_rate : float
        What the sample is counted against: the barriers' rate, else break-even, else one half.
    null_words : str
    implied : Implied
    counts : Counts or None
    samples : tuple of SampleNeeded
        One a level; empty without a win rate.
    trades_for_bound : int or None
        Fewest trades at which the claimed rate has a lower bound at the threshold.
    checks : tuple of Check
        Where the claim says one thing twice.
    coherent : bool
        None of the checks failed.
    """

    win_rate: float | None
    payoff: float | None
    break_even: float | None
    barrier_implied: float | None
    null_rate: float
    null_words: str
    implied: Implied
    counts: Counts | None
    samples: tuple[SampleNeeded, ...]
    trades_for_bound: int | None
    checks: tuple[Check, ...]

    @property
    def coherent(self) -> bool:
        """Whether no check failed."""
        return all(check.status != "FAILED" for check in self.checks)


def read_claim(claim: StatedClaim) -> Reading:
    """Return what a claim's figures imply of each other, and the sample that it takes to know.

    Parameters
    ----------
    claim : StatedClaim
        Valid: rates between 0 and 1, distances and frequency positive, wins at most trades.

    Notes
    -----
    Trades are taken as independent and of two outcomes, as in `sharpe.implied_sharpe`.
    """
    rate = claim.win_rate
    if rate is None and claim.trades and claim.wins is not None:
        rate = claim.wins / claim.trades
    barriers = _pair(claim.target, claim.stop)
    paid = _pair(claim.average_win, claim.average_loss) or barriers
    break_even = None if paid is None else paid[1] / sum(paid)
    barrier = None if barriers is None else barriers[1] / sum(barriers)
    null_rate, null_words = _null(barrier, break_even)
    implied = Implied(None, None, None, None) if paid is None else _implied(claim, rate, *paid)
    if rate is not None and claim.sharpe is not None and claim.trades_per_session is not None:
        a_year = claim.trades_per_session, claim.sessions_per_year
        implied = replace(implied, payoff=implied_payoff(claim.sharpe, rate, *a_year))
    return Reading(
        win_rate=rate,
        payoff=None if paid is None else paid[0] / paid[1],
        break_even=break_even,
        barrier_implied=barrier,
        null_rate=null_rate,
        null_words=null_words,
        implied=implied,
        counts=_counts(claim, null_rate),
        samples=() if rate is None else _samples(claim, rate, null_rate),
        trades_for_bound=None if rate is None else trades_for_bound(rate, claim.threshold),
        checks=tuple(_checks(claim, implied)),
    )


def trades_for_bound(rate: float, threshold: float, level: float = CONFIDENCE_LEVEL) -> int | None:
    """Return the fewest trades at which a rate's Wilson lower bound reaches a threshold.

    None where the rate does not exceed the threshold.

    Notes
    -----
    Wilson's bounds are where the score test just rejects, so the lower one reaches t once
    (p − t)² n = z² t (1 − t): E. B. Wilson, JASA 22 (1927) 209–212. Wins are whole numbers, so the
    count of them that is needed at n trades may ask for a little more.
    """
    from scipy.stats import norm

    if rate <= threshold:
        return None
    z = float(norm.ppf(0.5 + level / 2.0))
    spread = z**2 * threshold * (1.0 - threshold)
    return max(1, math.ceil(spread / (rate - threshold) ** 2))


def _null(barrier: float | None, break_even: float | None) -> tuple[float, str]:
    if barrier is not None:
        return barrier, "what the barriers alone imply"
    if break_even is not None:
        return break_even, "break-even at this payoff"
    return 0.5, "a coin flip, for no payoff is stated"


def _pair(first: float | None, second: float | None) -> tuple[float, float] | None:
    return None if first is None or second is None else (first, second)


def _implied(claim: StatedClaim, rate: float | None, win: float, loss: float) -> Implied:
    """Return what the other three figures imply of all but the payoff."""
    a_day, sharpe, year = claim.trades_per_session, claim.sharpe, claim.sessions_per_year
    return Implied(
        sharpe=None
        if rate is None or a_day is None
        else implied_sharpe(rate, win, loss, a_day, year),
        win_rate=None
        if sharpe is None or a_day is None
        else implied_win_rate(sharpe, win, loss, a_day, year),
        trades_per_session=None
        if sharpe is None or rate is None
        else implied_frequency(sharpe, rate, win, loss, year),
        payoff=None,
    )


def _counts(claim: StatedClaim, null_rate: float) -> Counts | None:
    if not claim.trades or claim.wins is None:
        return None
    needed = wins_needed(claim.trades, claim.threshold)
    return Counts(
        trades=claim.trades,
        wins=claim.wins,
        win_rate=claim.wins / claim.trades,
        wilson=wilson_bounds(claim.wins, claim.trades),
        exact=exact_bounds(claim.wins, claim.trades),
        p_value=binomial_p_value(claim.wins, claim.trades, null_rate),
        wins_needed=needed,
        reaches=needed is not None and claim.wins >= needed,
    )


def _samples(claim: StatedClaim, rate: float, null_rate: float) -> tuple[SampleNeeded, ...]:
    return tuple(
        SampleNeeded(
            alpha,
            trades_needed(rate, null_rate, alpha=alpha, power=POWER),
            power_of_rate(claim.trades, rate, null_rate, alpha) if claim.trades else None,
        )
        for alpha in LEVELS
    )


def _checks(claim: StatedClaim, implied: Implied) -> list[Check]:
    checks: list[Check] = []
    if claim.sharpe is not None and implied.sharpe is not None:
        ratio = claim.sharpe / implied.sharpe if implied.sharpe else math.inf
        agree = 1.0 / SHARPE_FACTOR <= ratio <= SHARPE_FACTOR
        words = "fits" if agree else "contradicts"
        needs = "" if implied.win_rate is None else f"; it would take {implied.win_rate:.1%} wins"
        checks.append(
            Check(
                "sharpe",
                "HOLDS" if agree else "FAILED",
                f"Sharpe {claim.sharpe:g} {words} the {implied.sharpe:.1f} that win rate, payoff"
                f" and frequency imply{needs}.",
                claim.sharpe,
                implied.sharpe,
            )
        )
    if claim.win_rate is not None and claim.trades:
        checks.append(_whole_wins(claim.win_rate, claim.win_rate_unit, claim.trades, claim.wins))
    return checks


def _whole_wins(rate: float, unit: float, trades: int, wins: int | None) -> Check:
    """Say whether a printed rate is a whole number of wins, and the one that is stated."""
    nearest = min(max(0, round(rate * trades)), trades) if wins is None else wins
    agree = abs(nearest / trades - rate) <= unit * (1.0 + 1e-9) + 1e-12
    words = "is" if agree else "is not"
    said = f"{nearest} of {trades} trades"
    return Check(
        "integer-count" if wins is None else "counts",
        "HOLDS" if agree else "FAILED",
        f"A win rate of {rate:.2%} {words} {said} ({nearest / trades:.2%}).",
        rate,
        nearest / trades,
    )
