"""Worlds whose right verdict is known: markets without an edge, and with edges of known size."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hedgeflow.simulate import changed, scenario
from hedgeflow.studies.backtesting import code_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgeflow.simulate import Scenario

NULL: Final = "null"
COIN: Final = "coin"
TRAP: Final = "null-trap"
FAIR: Final = "fair"
EFFECT: Final = "effect"

WITHOUT_EDGE: Final = (NULL, COIN, TRAP, FAIR)
"""Worlds in which alerts do not say where prices go, so that VALIDATED is false. In `COIN` they say
when: from the moves after them a stop nearer than the target may earn on either side."""

MEANING: Final = {
    NULL: "shocks that nobody hedges: the same tapes, no price responds",
    COIN: "every hedge and its impact are real, on a side that a coin decides: alerts find moving"
    " prices, and do not know which way",
    TRAP: "the null market, traded with a tiny target against a wide stop",
    FAIR: "the null market, traded without costs and almost without a time limit at a target as"
    " far as the stop, so that the barriers alone imply 50 % wins",
    EFFECT: "hedged shocks whose impact has this peak at the typical hedge",
}

FAIR_SETTINGS: Final[dict[str, Any]] = {
    "plan": {
        "target_cap_points": 8.0,
        "demand_per_point": 1e-6,
        "stop_high_points": 8.0,
        "stop_low_points": 8.0,
        "limit_high_minutes": 240.0,
        "limit_low_minutes": 240.0,
        "sweep_longest_response_minutes": 240.0,
        "emergency_longest_response_minutes": 240.0,
    },
    "costs": {"cost_multiple": 0.0},
}
"""Target and stop one expected move of 8 minutes away: 99.9 % of trades end at one of them."""


@dataclass(frozen=True, slots=True)
class World:
    """One market with a known right verdict.

    Attributes
    ----------
    base : str
        Name of the scenario from which the worlds were made.
    name : str
        One of `MEANING`.
    peak_bps : float
        Peak impact of a typical hedge, basis points; 0 where none moves a price.
    scenario : Scenario
        Its seed is replaced by each trial's own.
    seeds : int
        How many trials.
    """

    base: str
    name: str
    peak_bps: float
    scenario: Scenario
    seeds: int


@dataclass(frozen=True, slots=True)
class Trial:
    """One seed of one world.

    Attributes
    ----------
    base : str
        Name of the scenario from which the worlds were made.
    world : str
    peak_bps : float
    scenario : Scenario
        With the seed.
    """

    base: str
    world: str
    peak_bps: float
    scenario: Scenario

    @property
    def key(self) -> str:
        """Hash of code, scenario and settings: what is the same need not be run again."""
        document = [code_version(), self.world, self.scenario.model_dump(mode="json")]
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def worlds_of(
    base: Scenario,
    *,
    null_seeds: int,
    side_seeds: int,
    effect_seeds: int,
    effects: Sequence[float],
) -> tuple[World, ...]:
    """Return the worlds in which the judge is tried.

    Parameters
    ----------
    base : Scenario
        The market with the effect.
    null_seeds : int
        Seeds of the null market and of the coin's.
    side_seeds : int
        Of the trap and of the fair barriers.
    effect_seeds : int
        Seeds of each size of the effect.
    effects : sequence of float
        Peak impacts of a typical hedge, basis points.
    """
    null = changed(base, {"dealers.hedging": "none"})
    fair = changed(null, {"settings": FAIR_SETTINGS, "future.half_spread_bps": 0.0})
    peak = base.impact.peak_bps
    chosen = (
        (NULL, 0.0, null, null_seeds),
        (COIN, peak, changed(base, {"dealers.hedging": "coin"}), null_seeds),
        (TRAP, 0.0, changed(scenario(TRAP), days=base.days), side_seeds),
        (FAIR, 0.0, fair, side_seeds),
        *(
            (EFFECT, size, changed(base, {"impact.peak_bps": size}), effect_seeds)
            for size in sorted(set(effects))
        ),
    )
    return tuple(World(base.preset, *each) for each in chosen)


def trials_of(chosen: Sequence[World], first_seed: int) -> tuple[Trial, ...]:
    """Return every trial of some worlds, each world from the same first seed on."""
    return tuple(
        Trial(world.base, world.name, world.peak_bps, changed(world.scenario, seed=seed))
        for world in chosen
        for seed in range(first_seed, first_seed + world.seeds)
    )
