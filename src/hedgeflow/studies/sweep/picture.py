"""A histogram as SVG: how the figures of many configurations lie, and where the best stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from hedgeflow.evidence.estimates import FloatArray

WIDTH: Final = 720.0
HEIGHT: Final = 220.0
_FOOT: Final = 24.0
_HEAD: Final = 30.0
_BINS: Final = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar in the picture's own units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the axis, with words."""

    x: float
    words: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars, the axis' ends and marks.

    Attributes
    ----------
    bars : tuple of Bar
    low, high : str
        The axis' ends.
    marks : tuple of Mark
    """

    bars: tuple[Bar, ...]
    low: str
    high: str
    marks: tuple[Mark, ...]


def histogram(values: FloatArray, marks: dict[str, float]) -> Histogram | None:
    """Return how values lie, with marks by their words; None for fewer than two values."""
    if values.size < 2:
        return None
    every = np.concatenate([values, list(marks.values())])
    low, high = float(every.min()), float(every.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(values, bins=min(_BINS, int(values.size)), range=(low, high))
    tallest = float(counts.max())

    def across(value: float) -> float:
        return round(WIDTH * (value - low) / (high - low), 2)

    room = HEIGHT - _FOOT - _HEAD
    bars = tuple(
        Bar(
            across(left),
            round(HEIGHT - _FOOT - room * count / tallest, 2),
            round(max(1.0, across(right) - across(left) - 1.0), 2),
            round(room * count / tallest, 2),
        )
        for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True)
        if count
    )
    return Histogram(
        bars,
        f"{low:.1f}",
        f"{high:.1f}",
        tuple(
            Mark(across(value), words, "end" if across(value) > WIDTH / 2 else "start")
            for words, value in marks.items()
        ),
    )
