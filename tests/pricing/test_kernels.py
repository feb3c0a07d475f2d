import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from hedgeflow.pricing import (
    SOURCE_LAST,
    SOURCE_NONE,
    SOURCE_PRINT,
    SOURCE_SOLVED,
    black_delta,
    black_gamma,
    black_value,
    black_vega,
    moneyness_delta,
    norm_cdf,
    print_delta,
)

CALL, PUT = 1, -1
NONE = math.nan

# (x, N(x)), mpmath with 60 digits.
NORMAL = [
    (-37.5, 4.605353009581955e-308),
    (-30.0, 4.906713927148187e-198),
    (-12.3, 4.5287069561587846e-35),
    (-5.0, 2.866515718791939e-07),
    (-1.96, 0.024997895148220435),
    (-0.5, 0.3085375387259869),
    (0.0, 0.5),
    (0.7, 0.758036347776927),
    (3.0, 0.9986501019683699),
]


@pytest.mark.parametrize(("x", "expected"), NORMAL)
def test_norm_cdf_keeps_its_relative_accuracy_in_the_tails(x, expected):
    assert norm_cdf(x) == pytest.approx(expected, rel=1e-15, abs=0.0)


def test_norm_cdf_agrees_with_erfc_everywhere_and_ends_at_0_and_1():
    x = np.linspace(-8.0, 8.0, 4001)
    found = np.array([norm_cdf(value) for value in x])
    np.testing.assert_allclose(found, [0.5 * math.erfc(-v / math.sqrt(2.0)) for v in x], rtol=2e-14)
    assert (norm_cdf(-60.0), norm_cdf(60.0)) == (0.0, 1.0)
    assert math.isnan(norm_cdf(math.nan))


@pytest.mark.parametrize(("vol", "years"), [(0.0, 0.5), (-0.1, 0.5), (0.5, 0.0), (0.5, -0.1)])
@pytest.mark.parametrize(
    ("forward", "call", "put"), [(101.0, 1.0, 0.0), (100.0, 0.5, -0.5), (99.0, 0.0, -1.0)]
)
def test_without_volatility_or_time_delta_is_1_half_or_0_minus_1_for_puts(
    vol, years, forward, call, put
):
    assert black_delta(CALL, forward, 100.0, years, vol) == call
    assert black_delta(PUT, forward, 100.0, years, vol) == put
    assert moneyness_delta(CALL, forward, 100.0) == call
    assert moneyness_delta(PUT, forward, 100.0) == put


@pytest.mark.parametrize(("vol", "years"), [(0.0, 0.5), (0.5, 0.0)])
def test_without_volatility_or_time_only_the_intrinsic_value_is_left(vol, years):
    assert black_value(CALL, 103.0, 100.0, years, vol) == 3.0
    assert black_value(PUT, 103.0, 100.0, years, vol) == 0.0
    assert black_gamma(103.0, 100.0, years, vol) == 0.0
    assert black_vega(103.0, 100.0, years, vol) == 0.0


def test_vega_at_the_strike_has_its_limit_at_volatility_0_and_gamma_is_0_there():
    assert black_vega(100.0, 100.0, 0.25, 0.0) == pytest.approx(
        black_vega(100.0, 100.0, 0.25, 1e-9), rel=1e-12, abs=0.0
    )
    assert black_gamma(100.0, 100.0, 0.25, 0.0) == 0.0


def test_nan_gives_nan():
    for arguments in ((NONE, 100.0, 0.1, 0.5), (100.0, NONE, 0.1, 0.5), (100.0, 100.0, 0.1, NONE)):
        assert math.isnan(black_value(CALL, *arguments))
        assert math.isnan(black_delta(PUT, *arguments))
        assert math.isnan(black_gamma(*arguments))
        assert math.isnan(black_vega(*arguments))
    assert math.isnan(moneyness_delta(CALL, NONE, 100.0))


def test_extreme_total_volatilities_reach_the_bounds():
    assert black_value(CALL, 100.0, 120.0, 1.0, 1e-3) == 0.0
    assert black_value(CALL, 120.0, 100.0, 1.0, 1e-300) == 20.0
    assert black_value(CALL, 100.0, 120.0, 1.0, 500.0) == 100.0
    assert black_value(PUT, 100.0, 120.0, 1.0, 500.0) == 120.0


reasonable = {
    "forward": st.floats(50.0, 200.0),
    "strike": st.floats(50.0, 200.0),
    "years": st.floats(0.01, 3.0),
    "vol": st.floats(0.2, 2.0),
}


@given(**reasonable)
def test_call_deltas_lie_in_0_1_and_put_deltas_in_minus_1_0_one_apart(forward, strike, years, vol):
    call = black_delta(CALL, forward, strike, years, vol)
    put = black_delta(PUT, forward, strike, years, vol)
    assert 0.0 <= call <= 1.0
    assert -1.0 <= put <= 0.0
    assert call - put == pytest.approx(1.0, abs=3e-16)
    if abs(math.log(forward / strike)) < 5.0 * vol * math.sqrt(years):
        assert 0.0 < call < 1.0
        assert -1.0 < put < 0.0


@given(**reasonable, factor=st.floats(1.001, 1.5))
def test_delta_rises_with_the_forward_and_value_with_volatility(
    forward, strike, years, vol, factor
):
    for right in (CALL, PUT):
        delta = black_delta(right, forward, strike, years, vol)
        assert black_delta(right, forward * factor, strike, years, vol) >= delta
        value = black_value(right, forward, strike, years, vol)
        assert black_value(right, forward, strike, years, vol * factor) >= value


FORWARD, STRIKE, YEARS = 100.0, 110.0, 0.25


def price_at(vol, right=CALL):
    return black_value(right, FORWARD, STRIKE, YEARS, vol)


def delta_of_print(price, print_iv, last_iv, right=CALL):
    return print_delta(right, price, FORWARD, STRIKE, YEARS, print_iv, last_iv)


def test_the_volatility_of_the_print_comes_first():
    delta, vol, source = delta_of_print(price_at(0.9), 0.5, 0.7)
    assert (delta, vol, source) == (
        black_delta(CALL, FORWARD, STRIKE, YEARS, 0.5),
        0.5,
        SOURCE_PRINT,
    )


def test_then_the_last_volatility_of_the_contract():
    delta, vol, source = delta_of_print(price_at(0.9), NONE, 0.7)
    assert (delta, vol, source) == (
        black_delta(CALL, FORWARD, STRIKE, YEARS, 0.7),
        0.7,
        SOURCE_LAST,
    )


@pytest.mark.parametrize("right", [CALL, PUT])
def test_then_the_one_solved_from_the_price(right):
    delta, vol, source = delta_of_print(price_at(0.9, right), NONE, NONE, right)
    assert vol == pytest.approx(0.9, rel=1e-14, abs=0.0)
    assert delta == pytest.approx(
        black_delta(right, FORWARD, STRIKE, YEARS, 0.9), rel=1e-14, abs=0.0
    )
    assert source == SOURCE_SOLVED


@pytest.mark.parametrize(("right", "expected"), [(CALL, 0.0), (PUT, -1.0)])
@pytest.mark.parametrize("given_iv", [0.0, -0.2])
def test_a_given_iv_of_0_is_a_volatility_of_0_even_if_another_could_be_had(
    right, expected, given_iv
):
    price = price_at(0.9, right)
    none_used = (expected, 0.0, SOURCE_NONE)
    assert delta_of_print(price, given_iv, 0.7, right) == none_used
    assert delta_of_print(price, NONE, given_iv, right) == none_used


@pytest.mark.parametrize("price", [10.0, 9.0, 0.0, 110.0, 200.0, NONE])
def test_an_unsolvable_price_leaves_moneyness(price):
    assert delta_of_print(price, NONE, NONE, PUT) == (-1.0, 0.0, SOURCE_NONE)


def test_a_price_below_intrinsic_does_not_matter_while_a_volatility_is_given():
    delta, _, source = delta_of_print(5.0, 0.5, NONE, PUT)
    assert delta == black_delta(PUT, FORWARD, STRIKE, YEARS, 0.5)
    assert source == SOURCE_PRINT


def test_at_the_strike_and_at_expiry_a_print_has_delta_one_half():
    assert print_delta(CALL, 0.0, 100.0, 100.0, 0.0, NONE, NONE) == (0.5, 0.0, SOURCE_NONE)
    assert print_delta(PUT, 1.0, 100.0, 100.0, 0.0, 0.5, NONE) == (-0.5, 0.5, SOURCE_PRINT)


def test_other_kernels_can_call_it_and_read_the_source():
    @njit
    def kernel():
        delta, vol, source = print_delta(1, 5.0, 100.0, 100.0, 0.25, np.nan, 0.4)
        return delta, vol, source == SOURCE_LAST

    assert kernel() == (black_delta(CALL, 100.0, 100.0, 0.25, 0.4), 0.4, True)
