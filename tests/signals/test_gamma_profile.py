"""Dealers' net gamma over prices: where it turns, its walls, what hedging it asks for."""

from __future__ import annotations

from datetime import timedelta
from math import sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hedgeflow.market.errors import DataError
from hedgeflow.signals.dealer_gamma import (
    GammaConvention,
    dealer_contracts,
    dollar_gamma,
    option_gamma,
)
from hedgeflow.signals.gamma_profile import DealerPositions, gamma_profile, walls

DAYS_OF_TRADING = 252.0 * 390.0
MULTIPLIER = 100.0


def positions(units, strikes=(95.0, 100.0, 105.0), sigma=0.2, minutes=390.0):
    strikes = np.array(strikes, dtype=float)
    return DealerPositions(
        strikes,
        np.array(units, dtype=float),
        np.full(strikes.size, sigma),
        minutes,
        DAYS_OF_TRADING,
    )


UNITS = st.lists(st.integers(-50, 50), min_size=3, max_size=12).map(
    lambda contracts: MULTIPLIER * np.array(contracts, dtype=float)
)


def test_net_gamma_is_the_sum_of_the_strikes_worked_by_hand():
    held = positions([100.0, 0.0, -200.0])
    one, _, other = (option_gamma(101.0, k, 0.2, 390.0, DAYS_OF_TRADING) for k in (95, 100, 105))
    profile = gamma_profile(held, 101.0)
    assert profile.by_strike.tolist() == pytest.approx([100.0 * one, 0.0, -200.0 * other])
    assert profile.total == pytest.approx(100.0 * one - 200.0 * other)
    assert held.net_gamma(np.array([101.0]))[0] == pytest.approx(profile.total)


@settings(max_examples=40)
@given(UNITS, st.floats(90.0, 150.0), st.floats(0.1, 1.0), st.floats(5.0, 390.0))
def test_net_gamma_is_the_slope_of_what_dealers_must_hold(units, price, sigma, minutes):
    held = positions(units, 100.0 + 5.0 * np.arange(units.size), sigma, minutes)
    step = 1e-3 * price * sigma * sqrt(minutes / DAYS_OF_TRADING)
    slope = -held.hedge_flow(price - step, price + step) / (2.0 * step)
    scale = np.abs(units).sum() / (price * sigma * sqrt(minutes / DAYS_OF_TRADING))
    assert held.net_gamma(np.array([price]))[0] == pytest.approx(slope, abs=1e-5 * scale + 1e-12)


def test_dealers_long_gamma_sell_a_rise_and_buy_a_fall():
    profile = gamma_profile(positions([0.0, 100.0, 0.0]), 100.0)
    assert profile.flow_up < 0.0 < profile.flow_down


def test_dealers_short_gamma_buy_a_rise_and_sell_a_fall():
    profile = gamma_profile(positions([0.0, -100.0, 0.0]), 100.0)
    assert profile.flow_down < 0.0 < profile.flow_up


def test_the_flow_of_one_percent_is_the_whole_change_of_delta():
    # A minute before expiry 1 % takes an at-the-money option's delta from a half to 1.
    profile = gamma_profile(positions([0.0, 100.0, 0.0], minutes=1.0), 100.0)
    assert profile.flow_up == pytest.approx(-50.0, abs=0.1)
    assert profile.flow_down == pytest.approx(50.0, abs=0.1)
    assert -profile.total > 20.0 * profile.flow_up  # gamma times the move says many times that


def test_the_flip_lies_where_two_equal_and_opposite_strikes_cancel():
    # gamma = n(d1)/(F s): equal where d1 of the one is minus d1 of the other, so that
    # F = sqrt(K1 K2) exp(-s^2/2).
    profile = gamma_profile(positions([100.0, -100.0], (95.0, 105.0)), 99.0)
    deviation = 0.2 * sqrt(390.0 / DAYS_OF_TRADING)
    assert profile.flip == pytest.approx(sqrt(95.0 * 105.0) * np.exp(-0.5 * deviation**2))


def test_the_flip_is_the_one_nearest_to_the_price():
    held = positions([100.0, -100.0, 100.0, -100.0], (80.0, 90.0, 100.0, 110.0))
    for price, between in [(84.0, (80, 90)), (96.0, (90, 100)), (200.0, (100, 110))]:
        assert between[0] < gamma_profile(held, price).flip < between[1]


@pytest.mark.parametrize("units", [[1.0, 2.0, 3.0], [-1.0, 0.0, -3.0], [0.0, 0.0, 0.0]])
def test_there_is_no_flip_where_gamma_keeps_its_sign(units):
    assert gamma_profile(positions(units), 100.0).flip is None


@settings(max_examples=40)
@given(UNITS, st.floats(95.0, 160.0), st.sampled_from([60.0, 390.0, 3_900.0]))
def test_gamma_changes_sign_at_the_flip_and_nowhere_nearer(units, price, minutes):
    strikes = 100.0 + 5.0 * np.arange(units.size)
    held = positions(units, strikes, 0.2, minutes)
    flip = gamma_profile(held, price).flip
    fine = np.linspace(strikes[0], strikes[-1], 20_001)
    curve = held.net_gamma(fine)
    signed = np.flatnonzero(curve)
    turns = np.flatnonzero(np.diff(np.sign(curve[signed])))
    if flip is None:
        assert turns.size == 0
        return
    low, high = signed[turns], signed[turns + 1]
    zero = fine[low] + (fine[high] - fine[low]) * curve[low] / (curve[low] - curve[high])
    assert abs(flip - price) == pytest.approx(np.abs(zero - price).min(), abs=1e-3)


def test_between_two_strikes_without_any_gamma_there_is_a_flip_all_the_same():
    held = positions([100.0, -100.0], (100.0, 200.0), minutes=0.0)
    assert held.net_gamma(np.array([150.0]))[0] == 0.0
    assert 100.0 < gamma_profile(held, 100.0).flip < 200.0


def test_less_than_a_second_counts_as_a_second():
    over, last = (positions([5.0, 7.0, -9.0], minutes=left) for left in (-1.0, 1.0 / 60.0))
    assert over.gamma_by_strike(100.01).tolist() == last.gamma_by_strike(100.01).tolist()
    assert over.hedge_flow(100.0, 100.01) == last.hedge_flow(100.0, 100.01) != 0.0


def test_net_gamma_leaves_out_no_strike_that_has_gamma():
    strikes = np.geomspace(50.0, 200.0, 400)
    held = DealerPositions(strikes, np.ones(400), np.linspace(0.1, 3.0, 400), 390.0, 98_280.0)
    for price in (50.0, 100.0, 199.0):
        net = held.net_gamma(np.array([price]))[0]
        assert net == pytest.approx(float(held.gamma_by_strike(price).sum()), rel=1e-12)


@settings(max_examples=30)
@given(UNITS)
def test_gamma_turns_no_more_often_than_positions_do(units):
    # The normal kernel is totally positive: it diminishes variation (Karlin 1968, chapter 5).
    held = positions(units, 100.0 + 5.0 * np.arange(units.size), 0.3, 200.0)
    curve = gamma_profile(held, 110.0).net_gamma
    curve = curve[np.abs(curve) > 1e-12 * np.abs(units).sum()]
    changes = [np.count_nonzero(np.diff(np.sign(row[row != 0.0]))) for row in (curve, units)]
    assert changes[0] <= changes[1]


def test_walls_are_the_largest_parts_of_either_sign():
    strikes = np.array([90.0, 95.0, 100.0, 105.0])
    assert walls(strikes, np.array([-3.0, -1.0, 2.0, 5.0]), 100.0) == (105.0, 90.0)


def test_there_is_no_wall_without_a_part_of_its_sign():
    strikes = np.array([95.0, 100.0])
    assert walls(strikes, np.array([1.0, 0.0]), 100.0) == (95.0, None)
    assert walls(strikes, np.array([-1.0, 0.0]), 100.0) == (None, 95.0)
    assert walls(strikes, np.zeros(2), 100.0) == (None, None)


def test_equal_walls_go_to_the_nearer_and_then_the_lower_strike():
    strikes = np.array([90.0, 95.0, 105.0, 110.0])
    assert walls(strikes, np.array([7.0, 7.0, 7.0, -1.0]), 100.0)[0] == 95.0
    assert walls(strikes, np.array([7.0, 1.0, 7.0, -1.0]), 100.0)[0] == 105.0


def test_a_profile_of_one_strike_is_that_strike():
    profile = gamma_profile(positions([100.0], (100.0,)), 100.0)
    assert profile.prices.tolist() == [100.0]
    assert (profile.flip, profile.call_wall, profile.put_wall) == (None, 100.0, None)


@pytest.mark.parametrize(
    ("strikes", "units", "sigma", "says"),
    [
        ([], [], [], "shapes"),
        ([100.0], [1.0, 2.0], [0.2], "shapes"),
        ([100.0, 100.0], [1.0, 2.0], [0.2, 0.2], "ascend"),
        ([-1.0, 100.0], [1.0, 2.0], [0.2, 0.2], "positive"),
        ([100.0, 105.0], [1.0, np.nan], [0.2, 0.2], "strike 105"),
        ([100.0, 105.0], [1.0, 2.0], [0.0, 0.2], "strike 100"),
    ],
)
def test_positions_that_make_no_sense_are_refused_by_name(strikes, units, sigma, says):
    with pytest.raises(DataError, match=says):
        DealerPositions(np.array(strikes), np.array(units), np.array(sigma), 10.0, 98_280.0)


@pytest.mark.parametrize("price", [0.0, -1.0, np.nan, np.inf])
def test_a_profile_needs_a_price(price):
    with pytest.raises(DataError, match="price"):
        gamma_profile(positions([1.0, 2.0, 3.0]), price)


@pytest.fixture(scope="module")
def vendor(market_data):
    """A vendor's profiles of SPX options on their last day, calls +, puts -."""
    folder = market_data / "spx-0dte"
    if not folder.is_dir():
        pytest.skip(f"needs a vendor's gamma profiles: no folder {folder}")
    table = pl.read_parquet(folder / "gex_profile_15min.parquet").sort("date", "slot", "strike")
    return table.filter(pl.col("slot").cast(pl.Int64).is_between(930, 1_545))


@pytest.fixture(scope="module")
def minutes_of_spx(market_data):
    return pl.read_parquet(market_data / "spx-0dte" / "spx_1m.parquet").with_columns(
        pl.col("ts_et").dt.convert_time_zone("UTC")
    )


def test_a_vendors_exposure_is_our_dollar_gamma_under_the_convention(vendor):
    # Their gamma is printed to four places, so that it can be read back from the calls' exposure
    # alone; puts and totals are then ours. In a few rows their put has another gamma than its call.
    called = vendor.filter(pl.col("coi") > 0)
    price, calls, puts = (called[name].to_numpy() for name in ("spot", "coi", "poi"))
    dollars_per_gamma = dollar_gamma(MULTIPLIER, 1.0) * price**2
    gamma = (called["cg"].to_numpy() / (dollars_per_gamma * calls)).round(4)
    held = dealer_contracts(GammaConvention.LONG_CALLS_SHORT_PUTS, calls, puts)
    gross = gamma * dollars_per_gamma * (calls + puts)
    apart = np.abs(gamma * dollars_per_gamma * held - called["total"].to_numpy())
    same = apart <= 1e-6 * gross + 2.0  # spot is rounded to cents, exposures to dollars
    assert same.size > 2_000
    assert same.mean() > 0.95, same.mean()


def test_a_vendors_prices_are_a_quarter_of_an_hour_old(vendor, minutes_of_spx):
    spots = vendor.unique(("date", "slot")).with_columns(
        (pl.col("ts_et").dt.convert_time_zone("UTC") - timedelta(minutes=16)).alias("ts_et")
    )
    found = spots.join(minutes_of_spx, on="ts_et", how="inner")
    inside = found["spot"].is_between(found["low"], found["high"])
    assert found.height == spots.height
    assert inside.mean() > 0.95


def test_our_gamma_agrees_with_the_vendors_in_sign_ranking_and_walls(vendor, minutes_of_spx):
    moves = minutes_of_spx.with_columns(pl.col("close").log().diff().alias("move")).filter(
        pl.col("ts_et").diff() == timedelta(minutes=1)
    )
    sign, put, call, ranking, flips = [], [], [], [], []
    for (_, slot), rows in vendor.group_by(("date", "slot"), maintain_order=True):
        quoted = rows["ts_et"].dt.convert_time_zone("UTC")[0] - timedelta(minutes=16)
        recent = moves.filter(pl.col("ts_et") < quoted)["move"].tail(390).to_numpy()
        strikes, spot = rows["strike"].to_numpy(), rows["spot"][0]
        held = MULTIPLIER * dealer_contracts(
            GammaConvention.LONG_CALLS_SHORT_PUTS, rows["coi"].to_numpy(), rows["poi"].to_numpy()
        )
        sigma = np.full(strikes.size, recent.std() * sqrt(DAYS_OF_TRADING))
        left = 16 * 60 - int(slot[:2]) * 60 - int(slot[2:]) + 16
        profile = gamma_profile(DealerPositions(strikes, held, sigma, left, DAYS_OF_TRADING), spot)

        theirs = rows["total"].to_numpy()
        call_wall, put_wall = walls(strikes, theirs, spot)
        sign.append(np.sign(profile.total) == np.sign(theirs.sum()))
        put.append(profile.put_wall == put_wall)
        call.append(profile.call_wall == call_wall)
        ranking.append(spearmanr(theirs, profile.by_strike).statistic)
        flips.append(abs(profile.flip - rows["flip"][0]))
    # One realised volatility for every strike against their quoted ones, two days of one index.
    assert len(sign) == 38
    assert np.mean(sign) == 1.0
    assert np.mean(put) == 1.0
    assert np.mean(call) == pytest.approx(0.55, abs=0.08)
    assert min(ranking) > 0.93
    # Their flip is no zero of gamma over prices but a strike at which the running sum over strikes
    # changes sign: only in five of the 38 does it come within 50 points of ours.
    assert sum(flip < 50.0 for flip in flips) == 5
    assert np.median(flips) > 250.0
