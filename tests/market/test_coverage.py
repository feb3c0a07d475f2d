"""Coverage: what was recorded, and which slots it holds whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.market_files import at_ns
from hedgeflow.market import ALWAYS_OPEN, Coverage, sessions_between
from hedgeflow.market.time import MINUTE_NS

INTERVALS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda pair: (pair[0], sum(pair))),
    max_size=12,
)


def minutes(coverage):
    """Return the covered minutes of a small coverage, one by one."""
    return {minute for start, end in coverage.intervals for minute in range(int(start), int(end))}


@given(INTERVALS)
def test_a_union_covers_what_its_intervals_cover_and_no_more(intervals):
    coverage = Coverage.of(intervals)
    assert minutes(coverage) == {minute for start, end in intervals for minute in range(start, end)}
    starts, ends = coverage.start_ns, coverage.end_ns
    assert (starts < ends).all()
    assert (starts[1:] > ends[:-1]).all()


@given(INTERVALS, INTERVALS)
def test_a_union_does_not_depend_on_order(first, second):
    one, other = Coverage.of(first), Coverage.of(second)
    assert one.union(other).intervals == other.union(one).intervals
    assert one.union(other).intervals == Coverage.of(first + second).intervals


@given(INTERVALS, st.integers(-2, 75), st.integers(1, 10))
def test_containing_is_covering_every_minute(intervals, start, length):
    coverage = Coverage.of(intervals)
    wanted = set(range(start, start + length))
    assert coverage.contains(start, start + length) == (wanted <= minutes(coverage))
    inside = coverage.includes(np.arange(start, start + length, dtype=np.int64))
    assert set((np.flatnonzero(inside) + start).tolist()) == wanted & minutes(coverage)


@pytest.mark.parametrize(("gap", "intervals"), [(20, 1), (21, 2)])
def test_a_file_splits_at_gaps_over_20_minutes(gap, intervals):
    stamps = np.array([at_ns(minutes=0), at_ns(minutes=gap)], dtype=np.int64)
    coverage = Coverage.from_stamps(stamps, MINUTE_NS)
    assert len(coverage.intervals) == intervals
    assert coverage.intervals[0][0] == at_ns()
    assert coverage.intervals[-1][1] == at_ns(minutes=gap + 1)


def test_bars_split_at_gaps_over_one_bar():
    stamps = np.array([at_ns(minutes=minute) for minute in (0, 1, 3)], dtype=np.int64)
    coverage = Coverage.from_stamps(stamps, MINUTE_NS, split_ns=MINUTE_NS)
    assert coverage.intervals == [
        (at_ns(minutes=0), at_ns(minutes=2)),
        (at_ns(minutes=3), at_ns(minutes=4)),
    ]


def test_no_stamps_cover_nothing():
    coverage = Coverage.from_stamps(np.array([], dtype=np.int64), MINUTE_NS)
    assert coverage.intervals == []
    assert not coverage.includes(np.array([0], dtype=np.int64)).any()


def test_a_slot_is_covered_only_whole():
    day = sessions_between(ALWAYS_OPEN, at_ns(), at_ns(minutes=1))
    coverage = Coverage.of(
        [(at_ns(minutes=5), at_ns(minutes=14.99)), (at_ns(minutes=20), at_ns(minutes=25))]
    )
    covered = np.flatnonzero(coverage.slots(day)[0])
    assert covered.tolist() == [1, 4]


def test_two_intervals_that_touch_cover_the_slot_between():
    day = sessions_between(ALWAYS_OPEN, at_ns(), at_ns(minutes=1))
    coverage = Coverage.of([(at_ns(), at_ns(minutes=2)), (at_ns(minutes=2), at_ns(minutes=5))])
    assert np.flatnonzero(coverage.slots(day)[0]).tolist() == [0]
