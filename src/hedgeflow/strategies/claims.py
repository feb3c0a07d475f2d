"""What a strategy claims, as data: statements to test, and the gates of its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Comparison = Literal[">=", ">", "<=", "<", "within"]

OF_STRATEGY: Final = "claimed of the strategy"
"""Where a claim is made that comes with the strategy itself."""


@dataclass(frozen=True, slots=True)
class ByConstruction:
    """A setting under which a claim holds whatever the market does, so that it cannot be tested.

    Attributes
    ----------
    setting : str
        Dotted name of the configuration value, for example ``response.model``.
    values : tuple of str
        The values that make the claim true by construction.
    reason : str
        One sentence for the reader.
    """

    setting: str
    values: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a verdict.

    Attributes
    ----------
    id : str
        Short stable name, for example ``win-rate``.
    statement : str
        What must hold, in words.
    statistic : str
        Name of the measured statistic that decides it.
    comparison : str
        How the statistic is compared with `threshold`; ``within`` has `upper_threshold` too.
    threshold : float
        The claimed bound, in the statistic's own unit.
    minimum_sample : int
        Observations below which it can fail but not pass.
    source : str
        Where the claim is made.
    upper_threshold : float, optional
        Upper end of the claimed band; only ``within`` is missed by more than that.
    flow_class : str
        The class of trades it is about; all trades if empty.
    by_construction : ByConstruction, optional
        When the claim is no test at all.
    of_source : bool
        Whether the source's own point rules have it too; otherwise it is ours, and the source's
        verdict is found without it.
    """

    id: str
    statement: str
    statistic: str
    comparison: Comparison
    threshold: float
    minimum_sample: int
    source: str
    upper_threshold: float | None = None
    flow_class: str = ""
    by_construction: ByConstruction | None = None
    of_source: bool = True


@dataclass(frozen=True, slots=True)
class Claim(Gate):
    """One testable statement of a strategy; like a gate, and part of a `group` of claims.

    Attributes
    ----------
    group : str
        Claims of one group stand or fall together, for example ``primary``.
    """

    group: str = ""


def primary(
    name: str,
    statement: str,
    statistic: str,
    comparison: Comparison,
    threshold: float,
    minimum_sample: int,
) -> Claim:
    """Return one of the claims that stand or fall together as what a strategy is for."""
    return Claim(
        f"primary-{name}",
        statement,
        statistic,
        comparison,
        threshold,
        minimum_sample,
        OF_STRATEGY,
        group="primary",
    )


class NullKind(StrEnum):
    """A null that a strategy must beat: what chance would do that knows as much about the market.

    The draws of each are made by the study of that name; evidence only compares.
    """

    MATCHED_ENTRIES = "matched-entries"
    DIRECTIONS = "directions"
    SESSION_DIRECTIONS = "session-directions"
    PERMUTED_BARS = "permuted-bars"
    BLOCK_PROFIT = "block-profit"
    SHIFTED_FILLS = "shifted-fills"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One of the hypotheses that are tested together, so that Holm's correction runs over them.

    Attributes
    ----------
    id, statement : str
        Short stable name, and what is claimed.
    statistics : tuple of str
        The measured p-values that test it; of several the smallest, after Holm among them.
    """

    id: str
    statement: str
    statistics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RiskControl:
    """A rule that limits risk, and how to switch it off (evidence.md 6).

    Attributes
    ----------
    id, words : str
        Short stable name, and what the rule does.
    off : mapping
        Settings, section by section, under which it does nothing.
    """

    id: str
    words: str
    off: Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Declaration:
    """All that evidence needs to know of a strategy.

    Attributes
    ----------
    strategy : str
        Name, as on the command line.
    null_hypothesis : str
        In words.
    nulls : tuple of NullKind
        Every one must be beaten: the p-value is the largest over them.
    gates : tuple of Gate
        What VALIDATED needs.
    claims : tuple of Claim
        What is claimed besides.
    hypotheses : tuple of Hypothesis
        The family of Holm's correction, the primary one first.
    controls : tuple of RiskControl
        What is switched off, one at a time.
    classes : tuple of str
        The classes of trades that the claims tell apart; the first two are compared.
    """

    strategy: str
    null_hypothesis: str
    nulls: tuple[NullKind, ...]
    gates: tuple[Gate, ...]
    claims: tuple[Claim, ...]
    hypotheses: tuple[Hypothesis, ...]
    controls: tuple[RiskControl, ...]
    classes: tuple[str, ...]
