"""Volume shock: an unexpected option order leaves dealers off delta; they must trade it back."""

from functools import partial

from hedgeflow.strategies.loading import load_settings
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

__all__ = ["VolumeShockConfig", "load_config"]

load_config = partial(load_settings, VolumeShockConfig)
"""Return the configuration that `load_settings` makes of a preset, a file and single settings."""
