"""Random streams: one per component and day, so that no component's draws depend on another's."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MULTIPLIERS: Final = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_SHIFTS: Final = (30, 27, 31)


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
    JUMPS = 10
    NIGHTS = 11
    OPEN_INTEREST = 12
    OPTION_QUOTES = 13
    QUOTE_SIZES = 14
    BOOK = 15
    BOOK_SIDES = 16
    EXPIRY_FLOW = 17
    EXPIRY_PRINTS = 18
    EXPIRY_HEDGES = 19
    EXPIRY_HEDGE_SIDES = 20
    EXPIRY_SIDES = 21
    EXPIRY_RIGHTS = 22
    EXPIRY_SIZES = 23


def stream(seed: int, component: Component, day: int) -> np.random.Generator:
    """Return the generator of one component on one day (numpy's SeedSequence and PCG64)."""
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(int(component), day))
    return np.random.Generator(np.random.PCG64(sequence))


def fixed_draws(
    seed: int, component: Component, number: NDArray[np.int64], stamps: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return one uniform draw in [0, 1) for each pair of a number and an instant, always the same.

    Whoever asks about a pair gets its draw, whatever else was asked: where many see one thing, as
    a quote. A hash takes the place of a generator: the finaliser of SplitMix64 (Steele, Lea and
    Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), once for each part.
    """
    key = np.random.SeedSequence(entropy=seed, spawn_key=(int(component),))
    state = np.full(number.size, key.generate_state(1, np.uint64)[0])
    for part in (number, stamps):
        state += part.astype(np.uint64) * np.uint64(_MULTIPLIERS[0])
        for shift, multiplier in zip(_SHIFTS, (*_MULTIPLIERS[1:], 1), strict=True):
            state ^= state >> np.uint64(shift)
            state *= np.uint64(multiplier)
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
