import math

import numpy as np
import pytest
from scipy.integrate import quad

from hedgeflow.pricing import (
    delta,
    inverse_implied_volatility,
    inverse_value,
    premium_adjusted_delta,
    value,
)

CALL, PUT = 1, -1
RIGHTS = np.array([CALL, PUT])
STRIKES = np.array([60_000.0, 84_000.0, 120_000.0])[:, None]
OPTIONS = (RIGHTS, 84_500.0, STRIKES, 20 / 365, 0.55)


def test_the_coin_value_is_the_black_value_over_the_forward():
    np.testing.assert_allclose(inverse_value(*OPTIONS), value(*OPTIONS) / 84_500.0, rtol=4e-16)


@pytest.mark.parametrize("right", [CALL, PUT])
def test_the_coin_value_is_the_expected_payoff_in_coins_under_the_coin_measure(right):
    forward, strike, years, vol = 84_500.0, 90_000.0, 0.3, 0.55
    s = vol * math.sqrt(years)
    kink = (math.log(strike / forward) - s * s / 2) / s

    def integrand(z):
        settlement = forward * math.exp(s * z + s * s / 2)
        payoff = max(right * (settlement - strike), 0.0) / settlement
        return payoff * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    expected = sum(quad(integrand, *part)[0] for part in ((-12, kink), (kink, 12)))
    assert inverse_value(right, forward, strike, years, vol) == pytest.approx(
        expected, rel=1e-9, abs=0.0
    )


def test_the_adjusted_delta_is_the_black_delta_minus_the_premium_in_coins():
    np.testing.assert_allclose(
        premium_adjusted_delta(*OPTIONS), delta(*OPTIONS) - inverse_value(*OPTIONS), atol=4e-16
    )


def test_the_adjusted_delta_is_the_forward_times_the_slope_of_the_coin_value():
    rights, forward, *rest = OPTIONS
    up, down = (inverse_value(rights, forward + step, *rest) for step in (1.0, -1.0))
    np.testing.assert_allclose(
        premium_adjusted_delta(*OPTIONS), forward * (up - down) / 2.0, atol=1e-8
    )


def test_coin_prices_give_their_volatility_back():
    prices = inverse_value(*OPTIONS)
    rights, forward, strike, years, vol = OPTIONS
    found = inverse_implied_volatility(rights, prices, forward, strike, years)
    np.testing.assert_allclose(found, vol, rtol=1e-12)


def test_coin_prices_outside_intrinsic_and_bound_give_nan():
    calls = inverse_implied_volatility(CALL, [0.0, 0.1, 1.0], 100.0, 90.0, 0.5)
    puts = inverse_implied_volatility(PUT, [0.0, 0.9, 1.0], 100.0, 90.0, 0.5)
    assert np.isnan([calls, puts]).all()


def test_a_negative_strike_is_refused():
    with pytest.raises(ValueError, match=r"strike is -1.0; expected a positive finite number"):
        inverse_value(CALL, 100.0, -1.0, 0.5, 0.5)
