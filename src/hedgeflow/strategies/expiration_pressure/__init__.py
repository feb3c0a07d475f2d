"""Expiration pressure: large open interest at a strike must be certain by the close."""

from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.loading import PRESETS, load_config

__all__ = ["PRESETS", "ExpirationPressureConfig", "load_config"]
