"""Dealers' gamma at a strike: whose it is, its size, its units."""

from __future__ import annotations

from math import exp, isnan, log, nan, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.pricing import black_delta
from hedgeflow.signals.dealer_gamma import (
    GammaConvention,
    dealer_contracts,
    dollar_gamma,
    option_gamma,
)

DAYS_OF_TRADING = 252.0 * 390.0
FLOW = GammaConvention.SIGNED_FLOW
CALLS_LONG = GammaConvention.LONG_CALLS_SHORT_PUTS
SHORT_ALL = GammaConvention.SHORT_ALL


@pytest.mark.parametrize(
    ("convention", "calls", "puts", "dealers"),
    [
        (FLOW, 10.0, 0.0, -10.0),  # customers bought calls: dealers are short gamma
        (FLOW, 0.0, 10.0, -10.0),  # bought puts: short gamma too
        (FLOW, -10.0, 0.0, 10.0),  # sold calls: long
        (FLOW, 0.0, -10.0, 10.0),  # sold puts: long
        (FLOW, 10.0, -10.0, 0.0),  # bought one, sold the other: no trade
        (CALLS_LONG, 10.0, 4.0, 6.0),
        (CALLS_LONG, 4.0, 10.0, -6.0),
        (CALLS_LONG, 10.0, 10.0, 0.0),
        (SHORT_ALL, 10.0, 4.0, -14.0),
        (SHORT_ALL, 0.0, 0.0, 0.0),
    ],
)
def test_whose_gamma_it_is_follows_from_flow_or_from_the_convention(
    convention, calls, puts, dealers
):
    assert dealer_contracts(convention, calls, puts) == dealers


def test_a_gamma_computed_by_hand():
    # 60 minutes of 98,280 at 16 %: s = 0.16 sqrt(60/98280) = 0.0039533; at the money
    # d1 = s/2, density 0.398942 exp(-d1^2/2), over 5,000 s.
    deviation = 0.16 * sqrt(60.0 / 98_280.0)
    by_hand = exp(-0.125 * deviation**2) / sqrt(2.0 * pi) / (5_000.0 * deviation)
    assert by_hand == pytest.approx(0.0201826, rel=1e-5)
    assert option_gamma(5_000.0, 5_000.0, 0.16, 60.0, DAYS_OF_TRADING) == pytest.approx(by_hand)


@given(st.floats(-4.0, 4.0), st.floats(0.03, 2.0), st.floats(1.0, 390.0))
def test_gamma_is_the_slope_of_delta(deviations, sigma, minutes):
    years = minutes / DAYS_OF_TRADING
    deviation = sigma * sqrt(years)
    strike = 100.0 * exp(deviations * deviation)
    step = 1e-4 * 100.0 * deviation
    found = option_gamma(100.0, strike, sigma, minutes, DAYS_OF_TRADING)
    for right in (1, -1):
        above = black_delta(right, 100.0 + step, strike, years, sigma)
        below = black_delta(right, 100.0 - step, strike, years, sigma)
        assert found == pytest.approx((above - below) / (2.0 * step), rel=1e-5, abs=1e-7)


@given(st.floats(-3.0, 3.0))
def test_gamma_is_alike_on_both_sides_of_the_price_in_logarithms(deviations):
    # F * gamma is a normal density of ln(F/K) + s^2/2, which strikes mirrored there share.
    deviation = 0.16 * sqrt(60.0 / DAYS_OF_TRADING)
    middle = log(5_000.0) + 0.5 * deviation**2
    above, below = (
        option_gamma(5_000.0, exp(middle + side * deviations * deviation), 0.16, 60, 98_280.0)
        for side in (1, -1)
    )
    assert above == pytest.approx(below, rel=1e-9)


@pytest.mark.parametrize("minutes", [1.0 / 60.0, 0.001, 0.0, -5.0])
def test_less_than_a_second_counts_as_a_second(minutes):
    second = option_gamma(100.0, 100.01, 0.2, 1.0 / 60.0, DAYS_OF_TRADING)
    assert second > 0.0
    assert option_gamma(100.0, 100.01, 0.2, minutes, DAYS_OF_TRADING) == second


def test_an_unknown_volatility_gives_no_gamma():
    assert isnan(option_gamma(100.0, 100.0, nan, 10.0, DAYS_OF_TRADING))


def test_dollar_gamma_is_the_worth_of_the_delta_of_one_percent():
    # 250 units of delta per 1 of price: 1 % of 5,000 is 50, so 12,500 units worth 62.5 million.
    assert dollar_gamma(250.0, 5_000.0) == pytest.approx(62.5e6)


def test_contracts_of_many_strikes_are_counted_at_once():
    calls, puts = np.array([10.0, 0.0]), np.array([4.0, 3.0])
    assert dealer_contracts(CALLS_LONG, calls, puts).tolist() == [6.0, -3.0]
