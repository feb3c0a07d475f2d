"""A configuration from a preset, a TOML file and single settings, with errors that name the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.settings import merged, read_toml, validated, with_settings
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PRESETS = ("normalized", "source")


def load_config(
    preset: str | None = None, path: Path | None = None, settings: Sequence[str] = ()
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

    Raises
    ------
    ConfigError
        The file is missing or no TOML, a key is unknown, or a value out of range.
    """
    document = with_settings({} if path is None else read_toml(path), settings)
    where = path.name if path is not None else ""
    name = preset or document.get("preset", "normalized")
    if name not in PRESETS:
        raise ConfigError(
            f"there is no preset '{name}'", where=where, hint=f"Use one of {', '.join(PRESETS)}"
        )
    base = VolumeShockConfig.source() if name == "source" else VolumeShockConfig.normalized()
    return validated(
        VolumeShockConfig, merged(base.model_dump(), {**document, "preset": name}), where
    )
