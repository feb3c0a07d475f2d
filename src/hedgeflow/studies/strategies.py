"""Every strategy's study by its name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from hedgeflow.market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.study import Study

STRATEGIES: Final = ("volume-shock", "expiration-pressure")
"""Names, as on the command line."""


@cache
def study_named(strategy: str) -> Study[Any]:
    """Return a strategy's study.

    Raises
    ------
    ConfigError
        There is no such strategy.
    """
    match strategy:
        case "volume-shock":
            from hedgeflow.studies.shock_study import ShockStudy

            return ShockStudy()
        case "expiration-pressure":
            from hedgeflow.studies.expiration.study import ExpirationStudy

            return ExpirationStudy()
        case _:
            raise ConfigError(
                f"there is no strategy '{strategy}'", hint=f"There is {' and '.join(STRATEGIES)}"
            )


def study_of(config: StrategyConfig) -> Study[Any]:
    """Return the study of the strategy that a configuration is of."""
    return study_named(config.STRATEGY)


def strategy_of(settings: Mapping[str, Any]) -> str:
    """Return the strategy that a whole document of settings is of: no two have the same sections.

    Raises
    ------
    ConfigError
        It is of none.
    """
    for strategy in STRATEGIES:
        if set(study_named(strategy).of_preset("normalized").model_dump()) == set(settings):
            return strategy
    raise ConfigError("these settings are of no strategy", hint="They were changed since")
