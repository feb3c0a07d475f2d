"""What a search tries, as data: the settings that may vary, and how they are drawn or listed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from hedgeflow.market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from hedgeflow.strategies.settings import StrategyConfig

    Settings = dict[str, Any]
    """Values by dotted key, as in ``anomaly.ratio``."""

SIGNIFICANT_DIGITS: Final = 4
"""Of a drawn number: enough for any setting, and few enough to be written down."""


@dataclass(frozen=True, slots=True)
class Span:
    """A setting that is drawn from an interval.

    Attributes
    ----------
    key : str
        Section and name, as in ``anomaly.ratio``.
    low, high : float
        Bounds, both included; integers on both sides draw integers.
    log : bool
        Whether the logarithm is drawn evenly, not the value.
    """

    key: str
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse bounds that hold nothing to draw."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)) or self.low > self.high:
            raise ConfigError(
                f"'{self.key}' has no values from {self.low:g} to {self.high:g}",
                hint="Write the lower bound first",
            )
        if self.log and self.low <= 0:
            raise ConfigError(
                f"'{self.key}' cannot be drawn on a logarithmic scale from {self.low:g}",
                hint="The lower bound must be above 0",
            )

    @property
    def words(self) -> str:
        """The interval as it is written."""
        return f"{self.low:g} to {self.high:g}{', logarithmic' if self.log else ''}"

    def draw(self, rng: np.random.Generator) -> float | int:
        """Return one value."""
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        if whole and not self.log:
            return int(rng.integers(int(self.low), int(self.high), endpoint=True))
        if self.log:
            value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        else:
            value = float(rng.uniform(self.low, self.high))
        rounded = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
        inside = min(max(rounded, self.low), self.high)
        return round(inside) if whole else inside


@dataclass(frozen=True, slots=True)
class Choices:
    """A setting that has one of some values.

    Attributes
    ----------
    key : str
        Section and name.
    values : tuple
    """

    key: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        """Refuse an empty choice."""
        if not self.values:
            raise ConfigError(f"'{self.key}' has no values", hint="Write key=first,second")

    @property
    def words(self) -> str:
        """The values as they are written."""
        return ", ".join(str(value) for value in self.values)

    def draw(self, rng: np.random.Generator) -> Any:
        """Return one value."""
        return self.values[int(rng.integers(len(self.values)))]


def grid(choices: Sequence[Choices]) -> tuple[Settings, ...]:
    """Return every combination of values, the last key changing fastest.

    Raises
    ------
    ConfigError
        There is nothing to combine, or a key stands twice.
    """
    _check_keys(choices)
    keys = [each.key for each in choices]
    combinations = product(*(each.values for each in choices))
    return tuple(dict(zip(keys, values, strict=True)) for values in combinations)


def draws(
    space: Sequence[Span | Choices],
    count: int,
    rng: np.random.Generator,
    *,
    shared: Iterable[str] = (),
    shared_draws: int | None = None,
) -> tuple[Settings, ...]:
    """Return settings drawn at random, all keys independently.

    Parameters
    ----------
    space : sequence of Span or Choices
    count : int
        At least 1.
    rng : numpy.random.Generator
    shared : iterable of str
        Keys that are drawn a few times only and then go round, because each set of them is dear
        to evaluate.
    shared_draws : int, optional
        How many times; without it each draw has its own.

    Raises
    ------
    ConfigError
        There is nothing to draw from or nothing to draw, or a key stands twice.
    """
    _check_keys(space)
    for what, value in (("configurations", count), ("scans", shared_draws)):
        if value is not None and value < 1:
            raise ConfigError(f"{value} {what} cannot be drawn", hint="Draw at least 1")
    together = frozenset(shared)
    dear = [each for each in space if each.key in together]
    rounds = count if shared_draws is None else min(shared_draws, count)
    sets = [{each.key: each.draw(rng) for each in dear} for _ in range(rounds)]
    cheap = [each for each in space if each.key not in together]
    return tuple(
        sets[number % rounds] | {each.key: each.draw(rng) for each in cheap}
        for number in range(count)
    )


@dataclass(frozen=True, slots=True)
class ScanReads:
    """Which settings a strategy's scan reads, so that one scan serves all that differ in others.

    Attributes
    ----------
    unread : tuple of str
        Sections and keys that no scan reads, but for those of `read_all_the_same`.
    read_all_the_same : tuple of (str, str)
        Keys of those sections that are read before replay: by the scan, or to choose the tapes.
    """

    unread: tuple[str, ...]
    read_all_the_same: tuple[tuple[str, str], ...]

    def settings(self, config: StrategyConfig) -> dict[str, Any]:
        """Return all that alerts and the choice of tapes depend on; equal ones give equal scans."""
        document = config.model_dump(mode="json")
        kept = {name: value for name, value in document.items() if name not in self.unread}
        for section, key in self.read_all_the_same:
            kept[f"{section}.{key}"] = document[section][key]
        return kept

    def has(self, key: str) -> bool:
        """Return whether a scan must be made anew when a setting changes."""
        section, _, name = key.partition(".")
        return section not in self.unread or (section, name) in self.read_all_the_same


def sections(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by section, as a configuration takes them."""
    document: dict[str, Any] = {}
    for key, value in settings.items():
        place = document
        *above, name = key.split(".")
        for section in above:
            place = place.setdefault(section, {})
        place[name] = value
    return document


def _check_keys(space: Sequence[Span | Choices]) -> None:
    if not space:
        raise ConfigError("there is no setting to vary", hint="Name at least one")
    keys = [each.key for each in space]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ConfigError(f"'{twice}' stands twice", hint="Name each setting once")
