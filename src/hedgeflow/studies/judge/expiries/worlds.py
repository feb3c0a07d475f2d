"""Markets that dealers pin to strikes, repel from them, both, and neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hedgeflow.simulate import changed, scenario
from hedgeflow.studies.judge.worlds import COIN, NULL, World

if TYPE_CHECKING:
    from hedgeflow.simulate import Scenario

PIN: Final = "pin"
REPEL: Final = "repel"
MIXED: Final = "mixed"
PUBLISHED: Final = "-published"
"""What the name of a world ends with whose effect has a size that has been published."""

_DEALERS: Final = {PIN: "long", REPEL: "short", MIXED: "mixed"}
_OF_PUBLISHED_SIZE: Final = "expiry-published"

WITH_EDGE: Final = (*_DEALERS, *(f"{name}{PUBLISHED}" for name in _DEALERS))
WITHOUT_EDGE: Final = (NULL, COIN)
WORLDS: Final = (*WITHOUT_EDGE, *WITH_EDGE)

MEANING: Final = {
    NULL: "the same strikes, holdings and option prints, and no price responds to what dealers"
    " trade",
    COIN: "dealers' hedges and their impact are real, and a coin decides for each expiry whether"
    " they are traded as they should be or the other way round: strikes matter, and who holds them"
    " tells nothing",
    PIN: "dealers are long every strike, so that their hedges pin the price",
    REPEL: "dealers are short every strike, so that their hedges repel it",
    MIXED: "a coin decides for each strike of each expiry whether dealers are long or short",
}


def expiry_worlds_of(base: Scenario, *, null_seeds: int, effect_seeds: int) -> tuple[World, ...]:
    """Return the worlds in which expiration pressure is tried.

    Parameters
    ----------
    base : Scenario
        The market with the effect, at the size at which it is there to be seen.
    null_seeds : int
        Seeds of the market in which no price responds, and of the coin's.
    effect_seeds : int
        Of each world with the effect: three, at two sizes.
    """
    size = scenario(_OF_PUBLISHED_SIZE).expiry
    published: dict[str, Any] = {
        "expiry.hedging_volatility": size.hedging_volatility,
        "expiry.impact_bps": size.impact_bps,
    }

    def of(name: str, settings: dict[str, Any], seeds: int) -> World:
        made = changed(base, settings)
        peak = 0.0 if name == NULL else made.expiry.impact_bps
        return World(base.preset, name, peak, made, seeds)

    return (
        of(NULL, {"dealers.hedging": "none"}, null_seeds),
        of(COIN, {"dealers.hedging": "coin"}, null_seeds),
        *(of(name, {"expiry.dealers": side}, effect_seeds) for name, side in _DEALERS.items()),
        *(
            of(f"{name}{PUBLISHED}", {"expiry.dealers": side} | published, effect_seeds)
            for name, side in _DEALERS.items()
        ),
    )
