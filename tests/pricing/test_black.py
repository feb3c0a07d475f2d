import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from hedgeflow.pricing import (
    PricingInputError,
    delta,
    gamma,
    implied_volatility,
    value,
    vega,
)

CALL, PUT = 1, -1

# Value with (right, forward, strike, years, vol), mpmath with 60 digits.
PRECISE_VALUES = [
    (CALL, 100.0, 100.0, 1.902587519025875e-06, 0.2, 0.011005565980857671),
    (CALL, 100.0, 101.0, 1.902587519025875e-06, 0.5, 8.251118684891856e-50),
    (CALL, 100.0, 100.001, 1.902587519025875e-06, 0.2, 0.010512850837694744),
    (PUT, 100.0, 20.0, 0.01, 0.6, 8.465276134624383e-160),
    (CALL, 100.0, 1000.0, 1.0, 0.3, 9.773187944442035e-14),
    (CALL, 100.0, 130.0, 0.1, 0.25, 0.0010677307805295997),
    (PUT, 100.0, 95.0, 0.25, 0.8, 13.080826657108279),
    (CALL, 100.0, 500.0, 3.0, 2.0, 82.73894421374949),
    (PUT, 100.0, 100.0, 5.0, 1.5, 90.64674873109068),
    (CALL, 100.0, 400.0, 0.005479452054794521, 1.0, 1.1538698189430964e-78),
    (PUT, 100.0, 1.0, 10.0, 0.5, 0.006271455522185481),
    (CALL, 100.0, 100000.0, 4.0, 3.0, 95.12198238901007),
]


def spot_option(spot, strike, rate, yield_, years):
    """Forward, strike, years and discount of a Black-Scholes-Merton option."""
    return spot * math.exp((rate - yield_) * years), strike, years, math.exp(-rate * years)


def slow_value(right, forward, strike, years, vol):
    s = vol * math.sqrt(years)
    d1 = math.log(forward / strike) / s + s / 2

    def n(x):
        return (1 + math.erf(x / math.sqrt(2))) / 2

    return right * (forward * n(right * d1) - strike * n(right * (d1 - s)))


# Hull, "Options, Futures, and Other Derivatives".


@pytest.mark.parametrize(("right", "expected"), [(CALL, 4.76), (PUT, 0.81)])
def test_hull_stock_option_42_40_is_worth_4_76_and_0_81(right, expected):
    forward, strike, years, discount = spot_option(42.0, 40.0, 0.10, 0.0, 0.5)
    assert value(right, forward, strike, years, 0.2, discount) == pytest.approx(expected, abs=5e-3)


def test_hull_index_call_930_900_is_worth_51_83():
    forward, strike, years, discount = spot_option(930.0, 900.0, 0.08, 0.03, 2 / 12)
    assert value(CALL, forward, strike, years, 0.2, discount) == pytest.approx(51.83, abs=5e-3)


def test_hull_futures_put_20_20_is_worth_1_12():
    discount = math.exp(-0.09 * 4 / 12)
    assert value(PUT, 20.0, 20.0, 4 / 12, 0.25, discount) == pytest.approx(1.12, abs=5e-3)


def test_hull_greeks_of_the_49_50_call_are_0_522_0_066_and_12_1():
    spot = 49.0
    forward, strike, years, discount = spot_option(spot, 50.0, 0.05, 0.0, 0.3846)
    growth = forward / spot
    assert delta(CALL, forward, strike, years, 0.2, discount) * growth == pytest.approx(
        0.522, abs=5e-4
    )
    assert gamma(forward, strike, years, 0.2, discount) * growth**2 == pytest.approx(
        0.066, abs=5e-4
    )
    assert vega(forward, strike, years, 0.2, discount) == pytest.approx(12.1, abs=5e-2)


def test_hull_implied_volatility_of_1_875_is_23_5_percent():
    forward, strike, years, discount = spot_option(21.0, 20.0, 0.10, 0.0, 0.25)
    found = implied_volatility(CALL, 1.875, forward, strike, years, discount)
    assert found == pytest.approx(0.235, abs=5e-4)


@pytest.mark.parametrize("case", PRECISE_VALUES)
def test_values_keep_their_relative_accuracy_down_to_the_smallest(case):
    *arguments, expected = case
    # Rounding x by one ulp already moves the value by h squared ulp.
    _, forward, strike, years, vol = arguments
    h = abs(math.log(forward / strike)) / (vol * math.sqrt(years))
    assert value(*arguments) == pytest.approx(expected, rel=2e-15 + 5e-16 * h * h, abs=0.0)


def test_values_agree_with_the_slow_formula_over_a_broad_grid():
    right = np.array([CALL, PUT])[:, None, None, None]
    strike = np.geomspace(20.0, 500.0, 12)[:, None, None]
    years = np.geomspace(1e-4, 5.0, 9)[:, None]
    vol = np.geomspace(0.05, 3.0, 8)
    found = value(right, 100.0, strike, years, vol)
    expected = np.vectorize(slow_value)(right, 100.0, strike, years, vol)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=2e-13)


@pytest.mark.parametrize("strike", [70.0, 100.0, 140.0])
@pytest.mark.parametrize("right", [CALL, PUT])
def test_values_are_the_expected_payoff_by_quadrature(right, strike):
    s = 0.6 * math.sqrt(0.4)
    kink = (math.log(strike / 100.0) + s * s / 2) / s

    def integrand(z):
        terminal = 100.0 * math.exp(s * z - s * s / 2)
        density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return max(right * (terminal - strike), 0.0) * density

    expected = sum(quad(integrand, *part)[0] for part in ((-12, kink), (kink, 12)))
    assert value(right, 100.0, strike, 0.4, 0.6) == pytest.approx(expected, rel=1e-9, abs=0.0)


inputs = {
    "forward": st.floats(50.0, 200.0),
    "strike": st.floats(50.0, 200.0),
    "years": st.floats(0.02, 3.0),
    "vol": st.floats(0.2, 2.0),
}


@given(**inputs, discount=st.floats(0.5, 1.0))
def test_calls_less_puts_are_the_discounted_forward_less_strike(
    forward, strike, years, vol, discount
):
    call, put = value([CALL, PUT], forward, strike, years, vol, discount)
    assert call - put == pytest.approx(discount * (forward - strike), abs=2e-13)


@given(**inputs)
def test_greeks_are_the_differences_of_what_they_derive(forward, strike, years, vol):
    step = 1e-5 * forward
    around = np.array([forward - step, forward + step])
    for right in (CALL, PUT):
        slope = np.diff(value(right, around, strike, years, vol))[0] / (2 * step)
        assert delta(right, forward, strike, years, vol) == pytest.approx(slope, abs=1e-8)
    bend = np.diff(delta(CALL, around, strike, years, vol))[0] / (2 * step)
    assert gamma(forward, strike, years, vol) == pytest.approx(bend, abs=1e-8)
    vols = np.array([vol - 1e-5, vol + 1e-5])
    slope = np.diff(value(CALL, forward, strike, years, vols))[0] / 2e-5
    assert vega(forward, strike, years, vol) == pytest.approx(slope, abs=1e-5)


def test_discounting_scales_every_result():
    arguments = (101.0, 100.0, 0.5, 0.4)
    for function, leading in ((value, (PUT,)), (delta, (PUT,)), (gamma, ()), (vega, ())):
        plain = function(*leading, *arguments)
        assert function(*leading, *arguments, 0.9) == pytest.approx(0.9 * plain, rel=1e-15, abs=0.0)


def test_arguments_broadcast_and_scalars_give_a_scalar():
    rights = np.array([CALL, PUT])
    forwards = np.array([[90], [100], [110]])
    table = delta(rights, forwards, 100, 0.5, 0.5)
    assert table.shape == (3, 2)
    assert table[2, 1] == delta(PUT, 110.0, 100.0, 0.5, 0.5)
    assert isinstance(delta(CALL, 100.0, 100.0, 0.5, 0.5), float)
    assert value([], [], 100.0, 0.5, 0.5).shape == (0,)


def test_results_do_not_depend_on_layout_or_on_where_a_buffer_ends():
    strikes = np.linspace(50.0, 150.0, 70_000)
    whole = value(CALL, 100.0, strikes, 0.5, 0.5)
    np.testing.assert_array_equal(value(CALL, 100.0, strikes[::-7], 0.5, 0.5), whole[::-7])
    grid = strikes.reshape(70, 1000)
    np.testing.assert_array_equal(value(CALL, 100.0, grid.T, 0.5, 0.5), whole.reshape(70, 1000).T)


def test_nan_passes_through():
    assert np.isnan(value(CALL, [math.nan, 100.0], 100.0, 0.5, 0.5)).tolist() == [True, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("C", 100.0, 100.0, 0.5, 0.5), "right is 'C'; expected integers, +1 for a call"),
        (([1, 0], 100.0, 100.0, 0.5, 0.5), r"right\[1\] is 0; expected \+1 for a call or -1"),
        ((1, 0.0, 100.0, 0.5, 0.5), "forward is 0.0; expected a positive finite number"),
        ((1, 100.0, [[9.0], [-5.0]], 0.5, 0.5), r"strike\[1, 0\] is -5.0; expected a positive"),
        ((1, 100.0, math.inf, 0.5, 0.5), "strike is inf; expected a positive finite number"),
        ((1, 100.0, 100.0, 0.5, -0.5), "vol is -0.5; expected a volatility of 0 or more"),
        ((1, 100.0, 100.0, 0.5, 0.5, 0.0), "discount is 0.0; expected a positive finite number"),
    ],
)
def test_impossible_arguments_are_refused_by_name_place_and_expectation(arguments, message):
    with pytest.raises(
        ValueError, match=message.replace("expected integers, +", r"expected integers, \+")
    ):
        value(*arguments)


def test_a_refusal_carries_the_offending_value():
    with pytest.raises(PricingInputError) as refusal:
        implied_volatility(1, 5.0, [100.0, -1.0], 100.0, 0.5)
    error = refusal.value
    assert (error.argument, error.index, error.value) == ("forward", (1,), -1.0)
