"""Bars from levels that are known at instants."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.sources.chains.levels import level_bars

MINUTE = 60_000_000_000
BAR = 5 * MINUTE


def bars_of(*levels, length=BAR):
    instants = np.array([round(minute * MINUTE) for minute, _ in levels], dtype=np.int64)
    return level_bars(instants, np.array([level for _, level in levels]), length)


def prices(bars):
    return bars.select("open", "high", "low", "close").rows()


def test_a_level_at_a_bars_end_is_its_close_and_the_next_ones_open():
    bars = bars_of((5, 10.0), (10, 12.0), (15, 9.0))
    assert prices(bars) == [
        (10.0, 10.0, 10.0, 10.0),
        (10.0, 12.0, 10.0, 12.0),
        (12.0, 12.0, 9.0, 9.0),
    ]
    starts = bars["ts"].to_physical().to_list()
    assert starts == [0, BAR, 2 * BAR]
    assert bars["known_at"].to_physical().to_list() == [start + BAR for start in starts]
    assert bars["volume"].to_list() == [0.0, 0.0, 0.0]


def test_levels_within_a_bar_make_its_extremes():
    assert prices(bars_of((4, 10.0), (6, 14.0), (7, 8.0), (9, 11.0)))[1] == (10.0, 14.0, 8.0, 11.0)


def test_after_a_gap_a_bar_opens_at_its_own_first_level():
    bars = bars_of((5, 10.0), (16, 20.0), (17, 21.0))
    assert prices(bars) == [(10.0, 10.0, 10.0, 10.0), (20.0, 21.0, 20.0, 21.0)]


@given(
    st.lists(
        st.tuples(st.integers(1, 600), st.floats(1.0, 1e5)),
        min_size=1,
        max_size=60,
        unique_by=lambda row: row[0],
    )
)
def test_no_bar_knows_a_level_from_after_its_end(levels):
    """Against the plain reading: every level goes into the bar that ends at or after it."""
    levels.sort()
    bars = bars_of(*levels)
    expected = []
    for start in range(0, 600, 5):
        inside = [level for minute, level in levels if start < minute <= start + 5]
        before = [level for minute, level in levels if start - 5 < minute <= start]
        if inside:
            first = before[-1] if before else inside[0]
            seen = [first, *inside]
            expected.append((start * MINUTE, first, max(seen), min(seen), inside[-1]))
    found = bars.select("ts", "open", "high", "low", "close").with_columns(
        bars["ts"].to_physical().alias("ts")
    )
    assert found.rows() == expected
