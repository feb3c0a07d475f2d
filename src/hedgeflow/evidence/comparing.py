"""Two packages side by side: what differs, and which differences their intervals allow for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.coherence import check
from hedgeflow.evidence.opening import Package
from hedgeflow.evidence.report.comparison import COMPARED
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.market.errors import EvidenceError

HEADLINES: Final = (
    *(".".join(path) for _, path in COMPARED),
    "performance_metrics.overall.expectancy_points",
    "performance_metrics.drawdown.observed",
    "performance_metrics.overall.trades_per_session",
    "performance_metrics.overall.hold_minutes",
    "statistical_measures.deflated_sharpe.deflated",
)
"""Where the figures that people look at first stand in evidence.json."""

_ESTIMATE: Final = frozenset({"value", "lower", "upper", "n", "method", "reason", "level"})
_SECTIONS: Final = (
    "performance_metrics",
    "performance_by_flow_type",
    "statistical_measures",
    "hypothesis_validation",
)
_MADE_FROM: Final = (
    "data_hash", "hedge_instrument", "hedge_venue", "seed", "trials", "scale_volume",
    "signing_mode",
)  # fmt: skip
_INPUTS: Final = (
    "underlying", "calendar", "volatility_index", "traded_from", "traded_until", "truth",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing that both packages state, as words or numbers of JSON."""

    name: str
    first: object
    second: object

    @property
    def differs(self) -> bool:
        """Whether they state different things."""
        return self.first != self.second


@dataclass(frozen=True, slots=True)
class FigurePair:
    """One estimate of both packages.

    Attributes
    ----------
    name : str
        Its place in evidence.json, dotted.
    first, second : mapping
        The estimates as they stand there.
    difference, lower, upper : float or None
        Second less first, and the interval of the difference; None where a part is missing.
    inside : bool or None
        Whether that interval contains 0: the difference may be chance. None: it cannot be told.
    headline : bool
        Whether it is among the figures that people look at first.
    """

    name: str
    first: JsonObject
    second: JsonObject
    difference: float | None
    lower: float | None
    upper: float | None
    inside: bool | None
    headline: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two packages of one strategy.

    Attributes
    ----------
    names, verdicts, simulated, code_versions : pair
        Of the first and the second.
    warnings : tuple of str
        What a reader must know before anything else.
    gates, claims : tuple of Pair
        The status of each; None where a package does not have it.
    figures : tuple of FigurePair
        Every estimate that both state, headlines first.
    settings, data : tuple of Pair
        Those that differ.
    contradictions : pair of tuples of str
        What is found when the figures of each are checked against each other again.
    """

    names: tuple[str, str]
    verdicts: tuple[str, str]
    simulated: tuple[bool, bool]
    code_versions: tuple[str, str]
    warnings: tuple[str, ...]
    gates: tuple[Pair, ...]
    claims: tuple[Pair, ...]
    figures: tuple[FigurePair, ...]
    settings: tuple[Pair, ...]
    data: tuple[Pair, ...]
    contradictions: tuple[tuple[str, ...], tuple[str, ...]]


def compare(first: Package, second: Package) -> Comparison:
    """Return what two packages of one strategy agree and disagree about.

    Parameters
    ----------
    first, second : Package

    Raises
    ------
    EvidenceError
        They are of different strategies, whose claims are not about the same thing.
    """
    if first.strategy != second.strategy:
        raise EvidenceError(
            f"{first.name} is of {first.strategy} and {second.name} of {second.strategy}",
            where="compare",
            hint="Compare packages of one strategy: others claim other things",
        )
    a, b = first.document, second.document
    return Comparison(
        names=_names(first, second),
        verdicts=(first.label, second.label),
        simulated=(first.simulated, second.simulated),
        code_versions=(
            text(first.reproducibility, "code_version"),
            text(second.reproducibility, "code_version"),
        ),
        warnings=tuple(_warnings(first, second)),
        gates=_statuses(a, b, "experimental_validity", "gates"),
        claims=_statuses(a, b, "hypothesis_validation", "claims"),
        figures=_figures(a, b),
        settings=different(
            section(first.reproducibility, "config"), section(second.reproducibility, "config")
        ),
        data=_data(first, second),
        contradictions=(check(a).contradictions, check(b).contradictions),
    )


def _names(first: Package, second: Package) -> tuple[str, str]:
    if first.name != second.name:
        return first.name, second.name
    return str(first.folder), str(second.folder)


def _warnings(first: Package, second: Package) -> Iterator[str]:
    if first.simulated != second.simulated:
        made, real = (first, second) if first.simulated else (second, first)
        yield (
            f"SIMULATED BESIDE RECORDED: {made.name} is of a simulated market and {real.name} of a"
            " recorded one. No difference or likeness between them is evidence about any market."
        )
    inputs = [section(each.reproducibility, "inputs") for each in (first, second)]
    same = [each.get("option_data") for each in inputs]
    if same[0] is not None and same[0] == same[1]:
        yield (
            "Both are of the same option tape: their errors are shared, so that intervals of"
            " differences are wider than they would have to be."
        )


def joint_interval(first: JsonObject, second: JsonObject) -> tuple[float, float] | None:
    """Return the interval of second less first, or None where one of them has none.

    Parameters
    ----------
    first, second : mapping
        Estimates with ``value``, ``lower`` and ``upper``, taken as independent.

    Notes
    -----
    d − √((b − l_b)² + (u_a − a)²) to d + √((u_b − b)² + (a − l_a)²), which keeps the asymmetry of
    both: G. Y. Zou and A. Donner, *Statistics in Medicine* 27 (2008) 1693–1702.
    """
    a, low_a, high_a = (number(first, key) for key in ("value", "lower", "upper"))
    b, low_b, high_b = (number(second, key) for key in ("value", "lower", "upper"))
    if a is None or low_a is None or high_a is None or b is None or low_b is None or high_b is None:
        return None
    if first.get("level") != second.get("level"):
        return None
    return (
        b - a - math.hypot(b - low_b, high_a - a),
        b - a + math.hypot(high_b - b, a - low_a),
    )


def different(first: JsonObject, second: JsonObject) -> tuple[Pair, ...]:
    """Return what differs between two JSON objects, by dotted keys; None: it is not there."""
    a, b = dict(_leaves(first)), dict(_leaves(second))
    pairs = (Pair(key, a.get(key), b.get(key)) for key in sorted({*a, *b}))
    return tuple(pair for pair in pairs if pair.differs)


def _leaves(node: JsonObject, before: str = "") -> Iterator[tuple[str, object]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _leaves(cast("JsonObject", value), f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _statuses(a: JsonObject, b: JsonObject, *path: str) -> tuple[Pair, ...]:
    first, second = (
        {text(each, "id"): text(each, "status") for each in objects(document, *path)}
        for document in (a, b)
    )
    return tuple(
        Pair(name, first.get(name), second.get(name)) for name in dict.fromkeys([*first, *second])
    )


def _figures(a: JsonObject, b: JsonObject) -> tuple[FigurePair, ...]:
    first, second = dict(_estimates(a)), dict(_estimates(b))
    both = [name for name in first if name in second]
    order = {name: place for place, name in enumerate(HEADLINES)}
    both.sort(key=lambda name: order.get(name, len(order)))
    return tuple(_pair(name, first[name], second[name]) for name in both)


def _pair(name: str, first: JsonObject, second: JsonObject) -> FigurePair:
    a, b = number(first, "value"), number(second, "value")
    bounds = joint_interval(first, second)
    return FigurePair(
        name,
        first,
        second,
        None if a is None or b is None else b - a,
        None if bounds is None else bounds[0],
        None if bounds is None else bounds[1],
        None if bounds is None else bounds[0] <= 0.0 <= bounds[1],
        name in HEADLINES,
    )


def _estimates(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield every estimate of the package that has a name of its own, with that name."""

    def within(node: JsonObject, path: str) -> Iterator[tuple[str, JsonObject]]:
        if node.keys() >= _ESTIMATE:
            yield path, node
            return
        for key, value in node.items():
            if isinstance(value, Mapping):
                yield from within(cast("JsonObject", value), f"{path}.{key}")

    for name in _SECTIONS:
        yield from within(section(document, name), name)


def _data(first: Package, second: Package) -> tuple[Pair, ...]:
    a, b = first.reproducibility, second.reproducibility
    sessions = ("sessions", "first_session", "last_session")
    pairs = [
        *(Pair(name, a.get(name), b.get(name)) for name in _MADE_FROM),
        *(Pair(name, _input(a, name), _input(b, name)) for name in _INPUTS),
        *(
            Pair(
                name,
                section(first.document, "performance_metrics").get(name),
                section(second.document, "performance_metrics").get(name),
            )
            for name in sessions
        ),
        *_coverage(a, b),
    ]
    return tuple(pair for pair in pairs if pair.differs)


def _input(reproducibility: JsonObject, name: str) -> object:
    return section(reproducibility, "inputs").get(name)


def _coverage(a: JsonObject, b: JsonObject) -> Iterator[Pair]:
    first, second = (
        {text(each, "tape"): covered(each) for each in objects(document, "coverage")}
        for document in (a, b)
    )
    for tape in dict.fromkeys([*first, *second]):
        yield Pair(tape, first.get(tape), second.get(tape))


def covered(coverage: JsonObject) -> str:
    """Return what a tape covers, in words."""
    start, end = text(coverage, "start"), text(coverage, "end")
    sessions = number(coverage, "sessions") or 0.0
    return f"{start} to {end}, {sessions:,.0f} sessions, {text(coverage, 'note')}"
