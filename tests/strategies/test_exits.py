"""The exit rules of precise.md 24, against a slow and obvious reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.strategies.exits import (
    FLAG_END_OF_DATA,
    FLAG_GAP,
    FLAG_STOP_BEFORE_TARGET,
    Bars,
    Exit,
    first_bar,
    flag_names,
)
from hedgeflow.strategies.volume_shock.exits import exit_on_bars_many, exit_on_ticks, step

START = 1_000 * MINUTE_NS


def make_bars(rows, starts=None):
    """Return bars of (open, high, low, close), a minute apart unless starts are given."""
    table = np.array(rows, dtype=np.float64)
    starts = range(len(rows)) if starts is None else starts
    start_ns = START + np.array(list(starts), dtype=np.int64) * MINUTE_NS
    columns = [np.ascontiguousarray(table[:, i]) for i in range(4)]
    return Bars(start_ns, *columns, MINUTE_NS)


def leave(bars, direction=1, target=10.0, stop=8.0, limit_minutes=8.0, entry=0):
    """Return price, minutes after the first bar's start, reason and flags of one position."""
    ends = exit_on_bars_many(
        bars, [entry], direction, target, stop, round(limit_minutes * MINUTE_NS)
    )
    minutes = (int(ends.ns[0]) - START) / MINUTE_NS
    return float(ends.price[0]), minutes, Exit(ends.reason[0]), int(ends.flags[0])


FLAT = (100.0, 101.0, 99.0, 100.0)


def test_a_position_leaves_at_the_open_of_the_first_bar_at_entry_plus_limit():
    bars = make_bars([FLAT] * 8 + [(100.5, 150.0, 50.0, 100.0)] * 2)
    assert leave(bars) == (100.5, 8.0, Exit.EXIT_TIME_LIMIT, 0)


def test_the_time_limit_comes_before_an_open_through_the_target():
    bars = make_bars([FLAT] * 8 + [(120.0, 121.0, 119.0, 120.0)])
    assert leave(bars) == (120.0, 8.0, Exit.EXIT_TIME_LIMIT, 0)


@pytest.mark.parametrize(
    ("direction", "opened", "reason"),
    [
        (1, 111.0, Exit.EXIT_TARGET_HIT),
        (1, 91.0, Exit.EXIT_STOP_HIT),
        (-1, 89.0, Exit.EXIT_TARGET_HIT),
        (-1, 109.0, Exit.EXIT_STOP_HIT),
    ],
)
def test_an_open_through_target_or_stop_exits_at_the_open(direction, opened, reason):
    bars = make_bars([FLAT, (opened, opened + 30, opened - 30, opened)])
    assert leave(bars, direction) == (opened, 1.0, reason, 0)


@pytest.mark.parametrize(("direction", "stop_price"), [(1, 92.0), (-1, 108.0)])
def test_a_bar_that_touches_both_stop_and_target_takes_the_stop(direction, stop_price):
    bars = make_bars([FLAT, (100.0, 111.0, 89.0, 100.0)])
    assert leave(bars, direction) == (stop_price, 2.0, Exit.EXIT_STOP_HIT, FLAG_STOP_BEFORE_TARGET)


def test_the_entry_bar_is_checked_too_and_a_touch_is_timed_at_its_end():
    assert leave(make_bars([(100.0, 110.0, 95.0, 100.0), FLAT])) == (
        110.0,
        1.0,
        Exit.EXIT_TARGET_HIT,
        0,
    )
    assert leave(make_bars([(100.0, 105.0, 92.0, 100.0), FLAT])) == (
        92.0,
        1.0,
        Exit.EXIT_STOP_HIT,
        0,
    )


def test_a_gap_of_more_than_three_bar_lengths_exits_at_the_next_open():
    bars = make_bars([FLAT, FLAT, (97.0, 150.0, 50.0, 100.0)], starts=[0, 1, 5])
    assert leave(bars) == (97.0, 5.0, Exit.EXIT_GAP, FLAG_GAP)


def test_a_gap_of_exactly_three_bar_lengths_is_no_gap():
    bars = make_bars([FLAT, FLAT, FLAT, FLAT], starts=[0, 1, 4, 5])
    assert leave(bars, limit_minutes=5) == (100.0, 5.0, Exit.EXIT_TIME_LIMIT, 0)


def test_the_end_of_data_exits_at_the_last_close():
    bars = make_bars([FLAT, (100.0, 101.0, 99.0, 100.7)])
    assert leave(bars) == (100.7, 2.0, Exit.EXIT_END_OF_DATA, FLAG_END_OF_DATA)


def test_entry_is_the_first_bar_starting_at_or_after_an_instant():
    bars = make_bars([FLAT] * 3)
    assert first_bar(bars, START) == 0
    assert first_bar(bars, START + 1) == 1
    assert first_bar(bars, START + 2 * MINUTE_NS + 1) == 3


def test_an_entry_outside_the_tape_is_refused():
    with pytest.raises(DataError, match="outside the 3 bars"):
        leave(make_bars([FLAT] * 3), entry=3)


def test_a_distance_that_is_no_number_is_refused():
    with pytest.raises(DataError, match="finite"):
        leave(make_bars([FLAT] * 3), target=np.nan)


def test_flags_have_names():
    assert flag_names(FLAG_GAP | FLAG_END_OF_DATA) == "GAP,END_OF_DATA"
    assert flag_names(0) == ""


def slow_bars(bars, entry, direction, target_distance, stop_distance, limit_ns):
    """Return price, instant, reason, flags: precise.md 24, sentence by sentence."""
    entered = bars.open[entry]
    target = entered + direction * target_distance
    stop = entered - direction * stop_distance
    long = direction > 0
    for i in range(entry, len(bars.open)):
        start, opened = bars.start_ns[i], bars.open[i]
        if i > entry and start - bars.start_ns[i - 1] > 3 * bars.interval_ns:
            return opened, start, Exit.EXIT_GAP, FLAG_GAP
        if start >= bars.start_ns[entry] + limit_ns:
            return opened, start, Exit.EXIT_TIME_LIMIT, 0
        if (opened <= stop) if long else (opened >= stop):
            return opened, start, Exit.EXIT_STOP_HIT, 0
        if (opened >= target) if long else (opened <= target):
            return opened, start, Exit.EXIT_TARGET_HIT, 0
        end = start + bars.interval_ns
        stopped = bars.low[i] <= stop if long else bars.high[i] >= stop
        reached = bars.high[i] >= target if long else bars.low[i] <= target
        if stopped:
            both = FLAG_STOP_BEFORE_TARGET if reached else 0
            return stop, end, Exit.EXIT_STOP_HIT, both
        if reached:
            return target, end, Exit.EXIT_TARGET_HIT, 0
    end = bars.start_ns[-1] + bars.interval_ns
    return bars.close[-1], end, Exit.EXIT_END_OF_DATA, FLAG_END_OF_DATA


@st.composite
def random_bars(draw):
    """Return bars on a coarse price grid, so that ties and opens on a level are common."""
    count = draw(st.integers(1, 40))
    steps = draw(
        st.lists(st.sampled_from([1, 1, 1, 1, 2, 3, 4, 9]), min_size=count, max_size=count)
    )
    grid = st.integers(-6, 6)
    rows = []
    for _ in range(count):
        opened, closed = 100 + draw(grid), 100 + draw(grid)
        high = max(opened, closed) + draw(st.integers(0, 4))
        low = min(opened, closed) - draw(st.integers(0, 4))
        rows.append((opened, high, low, closed))
    return make_bars(rows, np.cumsum(steps))


@settings(max_examples=300, deadline=None)
@given(
    bars=random_bars(),
    direction=st.sampled_from([1, -1]),
    target=st.integers(1, 8),
    stop=st.integers(1, 8),
    limit_minutes=st.integers(0, 20),
)
def test_bar_exits_agree_with_the_slow_reference_from_every_entry(
    bars, direction, target, stop, limit_minutes
):
    entries = np.arange(len(bars.open))
    limit_ns = limit_minutes * MINUTE_NS
    count = len(entries)
    ends = exit_on_bars_many(
        bars, entries, np.full(count, direction), np.full(count, target), stop, limit_ns
    )
    for i in entries:
        expected = slow_bars(bars, i, direction, target, stop, limit_ns)
        assert (ends.price[i], ends.ns[i], ends.reason[i], ends.flags[i]) == expected


@settings(max_examples=100, deadline=None)
@given(bars=random_bars(), cut=st.integers(1, 39), limit=st.integers(1, 20))
def test_bars_after_an_exit_never_change_it(bars, cut, limit):
    whole = exit_on_bars_many(bars, [0], 1, 4.0, 4.0, limit * MINUTE_NS)
    known = int(np.searchsorted(bars.start_ns, whole.ns[0], side="right"))
    poisoned = bars._replace(
        open=bars.open.copy(), high=bars.high.copy(), low=bars.low.copy(), close=bars.close.copy()
    )
    for column in (poisoned.open, poisoned.high, poisoned.low, poisoned.close):
        column[known:] = 1e9
    again = exit_on_bars_many(poisoned, [0], 1, 4.0, 4.0, limit * MINUTE_NS)
    assert [a.tolist() for a in again] == [a.tolist() for a in whole]


def test_draws_times_trades_take_each_trades_own_parameters():
    rng = np.random.default_rng(3)
    closes = 100 + rng.normal(0, 1, 500).cumsum()
    opens = np.r_[100.0, closes[:-1]]
    rows = np.c_[opens, np.maximum(opens, closes) + 0.5, np.minimum(opens, closes) - 0.5, closes]
    bars = make_bars(rows)
    entries = rng.integers(0, 480, (20, 3))
    direction, target = np.array([1, -1, 1]), np.array([3.0, 4.0, 5.0])
    stop, limit = np.array([2.0, 3.0, 4.0]), np.array([5, 8, 15]) * MINUTE_NS
    ends = exit_on_bars_many(bars, entries, direction, target, stop, limit)
    assert ends.price.shape == (20, 3)
    for draw in range(20):
        for k in range(3):
            expected = slow_bars(bars, entries[draw, k], direction[k], target[k], stop[k], limit[k])
            got = tuple(column[draw, k] for column in ends)
            assert got == pytest.approx(expected)


@pytest.mark.parametrize(
    ("now", "price", "expected"),
    [
        (10, 120.0, Exit.EXIT_TIME_LIMIT),
        (9, 120.0, Exit.EXIT_TARGET_HIT),
        (9, 110.0, Exit.EXIT_TARGET_HIT),
        (9, 92.0, Exit.EXIT_STOP_HIT),
        (9, 100.0, Exit.CONTINUE_HOLDING),
    ],
)
def test_the_order_on_a_price_is_time_limit_target_stop_hold(now, price, expected):
    assert step(now, price, 1, 110.0, 92.0, 10) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (90.0, Exit.EXIT_TARGET_HIT),
        (108.0, Exit.EXIT_STOP_HIT),
        (100.0, Exit.CONTINUE_HOLDING),
    ],
)
def test_a_sell_has_target_below_and_stop_above(price, expected):
    assert step(0, price, -1, 90.0, 108.0, 10) == expected


def slow_ticks(at_ns, price, entry, entry_price, direction, target, stop, limit_ns, latency_ns):
    """Return the exit on ticks, in the source's order, filled after the latency."""
    deadline = at_ns[entry] + limit_ns
    for i in range(entry, len(price)):
        profit = direction * (price[i] - entry_price)
        if at_ns[i] >= deadline:
            reason, order = Exit.EXIT_TIME_LIMIT, deadline + latency_ns
        elif profit >= target:
            reason, order = Exit.EXIT_TARGET_HIT, at_ns[i] + latency_ns
        elif profit <= -stop:
            reason, order = Exit.EXIT_STOP_HIT, at_ns[i] + latency_ns
        else:
            continue
        fills = [j for j in range(i, len(price)) if at_ns[j] >= order]
        if fills:
            return price[fills[0]], at_ns[fills[0]], reason, 0
        return price[-1], at_ns[-1], reason, FLAG_END_OF_DATA
    return price[-1], at_ns[-1], Exit.EXIT_END_OF_DATA, FLAG_END_OF_DATA


@settings(max_examples=300, deadline=None)
@given(
    moves=st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), min_size=1, max_size=60),
    direction=st.sampled_from([1, -1]),
    target=st.integers(1, 6),
    stop=st.integers(1, 6),
    limit=st.integers(0, 40),
    latency=st.integers(0, 6),
)
def test_tick_exits_agree_with_the_slow_reference(moves, direction, target, stop, limit, latency):
    at_ns = np.cumsum([gap for gap, _ in moves]).astype(np.int64)
    price = 100.0 + np.cumsum([move for _, move in moves]).astype(np.float64)
    entry = len(moves) // 3
    arguments = (at_ns, price, entry, float(price[entry]), direction, target, stop, limit, latency)
    got = exit_on_ticks(*arguments[:5], float(target), float(stop), limit, latency)
    assert got == slow_ticks(*arguments)
