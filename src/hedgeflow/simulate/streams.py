"""Random streams: one per component and day, so that no component's draws depend on another's."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Component(IntEnum):
    """What draws random numbers; the number is part of the stream's key and never changes."""

    INDEX = 0
    VOLATILITY = 1
    OPTION_FLOW = 2
    OPTION_PRINTS = 3
    SHOCKS = 4
    SHOCK_PRINTS = 5
    HEDGES = 6
    UNHEDGED_SIGNS = 7
    HEDGE_FLOW = 8
    HEDGE_QUOTES = 9


def stream(seed: int, component: Component, day: int) -> np.random.Generator:
    """Return the generator of one component on one day (numpy's SeedSequence and PCG64)."""
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(int(component), day))
    return np.random.Generator(np.random.PCG64(sequence))
