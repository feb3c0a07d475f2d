"""How a simulated market asks to be judged: the settings of its scenario as a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.studies.strategies import study_named

if TYPE_CHECKING:
    from hedgeflow.simulate import Scenario
    from hedgeflow.strategies.settings import StrategyConfig


def config_of(scenario: Scenario) -> StrategyConfig:
    """Return the strategy's configuration with what the scenario's `settings` change in it.

    Raises
    ------
    ConfigError
        A key of the settings is unknown or a value cannot be; the message names the first.
    """
    return study_named(scenario.strategy).load_config(market_settings=scenario.settings)
