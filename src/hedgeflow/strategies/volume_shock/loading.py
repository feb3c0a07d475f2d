"""A configuration from a preset, a TOML file and single settings, with errors that name the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.settings import merged, read_toml, validated, with_settings
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PRESETS = ("normalized", "source")


def load_config(
    preset: str | None = None,
    path: Path | None = None,
    settings: Sequence[str] = (),
    *,
    market_settings: Mapping[str, Any] | None = None,
) -> VolumeShockConfig:
    """Return the configuration: preset first, then the file over it, then single settings.

    Parameters
    ----------
    preset : str, optional
        ``normalized`` or ``source``; without one, the file's own, else ``normalized``.
    path : Path, optional
        TOML with the sections and keys of `VolumeShockConfig`.
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
        _over_preset(ground, preset, "the scenario's settings")
    document = with_settings({} if path is None else read_toml(path), settings)
    return _over_preset(merged(ground, document), preset, path.name if path is not None else "")


def _over_preset(document: Mapping[str, Any], preset: str | None, where: str) -> VolumeShockConfig:
    name = preset or document.get("preset", "normalized")
    if name not in PRESETS:
        raise ConfigError(
            f"there is no preset '{name}'", where=where, hint=f"Use one of {', '.join(PRESETS)}"
        )
    base = VolumeShockConfig.source() if name == "source" else VolumeShockConfig.normalized()
    return validated(
        VolumeShockConfig, merged(base.model_dump(), {**document, "preset": name}), where
    )
