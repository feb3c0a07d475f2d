"""Expiration pressure: large open interest at a strike must be certain by the close."""

from functools import partial

from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.loading import load_settings

__all__ = ["ExpirationPressureConfig", "load_config"]

load_config = partial(load_settings, ExpirationPressureConfig)
"""Return the configuration that `load_settings` makes of a preset, a file and single settings."""
