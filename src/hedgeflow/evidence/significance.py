"""Could it be luck: random entries and directions, effect sizes, power, effective sample size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hedgeflow.evidence.clustering import clustering
from hedgeflow.evidence.estimates import Estimate, FloatArray, missing
from hedgeflow.evidence.nulls import NullResult, against, largest
from hedgeflow.evidence.power import POWER, observations_needed, power_of
from hedgeflow.evidence.rates import binomial_p_value, cohen_h
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import Trades
from hedgeflow.strategies.claims import NullKind

_TIE = 1e-12


@dataclass(frozen=True, slots=True)
class Significance:
    """Tests, effect sizes, power and effective sample size.

    `p_value` and `p_value_win_rate` are the largest of those against each null: who claims an edge
    that needs the minute and the direction must beat them all (R. L. Berger, *Technometrics* 24
    (1982) 295–300). Against random entries alone, an alert that finds moving markets without
    knowing which way they move would pass.

    Attributes
    ----------
    p_value, p_value_win_rate : Estimate
        Of the mean net basis points and of the win rate: the largest of those against each null.
    nulls : tuple of NullResult
        The strategy against each null that it declares.
    binomial_p_value_half, binomial_p_value_barrier : Estimate
        One-sided exact binomial test of the wins against one half, and against the rate that the
        barriers imply.
    effect_size_h : Estimate
        Cohen's h of the win rate against the barrier-implied one.
    effect_size_d, effect_size_d_null : Estimate
        Cohen's d of net basis points against zero, and against the draws' mean.
    power_observed, power_claimed : Estimate
        Chance to reject the barrier-implied rate at this number of trades, if the observed or the
        claimed win rate is true.
    trades_needed_observed, trades_needed_claimed : Estimate
        Trades for a power of 0.8, under the same two assumptions.
    power_alpha : float
        Level of the tests whose power is stated.
    claimed_win_rate : float
        The rate that is claimed.
    effective_sample_size : Estimate
        Independent trades that these are worth, since those of one session are alike.
    intraday_correlation : Estimate
        Correlation of results within a session.
    design_effect : Estimate
        Trades over effective trades.
    """

    p_value: Estimate
    p_value_win_rate: Estimate
    nulls: tuple[NullResult, ...]
    binomial_p_value_half: Estimate
    binomial_p_value_barrier: Estimate
    effect_size_h: Estimate
    effect_size_d: Estimate
    effect_size_d_null: Estimate
    power_observed: Estimate
    power_claimed: Estimate
    trades_needed_observed: Estimate
    trades_needed_claimed: Estimate
    power_alpha: float
    claimed_win_rate: float
    effective_sample_size: Estimate
    intraday_correlation: Estimate
    design_effect: Estimate


def significance(
    tables: EvidenceTables,
    trades: Trades,
    barrier: Estimate,
    kinds: Sequence[NullKind],
    *,
    claimed_rate: float,
    alpha: float,
) -> Significance:
    """Return every test of the trades against chance.

    Parameters
    ----------
    tables : EvidenceTables
        For the null draws.
    trades : Trades
        The trades.
    barrier : Estimate
        Mean win rate implied by the barriers.
    kinds : sequence of NullKind
        The nulls that the strategy declares; the first is the one that effects are measured from.
    claimed_rate : float
        The claimed win rate.
    alpha : float
        Level of the one-sided tests whose power is stated.
    """

    def power(rate: float | None, what: str) -> tuple[Estimate, Estimate]:
        return _power(trades.count, rate, barrier.value, what, alpha)

    nulls = tuple(
        against(kind, tables.nulls.get(kind), trades, tables.nulls_missing) for kind in kinds
    )
    observed = trades.wins / trades.count if trades.count else None
    correlation, effect, effective = clustering(trades.net_bps, trades.session)
    null_mean = nulls[0].null_mean_net_bps.value if nulls else None
    power_observed, needed_observed = power(observed, "observed")
    power_claimed, needed_claimed = power(claimed_rate, "claimed")
    return Significance(
        p_value=largest(
            nulls, "mean net bps a trade", [(each.p_value, each.exceedances_mean) for each in nulls]
        ),
        p_value_win_rate=largest(
            nulls,
            "win rate",
            [(each.p_value_win_rate, each.exceedances_win_rate) for each in nulls],
        ),
        nulls=nulls,
        binomial_p_value_half=_binomial(trades, 0.5, "0.5"),
        binomial_p_value_barrier=_binomial(trades, barrier.value, "the mean barrier-implied rate"),
        effect_size_h=_effect_h(trades, barrier.value),
        effect_size_d=_effect_d(trades.net_bps, 0.0, "zero"),
        effect_size_d_null=_effect_d(trades.net_bps, null_mean, "the null draws' mean"),
        power_observed=power_observed,
        power_claimed=power_claimed,
        trades_needed_observed=needed_observed,
        trades_needed_claimed=needed_claimed,
        power_alpha=alpha,
        claimed_win_rate=claimed_rate,
        effective_sample_size=effective,
        intraday_correlation=correlation,
        design_effect=effect,
    )


def _binomial(trades: Trades, rate: float | None, what: str) -> Estimate:
    method = f"exact binomial, one-sided, against {what}"
    if trades.count == 0 or rate is None:
        return missing("no trades", method=method)
    return Estimate(
        binomial_p_value(trades.wins, trades.count, rate), n=trades.count, method=method
    )


def _effect_h(trades: Trades, barrier: float | None) -> Estimate:
    method = "Cohen's h of the win rate against the mean barrier-implied rate"
    if trades.count == 0 or barrier is None:
        return missing("no trades", method=method)
    return Estimate(cohen_h(trades.wins / trades.count, barrier), n=trades.count, method=method)


def _effect_d(net_bps: FloatArray, reference: float | None, what: str) -> Estimate:
    method = f"Cohen's d of net bps a trade against {what}"
    trades = int(net_bps.size)
    if trades < 2:
        return missing("fewer than two trades", n=trades, method=method)
    if reference is None:
        return missing("no null was drawn", n=trades, method=method)
    deviation = float(net_bps.std(ddof=1))
    if deviation <= _TIE * float(np.abs(net_bps).max()):
        return missing("every trade had the same result", n=trades, method=method)
    return Estimate((float(net_bps.mean()) - reference) / deviation, n=trades, method=method)


def power_of_rate(trades: int, rate: float, null_rate: float, alpha: float) -> float:
    """Return the power of the one-sided test that a win rate exceeds its null.

    Parameters
    ----------
    trades : int
        Sample size.
    rate, null_rate : float
        True rate and null rate; the effect is Cohen's h between them.
    alpha : float
        Level of the test.

    References
    ----------
    Cohen (1988), chapter 6.
    """
    return power_of(cohen_h(rate, null_rate), trades, alpha)


def trades_needed(
    rate: float, null_rate: float, *, alpha: float, power: float = POWER
) -> int | None:
    """Return the fewest trades with this power, None when the rate is not above its null.

    Parameters
    ----------
    rate, null_rate : float
        True rate and null rate.
    power, alpha : float
        Power wanted and level of the one-sided test.
    """
    return observations_needed((cohen_h(rate, null_rate),), alpha, power)


def _power(
    trades: int, rate: float | None, barrier: float | None, what: str, alpha: float
) -> tuple[Estimate, Estimate]:
    methods = (
        f"power at α = {alpha:g} of the {what} win rate against the barrier-implied rate",
        f"trades for power {POWER:g} at α = {alpha:g} if the {what} win rate were true",
    )
    if trades == 0 or rate is None or barrier is None:
        first, second = (missing("no trades", method=method) for method in methods)
        return first, second
    power = Estimate(power_of_rate(trades, rate, barrier, alpha), n=trades, method=methods[0])
    needed = trades_needed(rate, barrier, alpha=alpha)
    if needed is None:
        reason = f"the {what} win rate does not exceed the barrier-implied one"
        return power, missing(reason, n=trades, method=methods[1])
    return power, Estimate(float(needed), n=trades, method=methods[1])
