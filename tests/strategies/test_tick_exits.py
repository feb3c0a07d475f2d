"""Many exits on ticks, each compared with the exit of one position alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgeflow.market.errors import DataError
from hedgeflow.strategies.exits import FLAG_END_OF_DATA, Exit
from hedgeflow.strategies.volume_shock.exits import exit_on_ticks
from hedgeflow.strategies.volume_shock.tick_exits import exit_on_ticks_grid, exit_on_ticks_many

DISTANCES = st.integers(-1, 6)
LIMITS = st.integers(0, 40)
VARIANT = st.tuples(DISTANCES, DISTANCES, LIMITS)
ENTRY = st.tuples(st.integers(0, 10_000), st.sampled_from([1, -1]), st.integers(-2, 2))


@st.composite
def quoted_ticks(draw):
    """Return instants, bid and ask, with equal instants and prices, gaps and missing quotes."""
    gap = st.sampled_from([0, 0, 1, 1, 2, 5, 30])
    move = st.integers(-3, 3)
    spread = st.sampled_from([0.0, 1.0, 2.0, np.nan])
    rows = draw(st.lists(st.tuples(gap, move, spread), min_size=1, max_size=60))
    gaps, moves, spreads = (np.array(column) for column in zip(*rows, strict=True))
    bid = 100.0 + np.cumsum(moves)
    return np.cumsum(gaps).astype(np.int64), bid, bid + spreads


def columns(rows, *dtypes):
    return [
        np.array(column, dtype)
        for column, dtype in zip(zip(*rows, strict=True), dtypes, strict=True)
    ]


def placed(entries, ticks):
    """Return indices, entry prices and directions."""
    place, direction, slip = columns(entries, np.int64, np.int64, float)
    place %= len(ticks)
    return place, 100.0 + slip, direction


def alone(ticks, place, entered, direction, target, stop, limit, latency):
    at_ns, bid, ask = ticks
    price = bid if direction > 0 else ask
    levels = (float(target), float(stop), int(limit))
    return exit_on_ticks(at_ns, price, place, entered, direction, *levels, latency)


def same(got, expected):
    np.testing.assert_array_equal(np.array(got, float), np.array(expected, float))


@settings(max_examples=400, deadline=None)
@given(
    ticks=quoted_ticks(),
    entries=st.lists(ENTRY, min_size=1, max_size=4),
    variants=st.lists(VARIANT, min_size=1, max_size=12),
    latency=st.integers(0, 6),
)
def test_every_cell_of_a_grid_is_the_exit_of_that_position_alone(ticks, entries, variants, latency):
    place, entered, direction = placed(entries, ticks[0])
    target, stop, limit = columns(variants, float, float, np.int64)
    ends = exit_on_ticks_grid(*ticks, place, entered, direction, target, stop, limit, latency)
    assert ends.price.shape == (len(entries), len(variants))
    for e in range(len(entries)):
        for v, variant in enumerate(variants):
            one = (place[e], entered[e], direction[e])
            same([column[e, v] for column in ends], alone(ticks, *one, *variant, latency))


@settings(max_examples=100, deadline=None)
@given(
    ticks=quoted_ticks(),
    positions=st.lists(st.tuples(ENTRY, VARIANT), min_size=1, max_size=6),
    latency=st.integers(0, 6),
)
def test_positions_with_variants_of_their_own_are_the_exits_alone(ticks, positions, latency):
    entries, variants = zip(*positions, strict=True)
    place, entered, direction = placed(entries, ticks[0])
    levels = columns(variants, float, float, np.int64)
    ends = exit_on_ticks_many(*ticks, place, entered, direction, *levels, latency)
    for k, variant in enumerate(variants):
        one = (place[k], entered[k], direction[k])
        same([column[k] for column in ends], alone(ticks, *one, *variant, latency))


def test_a_grid_on_a_long_walk_of_fractions_agrees_with_positions_alone():
    rng = np.random.default_rng(11)
    at_ns = np.cumsum(rng.integers(0, 200, 20_000))
    price = 5_600.0 + np.cumsum(rng.choice([-0.02, 0.0, 0.02], 20_000))
    place, direction = rng.integers(0, 20_000, 12), rng.choice([-1, 1], 12)
    target, stop = rng.uniform(0.1, 2.0, (2, 40)).round(2)
    limit = rng.integers(0, 10**6, 40)
    ends = exit_on_ticks_grid(
        at_ns, price, price, place, price[place], direction, target, stop, limit, 700
    )
    assert set(np.unique(ends.reason)) == {1, 2, 3, 5}
    for e in range(12):
        for v in range(40):
            one = (place[e], price[place[e]], direction[e], target[v], stop[v], limit[v])
            expected = alone((at_ns, price, price), *one, 700)
            assert tuple(column[e, v] for column in ends) == expected


TICKS = (np.arange(4, dtype=np.int64), *[np.array([100.0, 101.0, 99.0, 103.0])] * 2)


def one_exit(target, stop, limit, latency=0):
    ends = exit_on_ticks_grid(*TICKS, [0], 100.0, 1, target, stop, limit, latency)
    assert ends.price.shape == (1, 1)
    return tuple(column[0, 0] for column in ends)


def test_the_time_limit_comes_before_target_and_stop_at_one_tick():
    assert one_exit(3.0, 5.0, 3) == (103.0, 3, Exit.EXIT_TIME_LIMIT, 0)
    assert one_exit(5.0, 1.0, 2) == (99.0, 2, Exit.EXIT_TIME_LIMIT, 0)


def test_the_target_comes_before_the_stop_at_one_tick():
    assert one_exit(0.0, 0.0, 9) == (100.0, 0, Exit.EXIT_TARGET_HIT, 0)


def test_an_exit_fills_at_the_first_tick_after_its_latency():
    assert one_exit(1.0, 5.0, 9, latency=1) == (99.0, 2, Exit.EXIT_TARGET_HIT, 0)


def test_an_order_after_the_last_tick_takes_it_and_says_so():
    assert one_exit(3.0, 5.0, 9, latency=1) == (103.0, 3, Exit.EXIT_TARGET_HIT, FLAG_END_OF_DATA)
    assert one_exit(5.0, 5.0, 9) == (103.0, 3, Exit.EXIT_END_OF_DATA, FLAG_END_OF_DATA)


def test_a_grid_without_variants_or_entries_is_empty():
    assert exit_on_ticks_grid(*TICKS, [0, 1], 100.0, 1, [], [], [], 0).price.shape == (2, 0)
    assert exit_on_ticks_grid(*TICKS, [], 100.0, 1, [1.0], 1.0, 9, 0).price.shape == (0, 1)


@pytest.mark.parametrize("leave", [exit_on_ticks_grid, exit_on_ticks_many])
def test_an_entry_outside_the_tape_or_a_distance_that_is_no_number_is_refused(leave):
    with pytest.raises(DataError, match="outside the 4 ticks"):
        leave(*TICKS, [4], 100.0, 1, 1.0, 1.0, 9, 0)
    with pytest.raises(DataError, match="finite"):
        leave(*TICKS, [0], 100.0, 1, np.nan, 1.0, 9, 0)


def test_a_limit_beyond_all_nanoseconds_is_refused():
    with pytest.raises(DataError, match="last instant"):
        exit_on_ticks_grid(*TICKS, [1], 100.0, 1, 1.0, 1.0, np.iinfo(np.int64).max, 0)
