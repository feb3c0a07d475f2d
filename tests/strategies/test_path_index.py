"""Exits by descent through extremes, each compared with the walk over every tick."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgeflow.market.errors import DataError
from hedgeflow.strategies.path_index import PathIndex
from hedgeflow.strategies.volume_shock.path_index import exit_on_path_many
from hedgeflow.strategies.volume_shock.tick_exits import exit_on_ticks_many

SECOND_NS = 1_000_000_000


@st.composite
def tapes(draw):
    """Return instants, bid and ask: equal instants, gaps, jumps and missing quotes."""
    size = draw(st.integers(1, 700))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gaps = rng.choice([0, 0, 1, 2, 5, 400], size, p=[0.2, 0.2, 0.3, 0.2, 0.09, 0.01])
    moves = rng.choice([-1, 0, 1, 9, -9], size, p=[0.2, 0.58, 0.2, 0.01, 0.01])
    spread = rng.choice([0.0, 1.0, np.nan], size, p=[0.6, 0.38, 0.02])
    bid = 100.0 + np.cumsum(moves)
    return np.cumsum(gaps).astype(np.int64), bid, bid + spread


@settings(max_examples=300, deadline=None)
@given(tape=tapes(), seed=st.integers(0, 2**32 - 1), latency=st.integers(0, 8))
def test_every_exit_is_that_of_the_walk_over_all_ticks(tape, seed, latency):
    rng = np.random.default_rng(seed)
    count, size = 40, tape[0].size
    levels = (
        rng.integers(0, size, count),
        100.0 + rng.integers(-3, 4, count),
        rng.choice([-1, 1], count),
        rng.integers(-1, 25, count).astype(float),
        rng.integers(-1, 25, count).astype(float),
        rng.choice([0, 3, 40, 100_000], count),
    )
    walked = exit_on_ticks_many(*tape, *levels, latency)
    found = exit_on_path_many(PathIndex.of(*tape), *levels, latency)
    for one, other in zip(found, walked, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_long_walk_of_fractions_ends_everywhere_as_the_walk_says():
    """Every reason occurs; the tape is long enough for six levels of extremes."""
    rng = np.random.default_rng(11)
    at_ns = np.cumsum(rng.integers(0, 2 * SECOND_NS // 10, 300_000))
    price = 5_600.0 + np.cumsum(rng.choice([-0.02, 0.0, 0.02], at_ns.size))
    entry = np.append(rng.integers(0, at_ns.size, 3_000), at_ns.size - 1)
    levels = (
        price[entry],
        rng.choice([-1, 1], entry.size),
        rng.uniform(0.1, 4.0, entry.size),
        rng.uniform(0.1, 4.0, entry.size),
        rng.integers(1, 1_200, entry.size) * SECOND_NS,
    )
    path = PathIndex.of(at_ns, price, price)
    assert path.level_at.size == 8  # levels of 8, 64, ... 2,097,152 ticks, and their end
    assert path.bid is path.ask
    walked = exit_on_ticks_many(at_ns, price, price, entry, *levels, SECOND_NS)
    found = exit_on_path_many(path, entry, *levels, SECOND_NS)
    assert set(np.unique(walked.reason)) == {1, 2, 3, 5}
    for one, other in zip(found, walked, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_entry_outside_the_tape_or_a_distance_that_is_no_number_is_refused():
    path = PathIndex.of(np.arange(4), np.full(4, 100.0), np.full(4, 100.0))
    with pytest.raises(DataError, match="outside the 4 ticks"):
        exit_on_path_many(path, [4], 100.0, 1, 1.0, 1.0, 9, 0)
    with pytest.raises(DataError, match="finite"):
        exit_on_path_many(path, [0], 100.0, 1, np.inf, 1.0, 9, 0)
