"""A day of rows as a tape: what a rate is for, what a day covers, bars without a trade."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from builders.market_files import at_ns
from hedgeflow.market import DataError, TapeKey, TapeKind, validate
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS
from hedgeflow.sources.ccxt_history.pages import MILLISECOND_NS, Row
from hedgeflow.sources.ccxt_history.tapes import (
    day_tape,
    settlement_coverage,
    settlement_hours,
)

DAY = at_ns()


def stamps_of(*hours):
    """Return instants by hours after midnight, a few milliseconds late in turn."""
    late = [number % 5 * MILLISECOND_NS for number in range(len(hours))]
    return np.array([DAY + int(h * HOUR_NS) for h in hours], dtype=np.int64) + late


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ((-16, -8, 0, 8, 16), (None, None, 8, 8, 8)),
        ((-2, -1, 0, 1, 2), (None, None, 1, 1, 1)),
        ((-16, -8, 0, 4, 8, 12), (None, None, 8, None, 4, 4)),  # the interval changes
        ((-8, -4, 0, 8, 12, 16), (None, None, 4, None, None, 4)),  # one is missing
        ((-1.5, -1, 0, 1), (None, None, None, 1)),
        ((0,), (None,)),
        ((), ()),
    ],
)
def test_the_hours_of_a_rate_are_told_from_the_settlements_before_it(hours, expected):
    found = [None if np.isnan(each) else each for each in settlement_hours(stamps_of(*hours))]
    assert found == list(expected)


def test_hours_do_not_depend_on_later_settlements():
    stamps = stamps_of(-16, -8, 0, 4, 8, 16, 17, 18)
    whole = settlement_hours(stamps)
    for count in range(stamps.size):
        np.testing.assert_array_equal(settlement_hours(stamps[:count]), whole[:count])


@pytest.mark.parametrize(
    ("hours", "covered"),
    [
        ((-16, -8, 0, 8, 16), [(0, 24)]),
        ((-2, -1, *range(24)), [(0, 24)]),
        ((-16, -8, 0, 4, 8, 12, 16, 20), [(0, 24)]),  # from eight hours to four
        ((-8, -4, 0, 8, 16), [(0, 24)]),  # and back
        ((-16, -8, 0, 16), [(0, 0), (16, 24)]),
        ((-8, 8, 16), [(8, 24)]),
        ((-16, -8, 0, 8), [(0, 8)]),
        ((8, 16), [(8, 24)]),  # the first day of a market
        ((16,), [(16, 16)]),
        ((-16, -8), []),
        ((), []),
    ],
)
def test_funding_covers_a_day_where_no_settlement_is_missing(hours, covered):
    found = settlement_coverage(stamps_of(*hours), DAY)
    rounded = [
        (round((start - DAY) / HOUR_NS), round((end - DAY) / HOUR_NS))
        for start, end in found.intervals
    ]
    assert rounded == covered


def bars(*rows):
    key = TapeKey(TapeKind.BARS, "backpack", "BTC", "BTC-PERP", MINUTE_NS)
    return day_tape(key, [Row(stamp // MILLISECOND_NS, values) for stamp, values in rows], DAY)


QUIET = (None, None, None, None, 0.0)


def test_a_bar_without_a_trade_repeats_the_close_before_it():
    frame, covered = bars(
        (DAY, QUIET),
        (DAY + MINUTE_NS, (10.0, 12.0, 9.0, 11.0, 3.0)),
        (DAY + 2 * MINUTE_NS, QUIET),
        (DAY + 3 * MINUTE_NS, (None, None, None, None, None)),
    )
    assert frame.select("open", "high", "low", "close", "volume").rows() == [
        (10.0, 12.0, 9.0, 11.0, 3.0),
        (11.0, 11.0, 11.0, 11.0, 0.0),
        (11.0, 11.0, 11.0, 11.0, 0.0),
    ]
    assert covered.intervals == [(DAY, DAY + 4 * MINUTE_NS)]
    assert validate(frame, TapeKind.BARS, where="").rejects.is_empty()


def test_a_bar_with_volume_but_without_prices_is_rejected():
    frame, _ = bars((DAY, (10.0, 12.0, 9.0, 11.0, 3.0)), (DAY + MINUTE_NS, (None,) * 4 + (2.0,)))
    assert validate(frame, TapeKind.BARS, where="").rejects["reason"].to_list() == ["MISSING_VALUE"]


def test_a_bar_off_the_grid_is_refused():
    with pytest.raises(DataError, match=r"begins at 2025-01-06T00:00:30Z.*60 s"):
        bars((DAY + MINUTE_NS // 2, QUIET))


def test_figures_are_known_one_period_after_their_stamp():
    key = TapeKey(TapeKind.OPEN_INTEREST, "okx", "BTC", "BTC-PERP", 5 * MINUTE_NS)
    stamps = [DAY, DAY + 5 * MINUTE_NS, DAY + 15 * MINUTE_NS]
    frame, covered = day_tape(key, [Row(each // MILLISECOND_NS, (7.0,)) for each in stamps], DAY)
    assert (frame["known_at"] - frame["ts"]).unique().to_list() == [timedelta(minutes=5)]
    assert frame["contract"].unique().to_list() == ["BTC-PERP"]
    assert covered.intervals == [
        (DAY, DAY + 10 * MINUTE_NS),
        (DAY + 15 * MINUTE_NS, DAY + 20 * MINUTE_NS),
    ]


def test_rows_before_the_day_are_context_and_no_rows():
    key = TapeKey(TapeKind.FUNDING, "binance", "BTC", "BTC-PERP", MILLISECOND_NS)
    rows = [Row(int(each) // MILLISECOND_NS, (0.01,)) for each in stamps_of(-16, -8, 0, 8, 16)]
    frame, covered = day_tape(key, rows, DAY)
    assert frame["hours"].to_list() == [8.0, 8.0, 8.0]
    assert [int(each) - DAY for each in frame["ts"].to_physical()] == [
        2_000_000,
        8 * HOUR_NS + 3_000_000,
        16 * HOUR_NS + 4_000_000,
    ]
    assert covered.intervals == [(DAY, DAY + DAY_NS)]


@pytest.mark.parametrize(
    ("venue", "coin", "a_day"),
    [
        ("binance", "BTC", 3),
        ("binance", "HYPE", 6),
        ("bybit", "BTC", 3),
        ("hyperliquid", "BTC", 24),
        ("kraken", "BTC", 24),
        ("lighter", "BTC", 24),
    ],
)
def test_recorded_settlements_cover_the_days_that_have_all_of_them(market_data, venue, coin, a_day):
    rates = pl.read_parquet(market_data / "perp-multi-venue" / "funding_rates.parquet")
    of_market = rates.filter((pl.col("venue") == venue) & (pl.col("coin") == coin))
    stamps = of_market["timestamp"].dt.cast_time_unit("ns").to_physical().sort().to_numpy()
    found = settlement_hours(stamps)
    assert set(found[~np.isnan(found)]) == {24.0 / a_day}
    first, last = int(stamps[0] // DAY_NS) + 1, int(stamps[-1] // DAY_NS)
    assert last - first > 100
    for day in (number * DAY_NS for number in range(first, last)):
        seen = stamps[(stamps >= day - 2 * DAY_NS) & (stamps < day + DAY_NS)]
        is_whole = settlement_coverage(seen, day).intervals == [(day, day + DAY_NS)]
        assert is_whole == (int((seen >= day).sum()) == a_day)
