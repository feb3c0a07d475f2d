"""Moves and accelerations against the same minutes of earlier sessions, by slow references."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.sessions import sessions_between
from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.signals.hedge_response import observe
from hedgeflow.signals.price_moves import (
    NINE_TENTHS_IN_HALVES,
    accelerations,
    against_placebos,
    completions,
    flow_totals,
    known_closes,
    moves,
    next_closes,
    windows_of,
)
from signals.tapes import at
from signals.test_hedge_response import EVENT, RULES, SignedFlow, hedge, noise, trades_of

HALF_WIDTH = 5 * MINUTE_NS


def bars_of(closes: list[float], start: int = at(0, 12)) -> pl.DataFrame:
    """Return minute bars, each known at its end."""
    ends = [start + (k + 1) * MINUTE_NS for k in range(len(closes))]
    return pl.DataFrame(
        {"known_at": pl.Series(ends).cast(pl.Datetime("ns", "UTC")), "close": closes}
    )


def prices_of(closes: list[float]):
    return known_closes(bars_of(closes), MINUTE_NS)


def test_a_close_is_known_from_its_bars_end_on_and_no_earlier():
    prices = prices_of([100.0, 101.0])
    instants = np.array([at(0, 12), at(0, 12, 1) - 1, at(0, 12, 1), at(0, 12, 2)])
    assert prices(instants).tolist()[2:] == [100.0, 101.0]
    assert np.isnan(prices(instants)[:2]).all()


def test_a_price_older_than_a_bar_is_not_known():
    prices = prices_of([100.0])
    assert prices(np.array([at(0, 12, 2)]))[0] == 100.0
    assert np.isnan(prices(np.array([at(0, 12, 2) + 1]))[0])


def test_what_moved_before_an_instant_within_its_bar_is_no_move_after_it():
    bars = bars_of([100.0, 110.0, 110.0, 110.0])
    after, known = (each(bars, MINUTE_NS) for each in (next_closes, known_closes))
    # the price jumps some time in the second minute; detection comes at its very end
    begin = np.array([at(0, 12, 2) - 1])
    assert moves(known, begin, begin + MINUTE_NS)[0] == pytest.approx(1_000.0)
    assert moves(after, begin, begin + MINUTE_NS)[0] == 0.0


def test_at_the_end_of_a_bar_both_prices_are_its_close():
    bars = bars_of([100.0, 101.0, 99.0])
    ends = at(0, 12) + np.arange(1, 4) * MINUTE_NS
    for prices in (next_closes(bars, MINUTE_NS), known_closes(bars, MINUTE_NS)):
        assert prices(ends).tolist() == [100.0, 101.0, 99.0]


def test_a_price_that_comes_later_than_a_bar_is_none():
    prices = next_closes(bars_of([100.0]), MINUTE_NS)
    instants = np.array([0, at(0, 12) - 1, at(0, 12), at(0, 12, 1), at(0, 12, 1) + 1])
    assert np.isnan(prices(instants)).tolist() == [True, True, False, False, True]


def test_a_move_is_in_basis_points_of_where_it_began():
    prices = prices_of([100.0, 101.0, 99.0])
    begin = np.array([at(0, 12, 1)])
    assert moves(prices, begin, begin + MINUTE_NS)[0] == pytest.approx(100.0)
    assert moves(prices, begin, begin + 2 * MINUTE_NS)[0] == pytest.approx(-100.0)


def test_the_acceleration_is_the_second_difference():
    path = [100.0 + 0.01 * minute**2 for minute in range(12)]
    found = accelerations(prices_of(path), np.array([at(0, 12, 6)]), HALF_WIDTH)
    assert found[0] == pytest.approx((path[10] - 2 * path[5] + path[0]) / path[5] * 1e4)
    assert found[0] == pytest.approx(0.01 * 2 * 25 / path[5] * 1e4)


def test_a_price_on_a_line_does_not_accelerate():
    found = accelerations(
        prices_of([100.0 + k for k in range(12)]), np.array([at(0, 12, 6)]), HALF_WIDTH
    )
    assert found[0] == pytest.approx(0.0, abs=1e-9)


def test_a_push_that_ends_decelerates_by_what_it_moved_in_the_half_width():
    path = [100.0 + min(k, 6) for k in range(12)]
    found = accelerations(prices_of(path), np.array([at(0, 12, 7)]), HALF_WIDTH)
    assert found[0] == pytest.approx(-5.0 / 106.0 * 1e4)


def test_an_exponential_hedge_is_nine_tenths_done_after_log2_of_ten_half_times():
    assert pytest.approx(0.9) == 1.0 - 0.5**NINE_TENTHS_IN_HALVES


def test_placebo_windows_are_the_same_minutes_of_earlier_sessions_that_were_recorded():
    sessions = sessions_between("24/7", at(0), at(6))
    gap = Coverage.of([(at(0), at(2)), (at(3), at(7))])
    (row,) = windows_of(sessions, np.array([at(5, 12)]), 3, gap).tolist()
    assert row == [at(5, 12), at(4, 12), at(3, 12), at(1, 12)]
    (row,) = windows_of(sessions, np.array([at(1, 12)]), 3, gap).tolist()
    assert row == [at(1, 12), at(0, 12), 0, 0]


def test_placebo_windows_follow_an_exchanges_clock_through_a_change_of_time():
    sessions = sessions_between("XNYS", at(0), at(0) + 30 * DAY_NS)
    index = 10
    start = int(sessions.open_ns[index]) + 30 * MINUTE_NS
    (row,) = windows_of(sessions, np.array([start]), 10).tolist()
    assert row[1:] == [int(sessions.open_ns[k]) + 30 * MINUTE_NS for k in range(9, -1, -1)]


def test_against_placebos_is_what_a_loop_finds():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(60, 11)).round(1)
    values[rng.random(values.shape) < 0.35] = np.nan
    found = against_placebos(values, 5)
    for row in range(60):
        own, others = values[row, 0], [x for x in values[row, 1:] if not np.isnan(x)]
        assert found.placebos[row] == len(others)
        if np.isnan(own) or len(others) < 5:
            assert np.isnan(found.own[row])
            assert np.isnan(found.rank[row])
            continue
        assert found.own[row] == own
        assert found.mean[row] == pytest.approx(np.mean(others))
        assert found.deviation[row] == pytest.approx(np.std(others, ddof=1))
        below = sum(x < own for x in others) + 0.5 * sum(x == own for x in others)
        assert found.rank[row] == pytest.approx(below / len(others))


@pytest.mark.parametrize("half", [0.5, 1.5])
def test_an_events_completion_is_the_one_that_is_observed(half):
    flow = SignedFlow.from_trades(trades_of(noise() + hedge(2_000.0, half)))
    (seen,) = observe(flow, np.array([1]), np.array([EVENT]), RULES).to_dicts()
    windows = windows_of(None, np.array([EVENT]), 10)
    found = completions(flow, windows, 15.0, 0.9)
    assert found[0, 0] == pytest.approx(seen["completion_minutes"])
    assert np.isfinite(found[0, 1:]).all()


def test_placebo_windows_complete_by_their_own_flow_in_its_own_direction():
    rows = noise(scale=0.001) + hedge(-2_000.0, 1.0, start=at(8, 12)) + hedge(500.0, 2.0)
    flow = SignedFlow.from_trades(trades_of(rows))
    found = completions(flow, windows_of(None, np.array([EVENT]), 10), 15.0, 0.9)
    assert found[0, 4] == pytest.approx(np.log2(10.0), abs=0.1)


def test_completion_is_unknown_where_flow_was_not_recorded():
    flow = SignedFlow.from_trades(trades_of(noise(days=range(9, 13))))
    found = completions(flow, windows_of(None, np.array([EVENT]), 5), 15.0, 0.9)
    assert np.isfinite(found[0]).tolist() == [True, True, True, True, False, False]


def test_flow_totals_are_the_sums_of_the_windows():
    rows = [
        (at(11, 12, 1), 3.0, 100.0),
        (at(12, 12, 14), -2.0, 100.0),
        (at(12, 12, 16), 9.0, 100.0),
    ]
    ends = [(at(0), 1.0, 100.0), (at(13), 1.0, 100.0)]
    flow = SignedFlow.from_trades(trades_of(rows + ends))
    found = flow_totals(flow, windows_of(None, np.array([EVENT]), 2), 15.0)
    assert found.tolist() == [[-2.0, 3.0, 0.0]]


def test_neither_later_sessions_nor_later_minutes_change_a_figure():
    """The future is poisoned: prices and flow after the last instant that a figure needs."""
    rng = np.random.default_rng(4)
    minutes = 14 * 1440
    path = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, minutes)))
    last = (EVENT + 25 * MINUTE_NS - at(0)) // MINUTE_NS
    poisoned = path.copy()
    poisoned[last:] = 1.0
    figures = []
    for closes in (path, poisoned):
        prices = known_closes(bars_of(closes.tolist(), at(0)), MINUTE_NS)
        windows = windows_of(None, np.array([EVENT]), 10)
        figures.append(
            np.concatenate(
                (
                    moves(prices, windows, windows + 20 * MINUTE_NS),
                    accelerations(prices, windows + 20 * MINUTE_NS, HALF_WIDTH),
                )
            )
        )
    assert figures[0] == pytest.approx(figures[1], abs=0.0)
    assert np.isfinite(figures[0]).all()
