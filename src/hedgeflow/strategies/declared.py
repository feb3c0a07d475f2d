"""Every strategy's declaration by its name, for those who judge whatever a record holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.market.errors import ConfigError
from hedgeflow.strategies.expiration_pressure.claims import DECLARATION as EXPIRATION_PRESSURE
from hedgeflow.strategies.volume_shock.claims import DECLARATION as VOLUME_SHOCK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.strategies.claims import Declaration

DECLARATIONS: Final[Mapping[str, Declaration]] = {
    each.strategy: each for each in (VOLUME_SHOCK, EXPIRATION_PRESSURE)
}


def declaration_of(strategy: str) -> Declaration:
    """Return what a strategy declares.

    Raises
    ------
    ConfigError
        There is no such strategy.
    """
    if strategy not in DECLARATIONS:
        raise ConfigError(
            f"there is no strategy '{strategy}'", hint=f"There is {', '.join(DECLARATIONS)}"
        )
    return DECLARATIONS[strategy]
