"""The verdict: each gate judged by its confidence bounds, and what follows from all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hedgeflow.evidence.estimates import Measure, missing
from hedgeflow.evidence.wording import counted, describe, show
from hedgeflow.strategies.claims import Comparison, Gate

SAMPLE_STATISTIC = "trades"


class Status(StrEnum):
    """What became of one claim or gate."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNTESTABLE = "UNTESTABLE"
    REFUSED = "REFUSED"


class Verdict(StrEnum):
    """The source's three words."""

    VALIDATED = "VALIDATED"
    REJECTED = "REJECTED"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class CouldTell(StrEnum):
    """Whether the data could have told at all."""

    CONCLUSIVE = "CONCLUSIVE"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNTESTABLE = "UNTESTABLE"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One claim or gate with what was found.

    Attributes
    ----------
    id, statement : str
        Short stable name, and what must hold, in words.
    statistic, flow_class : str
        Which figure decides, of which class of trades; of all if empty.
    comparison : str
        How the figure must compare with the threshold; ``within`` has both ends.
    threshold, upper_threshold : float or None
        The claimed bound in the statistic's own unit, and the upper end of a band.
    minimum_sample : int
        Observations below which it cannot pass.
    source, group : str
        Where it is claimed, and the claims that it stands or falls with.
    of_source : bool
        Whether the source's own point rules have it too.
    status : Status
        PASSED and FAILED when the bounds lie wholly on one side of the threshold, INCONCLUSIVE
        when they straddle it, UNTESTABLE when the data cannot say, REFUSED when the claim is true
        by construction.
    value, lower, upper : float or None
        What was measured.
    sample_size : int
        Trades or events behind it.
    method, reason : str
        How it was measured, and why not.
    sentence : str
        All of it in words.
    """

    id: str
    statement: str
    statistic: str
    flow_class: str
    comparison: Comparison
    threshold: float
    upper_threshold: float | None
    minimum_sample: int
    source: str
    group: str
    of_source: bool
    status: Status
    value: float | None
    lower: float | None
    upper: float | None
    sample_size: int
    method: str
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from the gates.

    Attributes
    ----------
    verdict : Verdict
        By lower bounds.
    could_tell : CouldTell
        CONCLUSIVE when validated or when some gate failed outright.
    source_verdict : Verdict
        By the source's point rules.
    failed, inconclusive, untestable : tuple of str
        Ids of the gates that do not hold; coherence counts as one.
    reasons : tuple of str
        A sentence for each part that does not hold.
    """

    verdict: Verdict
    could_tell: CouldTell
    source_verdict: Verdict
    failed: tuple[str, ...]
    inconclusive: tuple[str, ...]
    untestable: tuple[str, ...]
    reasons: tuple[str, ...]


def judge(gate: Gate, measure: Measure | None, config: Mapping[str, object]) -> Judgement:
    """Judge one claim or gate.

    Parameters
    ----------
    gate : Gate
        What is claimed.
    measure : Measure or None
        What was found; None when the run does not measure it.
    config : mapping
        The run's configuration, for claims that some setting makes true by construction.
    """
    rule = gate.by_construction
    if rule is not None and setting(config, rule.setting) in rule.values:
        reason = f"true by construction: {rule.reason}"
        return _judgement(gate, Measure(missing(reason), 0), Status.REFUSED, reason)
    if measure is None:
        reason = "this run does not measure it"
        return _judgement(gate, Measure(missing(reason), 0), Status.UNTESTABLE, reason)
    status, reason = _status(gate, measure)
    return _judgement(gate, measure, status, reason)


def setting(config: Mapping[str, object], name: str) -> object:
    """Return the configuration value with this dotted name, None where there is none."""
    value: object = config
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value  # pyright: ignore[reportUnknownVariableType]


def _status(gate: Gate, measure: Measure) -> tuple[Status, str]:
    estimate = measure.estimate
    value, lower, upper = estimate.value, estimate.lower, estimate.upper
    if value is None:
        return Status.UNTESTABLE, estimate.reason
    if measure.smallest is not None and not holds(gate, measure.smallest):
        draws = counted(estimate.n, "different draw")
        needed = f"{draws} cannot give a p-value below {measure.smallest:.2g}"
        return Status.UNTESTABLE, needed
    if measure.exact:
        status = Status.PASSED if holds(gate, value) else Status.FAILED
        bounds = [bound for bound in (lower, upper) if bound is not None]
        if any(holds(gate, bound) != holds(gate, value) for bound in bounds):
            return Status.INCONCLUSIVE, "more draws could decide it"
        if measure.probability and status is Status.FAILED and holds(gate, 1.0 - value):
            return status, "the opposite is as sure as was claimed"
        if measure.probability and status is Status.FAILED:
            return Status.INCONCLUSIVE, "neither this nor its opposite is that sure"
    elif lower is None or upper is None:
        return Status.INCONCLUSIVE, estimate.reason or "no interval could be formed"
    elif holds(gate, lower) and holds(gate, upper):
        status = Status.PASSED
    elif _disjoint(gate, lower, upper):
        status = Status.FAILED
    else:
        return Status.INCONCLUSIVE, "the interval straddles the threshold"
    if status is Status.PASSED and measure.sample_size < gate.minimum_sample:
        few = f"it holds on {measure.sample_size}, fewer than the {gate.minimum_sample} it needs"
        return Status.INCONCLUSIVE, few
    return status, estimate.reason


def holds(gate: Gate, value: float) -> bool:
    """Return whether a single value satisfies the gate's comparison."""
    match gate.comparison:
        case ">=":
            return value >= gate.threshold
        case ">":
            return value > gate.threshold
        case "<=":
            return value <= gate.threshold
        case "<":
            return value < gate.threshold
        case "within":
            upper = gate.upper_threshold
            return gate.threshold <= value and (upper is None or value <= upper)


def _disjoint(gate: Gate, lower: float, upper: float) -> bool:
    match gate.comparison:
        case ">=" | ">":
            return not holds(gate, upper)
        case "<=" | "<":
            return not holds(gate, lower)
        case "within":
            top = gate.upper_threshold
            return upper < gate.threshold or (top is not None and lower > top)


def _judgement(gate: Gate, measure: Measure, status: Status, reason: str) -> Judgement:
    estimate = measure.estimate
    return Judgement(
        gate.id,
        gate.statement,
        gate.statistic,
        gate.flow_class,
        gate.comparison,
        gate.threshold,
        gate.upper_threshold,
        gate.minimum_sample,
        gate.source,
        getattr(gate, "group", ""),
        gate.of_source,
        status,
        estimate.value,
        estimate.lower,
        estimate.upper,
        measure.sample_size,
        estimate.method,
        reason,
        _sentence(gate, measure, status, reason),
    )


def _sentence(gate: Gate, measure: Measure, status: Status, reason: str) -> str:
    claim = gate.statement[0].upper() + gate.statement[1:]
    estimate = measure.estimate
    if status in {Status.UNTESTABLE, Status.REFUSED} or estimate.value is None:
        return f"{claim}: {status.value}, {reason}."
    found = f"{describe(gate.statistic)} {show(gate.statistic, estimate.value)}"
    if estimate.lower is not None and estimate.upper is not None:
        lower, upper = show(gate.statistic, estimate.lower), show(gate.statistic, estimate.upper)
        found += f" ({lower} to {upper})"
    because = f"; {reason}" if reason and status is not Status.PASSED else ""
    return f"{claim}: {status.value}, {found}{because}."


def decide(
    judgements: Sequence[Judgement],
    *,
    coherent: bool,
    incoherences: Sequence[str] = (),
    leaks: Sequence[str] = (),
) -> Decision:
    """Return the verdict that follows from judged gates.

    Parameters
    ----------
    judgements : sequence of Judgement
        Every gate of the strategy; the one on ``trades`` says how many trades a verdict needs.
    coherent : bool
        Whether the package agrees with itself; one that does not is never VALIDATED.
    incoherences : sequence of str
        A sentence for each contradiction.
    leaks : sequence of str
        A sentence for everything that was known before it could be; such a run is never VALIDATED.
    """
    few = any(
        item.statistic == SAMPLE_STATISTIC and item.status is not Status.PASSED
        for item in judgements
    )

    def of(status: Status) -> tuple[str, ...]:
        return tuple(item.id for item in judgements if item.status is status)

    failed, inconclusive = of(Status.FAILED), of(Status.INCONCLUSIVE)
    untestable = (*of(Status.UNTESTABLE), *of(Status.REFUSED))
    reasons = [item.sentence for item in judgements if item.status is not Status.PASSED]
    if not coherent:
        failed = (*failed, "coherence")
        reasons.append("The package contradicts itself: " + " ".join(incoherences))
    if leaks:
        failed = (*failed, "leakage")
        reasons.append("The run depends on what it could not know: " + " ".join(leaks))
    complete = bool(judgements) and not (failed or inconclusive or untestable)
    if few:
        verdict = Verdict.INSUFFICIENT_DATA
    else:
        verdict = Verdict.VALIDATED if complete else Verdict.REJECTED
    return Decision(
        verdict,
        _could_tell(judgements, verdict),
        source_verdict(judgements),
        failed,
        inconclusive,
        untestable,
        tuple(reasons),
    )


def _could_tell(judgements: Sequence[Judgement], verdict: Verdict) -> CouldTell:
    tested = [item for item in judgements if item.statistic != SAMPLE_STATISTIC]
    if verdict is Verdict.VALIDATED or any(item.status is Status.FAILED for item in tested):
        return CouldTell.CONCLUSIVE
    if tested and all(item.status in {Status.UNTESTABLE, Status.REFUSED} for item in tested):
        return CouldTell.UNTESTABLE
    return CouldTell.INCONCLUSIVE


def source_verdict(judgements: Sequence[Judgement]) -> Verdict:
    """Return the verdict by the source's rules, which compare point estimates only.

    Parameters
    ----------
    judgements : sequence of Judgement
        Judged gates; a missing value satisfies none, and gates that are not the source's own
        count for nothing.
    """
    judgements = [item for item in judgements if item.of_source]
    every = bool(judgements)
    for item in judgements:
        gate = Gate(
            item.id,
            item.statement,
            item.statistic,
            item.comparison,
            item.threshold,
            item.minimum_sample,
            item.source,
            item.upper_threshold,
        )
        met = item.value is not None and holds(gate, item.value)
        if item.statistic == SAMPLE_STATISTIC and not met:
            return Verdict.INSUFFICIENT_DATA
        every = every and met
    return Verdict.VALIDATED if every else Verdict.REJECTED
