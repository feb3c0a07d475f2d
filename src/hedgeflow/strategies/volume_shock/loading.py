"""The volume shock's configuration from a preset, a TOML file and single settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hedgeflow.strategies.loading import PRESETS, load_settings
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["PRESETS", "load_config"]


def load_config(
    preset: str | None = None,
    path: Path | None = None,
    settings: Sequence[str] = (),
    *,
    market_settings: Mapping[str, Any] | None = None,
) -> VolumeShockConfig:
    """Return the configuration as `load_settings` puts it together."""
    presets = {"normalized": VolumeShockConfig.normalized(), "source": VolumeShockConfig.source()}
    return load_settings(presets, preset, path, settings, market_settings=market_settings)
