import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from hedgeflow.pricing import black_value, implied_vol, implied_volatility, value, vega
from hedgeflow.pricing.implied import _bachelier_h, _total_vol
from hedgeflow.pricing.normalised import INV_SQRT_TWO_PI, value_over_vega

CALL, PUT = 1, -1
EPSILON = np.finfo(float).eps
MINUTE = 1.0 / 525_600.0


@njit(error_model="numpy")
def scan(x, s, found):
    """Recover s from b(x, s): NaN where b or its complement is too small to carry s."""
    for i in range(x.size):
        for j in range(s.size):
            h, t = x[i] / s[j], 0.5 * s[j]
            ratio = value_over_vega(h, t)
            slope = math.exp(-0.5 * (h * h + t * t)) * INV_SQRT_TWO_PI
            bound = math.exp(-0.5 * x[i])
            b = ratio * slope if ratio > 0.0 else bound + ratio * slope
            rest = bound - b if ratio > 0.0 else -ratio * slope
            found[i, j] = _total_vol(x[i], b, rest) if b > 1e-300 and rest > 1e-13 * b else np.nan


def test_the_whole_plane_of_moneyness_and_total_volatility_converges_to_a_few_ulp():
    x = np.concatenate([[0.0], np.geomspace(1e-14, 60.0, 400)])
    s = np.geomspace(1e-9, 16.0, 400)
    found = np.empty((x.size, s.size))
    scan(x, s, found)
    error = np.abs(found / s - 1.0)
    assert np.isfinite(found).sum() > 100_000
    assert np.nanmax(error) < 1e-14
    assert np.nanmedian(error) < 1e-15


def test_the_first_guess_of_h_is_good_to_5e_6():
    for h in np.concatenate([np.geomspace(1e-3, 1.0, 50), np.linspace(1.0, 36.0, 200)]):
        b = value_over_vega(h, 1e-5) * INV_SQRT_TWO_PI * math.exp(-0.5 * h * h)
        x = 2e-5 * h
        assert _bachelier_h(x, b, math.log(b)) == pytest.approx(h, rel=5e-6, abs=0.0)


@pytest.mark.parametrize("years", [MINUTE, 1 / 365, 7 / 365, 0.25, 1.0, 5.0])
@pytest.mark.parametrize("vol", [0.05, 0.2, 0.65, 1.5, 4.0])
def test_out_of_the_money_volatilities_come_back_to_1e_12_from_minutes_to_years(years, vol):
    deviations = np.linspace(-12.0, 12.0, 97)
    strike = 100.0 * np.exp(vol * math.sqrt(years) * deviations)
    right = np.where(strike >= 100.0, CALL, PUT)
    price = value(right, 100.0, strike, years, vol)
    found = implied_volatility(right, price, 100.0, strike, years)
    # Rounding error of the price itself, which no method can undo.
    allowed = 1e-12 + 4.0 * EPSILON * price / (vega(100.0, strike, years, vol) * vol)
    carried = price < np.minimum(100.0, strike) * (1.0 - 1e-6)
    assert carried.sum() > 40
    assert (np.abs(found / vol - 1.0) <= allowed)[carried].all()


@pytest.mark.parametrize("deviations", [-36.0, -25.0, 25.0, 36.0])
def test_prices_of_36_standard_deviations_still_carry_their_volatility(deviations):
    years, vol = 1 / 365, 0.5
    strike = 100.0 * math.exp(vol * math.sqrt(years) * deviations)
    right = CALL if deviations > 0 else PUT
    price = black_value(right, 100.0, strike, years, vol)
    assert 0.0 < price < 1e-100
    assert implied_vol(right, price, 100.0, strike, years) == pytest.approx(vol, rel=1e-14, abs=0.0)


@given(
    right=st.sampled_from([CALL, PUT]),
    forward=st.floats(0.01, 1e6),
    moneyness=st.floats(-3.0, 3.0),
    years=st.floats(1e-6, 10.0),
    vol=st.floats(0.01, 5.0),
)
def test_round_trips_lose_no_more_than_the_rounding_of_the_price(
    right, forward, moneyness, years, vol
):
    strike = forward * math.exp(moneyness * vol * math.sqrt(years))
    price = black_value(right, forward, strike, years, vol)
    bound = forward if right == CALL else strike
    intrinsic = max(right * (forward - strike), 0.0)
    if min(price - intrinsic, bound - price) < 1e-6 * price:
        return
    found = implied_vol(right, price, forward, strike, years)
    lost = 4.0 * EPSILON * price / (float(vega(forward, strike, years, vol)) * vol)
    assert abs(found / vol - 1.0) < 1e-14 + lost


@pytest.mark.parametrize("right", [CALL, PUT])
def test_calls_and_puts_of_one_strike_have_one_volatility(right):
    price = black_value(right, 100.0, 104.0, 0.1, 0.7)
    assert implied_vol(right, price, 100.0, 104.0, 0.1) == pytest.approx(0.7, rel=1e-14, abs=0.0)


@pytest.mark.parametrize(
    ("right", "price", "forward", "strike", "years"),
    [
        (CALL, 0.0, 100.0, 100.0, 0.5),
        (CALL, 10.0, 110.0, 100.0, 0.5),  # at intrinsic
        (CALL, 9.0, 110.0, 100.0, 0.5),  # below it
        (PUT, 10.0, 90.0, 100.0, 0.5),
        (CALL, 110.0, 110.0, 100.0, 0.5),  # at the bound
        (CALL, 120.0, 110.0, 100.0, 0.5),  # above it
        (PUT, 100.0, 110.0, 100.0, 0.5),
        (CALL, -1.0, 100.0, 100.0, 0.5),
        (CALL, 5e-324, 100.0, 150.0, 0.5),  # no double once divided by the forward
        (CALL, 5.0, 100.0, 100.0, 0.0),
        (CALL, 5.0, 100.0, 100.0, -0.5),
        (CALL, math.nan, 100.0, 100.0, 0.5),
        (CALL, math.inf, 100.0, 100.0, 0.5),
        (CALL, 5.0, math.nan, 100.0, 0.5),
        (CALL, 5.0, 100.0, 0.0, 0.5),
        (CALL, 5.0, -100.0, 100.0, 0.5),
        (CALL, 5.0, 100.0, 100.0, math.nan),
    ],
)
def test_a_price_without_a_volatility_gives_nan(right, price, forward, strike, years):
    assert math.isnan(implied_vol(right, price, forward, strike, years))


@pytest.mark.parametrize("price", [1e-310, 1e-300, 99.99999999999999])
def test_prices_next_to_their_bounds_still_give_a_number(price):
    assert implied_vol(CALL, price, 100.0, 100.0, 0.5) > 0.0
    assert implied_vol(CALL, price, 100.0, 150.0, 0.5) > 0.0


def test_the_discounted_price_is_what_is_given():
    price = value(PUT, 100.0, 95.0, 0.5, 0.4, 0.95)
    found = implied_volatility(PUT, price, 100.0, 95.0, 0.5, 0.95)
    assert found == pytest.approx(0.4, rel=1e-14, abs=0.0)
