"""The configurations of a sweep: a grid that is written down, or draws from a space."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.settings import merged
from hedgeflow.strategies.search import Choices, Span, draws, grid, sections
from hedgeflow.strategies.settings import StrategyConfig
from hedgeflow.studies.strategies import study_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hedgeflow.strategies.search import Settings

REPLAYS_PER_SCAN: Final = 25
"""Drawn configurations that share one scan, unless told otherwise: a scan takes as long as tens of
replays."""
NOT_SWEPT: Final = {
    "preset": "a preset is many settings at once; sweep each with --preset",
    "calendar": "it changes what a session is; sweep each with --set",
    "seed": "it draws the null, and changes no trade",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One configuration that is tried.

    Attributes
    ----------
    number : int
        From 1, in the order of the sweep.
    settings : mapping
        What was varied, by dotted key.
    config : StrategyConfig
    """

    number: int
    settings: Mapping[str, Any]
    config: StrategyConfig

    @property
    def name(self) -> str:
        """The number as text, by which tables know it."""
        return str(self.number)

    @property
    def options(self) -> str:
        """What to add to a command to run it again."""
        return " ".join(f"--set {key}={_written(self.settings[key])}" for key in self.settings)


@dataclass(frozen=True, slots=True)
class Search:
    """What was varied, and how.

    Attributes
    ----------
    kind : str
        ``grid`` or ``random``.
    varied : mapping of str to str
        Values or bounds by key, as they are written.
    candidates : tuple of Candidate
        All different.
    seed : int or None
        Of the draws.
    """

    kind: str
    varied: Mapping[str, str]
    candidates: tuple[Candidate, ...]
    seed: int | None = None


def grid_search(base: StrategyConfig, texts: Sequence[str]) -> Search:
    """Return every combination of written values over a configuration.

    Parameters
    ----------
    base : StrategyConfig
    texts : sequence of str
        ``section.key=first,second``; values in TOML's notation or bare words.

    Raises
    ------
    ConfigError
        A text is no list of values, a key is unknown or stands twice, or a value out of range.
    """
    choices = [_choices(text, "--grid") for text in texts]
    return Search(
        "grid",
        {each.key: each.words for each in choices},
        _candidates(base, grid(choices), "--grid"),
    )


def random_search(
    base: StrategyConfig,
    count: int,
    texts: Sequence[str] = (),
    *,
    seed: int,
    scans: int | None = None,
) -> Search:
    """Return configurations drawn at random.

    Parameters
    ----------
    base : StrategyConfig
    count : int
        How many; fewer come of it where the same is drawn twice.
    texts : sequence of str
        ``section.key=low:high``, with ``:log`` behind it for a logarithmic scale, or
        ``section.key=first,second``; none of them takes the strategy's own space.
    seed : int
    scans : int, optional
        How many different settings are drawn of what a scan reads; they go round. One for every
        `REPLAYS_PER_SCAN` if left out.

    Raises
    ------
    ConfigError
        A text is no space, a key is unknown or stands twice, a bound is out of range or above the
        other, or fewer than one is asked for.
    """
    space = [_space(text, base) for text in texts] or list(study_of(base).search_space)
    for each in space:
        ends = each.values if isinstance(each, Choices) else (each.low, each.high)
        for end in ends:
            _configured(base, {each.key: end}, "--space")
    drawn = draws(
        space,
        count,
        np.random.default_rng(seed),
        shared=[each.key for each in space if study_of(base).is_scanned(each.key)],
        shared_draws=max(1, -(-count // REPLAYS_PER_SCAN)) if scans is None else scans,
    )
    varied = {each.key: each.words for each in space}
    return Search("random", varied, _candidates(base, drawn, "--space"), seed)


def _candidates(
    base: StrategyConfig, settings: Iterable[Settings], where: str
) -> tuple[Candidate, ...]:
    found: dict[str, Candidate] = {}
    for each in settings:
        config = _configured(base, each, where)
        found.setdefault(config.model_dump_json(), Candidate(len(found) + 1, each, config))
    return tuple(found.values())


def _configured(base: StrategyConfig, settings: Settings, where: str) -> StrategyConfig:
    document = merged(base.model_dump(), sections(settings))
    return study_of(base).of_settings(document, where)


def _choices(text: str, where: str) -> Choices:
    key, values = _parted(text, where, "section.key=first,second")
    return Choices(key, _values(values))


def _space(text: str, base: StrategyConfig) -> Span | Choices:
    key, values = _parted(text, "--space", "section.key=low:high, or :log behind it")
    if ":" not in values:
        return Choices(key, _values(values))
    low, _, rest = values.partition(":")
    high, _, scale = rest.partition(":")
    try:
        bounds = [_number(low), _number(high)]
    except ValueError:
        bounds = []
    if not bounds or scale not in {"", "log"}:
        raise ConfigError(
            f"'{text}' has no bounds",
            where="--space",
            hint="Write section.key=low:high, or section.key=low:high:log",
        )
    if not isinstance(_present(base, key), int):
        bounds = [float(bound) for bound in bounds]
    return Span(key, bounds[0], bounds[1], log=scale == "log")


def _parted(text: str, where: str, form: str) -> tuple[str, str]:
    key, sign, values = (part.strip() for part in text.partition("="))
    if not sign or not key:
        raise ConfigError(f"'{text}' names no values", where=where, hint=f"Write {form}")
    if key in NOT_SWEPT:
        raise ConfigError(f"'{key}' cannot be swept: {NOT_SWEPT[key]}", where=where)
    return key, values


def _values(text: str) -> tuple[Any, ...]:
    """Return values between commas, each in TOML's notation or a bare word."""
    try:
        return tuple(_frozen(value) for value in tomllib.loads(f"values = [{text}]")["values"])
    except tomllib.TOMLDecodeError:
        return tuple(word.strip() for word in text.split(",") if word.strip())


def _frozen(value: Any) -> Any:
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def _number(text: str) -> float | int:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _present(base: StrategyConfig, key: str) -> object:
    """Return a setting's present value; None where there is no such setting."""
    value: object = base
    for part in key.split("."):
        value = getattr(value, part, None)
    return value


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
