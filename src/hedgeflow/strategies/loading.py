"""A configuration from a preset, a TOML file and single settings, with errors that name the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.settings import merged, read_toml, validated, with_settings
from hedgeflow.strategies.settings import StrategyConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Config = TypeVar("Config", bound=StrategyConfig)

PRESETS: Final = ("normalized", "source")
"""Of every strategy; ``normalized`` comes first and is the default."""


def load_settings(
    config_type: type[Config],
    preset: str | None = None,
    path: Path | None = None,
    settings: Sequence[str] = (),
    *,
    market_settings: Mapping[str, Any] | None = None,
) -> Config:
    """Return the configuration: preset first, then the file over it, then single settings.

    Parameters
    ----------
    config_type : type
        A strategy's own configuration.
    preset : str, optional
        ``normalized`` or ``source``; without one, the file's own, else ``normalized``.
    path : Path, optional
        TOML with the sections and keys of the configuration.
    settings : sequence of str
        ``section.key=value``, the value in TOML's notation or a bare word.
    market_settings : mapping, optional
        What a simulated market asks to be judged with (`Scenario.settings`): over the preset, under
        file and single settings.

    Raises
    ------
    ConfigError
        The file is missing or no TOML, a key is unknown, or a value out of range.
    """
    ground = dict(market_settings or {})
    if ground:
        _over_preset(config_type, ground, preset, "the scenario's settings")
    document = with_settings({} if path is None else read_toml(path), settings)
    where = path.name if path is not None else ""
    return _over_preset(config_type, merged(ground, document), preset, where)


def _over_preset(
    config_type: type[Config], document: Mapping[str, Any], preset: str | None, where: str
) -> Config:
    name = preset or document.get("preset", PRESETS[0])
    if name not in PRESETS:
        raise ConfigError(
            f"there is no preset '{name}'", where=where, hint=f"Use one of {', '.join(PRESETS)}"
        )
    base = config_type.source() if name == "source" else config_type.normalized()
    return validated(config_type, merged(base.model_dump(), {**document, "preset": name}), where)
