"""Volume shock: an unexpected option order leaves dealers off delta; they must trade it back."""

from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.loading import PRESETS, load_config

__all__ = ["PRESETS", "VolumeShockConfig", "load_config"]
