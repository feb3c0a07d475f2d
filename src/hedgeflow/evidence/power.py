"""How large each claimed effect was found, and whether so many observations could have shown it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL, EffectKind, Measure
from hedgeflow.evidence.rates import cohen_h
from hedgeflow.strategies.claims import Gate

POWER = 0.80
"""Power for which the observations needed are stated (Cohen 1988, 2.4)."""
ALPHA = (1.0 - CONFIDENCE_LEVEL) / 2.0
"""A claim is met by one end of a two-sided interval."""
MOST = 10**9
"""Observations beyond which "needed" means never."""

EFFECTS = {
    EffectKind.RATE: "Cohen's h",
    EffectKind.CORRELATION: "Cohen's q",
    EffectKind.R_SQUARED: "Cohen's q",
    EffectKind.MEAN: "distance over the standard deviation that the interval implies",
}
_LOST = {EffectKind.CORRELATION: 3, EffectKind.R_SQUARED: 3}
"""Observations that Fisher's transformation costs: its error is 1 / √(n − 3)."""


@dataclass(frozen=True, slots=True)
class ClaimPower:
    """One claim or gate: its effect, and what so many observations can show.

    Attributes
    ----------
    id, statistic, flow_class : str
        Of the claim.
    effect : str
        What `effect_size` is: Cohen's h of rates and q of correlations; of means and ratios of
        means, the distance from the claimed bound in standard deviations of one observation, as the
        day-clustered interval implies them.
    effect_size : float or None
        From the claimed bound; positive where the claim was found to hold. Of a band, the distance
        from its nearer end.
    observations : int
        Of the claim's own kind: trades, events, or sessions for the Sharpe ratio and frequencies.
    alpha : float
        One-sided level of the test that an interval's end makes.
    power : float or None
        Chance that as many observations would show the claim, if what was found were true.
    needed : int or None
        Observations for which that chance is 80 %; None where no number would do.
    detectable : float or None
        The value nearest the claimed bound that as many observations would show with a chance of
        80 %: unlike `power` it does not depend on what was found.
    reason : str
        Why there are no figures.
    """

    id: str
    statistic: str
    flow_class: str
    effect: str
    effect_size: float | None
    observations: int
    alpha: float
    power: float | None
    needed: int | None
    detectable: float | None
    reason: str


def powers(
    claims: Iterable[Gate], measures: Mapping[tuple[str, str], Measure]
) -> tuple[ClaimPower, ...]:
    """Return the power of every claim and gate about a rate, a mean or a correlation.

    A claim of the same statistic, class and bound is listed once. Counts and p-values have no
    effect of their own, and a drawdown's interval does not narrow with the observations: they are
    left out.

    Parameters
    ----------
    claims : iterable of Gate
    measures : mapping
        What was found, by statistic and class of trades.

    Notes
    -----
    Φ(e √n − z), e the effect and z the normal quantile of 1 − α: J. Cohen, *Statistical Power
    Analysis for the Behavioral Sciences*, 2nd ed. (1988), 2.4, 4.4 and 6.4. The power at what was
    found follows from the p-value and adds nothing to it (J. M. Hoenig and D. M. Heisey, *The
    American Statistician* 55 (2001) 19–24); `detectable` does.
    """
    rows: dict[tuple[str, str, str, float, float | None], ClaimPower] = {}
    for claim in claims:
        measure = measures.get((claim.statistic, claim.flow_class))
        if measure is None or measure.exact or measure.kind is None:
            continue
        key = (
            claim.statistic,
            claim.flow_class,
            claim.comparison,
            claim.threshold,
            claim.upper_threshold if claim.comparison == "within" else None,
        )
        if key not in rows:
            rows[key] = _power(claim, measure, measure.kind)
    return tuple(rows.values())


def power_of(effect: float, observations: float, alpha: float = ALPHA) -> float:
    """Return the power of a one-sided normal test of an effect whose error is 1 / √n."""
    from scipy.special import ndtr, ndtri

    return float(ndtr(effect * math.sqrt(observations) + ndtri(alpha)))


def observations_needed(
    effects: tuple[float, ...], alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """Return the fewest observations with this power, None where there is none.

    Parameters
    ----------
    effects : tuple of float
        Distances from every bound that must be shown to be kept; of several, all at once.
    alpha, power : float
    """
    if min(effects) <= 0.0:
        return None
    low, high = 0, 1
    while _joint(effects, high, alpha) < power:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if _joint(effects, middle, alpha) >= power:
            high = middle
        else:
            low = middle
    return high


def _joint(effects: tuple[float, ...], observations: float, alpha: float) -> float:
    """Return the power to show all at once; the two ends of a band are missed one at a time."""
    missed = sum(1.0 - power_of(effect, observations, alpha) for effect in effects)
    return max(0.0, 1.0 - missed)


def _power(claim: Gate, measure: Measure, kind: EffectKind) -> ClaimPower:
    estimate = measure.estimate
    count = estimate.n or measure.sample_size

    def row(reason: str = "", **found: float | None) -> ClaimPower:
        names = ("effect_size", "power", "needed", "detectable")
        size, power, needed, detectable = (found.get(name) for name in names)
        return ClaimPower(
            claim.id,
            claim.statistic,
            claim.flow_class,
            EFFECTS[kind],
            size,
            count,
            ALPHA,
            power,
            None if needed is None else int(needed),
            detectable,
            reason,
        )

    if estimate.value is None:
        return row(estimate.reason)
    used = count - _LOST.get(kind, 0)
    if used < 1:
        return row("too few observations")
    scale = 1.0
    if kind is EffectKind.MEAN:
        if estimate.lower is None or estimate.upper is None:
            return row(estimate.reason or "no interval could be formed")
        scale = _deviation(estimate.lower, estimate.upper, used)
        if scale <= 0.0:
            return row("the interval has no width")
    bounds = _bounds(claim)
    effects = tuple(
        sign * (_transformed(estimate.value, bound, kind) / scale) for sign, bound in bounds
    )
    needed = observations_needed(effects)
    return row(
        effect_size=min(effects),
        power=_joint(effects, used, ALPHA),
        needed=None if needed is None else needed + _LOST.get(kind, 0),
        detectable=_detectable(*bounds[0], kind, scale, used) if len(bounds) == 1 else None,
    )


def _bounds(claim: Gate) -> tuple[tuple[float, float], ...]:
    """Return on which side of which bounds the claimed value lies."""
    if claim.comparison in {"<=", "<"}:
        return ((-1.0, claim.threshold),)
    if claim.comparison == "within" and claim.upper_threshold is not None:
        return ((1.0, claim.threshold), (-1.0, claim.upper_threshold))
    return ((1.0, claim.threshold),)


def _deviation(lower: float, upper: float, observations: int) -> float:
    from scipy.special import ndtri

    return (upper - lower) / (-2.0 * float(ndtri(ALPHA))) * math.sqrt(observations)


def _transformed(value: float, bound: float, kind: EffectKind) -> float:
    match kind:
        case EffectKind.RATE:
            return cohen_h(value, bound)
        case EffectKind.CORRELATION:
            return _fisher(value) - _fisher(bound)
        case EffectKind.R_SQUARED:
            return _fisher(_root(value)) - _fisher(_root(bound))
        case EffectKind.MEAN:
            return value - bound


def _detectable(
    sign: float, bound: float, kind: EffectKind, scale: float, observations: int
) -> float | None:
    from scipy.special import ndtri

    effect = sign * float(ndtri(POWER) - ndtri(ALPHA)) / math.sqrt(observations)
    match kind:
        case EffectKind.RATE:
            angle = math.asin(math.sqrt(bound)) + 0.5 * effect
            return math.sin(angle) ** 2 if 0.0 <= angle <= 0.5 * math.pi else None
        case EffectKind.CORRELATION:
            return math.tanh(_fisher(bound) + effect)
        case EffectKind.R_SQUARED:
            r = math.tanh(_fisher(_root(bound)) + effect)
            return r * abs(r)
        case EffectKind.MEAN:
            return bound + effect * scale


def _root(signed_square: float) -> float:
    return math.copysign(math.sqrt(abs(signed_square)), signed_square)


def _fisher(r: float) -> float:
    return math.atanh(min(1.0 - 1e-12, max(-1.0 + 1e-12, r)))
