"""What a stylised fact is: its definition, its value with an error, or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class Group(StrEnum):
    """What facts are about, in the order in which they are shown."""

    SIZES = "Sizes of option prints"
    CLUSTERING = "Clustering of option prints"
    TIME_OF_DAY = "Time of day"
    SPREADS = "Spreads"
    FLOW = "Signed flow"
    CONTRACTS = "What is traded"
    UNDERLYING = "The underlying"
    OPEN_INTEREST = "Open interest"


Unit = Literal["number", "share", "contracts", "hours", "bps", "points", "factor"]


@dataclass(frozen=True, slots=True)
class Alike:
    """When two markets count as alike in a fact.

    Attributes
    ----------
    kind : str
        ``factor``: the greater is at most `size` times the smaller; ``difference``: they are at
        most `size` apart; ``cycle``: the same around a day of 24 hours; ``scale``: nothing, the
        figure tells how large a market is, which no two need share.
    size : float
    """

    kind: Literal["factor", "difference", "cycle", "scale"]
    size: float = 0.0

    def holds(self, one: float, other: float) -> bool:
        """Say whether two values are alike."""
        if self.kind == "factor":
            low, high = sorted((one, other))
            return low > 0.0 and high <= self.size * low
        apart = abs(one - other)
        if self.kind == "cycle":
            apart = min(apart, 24.0 - apart)
        return apart <= self.size

    @property
    def words(self) -> str:
        """The rule as a reader sees it."""
        match self.kind:
            case "factor":
                return f"factor {self.size:g}"
            case "scale":
                return "not compared"
            case _:
                return f"± {self.size:g}"


FACTOR: Final = Alike("factor", 1.5)
SHARE: Final = Alike("difference", 0.10)
SMALL_SHARE: Final = Alike("difference", 0.03)
CORRELATION: Final = Alike("difference", 0.05)
SCALE: Final = Alike("scale")


@dataclass(frozen=True, slots=True)
class Definition:
    """What a fact measures.

    Attributes
    ----------
    key : str
        Its name in JSON.
    group : Group
    name : str
        As tables show it.
    unit : str
    text : str
        How it is computed.
    alike : Alike
    source : str
        Who found or defined it, as in `REFERENCES`; empty for plain counts.
    """

    key: str
    group: Group
    name: str
    unit: Unit
    text: str
    alike: Alike
    source: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured fact of one market.

    Attributes
    ----------
    definition : Definition
    value : float or None
        None where the tapes cannot tell.
    error : float or None
        Standard error, in the value's unit; None where none can be given.
    note : str
        Why there is no value, or what to know about it.
    """

    definition: Definition
    value: float | None
    error: float | None = None
    note: str = ""

    @classmethod
    def missing(cls, definition: Definition, reason: str) -> Fact:
        """Return a fact that the tapes cannot tell."""
        return cls(definition, None, None, reason)

    @property
    def text(self) -> str:
        """The value as people read it, its error beside it."""
        if self.value is None:
            return "not measurable"
        shown = formatted(self.value, self.definition.unit)
        if self.error is None:
            return shown
        return f"{shown} ± {formatted(self.error, self.definition.unit)}"


@dataclass(frozen=True, slots=True)
class Curve:
    """How a quantity spreads over the session, by half hour from its start.

    Attributes
    ----------
    name : str
    rate : tuple of float
        Rate of each half hour over the session's mean rate; NaN where nothing was recorded.
    """

    name: str
    rate: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """The stylised facts of the tapes of one underlying in one catalog.

    Attributes
    ----------
    underlying : str
    tapes : tuple of str
        Which tapes were read.
    calendar : str
    sessions : int
        Sessions with any row.
    first, last : str
        ISO dates of the first and the last of them.
    simulated : bool
    facts : tuple of Fact
        Every definition once, in their order.
    curves : tuple of Curve
    """

    underlying: str
    tapes: tuple[str, ...]
    calendar: str
    sessions: int
    first: str
    last: str
    simulated: bool
    facts: tuple[Fact, ...]
    curves: tuple[Curve, ...]

    def __getitem__(self, key: str) -> Fact:
        """Return the fact of a definition's key."""
        for fact in self.facts:
            if fact.definition.key == key:
                return fact
        raise KeyError(key)

    @property
    def name(self) -> str:
        """The market's name in tables; a simulated one says so."""
        return f"SIMULATED {self.underlying}" if self.simulated else self.underlying


def formatted(value: float, unit: Unit) -> str:
    """Return a number with as many digits as its unit is read with."""
    if not math.isfinite(value):
        return "–"
    match unit:
        case "share":
            return f"{100.0 * value:.1f} %"
        case "hours":
            return f"{value:.1f} h"
        case "bps":
            return f"{value:.3f} bps"
        case "points":
            return f"{value:.2f} points"
        case "factor":
            return f"{value:.2f} ×"
        case "contracts":
            return f"{round(value, 6):,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
        case _:
            return f"{value:.3f}" if abs(value) < 100.0 else f"{value:,.0f}"
