"""What a strategy claims, as data: statements to test, and the gates of its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Comparison = Literal[">=", ">", "<=", "<", "within"]


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
        Upper end of a ``within`` band.
    flow_class : str
        The class of trades it is about; all trades if empty.
    by_construction : ByConstruction, optional
        When the claim is no test at all.
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


@dataclass(frozen=True, slots=True)
class Claim(Gate):
    """One testable statement of a strategy; like a gate, and part of a `group` of claims.

    Attributes
    ----------
    group : str
        Claims of one group stand or fall together, for example ``primary``.
    """

    group: str = ""
