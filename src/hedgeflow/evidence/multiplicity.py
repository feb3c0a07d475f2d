"""Several hypotheses tested together: Holm's correction over the family a strategy declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hedgeflow.evidence.differences import holm
from hedgeflow.evidence.estimates import Estimate
from hedgeflow.strategies.claims import Hypothesis


@dataclass(frozen=True, slots=True)
class TestedHypothesis:
    """One hypothesis of the family.

    Attributes
    ----------
    id, statement : str
        As declared.
    p_value : float or None
        Its own; of several statistics the smallest after Holm among them.
    p_value_holm : float or None
        After Holm over the hypotheses that could be tested.
    sample_size : int
        Observations behind it.
    reason : str
        Why it could not be tested.
    """

    id: str
    statement: str
    p_value: float | None
    p_value_holm: float | None
    sample_size: int
    reason: str


def tested_together(
    hypotheses: Sequence[Hypothesis], measured: Mapping[str, Estimate]
) -> tuple[TestedHypothesis, ...]:
    """Return every hypothesis with its p-value before and after Holm's correction.

    Parameters
    ----------
    hypotheses : sequence of Hypothesis
    measured : mapping of str to Estimate
        P-values by the name of their statistic.

    Notes
    -----
    S. Holm, *Scandinavian Journal of Statistics* 6 (1979) 65–70. A hypothesis that the data cannot
    test is no part of the family.
    """
    own = [_own(hypothesis, measured) for hypothesis in hypotheses]
    known = [row for row, (value, _, _) in enumerate(own) if value is not None]
    corrected = dict(
        zip(known, holm([value for value, _, _ in own if value is not None]), strict=True)
    )
    return tuple(
        TestedHypothesis(
            hypothesis.id, hypothesis.statement, value, corrected.get(row), size, reason
        )
        for row, (hypothesis, (value, size, reason)) in enumerate(zip(hypotheses, own, strict=True))
    )


def _own(hypothesis: Hypothesis, measured: Mapping[str, Estimate]) -> tuple[float | None, int, str]:
    found = [measured[name] for name in hypothesis.statistics if name in measured]
    known = [each for each in found if each.value is not None]
    if not known:
        reasons = [each.reason for each in found if each.reason]
        return None, 0, reasons[0] if reasons else "this run does not measure it"
    values = [each.value for each in known if each.value is not None]
    return min(holm(values)), max(each.n for each in known), ""
